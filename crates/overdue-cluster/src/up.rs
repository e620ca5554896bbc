//! Everything on one machine, to try it out.

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use async_nats::jetstream::consumer::DeliverPolicy;
use overdue_protocol::Key;

use crate::options::Up;
use crate::servers::{self, Server};
use crate::stream::Stream;
use crate::{Failure, listen};

/// Enough partitions to show how workers share them.
const PARTITIONS: &str = "16";

/// A role as a process of its own.
struct Process(Child);

impl Process {
    fn start(arguments: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        // Ctrl-C must reach only this process, which stops things in order.
        command.args(arguments).stdin(Stdio::null()).process_group(0);
        Ok(Self(command.spawn()?))
    }

    /// Asks the process to stop, and waits for its end.
    fn stop(mut self) -> Result<(), Failure> {
        servers::signal("TERM", &self.0.id().to_string())?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Normally the process has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts everything, prints addresses and events, and stops everything on Ctrl-C.
pub(crate) async fn run(options: &Up) -> Result<(), Failure> {
    let mut folder = tempfile::Builder::new();
    let folder = folder.prefix("overdue-cluster-");
    let directory = match &options.directory {
        Some(directory) => folder.tempdir_in(directory),
        None => folder.tempdir(),
    }?;
    println_("starting PostgreSQL and NATS ...")?;
    let postgres = Server::postgres(directory.path(), &[])?;
    let nats = Server::nats(directory.path())?;
    let (postgres_url, nats_url) = (
        format!("postgres://overdue@127.0.0.1:{}/postgres", postgres.port()),
        format!("nats://127.0.0.1:{}", nats.port()),
    );
    let servers = ["--nats", &nats_url, "--postgres", &postgres_url];
    let mut migrate = vec!["migrate", "--partitions", PARTITIONS];
    migrate.extend(servers);
    if !Process::start(&migrate)?.0.wait()?.success() {
        return Err("the tables could not be made".into());
    }
    // A port that is chosen here can be printed.
    let address = match options.listen.port() {
        0 => SocketAddr::new(options.listen.ip(), servers::free_port()?),
        _ => options.listen,
    };
    let key = Key::random()?;
    let mut workers = Vec::new();
    for _ in 0..options.workers {
        workers.push(Process::start(&[&["worker"][..], &servers].concat())?);
    }
    let listen_on = address.to_string();
    let ingest = ["ingest", "--nats", &nats_url, "--listen", &listen_on, "--key", &key];
    let ingest = Process::start(&ingest)?;
    let dsn = Key::new(&key).dsn(&format!("http://{address}"), 1);
    println_(&format!(
        "\noverdue runs in {folder}\n\n  \
         DSN           {dsn}\n  \
         a check-in    curl -fsS 'http://{address}/api/1/cron/my-first-job/{key}/?schedule=every+hour'\n  \
         its state     {program} show --postgres {postgres_url} 1 my-first-job\n  \
         PostgreSQL    {postgres_url}\n  \
         NATS          {nats_url}\n\n\
         Incidents are printed as they come; Ctrl-C stops everything and removes the folder.\n",
        folder = directory.path().display(),
        program = std::env::current_exe()?.display(),
    ))?;
    let stream = Stream::open(&nats_url).await?;
    tokio::select! {
        () = overdue_protocol::stop() => {}
        ended = listen(&stream, DeliverPolicy::All) => ended?,
    }
    ingest.stop()?;
    for worker in workers {
        worker.stop()?;
    }
    Ok(())
}

fn println_(text: &str) -> std::io::Result<()> {
    writeln!(stdout(), "{text}")
}
