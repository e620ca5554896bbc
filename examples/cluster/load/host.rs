//! The parts of the cluster that are measured.
#![expect(dead_code, reason = "the cluster uses the rest")]

#[path = "../database/mod.rs"]
pub(crate) mod database;
#[path = "../desk.rs"]
mod desk;
#[path = "../partition.rs"]
pub(crate) mod partition;
#[path = "../servers.rs"]
pub(crate) mod servers;
#[path = "../stream.rs"]
pub(crate) mod stream;
#[path = "../task.rs"]
mod task;
#[path = "../wave.rs"]
mod wave;

use std::sync::Arc;
use std::time::Duration;

use overdue::Policy;
use uuid::Uuid;

use database::{Database, Worker};
use desk::Desk;
use stream::Stream;

/// A desk for every partition, which nobody else works on.
pub(crate) async fn desks(database: &Database, stream: &Stream) -> Result<Vec<Desk>, crate::Failure> {
    let worker = Worker { id: Uuid::from_u128(1), lease: Duration::from_secs(3600) };
    let claims = database.claim(worker, stream.partitions().count() as usize).await?;
    let policy = Arc::new(Policy::default());
    let desk = |(claim, done)| {
        let (database, stream, policy) = (database.clone(), stream.clone(), Arc::clone(&policy));
        Desk { claim, done, database, stream, policy }
    };
    Ok(claims.into_iter().map(desk).collect())
}
