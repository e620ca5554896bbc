//! A store that records what was written.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::decision::{MonitorSnapshot, Snapshot, Transition};
use crate::event::Event;
use crate::id::{EnvironmentKey, MonitorKey};
use crate::rules::Query;
use crate::store::{CommitError, Due, DueKind, DueQuery, Store};

/// Wraps a store and keeps every transition that it committed.
///
/// Its [`events`](Self::events) are what the outbox of a durable host would hold: those that were committed,
/// whether or not they reached a sink.
///
/// ```
/// use overdue::event::NoSink;
/// use overdue::testkit::Journal;
/// use overdue::{Engine, Event, MemoryStore, Policy, Tick};
///
/// # let (sample, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// let engine = Engine::new(Journal::over(MemoryStore::new()), Policy::default());
/// engine.process_checkin(&message)?;
/// engine.tick(Tick::at("2024-09-03T02:01:00Z".parse()?))?;
/// assert_eq!(engine.store().transitions().len(), 2);
/// let told = engine.store().events();
/// assert!(matches!(told[..], [Event::IncidentOpened(_), Event::IncidentOccurrence(_)]), "{told:?}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Journal<S> {
    store: S,
    committed: Mutex<Vec<Transition>>,
}

impl<S> Journal<S> {
    /// Wraps a store, and records what is committed from now on.
    pub const fn over(store: S) -> Self {
        Self { store, committed: Mutex::new(Vec::new()) }
    }

    /// The store itself.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The store without its journal.
    pub fn into_inner(self) -> S {
        self.store
    }

    /// Every transition, in the order of their commits.
    pub fn transitions(&self) -> Vec<Transition> {
        self.committed().clone()
    }

    /// Every event, in the order of their commits.
    pub fn events(&self) -> Vec<Event> {
        self.committed().iter().flat_map(|transition| &transition.events).cloned().collect()
    }

    /// A panic elsewhere leaves no half-written entry.
    fn committed(&self) -> MutexGuard<'_, Vec<Transition>> {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for Journal<S> {
    type Error = S::Error;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, S::Error> {
        self.store.load(key, query)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, S::Error> {
        self.store.load_monitor(key)
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, S::Error> {
        self.store.due(query)
    }

    fn next_due(&self, kind: DueKind) -> Result<Option<DateTime<Utc>>, S::Error> {
        self.store.next_due(kind)
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<S::Error>> {
        // Locked during the commit, so that the journal has the order of the commits.
        let mut committed = self.committed();
        self.store.commit(transition)?;
        committed.push(transition.clone());
        Ok(())
    }
}
