//! Monitors are loaded and removed as a whole.

use crate::checkin::CheckinStatus;
use crate::decision::MonitorSnapshot;
use crate::id::{MonitorKey, RunId};
use crate::row::{Run, RunParts, RunStatus, Watch};
use crate::store::DueKind;

use super::failure::{Failure, Proof, same};
use super::harness::Harness;
use super::sample::{at, dev, due, foreign, hourly, job, looking_back, place, run, run_id, valid};

use RunStatus::{InProgress, Ok as Succeeded};

fn names(snapshot: &MonitorSnapshot) -> Vec<&str> {
    snapshot.environments.iter().map(|row| row.key.name.as_str()).collect()
}

/// The open runs of a monitor, in any order.
fn open(harness: &Harness<'_>, key: &MonitorKey) -> Result<Vec<RunId>, Failure> {
    let mut open: Vec<_> = harness.monitor_snapshot(key)?.open_runs.iter().map(Run::id).collect();
    open.sort();
    Ok(open)
}

pub(super) fn a_monitor_is_loaded_with_its_environments(mut harness: Harness<'_>) -> Proof {
    harness.create(&job().monitor, hourly())?;
    same(names(&harness.monitor_snapshot(&job().monitor)?), [""; 0], "the environments of a new monitor")?;
    for name in ["b", "production", "a", "Z", "\u{e9}"] {
        harness.touch(&place("job", name), |_| {})?;
    }
    harness.touch(&place("other", "c"), |_| {})?;
    harness.touch(&foreign(), |_| {})?;
    harness.touch(&place("job", "b"), |row| row.watch = Watch::EnvironmentDisabled)?;
    harness.touch(&place("job", "a"), |row| row.watch = Watch::MonitorDisabled)?;
    let seen = harness.monitor_snapshot(&job().monitor)?;
    same(
        names(&seen),
        ["Z", "a", "b", "production", "\u{e9}"],
        "all environments, by the bytes of their names",
    )
}

pub(super) fn a_monitor_is_loaded_with_its_open_runs(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", InProgress))?;
    harness.start(&job(), run(2, "10:01", Succeeded))?;
    harness.start(&job(), run(3, "10:02", InProgress))?;
    harness.start(&dev(), run(4, "10:03", InProgress))?;
    harness.start(&dev(), run(5, "10:04", InProgress))?;
    harness.start(&place("other", "production"), run(6, "10:04", InProgress))?;
    harness.start(&foreign(), run(7, "10:04", InProgress))?;
    harness.touch(&dev(), |row| row.watch = Watch::EnvironmentDisabled)?;
    let key = job().monitor;
    same(open(&harness, &key)?, [1, 3, 4, 5].map(run_id), "the runs in progress, of all its environments")?;
    harness.change(3, |run| run.set_status(RunStatus::Timeout))?;
    same(open(&harness, &key)?, [1, 4, 5].map(run_id), "the runs in progress, once another has timed out")
}

pub(super) fn a_large_monitor_is_loaded_whole(mut harness: Harness<'_>) -> Proof {
    const LARGE: usize = 1_200;
    let keys = (0..LARGE).map(|number| place("job", &format!("env-{number}")));
    harness.commit(harness.touching_all(keys, |_| {}))?;
    let runs = (0..LARGE).map(|number| run(1 + number as u128, "10:00", InProgress));
    harness.commit(harness.starting(&place("job", "env-7"), runs))?;
    let seen = harness.monitor_snapshot(&job().monitor)?;
    let counts = (seen.environments.len(), seen.open_runs.len());
    same(counts, (LARGE, LARGE), "how many environments and open runs")
}

pub(super) fn a_removed_monitor_is_found_no_more(mut harness: Harness<'_>) -> Proof {
    for (number, key) in (1..).zip([job(), dev()]) {
        harness.start(&key, run(number, "10:00", InProgress))?;
        harness.touch(&key, |row| row.expectation = due(at("11:05")))?;
    }
    harness.remove(&job().monitor)?;
    same(harness.load_monitor(&job().monitor)?, None, "the removed monitor")?;
    let seen = harness.load(&job())?;
    same((seen.monitor, seen.environment), (None, None), "the removed monitor and its environment, loaded")?;
    for kind in [DueKind::Miss, DueKind::Timeout] {
        same(harness.due(kind)?, [], format!("{kind:?}: what is due of the removed monitor"))?;
    }
    Ok(())
}

pub(super) fn a_removed_monitor_takes_its_runs_with_it(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", InProgress))?;
    harness.start(&dev(), run(2, "10:00", Succeeded))?;
    harness.remove(&job().monitor)?;
    let other = place("other", "production");
    for number in [1, 2] {
        same(harness.find(&job(), number)?, None, format!("run {number} of the removed monitor"))?;
        same(
            harness.find(&other, number)?,
            None,
            format!("run {number} of the removed monitor, from another"),
        )?;
        // Its id is free.
        harness.start(&other, run(number, "11:00", InProgress))?;
    }
    Ok(())
}

pub(super) fn a_monitor_made_anew_starts_afresh(mut harness: Harness<'_>) -> Proof {
    let closing = match valid(&job(), 0, "10:05", CheckinStatus::Ok).run {
        crate::decision::RunQuery::Anonymous(id) => id,
        other => unreachable!("{other:?}"),
    };
    harness.create(&job().monitor, looking_back(9))?;
    harness.start(&job(), RunParts { closed_by: Some(closing), ..run(1, "10:00", Succeeded) })?;
    harness.start(&job(), run(2, "10:01", InProgress))?;
    harness.start(&dev(), run(3, "10:01", InProgress))?;
    harness.remove(&job().monitor)?;
    harness.create(&job().monitor, looking_back(9))?;
    same(names(&harness.monitor_snapshot(&job().monitor)?), [""; 0], "the environments of the new monitor")?;
    same(harness.load(&job())?.environment, None, "the environment of the one before")?;
    harness.start(&job(), run(4, "12:00", InProgress))?;
    same(open(&harness, &job().monitor)?, [run_id(4)], "the open runs of the new monitor")?;
    same(
        harness.history(&job(), "13:00")?,
        [0; 0],
        "the history of the new monitor, whose only run is open",
    )?;
    same(harness.anonymous(&job(), "10:05")?, Some(4), "what the message finds that had closed an old run")
}

pub(super) fn others_stay_when_a_monitor_goes(mut harness: Harness<'_>) -> Proof {
    let others = [place("job-2", "production"), place("jo", "production"), foreign()];
    harness.start(&job(), run(9, "10:00", Succeeded))?;
    for (number, key) in (1..).zip(&others) {
        harness.start(key, run(number, "10:00", InProgress))?;
        harness.touch(key, |row| row.expectation = due(at("11:05")))?;
    }
    harness.remove(&job().monitor)?;
    for (number, key) in (1..).zip(&others) {
        let seen = harness.monitor_snapshot(&key.monitor)?;
        same(&*seen.monitor, harness.monitor(&key.monitor), format!("the monitor {}", key.monitor))?;
        same(
            seen.environments,
            [harness.environment(key).clone()],
            format!("the environments of {}", key.monitor),
        )?;
        same(seen.open_runs, [harness.run(number).clone()], format!("the open runs of {}", key.monitor))?;
    }
    for kind in [DueKind::Miss, DueKind::Timeout] {
        same(harness.due(kind)?.len(), others.len(), format!("{kind:?}: how many of the others are due"))?;
    }
    Ok(())
}
