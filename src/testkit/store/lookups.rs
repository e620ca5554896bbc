//! A run is found by its id, by the messages that name none, or not at all.

use crate::checkin::ReportedStatus;
use crate::id::CheckinId;
use crate::key::EnvironmentKey;
use crate::policy::Quirk;
use crate::row::{Run, RunStatus};
use crate::store::{Found, Query, RunQuery};

use super::breach::{Proof, same};
use super::desk::{Desk, number_of};
use super::sample::{ORGANIZATION, arrival, at, dev, foreign, job, place, run};

use RunStatus::{InProgress, Ok as Succeeded};

/// The id that stands for a message which names no run.
fn derived(key: &EnvironmentKey, received: &str, status: ReportedStatus) -> CheckinId {
    match arrival(key, 0, received, status).run {
        RunQuery::Unnamed(id) => id,
        other => unreachable!("{other:?}"),
    }
}

pub(super) fn a_run_is_found_by_its_id(mut desk: Desk<'_>) -> Proof {
    let closing = derived(&job(), "10:05", ReportedStatus::Ok);
    desk.start(&job(), run(1, "10:00", InProgress))?;
    desk.start(&job(), Run { closed_by: Some(closing), ..run(2, "10:01", Succeeded) })?;
    desk.start(&job(), run(3, "10:02", InProgress))?;
    for number in [1, 2, 3] {
        let seen = desk.judging(&arrival(&job(), number, "10:30", ReportedStatus::Ok))?.run;
        same(number_of(seen), Some(number), format!("what a check-in of run {number} finds"))?;
        same(number_of(desk.find(&job(), number)?), Some(number), format!("run {number} by its id"))?;
    }
    same(desk.find(&job(), 4)?, None, "a run that nobody has put")?;
    let closing = desk.store.load(&job(), &Query::run_of(closing, desk.policy()))?.run;
    same(closing, None, "the run whose id is that of the message that closed another")
}

pub(super) fn a_run_is_found_elsewhere(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", InProgress))?;
    desk.start(&dev(), run(2, "10:00", Succeeded))?;
    desk.touch(&foreign(), |_| {})?;
    let nowhere = [place("job", "stage"), place("nobody", "production")];
    for key in [dev(), foreign()].iter().chain(&nowhere) {
        let expected = Some(Found::Elsewhere(job()));
        same(desk.find(key, 1)?, expected.clone(), format!("run 1 of {}, looked up from {key}", job()))?;
        let seen = desk.judging(&arrival(key, 1, "10:30", ReportedStatus::Ok))?.run;
        same(seen, expected, format!("what a check-in of run 1 of {} finds in {key}", job()))?;
    }
    same(desk.find(&job(), 2)?, Some(Found::Elsewhere(dev())), format!("run 2 of {}, from {}", dev(), job()))
}

pub(super) fn a_run_is_found_by_the_message_that_started_it(mut desk: Desk<'_>) -> Proof {
    let id = derived(&job(), "10:00", ReportedStatus::InProgress);
    desk.start(&job(), Run { id, ..run(0, "10:00", InProgress) })?;
    desk.start(&job(), run(2, "10:05", InProgress))?;
    let number = id.as_uuid().as_u128();
    for status in [InProgress, Succeeded] {
        desk.change(number, |run| run.status = status)?;
        let again = desk.judging(&arrival(&job(), 0, "10:00", ReportedStatus::InProgress))?.run;
        same(
            again,
            Some(Found::Here(Box::new(desk.run(number).clone()))),
            format!("the run it started, now {status}"),
        )?;
    }
    Ok(())
}

pub(super) fn a_run_is_found_by_the_message_that_closed_it(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", InProgress))?;
    desk.start(&job(), run(2, "10:05", InProgress))?;
    let closing = derived(&job(), "10:06", ReportedStatus::Ok);
    desk.change(1, |run| (run.status, run.closed_by) = (Succeeded, Some(closing)))?;
    same(desk.unnamed(&job(), "10:06")?, Some(1), "the run it closed, though a newer one is open")?;
    // Ids are derived so that this cannot happen by itself; a store that searches everywhere still shows.
    let foreign_closing = derived(&dev(), "10:06", ReportedStatus::Ok);
    desk.change(1, |run| run.closed_by = Some(foreign_closing))?;
    desk.start(&dev(), run(3, "10:01", InProgress))?;
    same(
        desk.unnamed(&dev(), "10:06")?,
        Some(3),
        "the open run of this environment, not one closed elsewhere",
    )
}

pub(super) fn a_message_without_an_id_finds_the_open_run(mut desk: Desk<'_>) -> Proof {
    desk.touch(&job(), |_| {})?;
    same(desk.unnamed(&job(), "10:30")?, None, "an environment without runs")?;
    desk.start(&job(), run(1, "10:00", InProgress))?;
    desk.start(&job(), run(2, "10:01", Succeeded))?;
    desk.start(&dev(), run(3, "10:02", InProgress))?;
    same(desk.unnamed(&job(), "10:30")?, Some(1), "the only run of the environment that is in progress")?;
    for status in [RunStatus::Timeout, Succeeded] {
        desk.change(1, |run| run.status = status)?;
        same(desk.unnamed(&job(), "10:30")?, None, format!("once it is {status}"))?;
    }
    desk.change(1, |run| run.status = InProgress)?;
    same(desk.unnamed(&job(), "10:30")?, Some(1), "once it is in progress again")?;
    same(desk.unnamed(&place("nobody", "production"), "10:30")?, None, "a monitor that is not there")
}

pub(super) fn the_newest_open_run_is_by_start_and_then_by_creation(desk: Desk<'_>) -> Proof {
    let mut desk = desk.keeping(Quirk::UnnamedMessagesRepeat);
    desk.start(&job(), run(9, "10:05", InProgress))?;
    desk.start(&job(), run(2, "10:03", InProgress))?;
    same(desk.unnamed(&job(), "10:30")?, Some(9), "the later start, though created before the other")?;
    desk.start(&job(), run(3, "10:05", InProgress))?;
    same(desk.unnamed(&job(), "10:30")?, Some(3), "of two equal starts the later creation")?;
    desk.change(9, |run| (run.updated_at, run.timeout_at) = (at("10:20"), Some(at("10:40"))))?;
    same(desk.unnamed(&job(), "10:30")?, Some(3), "a heartbeat of the other makes that no newer")?;
    desk.change(3, |run| run.status = Succeeded)?;
    same(desk.unnamed(&job(), "10:30")?, Some(9), "the next, once the newest is done")
}

pub(super) fn a_run_is_read_only_when_it_is_asked_for(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", InProgress))?;
    same(desk.load(&job())?.run, None, "the run of a query that asks for none")?;
    let creation = Query::creation(ORGANIZATION, desk.policy());
    same(desk.store.load(&job(), &creation)?.run, None, "the run that creating a monitor reads")
}

pub(super) fn the_organization_is_read_only_when_it_is_asked_for(mut desk: Desk<'_>) -> Proof {
    desk.start(&job(), run(1, "10:00", InProgress))?;
    let nobody = place("nobody", "production");
    let ok = ReportedStatus::Ok;
    let seen = desk.judging(&arrival(&nobody, 1, "10:30", ok))?.organization;
    same(seen.as_ref(), Some(desk.organization()), "the organization, when there is no monitor")?;
    let seen = desk.judging(&arrival(&job(), 1, "10:30", ok))?.organization;
    same(seen, None, "the organization, when there is a monitor")?;
    let seen = desk.judging(&arrival(&place("job", "stage"), 1, "10:30", ok))?.organization;
    same(seen, None, "the organization, when there is a monitor but no environment")?;
    same(desk.load(&nobody)?.organization, None, "the organization, for a query that does not ask")
}
