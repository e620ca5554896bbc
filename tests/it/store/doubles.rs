//! Stores around a store: one that keeps an outbox, and one that fails when it is told to.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use overdue::key::{EnvironmentKey, MonitorKey};
use overdue::store::{CommitError, Due, DueQuery, MonitorSnapshot, Query, Snapshot, Transition};
use overdue::{Event, Store};

/// Keeps what was committed, as a durable host does with its events.
#[derive(Debug, Default)]
pub(crate) struct Outbox<S> {
    pub(crate) store: S,
    committed: Mutex<Vec<Transition>>,
}

impl<S> Outbox<S> {
    pub(crate) fn over(store: S) -> Self {
        Self { store, committed: Mutex::default() }
    }

    /// Every transition, in order.
    pub(crate) fn transitions(&self) -> Vec<Transition> {
        self.committed.lock().unwrap().clone()
    }

    /// Every event, in order.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.transitions().into_iter().flat_map(|transition| transition.events).collect()
    }
}

impl<S: Store> Store for Outbox<S> {
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

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<S::Error>> {
        // Held meanwhile, so that the outbox has the order of the commits.
        let mut committed = self.committed.lock().unwrap();
        self.store.commit(transition)?;
        committed.push(transition.clone());
        Ok(())
    }
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Somebody was faster.
    Conflict,
    /// Nothing is written.
    Lost,
    /// It is written, and the answer never arrives: as if the process died between commit and emit.
    Unheard,
}

/// Goes wrong once, on the nth call that writes (or, for [`Fault::Lost`], on the nth call of all).
#[derive(Debug)]
pub(crate) struct Faulty<S> {
    pub(crate) store: S,
    fault: Fault,
    calls: AtomicUsize,
    nth: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("the storage broke")]
pub(crate) struct Broken;

impl<S: Store> Faulty<S> {
    pub(crate) fn new(store: S, fault: Fault, nth: usize) -> Self {
        Self { store, fault, calls: AtomicUsize::new(0), nth }
    }

    /// Whether the fault has come to pass.
    pub(crate) fn has_struck(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > self.nth
    }

    fn strikes(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) == self.nth
    }

    fn read<T>(&self, read: impl FnOnce() -> Result<T, S::Error>) -> Result<T, Broken> {
        if self.fault == Fault::Lost && self.strikes() { Err(Broken) } else { read().map_err(|_| Broken) }
    }
}

impl<S: Store> Store for Faulty<S> {
    type Error = Broken;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Broken> {
        self.read(|| self.store.load(key, query))
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Broken> {
        self.read(|| self.store.load_monitor(key))
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Broken> {
        self.read(|| self.store.due(query))
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Broken>> {
        let strikes = self.strikes();
        if strikes && self.fault != Fault::Unheard {
            return Err(match self.fault {
                Fault::Conflict => CommitError::Conflict,
                Fault::Lost | Fault::Unheard => CommitError::Store(Broken),
            });
        }
        self.store.commit(transition).map_err(|error| match error {
            CommitError::Conflict => CommitError::Conflict,
            CommitError::Store(_) => CommitError::Store(Broken),
        })?;
        if strikes { Err(CommitError::Store(Broken)) } else { Ok(()) }
    }
}
