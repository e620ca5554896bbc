//! What is put comes back.

use std::sync::Arc;

use chrono_tz::Tz;
use uuid::Uuid;

use crate::checkin::{Millis, ReportedStatus};
use crate::config::{Margin, MaxRuntime};
use crate::id::{OrganizationId, ProjectId};
use crate::key::{EnvironmentKey, MonitorKey};
use crate::row::{
    Environment, Failure, Health, Monitor, MonitorStatus, Organization, Owner, Resolution, Run, RunStatus,
    Version,
};
use crate::schedule::{Schedule, Unit};
use crate::store::{DueKind, Found, Query, Snapshot};

use super::breach::{Proof, same};
use super::desk::Desk;
use super::sample::{
    ORGANIZATION, PROJECT, TEXTS, arrival, at, dev, due, environment, far_times, foreign, hourly, incident,
    job, looking_back, monitor, place, run, run_at, run_id,
};

pub(super) fn a_new_store_is_empty(desk: Desk<'_>) -> Proof {
    let seen = desk.judging(&arrival(&job(), 1, "10:00", ReportedStatus::Ok))?;
    let organization = Some(Organization::new(ORGANIZATION));
    let nothing = Snapshot { organization, monitor: None, environment: None, run: None, history: Vec::new() };
    same(seen, nothing, "what a check-in finds")?;
    same(desk.load_monitor(&job().monitor)?, None, "a monitor that nobody has put")?;
    same(desk.due(DueKind::Miss)?, [], "the list of misses")?;
    same(desk.due(DueKind::Timeout)?, [], "the list of timeouts")
}

pub(super) fn an_organization_comes_back(mut desk: Desk<'_>) -> Proof {
    let check = |desk: &Desk<'_>, when: &str| -> Proof {
        // Whoever creates another monitor reads it.
        let query = Query::creation(ORGANIZATION, desk.policy());
        let seen = desk.store.load(&place("nobody", "production"), &query)?.organization;
        same(seen.as_ref(), Some(desk.organization()), format!("the organization {when}"))
    };
    desk.create(&monitor("one"), hourly())?;
    check(&desk, "of one monitor")?;
    desk.create(&monitor("two"), hourly())?;
    check(&desk, "of two monitors")?;
    same(
        &desk.whole(&monitor("one"))?.organization,
        desk.organization(),
        "the organization, with a monitor",
    )?;
    desk.remove(&monitor("one"))?;
    check(&desk, "once a monitor was removed")
}

fn check_monitor(desk: &Desk<'_>, key: &MonitorKey) -> Proof {
    let expected = desk.monitor(key);
    let loaded = desk.load(&environment(key, "production"))?.monitor;
    same(loaded.as_deref(), Some(expected), format!("the monitor {key}"))?;
    same(&*desk.whole(key)?.monitor, expected, format!("the monitor {key}, loaded whole"))
}

fn check_environment(desk: &Desk<'_>, key: &EnvironmentKey) -> Proof {
    let expected = desk.environment(key);
    let loaded = desk.load(key)?.environment;
    same(loaded.as_deref(), Some(expected), format!("the environment {key}"))?;
    let whole = desk.whole(&key.monitor)?.environments;
    let loaded = whole.iter().find(|row| row.id == expected.id);
    same(loaded, Some(expected), format!("the environment {key}, loaded with its monitor"))
}

fn check_run(desk: &Desk<'_>, key: &EnvironmentKey, number: u128) -> Proof {
    let expected = desk.run(number);
    same(desk.find(key, number)?, Some(Found::Here(Box::new(expected.clone()))), format!("run {number}"))?;
    if expected.status != RunStatus::InProgress {
        return Ok(());
    }
    let open = desk.whole(&key.monitor)?.open_runs;
    let loaded = open.iter().find(|run| run.id == expected.id);
    same(loaded, Some(expected), format!("run {number}, loaded with its monitor"))
}

pub(super) fn a_monitor_comes_back(mut desk: Desk<'_>) -> Proof {
    let units = [Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];
    let intervals = units.map(|unit| Schedule::every(3.try_into().unwrap(), unit, Tz::Asia__Kathmandu));
    let crontabs = ["*/5 1,3 * * 1-5", "0 0 L * *", "0 4 * * 5L"];
    let crontabs = crontabs.map(|text| Schedule::crontab(text, Tz::Australia__Lord_Howe));
    for (index, schedule) in crontabs.into_iter().chain(intervals).enumerate() {
        let key = monitor(&format!("job-{index}"));
        let patient = looking_back(720).to_builder().margin(Margin::MAX).max_runtime(MaxRuntime::MAX).build();
        desk.create(&key, patient.to_builder().schedule(schedule.unwrap()).build())?;
        check_monitor(&desk, &key)?;
    }
    let key = job().monitor;
    desk.create(&key, hourly())?;
    let edits: [&dyn Fn(&mut Monitor); 8] = [
        &|row| row.name = "Nightly backup".into(),
        &|row| row.owner = Some(Owner::User(7)),
        &|row| row.owner = Some(Owner::Team(8)),
        &|row| row.muted = true,
        &|row| row.status = MonitorStatus::Disabled,
        &|row| row.status = MonitorStatus::Deleting,
        &|row| row.config = looking_back(3),
        &|row| row.status = MonitorStatus::Active,
    ];
    for edit in edits {
        desk.edit(&key, edit)?;
        check_monitor(&desk, &key)?;
    }
    Ok(())
}

/// What an environment can be like, in words and in its row.
type Shape<'a> = (&'a str, &'a dyn Fn(&mut Environment));

pub(super) fn an_environment_comes_back(mut desk: Desk<'_>) -> Proof {
    let failed = run(1, "10:00", RunStatus::Error);
    let open = |row: &Environment, announced| {
        let mut incident = incident(&row.key, row.incidents, &failed);
        Arc::make_mut(&mut incident).announced = announced;
        Health::Error(incident)
    };
    let shapes: [Shape<'_>; 17] = [
        ("new", &|_| {}),
        ("healthy", &|row| row.health = Health::Ok),
        ("in an announced incident", &|row| row.health = open(row, true)),
        ("in a silent incident", &|row| row.health = open(row, false)),
        ("failed by an error", &|row| row.health = Health::Failed(Failure::Error)),
        ("failed by a miss", &|row| row.health = Health::Failed(Failure::Missed)),
        ("failed by a timeout", &|row| row.health = Health::Failed(Failure::Timeout)),
        ("stranded", &|row| row.health = Health::Stranded),
        ("muted", &|row| row.muted = true),
        ("disabled", &|row| row.disabled = true),
        ("dormant", &|row| row.dormant = true),
        ("seen", &|row| row.last_checkin = Some(at("10:00"))),
        ("expected", &|row| row.deadline = due(at("11:05"))),
        ("reckoned from", &|row| row.reference = Some(at("10:01"))),
        ("with a result", &|row| row.last_result = Some(at("10:02"))),
        ("with a success", &|row| row.last_ok = Some(run(9, "10:03", RunStatus::Ok).summary())),
        ("with a message that names no run", &|row| row.unnamed_at = Some(at("10:04"))),
    ];
    // Each shape alone, and then all at once, as far as one does not exclude the other.
    for (name, shape) in &shapes {
        let key = place("job", name);
        desk.touch(&key, shape)?;
        check_environment(&desk, &key)?;
    }
    for (_, shape) in shapes {
        desk.touch(&job(), |row| {
            shape(row);
            row.incidents += 1;
        })?;
        check_environment(&desk, &job())?;
    }
    Ok(())
}

/// A run with every field filled in.
fn full(number: u128, started: &str, status: RunStatus) -> Run {
    Run {
        expected_at: Some(at("10:00")),
        timeout_at: Some(at("10:40")),
        duration: Some(Millis::new(61_001).unwrap()),
        updated_at: at("10:06"),
        closed_by: Some(run_id(number + 1_000)),
        trace_id: Some(Uuid::from_u128(77)),
        release: Some("backup@1.2.3".into()),
        ..run(number, started, status)
    }
}

pub(super) fn a_run_comes_back(mut desk: Desk<'_>) -> Proof {
    use RunStatus::{Error, InProgress, Missed, Ok as Succeeded, Timeout, Unknown};
    for (number, status) in (1..).zip([InProgress, Succeeded, Error, Missed, Timeout, Unknown]) {
        desk.start(&job(), run(number, "10:00", status))?;
        check_run(&desk, &job(), number)?;
        desk.start(&dev(), full(number + 100, "10:00", status))?;
        check_run(&desk, &dev(), number + 100)?;
    }
    for status in [Timeout, InProgress, Error] {
        desk.change(1, |run| run.status = status)?;
        check_run(&desk, &job(), 1)?;
    }
    Ok(())
}

/// Ids up to what a signed number of eight bytes holds: those of the host's that are higher are its own affair.
pub(super) fn every_number_comes_back(desk: Desk<'_>) -> Proof {
    const MOST: u64 = i64::MAX.unsigned_abs();
    let mut desk = desk.of(OrganizationId::new(MOST - 1));
    let key = MonitorKey { project: ProjectId::new(MOST), slug: monitor("job").slug };
    let place = environment(&key, "production");
    desk.create(&key, hourly())?;
    desk.edit(&key, |row| row.owner = Some(Owner::Team(MOST - 2)))?;
    check_monitor(&desk, &key)?;
    same(&desk.whole(&key)?.organization, desk.organization(), "the organization")?;
    let mut transition = desk.touching(&place, |row| {
        row.runs = u32::MAX - 1;
        row.incidents = u32::MAX;
    });
    // Versions are compared for being the same, and tell the next from this one however high they are.
    transition.environments[0].row.version = Version::from_number(MOST - 9);
    desk.commit(transition)?;
    check_environment(&desk, &place)?;
    let longest = Run { duration: Some(Millis::MAX), ..run(u128::MAX, "10:00", RunStatus::InProgress) };
    desk.start(&place, longest)?;
    check_environment(&desk, &place)?;
    check_run(&desk, &place, u128::MAX)
}

pub(super) fn every_text_comes_back(mut desk: Desk<'_>) -> Proof {
    let long = "🦀".repeat(64);
    for (number, text) in (1..).zip(TEXTS.into_iter().chain([long.as_str()])) {
        let key = place("job", text);
        desk.start(&key, Run { release: Some(text.into()), ..run(number, "10:00", RunStatus::Ok) })?;
        check_environment(&desk, &key)?;
        check_run(&desk, &key, number)?;
        desk.edit(&key.monitor, |row| row.name = text.into())?;
        check_monitor(&desk, &key.monitor)?;
    }
    desk.start(&job(), Run { release: Some("".into()), ..run(99, "10:00", RunStatus::Ok) })?;
    check_run(&desk, &job(), 99)
}

pub(super) fn every_time_comes_back(mut desk: Desk<'_>) -> Proof {
    for (number, time) in (1..).zip(far_times()) {
        let key = place("job", &format!("env-{number}"));
        let began = run_at(number, time, RunStatus::InProgress);
        desk.touch(&key, |row| {
            row.last_checkin = Some(time);
            row.reference = Some(time);
            row.deadline = due(time);
            row.last_ok = Some(run_at(number, time, RunStatus::Ok).summary());
            row.health = Health::Error(incident(&key, 1, &began));
        })?;
        check_environment(&desk, &key)?;
        desk.start(&key, Run { expected_at: Some(time), timeout_at: Some(time), ..began })?;
        check_run(&desk, &key, number)?;
    }
    Ok(())
}

pub(super) fn a_row_put_again_is_replaced_whole(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), full(1, "10:00", RunStatus::InProgress))?;
    desk.touch(&job(), |row| {
        row.last_checkin = Some(at("10:00"));
        row.deadline = due(at("11:05"));
        row.last_ok = Some(run(9, "10:03", RunStatus::Ok).summary());
        row.muted = true;
    })?;
    desk.edit(&job().monitor, |row| row.owner = Some(Owner::User(7)))?;

    desk.change(1, |run| {
        (run.timeout_at, run.duration, run.closed_by) = (None, None, None);
        (run.expected_at, run.trace_id, run.release) = (None, None, None);
    })?;
    check_run(&desk, &job(), 1)?;
    desk.touch(&job(), |row| {
        (row.last_checkin, row.deadline, row.last_ok, row.muted) = (None, None, None, false);
    })?;
    check_environment(&desk, &job())?;
    desk.edit(&job().monitor, |row| row.owner = None)?;
    check_monitor(&desk, &job().monitor)
}

/// No part of a decision reads incidents but the open one, which is in its environment; so the commits must do.
pub(super) fn an_incident_is_put_as_often_as_it_changes(mut desk: Desk<'_>) -> Proof {
    let failed = run(1, "10:00", RunStatus::Error);
    desk.start(&job(), failed.clone())?;
    let mut row = incident(&job(), 1, &failed);
    for change in 0..3 {
        let mut transition = desk.touching(&job(), |environment| {
            environment.incidents = 1;
            environment.health = if change < 2 { Health::Error(Arc::clone(&row)) } else { Health::Ok };
        });
        transition.incidents = vec![Arc::clone(&row)];
        desk.commit(transition)?;
        let changed = Arc::make_mut(&mut row);
        match change {
            0 => changed.last_failure = at("11:00"),
            _ => changed.resolution = Some(Resolution { checkin: run_id(2), at: at("12:00") }),
        }
    }
    Ok(())
}

pub(super) fn names_that_differ_in_little_are_apart(mut desk: Desk<'_>) -> Proof {
    let names = [
        "dev",
        "Dev",
        "DEV",
        "dev ",
        " dev",
        "dev\n",
        "d\u{e9}v",
        "de\u{301}v",
        "de\u{301}V",
        "ｄｅｖ",
        "dev\0",
    ];
    let keys = names.map(|name| place("job", name));
    for (number, key) in (1..).zip(&keys) {
        desk.start(key, run(number, "10:00", RunStatus::InProgress))?;
    }
    for (number, key) in (1..).zip(&keys) {
        let loaded = desk.load(key)?.environment.map(|row| row.runs);
        same(loaded, Some(1), format!("the count of runs of {:?}", key.name.as_str()))?;
        same(desk.unnamed(key, "10:09")?, Some(number), format!("the open run of {:?}", key.name.as_str()))?;
    }
    same(desk.whole(&job().monitor)?.environments.len(), names.len(), "how many environments there are")
}

pub(super) fn projects_are_apart(mut desk: Desk<'_>) -> Proof {
    assert_ne!(PROJECT, foreign().monitor.project);
    desk.start(&job(), run(1, "10:00", RunStatus::InProgress))?;
    same(
        desk.load_monitor(&foreign().monitor)?,
        None,
        "the monitor of this slug in a project that has none",
    )?;
    let seen = desk.load(&foreign())?;
    same((seen.monitor, seen.environment), (None, None), "what a project without monitors loads")?;
    desk.start(&foreign(), run(2, "10:00", RunStatus::InProgress))?;
    desk.edit(&foreign().monitor, |row| row.muted = true)?;
    for (key, number) in [(job(), 1), (foreign(), 2)] {
        same(&*desk.whole(&key.monitor)?.monitor, desk.monitor(&key.monitor), format!("{}", key.monitor))?;
        same(desk.unnamed(&key, "10:09")?, Some(number), format!("the open run of {key}"))?;
    }
    Ok(())
}
