//! Times as columns of SQLite.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

#[path = "../../moment/mod.rs"]
#[allow(clippy::duplicate_mod, reason = "the tests know both hosts")]
mod text;

pub(super) use text::{FIRST, LAST, Moment};

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.into_text().into())
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}
