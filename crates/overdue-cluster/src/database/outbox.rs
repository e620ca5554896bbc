//! The outbox: events that are not published yet, in the order in which they happened.

use overdue::Event;
use tokio_postgres::types::Json;

use super::{Database, DatabaseError};

/// An event that is not published yet.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its position in the log of events.
    pub sequence: i64,
    pub event: Event,
}

/// The number of events that are published at a time.
const PAGE: i64 = 256;

impl Database {
    /// The oldest unpublished events of a partition.
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

    /// Records that events are published.
    pub async fn told(&self, events: &[Pending]) -> Result<(), DatabaseError> {
        let client = self.pool.get().await?;
        let update = client.prepare_cached("UPDATE events SET told = true WHERE sequence = ANY ($1)").await?;
        let sequences: Vec<i64> = events.iter().map(|pending| pending.sequence).collect();
        client.execute(&update, &[&sequences]).await?;
        Ok(())
    }
}
