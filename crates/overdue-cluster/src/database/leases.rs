//! Leases of partitions: which worker consumes which. They expire unless the worker renews them.
//!
//! Leases keep workers out of each other's way. For safety, each write compares the lease's number, which the
//! column `claim` holds, and the versions of its rows. Only the clock of the database decides when a lease is
//! over.

use std::time::Duration;

use uuid::Uuid;

use super::{Database, DatabaseError, Statement};

/// A worker, with a new id at each start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Worker {
    pub id: Uuid,
    /// How long a lease lasts unless it is renewed.
    pub lease_time: Duration,
}

/// A partition of the stream, held by one worker until another takes it over.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Lease {
    pub partition: u32,
    /// The number of this lease. It grows from one lease of a partition to the next.
    pub number: i64,
}

impl Lease {
    /// Records the last message of the stream that was decided. Fails the transaction unless the lease still
    /// holds.
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
    /// Renews the leases of a worker. Returns them, and its share of partitions: the same for every worker
    /// that is alive.
    pub async fn renew(&self, worker: Worker) -> Result<(Vec<Lease>, usize), DatabaseError> {
        let client = self.pool.get().await?;
        let seconds = worker.lease_time.as_secs_f64();
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
        let leases = rows.iter().map(lease).collect::<Result<_, _>>()?;
        let count = client
            .prepare_cached("SELECT (SELECT count(*) FROM partitions), (SELECT count(*) FROM workers WHERE until > now())")
            .await?;
        let row = client.query_one(&count, &[]).await?;
        let (partitions, workers): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let (partitions, workers) = (usize::try_from(partitions)?, usize::try_from(workers)?);
        Ok((leases, partitions.div_ceil(workers.max(1))))
    }

    /// Leases up to `count` partitions that no worker holds. Returns each with the last message of the stream
    /// that was decided.
    pub async fn acquire(&self, worker: Worker, count: usize) -> Result<Vec<(Lease, u64)>, DatabaseError> {
        let client = self.pool.get().await?;
        let acquire = client
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
        let rows = client.query(&acquire, &[&worker.id, &worker.lease_time.as_secs_f64(), &count]).await?;
        rows.iter().map(|row| Ok((lease(row)?, u64::try_from(row.try_get::<_, i64>(2)?)?))).collect()
    }

    /// Whether the lease still holds.
    pub async fn stands(&self, lease: Lease) -> Result<bool, DatabaseError> {
        let client = self.pool.get().await?;
        let stands = client
            .prepare_cached("SELECT EXISTS (SELECT FROM progress WHERE partition = $1 AND claim = $2)")
            .await?;
        let row = client.query_one(&stands, &[&i32::try_from(lease.partition)?, &lease.number]).await?;
        Ok(row.try_get(0)?)
    }

    /// Ends a lease, so that another worker can take the partition at once.
    pub async fn release(&self, lease: Lease) -> Result<(), DatabaseError> {
        let client = self.pool.get().await?;
        let release = client
            .prepare_cached(
                "UPDATE partitions SET worker = NULL, until = '-infinity' WHERE partition = $1 AND claim = $2",
            )
            .await?;
        client.execute(&release, &[&i32::try_from(lease.partition)?, &lease.number]).await?;
        Ok(())
    }

    /// Removes a worker, so that the shares of the others grow at once.
    pub async fn leave(&self, worker: Worker) -> Result<(), DatabaseError> {
        let client = self.pool.get().await?;
        client
            .execute("DELETE FROM workers WHERE id = $1 OR until < now() - interval '1 day'", &[&worker.id])
            .await?;
        Ok(())
    }
}

fn lease(row: &tokio_postgres::Row) -> Result<Lease, DatabaseError> {
    Ok(Lease { partition: u32::try_from(row.try_get::<_, i32>(0)?)?, number: row.try_get(1)? })
}
