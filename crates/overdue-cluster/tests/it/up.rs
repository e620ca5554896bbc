//! What the README says first: everything with one command.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::fixture::{self, PROGRAM, Process};

#[test]
fn one_command_starts_everything_and_leaves_nothing() {
    if !fixture::installed() {
        return;
    }
    let scratch = tempfile::TempDir::new().unwrap();
    // If root starts it, PostgreSQL runs as another user, who must be able to reach it.
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["up", "--directory"]).arg(scratch.path()).env("RUST_LOG", "error");
    let mut up = Process(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(up.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut line = |what: &str| {
        lines.find(|line| line.contains(what)).unwrap_or_else(|| panic!("it does not say {what:?}"))
    };
    let checkin = line("a check-in");
    let url = checkin.split('\'').nth(1).unwrap().to_owned();
    let show = line("its state");
    line("Ctrl-C");
    let send = |status: &str| {
        fixture::eventually("ingest answers", || ureq::get(format!("{url}&status={status}")).call().ok());
    };
    send("ok");
    send("error");
    assert!(line("DOWN").contains("my-first-job (production): 1 failed run"));
    send("ok");
    line("UP ");

    let show: Vec<&str> = show.split_whitespace().skip(2).collect();
    let output = Command::new(show[0]).args(&show[1..]).output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["environments"][0]["runs"], 3);

    up.signal("INT");
    assert!(up.0.wait().unwrap().success());
    assert_eq!(scratch.path().read_dir().unwrap().count(), 0, "the scratch folder is still there");
}
