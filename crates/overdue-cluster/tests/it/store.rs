//! The rows in PostgreSQL keep what every store promises, with the statements that workers use.

use overdue::Store;
use overdue::id::{EnvironmentKey, MonitorKey};
use overdue::store::{CommitError, Due, DueQuery, MonitorSnapshot, Query, Snapshot, Transition};
use overdue::testkit::store::Promise;
use overdue_cluster::database::{Database, DatabaseError, Lease, Subject, Then};
use overdue_cluster::partition::Partitions;
use overdue_cluster::servers::Server;
use tempfile::TempDir;

use super::fixture::{self, RUNTIME};

/// A database with one partition, decision by decision, for callers that block.
pub(super) struct Postgres(pub(super) Database);

/// A lease without competitors.
const LEASE: Lease = Lease { partition: 0, number: 0 };

impl Postgres {
    /// A schema of its own in this server, empty.
    pub(super) fn create(server: &Server, schema: &str) -> Self {
        RUNTIME.block_on(async {
            let url = fixture::url(server.port());
            fixture::connect(&url).await.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
            let url = format!("{url}?options=-csearch_path%3D{schema}");
            let database = Database::new(&url, Partitions::default(), 8).unwrap();
            database.migrate("a stream").await.unwrap();
            Self(database)
        })
    }
}

impl Store for Postgres {
    type Error = DatabaseError;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, DatabaseError> {
        RUNTIME.block_on(async {
            let mut transaction = self.0.begin().await?;
            let mut snapshots = transaction.load(&[Subject { key: key.clone(), query: *query }]).await?;
            Ok(snapshots.pop().unwrap())
        })
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, DatabaseError> {
        RUNTIME.block_on(self.0.monitor(key))
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, DatabaseError> {
        RUNTIME.block_on(self.0.due(LEASE.partition, query))
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<DatabaseError>> {
        RUNTIME.block_on(async {
            let mut transaction = self.0.begin().await?;
            transaction.write((LEASE, 0), std::slice::from_ref(transition), &[], Then::Commit).await
        })
    }
}

#[test]
fn every_promise_is_kept() {
    if !fixture::installed() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let server = Server::postgres(directory.path(), &["fsync=off"]).unwrap();
    let mut broken = Vec::new();
    for promise in Promise::ALL {
        broken.extend(promise.prove(&Postgres::create(&server, promise.name())).err());
    }
    let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
    assert!(
        broken.is_empty(),
        "{} of {} are broken:\n{}",
        broken.len(),
        Promise::ALL.len(),
        broken.join("\n")
    );
}
