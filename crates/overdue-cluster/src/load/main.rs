//! Measures how many check-ins a second one, two or four workers decide. Compares it with the limit: a bare
//! program that writes the same rows to the same PostgreSQL. Also measures a tick over a million
//! environments.
//!
//! ```sh
//! cargo build --release -p overdue-cluster
//! target/release/overdue-cluster-load
//! ```
#![expect(clippy::arithmetic_side_effects, reason = "it counts to a million")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod bare;
mod fleet;
mod host;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;

use overdue_cluster::database::Database;
use overdue_cluster::servers::Server;
use overdue_cluster::stream::Stream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures workers under load, next to them a bare program that writes the same rows, and ticks.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// The number of check-ins in each turn.
    #[arg(long, default_value_t = 40_000)]
    checkins: usize,
    /// The number of jobs that check in.
    #[arg(long, default_value_t = 5_000)]
    jobs: usize,
    /// The number of turns for workers and the bare program.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// The number of environments for the ticks.
    #[arg(long, default_value_t = 1_000_000)]
    environments: usize,
    /// The directory for the databases, which are removed at the end: on the disk to be measured.
    #[arg(long, default_value = ".")]
    directory: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let directory = tempfile::Builder::new().prefix("overdue-load-").tempdir_in(&options.directory)?;
    let directory = directory.path().canonicalize()?;
    let servers = Servers::start(&directory)?;
    servers.role(&["migrate", "--partitions", "16"])?.wait()?;
    let stream = Stream::open(&servers.nats_url()).await?;
    let database = Database::new(&servers.postgres_url(), stream.partitions(), 16)?;
    throughput(&options, &servers, &stream).await?;
    ticks(&options, &stream, &database).await
}

/// Workers and bare writers take turns, because the speed of a disk varies.
async fn throughput(options: &Options, servers: &Servers, stream: &Stream) -> Result<(), Failure> {
    let mut fleet = fleet::Fleet::new(options.jobs);
    stream.import(&fleet.first_checkins()).await?;
    servers.drain(stream, 4).await?;
    let bare = bare::Bare::connect(&servers.postgres_url()).await?;
    let before = bare.written().await?;
    stream.import(&fleet.checkins(options.checkins)).await?;
    servers.drain(stream, 1).await?;
    println!("{} check-ins of {} jobs", options.checkins, options.jobs);
    println!(
        "{} bytes of log for each; {}",
        (bare.written().await? - before) / options.checkins as i64,
        bare.sizes().await?
    );
    println!("check-ins a second:\nworkers   cluster      bare");
    for round in 0..options.rounds {
        for workers in [1, 2, 4] {
            stream.import(&fleet.checkins(options.checkins)).await?;
            let elapsed = servers.drain(stream, workers).await?;
            let written = bare.write(workers, options.checkins).await?;
            let rate = |elapsed: Duration| options.checkins as f64 / elapsed.as_secs_f64();
            println!("{workers:>7} {:>9.0} {:>9.0}   (round {})", rate(elapsed), rate(written), round + 1);
        }
    }
    Ok(())
}

/// Ticks over many environments: first nothing is due, then the runs of a thousand jobs are missed.
async fn ticks(options: &Options, stream: &Stream, database: &Database) -> Result<(), Failure> {
    let due = 1_000;
    let processors = host::processors(database, stream).await?;
    let lease = processors.first().ok_or("there is no partition")?.lease;
    let (quiet, busy) = fleet::furnish(database, lease, options.environments, due).await?;
    for (what, tick) in [("nothing", quiet), ("nothing", quiet), ("1000 environments", busy)] {
        let started = Instant::now();
        let mut events = 0;
        for processor in &processors {
            events += processor.tick(tick).await?;
        }
        let elapsed = started.elapsed().as_secs_f64() * 1000.0;
        println!(
            "tick over {} environments, {what} due: {elapsed:.1} ms, {events} events",
            options.environments
        );
    }
    Ok(())
}

/// The servers of one measurement.
struct Servers {
    postgres: Server,
    nats: Server,
}

impl Servers {
    fn start(directory: &std::path::Path) -> Result<Self, Failure> {
        let postgres = Server::postgres(directory, &["shared_buffers=1GB", "max_wal_size=8GB"])?;
        Ok(Self { postgres, nats: Server::nats(directory)? })
    }

    fn postgres_url(&self) -> String {
        format!("postgres://overdue@127.0.0.1:{}/postgres", self.postgres.port())
    }

    fn nats_url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.nats.port())
    }

    /// The cluster's program beside this one.
    fn role(&self, arguments: &[&str]) -> Result<Child, Failure> {
        let mut command = Command::new(std::env::current_exe()?.with_file_name("overdue-cluster"));
        command.args(arguments).args(["--nats", &self.nats_url(), "--postgres", &self.postgres_url()]);
        Ok(command.env("RUST_LOG", "error").stdin(Stdio::null()).spawn()?)
    }

    /// Starts workers on what is in the stream. Returns the time from the first message to the last.
    async fn drain(&self, stream: &Stream, workers: usize) -> Result<Duration, Failure> {
        let waiting = stream.backlog().await?;
        let roles: Vec<Child> = (0..workers).map(|_| self.role(&["worker"])).collect::<Result<_, _>>()?;
        while stream.backlog().await? == waiting {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let started = Instant::now();
        while stream.backlog().await? > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let elapsed = started.elapsed();
        for mut role in roles {
            overdue_cluster::servers::signal("TERM", &role.id().to_string())?;
            role.wait()?;
        }
        Ok(elapsed)
    }
}
