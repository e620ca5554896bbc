//! A run is found by its id, or by a message without a run id.

use crate::checkin::CheckinStatus;
use crate::decision::{RunLookup, RunQuery};
use crate::id::{EnvironmentKey, RunId};
use crate::policy::Quirk;
use crate::row::{RunParts, RunStatus};
use crate::rules::Query;

use super::failure::{Proof, same};
use super::harness::{Harness, number_of};
use super::sample::{ORGANIZATION, at, dev, foreign, job, place, run, valid};

use RunStatus::{InProgress, Ok as Succeeded};

/// The derived id of a message without a run id.
fn derived(key: &EnvironmentKey, received: &str, status: CheckinStatus) -> RunId {
    match valid(key, 0, received, status).run {
        RunQuery::Anonymous(id) => id,
        other => unreachable!("{other:?}"),
    }
}

pub(super) fn a_run_is_found_by_its_id(mut harness: Harness<'_>) -> Proof {
    let closing = derived(&job(), "10:05", CheckinStatus::Ok);
    harness.start(&job(), run(1, "10:00", InProgress))?;
    harness.start(&job(), RunParts { closed_by: Some(closing), ..run(2, "10:01", Succeeded) })?;
    harness.start(&job(), run(3, "10:02", InProgress))?;
    for number in [1, 2, 3] {
        let seen = harness.judging(&valid(&job(), number, "10:30", CheckinStatus::Ok))?.run;
        same(number_of(seen), Some(number), format!("what a check-in of run {number} finds"))?;
        same(number_of(harness.find(&job(), number)?), Some(number), format!("run {number} by its id"))?;
    }
    same(harness.find(&job(), 4)?, None, "a run that nobody has put")?;
    let closing = harness.store.load(&job(), &Query::run_of(closing, harness.policy()))?.run;
    same(closing, None, "the run whose id is that of the message that closed another")
}

pub(super) fn a_run_is_found_elsewhere(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", InProgress))?;
    harness.start(&dev(), run(2, "10:00", Succeeded))?;
    harness.touch(&foreign(), |_| {})?;
    let nowhere = [place("job", "stage"), place("nobody", "production")];
    for key in [dev(), foreign()].iter().chain(&nowhere) {
        let expected = Some(RunLookup::Foreign(job()));
        same(harness.find(key, 1)?, expected.clone(), format!("run 1 of {}, looked up from {key}", job()))?;
        let seen = harness.judging(&valid(key, 1, "10:30", CheckinStatus::Ok))?.run;
        same(seen, expected, format!("what a check-in of run 1 of {} finds in {key}", job()))?;
    }
    same(
        harness.find(&job(), 2)?,
        Some(RunLookup::Foreign(dev())),
        format!("run 2 of {}, from {}", dev(), job()),
    )
}

pub(super) fn a_run_is_found_by_the_message_that_started_it(mut harness: Harness<'_>) -> Proof {
    let id = derived(&job(), "10:00", CheckinStatus::InProgress);
    harness.start(&job(), RunParts { id, ..run(0, "10:00", InProgress) })?;
    harness.start(&job(), run(2, "10:05", InProgress))?;
    let number = id.as_uuid().as_u128();
    for status in [InProgress, Succeeded] {
        harness.change(number, |run| run.set_status(status))?;
        let again = harness.judging(&valid(&job(), 0, "10:00", CheckinStatus::InProgress))?.run;
        same(
            again,
            Some(RunLookup::Own(Box::new(harness.run(number).clone()))),
            format!("the run it started, now {status}"),
        )?;
    }
    Ok(())
}

pub(super) fn a_run_is_found_by_the_message_that_closed_it(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", InProgress))?;
    harness.start(&job(), run(2, "10:05", InProgress))?;
    let closing = derived(&job(), "10:06", CheckinStatus::Ok);
    harness.change(1, |run| {
        run.set_status(Succeeded);
        run.closed_by = Some(closing);
    })?;
    same(harness.anonymous(&job(), "10:06")?, Some(1), "the run it closed, though a newer one is open")?;
    // Derived ids are never equal in two environments; this row shows whether the store looks in all of them.
    let foreign_closing = derived(&dev(), "10:06", CheckinStatus::Ok);
    harness.change(1, |run| run.closed_by = Some(foreign_closing))?;
    harness.start(&dev(), run(3, "10:01", InProgress))?;
    same(
        harness.anonymous(&dev(), "10:06")?,
        Some(3),
        "the open run of this environment, not one closed elsewhere",
    )
}

pub(super) fn a_message_without_an_id_finds_the_open_run(mut harness: Harness<'_>) -> Proof {
    harness.touch(&job(), |_| {})?;
    same(harness.anonymous(&job(), "10:30")?, None, "an environment without runs")?;
    harness.start(&job(), run(1, "10:00", InProgress))?;
    harness.start(&job(), run(2, "10:01", Succeeded))?;
    harness.start(&dev(), run(3, "10:02", InProgress))?;
    same(
        harness.anonymous(&job(), "10:30")?,
        Some(1),
        "the only run of the environment that is in progress",
    )?;
    for status in [RunStatus::Timeout, Succeeded] {
        harness.change(1, |run| run.set_status(status))?;
        same(harness.anonymous(&job(), "10:30")?, None, format!("once it is {status}"))?;
    }
    harness.change(1, |run| run.set_status(InProgress))?;
    same(harness.anonymous(&job(), "10:30")?, Some(1), "once it is in progress again")?;
    same(harness.anonymous(&place("nobody", "production"), "10:30")?, None, "a monitor that is not there")
}

pub(super) fn the_newest_open_run_is_by_start_and_then_by_creation(harness: Harness<'_>) -> Proof {
    let mut harness = harness.keeping(Quirk::AnonymousMessagesRepeat);
    harness.start(&job(), run(9, "10:05", InProgress))?;
    harness.start(&job(), run(2, "10:03", InProgress))?;
    same(harness.anonymous(&job(), "10:30")?, Some(9), "the later start, though created before the other")?;
    harness.start(&job(), run(3, "10:05", InProgress))?;
    same(harness.anonymous(&job(), "10:30")?, Some(3), "of two equal starts the later creation")?;
    harness.change(9, |run| (run.updated_at, run.timeout_at) = (at("10:20"), Some(at("10:40"))))?;
    same(harness.anonymous(&job(), "10:30")?, Some(3), "a heartbeat of the other makes that no newer")?;
    harness.change(3, |run| run.set_status(Succeeded))?;
    same(harness.anonymous(&job(), "10:30")?, Some(9), "the next, once the newest is done")
}

pub(super) fn a_run_is_read_only_when_it_is_asked_for(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", InProgress))?;
    same(harness.load(&job())?.run, None, "the run of a query that asks for none")?;
    let creation = Query::creation(ORGANIZATION, harness.policy());
    same(harness.store.load(&job(), &creation)?.run, None, "the run that creating a monitor reads")
}

pub(super) fn the_organization_is_read_only_when_it_is_asked_for(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", InProgress))?;
    let nobody = place("nobody", "production");
    let ok = CheckinStatus::Ok;
    let seen = harness.judging(&valid(&nobody, 1, "10:30", ok))?.organization;
    same(seen.as_ref(), Some(harness.organization()), "the organization, when there is no monitor")?;
    let seen = harness.judging(&valid(&job(), 1, "10:30", ok))?.organization;
    same(seen, None, "the organization, when there is a monitor")?;
    let seen = harness.judging(&valid(&place("job", "stage"), 1, "10:30", ok))?.organization;
    same(seen, None, "the organization, when there is a monitor but no environment")?;
    same(harness.load(&nobody)?.organization, None, "the organization, for a query that does not ask")
}
