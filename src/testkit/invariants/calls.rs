//! What a step asks of its store.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::key::{EnvironmentKey, MonitorKey};
use crate::store::{CommitError, Due, DueQuery, MonitorSnapshot, Query, Snapshot, Store, Transition};

/// Takes down every call to another store: what [`Invariants::cost`](super::Invariants::cost) looks at.
///
/// ```
/// use overdue::event::NoSink;
/// use overdue::testkit::invariants::Witness;
/// use overdue::{Engine, MemoryStore, Policy, Tick};
///
/// let engine = Engine::new(Witness::over(MemoryStore::new()), NoSink, Policy::default());
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
    /// How many pages of what is due were read.
    pub lists: usize,
    /// How many entries they had.
    pub listed: usize,
    /// What was committed, in order.
    pub commits: Vec<Transition>,
    /// How many commits were not made, by a conflict or a failure.
    pub refused: usize,
}

impl<S> Witness<S> {
    /// Looks on from now on.
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

    /// The store that is looked at. What is asked of it directly is not taken down.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The calls since the last time somebody asked.
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
