//! A history written in bytes: the first four make the monitor, every four after that a step. Whatever happens in
//! whatever order, the invariants hold.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use overdue::checkin::CheckinStatus;
use overdue::config::MonitorConfig;
use overdue::id::{EnvironmentName, MonitorKey, OrganizationId, ProjectId};
use overdue::row::MonitorStatus;
use overdue::rules::Edit;
use overdue::testkit::history::Step;
use overdue::testkit::invariants::Invariants;
use overdue::{Checkin, Engine, Event, MemoryStore, Message, Policy, Schedule, Tick, Zone};
use uuid::Uuid;

/// Half an hour before clocks are set back in Berlin.
const START: DateTime<Utc> = DateTime::from_timestamp(1_729_988_999, 0).unwrap();
const ORGANIZATION: OrganizationId = OrganizationId::new(1);

/// Panics when something does not hold.
pub fn try_bytes(bytes: &[u8]) {
    let Some((config, steps)) = bytes.split_first_chunk::<4>() else { return };
    let monitor = MonitorKey { project: ProjectId::new(7), slug: "job".parse().unwrap() };
    let told: Arc<Mutex<Vec<Event>>> = Arc::default();
    let engine = Engine::new(MemoryStore::new(), Policy::default()).with_sink(Arc::clone(&told));
    engine.create_monitor(ORGANIZATION, &monitor, &configured(*config)).unwrap();

    let mut invariants = Invariants::new(Policy::default());
    let mut now = START;
    for step in steps.as_chunks::<4>().0 {
        let (lapse, step) = read(*step, &monitor, now);
        now += lapse;
        let answer = step.take(&engine).unwrap();
        let events = std::mem::take(&mut *told.lock().unwrap());
        invariants.after(&step, &answer, engine.store(), &events).unwrap();
    }
    invariants.audit(engine.store()).unwrap();
}

fn configured([schedule, margin, runtime, thresholds]: [u8; 4]) -> MonitorConfig {
    const CRONTABS: [&str; 6] =
        ["* * * * *", "*/10 * * * *", "0 * * * *", "30 2 * * *", "0 0 29 2 *", "0 12 * * 5L"];
    const ZONES: [&str; 3] = ["UTC", "Europe/Berlin", "Australia/Lord_Howe"];
    let zone: Zone = ZONES[usize::from(schedule / 8) % 3].parse().unwrap();
    let schedule = match CRONTABS.get(usize::from(schedule % 8)) {
        Some(text) => Schedule::crontab(text, zone),
        None => Schedule::every(
            u32::from(margin % 50 + 1).try_into().unwrap(),
            overdue::schedule::Unit::Hour,
            zone,
        ),
    };
    let threshold = |number: u8| u32::from(number % 3) + 1;
    MonitorConfig::builder()
        .schedule(schedule.unwrap())
        .margin(u32::from(margin) + 1)
        .max_runtime(u32::from(runtime) + 1)
        .failure_threshold(threshold(thresholds))
        .recovery_threshold(threshold(thresholds / 3))
        .build()
        .unwrap()
}

/// How much later, and what happens then.
fn read([kind, who, much, more]: [u8; 4], monitor: &MonitorKey, now: DateTime<Utc>) -> (TimeDelta, Step) {
    let amount = i64::from(much) * i64::from(much) + i64::from(more % 16);
    // Up to 18 hours, or so many days; or back by a few minutes.
    let lapse = match more / 64 {
        0 | 1 => TimeDelta::seconds(amount),
        2 => TimeDelta::minutes(amount),
        _ => TimeDelta::seconds(-amount % 600),
    };
    let at = now + lapse;
    let name = if who.is_multiple_of(2) { "production" } else { "dev" };
    let name: EnvironmentName = name.parse().unwrap();
    let on = who.is_multiple_of(4);
    let edit = |edit| Step::Edit { monitor: monitor.clone(), edit, at };
    let checkin = |status| {
        let run = Uuid::from_u128(u128::from(who / 2 % 6));
        let checkin = Checkin::new(monitor.slug.clone(), run, status).with_environment(name.clone());
        Step::Checkin(Message::new(ORGANIZATION, monitor.project, at, checkin))
    };
    let step = match kind % 16 {
        0..3 => checkin(CheckinStatus::InProgress),
        3..6 => checkin(CheckinStatus::Ok),
        6..9 => checkin(CheckinStatus::Error),
        9..12 => Step::Tick(Tick::at(at)),
        12 => edit(Edit::Muted(on)),
        13 => edit(Edit::EnvironmentMuted(name, on)),
        14 => edit(Edit::Status(if on { MonitorStatus::Active } else { MonitorStatus::Disabled })),
        _ => edit(Edit::Config(configured([much, more, who, kind]))),
    };
    (lapse, step)
}
