//! A hostile store: it fails, loses its answer, or lets a rival commit first.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use overdue::id::{EnvironmentKey, MonitorKey};
use overdue::store::{CommitError, Due, DueQuery, MonitorSnapshot, Query, Snapshot, Transition};
use overdue::testkit::history::Step;
use overdue::{Event, MemoryStore, Store};

/// What happens at the next commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// Nothing is written.
    Unwritten,
    /// It is written, but there is no answer.
    Unanswered,
}

#[derive(Debug, thiserror::Error)]
#[error("the storage broke")]
pub(super) struct Broken;

/// Takes a step between a load and its commit.
type Rival = Box<dyn FnOnce(&Storm, &Step)>;

#[derive(Default)]
pub(super) struct Storm {
    rows: MemoryStore,
    fault: Cell<Option<Fault>>,
    rival: RefCell<Option<(Step, Rival)>>,
    /// Committed, and not yet fetched by the courier.
    outbox: RefCell<Vec<Event>>,
    /// The monitors whose rows have been written since the store was last calm.
    touched: RefCell<BTreeSet<MonitorKey>>,
}

impl Storm {
    pub(super) fn rows(&self) -> &MemoryStore {
        &self.rows
    }

    /// Makes the next commit fail.
    pub(super) fn strike(&self, fault: Fault) {
        self.touched.take();
        self.fault.set(Some(fault));
    }

    /// Lets a rival take a step before the next commit.
    pub(super) fn let_in(&self, step: Step, rival: impl FnOnce(&Self, &Step) + 'static) {
        self.rival.replace(Some((step, Box::new(rival))));
    }

    /// Ends all faults. Returns the rival's step if it was not taken, because nothing was committed.
    pub(super) fn calm(&self) -> Option<Step> {
        self.fault.take();
        self.rival.take().map(|(step, _)| step)
    }

    pub(super) fn touched(&self) -> BTreeSet<MonitorKey> {
        self.touched.take()
    }

    pub(super) fn take_outbox(&self) -> Vec<Event> {
        self.outbox.take()
    }
}

fn sure<T>(result: Result<T, std::convert::Infallible>) -> Result<T, Broken> {
    result.map_err(|never| match never {})
}

impl Store for Storm {
    type Error = Broken;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Broken> {
        sure(self.rows.load(key, query))
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Broken> {
        sure(self.rows.load_monitor(key))
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Broken> {
        sure(self.rows.due(query))
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Broken>> {
        if let Some((step, rival)) = self.rival.take() {
            rival(self, &step);
        }
        let fault = self.fault.take();
        if fault == Some(Fault::Unwritten) {
            return Err(CommitError::Store(Broken));
        }
        self.rows.commit(transition).map_err(|error| match error {
            CommitError::Conflict => CommitError::Conflict,
            CommitError::Store(never) => match never {},
        })?;
        self.touched.borrow_mut().insert(transition.monitor.key().clone());
        self.outbox.borrow_mut().extend(transition.events.iter().cloned());
        if fault.is_some() { Err(CommitError::Store(Broken)) } else { Ok(()) }
    }
}
