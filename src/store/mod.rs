//! What a host's storage must do: keep rows, look them up, and write several at once.

pub use crate::decision::{
    HistoryQuery, MonitorChange, MonitorSnapshot, Put, PutRun, RunLookup, RunQuery, Snapshot, Transition,
};
pub use crate::rules::Query;

use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::id::{EnvironmentKey, MonitorKey, RunId};

/// Keeps the rows.
///
/// A store never computes: it looks rows up and puts them. It must promise:
///
/// * **Whole snapshots.** What [`load`](Store::load) or [`load_monitor`](Store::load_monitor) returns stood
///   in the store at one moment, or the commit that follows from it is a [`Conflict`](CommitError::Conflict).
///   Stale is fine, mixed is not.
/// * **Everything or nothing.** [`commit`](Store::commit) applies all of a transition or none of it, even if
///   the process dies half-way (I10).
/// * **Versions.** A commit is a conflict, and changes nothing, if a row named by the transition does not
///   have the version it expects, or if the id of a new run exists already, in any environment of any
///   project.
/// * **Lists.** [`due`](Store::due) is ordered, complete up to its limit, and reads the index of what is due,
///   not the environments (I12). [`next_due`](Store::next_due) agrees with it.
///
/// With the feature `testkit`, `overdue::testkit::store_tests!` tests each of these promises for any
/// implementation.
///
/// The trait is object safe; `&S`, `Box<S>` and `Arc<S>` are stores too. Its only default method is correct
/// for every store, and can be overridden to be faster. An asynchronous host does not implement the trait: it
/// calls [`rules`](crate::rules) itself, with the same [`Query`], [`Snapshot`] and [`Transition`].
///
/// ```
/// use chrono::{DateTime, Utc};
/// use overdue::store::{CommitError, Due, DueKind, DueQuery, MonitorSnapshot, Query, Snapshot, Store, Transition};
/// use overdue::id::{EnvironmentKey, MonitorKey};
/// use std::convert::Infallible;
///
/// /// Counts the commits of another store.
/// #[derive(Default)]
/// struct Counting {
///     rows: MemoryStore,
///     commits: std::sync::atomic::AtomicU32,
/// }
///
/// impl Store for Counting {
///     type Error = Infallible;
///
///     fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Infallible> {
///         self.rows.load(key, query)
///     }
///
///     fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Infallible> {
///         self.rows.load_monitor(key)
///     }
///
///     fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Infallible> {
///         self.rows.due(query)
///     }
///
///     fn next_due(&self, kind: DueKind) -> Result<Option<DateTime<Utc>>, Infallible> {
///         self.rows.next_due(kind)
///     }
///
///     fn commit(&self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
///         self.rows.commit(transition)?;
///         self.commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
///         Ok(())
///     }
/// }
/// # use overdue::{Engine, MemoryStore, Policy};
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// let engine = Engine::new(Counting::default(), Policy::default());
/// engine.process_checkin(&message)?;
/// assert_eq!(engine.store().commits.load(std::sync::atomic::Ordering::Relaxed), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Store {
    /// Why the storage failed. Conflicts are not failures; see [`CommitError`].
    type Error: std::error::Error + Send + Sync + 'static;

    /// Reads what a decision about one environment needs, as [`Query`] describes it.
    ///
    /// # Errors
    /// If the storage cannot be read.
    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Self::Error>;

    /// Reads a monitor whole, for administration: its row, all its environments and all their open runs.
    ///
    /// # Errors
    /// If the storage cannot be read.
    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Self::Error>;

    /// Lists what is due, in the order of [`Due::order`], strictly after the cursor, at most `limit` entries.
    /// A list shorter than `limit` is complete. Each page lists what is due when it is read, not when the
    /// first one was.
    ///
    /// # Errors
    /// If the storage cannot be read.
    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Self::Error>;

    /// Returns the earliest deadline of a kind, or `None` if there is none.
    ///
    /// The default fetches the first entry of [`due`](Store::due), which sorts a whole minute. Override it if
    /// your index knows the earliest minute. A wrapper forwards it.
    ///
    /// # Errors
    /// If the storage cannot be read.
    fn next_due(&self, kind: DueKind) -> Result<Option<DateTime<Utc>>, Self::Error> {
        let first = DueQuery { kind, until: None, after: None, limit: NonZeroUsize::MIN };
        Ok(self.due(&first)?.first().map(|due| due.at))
    }

    /// Applies a transition, everything or nothing.
    ///
    /// # Errors
    /// * [`CommitError::Conflict`] if a version changed, or an id that must be new exists.
    /// * [`CommitError::Store`] if the storage cannot be written. The caller cannot know whether the
    ///   transition was applied; deciding again on a new snapshot is always safe (I4).
    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Self::Error>>;
}

/// Why a commit did not happen.
///
/// ```
/// use overdue::store::CommitError;
///
/// let error = CommitError::<std::io::Error>::Conflict;
/// assert_eq!(error.to_string(), "the rows have changed since they were read");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum CommitError<E> {
    /// Another writer was first: read and decide again.
    #[error("the rows have changed since they were read")]
    Conflict,
    /// The storage failed.
    #[error("the store failed")]
    Store(#[source] E),
}

/// Requests a page of what is due.
///
/// ```
/// use std::num::NonZeroUsize;
/// use overdue::store::{DueKind, DueQuery, Store};
///
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// engine.process_checkin(&message)?;
/// let mut query = DueQuery {
///     kind: DueKind::Miss,
///     until: Some("2024-09-03T02:01:00Z".parse()?),
///     after: None,
///     limit: NonZeroUsize::MIN,
/// };
/// let page = engine.store().due(&query)?;
/// assert_eq!(page[0].key.to_string(), "1/nightly/production");
/// query.after = page.last().cloned();
/// assert!(engine.store().due(&query)?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the four parts of a page")]
pub struct DueQuery {
    /// The kind of deadlines.
    pub kind: DueKind,
    /// Only deadlines no later than this; all of them if `None`.
    pub until: Option<DateTime<Utc>>,
    /// The last entry of the previous page.
    pub after: Option<Due>,
    /// The most entries to return.
    pub limit: NonZeroUsize,
}

/// The two kinds of deadlines.
///
/// ```
/// use overdue::row::{Environment, Run};
/// use overdue::store::DueKind;
///
/// /// The column that a store indexes for each kind.
/// fn column(kind: DueKind, environment: &Environment, run: &Run) -> Option<chrono::DateTime<chrono::Utc>> {
///     match kind {
///         DueKind::Miss => environment.due_at(),
///         DueKind::Timeout => run.due_at(),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "the two kinds of deadlines")]
pub enum DueKind {
    /// Environments, by [`Environment::due_at`](crate::row::Environment::due_at).
    Miss,
    /// Runs, by [`Run::due_at`](crate::row::Run::due_at).
    Timeout,
}

/// One entry of a list of what is due.
///
/// ```
/// use overdue::store::Due;
///
/// fn sort(page: &mut [Due]) {
///     page.sort_by(|a, b| a.order().cmp(&b.order()));
/// }
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store fills it in")]
pub struct Due {
    /// The deadline.
    pub at: DateTime<Utc>,
    /// The environment.
    pub key: EnvironmentKey,
    /// The run, if it is a timeout.
    pub run: Option<DueRun>,
}

/// The run of a [`Due`] entry.
///
/// ```
/// use overdue::row::Run;
/// use overdue::store::DueRun;
///
/// fn entry(run: &Run) -> DueRun {
///     DueRun { number: run.number(), id: run.id() }
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store fills it in")]
pub struct DueRun {
    /// Its number, which orders the runs of one environment.
    pub number: u32,
    /// Its id.
    pub id: RunId,
}

impl Due {
    /// The sort key of lists: by deadline, then by environment, then by creation of the run.
    pub fn order(&self) -> (DateTime<Utc>, &EnvironmentKey, Option<u32>) {
        (self.at, &self.key, self.run.map(|run| run.number))
    }
}

macro_rules! store_through {
    ($($pointer:ty),*) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<S: Store + ?Sized> Store for $pointer {
            type Error = S::Error;

            fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Self::Error> {
                (**self).load(key, query)
            }

            fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Self::Error> {
                (**self).load_monitor(key)
            }

            fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Self::Error> {
                (**self).due(query)
            }

            fn next_due(&self, kind: DueKind) -> Result<Option<DateTime<Utc>>, Self::Error> {
                (**self).next_due(kind)
            }

            fn commit(&self, transition: &Transition) -> Result<(), CommitError<Self::Error>> {
                (**self).commit(transition)
            }
        }
    )*};
}

store_through!(&S, Box<S>, Arc<S>);
