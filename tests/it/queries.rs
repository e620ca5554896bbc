//! A decision reads no more than it needs: past runs only if a threshold needs them.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use overdue::Policy;
use overdue::admission::{AdmitAll, ValidCheckin};
use overdue::store::{Query, Store};

use crate::fixture::{Fixture, checkin, hourly, message, place, run_id};

/// The number of past runs that judging this check-in reads.
fn read_for(fixture: &Fixture, run: u128, status: &str) -> usize {
    let policy = Policy::default();
    let message = message("10:30", checkin("job", run, status));
    let valid = ValidCheckin::admit(&message, &AdmitAll, &policy).unwrap();
    let snapshot = fixture.store().load(&valid.key(), &Query::checkin(&valid, &policy)).unwrap();
    snapshot.history.len()
}

#[test]
fn a_failure_reads_as_many_runs_as_its_threshold() {
    let fixture = Fixture::with(&hourly(3, 3));
    for (number, received) in (1..).zip(["10:01", "10:02", "10:03", "10:04"]) {
        fixture.accepted(received, number, "ok");
    }
    assert_eq!(read_for(&fixture, 9, "error"), 3);
    assert_eq!(read_for(&fixture, 9, "ok"), 0, "it is healthy already");
    assert_eq!(read_for(&fixture, 9, "in_progress"), 0, "nothing has come of it yet");
}

#[test]
fn in_an_incident_a_success_reads_as_many_as_its_threshold() {
    let fixture = Fixture::with(&hourly(2, 3));
    for (number, received) in (1..).zip(["10:01", "10:02", "10:03", "10:04"]) {
        fixture.accepted(received, number, "error");
    }
    assert_eq!(read_for(&fixture, 9, "ok"), 3);
    assert_eq!(read_for(&fixture, 9, "error"), 0, "it is in an incident already");
    assert_eq!(read_for(&fixture, 9, "in_progress"), 0, "nothing has come of it yet");
}

#[test]
fn thresholds_of_one_read_nothing() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:01", 1, "ok");
    assert_eq!(read_for(&fixture, 9, "error"), 0);
    fixture.accepted("10:02", 2, "error");
    assert_eq!(read_for(&fixture, 9, "ok"), 0);
}

#[test]
fn a_run_that_is_finished_is_read_for_as_it_ended() {
    let fixture = Fixture::with(&hourly(3, 3));
    fixture.accepted("10:01", 1, "ok");
    fixture.accepted("10:02", 2, "ok");
    assert_eq!(read_for(&fixture, 2, "error"), 0, "the run went well, whatever is said of it now");
    let policy = Policy::default();
    let query = Query::run_of(run_id(2), &policy);
    assert_eq!(fixture.store().load(&place("job", "production"), &query).unwrap().history, []);
}
