//! The outbox: events that have yet to be told, in the order in which they happened.

use overdue::Event;
use tokio_postgres::types::Json;

use super::{Database, DatabaseError};

/// An event that has yet to be told.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its place in the log of events.
    pub sequence: i64,
    pub event: Event,
}

/// How many events are told at a time.
const PAGE: i64 = 256;

impl Database {
    /// The oldest events of a partition that have yet to be told.
    pub async fn pending(&self, partition: u32) -> Result<Vec<Pending>, DatabaseError> {
        let client = self.pool.get().await?;
        let select = client
            .prepare_cached(
                "SELECT sequence, event FROM events WHERE partition = $1 AND NOT told ORDER BY sequence LIMIT $2",
            )
            .await?;
        let rows = client.query(&select, &[&i32::try_from(partition)?, &PAGE]).await?;
        let pending = rows.iter().map(|row| {
            let Json(event) = row.try_get(1)?;
            Ok(Pending { sequence: row.try_get(0)?, event })
        });
        pending.collect()
    }

    /// Notes that events are told.
    pub async fn told(&self, events: &[Pending]) -> Result<(), DatabaseError> {
        let client = self.pool.get().await?;
        let update = client.prepare_cached("UPDATE events SET told = true WHERE sequence = ANY ($1)").await?;
        let sequences: Vec<i64> = events.iter().map(|pending| pending.sequence).collect();
        client.execute(&update, &[&sequences]).await?;
        Ok(())
    }
}
