//! Under load, everything is killed once, a worker is paused past its lease, and connections break with
//! messages on their way. Everything acknowledged is there, and each outage is reported once from beginning
//! to end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt;
use overdue::Event;
use overdue::event::{Occurrence, Recovery};
use serde_json::json;
use uuid::Uuid;

use super::fixture::{self, Cluster, RUNTIME, eventually};

const JOBS: u64 = 12;

/// In seconds.
const LEASE: u32 = 2;

/// A job that fails and recovers, over and over. It continues only once a check-in is acknowledged, as a
/// patient client does.
struct Job {
    address: String,
    number: u64,
    /// The check-ins that were acknowledged, in order.
    acknowledged: Vec<(Uuid, &'static str)>,
}

impl Job {
    fn run(mut self, stop: &AtomicBool) -> Self {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(8))).build().into();
        // The last check-in is a success.
        while !stop.load(Ordering::Relaxed) || !self.acknowledged.len().is_multiple_of(3) {
            let status = ["ok", "error", "error"][self.acknowledged.len() % 3];
            let id = Uuid::from_u128(u128::from(self.number) << 64 | (self.acknowledged.len() as u128 + 1));
            let body = json!({
                "check_in_id": id,
                "status": status,
                "monitor_config": {"schedule": {"type": "interval", "value": 1, "unit": "day"}},
            });
            let url = format!("{}/job-{}/alohomora/", self.address, self.number);
            // A check-in that is not acknowledged may have been stored nevertheless: it is sent again
            // unchanged.
            match agent.post(&url).send(body.to_string()) {
                Ok(answer) if answer.status() == 202 => {
                    self.acknowledged.push((id, status));
                    thread::sleep(Duration::from_millis(30));
                }
                _ => thread::sleep(Duration::from_millis(100)),
            }
        }
        self
    }
}

#[test]
fn nothing_is_lost_and_nothing_told_twice() {
    if !fixture::installed() {
        return;
    }
    let mut cluster = Cluster::create(8);
    let (_ingest, address) = cluster.ingest();
    let mut workers: Vec<_> = (0..3).map(|_| cluster.worker(LEASE)).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let jobs = (0..JOBS).map(|number| {
        let (stop, address) = (Arc::clone(&stop), address.clone());
        thread::spawn(move || Job { address, number, acknowledged: Vec::new() }.run(&stop))
    });
    let jobs: Vec<_> = jobs.collect();
    let pause = |seconds| thread::sleep(Duration::from_secs(seconds));
    // A growing number of runs shows that work continues.
    let goes_on = |cluster: &Cluster, what: &str| {
        let before = cluster.number("SELECT count(*) FROM runs");
        eventually(what, || (cluster.number("SELECT count(*) FROM runs") > before + 50).then_some(()));
    };
    goes_on(&cluster, "check-ins are decided");

    // A worker dies, and another takes its place.
    drop(workers.remove(0));
    goes_on(&cluster, "others take over from a worker that died");
    workers.push(cluster.worker(LEASE));

    // A worker is paused for longer than its leases last, and resumes after they are taken.
    workers[0].signal("STOP");
    pause(u64::from(LEASE) * 2);
    goes_on(&cluster, "others take over from a worker that sleeps");
    workers[0].signal("CONT");
    goes_on(&cluster, "a worker that woke disturbs nobody");

    // Connections break with messages on their way. Often, since a busy worker would notice anyhow.
    let [postgres, nats] = &cluster.wires;
    for wire in [nats, nats, nats, nats, postgres, nats, nats, nats, nats, postgres] {
        wire.cut();
        thread::sleep(Duration::from_millis(500));
    }
    goes_on(&cluster, "work goes on over other connections");

    cluster.postgres.kill().unwrap();
    pause(2);
    cluster.postgres.restart().unwrap();
    goes_on(&cluster, "work goes on with the database");

    cluster.nats.kill().unwrap();
    pause(2);
    cluster.nats.restart().unwrap();
    goes_on(&cluster, "work goes on with the stream");

    // All workers at once, most likely in the middle of something.
    for worker in workers.drain(..) {
        drop(worker);
    }
    workers.extend((0..2).map(|_| cluster.worker(LEASE)));
    goes_on(&cluster, "new workers take over from none");

    stop.store(true, Ordering::Relaxed);
    let jobs: Vec<Job> = jobs.into_iter().map(|job| job.join().unwrap()).collect();
    cluster.settle();
    check_kept(&cluster, &jobs);
    // Some are delivered once more, long after.
    let stream = cluster.stream();
    let again: Vec<overdue::Message> = jobs.iter().flat_map(again).collect();
    RUNTIME.block_on(stream.import(&again)).unwrap();
    // The next run of every job is missed, and nothing is due afterwards.
    let tomorrow = now() + TimeDelta::days(2);
    RUNTIME.block_on(stream.import_pulse(tomorrow)).unwrap();
    cluster.settle();
    check_outages(&cluster, &jobs);
    let due =
        format!("SELECT count(*) FROM environments WHERE due_at <= '{}'", tomorrow.format("%Y-%m-%dT%H:%M"));
    assert_eq!(cluster.number(&due), 0, "something is still due");
    check_told(&cluster);
}

/// The recorded position shows what was decided, not what may be skipped. With a position far ahead,
/// everything is decided; only a redelivery to a finished run is not rejected.
#[test]
fn what_comes_again_is_decided() {
    if !fixture::installed() {
        return;
    }
    let cluster = Cluster::create(1);
    cluster.number("UPDATE progress SET sequence = 1000 RETURNING sequence");
    let job = Job { address: String::new(), number: 1, acknowledged: vec![(Uuid::from_u128(1), "ok")] };
    let mut messages = again(&job);
    let unknown = json!({"check_in_id": Uuid::from_u128(2), "status": "ok", "monitor_slug": "unknown"});
    let known = json!({"check_in_id": Uuid::from_u128(1), "status": "ok", "monitor_slug": "job-1",
        "monitor_config": {"schedule": {"type": "interval", "value": 1, "unit": "day"}}});
    for body in [known, unknown].map(|body| serde_json::to_vec(&body).unwrap()) {
        messages.insert(0, overdue::Message { body: body.into(), ..messages[0].clone() });
    }
    RUNTIME.block_on(cluster.stream().import(&messages)).unwrap();
    let _worker = cluster.worker(LEASE);
    cluster.settle();
    check_kept(&cluster, &[job]);
    assert_eq!(cluster.number("SELECT count(*) FROM events"), 1, "the monitor that nobody knows");
}

/// Checks that every acknowledged check-in is a run with its status.
fn check_kept(cluster: &Cluster, jobs: &[Job]) {
    let runs: BTreeSet<String> = cluster.texts("SELECT id || ' ' || status FROM runs").into_iter().collect();
    for (id, status) in jobs.iter().flat_map(|job| &job.acknowledged) {
        assert!(runs.contains(&format!("{id} {status}")), "{id} ({status}) was acknowledged and is lost");
    }
}

/// Checks that each outage began with its first error, and ended with the next success.
fn check_outages(cluster: &Cluster, jobs: &[Job]) {
    let mut happened: BTreeMap<String, Vec<(&str, Uuid)>> = BTreeMap::new();
    for text in cluster.texts("SELECT event::text FROM events ORDER BY sequence") {
        let (slug, what) = match serde_json::from_str(&text).unwrap() {
            Event::IncidentOpened(Occurrence { monitor, incident, .. }) => {
                (monitor.key().slug.to_string(), ("opened", *incident.first().id.as_uuid()))
            }
            Event::IncidentResolved(Recovery { monitor, resolution, .. }) => {
                (monitor.key().slug.to_string(), ("resolved", *resolution.run.as_uuid()))
            }
            _ => continue,
        };
        happened.entry(slug).or_default().push(what);
    }
    for job in jobs {
        let outages = job.acknowledged.chunks(3).flat_map(|of| [("resolved", of[0].0), ("opened", of[1].0)]);
        // There is no outage before the first error.
        let expected: Vec<_> = outages.skip(1).collect();
        let happened = happened.remove(&format!("job-{}", job.number)).unwrap_or_default();
        let difference = expected.iter().zip(&happened).find(|(expected, happened)| expected != happened);
        assert!(happened == expected, "job-{}: expected and happened are {difference:?}", job.number);
    }
}

/// Checks that a listener receives every event. A repeat has the same id.
fn check_told(cluster: &Cluster) {
    let happened: BTreeSet<String> = cluster.texts("SELECT id::text FROM events").into_iter().collect();
    let stream = cluster.stream();
    let mut told = BTreeSet::new();
    RUNTIME.block_on(async {
        let mut events = stream.listen(DeliverPolicy::All).await.unwrap();
        while told.len() < happened.len() {
            let event = tokio::time::timeout(Duration::from_secs(60), events.next()).await;
            let Ok(Some(event)) = event else { panic!("an event was not told") };
            told.insert(event.unwrap().id().to_string());
        }
    });
    assert!(told == happened, "what was told has not happened");
}

/// A few check-ins of a job, as they would be redelivered.
fn again(job: &Job) -> Vec<overdue::Message> {
    let messages = job.acknowledged.iter().step_by(7).map(|(id, status)| {
        let body =
            json!({"check_in_id": id, "status": status, "monitor_slug": format!("job-{}", job.number)});
        let body = serde_json::to_vec(&body).unwrap();
        let (organization, project) = (overdue::id::OrganizationId::new(1), overdue::id::ProjectId::new(1));
        overdue::Message::new(organization, project, now(), body)
    });
    messages.collect()
}

#[expect(clippy::disallowed_methods, reason = "the stream's clock is the real one")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
