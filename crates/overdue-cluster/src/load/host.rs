//! The parts of the cluster that are measured.
use std::sync::Arc;
use std::time::Duration;

use overdue::Policy;
use uuid::Uuid;

use overdue_cluster::database::{Database, Worker};
use overdue_cluster::processor::Processor;
use overdue_cluster::stream::Stream;

/// Makes a processor for every partition, without any other worker.
pub(crate) async fn processors(
    database: &Database,
    stream: &Stream,
) -> Result<Vec<Processor>, crate::Failure> {
    let worker = Worker { id: Uuid::from_u128(1), lease_time: Duration::from_secs(3600) };
    let leases = database.acquire(worker, stream.partitions().count() as usize).await?;
    let policy = Arc::new(Policy::default());
    let processor = |(lease, done)| {
        let (database, stream, policy) = (database.clone(), stream.clone(), Arc::clone(&policy));
        Processor { lease, done, database, stream, policy }
    };
    Ok(leases.into_iter().map(processor).collect())
}
