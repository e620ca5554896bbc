//! A commit is a conflict when a row has moved or an id is taken, and then only; and then nothing is written.

use std::sync::Arc;

use uuid::Uuid;

use crate::event::{Event, Occurrence};
use crate::id::EventId;
use crate::key::MonitorKey;
use crate::row::{Health, RunStatus, Version};
use crate::store::{CommitError, DueKind, MonitorChange, PutRun, Query, Transition};

use super::breach::{Breach, Proof, same};
use super::desk::Desk;
use super::sample::{dev, foreign, hourly, incident, job, monitor, place, run, run_id};

pub(super) fn an_organization_that_moved_is_a_conflict(mut desk: Desk<'_>) -> Proof {
    let first = desk.creating(&monitor("a"), hourly());
    desk.create(&monitor("b"), hourly())?;
    desk.conflict(&first, "the organization has got its row meanwhile")?;
    let (creation, removal) = (desk.creating(&monitor("c"), hourly()), desk.removing(&monitor("b")));
    desk.create(&monitor("d"), hourly())?;
    desk.conflict(&creation, "the organization has got another monitor meanwhile")?;
    desk.conflict(&removal, "the organization has got another monitor meanwhile")
}

pub(super) fn a_monitor_that_moved_is_a_conflict_for_its_edits(mut desk: Desk<'_>) -> Proof {
    desk.create(&monitor("job"), hourly())?;
    let name = desk.editing(&monitor("job"), |row| row.name = "Backup".into());
    desk.edit(&monitor("job"), |row| row.muted = true)?;
    desk.conflict(&name, "the monitor has been edited meanwhile")?;
    let name = desk.editing(&monitor("job"), |row| row.name = "Backup".into());
    desk.remove(&monitor("job"))?;
    desk.create(&monitor("job"), hourly())?;
    desk.conflict(&name, "the monitor has been removed meanwhile, and made anew with a lower version")
}

pub(super) fn a_monitor_that_moved_is_a_conflict_for_its_runs(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", RunStatus::Ok))?;
    let checkin = desk.starting(&job(), [run(2, "11:00", RunStatus::Ok)]);
    desk.edit(&job().monitor, |row| row.muted = true)?;
    desk.conflict(&checkin, "the monitor that it keeps has been edited meanwhile")
}

pub(super) fn a_monitor_that_moved_is_not_removed(mut desk: Desk<'_>) -> Proof {
    desk.create(&monitor("job"), hourly())?;
    let removal = desk.removing(&monitor("job"));
    desk.edit(&monitor("job"), |row| row.muted = true)?;
    desk.conflict(&removal, "the monitor has been edited meanwhile")
}

pub(super) fn a_monitor_that_is_there_cannot_be_new(mut desk: Desk<'_>) -> Proof {
    // Created by somebody else, while the organization's row is as it was: only the key is in the way.
    desk.create(&monitor("job"), hourly())?;
    let again = desk.creating(&monitor("job"), hourly());
    desk.conflict(&again, "there is a monitor of this key already")
}

pub(super) fn a_monitor_that_is_gone_is_a_conflict(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", RunStatus::Ok))?;
    desk.create(&monitor("other"), hourly())?;
    let key = job().monitor;
    // Nothing but the monitor is to be in the way.
    let alone = |late| Transition { organization: None, environments: Vec::new(), ..late };
    let kept = alone(desk.touching(&job(), |_| {}));
    let edited = alone(desk.editing(&key, |row| row.muted = true));
    let removed = alone(desk.removing(&key));
    desk.remove(&key)?;
    for late in [kept, edited, removed] {
        desk.conflict(&late, "the monitor has been removed meanwhile")?;
    }
    Ok(())
}

pub(super) fn an_environment_that_moved_is_a_conflict(mut desk: Desk<'_>) -> Proof {
    let keys = ["a", "b", "c"].map(|name| place("job", name));
    desk.commit(desk.touching_all(keys.clone(), |_| {}))?;
    for moved in &keys {
        let alone = desk.touching(moved, |row| row.muted = true);
        let all = desk.touching_all(keys.clone(), |row| row.dormant = true);
        desk.touch(moved, |row| row.muted = false)?;
        desk.conflict(&alone, &format!("{moved} has moved meanwhile"))?;
        desk.conflict(&all, &format!("{moved}, one of three environments, has moved meanwhile"))?;
    }
    Ok(())
}

pub(super) fn an_environment_that_is_there_cannot_be_new(mut desk: Desk<'_>) -> Proof {
    desk.create(&job().monitor, hourly())?;
    let mut late = desk.starting(&dev(), [run(2, "11:00", RunStatus::Ok)]);
    desk.start(&dev(), run(1, "10:00", RunStatus::Ok))?;
    // The monitor has moved as well; as if the decision knew that, but not why.
    late.monitor = desk.editing(&job().monitor, |_| {}).monitor;
    desk.conflict(&late, "there is an environment of this key already")
}

pub(super) fn a_run_that_is_there_cannot_be_new(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", RunStatus::Ok))?;
    desk.start(&job(), run(2, "10:01", RunStatus::InProgress))?;
    for number in [1, 2] {
        let again = desk.starting(&job(), [run(number, "11:00", RunStatus::Ok)]);
        desk.conflict(&again, &format!("run {number} is there already"))?;
        let among = [run(8, "11:00", RunStatus::Ok), run(number, "11:00", RunStatus::Ok)];
        let among = desk.starting(&job(), among);
        desk.conflict(&among, &format!("run {number}, the second of two, is there already"))?;
    }
    Ok(())
}

pub(super) fn a_run_elsewhere_cannot_be_new_here(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", RunStatus::Ok))?;
    for key in [dev(), place("other", "production"), foreign()] {
        desk.touch(&key, |_| {})?;
        let again = desk.starting(&key, [run(1, "11:00", RunStatus::Ok)]);
        desk.conflict(&again, &format!("run 1 of {} is there already, and {key} is another place", job()))?;
    }
    Ok(())
}

/// All that can be read about one monitor and what surrounds it.
fn everything(desk: &Desk<'_>, key: &MonitorKey) -> Result<String, Breach> {
    let creation = Query::creation(desk.organization().id, desk.policy());
    let organization = desk.store.load(&place("nobody", "production"), &creation)?;
    let whole = desk.load_monitor(key)?;
    let mut runs = Vec::new();
    for number in [1, 2, 3, 4] {
        runs.push(desk.find(&job(), number)?);
    }
    let stage = desk.load(&place("job", "stage"))?;
    Ok(format!("{organization:#?} {whole:#?} {runs:#?} {stage:#?} {:#?}", desk.due(DueKind::Timeout)?))
}

/// What a conflict is about, and how to bring it about.
type Spoil<'a> = (&'a str, &'a dyn Fn(&mut Transition));

pub(super) fn a_conflict_leaves_nothing_behind(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", RunStatus::InProgress))?;
    desk.start(&dev(), run(2, "10:00", RunStatus::InProgress))?;
    desk.edit(&job().monitor, |row| row.muted = true)?;
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
        let mut all = desk.creating(&job().monitor, hourly());
        let edited = desk.editing(&job().monitor, |row| row.name = "Changed".into());
        all.monitor = edited.monitor;
        let changed = desk.changing(1, |run| run.status = RunStatus::Error);
        let started = desk.starting(&dev(), [run(3, "11:00", RunStatus::InProgress)]);
        let stage = desk.starting(&place("job", "stage"), [run(4, "11:00", RunStatus::InProgress)]);
        for part in [changed, started, stage] {
            all.environments.extend(part.environments);
            all.runs.extend(part.runs);
        }
        all.environments[0].row.health = Health::Error(incident(&job(), 1, desk.run(1)));
        all.incidents = vec![incident(&job(), 1, desk.run(1))];
        all.events = told(&desk);
        spoil(&mut all);

        let before = everything(&desk, &job().monitor)?;
        match desk.store.commit(&all) {
            Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => return Err(error.into()),
            // That it is a conflict is promised elsewhere.
            Ok(()) => return Ok(()),
        }
        let after = everything(&desk, &job().monitor)?;
        if let Some((was, is)) = before.lines().zip(after.lines()).find(|(was, is)| was != is) {
            let seen = format!(
                "a conflict over the {row} has left something: `{}` became `{}`",
                was.trim(),
                is.trim()
            );
            return Err(Breach::new(seen));
        }
        same(after.len(), before.len(), format!("what can be read after a conflict over the {row}"))?;
    }
    Ok(())
}

fn renamed(put: PutRun, number: u128) -> Box<crate::row::Run> {
    Box::new(crate::row::Run { id: run_id(number), ..put.run().clone() })
}

/// An event such as a failing run causes.
fn told(desk: &Desk<'_>) -> Vec<Event> {
    let incident = incident(&job(), 1, desk.run(1));
    vec![Event::IncidentOpened(Occurrence {
        id: EventId::from_uuid(Uuid::from_u128(5)),
        monitor: Arc::new(desk.monitor(&job().monitor).clone()),
        environment: job().name,
        run: incident.first,
        failing: [incident.first].into(),
        incident,
        last_ok: None,
        trace_id: None,
    })]
}

pub(super) fn an_event_told_again_is_in_nobodys_way(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", RunStatus::Error))?;
    for _ in 0..2 {
        let mut transition = desk.touching(&job(), |_| {});
        transition.events = told(&desk);
        desk.commit(transition)?;
    }
    Ok(())
}

pub(super) fn what_a_transition_does_not_name_may_move(mut desk: Desk<'_>) -> Proof {
    let others = [dev(), place("other", "production"), foreign()];
    for (number, key) in (1..).zip([job()].iter().chain(&others)) {
        desk.start(key, run(number, "10:00", RunStatus::InProgress))?;
    }
    for other in &others {
        let mut decided = desk.changing(1, |run| run.updated_at += chrono::TimeDelta::minutes(1));
        decided.environments[0].row.runs += 1;
        desk.touch(other, |row| row.muted = true)?;
        desk.commit(decided)?;
    }
    let decided = desk.changing(1, |run| run.status = RunStatus::Ok);
    desk.edit(&monitor("other"), |row| row.muted = true)?;
    desk.create(&monitor("new"), hourly())?;
    desk.remove(&monitor("other"))?;
    desk.commit(decided)
}
