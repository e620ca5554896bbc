//! A bare program: no server, no rules, no reading. It writes the server's rows as fast as SQLite takes them.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::Failure;

/// One check-in: its run, and the row of its environment as the server left it.
pub(super) struct Row {
    id: Vec<u8>,
    environment: Vec<u8>,
    number: i64,
    status: String,
    started_at: String,
    run: String,
    version: i64,
    due_at: Option<String>,
    document: String,
}

/// A database with the server's environments, but without its runs.
pub(super) struct Bare {
    connection: Connection,
}

impl Bare {
    pub(super) fn create(db: &Path, server: &Path) -> Result<Self, Failure> {
        let connection = Connection::open(db)?;
        connection.execute_batch(include_str!("../store/durable.sql"))?;
        connection.execute_batch(include_str!("../store/schema.sql"))?;
        connection.execute("ATTACH ? AS server", [server.to_string_lossy()])?;
        connection.execute_batch(
            "INSERT INTO environments SELECT * FROM server.environments; DETACH server;
             PRAGMA wal_checkpoint(truncate);",
        )?;
        Ok(Self { connection })
    }

    /// Writes rows, `group` per transaction, until `limit` is over. Returns how many it wrote, and how long
    /// it took.
    pub(super) fn write(
        &mut self,
        rows: &[Row],
        group: usize,
        limit: Duration,
    ) -> Result<(usize, Duration), Failure> {
        let begin = Instant::now();
        let mut count = 0;
        for group in rows.chunks(group.max(1)) {
            if begin.elapsed() > limit {
                break;
            }
            let transaction = self.connection.transaction()?;
            for row in group {
                let insert = "INSERT INTO runs (id, environment, number, status, started_at, row) VALUES (?, ?, ?, ?, ?, ?)";
                transaction.prepare_cached(insert)?.execute(params![
                    row.id,
                    row.environment,
                    row.number,
                    row.status,
                    row.started_at,
                    row.run
                ])?;
                let update = "UPDATE environments SET version = ?, due_at = ?, row = ? WHERE id = ?";
                transaction.prepare_cached(update)?.execute(params![
                    row.version,
                    row.due_at,
                    row.document,
                    row.environment
                ])?;
            }
            transaction.commit()?;
            count += group.len();
        }
        Ok((count, begin.elapsed()))
    }
}

/// The rows that the newest check-ins left in the server's database, in order.
pub(super) fn newest(server: &Path, count: usize) -> Result<Vec<Row>, Failure> {
    let connection = Connection::open(server)?;
    let mut select = connection.prepare(
        "SELECT runs.id, environment, number, status, started_at, runs.row, version, environments.due_at, environments.row
         FROM runs JOIN environments ON environments.id = environment ORDER BY runs.rowid DESC LIMIT ?",
    )?;
    let rows = select.query_map([i64::try_from(count)?], |row| {
        Ok(Row {
            id: row.get(0)?,
            environment: row.get(1)?,
            number: row.get(2)?,
            status: row.get(3)?,
            started_at: row.get(4)?,
            run: row.get(5)?,
            version: row.get(6)?,
            due_at: row.get(7)?,
            document: row.get(8)?,
        })
    })?;
    let mut rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
    rows.reverse();
    Ok(rows)
}
