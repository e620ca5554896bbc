//! The duration of a run, in the seconds that messages give.

use super::json::Json;
use crate::field_errors::FieldError;
use crate::policy::{Quirk, Quirks};
use crate::row::RunDuration;

/// Parses seconds. Null means no duration.
pub(super) fn read(value: Json<'_>, quirks: Quirks) -> Result<Option<RunDuration>, FieldError> {
    let truncate = quirks.keeps(Quirk::DurationsTruncate);
    let seconds: f64 = match value {
        Json::Null => return Ok(None),
        Json::Number(text) => text.parse().map_err(|_| FieldError::NotANumber)?,
        Json::Bool(whole) if truncate => f64::from(whole),
        _ => return Err(FieldError::NotANumber),
    };
    let exact = seconds * 1000.0;
    let millis = if truncate { exact.trunc() } else { exact.round() };
    let longest = RunDuration::MAX.get();
    // In seconds, like the field.
    let out_of_range = FieldError::OutOfRange { least: 0, most: i64::from(longest) / 1000 };
    if !(0.0..=f64::from(longest)).contains(&millis) {
        return Err(out_of_range);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in bounds")]
    RunDuration::new(millis as u32).map(Some).map_err(|_| out_of_range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str, quirks: Quirks) -> Result<Option<u32>, FieldError> {
        let raw: Box<serde_json::value::RawValue> = serde_json::from_str(text).unwrap();
        read(Json::of(raw.get()), quirks).map(|duration| duration.map(RunDuration::get))
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
            assert_eq!(millis(text, Quirks::NONE), Ok(Some(nearest)), "{text}");
            assert_eq!(millis(text, Quirks::SENTRY_2024), Ok(Some(truncated)), "{text}");
        }
    }

    #[test]
    fn only_numbers_within_bounds() {
        for quirks in [Quirks::NONE, Quirks::SENTRY_2024] {
            assert_eq!(millis("null", quirks), Ok(None));
            for text in ["2147483.648", "-0.001", "-1", "1e400", "-1e400", "1000000000.0"] {
                let problem = FieldError::OutOfRange { least: 0, most: 2_147_483 };
                assert_eq!(millis(text, quirks), Err(problem), "{text}");
            }
            for text in [r#""3""#, r#""abc""#, "[1]", "{}", r#""""#] {
                assert_eq!(millis(text, quirks), Err(FieldError::NotANumber), "{text}");
            }
        }
        assert_eq!(millis("true", Quirks::NONE), Err(FieldError::NotANumber));
        assert_eq!(millis("true", Quirks::SENTRY_2024), Ok(Some(1000)));
    }
}
