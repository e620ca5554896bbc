//! A store that fails on purpose fails exactly as instructed.

use overdue::store::{CommitError, DueKind, DueQuery, Transition};
use overdue::testkit::{Fault, FaultyError, FaultyStore, Journal, Nth};
use overdue::{Engine, MemoryStore, Policy, Store};

use crate::fixture::{ORGANIZATION, hourly, monitor};

/// The creation of the monitor `job`.
fn creation() -> Transition {
    let engine = Engine::new(Journal::over(MemoryStore::new()), Policy::default());
    engine.create_monitor(ORGANIZATION, &monitor("job"), &hourly(1, 1)).unwrap();
    engine.store().transitions().remove(0)
}

#[derive(Debug, Eq, PartialEq)]
enum Answer {
    Done,
    Conflict,
    Failed,
}
use Answer::{Conflict, Done, Failed};

impl From<Result<(), CommitError<FaultyError<std::convert::Infallible>>>> for Answer {
    fn from(result: Result<(), CommitError<FaultyError<std::convert::Infallible>>>) -> Self {
        match result {
            Ok(()) => Done,
            Err(CommitError::Conflict) => Conflict,
            Err(CommitError::Store(FaultyError::OnPurpose)) => Failed,
        }
    }
}

/// Reads, commits, reads, commits the same again. Returns the answers, and whether it was written.
fn story(fault: Fault, nth: Nth) -> ([Answer; 4], bool, bool) {
    let store = FaultyStore::new(MemoryStore::new(), fault, nth);
    let read = || match store.load_monitor(&monitor("job")) {
        Ok(_) => Done,
        Err(FaultyError::OnPurpose) => Failed,
    };
    let commit = || Answer::from(store.commit(&creation()));
    let (first, second) = (read(), commit());
    let written = !store.store().monitors().is_empty();
    ([first, second, read(), commit()], written, store.has_struck())
}

#[test]
fn each_fault_strikes_once_or_for_good() {
    let (written, struck) = (true, true);
    for (fault, nth, answers, is_written, has_struck) in [
        // The second commit is of rows that exist already.
        (Fault::Unwritten, Nth::Commit(9), [Done, Done, Done, Conflict], written, !struck),
        (Fault::Conflict, Nth::Commit(0), [Done, Conflict, Done, Done], !written, struck),
        (Fault::Unwritten, Nth::Commit(0), [Done, Failed, Done, Done], !written, struck),
        (Fault::Unanswered, Nth::Commit(0), [Done, Failed, Done, Conflict], written, struck),
        (Fault::StopBefore, Nth::Commit(0), [Done, Failed, Failed, Failed], !written, struck),
        (Fault::StopAfter, Nth::Commit(0), [Done, Failed, Failed, Failed], written, struck),
        (Fault::Unwritten, Nth::Commit(1), [Done, Done, Done, Failed], written, struck),
        // Counted over all calls, of which the first is a read.
        (Fault::Unwritten, Nth::Call(0), [Failed, Done, Done, Conflict], written, struck),
        (Fault::Unanswered, Nth::Call(0), [Failed, Done, Done, Conflict], written, struck),
        (Fault::StopBefore, Nth::Call(0), [Failed, Failed, Failed, Failed], !written, struck),
        (Fault::StopAfter, Nth::Call(2), [Done, Done, Failed, Failed], written, struck),
        (Fault::Unwritten, Nth::Call(1), [Done, Failed, Done, Done], !written, struck),
        // A read has no conflicts.
        (Fault::Conflict, Nth::Call(0), [Done, Conflict, Done, Done], !written, struck),
        (Fault::Conflict, Nth::Call(1), [Done, Conflict, Done, Done], !written, struck),
    ] {
        assert_eq!(story(fault, nth), (answers, is_written, has_struck), "{fault:?} at {nth:?}");
    }
}

#[test]
fn a_list_can_fail_too() {
    let store = FaultyStore::new(MemoryStore::new(), Fault::Unwritten, Nth::Call(0));
    let query =
        DueQuery { kind: DueKind::Miss, until: None, after: None, limit: std::num::NonZeroUsize::MIN };
    assert_eq!(store.due(&query), Err(FaultyError::OnPurpose));
    assert_eq!(store.due(&query), Ok(Vec::new()));
}

#[test]
fn two_faults_can_strike_in_one_night() {
    let inner = FaultyStore::new(MemoryStore::new(), Fault::Conflict, Nth::Commit(0));
    let store = FaultyStore::new(inner, Fault::Unanswered, Nth::Commit(1));
    assert_eq!(store.commit(&creation()), Err(CommitError::Conflict));
    assert_eq!(store.commit(&creation()), Err(CommitError::Store(FaultyError::OnPurpose)));
    assert!(store.has_struck() && store.store().has_struck());
    assert_eq!(store.into_inner().into_inner().monitors().len(), 1);
}

#[test]
fn a_journal_keeps_what_was_committed_and_no_more() {
    let journal = Journal::over(FaultyStore::new(MemoryStore::new(), Fault::Conflict, Nth::Commit(0)));
    assert!(journal.commit(&creation()).is_err());
    assert_eq!(journal.transitions(), []);
    assert!(journal.commit(&creation()).is_ok());
    assert_eq!(journal.transitions(), [creation()]);
    assert_eq!(journal.into_inner().into_inner().monitors().len(), 1);
}

#[test]
fn the_stores_around_a_store_keep_its_promises() {
    for promise in overdue::testkit::store::Promise::ALL {
        let untouched = FaultyStore::new(MemoryStore::new(), Fault::StopBefore, Nth::Call(usize::MAX));
        let kept = promise.prove(&Journal::over(untouched));
        assert!(kept.is_ok(), "{}", kept.unwrap_err());
    }
}
