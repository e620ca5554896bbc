//! Times as columns: text that sorts as the times do.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc};
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

/// Earlier and later than every time.
pub(super) const FIRST: &str = "";
pub(super) const LAST: &str = "~~";

/// A time as `2024-09-02T10:00:00.000000000Z`, which people and SQLite can read. Years before 0 have a `!` in front and
/// count up from 000000, years after 9999 have a `~` and six digits: so text of any two times sorts as they do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Moment(pub(super) DateTime<Utc>);

/// What is added to years before 0.
const BELOW: i32 = 1_000_000;

const FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.fZ";

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.into_text().map(Into::into)
    }
}

impl Moment {
    pub(super) fn into_text(self) -> rusqlite::Result<String> {
        let at = self.0;
        let mut text = String::with_capacity(33);
        let year = match at.year() {
            year @ 0..=9_999 => write!(text, "{year:04}"),
            year @ ..0 => write!(text, "!{:06}", year.saturating_add(BELOW)),
            year => write!(text, "~{year:06}"),
        };
        // A leap second is the one after 59, and its nanoseconds count on from a whole one.
        let (leap, nanosecond) = match at.nanosecond().checked_sub(1_000_000_000) {
            Some(nanosecond) => (1, nanosecond),
            None => (0, at.nanosecond()),
        };
        let second = at.second().saturating_add(leap);
        let (month, day, hour, minute) = (at.month(), at.day(), at.hour(), at.minute());
        year.and_then(|()| {
            write!(text, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanosecond:09}Z")
        })
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(text)
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        let text = match text.split_at_checked(7) {
            Some((year, rest)) if year.starts_with(['!', '~']) => {
                let digits: i32 = year[1..].parse().map_err(FromSqlError::other)?;
                let year = if year.starts_with('!') { digits.saturating_sub(BELOW) } else { digits };
                format!("{year:+}{rest}")
            }
            _ => text.to_owned(),
        };
        let at = NaiveDateTime::parse_from_str(&text, FORMAT).map_err(FromSqlError::other)?;
        Ok(Self(at.and_utc()))
    }
}
