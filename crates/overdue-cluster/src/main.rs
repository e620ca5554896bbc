//! A check-in server on many machines: NATS JetStream in front, PostgreSQL behind, any number of identical
//! workers.
//!
//! ```sh
//! cargo run --release -p overdue-cluster -- up
//! ```
//!
//! Where to find what: `ingest` takes check-ins and puts them into the `stream`. A `worker` holds a share of
//! the partitions and has a `processor` for each, which decides `task`s in `wave`s. Only `database` knows
//! SQL. `clock` sends pulses. `README.md` beside this file says more.
#![expect(clippy::arithmetic_side_effects, reason = "it counts what fits into memory")]

mod clock;
mod ingest;
mod options;
mod up;
mod worker;

use std::io::{IsTerminal, Write, stderr, stdout};

use async_nats::jetstream::consumer::DeliverPolicy;
use clap::Parser;
use futures_util::StreamExt;
use overdue::id::{MonitorKey, ProjectId};
use overdue_cluster::{database, partition, processor, servers, stream};
use overdue_protocol::{line, time};
use tokio::net::TcpListener;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::database::Database;
use crate::line::Line;
use crate::options::{Ingest, Migrate, Options, Role, Show, Work};
use crate::partition::Partitions;
use crate::stream::Stream;

/// Why a role did not start, or stopped.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    start_log();
    match options.role {
        Role::Up(options) => up::run(&options).await,
        Role::Migrate(options) => migrate(&options).await,
        Role::Ingest(options) => ingest(&options).await,
        Role::Worker(options) => work(&options).await,
        Role::Show(options) => show(&options).await,
        Role::Listen(options) => {
            let from = if options.all { DeliverPolicy::All } else { DeliverPolicy::New };
            listen(&Stream::open(&options.nats.url).await?, from).await
        }
    }
}

/// Logs to standard error what `RUST_LOG` asks for: a level, or `target=level` pairs separated by commas.
fn start_log() {
    let asked = std::env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    let targets = asked.unwrap_or_else(|| {
        Targets::new().with_default(LevelFilter::INFO).with_target("async_nats", LevelFilter::WARN)
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal());
    tracing_subscriber::registry().with(lines).with(targets).init();
}

async fn migrate(options: &Migrate) -> Result<(), Failure> {
    Stream::create(&options.nats.url, Partitions::new(options.partitions), options.replicas).await?;
    // If the stream exists already, its own settings apply.
    let stream = Stream::open(&options.nats.url).await?;
    let database = Database::new(&options.postgres.url, stream.partitions(), 1)?;
    database.migrate(stream.name()).await?;
    Ok(database.check(stream.name()).await?)
}

async fn ingest(options: &Ingest) -> Result<(), Failure> {
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    let stream = Stream::open(&options.nats.url).await?;
    tracing::info!(address = %listener.local_addr()?, partitions = stream.partitions().count(), "takes check-ins");
    ingest::run(listener, stream, &options.key, overdue_protocol::stop()).await;
    Ok(())
}

async fn work(options: &Work) -> Result<(), Failure> {
    let stream = Stream::open(&options.nats.url).await?;
    let database = Database::new(&options.postgres.url, stream.partitions(), options.connections())?;
    database.check(stream.name()).await?;
    worker::run(database, stream, options.lease(), options.retention(), overdue_protocol::stop()).await;
    Ok(())
}

/// Prints a monitor with all that belongs to it.
async fn show(options: &Show) -> Result<(), Failure> {
    let database = Database::new(&options.postgres.url, Partitions::default(), 1)?;
    let key = MonitorKey { project: ProjectId::new(options.project), slug: options.slug.parse()? };
    let Some(shown) = database.monitor(&key).await? else {
        return Err(format!("there is no monitor {key}").into());
    };
    let shown = serde_json::json!({
        "monitor": shown.monitor,
        "environments": shown.environments,
        "open_runs": shown.open_runs,
    });
    Ok(writeln!(stdout(), "{shown:#}")?)
}

/// Prints events, one per line, while there is a stream.
async fn listen(stream: &Stream, from: DeliverPolicy) -> Result<(), Failure> {
    let mut events = stream.listen(from).await?;
    while let Some(event) = events.next().await {
        writeln!(stdout(), "{}", Line(&event?))?;
    }
    Ok(())
}
