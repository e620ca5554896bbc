//! Time zones, by their IANA names.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// An IANA time zone. Parsed from its name, and stored as its name.
///
/// ```
/// use overdue::schedule::Zone;
///
/// let zone: Zone = "Europe/Berlin".parse()?;
/// assert_eq!(zone.name(), "Europe/Berlin");
/// assert_eq!(Zone::default(), Zone::UTC);
/// # Ok::<(), overdue::schedule::ParseZoneError>(())
/// ```
#[derive(Clone, Copy, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "std::borrow::Cow<'_, str>", into = "&'static str")]
pub struct Zone(Tz);

/// The text names no IANA time zone.
///
/// ```
/// use overdue::schedule::{ParseZoneError, Zone};
///
/// let error: ParseZoneError = "Mars/Olympus".parse::<Zone>().unwrap_err();
/// assert_eq!(error.to_string(), "`Mars/Olympus` is not an IANA time zone");
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{name}` is not an IANA time zone")]
#[non_exhaustive]
pub struct ParseZoneError {
    /// The text.
    pub name: Box<str>,
}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Every zone there is.
    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = Self> {
        chrono_tz::TZ_VARIANTS.into_iter().map(Self)
    }

    /// Seconds ahead of UTC at an instant.
    pub(super) fn offset_at(self, utc: &NaiveDateTime) -> i32 {
        self.0.offset_from_utc_datetime(utc).fix().local_minus_utc()
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl FromStr for Zone {
    type Err = ParseZoneError;

    fn from_str(name: &str) -> Result<Self, ParseZoneError> {
        name.parse().map(Self).map_err(|_| ParseZoneError { name: name.into() })
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
