//! A cluster on this machine: its servers, and its roles as processes.

use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

use overdue_cluster::servers::{self, Server};
use overdue_cluster::stream::Stream;

/// Runs the asynchronous parts.
pub(super) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// The program under test.
pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_overdue-cluster");

/// Whether PostgreSQL and NATS are installed. If not, these tests are skipped with a message. If
/// `OVERDUE_CLUSTER` is `required`, as in our checks, they fail.
pub(super) fn installed() -> bool {
    let programs = ["initdb", "postgres", "nats-server"];
    let missing: Vec<_> = programs.into_iter().filter(|name| servers::program(name).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    let required = std::env::var("OVERDUE_CLUSTER").is_ok_and(|cluster| cluster == "required");
    assert!(!required, "missing: {missing:?}; run .ci/cluster");
    eprintln!("skipped: not installed are {missing:?} (.ci/cluster does that)");
    false
}

/// Servers, with a stream and tables in them, but no worker yet.
pub(super) struct Cluster {
    pub(super) postgres: Server,
    pub(super) nats: Server,
    /// How workers reach PostgreSQL and NATS.
    pub(super) wires: [Wire; 2],
    directory: TempDir,
}

impl Cluster {
    pub(super) fn create(partitions: u32) -> Self {
        let directory = TempDir::with_prefix("overdue-").unwrap();
        let postgres = Server::postgres(directory.path(), &[]).unwrap();
        let nats = Server::nats(directory.path()).unwrap();
        let wires = [&postgres, &nats].map(|server| Wire::to(server.port()));
        let cluster = Self { postgres, nats, wires, directory };
        RUNTIME.block_on(connect(&url(cluster.postgres.port())));
        let mut migrate = cluster.start(&["migrate", "--partitions", &partitions.to_string()], Of::Both);
        assert!(migrate.0.wait().unwrap().success(), "it cannot be made in {:?}", cluster.directory);
        cluster
    }

    /// Starts a worker whose leases last `lease` seconds.
    pub(super) fn worker(&self, lease: u32) -> Process {
        self.start(&["worker", "--lease", &lease.to_string()], Of::Both)
    }

    /// Starts an ingest process. Returns it with the address of a job there.
    pub(super) fn ingest(&self) -> (Process, String) {
        let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let arguments = ["ingest", "--listen", &listen, "--key", "alohomora"];
        let process = self.start(&arguments, Of::Nats);
        (process, format!("http://{listen}/api/1/cron"))
    }

    fn start(&self, arguments: &[&str], of: Of) -> Process {
        let mut command = Command::new(PROGRAM);
        command.args(arguments);
        match of {
            Of::Nats => command.args(["--nats", &self.nats_url()]),
            Of::Both => {
                let [postgres, nats] = &self.wires;
                let nats = format!("nats://127.0.0.1:{}", nats.port);
                command.args(["--nats", &nats, "--postgres", &url(postgres.port)])
            }
        };
        command.env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or("error".into())).stdin(Stdio::null());
        Process(command.spawn().unwrap())
    }

    pub(super) fn nats_url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.nats.port())
    }

    pub(super) fn stream(&self) -> Stream {
        eventually("the stream answers", || RUNTIME.block_on(Stream::open(&self.nats_url())).ok())
    }

    /// Waits until every message is processed, and every event published.
    pub(super) fn settle(&self) {
        let stream = self.stream();
        eventually("all is done", || {
            let left = RUNTIME.block_on(stream.backlog()).ok()?;
            (left == 0 && self.number("SELECT count(*) FROM events WHERE NOT told") == 0).then_some(())
        });
    }

    /// Queries the database directly: texts in the first column.
    pub(super) fn texts(&self, sql: &str) -> Vec<String> {
        RUNTIME.block_on(async {
            let client = connect(&url(self.postgres.port())).await;
            client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
        })
    }

    pub(super) fn number(&self, sql: &str) -> i64 {
        number(&self.postgres, sql)
    }
}

/// Queries a single number from a database.
pub(super) fn number(server: &Server, sql: &str) -> i64 {
    RUNTIME.block_on(async {
        let client = connect(&url(server.port())).await;
        client.query_one(sql, &[]).await.unwrap().get(0)
    })
}

/// Connections to a server that can be cut. The server notices late; what it sends meanwhile is lost.
pub(super) struct Wire {
    port: u16,
    cut: broadcast::Sender<()>,
}

impl Wire {
    fn to(server: u16) -> Self {
        let listener = RUNTIME.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = broadcast::Sender::new(1);
        let cuts = cut.clone();
        RUNTIME.spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut cut = cuts.subscribe();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
                        _ = cut.recv() => {}
                    }
                    let mut nowhere = tokio::io::sink();
                    let lost = tokio::io::copy(&mut far, &mut nowhere);
                    let _ = tokio::time::timeout(Duration::from_millis(200), lost).await;
                });
            }
        });
        Self { port, cut }
    }

    pub(super) fn cut(&self) {
        let _ = self.cut.send(());
    }
}

/// The servers that a role uses.
#[derive(Clone, Copy, Debug)]
enum Of {
    Nats,
    Both,
}

/// A role, killed when it is dropped.
pub(super) struct Process(pub(super) Child);

impl Process {
    /// Sends it a signal, to pause or resume it.
    pub(super) fn signal(&self, name: &str) {
        servers::signal(name, &self.0.id().to_string()).unwrap();
    }

    /// Asks it to stop, and waits for its end. Returns whether it exited with success.
    pub(super) fn stop(mut self) -> bool {
        self.signal("TERM");
        self.0.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the URL of the database on the server at a port.
pub(super) fn url(port: u16) -> String {
    format!("postgres://overdue@127.0.0.1:{port}/postgres")
}

/// Connects, as soon as the server accepts connections.
pub(super) async fn connect(url: &str) -> tokio_postgres::Client {
    for _ in 0..600 {
        if let Ok((client, connection)) = tokio_postgres::connect(url, tokio_postgres::NoTls).await {
            tokio::spawn(connection);
            return client;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the database does not answer");
}

/// Waits until a condition holds. A cluster that never gets there fails the test after two minutes.
pub(super) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1_200 {
        if let Some(seen) = look() {
            return seen;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("in vain: {what}")
}
