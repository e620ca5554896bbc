//! Stores that fail: nothing is half-done, and a retry completes it (I4, I10).

use overdue::testkit::history::History;
use overdue::testkit::strategies::{Pace, histories};
use overdue::testkit::{Fault, FaultyStore, Journal, Nth};
use overdue::{Event, MemoryStore, Policy};
use proptest::prelude::*;

use super::view::{ids_by_environment, rows, seen};
use crate::fixture::RecordedEngine;

type Broken = FaultyStore<Journal<MemoryStore>>;

fn over<S: overdue::Store>(store: S) -> RecordedEngine<S> {
    RecordedEngine::new(store, Policy::default())
}

/// The same history on a store that never fails.
fn undisturbed(history: &History) -> RecordedEngine<Journal<MemoryStore>> {
    let engine = over(Journal::default());
    history.play(&engine).unwrap();
    engine
}

/// Plays a history on a store that fails once, and retries what failed. Returns `None` if the failure never
/// occurred.
fn disturbed(history: &History, fault: Fault, nth: Nth) -> Option<RecordedEngine<Broken>> {
    let store = MemoryStore::new();
    history.begin(&over(&store)).unwrap();
    let engine = over(FaultyStore::new(Journal::over(store), fault, nth));
    for step in &history.steps {
        if step.take(&engine).is_err() {
            step.take(&engine).unwrap();
        }
    }
    engine.store().has_struck().then_some(engine)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A conflict at any commit leads to a new decision, with the same rows and events in the end.
    #[test]
    fn a_conflict_leaves_no_trace(history in histories(Pace::Plausible)) {
        let calm = undisturbed(&history);
        let stormy = (0..).map_while(|nth| disturbed(&history, Fault::Conflict, Nth::Commit(nth)));
        for stormy in stormy {
            prop_assert_eq!(rows(stormy.store().store().store()), rows(calm.store().store()));
            prop_assert_eq!(stormy.store().store().events(), calm.store().events());
            prop_assert_eq!(&*stormy.sink().lock().unwrap(), &*calm.sink().lock().unwrap());
        }
    }

    /// A store that fails at any call has written nothing; the repeated call does all of it.
    #[test]
    fn a_broken_call_can_be_repeated(history in histories(Pace::Plausible)) {
        let calm = undisturbed(&history);
        for broken in (0..).map_while(|nth| disturbed(&history, Fault::Unwritten, Nth::Call(nth))) {
            prop_assert_eq!(rows(broken.store().store().store()), rows(calm.store().store()));
            // A tick that failed half-way and is repeated handles the rest in another order.
            let (told, expected) = (broken.store().store().events(), calm.store().events());
            prop_assert_eq!(ids_by_environment(&told), ids_by_environment(&expected));
        }
    }

    /// A process that dies between the commit and the events loses only those; an outbox has all of them.
    #[test]
    fn a_commit_without_an_answer_can_be_repeated(history in histories(Pace::Plausible)) {
        let calm = undisturbed(&history);
        for broken in (0..).map_while(|nth| disturbed(&history, Fault::Unanswered, Nth::Commit(nth))) {
            prop_assert_eq!(seen(broken.store().store().store()), seen(calm.store().store()));
            let told = broken.store().store().events();
            prop_assert_eq!(ids_by_environment(&told), ids_by_environment(&calm.store().events()));
            let heard = broken.sink().lock().unwrap().clone();
            let mut outbox = told.iter();
            let mut heard = heard.iter().filter(|event| !matches!(event, Event::Rejected(_)));
            prop_assert!(heard.all(|event| outbox.any(|kept| kept == event)));
        }
    }
}
