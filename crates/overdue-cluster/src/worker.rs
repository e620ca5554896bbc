//! A worker: holds its share of the partitions, and processes them until it is stopped.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use overdue::Policy;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::database::{Database, DatabaseError, Lease, Worker};
use crate::processor::Processor;
use crate::stream::Stream;
use crate::time;

/// How often old rows are pruned.
const PRUNING: Duration = Duration::from_secs(3600);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A partition that is being processed.
struct Assignment {
    stop: watch::Sender<bool>,
    work: JoinHandle<Result<(), Failure>>,
}

impl Assignment {
    /// Asks the processor to stop after its current batch.
    fn stop(&self) {
        let _ = self.stop.send(true);
    }
}

/// Works until `stop` is done, then gives up its partitions.
pub(crate) async fn run(
    database: Database,
    stream: Stream,
    lease_time: Duration,
    retention: TimeDelta,
    stop: impl Future<Output = ()>,
) {
    let worker = Worker { id: random_id(), lease_time };
    let processor = |lease, done| Processor {
        lease,
        done,
        database: database.clone(),
        stream: stream.clone(),
        policy: Arc::new(Policy::default()),
    };
    let mut assignments: HashMap<Lease, Assignment> = HashMap::new();
    let mut stop = std::pin::pin!(stop);
    let mut pruned = time::Stopwatch::start();
    loop {
        let pause = hold(&database, worker, &mut assignments, &processor).await.unwrap_or_else(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "leases were not renewed");
            lease_time / 8
        });
        if pruned.elapsed() > PRUNING {
            pruned = time::Stopwatch::start();
            let leases = assignments.keys().copied().collect();
            tokio::spawn(prune(database.clone(), leases, retention));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = &mut stop => break,
        }
    }
    assignments.values().for_each(Assignment::stop);
    for (lease, assignment) in assignments {
        leave(&database, lease, assignment).await;
    }
    let _ = database.leave(worker).await;
}

/// Renews the leases, takes free partitions up to the worker's share, and gives up those beyond it. Does not
/// wait for a processor, because the other leases would expire meanwhile. Returns when to check again: sooner
/// while partitions change hands, because no worker consumes those.
async fn hold(
    database: &Database,
    worker: Worker,
    assignments: &mut HashMap<Lease, Assignment>,
    processor: &impl Fn(Lease, u64) -> Processor,
) -> Result<Duration, DatabaseError> {
    let (mut leases, share) = database.renew(worker).await?;
    for (lease, assignment) in
        assignments.extract_if(|_, assignment| assignment.work.is_finished()).collect::<Vec<_>>()
    {
        leave(database, lease, assignment).await;
        leases.retain(|held| *held != lease);
    }
    // Another worker has taken the others. What their processors still do will not be committed.
    assignments.retain(|lease, _| leases.contains(lease));
    for lease in leases.iter().skip(share) {
        assignments.get(lease).into_iter().for_each(Assignment::stop);
    }
    // A lease that was granted while the answer was lost has no processor yet.
    for lease in leases.extract_if(.., |lease| !assignments.contains_key(lease)) {
        database.release(lease).await?;
    }
    let missing = share.saturating_sub(leases.len());
    if missing > 0 {
        for (lease, done) in database.acquire(worker, missing).await? {
            let (stop, stopped) = watch::channel(false);
            tracing::info!(partition = lease.partition, lease = lease.number, "leased");
            assignments
                .insert(lease, Assignment { stop, work: tokio::spawn(processor(lease, done).run(stopped)) });
        }
    }
    let at_rest = assignments.len() == share;
    Ok(if at_rest { worker.lease_time / 8 } else { worker.lease_time / 64 })
}

/// Waits for a processor that has ended or was asked to, and gives up its partition.
async fn leave(database: &Database, lease: Lease, Assignment { work, .. }: Assignment) {
    match work.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(partition = lease.partition, error = &*error as &dyn std::error::Error, "gave up");
        }
        Err(error) => tracing::error!(partition = lease.partition, %error, "broke"),
    }
    if let Err(error) = database.release(lease).await {
        tracing::warn!(partition = lease.partition, error = &error as &dyn std::error::Error, "not released");
    }
}

async fn prune(database: Database, leases: Vec<Lease>, retention: TimeDelta) {
    let Some(before) = time::now().checked_sub_signed(retention) else { return };
    for lease in leases {
        match database.prune(lease.partition, before).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(partition = lease.partition, rows, "pruned"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "not pruned"),
        }
    }
}

fn random_id() -> Uuid {
    let mut bytes = [0; 16];
    // Without a source of randomness, no connection here would work either.
    let _ = getrandom::fill(&mut bytes);
    Uuid::from_bytes(bytes)
}
