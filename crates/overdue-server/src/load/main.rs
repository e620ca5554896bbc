//! Measures how many check-ins a second the server takes, if each is answered only once it is on the disk.
//! Compares it with the limit: a bare program that writes the same rows to SQLite with the same durability.
//!
//! ```sh
//! cargo build --release -p overdue-server
//! target/release/overdue-server-load --connections 64
//! ```
#![expect(clippy::arithmetic_side_effects, reason = "it counts to a million")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod bare;
mod client;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

use bare::Bare;
use client::Client;

type Failure = Box<dyn Error + Send + Sync>;

/// Measures the server under load, and next to it a bare program that writes the same rows.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// The number of clients. Each waits for its answer before it sends more.
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// The number of turns for the server and the bare program, and the seconds that a turn lasts.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// The number of jobs that check in.
    #[arg(long, default_value_t = 1000)]
    jobs: u32,
    /// The directory for the databases, which are removed at the end: on the disk to be measured.
    #[arg(long, default_value = ".")]
    directory: PathBuf,
}

fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let directory = tempfile::Builder::new().prefix("overdue-load").tempdir_in(&options.directory)?;
    let db = directory.path().join("overdue.db");
    let server = Server::start(&db)?;
    // First create the jobs, so that only check-ins are measured.
    let mut client = Client::connect(&server.host)?;
    for job in 0..options.jobs {
        client.send(&format!("{}job-{job}/{}/?schedule=every+hour", server.path, server.key))?;
    }
    let mut grouped = Bare::create(&directory.path().join("grouped.db"), &db)?;
    let mut single = Bare::create(&directory.path().join("single.db"), &db)?;

    // In turns, because the speed of a disk varies.
    println!("{} clients, {} jobs; check-ins a second:", options.connections, options.jobs);
    println!("      server   group   bare, in such groups   bare, one by one      p50      p99");
    let turn = Duration::from_secs(options.seconds);
    let (mut all, mut latencies) = ([Tally::default(); 3], Vec::new());
    for round in 0..options.rounds {
        let before = server.commits(&mut client)?;
        let (mut of_round, elapsed) = load(&options, &server, round)?;
        let served = Tally { count: of_round.len(), elapsed };
        let group = (served.count as f64 / (server.commits(&mut client)? - before)).max(1.0);
        let rows = bare::newest(&db, served.count)?;
        let tallies = [
            served,
            Tally::from(grouped.write(&rows, group.round() as usize, turn)?),
            Tally::from(single.write(&rows, 1, turn)?),
        ];
        of_round.sort_unstable();
        print(&tallies, group, &of_round);
        latencies.extend(of_round);
        for (all, tally) in all.iter_mut().zip(tallies) {
            *all = all.and(tally);
        }
    }
    latencies.sort_unstable();
    let [served, grouped, single] = all.map(Tally::rate);
    println!(
        "in all{served:>8.0} {:>30.0} {single:>18.0} {:>6.1} ms {:>5.1} ms",
        grouped,
        percentile(&latencies, 50),
        percentile(&latencies, 99)
    );
    println!(
        "the server does {:.0} % of a bare program that groups as it does, and {:.0} % of one that does not",
        100.0 * served / grouped,
        100.0 * served / single
    );
    Ok(())
}

/// A count, and the time that it took.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: usize,
    elapsed: Duration,
}

impl Tally {
    fn rate(self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }

    fn and(self, other: Self) -> Self {
        Self { count: self.count + other.count, elapsed: self.elapsed + other.elapsed }
    }
}

impl From<(usize, Duration)> for Tally {
    fn from((count, elapsed): (usize, Duration)) -> Self {
        Self { count, elapsed }
    }
}

fn print([served, grouped, single]: &[Tally; 3], group: f64, latencies: &[Duration]) {
    println!(
        "{:>14.0} {group:>7.1} {:>22.0} {:>18.0} {:>6.1} ms {:>5.1} ms",
        served.rate(),
        grouped.rate(),
        single.rate(),
        percentile(latencies, 50),
        percentile(latencies, 99)
    );
}

/// A percentile of sorted latencies, in milliseconds.
fn percentile(latencies: &[Duration], percent: usize) -> f64 {
    let index = latencies.len().saturating_sub(1) * percent / 100;
    latencies.get(index).map_or(0.0, Duration::as_secs_f64) * 1e3
}

/// Sends check-ins for a while. Returns the latency of each.
fn load(options: &Options, server: &Server, round: u32) -> Result<(Vec<Duration>, Duration), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let begin = Instant::now();
    let clients: Vec<_> = (0..options.connections)
        .map(|number| {
            let (stop, host) = (Arc::clone(&stop), server.host.clone());
            let (prefix, suffix) =
                (format!("{}job-", server.path), format!("/{}/?status=ok&check_in_id=", server.key));
            let jobs = options.jobs;
            thread::spawn(move || -> Result<Vec<Duration>, Failure> {
                let mut client = Client::connect(&host)?;
                let mut latencies = Vec::new();
                for nth in 0_u32.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let job = (u64::from(nth) * 7_919 + u64::from(number) * 104_729) % u64::from(jobs);
                    // Ids are unique, and as random as those of clients.
                    let id = [round, number, nth].into_iter().fold(1, |id, part| {
                        (id << 32 | u128::from(part))
                            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128)
                    });
                    let sent = Instant::now();
                    client.send(&format!("{prefix}{job}{suffix}{id:032x}"))?;
                    latencies.push(sent.elapsed());
                }
                Ok(latencies)
            })
        })
        .collect();
    thread::sleep(Duration::from_secs(options.seconds));
    stop.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.join().map_err(|_| "a client panicked")??);
    }
    let elapsed = begin.elapsed();
    if latencies.is_empty() {
        return Err("no check-in was answered".into());
    }
    Ok((latencies, elapsed))
}

/// The server, as a process of its own.
struct Server {
    child: Child,
    host: String,
    path: &'static str,
    key: String,
}

impl Server {
    fn start(db: &Path) -> Result<Self, Failure> {
        let program = std::env::current_exe()?.with_file_name("overdue-server");
        let key = "loadloadload";
        let mut child = Command::new(&program)
            .args(["--listen", "127.0.0.1:0", "--rate-limit", "0", "--key", key, "--db"])
            .arg(db)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}; build it first", program.display()))?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(output).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.trim_start()
                .strip_prefix("status page")
                .map(|address| address.trim().trim_end_matches('/').to_owned())
        });
        let host = address.ok_or("the server did not start")?.replace("http://", "");
        thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, host, path: "/api/1/cron/", key: key.to_owned() })
    }

    /// The number of transactions so far.
    fn commits(&self, client: &mut Client) -> Result<f64, Failure> {
        let metrics = client.send("/metrics")?;
        let count = metrics.lines().find_map(|line| line.strip_prefix("overdue_commit_requests_count "));
        Ok(count.ok_or("there is no such metric")?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
