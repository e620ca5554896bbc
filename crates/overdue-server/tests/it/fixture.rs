//! A running server, and ways to wait for it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_overdue-server");

/// The folder of this build: `target/debug`.
pub(super) fn target() -> &'static Path {
    Path::new(PROGRAM).parent().unwrap()
}

/// A program that is not installed everywhere. If it is missing, its tests are skipped with a message. If
/// `OVERDUE_CLIENTS` is `required`, as in our checks, they fail.
pub(super) fn foreign(name: &str) -> Option<PathBuf> {
    // Where `.ci/server` puts what it installs.
    let installed = target().parent().unwrap().join("clients/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::iter::once(installed).chain(std::env::split_paths(&path)).map(|place| place.join(name));
    let found = found.into_iter().find(|program| program.is_file());
    if found.is_none() {
        let required = std::env::var("OVERDUE_CLIENTS").is_ok_and(|clients| clients == "required");
        assert!(!required, "{name} is missing: run .ci/server");
        eprintln!("skipped: {name} is not installed (.ci/server does that)");
    }
    found
}

/// A server on its own port, with its own database.
pub(super) struct Server {
    child: Child,
    pub(super) address: String,
    pub(super) dsn: String,
    pub(super) key: String,
    /// What it has printed.
    pub(super) lines: Arc<Mutex<Vec<String>>>,
    directory: Arc<TempDir>,
    options: Vec<String>,
}

impl Server {
    /// Starts a server without a rate limit, unless an option sets one.
    pub(super) fn start(options: &[&str]) -> Self {
        let unlimited: &[_] = if options.contains(&"--rate-limit") { &[] } else { &["--rate-limit", "0"] };
        Self::start_in(Arc::new(TempDir::new().unwrap()), &[unlimited, options].concat())
    }

    /// Starts a server on the database in this directory.
    pub(super) fn start_in(directory: Arc<TempDir>, options: &[&str]) -> Self {
        Self::run(directory, options.iter().map(ToString::to_string).collect(), "127.0.0.1:0")
    }

    fn run(directory: Arc<TempDir>, options: Vec<String>, listen: &str) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--db".as_ref(), directory.path().join("overdue.db").as_os_str()])
            .args(["--listen", listen])
            .args(&options)
            .env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or("warn".into()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut banner = String::new();
        for line in output.by_ref().map_while(Result::ok) {
            banner.push_str(&line);
            banner.push('\n');
            if line.contains("a check-in") {
                break;
            }
        }
        let word = |after: &str| {
            let rest = banner.split(after).nth(1).unwrap_or_else(|| panic!("it did not start:\n{banner}"));
            rest.split_whitespace().next().unwrap().trim_end_matches('/').to_owned()
        };
        let (address, dsn) = (word("status page"), word("DSN"));
        let key = dsn.split("//").nth(1).and_then(|rest| rest.split('@').next()).unwrap().to_owned();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let printed = Arc::clone(&lines);
        thread::spawn(move || {
            for line in output.map_while(Result::ok) {
                printed.lock().unwrap().push(line);
            }
        });
        Self { child, address, dsn, key, lines, directory, options }
    }

    pub(super) fn db(&self) -> PathBuf {
        self.directory.path().join("overdue.db")
    }

    /// Kills it without a warning, and starts it again on the same address and database.
    pub(super) fn crash(mut self) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let listen = self.address.trim_start_matches("http://").to_owned();
        let (directory, options) = (Arc::clone(&self.directory), self.options.clone());
        Self::run(directory, options, &listen)
    }

    /// Asks it to stop, and waits for its end. Returns whether it exited with success.
    pub(super) fn stop(&mut self) -> bool {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        self.child.wait().is_ok_and(|status| status.success())
    }

    /// Asks for JSON.
    pub(super) fn json(&self, path: &str) -> Value {
        let answer = ureq::get(format!("{}{path}", self.address)).call().unwrap().body_mut().read_to_string();
        serde_json::from_str(&answer.unwrap()).unwrap()
    }

    /// The address of a job for curl.
    pub(super) fn ping(&self, slug: &str) -> String {
        format!("{}/api/1/cron/{slug}/{}/", self.address, self.key)
    }

    /// Queries a single number from the database directly.
    pub(super) fn count(&self, sql: &str) -> i64 {
        let connection = rusqlite::Connection::open(self.db()).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a foreign program to its end. Returns its output.
pub(super) fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}:\n{text}", output.status);
    text
}

/// Waits until a condition holds. A server that never gets there fails the test after two minutes.
pub(super) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..2_400 {
        if let Some(seen) = look() {
            return seen;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("in vain: {what}")
}

pub(super) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}
