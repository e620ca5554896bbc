//! What is put comes back.

use std::sync::Arc;

use uuid::Uuid;

use crate::checkin::CheckinStatus;
use crate::config::{Margin, MaxRuntime};
use crate::decision::{RunLookup, Snapshot};
use crate::id::{EnvironmentKey, MonitorKey, OrganizationId, Owner, ProjectId, Version};
use crate::row::reference::{Failing, Failure};
use crate::row::{
    Environment, Expectation, Health, Monitor, MonitorStatus, Organization, Resolution, RunDuration,
    RunParts, RunStatus,
};
use crate::rules::Query;
use crate::schedule::{Schedule, Unit};
use crate::store::DueKind;

use super::failure::{Proof, same};
use super::harness::Harness;
use super::sample::{
    ORGANIZATION, PROJECT, TEXTS, at, dev, due, environment, far_times, foreign, hourly, incident, job,
    looking_back, monitor, place, run, run_at, run_id, valid,
};

pub(super) fn a_new_store_is_empty(harness: Harness<'_>) -> Proof {
    let seen = harness.judging(&valid(&job(), 1, "10:00", CheckinStatus::Ok))?;
    let organization = Some(Organization::new(ORGANIZATION));
    let nothing = Snapshot { organization, monitor: None, environment: None, run: None, history: Vec::new() };
    same(seen, nothing, "what a check-in finds")?;
    same(harness.load_monitor(&job().monitor)?, None, "a monitor that nobody has put")?;
    same(harness.due(DueKind::Miss)?, [], "the list of misses")?;
    same(harness.due(DueKind::Timeout)?, [], "the list of timeouts")
}

pub(super) fn an_organization_comes_back(mut harness: Harness<'_>) -> Proof {
    let check = |harness: &Harness<'_>, when: &str| -> Proof {
        // Creating another monitor reads it.
        let query = Query::creation(ORGANIZATION, harness.policy());
        let seen = harness.store.load(&place("nobody", "production"), &query)?.organization;
        same(seen.as_ref(), Some(harness.organization()), format!("the organization {when}"))
    };
    harness.create(&monitor("one"), hourly())?;
    check(&harness, "of one monitor")?;
    harness.create(&monitor("two"), hourly())?;
    check(&harness, "of two monitors")?;
    same(
        &harness.monitor_snapshot(&monitor("one"))?.organization,
        harness.organization(),
        "the organization, with a monitor",
    )?;
    harness.remove(&monitor("one"))?;
    check(&harness, "once a monitor was removed")
}

fn check_monitor(harness: &Harness<'_>, key: &MonitorKey) -> Proof {
    let expected = harness.monitor(key);
    let loaded = harness.load(&environment(key, "production"))?.monitor;
    same(loaded.as_deref(), Some(expected), format!("the monitor {key}"))?;
    same(&*harness.monitor_snapshot(key)?.monitor, expected, format!("the monitor {key}, loaded whole"))
}

fn check_environment(harness: &Harness<'_>, key: &EnvironmentKey) -> Proof {
    let expected = harness.environment(key);
    let loaded = harness.load(key)?.environment;
    same(loaded.as_deref(), Some(expected), format!("the environment {key}"))?;
    let whole = harness.monitor_snapshot(&key.monitor)?.environments;
    let loaded = whole.iter().find(|row| row.id == expected.id);
    same(loaded, Some(expected), format!("the environment {key}, loaded with its monitor"))
}

fn check_run(harness: &Harness<'_>, key: &EnvironmentKey, number: u128) -> Proof {
    let expected = harness.run(number);
    same(
        harness.find(key, number)?,
        Some(RunLookup::Own(Box::new(expected.clone()))),
        format!("run {number}"),
    )?;
    if expected.status() != RunStatus::InProgress {
        return Ok(());
    }
    let open = harness.monitor_snapshot(&key.monitor)?.open_runs;
    let loaded = open.iter().find(|run| run.id == expected.id);
    same(loaded, Some(expected), format!("run {number}, loaded with its monitor"))
}

pub(super) fn a_monitor_comes_back(mut harness: Harness<'_>) -> Proof {
    let units = [Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];
    let intervals =
        units.map(|unit| Schedule::every(3.try_into().unwrap(), unit, "Asia/Kathmandu".parse().unwrap()));
    let crontabs = ["*/5 1,3 * * 1-5", "0 0 L * *", "0 4 * * 5L"];
    let crontabs = crontabs.map(|text| Schedule::crontab(text, "Australia/Lord_Howe".parse().unwrap()));
    for (index, schedule) in crontabs.into_iter().chain(intervals).enumerate() {
        let key = monitor(&format!("job-{index}"));
        let patient =
            looking_back(720).to_builder().margin(Margin::MAX).max_runtime(MaxRuntime::MAX).build().unwrap();
        harness.create(&key, patient.with_schedule(schedule.unwrap()))?;
        check_monitor(&harness, &key)?;
    }
    let key = job().monitor;
    harness.create(&key, hourly())?;
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
        harness.edit(&key, edit)?;
        check_monitor(&harness, &key)?;
    }
    Ok(())
}

/// A state of an environment, in words and in its row.
type Shape<'a> = (&'a str, &'a dyn Fn(&mut Environment));

pub(super) fn an_environment_comes_back(mut harness: Harness<'_>) -> Proof {
    let failed = run(1, "10:00", RunStatus::Error);
    let open = |row: &Environment, announced| {
        let mut incident = incident(&row.key, row.incidents, failed.summary());
        Arc::make_mut(&mut incident).announced = announced;
        Health::Error(incident)
    };
    let fail = |row: &mut Environment, failing| {
        row.health = Health::Ok;
        row.failing = Some(failing);
    };
    let shapes: [Shape<'_>; 17] = [
        ("new", &|_| {}),
        ("healthy", &|row| row.health = Health::Ok),
        ("in an announced incident", &|row| row.health = open(row, true)),
        ("in a silent incident", &|row| row.health = open(row, false)),
        ("failed by an error", &|row| fail(row, Failing::Run(Failure::Error))),
        ("failed by a miss", &|row| fail(row, Failing::Run(Failure::Missed))),
        ("failed by a timeout", &|row| fail(row, Failing::Run(Failure::Timeout))),
        ("stranded", &|row| fail(row, Failing::Stranded)),
        ("muted", &|row| row.muted = true),
        ("disabled", &|row| row.watch = row.watch.with_environment(false)),
        ("with a disabled monitor", &|row| row.watch = row.watch.with_monitor(false)),
        ("seen", &|row| row.last_checkin = Some(at("10:00"))),
        ("with a schedule that has ended", &|row| {
            row.expectation = Expectation::Ended { since: at("10:01") }
        }),
        ("expected", &|row| row.expectation = due(at("11:05"))),
        ("with a result", &|row| row.last_result = Some(at("10:02"))),
        ("with a success", &|row| row.last_ok = Some(run(9, "10:03", RunStatus::Ok).summary())),
        ("with a message that names no run", &|row| row.anonymous_at = Some(at("10:04"))),
    ];
    // Each shape alone, and then one on top of the other.
    for (name, shape) in &shapes {
        let key = place("job", name);
        harness.touch(&key, shape)?;
        check_environment(&harness, &key)?;
    }
    for (_, shape) in shapes {
        harness.touch(&job(), |row| {
            shape(row);
            row.incidents += 1;
        })?;
        check_environment(&harness, &job())?;
    }
    Ok(())
}

/// A run with every field filled in that a run of this status can have.
fn full(number: u128, started: &str, status: RunStatus) -> RunParts {
    let bare = RunParts { expected_at: Some(at("10:00")), ..run(number, started, status) };
    let timeout_at = match status {
        RunStatus::InProgress | RunStatus::Timeout | RunStatus::Unknown => Some(at("10:40")),
        RunStatus::Ok | RunStatus::Error => None,
        RunStatus::Missed => return bare,
    };
    RunParts {
        timeout_at,
        duration: Some(RunDuration::new(61_001).unwrap()),
        updated_at: at("10:06"),
        closed_by: Some(run_id(number + 1_000)),
        trace_id: Some(Uuid::from_u128(77)),
        release: Some("backup@1.2.3".into()),
        ..bare
    }
}

pub(super) fn a_run_comes_back(mut harness: Harness<'_>) -> Proof {
    use RunStatus::{Error, InProgress, Missed, Ok as Succeeded, Timeout, Unknown};
    for (number, status) in (1..).zip([InProgress, Succeeded, Error, Missed, Timeout, Unknown]) {
        harness.start(&job(), run(number, "10:00", status))?;
        check_run(&harness, &job(), number)?;
        harness.start(&dev(), full(number + 100, "10:00", status))?;
        check_run(&harness, &dev(), number + 100)?;
    }
    for status in [Timeout, InProgress, Error] {
        harness.change(1, |run| run.set_status(status))?;
        check_run(&harness, &job(), 1)?;
    }
    Ok(())
}

/// Ids go up to what a signed number of eight bytes holds. Higher ids are up to the host.
pub(super) fn every_number_comes_back(harness: Harness<'_>) -> Proof {
    const MOST: u64 = i64::MAX.unsigned_abs();
    let mut harness = harness.of(OrganizationId::new(MOST - 1));
    let key = MonitorKey { project: ProjectId::new(MOST), slug: monitor("job").slug };
    let place = environment(&key, "production");
    harness.create(&key, hourly())?;
    harness.edit(&key, |row| row.owner = Some(Owner::Team(MOST - 2)))?;
    check_monitor(&harness, &key)?;
    same(&harness.monitor_snapshot(&key)?.organization, harness.organization(), "the organization")?;
    let mut transition = harness.touching(&place, |row| {
        row.runs = u32::MAX - 1;
        row.incidents = u32::MAX;
    });
    // Versions are compared for equality only, so a high one must be exact.
    transition.environments[0].row.version = Version::from_number(MOST - 9);
    harness.commit(transition)?;
    check_environment(&harness, &place)?;
    let longest =
        RunParts { duration: Some(RunDuration::MAX), ..run(u128::MAX, "10:00", RunStatus::InProgress) };
    harness.start(&place, longest)?;
    check_environment(&harness, &place)?;
    check_run(&harness, &place, u128::MAX)
}

pub(super) fn every_text_comes_back(mut harness: Harness<'_>) -> Proof {
    let long = "🦀".repeat(64);
    for (number, text) in (1..).zip(TEXTS.into_iter().chain([long.as_str()])) {
        let key = place("job", text);
        harness
            .start(&key, RunParts { release: Some(text.into()), ..run(number, "10:00", RunStatus::Ok) })?;
        check_environment(&harness, &key)?;
        check_run(&harness, &key, number)?;
        harness.edit(&key.monitor, |row| row.name = text.into())?;
        check_monitor(&harness, &key.monitor)?;
    }
    harness.start(&job(), RunParts { release: Some("".into()), ..run(99, "10:00", RunStatus::Ok) })?;
    check_run(&harness, &job(), 99)
}

pub(super) fn every_time_comes_back(mut harness: Harness<'_>) -> Proof {
    for (number, time) in (1..).zip(far_times()) {
        let key = place("job", &format!("env-{number}"));
        let began = run_at(number, time, RunStatus::InProgress);
        harness.touch(&key, |row| {
            row.last_checkin = Some(time);
            row.expectation = match due(time).deadline() {
                Some(deadline) => Expectation::Next { since: time, deadline: *deadline },
                None => Expectation::Ended { since: time },
            };
            row.last_ok = Some(run_at(number, time, RunStatus::Ok).summary());
            row.health = Health::Error(incident(&key, 1, began.summary()));
        })?;
        check_environment(&harness, &key)?;
        harness.start(&key, RunParts { expected_at: Some(time), timeout_at: Some(time), ..began })?;
        check_run(&harness, &key, number)?;
    }
    Ok(())
}

pub(super) fn a_row_put_again_is_replaced_whole(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), full(1, "10:00", RunStatus::InProgress))?;
    harness.touch(&job(), |row| {
        row.last_checkin = Some(at("10:00"));
        row.expectation = due(at("11:05"));
        row.last_ok = Some(run(9, "10:03", RunStatus::Ok).summary());
        row.muted = true;
    })?;
    harness.edit(&job().monitor, |row| row.owner = Some(Owner::User(7)))?;

    harness.change(1, |run| {
        run.set_status(RunStatus::Ok);
        (run.duration, run.closed_by) = (None, None);
        (run.expected_at, run.trace_id, run.release) = (None, None, None);
    })?;
    check_run(&harness, &job(), 1)?;
    harness.touch(&job(), |row| {
        (row.last_checkin, row.last_ok, row.muted) = (None, None, false);
        row.expectation = Expectation::None;
    })?;
    check_environment(&harness, &job())?;
    harness.edit(&job().monitor, |row| row.owner = None)?;
    check_monitor(&harness, &job().monitor)
}

/// Decisions read only the open incident, which is in its environment, so the test can only look at the
/// commits.
pub(super) fn an_incident_is_put_as_often_as_it_changes(mut harness: Harness<'_>) -> Proof {
    let failed = run(1, "10:00", RunStatus::Error);
    harness.start(&job(), failed.clone())?;
    let mut row = incident(&job(), 1, failed.summary());
    for change in 0..3 {
        let mut transition = harness.touching(&job(), |environment| {
            environment.incidents = 1;
            environment.health = if change < 2 { Health::Error(Arc::clone(&row)) } else { Health::Ok };
        });
        transition.incidents = vec![Arc::clone(&row)];
        harness.commit(transition)?;
        let changed = Arc::make_mut(&mut row);
        match change {
            0 => changed.last_failure = at("11:00"),
            _ => changed.resolution = Some(Resolution { run: run_id(2), at: at("12:00") }),
        }
    }
    Ok(())
}

pub(super) fn names_that_differ_in_little_are_apart(mut harness: Harness<'_>) -> Proof {
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
        harness.start(key, run(number, "10:00", RunStatus::InProgress))?;
    }
    for (number, key) in (1..).zip(&keys) {
        let loaded = harness.load(key)?.environment.map(|row| row.runs);
        same(loaded, Some(1), format!("the count of runs of {:?}", key.name.as_str()))?;
        same(
            harness.anonymous(key, "10:09")?,
            Some(number),
            format!("the open run of {:?}", key.name.as_str()),
        )?;
    }
    same(
        harness.monitor_snapshot(&job().monitor)?.environments.len(),
        names.len(),
        "how many environments there are",
    )
}

pub(super) fn projects_are_apart(mut harness: Harness<'_>) -> Proof {
    assert_ne!(PROJECT, foreign().monitor.project);
    harness.start(&job(), run(1, "10:00", RunStatus::InProgress))?;
    same(
        harness.load_monitor(&foreign().monitor)?,
        None,
        "the monitor of this slug in a project that has none",
    )?;
    let seen = harness.load(&foreign())?;
    same((seen.monitor, seen.environment), (None, None), "what a project without monitors loads")?;
    harness.start(&foreign(), run(2, "10:00", RunStatus::InProgress))?;
    harness.edit(&foreign().monitor, |row| row.muted = true)?;
    for (key, number) in [(job(), 1), (foreign(), 2)] {
        same(
            &*harness.monitor_snapshot(&key.monitor)?.monitor,
            harness.monitor(&key.monitor),
            format!("{}", key.monitor),
        )?;
        same(harness.anonymous(&key, "10:09")?, Some(number), format!("the open run of {key}"))?;
    }
    Ok(())
}
