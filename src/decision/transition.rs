//! What a decision writes: whole rows, the versions they replace, and the events they cause.

use std::sync::Arc;

use crate::event::Event;
use crate::id::{MonitorKey, Version};
use crate::row::{Environment, Incident, Monitor, Organization, Run};

/// Everything one decision writes, together or not at all (I10).
///
/// It is exhaustive on purpose: a store destructures it without `..`, so that a new kind of row breaks the
/// store's build instead of losing data. A durable host writes `events` to an outbox in the same transaction.
///
/// Rows are whole, never deltas. A row whose version is checked carries its new version itself.
///
/// ```
/// use overdue::store::Transition;
///
/// fn commit(transition: &Transition) {
///     let Transition { organization, monitor, environments, runs, incidents, events } = transition;
///     // Begin a transaction. Compare the versions of `organization`, `monitor` and `environments`, and see to it
///     // that the ids of new runs are new; or roll back, and answer `CommitError::Conflict`.
///     // Put the rows, append `events` to the outbox, and commit.
///     # let _ = (organization, monitor, environments, runs, incidents, events);
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store must handle every field")]
pub struct Transition {
    /// The organization's row, when a monitor is created or removed.
    pub organization: Option<Put<Organization>>,
    /// What happens to the monitor. Its version is checked even when it stays as it is.
    pub monitor: MonitorChange,
    /// The environment of a check-in or tick; all of a monitor's when the monitor is edited.
    pub environments: Vec<Put<Box<Environment>>>,
    /// New and changed runs. The versions of their environments guard them.
    pub runs: Vec<PutRun>,
    /// New and changed incidents, by id. The versions of their environments guard them.
    pub incidents: Vec<Arc<Incident>>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// A row to put, and the version it replaces.
///
/// ```
/// use overdue::row::Environment;
/// use overdue::id::Version;
/// use overdue::store::Put;
///
/// fn is_current(put: &Put<Box<Environment>>, stored: Option<&Environment>) -> bool {
///     stored.map_or(Version::NEW, Environment::version) == put.replaces
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a row and the version it replaces")]
pub struct Put<T> {
    /// The row.
    pub row: T,
    /// The version the stored row must still have; [`Version::NEW`] when there must be none.
    pub replaces: Version,
}

/// What a transition does to the monitor.
///
/// ```
/// use overdue::store::MonitorChange;
///
/// # fn apply(change: &MonitorChange) {
/// match change {
///     MonitorChange::Keep(_) => {}
///     MonitorChange::Put(put) => println!("put {}", put.row.key()),
///     MonitorChange::Remove(row) => println!("remove {}", row.key()),
/// }
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a store must handle every case")]
pub enum MonitorChange {
    /// It stays; the decision stands only while its version is that of this row, which it was made on.
    Keep(Arc<Monitor>),
    /// Its row is put.
    Put(Put<Arc<Monitor>>),
    /// It goes, with its environments, their runs and their incidents, if its version is still that of this row.
    Remove(Arc<Monitor>),
}

impl MonitorChange {
    /// Which monitor.
    pub fn key(&self) -> &MonitorKey {
        match self {
            Self::Keep(row) | Self::Remove(row) => &row.key,
            Self::Put(put) => &put.row.key,
        }
    }

    /// The version the stored row must still have; [`Version::NEW`] when there must be none.
    pub fn expects(&self) -> Version {
        match self {
            Self::Keep(row) | Self::Remove(row) => row.version,
            Self::Put(put) => put.replaces,
        }
    }
}

/// A run to put.
///
/// ```
/// use overdue::store::PutRun;
///
/// fn statement(put: &PutRun) -> &'static str {
///     match put {
///         PutRun::New(_) => "INSERT",
///         PutRun::Changed(_) => "UPDATE",
///     }
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a store must handle every case")]
pub enum PutRun {
    /// A new run. When its id exists already, in whatever environment, the commit is a conflict.
    New(Box<Run>),
    /// A run that exists.
    Changed(Box<Run>),
}

impl PutRun {
    /// The run, new or not.
    pub const fn run(&self) -> &Run {
        match self {
            Self::New(run) | Self::Changed(run) => run,
        }
    }
}
