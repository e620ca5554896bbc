//! The same check-ins produce the same rows and events, with one worker, with four, and in one process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use overdue::clock::Tick;
use overdue::id::{OrganizationId, ProjectId};
use overdue::{Engine, Event, EventSink, MemoryStore, Message, Policy};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use serde_json::{Value, json};

use super::fixture::{self, Cluster, RUNTIME};

const MINUTES: i64 = 240;
const JOBS: u64 = 60;

/// What reaches the stream, in order.
enum Entry {
    Checkin(Box<Message>),
    Pulse(DateTime<Utc>),
}

/// Jobs in two environments each, every few minutes: on time, late, failing, hanging, silent. Messages that
/// are repeated, reordered, without an id, and some that no job should send.
fn history(seed: u64) -> Vec<Entry> {
    let mut random = StdRng::seed_from_u64(seed);
    let start: DateTime<Utc> = "2024-09-02T10:00:00Z".parse().unwrap();
    let mut entries = Vec::new();
    let mut earlier: Vec<Message> = Vec::new();
    let mut runs = 0_u128;
    for minute in 0..MINUTES {
        entries.push(Entry::Pulse(start + TimeDelta::minutes(minute)));
        let mut now = start + TimeDelta::minutes(minute);
        for _ in 0..JOBS / 2 {
            now += TimeDelta::nanoseconds(random.random_range(1..1_000_000_000));
            // Some jobs are silent for an hour.
            let job = random.random_range(0..JOBS);
            if (job + minute as u64 / 60).is_multiple_of(5) {
                continue;
            }
            if random.random_bool(0.1)
                && let Some(again) = earlier.choose(&mut random)
            {
                entries.push(Entry::Checkin(Box::new(again.clone())));
                continue;
            }
            runs += 1;
            let environment = *["production", "staging"].choose(&mut random).unwrap();
            let status = *["ok", "ok", "ok", "in_progress", "error"].choose(&mut random).unwrap();
            // An id is used in one environment only. Otherwise the faster partition would own it.
            let known = runs - random.random_range(0..4).min(runs - 1);
            let id = if random.random_bool(0.1) {
                0
            } else {
                (known << 32) | u128::from(job) << 8 | environment.len() as u128
            };
            let mut body = json!({
                "check_in_id": format!("{id:032x}"),
                "monitor_slug": format!("job-{job}"),
                "environment": environment,
                "status": status,
                "monitor_config": {
                    "schedule": {"type": "interval", "value": 2 + job % 7, "unit": "minute"},
                    "checkin_margin": 1 + job % 3,
                    "max_runtime": 1 + job % 5,
                    "failure_issue_threshold": 1 + job % 3,
                    "recovery_threshold": 1 + job % 2,
                },
            });
            if random.random_bool(0.02) {
                body["status"] = "lost".into();
            }
            let project = ProjectId::new(1 + job % 3);
            let message =
                Message::new(OrganizationId::new(1), project, now, serde_json::to_vec(&body).unwrap());
            earlier.push(message.clone());
            entries.push(Entry::Checkin(Box::new(message)));
        }
    }
    entries
}

/// All rows by kind, and the events of each environment in order.
type Outcome = BTreeMap<String, Vec<String>>;

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

impl EventSink for Told {
    fn emit(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

fn in_memory(entries: &[Entry]) -> Outcome {
    let told = Told::default();
    let engine = Engine::new(MemoryStore::new(), Policy::default()).with_sink(told.clone());
    for entry in entries {
        match entry {
            Entry::Checkin(message) => drop(engine.process_checkin(message).unwrap()),
            Entry::Pulse(at) => drop(engine.tick(Tick::at(*at)).unwrap()),
        }
    }
    let store = engine.store();
    let monitors = store.monitors();
    let environments: Vec<_> = monitors.iter().flat_map(|row| store.environments(row.key())).collect();
    let runs: Vec<_> = environments.iter().flat_map(|row| store.runs(row.key())).collect();
    let incidents: Vec<_> = environments.iter().flat_map(|row| store.incidents(row.key())).collect();
    let told = told.0.lock().unwrap();
    outcome(
        [texts(&monitors), texts(&environments), texts(&runs), texts(&incidents)],
        told.iter().map(|event| serde_json::to_string(event).unwrap()),
    )
}

fn texts<T: Serialize>(rows: &[T]) -> Vec<String> {
    rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect()
}

fn through_workers(workers: u32, entries: &[Entry]) -> Outcome {
    let cluster = Cluster::create(8);
    let workers: Vec<_> = (0..workers).map(|_| cluster.worker(2)).collect();
    let stream = cluster.stream();
    RUNTIME.block_on(async {
        let mut checkins = Vec::new();
        for entry in entries {
            match entry {
                Entry::Checkin(message) => checkins.push((**message).clone()),
                Entry::Pulse(at) => {
                    stream.import(&std::mem::take(&mut checkins)).await.unwrap();
                    stream.import_pulse(*at).await.unwrap();
                }
            }
        }
        stream.import(&checkins).await.unwrap();
    });
    cluster.settle();
    for worker in workers {
        assert!(worker.stop());
    }
    let rows = |table: &str| cluster.texts(&format!("SELECT row::text FROM {table}"));
    outcome(
        [rows("monitors"), rows("environments"), rows("runs"), rows("incidents")],
        cluster.texts("SELECT event::text FROM events ORDER BY sequence").into_iter(),
    )
}

fn outcome(rows: [Vec<String>; 4], events: impl Iterator<Item = String>) -> Outcome {
    let mut outcome = Outcome::new();
    for (kind, rows) in ["monitors", "environments", "runs", "incidents"].into_iter().zip(rows) {
        let mut rows: Vec<String> = rows.iter().map(|row| without_chance(kind, row)).collect();
        rows.sort();
        outcome.insert(kind.to_owned(), rows);
    }
    for text in events {
        let event: Event = serde_json::from_str(&text).unwrap();
        let of = event.environment().map_or("rejections".to_owned(), |key| format!("events of {key}"));
        outcome.entry(of).or_default().push(without_chance("events", &text));
    }
    // Rejections have no order, and a database keeps a repeated one once.
    if let Some(rejections) = outcome.get_mut("rejections") {
        rejections.sort();
        rejections.dedup();
    }
    outcome
}

/// Returns a row without what depends on which of two partitions was faster: how many monitors existed before
/// this one, which its version shows, and how many environments it had by then.
fn without_chance(kind: &str, row: &str) -> String {
    let mut row: Value = serde_json::from_str(row).unwrap();
    match kind {
        "monitors" => drop(row.as_object_mut().unwrap().remove("version")),
        "events" => {
            if let Some(monitor) = row.get_mut("monitor").and_then(Value::as_object_mut) {
                monitor.retain(|field, _| field != "version" && field != "environments");
            }
        }
        _ => {}
    }
    row.to_string()
}

#[test]
fn any_number_of_workers_comes_to_the_same() {
    if !fixture::installed() {
        return;
    }
    for seed in 1..=2 {
        let entries = history(seed);
        let expected = in_memory(&entries);
        assert!(expected.len() > 60 && expected["incidents"].len() > 100, "nothing much happens");
        for workers in [1, 4] {
            let seen = through_workers(workers, &entries);
            for (kind, rows) in &expected {
                let found = seen.get(kind).cloned().unwrap_or_default();
                let missing: Vec<_> = rows.iter().filter(|row| !found.contains(row)).take(3).collect();
                let extra: Vec<_> = found.iter().filter(|row| !rows.contains(row)).take(3).collect();
                assert!(
                    *rows == found,
                    "seed {seed}, {workers} workers, {kind}: {} and not {} as expected\nmissing: {missing:#?}\nextra: {extra:#?}",
                    found.len(),
                    rows.len()
                );
            }
            assert_eq!(seen.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        }
    }
}
