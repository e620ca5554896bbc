//! How long a run took.

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::checkin::FieldProblem;
use crate::checkin::json::Json;
use crate::config::OutOfRange;
use crate::policy::{Quirk, Quirks};

/// How long a run took, in whole milliseconds: 0 to 2³¹ − 1, which is almost 25 days.
///
/// Messages give seconds, rows keep milliseconds.
///
/// ```
/// use chrono::TimeDelta;
/// use overdue::checkin::Millis;
///
/// assert_eq!(Millis::new(1_500)?.duration(), TimeDelta::milliseconds(1_500));
/// assert!(Millis::try_from(TimeDelta::days(25)).is_err());
/// # Ok::<(), overdue::config::OutOfRange>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Millis(u32);

impl Millis {
    /// The longest.
    pub const MAX: Millis = Millis(i32::MAX.unsigned_abs());

    const OUT_OF_RANGE: OutOfRange = OutOfRange { least: 0, most: Self::MAX.0 };

    /// Checks the bound.
    ///
    /// # Errors
    /// [`OutOfRange`] above [`Millis::MAX`].
    pub const fn new(count: u32) -> Result<Self, OutOfRange> {
        if count <= Self::MAX.0 { Ok(Self(count)) } else { Err(Self::OUT_OF_RANGE) }
    }

    /// How many.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// As a duration.
    pub fn duration(self) -> TimeDelta {
        // `TimeDelta::milliseconds` panics on what it cannot hold, which no u32 is.
        TimeDelta::milliseconds(i64::from(self.0))
    }

    /// As seconds, the way messages give them.
    pub fn seconds(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// Reads seconds from a message; null says nothing.
    pub(crate) fn from_json(value: Json<'_>, quirks: Quirks) -> Result<Option<Self>, FieldProblem> {
        let truncate = quirks.keeps(Quirk::DurationsTruncate);
        let seconds: f64 = match value {
            Json::Null => return Ok(None),
            Json::Number(text) => text.parse().map_err(|_| FieldProblem::NotANumber)?,
            Json::Bool(whole) if truncate => f64::from(whole),
            _ => return Err(FieldProblem::NotANumber),
        };
        let exact = seconds * 1000.0;
        let millis = if truncate { exact.trunc() } else { exact.round() };
        if (0.0..=f64::from(Self::MAX.0)).contains(&millis) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole and in bounds"
            )]
            Ok(Some(Self(millis as u32)))
        } else {
            // In seconds, as the field is.
            Err(FieldProblem::OutOfRange { least: 0, most: i64::from(Self::MAX.0) / 1000 })
        }
    }
}

impl TryFrom<u32> for Millis {
    type Error = OutOfRange;

    fn try_from(count: u32) -> Result<Self, OutOfRange> {
        Self::new(count)
    }
}

impl TryFrom<TimeDelta> for Millis {
    type Error = OutOfRange;

    /// Cuts to the millisecond.
    fn try_from(time: TimeDelta) -> Result<Self, OutOfRange> {
        let count = u32::try_from(time.num_milliseconds()).map_err(|_| Self::OUT_OF_RANGE)?;
        Self::new(count)
    }
}

impl From<Millis> for u32 {
    fn from(millis: Millis) -> Self {
        millis.0
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, quirks: Quirks) -> Result<Option<u32>, FieldProblem> {
        let raw: Box<serde_json::value::RawValue> = serde_json::from_str(text).unwrap();
        Millis::from_json(Json::of(&raw), quirks).map(|millis| millis.map(Millis::get))
    }

    #[test]
    fn nearest_or_truncated() {
        for (text, nearest, truncated) in [
            ("1", 1000, 1000),
            ("1.9999", 2000, 1999),
            ("0.0004", 0, 0),
            ("0.29", 290, 290),
            ("8.2", 8200, 8200),
            ("1.005", 1005, 1004),
            ("2.0e0", 2000, 2000),
            ("1E3", 1_000_000, 1_000_000),
            ("-0", 0, 0),
            ("-0.0001", 0, 0),
            ("2147483.647", 2_147_483_647, 2_147_483_647),
        ] {
            assert_eq!(read(text, Quirks::NONE), Ok(Some(nearest)), "{text}");
            assert_eq!(read(text, Quirks::ALL), Ok(Some(truncated)), "{text}");
        }
    }

    #[test]
    fn only_numbers_within_bounds() {
        for quirks in [Quirks::NONE, Quirks::ALL] {
            assert_eq!(read("null", quirks), Ok(None));
            for text in ["2147483.648", "-0.001", "-1", "1e400", "-1e400", "1000000000.0"] {
                let problem = FieldProblem::OutOfRange { least: 0, most: 2_147_483 };
                assert_eq!(read(text, quirks), Err(problem), "{text}");
            }
            for text in [r#""3""#, r#""abc""#, "[1]", "{}", r#""""#] {
                assert_eq!(read(text, quirks), Err(FieldProblem::NotANumber), "{text}");
            }
        }
        assert_eq!(read("true", Quirks::NONE), Err(FieldProblem::NotANumber));
        assert_eq!(read("true", Quirks::ALL), Ok(Some(1000)));
    }
}
