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
/// Rows are whole, never deltas. A row with a version already holds its new version.
///
/// ```
/// use overdue::store::Transition;
///
/// fn commit(transition: &Transition) {
///     let Transition { organization, monitor, environments, runs, incidents, events } = transition;
///     // Begin a transaction. Compare the versions of `organization`, `monitor` and `environments`, and check
///     // that the ids of new runs are new. If not, roll back and return `CommitError::Conflict`.
///     // Put the rows, append `events` to the outbox, and commit.
///     # let _ = (organization, monitor, environments, runs, incidents, events);
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store must handle every field")]
pub struct Transition {
    /// The organization's row, when a monitor is created or removed.
    pub organization: Option<Put<Organization>>,
    /// What happens to the monitor. Its version is checked even if it does not change.
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
    /// The version that the stored row must still have; [`Version::NEW`] if there must be no row.
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
    /// It stays. Its version must still be that of this row, on which the decision was based.
    Keep(Arc<Monitor>),
    /// Its row is written.
    Put(Put<Arc<Monitor>>),
    /// It is removed, with its environments, their runs and their incidents. Its version must still be that
    /// of this row.
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

    /// The version that the stored row must still have; [`Version::NEW`] if there must be no row.
    pub fn expects(&self) -> Version {
        match self {
            Self::Keep(row) | Self::Remove(row) => row.version,
            Self::Put(put) => put.replaces,
        }
    }
}

/// A run to write.
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
    /// A new run. If its id exists already, in any environment, the commit is a conflict.
    New(Box<Run>),
    /// A run that is stored already.
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
