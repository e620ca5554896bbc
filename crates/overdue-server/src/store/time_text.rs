//! Times as columns of SQLite.

use chrono::{DateTime, Utc};
use overdue_protocol::time_text;
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

pub(super) use time_text::{FIRST, LAST};

/// A time as a column holds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TimeText(pub(super) DateTime<Utc>);

impl TimeText {
    pub(super) fn into_text(self) -> String {
        time_text::TimeText(self.0).into_text()
    }
}

impl ToSql for TimeText {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.into_text().into())
    }
}

impl FromSql for TimeText {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text: time_text::TimeText = value.as_str()?.parse().map_err(FromSqlError::other)?;
        Ok(Self(text.0))
    }
}
