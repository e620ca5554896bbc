//! The rows in SQLite: [`SqliteStore`] is an [`overdue::Store`] with the additions that a service needs.
//!
//! For another database, replace this folder. `put` and `read` are the methods of the trait; `outbox`,
//! `rejections`, `retention` and `settings` are a few statements each; `view` is what the pages show. Nothing
//! else knows SQL.

mod outbox;
mod put;
mod read;
mod rejections;
mod retention;
mod settings;
mod time_text;
mod view;

pub use outbox::Pending;
pub use view::{IncidentLine, MonitorView, RunLine, Tile};

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use overdue::Store;
use overdue::id::{EnvironmentKey, MonitorKey};
use overdue::store::{CommitError, Due, DueKind, DueQuery, MonitorSnapshot, Query, Snapshot, Transition};
use rusqlite::{Connection, OpenFlags};

/// Keeps the rows in one SQLite database, over one connection.
///
/// A commit is a savepoint. Alone it is a transaction; between [`begin`](Self::begin) and
/// [`finish`](Self::finish) it is a part of one, so that many commits cost one write to the disk.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Mutex<Connection>,
}

/// Why the database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed")]
    Sqlite(#[from] rusqlite::Error),
    #[error("a row in the database cannot be read")]
    Row(#[from] serde_json::Error),
    #[error("the database was written by a newer version: its schema is {found}, not {known}", known = SCHEMA)]
    Newer { found: i64 },
    #[error("the transaction was lost")]
    Lost,
}

/// The version of `schema.sql`. A change needs a new version, and a step in [`SqliteStore::open`].
const SCHEMA: i64 = 1;

impl SqliteStore {
    /// Opens the database, or creates it. A commit is on the disk when it returns.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.execute_batch(include_str!("durable.sql"))?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        // Two servers that start on a new file at once must not both create it.
        connection.execute_batch("BEGIN IMMEDIATE")?;
        match connection.query_row("PRAGMA user_version", [], |row| row.get(0))? {
            0 => connection.execute_batch(include_str!("schema.sql"))?,
            SCHEMA => {}
            found => return Err(StoreError::Newer { found }),
        }
        connection.execute_batch("COMMIT")?;
        Ok(Self::over(connection))
    }

    /// Opens an existing database, to read from it while another connection writes.
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        Ok(Self::over(connection))
    }

    fn over(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(64);
        Self { connection: Mutex::new(connection) }
    }

    /// Begins a transaction around the commits that follow.
    pub fn begin(&self) -> Result<(), StoreError> {
        Ok(self.connection().execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Writes everything since [`begin`](Self::begin) to the disk. On an error, none of it is written.
    pub fn finish(&self) -> Result<(), StoreError> {
        let connection = self.connection();
        if connection.is_autocommit() {
            // SQLite rolls back by itself when the disk is full or broken.
            return Err(StoreError::Lost);
        }
        connection.execute_batch("COMMIT").inspect_err(|_| {
            let _ = connection.execute_batch("ROLLBACK");
        })?;
        Ok(())
    }

    /// Whether the transaction that was begun is still open.
    pub fn is_within_transaction(&self) -> bool {
        !self.connection().is_autocommit()
    }

    /// Locks the connection. A panic elsewhere leaves no statement half-done: savepoints roll back when
    /// dropped.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Store for SqliteStore {
    type Error = StoreError;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, StoreError> {
        read::load(&self.connection(), key, query)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, StoreError> {
        read::load_monitor(&self.connection(), key)
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, StoreError> {
        read::due(&self.connection(), query)
    }

    fn next_due(&self, kind: DueKind) -> Result<Option<DateTime<Utc>>, StoreError> {
        read::next_due(&self.connection(), kind)
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<StoreError>> {
        put::commit(&mut self.connection(), transition)
    }
}
