//! The calls that a step makes to its store.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::decision::{MonitorSnapshot, Snapshot, Transition};
use crate::id::{EnvironmentKey, MonitorKey};
use crate::rules::Query;
use crate::store::{CommitError, Due, DueQuery, Store};

/// Wraps a store and records every call to it, for [`Invariants::cost`](super::Invariants::cost).
///
/// ```
/// use overdue::event::NoSink;
/// use overdue::testkit::invariants::Witness;
/// use overdue::{Engine, MemoryStore, Policy, Tick};
///
/// let engine = Engine::new(Witness::over(MemoryStore::new()), Policy::default());
/// engine.tick(Tick::at("2024-09-02T02:01:00Z".parse()?))?;
/// let calls = engine.store().take();
/// assert_eq!((calls.lists, calls.loads.len(), calls.commits.len()), (2, 0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Witness<S> {
    store: S,
    calls: Mutex<Calls>,
}

/// The calls to a store, by kind.
///
/// ```
/// use overdue::testkit::invariants::Calls;
///
/// let calls = Calls::default();
/// assert!(calls.commits.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Calls {
    /// The environments that were loaded, in order.
    pub loads: Vec<EnvironmentKey>,
    /// The monitors that were loaded whole.
    pub monitors: Vec<MonitorKey>,
    /// The number of pages of due entries that were read.
    pub lists: usize,
    /// The number of entries on them.
    pub listed: usize,
    /// What was committed, in order.
    pub commits: Vec<Transition>,
    /// The number of commits that conflicted or failed.
    pub refused: usize,
}

impl<S> Witness<S> {
    /// Wraps a store, and records its calls from now on.
    pub const fn over(store: S) -> Self {
        Self {
            store,
            calls: Mutex::new(Calls {
                loads: Vec::new(),
                monitors: Vec::new(),
                lists: 0,
                listed: 0,
                commits: Vec::new(),
                refused: 0,
            }),
        }
    }

    /// The store inside. Direct calls to it are not recorded.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Returns the calls since the last time, and forgets them.
    pub fn take(&self) -> Calls {
        std::mem::take(&mut *self.calls())
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store> Store for Witness<S> {
    type Error = S::Error;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, S::Error> {
        self.calls().loads.push(key.clone());
        self.store.load(key, query)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, S::Error> {
        self.calls().monitors.push(key.clone());
        self.store.load_monitor(key)
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, S::Error> {
        let page = self.store.due(query)?;
        let mut calls = self.calls();
        calls.lists += 1;
        calls.listed += page.len();
        Ok(page)
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<S::Error>> {
        let answer = self.store.commit(transition);
        let mut calls = self.calls();
        match &answer {
            Ok(()) => calls.commits.push(transition.clone()),
            Err(_) => calls.refused += 1,
        }
        answer
    }
}
