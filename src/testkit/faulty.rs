//! A store that fails on purpose.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::decision::{MonitorSnapshot, Snapshot, Transition};
use crate::id::{EnvironmentKey, MonitorKey};
use crate::rules::Query;
use crate::store::{CommitError, Due, DueKind, DueQuery, Store};

/// Wraps a store and injects one fault, at a call of your choice.
///
/// To try a host with every possible fault, inject it at call 0, 1, 2 and so on, until it
/// [no longer strikes](Self::has_struck), and compare the rows and the alerts at the end. Wrap one in another
/// for two faults in one run.
///
/// ```
/// use overdue::testkit::{Fault, FaultyStore, Journal, Nth};
/// use overdue::{Engine, MemoryStore, Message, Policy, Store};
/// use overdue::event::NoSink;
///
/// /// The host under test: it tries what failed a second time.
/// fn deliver<S: Store>(message: &Message, store: &S) -> Result<(), overdue::Error<S::Error>> {
///     let engine = Engine::new(store, Policy::default());
///     engine.process_checkin(message).or_else(|_| engine.process_checkin(message))?;
///     Ok(())
/// }
///
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// for fault in [Fault::Conflict, Fault::Unwritten, Fault::Unanswered] {
///     for nth in 0.. {
///         let store = FaultyStore::new(Journal::over(MemoryStore::new()), fault, Nth::Call(nth));
///         deliver(&message, &store)?;
///         assert_eq!(store.store().store().runs(&environment).len(), 1, "{fault:?} at call {nth}");
///         assert_eq!(store.store().transitions().len(), 1, "written twice: {fault:?} at call {nth}");
///         if !store.has_struck() {
///             break;
///         }
///     }
/// }
///
/// // A process that dies right after its commit does not answer; the next one finds what it has written.
/// let store = FaultyStore::new(MemoryStore::new(), Fault::StopAfter, Nth::Commit(0));
/// assert!(deliver(&message, &store).is_err());
/// let survived = store.into_inner();
/// assert_eq!(survived.runs(&environment).len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FaultyStore<S> {
    store: S,
    fault: Fault,
    nth: Nth,
    course: Mutex<Course>,
}

/// How a call goes wrong.
///
/// ```
/// use overdue::testkit::{Fault, FaultyStore, Nth};
/// use overdue::store::{CommitError, Store};
///
/// # use overdue::{MemoryStore, testkit::Journal};
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// # let kept = Journal::over(MemoryStore::new());
/// # overdue::Engine::new(&kept, overdue::Policy::default()).process_checkin(&message)?;
/// # let transition = kept.transitions().remove(0);
/// let store = FaultyStore::new(MemoryStore::new(), Fault::Unwritten, Nth::Commit(0));
/// assert!(matches!(store.commit(&transition), Err(CommitError::Store(_))));
/// assert_eq!(store.load_monitor(&monitor)?, None, "it failed before it wrote");
/// assert_eq!(store.commit(&transition), Ok(()), "and fails no second time");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// A commit is answered with a conflict, and nothing is written. Reads have no conflicts: if the chosen
    /// call is a read, the next commit fails instead.
    Conflict,
    /// The call fails, and nothing is written.
    Unwritten,
    /// The call fails, but a commit writes what it was to write.
    Unanswered,
    /// The process dies before the call: nothing is written, and every later call fails too.
    StopBefore,
    /// The process dies after the call: a commit writes what it was to write, but neither this call nor a
    /// later one is answered.
    StopAfter,
}

/// Which call goes wrong. Calls are counted from zero.
///
/// ```
/// use overdue::testkit::Nth;
///
/// // The first commit, whatever is read before it; and the first call of all, which is usually a read.
/// assert_ne!(Nth::Commit(0), Nth::Call(0));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a call is a commit or any")]
pub enum Nth {
    /// Counted over all calls.
    Call(usize),
    /// Counted over the commits.
    Commit(usize),
}

/// What a [`FaultyStore`] fails with.
///
/// ```
/// use overdue::testkit::FaultyError;
///
/// assert_eq!(FaultyError::<std::io::Error>::OnPurpose.to_string(), "the store fails on purpose");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "on purpose or not")]
pub enum FaultyError<E> {
    /// As injected.
    #[error("the store fails on purpose")]
    OnPurpose,
    /// The store inside failed.
    #[error(transparent)]
    Store(E),
}

/// Whether the fault has struck.
#[derive(Debug)]
enum Course {
    /// Not yet, after this number of calls.
    Counting(usize),
    Struck,
}

impl<S> FaultyStore<S> {
    /// Wraps a store that fails with this fault at that call.
    pub const fn new(store: S, fault: Fault, nth: Nth) -> Self {
        Self { store, fault, nth, course: Mutex::new(Course::Counting(0)) }
    }

    /// The store inside, which never fails on purpose.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The store inside: what survives when the process dies.
    pub fn into_inner(self) -> S {
        self.store
    }

    /// Whether the fault has struck.
    pub fn has_struck(&self) -> bool {
        matches!(*self.course(), Course::Struck)
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call. Returns the fault that it meets, if it meets one.
    fn meets(&self, is_commit: bool) -> Option<Fault> {
        let mut course = self.course();
        let Course::Counting(counted) = &mut *course else {
            let is_dead = matches!(self.fault, Fault::StopBefore | Fault::StopAfter);
            return is_dead.then_some(Fault::StopBefore);
        };
        let (nth, counts) = match self.nth {
            Nth::Call(nth) => (nth, true),
            Nth::Commit(nth) => (nth, is_commit),
        };
        let reached = counts && *counted >= nth;
        *counted += usize::from(counts);
        let strikes = reached && (is_commit || self.fault != Fault::Conflict);
        strikes.then(|| {
            *course = Course::Struck;
            self.fault
        })
    }

    fn read<T, E>(&self, read: impl FnOnce(&S) -> Result<T, E>) -> Result<T, FaultyError<E>> {
        match self.meets(false) {
            Some(_) => Err(FaultyError::OnPurpose),
            None => read(&self.store).map_err(FaultyError::Store),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for FaultyStore<S> {
    type Error = FaultyError<S::Error>;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Self::Error> {
        self.read(|store| store.load(key, query))
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Self::Error> {
        self.read(|store| store.load_monitor(key))
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Self::Error> {
        self.read(|store| store.due(query))
    }

    fn next_due(&self, kind: DueKind) -> Result<Option<DateTime<Utc>>, Self::Error> {
        self.read(|store| store.next_due(kind))
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Self::Error>> {
        let commit = || {
            self.store.commit(transition).map_err(|error| match error {
                CommitError::Conflict => CommitError::Conflict,
                CommitError::Store(error) => CommitError::Store(FaultyError::Store(error)),
            })
        };
        match self.meets(true) {
            None => commit(),
            Some(Fault::Conflict) => Err(CommitError::Conflict),
            Some(Fault::Unwritten | Fault::StopBefore) => Err(CommitError::Store(FaultyError::OnPurpose)),
            Some(Fault::Unanswered | Fault::StopAfter) => {
                // The caller does not learn of a conflict either.
                let _unheard = commit();
                Err(CommitError::Store(FaultyError::OnPurpose))
            }
        }
    }
}
