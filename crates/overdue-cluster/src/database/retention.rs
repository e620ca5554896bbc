//! Deletes old rows.

use chrono::{DateTime, Utc};

use super::time_text::TimeText;
use super::{Database, DatabaseError};

/// The most rows that one statement deletes, so that no check-in waits for long.
const PAGE: i64 = 10_000;

/// Finished runs that no threshold needs any more. The newest runs with a result stay, as many as the larger
/// threshold of their monitor.
const RUNS: &str = "
    DELETE FROM runs WHERE id IN (
        SELECT old.id
        FROM environments
        JOIN monitors ON monitors.id = environments.monitor
        CROSS JOIN LATERAL (
            SELECT started_at FROM runs
            WHERE environment = environments.id AND status IN ('ok', 'error', 'missed', 'timeout')
            ORDER BY started_at DESC, number DESC LIMIT 1
            OFFSET monitors.thresholds - 1
        ) AS oldest_needed
        CROSS JOIN LATERAL (
            SELECT id FROM runs
            WHERE environment = environments.id AND status <> 'in_progress'
                AND started_at < least($2, oldest_needed.started_at)
        ) AS old
        WHERE environments.partition = $1 LIMIT $3
    )";

const INCIDENTS: &str = "
    DELETE FROM incidents WHERE id IN (
        SELECT incidents.id FROM environments JOIN incidents ON incidents.environment = environments.id
        WHERE environments.partition = $1 AND resolved_at < $2 LIMIT $3
    )";

const EVENTS: &str = "
    DELETE FROM events WHERE sequence IN (
        SELECT sequence FROM events WHERE partition = $1 AND at < $2::text::timestamptz AND told LIMIT $3
    )";

impl Database {
    /// Deletes the runs of a partition that started before a date, its incidents that were resolved before
    /// it, and its published events from before it. Returns the number of rows deleted.
    pub async fn prune(&self, partition: u32, before: DateTime<Utc>) -> Result<u64, DatabaseError> {
        let client = self.pool.get().await?;
        let (partition, text) = (i32::try_from(partition)?, TimeText(before).into_text());
        let mut gone = 0;
        for sql in [RUNS, INCIDENTS, EVENTS] {
            let statement = client.prepare_cached(sql).await?;
            loop {
                let count = client.execute(&statement, &[&partition, &text, &PAGE]).await?;
                gone += count;
                if count < PAGE.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(gone)
    }
}
