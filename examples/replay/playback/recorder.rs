//! A memory store that remembers what was committed.

use std::cell::RefCell;

use overdue::id::{EnvironmentKey, MonitorKey};
use overdue::store::{CommitError, Due, DueQuery, MonitorSnapshot, Query, Snapshot, Transition};
use overdue::{MemoryStore, Store};

#[derive(Default)]
pub(super) struct Recorder {
    pub(super) rows: MemoryStore,
    commits: RefCell<Vec<Transition>>,
}

impl Recorder {
    /// What was committed since this was last asked.
    pub(super) fn take(&self) -> Vec<Transition> {
        self.commits.take()
    }
}

impl Store for Recorder {
    type Error = <MemoryStore as Store>::Error;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Self::Error> {
        self.rows.load(key, query)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Self::Error> {
        self.rows.load_monitor(key)
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Self::Error> {
        self.rows.due(query)
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Self::Error>> {
        self.rows.commit(transition)?;
        self.commits.borrow_mut().push(transition.clone());
        Ok(())
    }
}
