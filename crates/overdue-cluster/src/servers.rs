//! Temporary servers of PostgreSQL and NATS on this machine: in their own folder, on free ports of the
//! loopback.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A server, killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    command: Command,
    child: Child,
    port: u16,
    /// Kills the server when this process ends, however it ends: it waits on a pipe that is never written to.
    guard: Child,
}

/// Finds a program, if it is installed.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps PostgreSQL outside the path, and NATS where only root has it in the path.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    let places = std::env::split_paths(&path).chain(versions.into_iter().rev()).chain(["/usr/sbin".into()]);
    places.map(|place| place.join(name)).find(|program| program.is_file())
}

fn installed(name: &str, package: &str) -> io::Result<PathBuf> {
    let missing =
        || io::Error::other(format!("{name} is not installed (on Debian, the package {package} has it)"));
    program(name).ok_or_else(missing)
}

impl Server {
    /// Starts a database server, with an empty database `overdue` that needs no password. `settings` are
    /// added to the usual ones, as in `fsync=on`.
    pub fn postgres(directory: &Path, settings: &[&str]) -> io::Result<Self> {
        let data = directory.join("postgres");
        let (initdb, postgres) = (installed("initdb", "postgresql")?, installed("postgres", "postgresql")?);
        fs::create_dir(&data)?;
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700))?;
        let unprivileged = unprivileged(&data)?;
        let mut make = Command::new(initdb);
        make.args(["--username=overdue", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        make.arg(&data).stdin(Stdio::null()).stdout(Stdio::null());
        unprivileged.apply(&mut make);
        if !make.current_dir(&data).status()?.success() {
            let reason =
                "initdb failed; started by root, it runs as another user, who must be able to get to";
            return Err(io::Error::other(format!("{reason} {}", directory.display())));
        }
        let port = free_port()?;
        let mut command = Command::new(postgres);
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "unix_socket_directories=", "-c", "log_min_messages=fatal"]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        unprivileged.apply(&mut command);
        command.current_dir(&data);
        Self::start(command, port)
    }

    /// Starts a NATS server with JetStream.
    pub fn nats(directory: &Path) -> io::Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(installed("nats-server", "nats-server")?);
        command.args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"]);
        command.arg(directory.join("nats")).args(["--log".as_ref(), directory.join("nats.log").as_os_str()]);
        Self::start(command, port)
    }

    fn start(mut command: Command, port: u16) -> io::Result<Self> {
        // A process group of its own: Ctrl-C must reach only our parent, which stops everything in order.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let child = command.spawn()?;
        let mut server = Self { guard: guard(child.id())?, command, child, port };
        server.wait()?;
        Ok(server)
    }

    /// Waits until the server answers.
    fn wait(&mut self) -> io::Result<()> {
        for _ in 0..1_200 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                let program = self.command.get_program().to_owned();
                return Err(io::Error::other(format!("{} ended with {status}", program.display())));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(io::Error::other("a server did not start within a minute"))
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Kills it without a warning.
    pub fn kill(&mut self) -> io::Result<()> {
        // A killed postmaster leaves its children running for a moment, and they would disturb a restart.
        signal("KILL", &format!("-{}", self.child.id()))?;
        self.child.wait().map(drop)
    }

    /// Starts it again, on the same port and data.
    #[allow(dead_code, reason = "tests do it")]
    pub fn restart(&mut self) -> io::Result<()> {
        self.child = self.command.spawn()?;
        self.guard = guard(self.child.id())?;
        self.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.kill();
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

fn guard(group: u32) -> io::Result<Child> {
    let mut guard = Command::new("sh");
    guard.args(["-c", "read -r _; kill -s KILL -- -$0", &group.to_string()]);
    guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn()
}

/// Sends a signal to a process or, with a minus before it, to a group.
pub fn signal(name: &str, process: &str) -> io::Result<()> {
    let arguments = [OsStr::new("-s"), OsStr::new(name), OsStr::new("--"), OsStr::new(process)];
    Command::new("kill").args(arguments).stderr(Stdio::null()).status().map(drop)
}

/// The user that runs PostgreSQL, if not ours: PostgreSQL refuses to run as root.
#[derive(Clone, Copy, Debug)]
struct Unprivileged(Option<(u32, u32)>);

impl Unprivileged {
    fn apply(self, command: &mut Command) {
        if let Self(Some((user, group))) = self {
            command.uid(user).gid(group);
        }
    }
}

/// Returns our own user. As root, returns another one, and gives it the folder.
fn unprivileged(directory: &Path) -> io::Result<Unprivileged> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(Unprivileged(None));
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let user = |name: &str| {
        let mut fields =
            users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let (uid, gid) = user("postgres").or_else(|| user("nobody")).ok_or_else(|| {
        io::Error::other("PostgreSQL does not run as root, and there is no user postgres or nobody")
    })?;
    chown(directory, Some(uid), Some(gid))?;
    // That user must be able to reach the folder.
    if let Some(above) = directory.parent() {
        let mode = fs::metadata(above)?.permissions().mode();
        fs::set_permissions(above, fs::Permissions::from_mode(mode | 0o011))?;
    }
    Ok(Unprivileged(Some((uid, gid))))
}

/// Returns a port of the loopback that is not in use.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
