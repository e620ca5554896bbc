//! A commit is a conflict only when a row has changed or an id is taken. A conflict writes nothing.

use std::sync::Arc;

use uuid::Uuid;

use crate::decision::{MonitorChange, PutRun, Transition};
use crate::event::{Event, Occurrence};
use crate::id::{EventId, MonitorKey, Version};
use crate::row::{Health, Run, RunStatus, Watch};
use crate::rules::Query;
use crate::store::{CommitError, DueKind};

use super::failure::{Failure, Proof, same};
use super::harness::Harness;
use super::sample::{dev, foreign, hourly, incident, job, monitor, place, run, run_id};

pub(super) fn an_organization_that_moved_is_a_conflict(mut harness: Harness<'_>) -> Proof {
    let first = harness.creating(&monitor("a"), hourly());
    harness.create(&monitor("b"), hourly())?;
    harness.conflict(&first, "the organization has got its row meanwhile")?;
    let (creation, removal) = (harness.creating(&monitor("c"), hourly()), harness.removing(&monitor("b")));
    harness.create(&monitor("d"), hourly())?;
    harness.conflict(&creation, "the organization has got another monitor meanwhile")?;
    harness.conflict(&removal, "the organization has got another monitor meanwhile")
}

pub(super) fn a_monitor_that_moved_is_a_conflict_for_its_edits(mut harness: Harness<'_>) -> Proof {
    harness.create(&monitor("job"), hourly())?;
    let name = harness.editing(&monitor("job"), |row| row.name = "Backup".into());
    harness.edit(&monitor("job"), |row| row.muted = true)?;
    harness.conflict(&name, "the monitor has been edited meanwhile")?;
    let name = harness.editing(&monitor("job"), |row| row.name = "Backup".into());
    harness.remove(&monitor("job"))?;
    harness.create(&monitor("job"), hourly())?;
    harness.conflict(&name, "the monitor has been removed meanwhile, and made anew with a lower version")
}

pub(super) fn a_monitor_that_moved_is_a_conflict_for_its_runs(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", RunStatus::Ok))?;
    let checkin = harness.starting(&job(), [run(2, "11:00", RunStatus::Ok)]);
    harness.edit(&job().monitor, |row| row.muted = true)?;
    harness.conflict(&checkin, "the monitor that it keeps has been edited meanwhile")
}

pub(super) fn a_monitor_that_moved_is_not_removed(mut harness: Harness<'_>) -> Proof {
    harness.create(&monitor("job"), hourly())?;
    let removal = harness.removing(&monitor("job"));
    harness.edit(&monitor("job"), |row| row.muted = true)?;
    harness.conflict(&removal, "the monitor has been edited meanwhile")
}

pub(super) fn a_monitor_that_is_there_cannot_be_new(mut harness: Harness<'_>) -> Proof {
    // Another process created it, and the organization's row is as expected: only the key conflicts.
    harness.create(&monitor("job"), hourly())?;
    let again = harness.creating(&monitor("job"), hourly());
    harness.conflict(&again, "there is a monitor of this key already")
}

pub(super) fn a_monitor_that_is_gone_is_a_conflict(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", RunStatus::Ok))?;
    harness.create(&monitor("other"), hourly())?;
    let key = job().monitor;
    // Only the monitor may conflict.
    let alone = |late| Transition { organization: None, environments: Vec::new(), ..late };
    let kept = alone(harness.touching(&job(), |_| {}));
    let edited = alone(harness.editing(&key, |row| row.muted = true));
    let removed = alone(harness.removing(&key));
    harness.remove(&key)?;
    for late in [kept, edited, removed] {
        harness.conflict(&late, "the monitor has been removed meanwhile")?;
    }
    Ok(())
}

pub(super) fn an_environment_that_moved_is_a_conflict(mut harness: Harness<'_>) -> Proof {
    let keys = ["a", "b", "c"].map(|name| place("job", name));
    harness.commit(harness.touching_all(keys.clone(), |_| {}))?;
    for moved in &keys {
        let alone = harness.touching(moved, |row| row.muted = true);
        let all = harness.touching_all(keys.clone(), |row| row.watch = Watch::MonitorDisabled);
        harness.touch(moved, |row| row.muted = false)?;
        harness.conflict(&alone, &format!("{moved} has moved meanwhile"))?;
        harness.conflict(&all, &format!("{moved}, one of three environments, has moved meanwhile"))?;
    }
    Ok(())
}

pub(super) fn an_environment_that_is_there_cannot_be_new(mut harness: Harness<'_>) -> Proof {
    harness.create(&job().monitor, hourly())?;
    let mut late = harness.starting(&dev(), [run(2, "11:00", RunStatus::Ok)]);
    harness.start(&dev(), run(1, "10:00", RunStatus::Ok))?;
    // The monitor has changed too. Expect its new version, so that only the environment conflicts.
    late.monitor = harness.editing(&job().monitor, |_| {}).monitor;
    harness.conflict(&late, "there is an environment of this key already")
}

pub(super) fn a_run_that_is_there_cannot_be_new(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", RunStatus::Ok))?;
    harness.start(&job(), run(2, "10:01", RunStatus::InProgress))?;
    for number in [1, 2] {
        let again = harness.starting(&job(), [run(number, "11:00", RunStatus::Ok)]);
        harness.conflict(&again, &format!("run {number} is there already"))?;
        let among = [run(8, "11:00", RunStatus::Ok), run(number, "11:00", RunStatus::Ok)];
        let among = harness.starting(&job(), among);
        harness.conflict(&among, &format!("run {number}, the second of two, is there already"))?;
    }
    Ok(())
}

pub(super) fn a_run_elsewhere_cannot_be_new_here(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", RunStatus::Ok))?;
    for key in [dev(), place("other", "production"), foreign()] {
        harness.touch(&key, |_| {})?;
        let again = harness.starting(&key, [run(1, "11:00", RunStatus::Ok)]);
        harness
            .conflict(&again, &format!("run 1 of {} is there already, and {key} is another place", job()))?;
    }
    Ok(())
}

/// All that can be read about one monitor and the rows around it.
fn everything(harness: &Harness<'_>, key: &MonitorKey) -> Result<String, Failure> {
    let creation = Query::creation(harness.organization().id, harness.policy());
    let organization = harness.store.load(&place("nobody", "production"), &creation)?;
    let whole = harness.load_monitor(key)?;
    let mut runs = Vec::new();
    for number in [1, 2, 3, 4] {
        runs.push(harness.find(&job(), number)?);
    }
    let stage = harness.load(&place("job", "stage"))?;
    Ok(format!("{organization:#?} {whole:#?} {runs:#?} {stage:#?} {:#?}", harness.due(DueKind::Timeout)?))
}

/// What a conflict is about, and how to bring it about.
type Spoil<'a> = (&'a str, &'a dyn Fn(&mut Transition));

pub(super) fn a_conflict_leaves_nothing_behind(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", RunStatus::InProgress))?;
    harness.start(&dev(), run(2, "10:00", RunStatus::InProgress))?;
    harness.edit(&job().monitor, |row| row.muted = true)?;
    let older = |version: Version| Version::from_number(version.number() - 1);
    let spoil: [Spoil<'_>; 6] = [
        ("organization", &|all| {
            if let Some(put) = &mut all.organization {
                put.replaces = older(put.replaces);
            }
        }),
        ("monitor", &|all| {
            if let MonitorChange::Put(put) = &mut all.monitor {
                put.replaces = older(put.replaces);
            }
        }),
        ("first environment", &|all| all.environments[0].replaces = Version::from_number(99)),
        ("last environment", &|all| all.environments[2].replaces = Version::from_number(99)),
        ("first new run", &|all| all.runs[1] = PutRun::New(renamed(all.runs[1].clone(), 1))),
        ("last new run", &|all| all.runs[2] = PutRun::New(renamed(all.runs[2].clone(), 2))),
    ];
    for (row, spoil) in spoil {
        // Every kind of row at once.
        let mut all = harness.creating(&job().monitor, hourly());
        let edited = harness.editing(&job().monitor, |row| row.name = "Changed".into());
        all.monitor = edited.monitor;
        let changed = harness.changing(1, |run| run.set_status(RunStatus::Error));
        let started = harness.starting(&dev(), [run(3, "11:00", RunStatus::InProgress)]);
        let stage = harness.starting(&place("job", "stage"), [run(4, "11:00", RunStatus::InProgress)]);
        for part in [changed, started, stage] {
            all.environments.extend(part.environments);
            all.runs.extend(part.runs);
        }
        all.environments[0].row.health = Health::Error(incident(&job(), 1, harness.run(1).summary()));
        all.incidents = vec![incident(&job(), 1, harness.run(1).summary())];
        all.events = told(&harness);
        spoil(&mut all);

        let before = everything(&harness, &job().monitor)?;
        match harness.store.commit(&all) {
            Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => return Err(error.into()),
            // Other promises say that it is a conflict.
            Ok(()) => return Ok(()),
        }
        let after = everything(&harness, &job().monitor)?;
        if let Some((was, is)) = before.lines().zip(after.lines()).find(|(was, is)| was != is) {
            let seen = format!(
                "a conflict over the {row} has left something: `{}` became `{}`",
                was.trim(),
                is.trim()
            );
            return Err(Failure::new(seen));
        }
        same(after.len(), before.len(), format!("what can be read after a conflict over the {row}"))?;
    }
    Ok(())
}

fn renamed(put: PutRun, number: u128) -> Box<Run> {
    Box::new(Run { id: run_id(number), ..put.run().clone() })
}

/// An event such as a failing run causes.
fn told(harness: &Harness<'_>) -> Vec<Event> {
    let incident = incident(&job(), 1, harness.run(1).summary());
    vec![Event::IncidentOpened(Occurrence {
        id: EventId::from_uuid(Uuid::from_u128(5)),
        monitor: Arc::new(harness.monitor(&job().monitor).clone()),
        environment: job().name,
        run: incident.first,
        failing: [incident.first].into(),
        incident,
        last_ok: None,
        trace_id: None,
    })]
}

pub(super) fn an_event_told_again_is_in_nobodys_way(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", RunStatus::Error))?;
    for _ in 0..2 {
        let mut transition = harness.touching(&job(), |_| {});
        transition.events = told(&harness);
        harness.commit(transition)?;
    }
    Ok(())
}

pub(super) fn what_a_transition_does_not_name_may_move(mut harness: Harness<'_>) -> Proof {
    let others = [dev(), place("other", "production"), foreign()];
    for (number, key) in (1..).zip([job()].iter().chain(&others)) {
        harness.start(key, run(number, "10:00", RunStatus::InProgress))?;
    }
    for other in &others {
        let mut decided = harness.changing(1, |run| run.updated_at += chrono::TimeDelta::minutes(1));
        decided.environments[0].row.runs += 1;
        harness.touch(other, |row| row.muted = true)?;
        harness.commit(decided)?;
    }
    let decided = harness.changing(1, |run| run.set_status(RunStatus::Ok));
    harness.edit(&monitor("other"), |row| row.muted = true)?;
    harness.create(&monitor("new"), hourly())?;
    harness.remove(&monitor("other"))?;
    harness.commit(decided)
}
