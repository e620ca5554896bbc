//! Monitors as administration sees them: loaded whole, and removed whole.

use crate::checkin::ReportedStatus;
use crate::id::CheckinId;
use crate::key::MonitorKey;
use crate::row::{Run, RunStatus};
use crate::store::{DueKind, MonitorSnapshot};

use super::breach::{Breach, Proof, same};
use super::desk::Desk;
use super::sample::{arrival, at, dev, due, foreign, hourly, job, looking_back, place, run, run_id};

use RunStatus::{InProgress, Ok as Succeeded};

fn names(snapshot: &MonitorSnapshot) -> Vec<&str> {
    snapshot.environments.iter().map(|row| row.key.name.as_str()).collect()
}

/// The open runs of a monitor, in any order.
fn open(desk: &Desk<'_>, key: &MonitorKey) -> Result<Vec<CheckinId>, Breach> {
    let mut open: Vec<_> = desk.whole(key)?.open_runs.iter().map(Run::id).collect();
    open.sort();
    Ok(open)
}

pub(super) fn a_monitor_is_loaded_with_its_environments(mut desk: Desk<'_>) -> Proof {
    desk.create(&job().monitor, hourly())?;
    same(names(&desk.whole(&job().monitor)?), [""; 0], "the environments of a new monitor")?;
    for name in ["b", "production", "a", "Z", "\u{e9}"] {
        desk.touch(&place("job", name), |_| {})?;
    }
    desk.touch(&place("other", "c"), |_| {})?;
    desk.touch(&foreign(), |_| {})?;
    desk.touch(&place("job", "b"), |row| row.disabled = true)?;
    desk.touch(&place("job", "a"), |row| row.dormant = true)?;
    let seen = desk.whole(&job().monitor)?;
    same(
        names(&seen),
        ["Z", "a", "b", "production", "\u{e9}"],
        "all environments, by the bytes of their names",
    )
}

pub(super) fn a_monitor_is_loaded_with_its_open_runs(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", InProgress))?;
    desk.start(&job(), run(2, "10:01", Succeeded))?;
    desk.start(&job(), run(3, "10:02", InProgress))?;
    desk.start(&dev(), run(4, "10:03", InProgress))?;
    desk.start(&dev(), Run { timeout_at: None, ..run(5, "10:04", InProgress) })?;
    desk.start(&place("other", "production"), run(6, "10:04", InProgress))?;
    desk.start(&foreign(), run(7, "10:04", InProgress))?;
    desk.touch(&dev(), |row| row.disabled = true)?;
    let key = job().monitor;
    same(open(&desk, &key)?, [1, 3, 4, 5].map(run_id), "the runs in progress, of all its environments")?;
    desk.change(3, |run| run.status = RunStatus::Timeout)?;
    same(open(&desk, &key)?, [1, 4, 5].map(run_id), "the runs in progress, once another has timed out")
}

pub(super) fn a_large_monitor_is_loaded_whole(mut desk: Desk<'_>) -> Proof {
    const LARGE: usize = 1_200;
    let keys = (0..LARGE).map(|number| place("job", &format!("env-{number}")));
    desk.commit(desk.touching_all(keys, |_| {}))?;
    let runs = (0..LARGE).map(|number| run(1 + number as u128, "10:00", InProgress));
    desk.commit(desk.starting(&place("job", "env-7"), runs))?;
    let seen = desk.whole(&job().monitor)?;
    let counts = (seen.environments.len(), seen.open_runs.len());
    same(counts, (LARGE, LARGE), "how many environments and open runs")
}

pub(super) fn a_removed_monitor_is_found_no_more(mut desk: Desk<'_>) -> Proof {
    for (number, key) in (1..).zip([job(), dev()]) {
        desk.start(&key, run(number, "10:00", InProgress))?;
        desk.touch(&key, |row| row.deadline = due(at("11:05")))?;
    }
    desk.remove(&job().monitor)?;
    same(desk.load_monitor(&job().monitor)?, None, "the removed monitor")?;
    let seen = desk.load(&job())?;
    same((seen.monitor, seen.environment), (None, None), "the removed monitor and its environment, loaded")?;
    for kind in [DueKind::Miss, DueKind::Timeout] {
        same(desk.due(kind)?, [], format!("{kind:?}: what is due of the removed monitor"))?;
    }
    Ok(())
}

pub(super) fn a_removed_monitor_takes_its_runs_with_it(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", InProgress))?;
    desk.start(&dev(), run(2, "10:00", Succeeded))?;
    desk.remove(&job().monitor)?;
    let other = place("other", "production");
    for number in [1, 2] {
        same(desk.find(&job(), number)?, None, format!("run {number} of the removed monitor"))?;
        same(desk.find(&other, number)?, None, format!("run {number} of the removed monitor, from another"))?;
        // Its id is free.
        desk.start(&other, run(number, "11:00", InProgress))?;
    }
    Ok(())
}

pub(super) fn a_monitor_made_anew_starts_afresh(mut desk: Desk<'_>) -> Proof {
    let closing = match arrival(&job(), 0, "10:05", ReportedStatus::Ok).run {
        crate::store::RunQuery::Unnamed(id) => id,
        other => unreachable!("{other:?}"),
    };
    desk.create(&job().monitor, looking_back(9))?;
    desk.start(&job(), Run { closed_by: Some(closing), ..run(1, "10:00", Succeeded) })?;
    desk.start(&job(), run(2, "10:01", InProgress))?;
    desk.start(&dev(), run(3, "10:01", InProgress))?;
    desk.remove(&job().monitor)?;
    desk.create(&job().monitor, looking_back(9))?;
    same(names(&desk.whole(&job().monitor)?), [""; 0], "the environments of the new monitor")?;
    same(desk.load(&job())?.environment, None, "the environment of the one before")?;
    desk.start(&job(), run(4, "12:00", InProgress))?;
    same(open(&desk, &job().monitor)?, [run_id(4)], "the open runs of the new monitor")?;
    same(desk.history(&job(), "13:00")?, [0; 0], "the history of the new monitor, whose only run is open")?;
    same(desk.unnamed(&job(), "10:05")?, Some(4), "what the message finds that had closed an old run")
}

pub(super) fn others_stay_when_a_monitor_goes(mut desk: Desk<'_>) -> Proof {
    let others = [place("job-2", "production"), place("jo", "production"), foreign()];
    desk.start(&job(), run(9, "10:00", Succeeded))?;
    for (number, key) in (1..).zip(&others) {
        desk.start(key, run(number, "10:00", InProgress))?;
        desk.touch(key, |row| row.deadline = due(at("11:05")))?;
    }
    desk.remove(&job().monitor)?;
    for (number, key) in (1..).zip(&others) {
        let seen = desk.whole(&key.monitor)?;
        same(&*seen.monitor, desk.monitor(&key.monitor), format!("the monitor {}", key.monitor))?;
        same(
            seen.environments,
            [desk.environment(key).clone()],
            format!("the environments of {}", key.monitor),
        )?;
        same(seen.open_runs, [desk.run(number).clone()], format!("the open runs of {}", key.monitor))?;
    }
    for kind in [DueKind::Miss, DueKind::Timeout] {
        same(desk.due(kind)?.len(), others.len(), format!("{kind:?}: how many of the others are due"))?;
    }
    Ok(())
}
