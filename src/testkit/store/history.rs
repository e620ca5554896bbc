//! The past runs that thresholds look at.

use chrono::TimeDelta;

use crate::checkin::ReportedStatus;
use crate::policy::Quirk;
use crate::row::{Health, RunStatus};
use crate::store::Query;

use super::breach::{Breach, Proof, holds, same};
use super::desk::Desk;
use super::sample::{arrival, at, dev, incident, job, looking_back, place, run, run_at, run_id};

use RunStatus::{Error, InProgress, Ok as Succeeded, Timeout, Unknown};

/// The monitor `job`, which looks back on so many runs, with these runs in production.
fn story<'a>(desk: Desk<'a>, count: u32, runs: &[(u128, &str, RunStatus)]) -> Result<Desk<'a>, Breach> {
    let mut desk = desk;
    desk.create(&job().monitor, looking_back(count))?;
    for (number, started, status) in runs {
        desk.start(&job(), run(*number, started, *status))?;
    }
    Ok(desk)
}

const LATER: &str = "2024-09-03T00:00:00Z";

pub(super) fn history_is_newest_first(desk: Desk<'_>) -> Proof {
    let runs = [(9, "10:00"), (2, "12:00"), (3, "11:00"), (8, "12:00"), (5, "10:30")];
    let desk = story(desk, 9, &runs.map(|(number, started)| (number, started, Succeeded)))?;
    same(desk.history(&job(), LATER)?, [8, 2, 3, 5, 9], "runs by start, and those of one start by creation")
}

pub(super) fn history_is_limited(desk: Desk<'_>) -> Proof {
    let runs = [(1, "10:00"), (2, "11:00"), (3, "12:00"), (4, "13:00")];
    let desk = story(desk, 3, &runs.map(|(number, started)| (number, started, Succeeded)))?;
    same(desk.history(&job(), LATER)?, [4, 3, 2], "the three newest of four runs")
}

pub(super) fn history_ends_where_it_is_told_to(mut desk: Desk<'_>) -> Proof {
    let runs = [(1, "10:00"), (2, "11:00"), (3, "12:00"), (4, "13:00")];
    desk = story(desk, 9, &runs.map(|(number, started)| (number, started, Error)))?;
    same(desk.history(&job(), "12:00")?, [3, 2, 1], "runs that started not later than 12:00")?;
    same(
        desk.history(&job(), "11:59:59")?,
        [2, 1],
        "runs that started not later than a second before 12:00",
    )?;
    same(desk.history(&job(), "09:00")?, [0; 0], "runs that started not later than 09:00")?;
    let open = incident(&job(), 1, desk.run(1));
    desk.touch(&job(), |row| row.health = Health::Error(open.clone()))?;
    // A success is judged by the newest runs of all, whenever it started itself.
    let recovery = desk.judging(&arrival(&job(), 9, "09:00", ReportedStatus::Ok))?.history;
    let seen: Vec<_> = recovery.iter().map(|run| run.id).collect();
    same(seen, [4, 3, 2, 1].map(run_id), "runs of any time, when the window has no end")
}

pub(super) fn runs_a_nanosecond_apart_are_told_apart(mut desk: Desk<'_>) -> Proof {
    let nanoseconds = |count| format!("2024-09-02T10:00:00.{count:09}Z");
    desk = story(desk, 9, &[])?;
    for (number, count) in (1..).zip([4, 2, 6]) {
        desk.start(&job(), run_at(number, at(&nanoseconds(count)), Error))?;
    }
    same(desk.history(&job(), LATER)?, [3, 1, 2], "runs in the order of their nanoseconds")?;
    same(
        desk.history(&job(), &nanoseconds(5))?,
        [1, 2],
        "runs that started not later than between the last two",
    )
}

pub(super) fn history_leaves_out_what_was_not_judged(desk: Desk<'_>) -> Proof {
    let runs = [
        (1, "10:00", Succeeded),
        (2, "10:01", InProgress),
        (3, "10:02", Error),
        (4, "10:03", RunStatus::Missed),
        (5, "10:04", Timeout),
        (6, "10:05", Unknown),
        (7, "10:06", InProgress),
    ];
    let desk = story(desk, 4, &runs)?;
    same(desk.history(&job(), LATER)?, [5, 4, 3, 1], "the four newest runs that succeeded or failed")
}

pub(super) fn history_holds_every_run_when_it_is_told_to(desk: Desk<'_>) -> Proof {
    let runs =
        [(1, "10:00", Succeeded), (2, "10:01", Unknown), (3, "10:02", InProgress), (4, "10:03", Error)];
    let desk = story(desk.keeping(Quirk::OpenRunsCountAsFailures), 9, &runs)?;
    same(desk.history(&job(), LATER)?, [4, 3, 2, 1], "all runs, judged or not")
}

pub(super) fn history_is_of_one_environment(desk: Desk<'_>) -> Proof {
    let mut desk = story(desk, 9, &[(1, "10:00", Error)])?;
    desk.start(&dev(), run(2, "10:00", Error))?;
    desk.start(&place("other", "production"), run(3, "10:00", Error))?;
    desk.start(&job(), run(4, "10:01", Error))?;
    same(desk.history(&job(), LATER)?, [4, 1], format!("the runs of {}", job()))?;
    same(desk.history(&dev(), LATER)?, [2], format!("the runs of {}", dev()))
}

pub(super) fn history_shows_runs_as_they_are_now(desk: Desk<'_>) -> Proof {
    let mut desk = story(desk, 9, &[(1, "10:00", InProgress), (2, "10:01", InProgress)])?;
    desk.change(1, |run| run.status = Error)?;
    desk.change(2, |run| run.status = Timeout)?;
    let seen = desk.judging(&arrival(&job(), 9, LATER, ReportedStatus::Error))?.history;
    same(
        seen,
        [desk.run(2).summary(), desk.run(1).summary()],
        "what became of two runs that were in progress",
    )
}

pub(super) fn history_is_read_only_when_it_is_asked_for(desk: Desk<'_>) -> Proof {
    let desk = story(desk, 3, &[(1, "10:00", Succeeded), (2, "10:01", Error)])?;
    let creation = Query::creation(desk.organization().id, desk.policy());
    same(desk.store.load(&job(), &creation)?.history, [], "the history that creating a monitor reads")?;
    same(desk.load(&job())?.history, [], "the history for a miss of what has no deadline")?;
    let unknown = Query::run_of(run_id(77), desk.policy());
    same(desk.store.load(&job(), &unknown)?.history, [], "the history for a run that is not there")
}

pub(super) fn history_is_that_of_the_run_that_was_found(desk: Desk<'_>) -> Proof {
    let runs = [(1, "10:00", Error), (2, "11:00", InProgress), (3, "12:00", Error)];
    let desk = story(desk, 9, &runs)?;
    let found = desk.store.load(&job(), &Query::run_of(run_id(2), desk.policy()))?;
    holds(found.run.is_some(), "run 2 was not found by its id")?;
    let seen: Vec<_> = found.history.iter().map(|run| run.id).collect();
    same(seen, [run_id(1)], "the history up to the start of the run that times out")
}

pub(super) fn a_long_history_is_complete(desk: Desk<'_>) -> Proof {
    let mut desk = story(desk, 720, &[])?;
    let started = |number| at("10:00") + TimeDelta::seconds(number);
    let runs = (1..=720_u16).map(|number| run_at(number.into(), started(number.into()), Error));
    desk.commit(desk.starting(&job(), runs))?;
    let seen = desk.history(&job(), LATER)?;
    same(seen.len(), 720, "how many runs, of 720 that were asked for and are there")?;
    holds(seen.into_iter().eq((1..=720).rev()), "720 runs, but not in order")
}
