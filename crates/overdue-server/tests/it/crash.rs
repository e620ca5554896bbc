//! Killed again and again under load, the server keeps its promises.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::fixture::{Server, eventually};
use super::receiver::Receiver;

const JOBS: u32 = 8;

/// What the jobs know: the runs whose check-in was answered.
#[derive(Default)]
struct Answered {
    runs: Mutex<Vec<u128>>,
    /// The number of outages of each job that were reported and ended, each with an answer.
    outages: Mutex<HashMap<u32, u32>>,
}

/// One job: it succeeds, fails, and succeeds again, for ever. It repeats each report until it is answered.
fn work(job: u32, address: &str, stop: &AtomicBool, answered: &Answered) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(20)))
        .http_status_as_error(false)
        .build()
        .into();
    for round in 0_u32.. {
        for (step, status) in ["ok", "error", "error", "ok"].into_iter().enumerate() {
            let run = u128::from(job) << 64 | u128::from(round) << 8 | (step as u128 + 1);
            let url = format!("{address}?status={status}&check_in_id={run:032x}&schedule=0+4+*+*+*");
            loop {
                // Accepted now, or finished already if the answer to an earlier attempt was lost.
                match agent.get(&url).call().map(|answer| answer.status().as_u16()) {
                    Ok(202 | 409) => break,
                    Ok(status @ 400..500) => panic!("{url}: {status}"),
                    _ => thread::sleep(Duration::from_millis(5)),
                }
            }
            answered.runs.lock().unwrap().push(run);
        }
        *answered.outages.lock().unwrap().entry(job).or_default() += 1;
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// `OVERDUE_CRASHES` sets the number of crashes. For a long run take 200.
#[test]
fn killed_under_load() {
    let crashes: u32 = std::env::var("OVERDUE_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let receiver = Receiver::start(0);
    let mut server = Server::start(&["--webhook", &receiver.url]);
    let answered = Arc::new(Answered::default());
    let stop = Arc::new(AtomicBool::new(false));
    let busy = Arc::new(AtomicU32::new(JOBS));
    for job in 0..JOBS {
        let address = server.ping(&format!("job-{job}"));
        let (answered, stop, busy) = (Arc::clone(&answered), Arc::clone(&stop), Arc::clone(&busy));
        thread::spawn(move || {
            work(job, &address, &stop, &answered);
            busy.fetch_sub(1, Ordering::Relaxed);
        });
    }
    for crash in 0..crashes {
        // Waits until some work is done, then crashes at any moment.
        let before = answered.runs.lock().unwrap().len();
        eventually("check-ins are answered", || (answered.runs.lock().unwrap().len() > before).then_some(()));
        thread::sleep(Duration::from_millis(u64::from(crash * 7_919 % 97)));
        server = server.crash();
    }
    stop.store(true, Ordering::Relaxed);
    eventually("the jobs end", || (busy.load(Ordering::Relaxed) == 0).then_some(()));

    // Every check-in that was answered is there.
    let runs = answered.runs.lock().unwrap();
    let connection = rusqlite::Connection::open(server.db()).unwrap();
    let mut find = connection.prepare("SELECT count(*) FROM runs WHERE id = ?").unwrap();
    for run in runs.iter() {
        let found: u32 = find.query_row([uuid::Uuid::from_u128(*run)], |row| row.get(0)).unwrap();
        assert_eq!(found, 1, "run {run:032x} was answered, and is gone");
    }
    // Every outage was opened once and resolved once, in turn, whatever was sent twice.
    eventually("everything is told", || (server.count("SELECT count(*) FROM outbox") == 0).then_some(()));
    let told = receiver.told();
    for (job, outages) in answered.outages.lock().unwrap().iter() {
        let slug = format!("job-{job}");
        let turns: Vec<&str> = told
            .iter()
            .filter(|(kind, of)| *of == slug && kind != "incident_occurrence")
            .map(|(kind, _)| kind.as_str())
            .collect();
        let expected = ["incident_opened", "incident_resolved"].repeat(*outages as usize);
        assert_eq!(turns, expected, "{slug}");
        let occurrences =
            told.iter().filter(|(kind, of)| *of == slug && kind == "incident_occurrence").count();
        assert_eq!(occurrences, *outages as usize * 2, "{slug}: each failing run");
    }
    // No environment is left behind: none is due, and all are healthy.
    let due =
        "SELECT count(*) FROM environments WHERE due_at IS NULL OR due_at <= strftime('%Y-%m-%dT%H:%M:%fZ')";
    assert_eq!(server.count(due), 0);
    assert_eq!(server.count("SELECT count(*) FROM incidents WHERE resolved_at IS NULL"), 0);
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let repeats = receiver.all().len() - told.len();
    eprintln!(
        "{crashes} crashes, {} check-ins, {} events, {repeats} of them told again",
        runs.len(),
        told.len()
    );
}
