//! A program that writes rows and decides nothing: it writes the runs and environments of the cluster once
//! more, into tables of the same form, with as many in a transaction as a worker's batch may have.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio_postgres::{Client, NoTls};

use crate::Failure;

const BATCH: usize = 256;

pub(crate) struct Bare {
    url: String,
}

impl Bare {
    /// Makes the tables.
    pub(crate) async fn connect(url: &str) -> Result<Self, Failure> {
        let bare = Self { url: url.to_owned() };
        bare.client()
            .await?
            .batch_execute(
                "CREATE SCHEMA bare;
             CREATE TABLE bare.environments (LIKE public.environments INCLUDING ALL);
             CREATE TABLE bare.runs (LIKE public.runs INCLUDING ALL);
             INSERT INTO bare.environments SELECT * FROM public.environments;",
            )
            .await?;
        Ok(bare)
    }

    async fn client(&self) -> Result<Client, Failure> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// The number of bytes of log that PostgreSQL has written so far.
    pub(crate) async fn written(&self) -> Result<i64, Failure> {
        let select = "SELECT (pg_current_wal_lsn() - '0/0')::bigint";
        Ok(self.client().await?.query_one(select, &[]).await?.try_get(0)?)
    }

    /// The size of rows with their indexes.
    pub(crate) async fn sizes(&self) -> Result<String, Failure> {
        let select = "SELECT format('a run %s bytes, an environment with its monitor %s',
                pg_total_relation_size('runs') / (SELECT count(*) FROM runs),
                (pg_total_relation_size('environments') + pg_total_relation_size('monitors'))
                    / (SELECT count(*) FROM environments))";
        Ok(self.client().await?.query_one(select, &[]).await?.try_get(0)?)
    }

    /// Writes the newest `count` runs, each with its environment. Returns how long it takes.
    pub(crate) async fn write(&self, connections: usize, count: usize) -> Result<Duration, Failure> {
        let client = self.client().await?;
        client.batch_execute("TRUNCATE bare.runs").await?;
        let rows = client
            .query(
                "SELECT runs.id::text, runs.environment::text, runs.started_at, runs.number, runs.row::text,
                     environments.due_at, environments.row::text
                 FROM public.runs JOIN public.environments ON environments.id = runs.environment
                 ORDER BY runs.started_at DESC LIMIT $1",
                &[&i64::try_from(count)?],
            )
            .await?;
        // Each connection has its own environments, as each worker does.
        let mut shares: Vec<Vec<&tokio_postgres::Row>> = vec![Vec::new(); connections];
        for row in &rows {
            let first = row.get::<_, &str>(1).bytes().map(usize::from).sum::<usize>() % connections;
            if let Some(share) = shares.get_mut(first) {
                share.push(row);
            }
        }
        let mut clients = Vec::new();
        for _ in 0..connections {
            clients.push(self.client().await?);
        }
        let started = Instant::now();
        try_join_all(clients.iter().zip(&shares).map(|(client, share)| write(client, share))).await?;
        Ok(started.elapsed())
    }
}

async fn write(client: &Client, rows: &[&tokio_postgres::Row]) -> Result<(), Failure> {
    let runs = client
        .prepare(
            "INSERT INTO bare.runs (id, environment, partition, number, status, started_at, row)
             SELECT id::uuid, environment::uuid, 0, number, 'ok', started_at, row::json
             FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
                 AS new (id, environment, number, started_at, row)",
        )
        .await?;
    let environments = client
        .prepare(
            "UPDATE bare.environments AS old SET version = old.version + 1, due_at = new.due_at, row = new.row::json
             FROM unnest($1::text[], $2::text[], $3::text[]) AS new (id, due_at, row) WHERE old.id = new.id::uuid",
        )
        .await?;
    for batch in rows.chunks(BATCH) {
        let texts = |column: usize| batch.iter().map(|row| row.get(column)).collect::<Vec<&str>>();
        let numbers: Vec<i64> = batch.iter().map(|row| row.get(3)).collect();
        let (begin, first, second, commit) = futures_util::future::join4(
            client.batch_execute("BEGIN"),
            client.execute(&runs, &[&texts(0), &texts(1), &numbers, &texts(2), &texts(4)]),
            client.execute(&environments, &[&texts(1), &texts(5), &texts(6)]),
            client.batch_execute("COMMIT"),
        )
        .await;
        begin?;
        first?;
        second?;
        commit?;
    }
    Ok(())
}
