//! Times in database columns: text that sorts like the times.

use std::fmt::Write as _;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDateTime, ParseError, Timelike, Utc};

/// Sorts before every time.
pub const FIRST: &str = "";
/// Sorts after every time.
pub const LAST: &str = "~~";

/// A time as `2024-09-02T10:00:00.000000000Z`, readable by people and databases. Years before 0 start with a
/// `!` and count up from 000000; years after 9999 start with a `~` and have six digits. So the texts of any
/// two times sort like the times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimeText(pub DateTime<Utc>);

/// Added to years before 0.
const BELOW: i32 = 1_000_000;

const FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.fZ";

impl TimeText {
    /// Returns the text of this time.
    pub fn into_text(self) -> String {
        let at = self.0;
        let mut text = String::with_capacity(33);
        // Writing to text cannot fail.
        let _ = match at.year() {
            year @ 0..=9_999 => write!(text, "{year:04}"),
            year @ ..0 => write!(text, "!{:06}", year.saturating_add(BELOW)),
            year => write!(text, "~{year:06}"),
        };
        // A leap second comes after second 59, and its nanoseconds continue from a whole second.
        let (leap, nanosecond) = match at.nanosecond().checked_sub(1_000_000_000) {
            Some(nanosecond) => (1, nanosecond),
            None => (0, at.nanosecond()),
        };
        let second = at.second().saturating_add(leap);
        let (month, day, hour, minute) = (at.month(), at.day(), at.hour(), at.minute());
        let _ = write!(text, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanosecond:09}Z");
        text
    }
}

impl FromStr for TimeText {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let text = match text.split_at_checked(7) {
            Some((year, rest)) if year.starts_with(['!', '~']) => {
                let digits: i32 = year.get(1..).and_then(|digits| digits.parse().ok()).unwrap_or(BELOW);
                let year = if year.starts_with('!') { digits.saturating_sub(BELOW) } else { digits };
                format!("{year:+}{rest}")
            }
            _ => text.to_owned(),
        };
        Ok(Self(NaiveDateTime::parse_from_str(&text, FORMAT)?.and_utc()))
    }
}
