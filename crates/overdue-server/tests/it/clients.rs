//! Real clients. Each reports a run in progress, a success and a failure, and sends the configuration of its
//! monitor.

use std::path::Path;
use std::process::Command;

use sentry::protocol::{Envelope, MonitorCheckIn, MonitorCheckInStatus, MonitorConfig, MonitorSchedule};
use serde_json::Value;
use uuid::Uuid;

use super::fixture::{Server, eventually, foreign, run, script};

/// What the runs of a job look like, newest first.
fn runs(server: &Server, slug: &str) -> Vec<String> {
    let monitor = server.json(&format!("/api/monitors/1/{slug}"));
    let runs = monitor["environments"][0]["runs"].as_array().unwrap();
    runs.iter().map(|run| run["status"].as_str().unwrap().to_owned()).collect()
}

/// Checks the state after a job has reported all three.
fn told_in_full(server: &Server, slug: &str) {
    let view = server.json(&format!("/api/monitors/1/{slug}"));
    assert_eq!(runs(server, slug), ["error", "ok", "in_progress"], "{view:#}");
    let config = &view["monitor"]["config"];
    assert_eq!(config["schedule"]["value"], "0 4 * * *");
    assert_eq!(config["schedule"]["timezone"], "Europe/Vienna");
    assert_eq!((&config["margin"], &config["max_runtime"]), (&5.into(), &20.into()));

    let environment = &view["environments"][0];
    assert_eq!(environment["status"], "error");
    assert_eq!(environment["environment"]["key"]["name"], "production");
    let runs = environment["runs"].as_array().unwrap();
    assert!(runs[0]["duration"].is_u64() && runs[1]["duration"].is_u64(), "{runs:#?}");
    assert!(runs[2]["timeout_at"].is_string() && runs[2]["duration"].is_null(), "{runs:#?}");
    let incidents = view["incidents"].as_array().unwrap();
    let [incident] = incidents.as_slice() else { panic!("{incidents:#?}") };
    assert_eq!(incident["incident"]["first"]["id"], runs[0]["id"]);
    assert_eq!(incident["incident"]["resolution"], Value::Null);
    assert_eq!(view["refusals"], Value::Array(Vec::new()));

    // The database has the same.
    let of_job = "FROM runs JOIN environments ON environments.id = runs.environment WHERE slug";
    assert_eq!(server.count(&format!("SELECT count(*) {of_job} = '{slug}'")), 3);
    let told = "SELECT count(*) FROM events WHERE event ->> '$.kind' = 'incident_opened'";
    assert_eq!(server.count(told), 1);
    let told = eventually("the incident is printed", || {
        server.lines.lock().unwrap().iter().find(|line| line.starts_with("DOWN")).cloned()
    });
    assert!(told.contains(slug) && told.contains("1 failed run"), "{told}");
}

#[test]
fn the_python_sdk() {
    let Some(python) = foreign("python3") else { return };
    let has_sdk = Command::new(&python).args(["-c", "import sentry_sdk"]).output().unwrap().status.success();
    if !has_sdk {
        // Returns why not, or fails if it is required.
        assert!(foreign("python3 with sentry-sdk").is_none());
        return;
    }
    let server = Server::start(&[]);
    for ending in ["in_progress", "ok", "error"] {
        run(Command::new(&python).arg(script("monitored.py")).args([&server.dsn, ending]));
    }
    told_in_full(&server, "python-job");
    let view = server.json("/api/monitors/1/python-job");
    let newest = &view["environments"][0]["runs"][0];
    assert_eq!(newest["release"], "clients@1.0");
    assert!(newest["trace_id"].is_string(), "{newest:#}");
}

#[test]
fn sentry_cli() {
    let Some(cli) = foreign("sentry-cli") else { return };
    let server = Server::start(&[]);
    // As cron would run it: the program, its schedule, and the job. Killed, it leaves the run in progress.
    let monitored = |job: &str| {
        let mut command = Command::new(&cli);
        command.env("SENTRY_DSN", &server.dsn).env("SENTRY_DISABLE_UPDATE_CHECK", "1");
        command.args([
            "monitors",
            "run",
            "cli-job",
            "--schedule",
            "0 4 * * *",
            "--timezone",
            "Europe/Vienna",
        ]);
        command.args(["--check-in-margin", "5", "--max-runtime", "20", "--", "sh", "-c", job]);
        command.output().unwrap()
    };
    monitored("kill -9 $PPID");
    assert_eq!(runs(&server, "cli-job"), ["in_progress"]);
    assert!(monitored("true").status.success());
    assert_eq!(monitored("exit 3").status.code(), Some(3));
    told_in_full(&server, "cli-job");
}

#[test]
fn the_rust_sdk() {
    let server = Server::start(&[]);
    let client = sentry::init(server.dsn.as_str());
    let config = MonitorConfig {
        schedule: MonitorSchedule::from_crontab("0 4 * * *").unwrap(),
        checkin_margin: Some(5),
        max_runtime: Some(20),
        timezone: Some("Europe/Vienna".into()),
        failure_issue_threshold: None,
        recovery_threshold: None,
    };
    let send = |run: u128, status, duration| {
        client.send_envelope(Envelope::from(sentry::protocol::EnvelopeItem::MonitorCheckIn(
            MonitorCheckIn {
                check_in_id: Uuid::from_u128(run),
                monitor_slug: "rust-job".into(),
                status,
                environment: None,
                duration,
                monitor_config: Some(config.clone()),
            },
        )));
        assert!(client.flush(None));
    };
    send(1, MonitorCheckInStatus::InProgress, None);
    for (run, ending) in [(2, MonitorCheckInStatus::Ok), (3, MonitorCheckInStatus::Error)] {
        send(run, MonitorCheckInStatus::InProgress, None);
        send(run, ending, Some(1.5));
    }
    told_in_full(&server, "rust-job");
}

/// With the configuration in the query or in the body.
#[test]
fn curl() {
    let Some(curl) = foreign("curl") else { return };
    let server = Server::start(&[]);
    let ping = |query: &str, more: &[&str]| {
        let url = format!("{}{query}", server.ping("curl-job"));
        run(Command::new(&curl).args(["-sS", "--fail-with-body", "--max-time", "30"]).args(more).arg(url))
    };
    let config = "schedule=0+4+*+*+*&timezone=Europe/Vienna&checkin_margin=5&max_runtime=20";
    ping(&format!("?status=in_progress&{config}&check_in_id={:032x}", 1), &[]);
    let json = r#"{"status": "ok", "duration": 0.001, "monitor_config": {"schedule": {"type": "crontab", "value": "0 4 * * *"}}}"#;
    ping(&format!("?check_in_id={:032x}", 2), &["-H", "content-type: application/json", "-d", json]);
    ping(&format!("?status=error&duration=0.001&check_in_id={:032x}", 3), &["-X", "POST"]);
    told_in_full(&server, "curl-job");
}

/// As in crontabs: start and end without an id.
#[test]
fn curl_that_remembers_nothing() {
    let Some(curl) = foreign("curl") else { return };
    let server = Server::start(&[]);
    let ping = |query: &str| -> Value {
        let url = format!("{}?{query}", server.ping("backup"));
        serde_json::from_str(&run(Command::new(&curl).args(["-fsS", "--max-time", "30"]).arg(url))).unwrap()
    };
    let started = ping("status=in_progress&schedule=0+2+*+*+*");
    let ended = ping("status=ok");
    assert_eq!((&started["change"], &ended["change"]), (&"started".into(), &"finished".into()));
    assert_eq!(started["run"], ended["run"]);
    assert_eq!(runs(&server, "backup"), ["ok"]);
}

/// The line that the server prints at its start works.
#[test]
fn the_first_line_of_curl() {
    let Some(curl) = foreign("curl") else { return };
    let server = Server::start(&[]);
    let (key, address) = (&server.key, &server.address);
    let url = format!("{address}/api/1/cron/my-first-job/{key}/?schedule=every+hour");
    run(Command::new(curl).arg("-fsS").arg(url));
    let view = server.json("/api/monitors/1/my-first-job");
    assert_eq!(view["environments"][0]["status"], "ok");
    assert_eq!(view["monitor"]["config"]["schedule"]["unit"], "hour");
    assert!(Path::new(&server.db()).exists());
}
