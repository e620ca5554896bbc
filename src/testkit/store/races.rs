//! What holds when threads share the store.

use std::sync::Barrier;
use std::thread;

use chrono::TimeDelta;

use crate::row::RunStatus;
use crate::store::{CommitError, Found, Query, Transition};

use super::breach::{Breach, Proof, holds, same};
use super::desk::Desk;
use super::sample::{at, hourly, job, looking_back, monitor, place, run, run_id};
use super::shelf::{Failure, Shelf};

/// How often a race is run.
const ROUNDS: u128 = 25;

/// Commits them all at once, and tells which succeeded.
fn race(store: &Shelf<'_>, transitions: &[Transition]) -> Result<Vec<bool>, Failure> {
    let start = Barrier::new(transitions.len());
    let run = |transition| {
        start.wait();
        match store.commit(transition) {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict) => Ok(false),
            Err(CommitError::Store(error)) => Err(error),
        }
    };
    let run = &run;
    thread::scope(|scope| {
        let racers: Vec<_> =
            transitions.iter().map(|transition| scope.spawn(move || run(transition))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

/// Races two transitions of which the first to be committed leaves the other a conflict.
fn one_wins(desk: &mut Desk<'_>, rivals: [Transition; 2], over: &str) -> Proof {
    let won = race(desk.store, &rivals)?;
    let winners = won.iter().filter(|won| **won).count();
    same(winners, 1, format!("how many of two commits at once were applied, {over}"))?;
    for (transition, won) in rivals.into_iter().zip(won) {
        if won {
            desk.remember(transition);
        }
    }
    Ok(())
}

pub(super) fn of_two_that_change_an_environment_one_wins(mut desk: Desk<'_>) -> Proof {
    for round in 0..ROUNDS {
        let key = place("job", &format!("env-{round}"));
        desk.touch(&key, |_| {})?;
        let rivals = [1, 2].map(|run| round * 2 + run);
        let rivals = rivals.map(|number| desk.starting(&key, [run(number, "10:00", RunStatus::Ok)]));
        one_wins(&mut desk, rivals, "both of them for one environment")?;
    }
    Ok(())
}

pub(super) fn of_two_that_edit_a_monitor_one_wins(mut desk: Desk<'_>) -> Proof {
    desk.create(&monitor("job"), hourly())?;
    for _ in 0..ROUNDS {
        let rivals = ["One", "Two"].map(|name| desk.editing(&monitor("job"), |row| row.name = name.into()));
        one_wins(&mut desk, rivals, "both of them edits of one monitor")?;
    }
    Ok(())
}

pub(super) fn of_two_that_create_a_monitor_one_wins(mut desk: Desk<'_>) -> Proof {
    for round in 0..ROUNDS {
        let slugs = ["a", "b"].map(|racer| monitor(&format!("{racer}{round}")));
        let rivals = slugs.map(|key| desk.creating(&key, hourly()));
        one_wins(&mut desk, rivals, "both of them for one organization")?;
    }
    Ok(())
}

pub(super) fn of_two_that_start_one_run_one_wins(mut desk: Desk<'_>) -> Proof {
    for round in 0..ROUNDS {
        let keys = ["a", "b"].map(|slug| place(slug, &format!("env-{round}")));
        for key in &keys {
            desk.touch(key, |_| {})?;
        }
        let rivals = keys.map(|key| desk.starting(&key, [run(round + 1, "10:00", RunStatus::Ok)]));
        one_wins(&mut desk, rivals, "both of them with a new run of one id")?;
    }
    Ok(())
}

/// Writes and reads at the same time, and then waits for both.
fn meanwhile<T: Send>(
    store: &Shelf<'_>,
    transition: &Transition,
    read: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<T, Breach> {
    let start = Barrier::new(2);
    let (written, seen) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            start.wait();
            read()
        });
        start.wait();
        (store.commit(transition), reader.join().unwrap())
    });
    match written {
        Ok(()) => Ok(seen?),
        Err(CommitError::Conflict) => Err(Breach::new("a conflict, though nobody else has written")),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

pub(super) fn a_snapshot_is_of_one_moment(mut desk: Desk<'_>) -> Proof {
    desk.create(&job().monitor, looking_back(2))?;
    desk.start(&job(), run(1, "10:00", RunStatus::InProgress))?;
    for round in 0..2 * ROUNDS {
        let now = at("10:00") + TimeDelta::seconds(i64::try_from(round).unwrap() + 1);
        // All rows tell the same time, before and after.
        let mut transition = desk.changing(1, |run| run.updated_at = now);
        transition.environments[0].row.last_checkin = Some(now);
        let query = Query::run_of(run_id(1), desk.policy());
        let snapshot = meanwhile(desk.store, &transition, || desk.store.load(&job(), &query))?;
        desk.remember(transition);
        let (Some(environment), Some(Found::Here(run))) = (snapshot.environment, snapshot.run) else {
            return Err(Breach::new("the environment or its run was not there while it was written"));
        };
        let is_mixed = environment.last_checkin.is_some_and(|seen| seen != run.updated_at);
        let is_current = environment.version == desk.environment(&job()).version;
        // What is decided on them would be committed. Were the environment the older one, it would not.
        holds(!(is_mixed && is_current), "an environment as it is now came with a run as it was before")?;
    }
    Ok(())
}

pub(super) fn a_monitor_loaded_whole_is_of_one_moment(mut desk: Desk<'_>) -> Proof {
    desk.create(&job().monitor, hourly())?;
    for round in 0..2 * ROUNDS {
        let key = place("job", &format!("env-{round}"));
        let transition = desk.starting(&key, [run(round + 1, "10:00", RunStatus::InProgress)]);
        let read = || desk.store.load_monitor(&job().monitor);
        let seen = meanwhile(desk.store, &transition, read)?;
        desk.remember(transition);
        let seen = seen.ok_or_else(|| Breach::new("the monitor was not there while it was written"))?;
        let counts = [seen.environments.len(), seen.open_runs.len()];
        let is_mixed = counts != [seen.monitor.environments as usize; 2];
        let is_current = seen.monitor.version == desk.monitor(&job().monitor).version;
        let otherwise = "a monitor as it is now came with environments or open runs as they were before";
        holds(!(is_mixed && is_current), otherwise)?;
    }
    Ok(())
}

pub(super) fn everybody_gets_through_in_the_end(mut desk: Desk<'_>) -> Proof {
    desk.touch(&job(), |_| {})?;
    for round in 0..ROUNDS {
        let rivals = [1, 2].map(|rival| run(round * 2 + rival, "10:00", RunStatus::Ok));
        let decided = rivals.clone().map(|run| desk.starting(&job(), [run]));
        let won = race(desk.store, &decided)?;
        for (transition, won) in decided.into_iter().zip(&won) {
            if *won {
                desk.remember(transition);
            }
        }
        // Who was too slow decides again.
        for (run, _) in rivals.into_iter().zip(won).filter(|(_, won)| !won) {
            desk.start(&job(), run)?;
        }
    }
    Ok(())
}
