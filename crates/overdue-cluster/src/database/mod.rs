//! The rows in PostgreSQL, with many decisions in one transaction.
//!
//! Reads and writes take whole lists of decisions, so that a batch costs two round trips: one begins the
//! transaction and reads for all decisions, one writes for all of them and commits. A transaction sees one
//! snapshot. The statements that write compare versions, and a difference fails the transaction as a
//! conflict.

mod commit;
mod due;
mod leases;
mod load;
mod outbox;
mod retention;

pub use leases::{Lease, Worker};
pub use load::Subject;
pub use outbox::Pending;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use futures_util::future::{join_all, join3, try_join};
use overdue::Event;
use overdue::id::MonitorKey;
use overdue::store::{CommitError, Due, DueQuery, MonitorSnapshot, Snapshot, Transition};
use overdue_protocol::time_text;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Row};

use super::partition::Partitions;

/// The version of `schema.sql`. A change needs a new version, and a step in [`Database::migrate`].
const SCHEMA: i32 = 1;

/// Every statement here looks rows up by an index. Plans that are made and cached while a table is still
/// small must do so too.
const OPTIONS: &str = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";

/// A pool of connections to one database.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    partitions: Partitions,
}

/// Why the database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("the database failed")]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the database cannot be reached")]
    Unreachable(#[from] deadpool_postgres::PoolError),
    #[error("{0} cannot be the address of a database: {1}")]
    Address(String, tokio_postgres::Error),
    #[error("a number is too large for the database")]
    TooLarge(#[from] std::num::TryFromIntError),
    #[error("a row in the database cannot be read: {0}")]
    Row(String),
    #[error("the schema of the database is {found}, not {SCHEMA}: run `overdue-cluster migrate`")]
    Schema { found: i32 },
    #[error("the database was last used with another stream: run `overdue-cluster migrate`")]
    Stream,
    #[error("the database has {found} partitions, the stream has {wanted}")]
    Partitions { found: usize, wanted: usize },
}

impl From<DatabaseError> for CommitError<DatabaseError> {
    fn from(error: DatabaseError) -> Self {
        CommitError::Store(error)
    }
}

/// A statement and its parameters: columns with one entry for each row.
struct Statement<'a> {
    sql: &'static str,
    columns: Vec<Box<dyn ToSql + Sync + Send + 'a>>,
}

/// What to do after a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Then {
    Continue,
    Commit,
}

/// One transaction: reads what decisions need and writes them, everything or nothing.
#[derive(Debug)]
pub struct Transaction {
    /// `None` once it is over. If it is dropped before that, the connection is closed, and PostgreSQL rolls
    /// back.
    client: Option<Object>,
    partitions: Partitions,
    begun: bool,
}

impl Database {
    /// Makes a database from its URL, as for `psql`. Connects on first use.
    pub fn new(url: &str, partitions: Partitions, connections: usize) -> Result<Self, DatabaseError> {
        let mut config: Config =
            url.parse().map_err(|error| DatabaseError::Address(url.to_owned(), error))?;
        let options =
            config.get_options().map_or_else(|| OPTIONS.to_owned(), |more| format!("{OPTIONS} {more}"));
        config.options(options).application_name("overdue");
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config, NoTls, recycling);
        let pool = Pool::builder(manager).max_size(connections).build();
        let pool = pool.map_err(|error| DatabaseError::Row(error.to_string()))?;
        Ok(Self { pool, partitions })
    }

    /// Creates the tables in an empty database, and the partitions. If the stream is not the one of before,
    /// starts anew with it.
    pub async fn migrate(&self, stream: &str) -> Result<(), DatabaseError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        let known = "SELECT to_regclass('schema') IS NOT NULL";
        if !transaction.query_one(known, &[]).await?.try_get::<_, bool>(0)? {
            transaction.batch_execute(include_str!("schema.sql")).await?;
        }
        let number = transaction.query_one("SELECT version FROM schema", &[]).await?.try_get(0)?;
        if number != SCHEMA {
            return Err(DatabaseError::Schema { found: number });
        }
        let count = i32::try_from(self.partitions.count())?;
        for add in [
            "INSERT INTO partitions SELECT generate_series(0, $1 - 1) WHERE NOT EXISTS (SELECT FROM partitions)",
            "INSERT INTO progress SELECT generate_series(0, $1 - 1) WHERE NOT EXISTS (SELECT FROM progress)",
        ] {
            transaction.execute(add, &[&count]).await?;
        }
        if transaction.execute("UPDATE schema SET stream = $1 WHERE stream <> $1", &[&stream]).await? > 0 {
            transaction.execute("UPDATE progress SET sequence = 0", &[]).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Checks that the tables are those of this program, for this stream and its partitions.
    pub async fn check(&self, stream: &str) -> Result<(), DatabaseError> {
        let client = self.pool.get().await?;
        let known = client.query_one("SELECT to_regclass('schema') IS NOT NULL", &[]).await?;
        if !known.try_get::<_, bool>(0)? {
            return Err(DatabaseError::Schema { found: 0 });
        }
        let number = client.query_one("SELECT version FROM schema", &[]).await?.try_get(0)?;
        if number != SCHEMA {
            return Err(DatabaseError::Schema { found: number });
        }
        if client.query_one("SELECT stream FROM schema", &[]).await?.try_get::<_, String>(0)? != stream {
            return Err(DatabaseError::Stream);
        }
        let found: i64 = client.query_one("SELECT count(*) FROM partitions", &[]).await?.try_get(0)?;
        let (found, wanted) = (usize::try_from(found)?, self.partitions.count() as usize);
        if found == wanted { Ok(()) } else { Err(DatabaseError::Partitions { found, wanted }) }
    }

    /// Begins a transaction. Sends nothing before its first use.
    pub async fn begin(&self) -> Result<Transaction, DatabaseError> {
        let client = Some(self.pool.get().await?);
        Ok(Transaction { client, partitions: self.partitions, begun: false })
    }

    /// A page of what is due in one partition.
    pub async fn due(&self, partition: u32, query: &DueQuery) -> Result<Vec<Due>, DatabaseError> {
        due::due(&self.pool.get().await?, partition, query).await
    }

    /// A monitor and all that belongs to it.
    pub async fn monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, DatabaseError> {
        load::monitor(&self.pool.get().await?, key).await
    }
}

impl Transaction {
    const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";

    /// Reads what each of these decisions needs.
    pub async fn load(&mut self, subjects: &[Subject<'_>]) -> Result<Vec<Snapshot>, DatabaseError> {
        let (begin, client) = self.parts();
        Ok(try_join(run(client, begin), load::load(client, subjects)).await?.1)
    }

    /// Writes decisions and further events, as the holder of a lease. The commit records the last message of
    /// the stream up to which everything is decided.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] if another transaction has changed a row since it was read, or has taken the
    /// partition. Nothing is written then.
    pub async fn write(
        &mut self,
        (lease, done): (Lease, u64),
        transitions: &[Transition],
        beside: &[Event],
        then: Then,
    ) -> Result<(), CommitError<DatabaseError>> {
        let mut statements = commit::statements(transitions, beside, lease.partition, self.partitions)?;
        if !statements.is_empty() {
            statements.push(lease.done(done)?);
        }
        let (begin, client) = self.parts();
        let end = if then == Then::Commit { "COMMIT" } else { "" };
        let mut prepared = Vec::new();
        for statement in &statements {
            prepared.push(client.prepare_cached(statement.sql).await.map_err(DatabaseError::from)?);
        }
        // All of it is sent before the first answer is awaited.
        let writes = statements.iter().zip(&prepared).map(|(statement, prepared)| {
            client.execute_raw(
                prepared,
                statement.columns.iter().map(|column| &**column as &(dyn ToSql + Sync)),
            )
        });
        let (begun, written, ended) = join3(run(client, begin), join_all(writes), run(client, end)).await;
        begun?;
        for written in written {
            written.map_err(sorted)?;
        }
        ended.map_err(|error| match error {
            DatabaseError::Postgres(error) => sorted(error),
            error => error.into(),
        })?;
        if then == Then::Commit {
            // The transaction is over, and the connection can be used again.
            self.client = None;
        }
        Ok(())
    }

    /// Returns the statement that begins the transaction, unless it has begun.
    fn parts(&mut self) -> (&'static str, &Object) {
        let begin = if std::mem::replace(&mut self.begun, true) { "" } else { Self::BEGIN };
        #[expect(clippy::expect_used, reason = "a transaction that is over is gone: `write` is its last use")]
        (begin, self.client.as_ref().expect("a transaction is not used after its end"))
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(client) = self.client.take().filter(|_| self.begun) {
            drop(Object::take(client));
        }
    }
}

/// Runs a statement without parameters, if there is one.
async fn run(client: &Object, sql: &str) -> Result<(), DatabaseError> {
    if sql.is_empty() { Ok(()) } else { Ok(client.batch_execute(sql).await?) }
}

/// Distinguishes a conflict from other errors.
fn sorted(error: tokio_postgres::Error) -> CommitError<DatabaseError> {
    match error.code() {
        Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => {
            CommitError::Conflict
        }
        _ => CommitError::Store(error.into()),
    }
}

/// Parses a column.
fn parsed<T, E: std::fmt::Display>(
    row: &Row,
    column: usize,
    parse: impl FnOnce(String) -> Result<T, E>,
) -> Result<T, DatabaseError> {
    parse(row.try_get(column)?).map_err(|error| DatabaseError::Row(error.to_string()))
}
