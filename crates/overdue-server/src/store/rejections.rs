//! Rejected check-ins, to show to the owner of the job.

use overdue::Message;
use overdue::event::Rejection;
use overdue::rejection::{LogEntry, LogScope, Recorded, RejectionLog};
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{ToSql, params};

use super::read::all;
use super::time_text::TimeText;
use super::{SqliteStore, StoreError};

/// A monitor's id or a project's number, in one column.
struct Owner(LogScope);

impl ToSql for Owner {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            LogScope::Monitor(id) => Ok(ToSqlOutput::Owned(Value::Blob(id.as_uuid().as_bytes().to_vec()))),
            LogScope::Project(id) => {
                let number = i64::try_from(id.get())
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                Ok(number.into())
            }
        }
    }
}

impl SqliteStore {
    /// Records a rejection. Only the newest few of each monitor or project are kept.
    pub fn record(&self, rejection: &Rejection) -> Result<(), StoreError> {
        let (owner, entry) = (rejection.owner(), rejection.entry());
        // The crate decides what is kept; this only stores the rows.
        let mut log = RejectionLog::new();
        for known in self.rejections(owner)? {
            log.record(owner, known);
        }
        let row = (entry.id, TimeText(entry.at), serde_json::to_string(&entry)?);
        if let Recorded::New { pushed_out } = log.record(owner, entry) {
            let connection = self.connection();
            let mut insert = connection
                .prepare_cached("INSERT INTO refusals (owner, id, at, entry) VALUES (?, ?, ?, ?)")?;
            insert.execute(params![Owner(owner), row.0.as_uuid(), row.1, row.2])?;
            if let Some(oldest) = pushed_out {
                let mut delete =
                    connection.prepare_cached("DELETE FROM refusals WHERE owner = ? AND id = ?")?;
                delete.execute(params![Owner(owner), oldest.as_uuid()])?;
            }
        }
        Ok(())
    }

    /// The rejections of a monitor, or of a project if there is no such monitor, newest first.
    pub fn rejections(&self, owner: LogScope) -> Result<Vec<LogEntry<Message>>, StoreError> {
        let select = "SELECT entry FROM refusals WHERE owner = ? ORDER BY at DESC, id DESC";
        all(&self.connection(), select, params![Owner(owner)])
    }

    /// The newest rejections of all.
    pub fn newest_rejections(&self, count: u32) -> Result<Vec<LogEntry<Message>>, StoreError> {
        all(&self.connection(), "SELECT entry FROM refusals ORDER BY at DESC LIMIT ?", [count])
    }
}
