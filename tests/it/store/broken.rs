//! Breaks every promise on purpose, and shows that exactly its test fails.

use std::collections::BTreeSet;
use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use overdue::testkit::store::Promise;

use super::flaw::Flaw;
use super::reference_store::ReferenceStore;

#[test]
fn each_flaw_fails_its_own_test_and_no_other() {
    let next = AtomicUsize::new(0);
    let work = || {
        let flaws = iter::from_fn(|| Flaw::ALL.get(next.fetch_add(1, Ordering::Relaxed)));
        flaws.flat_map(|flaw| Promise::ALL.iter().filter_map(|promise| deviation(*flaw, *promise))).collect()
    };
    let deviations: Vec<String> = thread::scope(|scope| {
        let workers = [(); 4].map(|()| scope.spawn(work));
        workers.into_iter().flat_map(|worker| -> Vec<_> { worker.join().unwrap() }).collect()
    });
    assert!(deviations.is_empty(), "{} deviations:\n{}", deviations.len(), deviations.join("\n"));
}

fn deviation(flaw: Flaw, promise: Promise) -> Option<String> {
    let broken = promise.prove(&ReferenceStore::new(Some(flaw))).err();
    match (flaw.breaks() == promise.name(), broken) {
        (true, None) => Some(format!("{flaw:?} does not break {}", promise.name())),
        (false, Some(broken)) => Some(format!("{flaw:?}: {broken}")),
        _ => None,
    }
}

#[test]
fn each_promise_has_its_flaw() {
    let broken: BTreeSet<_> = Flaw::ALL.iter().map(|flaw| flaw.breaks()).collect();
    let promised: BTreeSet<_> = Promise::ALL.iter().map(Promise::name).collect();
    assert_eq!(broken, promised);
    assert_eq!(promised.len(), Promise::ALL.len(), "two promises of one name");
}

#[test]
fn a_broken_promise_says_what_was_promised_and_what_was_seen() {
    let name = Flaw::RunsAreUniqueInAProject.breaks();
    let promise = Promise::ALL.iter().find(|promise| promise.name() == name).unwrap();
    let broken = promise.prove(&ReferenceStore::new(Some(Flaw::RunsAreUniqueInAProject))).unwrap_err();
    assert_eq!(broken.promise(), "a_run_elsewhere_cannot_be_new_here");
    let text = broken.to_string();
    for part in [name, promise.text(), "met no conflict, though run 1 of 7/job/production", "conflicts.rs:"] {
        assert!(text.contains(part), "{text}");
    }
}
