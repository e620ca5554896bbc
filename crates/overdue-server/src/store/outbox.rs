//! The outbox: events that are not delivered yet.

use overdue::Event;
use rusqlite::{Connection, params};

use super::{SqliteStore, StoreError};

/// An event that is not delivered to a destination yet.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its position in the log of events.
    pub sequence: i64,
    /// Its environment, which sets the order: only the first event of each environment is pending.
    pub environment: uuid::Uuid,
    pub event: Event,
}

impl SqliteStore {
    /// Sets the destinations of events from now on. Events for a destination that is no longer named are kept
    /// until it is named again. Returns their number.
    pub fn set_destinations<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<u64, StoreError> {
        let mut connection = self.connection();
        let savepoint = connection.savepoint()?;
        savepoint.execute("DELETE FROM destinations", [])?;
        for name in names {
            savepoint.execute("INSERT INTO destinations (name) VALUES (?) ON CONFLICT DO NOTHING", [name])?;
        }
        let orphans = "SELECT count(*) FROM outbox WHERE destination NOT IN (SELECT name FROM destinations)";
        let orphans = savepoint.query_row(orphans, [], |row| row.get(0))?;
        savepoint.commit()?;
        Ok(orphans)
    }

    /// Returns what may be sent to a destination now, oldest first: the first event of each environment.
    pub fn pending(&self, destination: &str) -> Result<Vec<Pending>, StoreError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(
            "SELECT sequence, environment, event
             FROM (SELECT min(sequence) AS first FROM outbox WHERE destination = ? GROUP BY environment)
             JOIN events ON events.sequence = first ORDER BY sequence",
        )?;
        let mut rows = select.query([destination])?;
        let mut pending = Vec::new();
        while let Some(row) = rows.next()? {
            let event: String = row.get(2)?;
            pending.push(Pending {
                sequence: row.get(0)?,
                environment: row.get(1)?,
                event: serde_json::from_str(&event)?,
            });
        }
        Ok(pending)
    }

    /// Records that a destination has accepted an event.
    pub fn delivered(&self, destination: &str, pending: &Pending) -> Result<(), StoreError> {
        let delete = "DELETE FROM outbox WHERE destination = ? AND environment = ? AND sequence = ?";
        let Pending { sequence, environment, .. } = pending;
        self.connection().prepare_cached(delete)?.execute(params![destination, environment, sequence])?;
        Ok(())
    }

    /// The number of undelivered events, by destination.
    pub fn backlog(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let connection: &Connection = &self.connection();
        let mut select = connection.prepare_cached(
            "SELECT name, (SELECT count(*) FROM outbox WHERE destination = name) FROM destinations",
        )?;
        let backlog = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(backlog.collect::<Result<_, _>>()?)
    }
}
