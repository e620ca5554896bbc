//! Who consumes which partition: claims that last a while, renewed by workers that are well.
//!
//! Claims keep workers out of each other's way; what keeps them from harm is that each write compares the claim's number
//! and the versions of its rows. The clock of the database decides when a claim is over, and nothing else.

use std::time::Duration;

use uuid::Uuid;

use super::{Database, DatabaseError, Statement};

/// A worker, by an id of its own at each start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Worker {
    pub(crate) id: Uuid,
    /// How long a claim lasts that is not renewed.
    pub(crate) lease: Duration,
}

/// A partition of the stream, held by this worker until somebody else claims it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Claim {
    pub(crate) partition: u32,
    /// Which claim of this partition it is; grows from one to the next.
    pub(crate) number: i64,
}

impl Claim {
    /// Notes that a message of the stream was decided, the last so far. Fails the transaction unless the claim still stands.
    pub(super) fn done(self, sequence: u64) -> Result<Statement<'static>, DatabaseError> {
        Ok(Statement {
            sql: "
                WITH held AS (
                    UPDATE progress SET sequence = greatest(sequence, $3) WHERE partition = $1 AND claim = $2
                    RETURNING 1
                )
                SELECT must(EXISTS (SELECT FROM held))",
            columns: vec![
                Box::new(i32::try_from(self.partition)?),
                Box::new(self.number),
                Box::new(i64::try_from(sequence)?),
            ],
        })
    }
}

impl Database {
    /// Says that the worker is well and holds on to its claims. Answers which those are, and how many are its share:
    /// as many as every other worker's that is well.
    pub(crate) async fn renew(&self, worker: Worker) -> Result<(Vec<Claim>, usize), DatabaseError> {
        let client = self.pool.get().await?;
        let seconds = worker.lease.as_secs_f64();
        let well = client
            .prepare_cached(
                "INSERT INTO workers VALUES ($1, now() + make_interval(secs => $2))
                 ON CONFLICT (id) DO UPDATE SET until = excluded.until",
            )
            .await?;
        client.execute(&well, &[&worker.id, &seconds]).await?;
        let renew = client
            .prepare_cached(
                "UPDATE partitions SET until = now() + make_interval(secs => $2) WHERE worker = $1
                 RETURNING partition, claim",
            )
            .await?;
        let rows = client.query(&renew, &[&worker.id, &seconds]).await?;
        let claims = rows.iter().map(claim).collect::<Result<_, _>>()?;
        let count = client
            .prepare_cached("SELECT (SELECT count(*) FROM partitions), (SELECT count(*) FROM workers WHERE until > now())")
            .await?;
        let row = client.query_one(&count, &[]).await?;
        let (partitions, workers): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let (partitions, workers) = (usize::try_from(partitions)?, usize::try_from(workers)?);
        Ok((claims, partitions.div_ceil(workers.max(1))))
    }

    /// Claims up to so many partitions that nobody holds. Says of each which message of the stream was the last that
    /// was decided.
    pub(crate) async fn claim(
        &self,
        worker: Worker,
        count: usize,
    ) -> Result<Vec<(Claim, u64)>, DatabaseError> {
        let client = self.pool.get().await?;
        let claim_free = client
            .prepare_cached(
                "WITH claimed AS (
                     UPDATE partitions
                     SET worker = $1, claim = claim + 1, until = now() + make_interval(secs => $2)
                     WHERE partition IN (
                         SELECT partition FROM partitions WHERE until < now() ORDER BY random() LIMIT $3
                         FOR UPDATE SKIP LOCKED
                     )
                     RETURNING partition, claim
                 )
                 UPDATE progress SET claim = claimed.claim FROM claimed
                 WHERE progress.partition = claimed.partition
                 RETURNING progress.partition, progress.claim, sequence",
            )
            .await?;
        let count = i64::try_from(count)?;
        let rows = client.query(&claim_free, &[&worker.id, &worker.lease.as_secs_f64(), &count]).await?;
        rows.iter().map(|row| Ok((claim(row)?, u64::try_from(row.try_get::<_, i64>(2)?)?))).collect()
    }

    /// Whether the partition is still held by this claim.
    pub(crate) async fn stands(&self, claim: Claim) -> Result<bool, DatabaseError> {
        let client = self.pool.get().await?;
        let stands = client
            .prepare_cached("SELECT EXISTS (SELECT FROM progress WHERE partition = $1 AND claim = $2)")
            .await?;
        let row = client.query_one(&stands, &[&i32::try_from(claim.partition)?, &claim.number]).await?;
        Ok(row.try_get(0)?)
    }

    /// Lets go of a claim, for anybody to take the partition at once.
    pub(crate) async fn release(&self, claim: Claim) -> Result<(), DatabaseError> {
        let client = self.pool.get().await?;
        let release = client
            .prepare_cached(
                "UPDATE partitions SET worker = NULL, until = '-infinity' WHERE partition = $1 AND claim = $2",
            )
            .await?;
        client.execute(&release, &[&i32::try_from(claim.partition)?, &claim.number]).await?;
        Ok(())
    }

    /// Says farewell: the shares of the other workers grow at once.
    pub(crate) async fn leave(&self, worker: Worker) -> Result<(), DatabaseError> {
        let client = self.pool.get().await?;
        client
            .execute("DELETE FROM workers WHERE id = $1 OR until < now() - interval '1 day'", &[&worker.id])
            .await?;
        Ok(())
    }
}

fn claim(row: &tokio_postgres::Row) -> Result<Claim, DatabaseError> {
    Ok(Claim { partition: u32::try_from(row.try_get::<_, i32>(0)?)?, number: row.try_get(1)? })
}
