//! The options on the command line.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use clap::{Args, Parser, Subcommand};

use overdue_protocol::Key;

/// A check-in server on many machines: check-ins go through a partitioned stream of NATS JetStream, any
/// number of workers decides, and the state is in PostgreSQL.
///
/// The log goes to standard error. The variable `RUST_LOG` sets its level: debug, info, warn or error.
#[derive(Clone, Debug, Parser)]
#[command(name = "cluster", max_term_width = 100)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) role: Role,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Role {
    /// Starts everything on this machine, in a scratch folder: PostgreSQL, NATS, one ingest process and two
    /// workers. Ctrl-C stops it and leaves nothing behind.
    Up(Up),
    /// Creates the stream and the tables, once, before anything else runs.
    Migrate(Migrate),
    /// Takes check-ins from clients and puts them into the stream.
    Ingest(Ingest),
    /// Decides what is in the stream, and keeps the state.
    Worker(Work),
    /// Prints a monitor as JSON, with its environments and open runs.
    Show(Show),
    /// Prints incidents as they happen.
    Listen(Listen),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Nats {
    /// The servers of NATS.
    #[arg(
        id = "nats",
        long = "nats",
        value_name = "URL",
        env = "OVERDUE_NATS",
        default_value = "nats://127.0.0.1:4222"
    )]
    pub(crate) url: String,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Postgres {
    /// The database, as for psql.
    #[arg(
        id = "postgres",
        long = "postgres",
        value_name = "URL",
        env = "OVERDUE_POSTGRES",
        default_value = "postgres://overdue@127.0.0.1/overdue"
    )]
    pub(crate) url: String,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Up {
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// The number of workers to start.
    #[arg(long, value_name = "NUMBER", default_value = "2")]
    pub(crate) workers: u32,
    /// The directory for the scratch folder.
    #[arg(long, value_name = "PATH")]
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    pub(crate) nats: Nats,
    #[command(flatten)]
    pub(crate) postgres: Postgres,
    /// The number of partitions for check-ins: the most workers that can ever share the work. It cannot
    /// change after the first time.
    #[arg(long, value_name = "NUMBER", default_value = "64")]
    pub(crate) partitions: NonZeroU32,
    /// The number of NATS servers that keep each message: 3 in a cluster of three or more.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub(crate) replicas: usize,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Ingest {
    #[command(flatten)]
    pub(crate) nats: Nats,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// The key that check-ins must carry: 8 to 64 letters and digits, the same at every ingest process.
    #[arg(long, value_name = "KEY", env = "OVERDUE_KEY", value_parser = Key::parse)]
    pub(crate) key: String,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Work {
    #[command(flatten)]
    pub(crate) nats: Nats,
    #[command(flatten)]
    pub(crate) postgres: Postgres,
    /// How long a silent worker keeps its partitions, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=3600))]
    lease: u32,
    /// How long finished runs, resolved incidents and events are kept, in days.
    #[arg(long, value_name = "DAYS", default_value = "90", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    retention: u32,
    /// The most connections to the database.
    #[arg(long, value_name = "NUMBER", default_value = "8", value_parser = clap::value_parser!(u32).range(2..=1000))]
    connections: u32,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) postgres: Postgres,
    pub(crate) project: u64,
    pub(crate) slug: String,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Listen {
    #[command(flatten)]
    pub(crate) nats: Nats,
    /// Starts with the incidents of the last seven days.
    #[arg(long)]
    pub(crate) all: bool,
}

impl Work {
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_secs(self.lease.into())
    }

    pub(crate) fn retention(&self) -> TimeDelta {
        TimeDelta::try_days(self.retention.into()).unwrap_or(TimeDelta::MAX)
    }

    pub(crate) const fn connections(&self) -> usize {
        self.connections as usize
    }
}
