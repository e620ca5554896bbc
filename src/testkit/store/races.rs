//! Promises for threads that share the store.

use std::sync::Barrier;
use std::thread;

use chrono::TimeDelta;

use crate::decision::{RunLookup, Transition};
use crate::row::RunStatus;
use crate::rules::Query;
use crate::store::CommitError;

use super::erased::{ErasedError, ErasedStore};
use super::failure::{Failure, Proof, holds, same};
use super::harness::Harness;
use super::sample::{at, hourly, job, looking_back, monitor, place, run, run_id};

/// How often a race is repeated.
const ROUNDS: u128 = 25;

/// Commits all at once, and returns which succeeded.
fn race(store: &ErasedStore<'_>, transitions: &[Transition]) -> Result<Vec<bool>, ErasedError> {
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

/// Races two transitions, of which one must conflict.
fn one_wins(harness: &mut Harness<'_>, rivals: [Transition; 2], over: &str) -> Proof {
    let won = race(harness.store, &rivals)?;
    let winners = won.iter().filter(|won| **won).count();
    same(winners, 1, format!("how many of two commits at once were applied, {over}"))?;
    for (transition, won) in rivals.into_iter().zip(won) {
        if won {
            harness.remember(transition);
        }
    }
    Ok(())
}

pub(super) fn of_two_that_change_an_environment_one_wins(mut harness: Harness<'_>) -> Proof {
    for round in 0..ROUNDS {
        let key = place("job", &format!("env-{round}"));
        harness.touch(&key, |_| {})?;
        let rivals = [1, 2].map(|run| round * 2 + run);
        let rivals = rivals.map(|number| harness.starting(&key, [run(number, "10:00", RunStatus::Ok)]));
        one_wins(&mut harness, rivals, "both of them for one environment")?;
    }
    Ok(())
}

pub(super) fn of_two_that_edit_a_monitor_one_wins(mut harness: Harness<'_>) -> Proof {
    harness.create(&monitor("job"), hourly())?;
    for _ in 0..ROUNDS {
        let rivals =
            ["One", "Two"].map(|name| harness.editing(&monitor("job"), |row| row.name = name.into()));
        one_wins(&mut harness, rivals, "both of them edits of one monitor")?;
    }
    Ok(())
}

pub(super) fn of_two_that_create_a_monitor_one_wins(mut harness: Harness<'_>) -> Proof {
    for round in 0..ROUNDS {
        let slugs = ["a", "b"].map(|racer| monitor(&format!("{racer}{round}")));
        let rivals = slugs.map(|key| harness.creating(&key, hourly()));
        one_wins(&mut harness, rivals, "both of them for one organization")?;
    }
    Ok(())
}

pub(super) fn of_two_that_start_one_run_one_wins(mut harness: Harness<'_>) -> Proof {
    for round in 0..ROUNDS {
        let keys = ["a", "b"].map(|slug| place(slug, &format!("env-{round}")));
        for key in &keys {
            harness.touch(key, |_| {})?;
        }
        let rivals = keys.map(|key| harness.starting(&key, [run(round + 1, "10:00", RunStatus::Ok)]));
        one_wins(&mut harness, rivals, "both of them with a new run of one id")?;
    }
    Ok(())
}

/// Writes and reads at the same time, and waits for both.
fn meanwhile<T: Send>(
    store: &ErasedStore<'_>,
    transition: &Transition,
    read: impl FnOnce() -> Result<T, ErasedError> + Send,
) -> Result<T, Failure> {
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
        Err(CommitError::Conflict) => Err(Failure::new("a conflict, though nobody else has written")),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

pub(super) fn a_snapshot_is_of_one_moment(mut harness: Harness<'_>) -> Proof {
    harness.create(&job().monitor, looking_back(2))?;
    harness.start(&job(), run(1, "10:00", RunStatus::InProgress))?;
    for round in 0..2 * ROUNDS {
        let now = at("10:00") + TimeDelta::seconds(i64::try_from(round).unwrap() + 1);
        // Both rows hold the same time, before and after.
        let mut transition = harness.changing(1, |run| run.updated_at = now);
        transition.environments[0].row.last_checkin = Some(now);
        let query = Query::run_of(run_id(1), harness.policy());
        let snapshot = meanwhile(harness.store, &transition, || harness.store.load(&job(), &query))?;
        harness.remember(transition);
        let (Some(environment), Some(RunLookup::Own(run))) = (snapshot.environment, snapshot.run) else {
            return Err(Failure::new("the environment or its run was not there while it was written"));
        };
        let is_mixed = environment.last_checkin.is_some_and(|seen| seen != run.updated_at());
        let is_current = environment.version == harness.environment(&job()).version;
        // A decision on these rows would be committed. On an older environment it would conflict.
        holds(!(is_mixed && is_current), "an environment as it is now came with a run as it was before")?;
    }
    Ok(())
}

pub(super) fn a_monitor_loaded_whole_is_of_one_moment(mut harness: Harness<'_>) -> Proof {
    harness.create(&job().monitor, hourly())?;
    for round in 0..2 * ROUNDS {
        let key = place("job", &format!("env-{round}"));
        let transition = harness.starting(&key, [run(round + 1, "10:00", RunStatus::InProgress)]);
        let read = || harness.store.load_monitor(&job().monitor);
        let seen = meanwhile(harness.store, &transition, read)?;
        harness.remember(transition);
        let seen = seen.ok_or_else(|| Failure::new("the monitor was not there while it was written"))?;
        let counts = [seen.environments.len(), seen.open_runs.len()];
        let is_mixed = counts != [seen.monitor.environments as usize; 2];
        let is_current = seen.monitor.version == harness.monitor(&job().monitor).version;
        let otherwise = "a monitor as it is now came with environments or open runs as they were before";
        holds(!(is_mixed && is_current), otherwise)?;
    }
    Ok(())
}

pub(super) fn everybody_gets_through_in_the_end(mut harness: Harness<'_>) -> Proof {
    harness.touch(&job(), |_| {})?;
    for round in 0..ROUNDS {
        let rivals = [1, 2].map(|rival| run(round * 2 + rival, "10:00", RunStatus::Ok));
        let decided = rivals.clone().map(|run| harness.starting(&job(), [run]));
        let won = race(harness.store, &decided)?;
        for (transition, won) in decided.into_iter().zip(&won) {
            if *won {
                harness.remember(transition);
            }
        }
        // The loser decides again.
        for (run, _) in rivals.into_iter().zip(won).filter(|(_, won)| !won) {
            harness.start(&job(), run)?;
        }
    }
    Ok(())
}
