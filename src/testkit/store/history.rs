//! The past runs that the thresholds need.

use chrono::TimeDelta;

use crate::checkin::CheckinStatus;
use crate::policy::Quirk;
use crate::row::{Health, RunStatus};
use crate::rules::Query;

use super::failure::{Failure, Proof, holds, same};
use super::harness::Harness;
use super::sample::{at, dev, incident, job, looking_back, place, run, run_at, run_id, valid};

use RunStatus::{Error, InProgress, Ok as Succeeded, Timeout, Unknown};

/// Puts the monitor `job`, with both thresholds at `count`, and these runs in production.
fn story<'a>(
    harness: Harness<'a>,
    count: u32,
    runs: &[(u128, &str, RunStatus)],
) -> Result<Harness<'a>, Failure> {
    let mut harness = harness;
    harness.create(&job().monitor, looking_back(count))?;
    for (number, started, status) in runs {
        harness.start(&job(), run(*number, started, *status))?;
    }
    Ok(harness)
}

const LATER: &str = "2024-09-03T00:00:00Z";

pub(super) fn history_is_newest_first(harness: Harness<'_>) -> Proof {
    let runs = [(9, "10:00"), (2, "12:00"), (3, "11:00"), (8, "12:00"), (5, "10:30")];
    let harness = story(harness, 9, &runs.map(|(number, started)| (number, started, Succeeded)))?;
    same(
        harness.history(&job(), LATER)?,
        [8, 2, 3, 5, 9],
        "runs by start, and those of one start by creation",
    )
}

pub(super) fn history_is_limited(harness: Harness<'_>) -> Proof {
    let runs = [(1, "10:00"), (2, "11:00"), (3, "12:00"), (4, "13:00")];
    let harness = story(harness, 3, &runs.map(|(number, started)| (number, started, Succeeded)))?;
    same(harness.history(&job(), LATER)?, [4, 3, 2], "the three newest of four runs")
}

pub(super) fn history_ends_where_it_is_told_to(mut harness: Harness<'_>) -> Proof {
    let runs = [(1, "10:00"), (2, "11:00"), (3, "12:00"), (4, "13:00")];
    harness = story(harness, 9, &runs.map(|(number, started)| (number, started, Error)))?;
    same(harness.history(&job(), "12:00")?, [3, 2, 1], "runs that started not later than 12:00")?;
    same(
        harness.history(&job(), "11:59:59")?,
        [2, 1],
        "runs that started not later than a second before 12:00",
    )?;
    same(harness.history(&job(), "09:00")?, [0; 0], "runs that started not later than 09:00")?;
    let open = incident(&job(), 1, harness.run(1).summary());
    harness.touch(&job(), |row| row.health = Health::Error(open.clone()))?;
    // A success is judged by the newest runs of all, whenever its own run started.
    let recovery = harness.judging(&valid(&job(), 9, "09:00", CheckinStatus::Ok))?.history;
    let seen: Vec<_> = recovery.iter().map(|run| run.id).collect();
    same(seen, [4, 3, 2, 1].map(run_id), "runs of any time, when the window has no end")
}

pub(super) fn runs_a_nanosecond_apart_are_told_apart(mut harness: Harness<'_>) -> Proof {
    let nanoseconds = |count| format!("2024-09-02T10:00:00.{count:09}Z");
    harness = story(harness, 9, &[])?;
    for (number, count) in (1..).zip([4, 2, 6]) {
        harness.start(&job(), run_at(number, at(&nanoseconds(count)), Error))?;
    }
    same(harness.history(&job(), LATER)?, [3, 1, 2], "runs in the order of their nanoseconds")?;
    same(
        harness.history(&job(), &nanoseconds(5))?,
        [1, 2],
        "runs that started not later than between the last two",
    )
}

pub(super) fn history_leaves_out_what_was_not_judged(harness: Harness<'_>) -> Proof {
    let runs = [
        (1, "10:00", Succeeded),
        (2, "10:01", InProgress),
        (3, "10:02", Error),
        (4, "10:03", RunStatus::Missed),
        (5, "10:04", Timeout),
        (6, "10:05", Unknown),
        (7, "10:06", InProgress),
    ];
    let harness = story(harness, 4, &runs)?;
    same(harness.history(&job(), LATER)?, [5, 4, 3, 1], "the four newest runs that succeeded or failed")
}

pub(super) fn history_holds_every_run_when_it_is_told_to(harness: Harness<'_>) -> Proof {
    let runs =
        [(1, "10:00", Succeeded), (2, "10:01", Unknown), (3, "10:02", InProgress), (4, "10:03", Error)];
    let harness = story(harness.keeping(Quirk::OpenRunsCountAsFailures), 9, &runs)?;
    same(harness.history(&job(), LATER)?, [4, 3, 2, 1], "all runs, judged or not")
}

pub(super) fn history_is_of_one_environment(harness: Harness<'_>) -> Proof {
    let mut harness = story(harness, 9, &[(1, "10:00", Error)])?;
    harness.start(&dev(), run(2, "10:00", Error))?;
    harness.start(&place("other", "production"), run(3, "10:00", Error))?;
    harness.start(&job(), run(4, "10:01", Error))?;
    same(harness.history(&job(), LATER)?, [4, 1], format!("the runs of {}", job()))?;
    same(harness.history(&dev(), LATER)?, [2], format!("the runs of {}", dev()))
}

pub(super) fn history_shows_runs_as_they_are_now(harness: Harness<'_>) -> Proof {
    let mut harness = story(harness, 9, &[(1, "10:00", InProgress), (2, "10:01", InProgress)])?;
    harness.change(1, |run| run.set_status(Error))?;
    harness.change(2, |run| run.set_status(Timeout))?;
    let seen = harness.judging(&valid(&job(), 9, LATER, CheckinStatus::Error))?.history;
    same(
        seen,
        [harness.run(2).summary(), harness.run(1).summary()],
        "what became of two runs that were in progress",
    )
}

pub(super) fn history_is_read_only_when_it_is_asked_for(harness: Harness<'_>) -> Proof {
    let harness = story(harness, 3, &[(1, "10:00", Succeeded), (2, "10:01", Error)])?;
    let creation = Query::creation(harness.organization().id, harness.policy());
    same(harness.store.load(&job(), &creation)?.history, [], "the history that creating a monitor reads")?;
    same(harness.load(&job())?.history, [], "the history for a miss of what has no deadline")?;
    let unknown = Query::run_of(run_id(77), harness.policy());
    same(harness.store.load(&job(), &unknown)?.history, [], "the history for a run that is not there")
}

pub(super) fn history_is_that_of_the_run_that_was_found(harness: Harness<'_>) -> Proof {
    let runs = [(1, "10:00", Error), (2, "11:00", InProgress), (3, "12:00", Error)];
    let harness = story(harness, 9, &runs)?;
    let found = harness.store.load(&job(), &Query::run_of(run_id(2), harness.policy()))?;
    holds(found.run.is_some(), "run 2 was not found by its id")?;
    let seen: Vec<_> = found.history.iter().map(|run| run.id).collect();
    same(seen, [run_id(1)], "the history up to the start of the run that times out")
}

pub(super) fn a_long_history_is_complete(harness: Harness<'_>) -> Proof {
    let mut harness = story(harness, 720, &[])?;
    let started = |number| at("10:00") + TimeDelta::seconds(number);
    let runs = (1..=720_u16).map(|number| run_at(number.into(), started(number.into()), Error));
    harness.commit(harness.starting(&job(), runs))?;
    let seen = harness.history(&job(), LATER)?;
    same(seen.len(), 720, "how many runs, of 720 that were asked for and are there")?;
    holds(seen.into_iter().eq((1..=720).rev()), "720 runs, but not in order")
}
