//! The promises of a [`Store`], each with a proof.
//!
//! A host that implements [`Store`] holds it to its word in one line:
//!
//! ```
//! use overdue::MemoryStore;
//!
//! overdue::testkit::store_tests!(memory, || (MemoryStore::new(), ()));
//! ```
//!
//! which makes a module `memory` with a test for each of the promises [below](Promise#promises). The closure
//! gives a new, empty store, and with it whatever must outlive it: a temporary directory, a database of its own,
//! a process. It is called once a test, and the guard is dropped after the store.
//!
//! A test that fails says which promise is broken, and what was seen instead:
//!
//! ```text
//! test sqlite::a_run_elsewhere_cannot_be_new_here ... FAILED
//!
//! the store breaks a promise: a_run_elsewhere_cannot_be_new_here
//!   promised: A commit is a conflict when the id of a new run exists in another environment, monitor or project.
//!     broken: rows of 99/job (environments: 1, runs: 1) met no conflict, though run 1 of 7/job/production is there
//!             already, and 99/job/production is another place
//!   proof at: src/testkit/store/conflicts.rs:117
//! ```
//!
//! The rows that the proofs put are made by hand: they take every shape that a row can take under any policy,
//! but they come in transitions such as decisions make. The proofs that put long lists do so in single
//! transitions of more than a thousand rows.
//!
//! What they expect beyond the documentation of [`Store`] is this:
//!
//! * Threads can share the store ([`Sync`]).
//! * It sees its own commits. A store that reads from a replica may be stale for the rest of the world, but is
//!   tested without that delay.
//! * Commits do not fail but for a [`Conflict`](crate::store::CommitError::Conflict): a store that is busy waits.
//!
//! Two promises are not put to the test, as nothing of them shows in a trait: that what is committed is there
//! when the process comes back, and that what is due is read from an index (I12).
//!
//! Whoever wants the promises as values, for a report or a test harness of their own, has [`Promise::ALL`].

mod breach;
mod conflicts;
mod desk;
mod history;
mod lists;
mod lookups;
mod promised;
mod races;
mod rows;
mod sample;
mod shelf;
mod whole;

use std::fmt;
use std::panic::Location;

use crate::store::Store;

use breach::{Breach, Proof};
use desk::Desk;
use shelf::Boxed;

#[doc(hidden)]
pub use promised::prove_or_panic;

use promised::every_promise;

macro_rules! promises {
    ($($module:ident { $($name:ident: $text:literal)* })*) => {
        /// Something that a store has to keep, and the proof that it does.
        ///
        /// ```
        /// use overdue::MemoryStore;
        /// use overdue::testkit::store::Promise;
        ///
        /// for promise in Promise::ALL {
        ///     match promise.prove(&MemoryStore::new()) {
        ///         Ok(()) => println!("kept: {}", promise.text()),
        ///         Err(broken) => panic!("{broken}"),
        ///     }
        /// }
        /// ```
        ///
        /// # Promises
        ///
        $($(#[doc = concat!("* `", stringify!($name), "`: ", $text)])*)*
        #[derive(Clone, Copy)]
        pub struct Promise {
            name: &'static str,
            text: &'static str,
            proof: fn(Desk<'_>) -> Proof,
        }

        impl Promise {
            /// Every promise there is.
            pub const ALL: &[Promise] = &[
                $($(Promise { name: stringify!($name), text: $text, proof: $module::$name },)*)*
            ];
        }
    };
}

every_promise!([promises]);

impl Promise {
    /// What its test is called.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What is promised.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// Tries whether a new, empty store keeps the promise.
    ///
    /// # Errors
    /// When it does not, with what was seen; also when the store fails.
    pub fn prove<S: Store + Sync>(&self, store: &S) -> Result<(), BrokenPromise> {
        let Self { name, text, proof } = *self;
        proof(Desk::new(&Boxed(store))).map_err(|Breach { seen, at }| BrokenPromise { name, text, seen, at })
    }
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Promise").field(&self.name).finish()
    }
}

/// A promise that a store did not keep.
///
/// Its text, over several lines, says what was promised, what was seen, and where the proof is.
///
/// ```
/// use overdue::store::{CommitError, Due, DueQuery, MonitorSnapshot, Query, Snapshot, Store, Transition};
/// use overdue::key::{EnvironmentKey, MonitorKey};
/// use overdue::testkit::store::Promise;
/// use std::convert::Infallible;
///
/// /// Writes nothing.
/// struct Sieve;
///
/// impl Store for Sieve {
///     type Error = Infallible;
///
///     fn load(&self, _: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Infallible> {
///         let organization = query.organization().map(overdue::row::Organization::new);
///         Ok(Snapshot { organization, monitor: None, environment: None, run: None, history: Vec::new() })
///     }
///
///     fn load_monitor(&self, _: &MonitorKey) -> Result<Option<MonitorSnapshot>, Infallible> {
///         Ok(None)
///     }
///
///     fn due(&self, _: &DueQuery) -> Result<Vec<Due>, Infallible> {
///         Ok(Vec::new())
///     }
///
///     fn commit(&self, _: &Transition) -> Result<(), CommitError<Infallible>> {
///         Ok(())
///     }
/// }
///
/// let kept: Vec<_> = Promise::ALL.iter().filter(|promise| promise.prove(&Sieve).is_ok()).collect();
/// assert!(kept.iter().any(|promise| promise.name() == "a_new_store_is_empty"));
/// let broken = Promise::ALL.iter().find_map(|promise| promise.prove(&Sieve).err()).ok_or("it keeps them all")?;
/// assert_eq!(broken.promise(), "an_organization_comes_back");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BrokenPromise {
    name: &'static str,
    text: &'static str,
    seen: String,
    at: &'static Location<'static>,
}

impl BrokenPromise {
    /// The name of the promise.
    pub const fn promise(&self) -> &'static str {
        self.name
    }
}

impl std::error::Error for BrokenPromise {}

impl fmt::Display for BrokenPromise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, text, seen, at } = self;
        writeln!(f, "the store breaks a promise: {name}")?;
        writeln!(f, "  promised: {text}")?;
        writeln!(f, "    broken: {seen}")?;
        write!(f, "  proof at: {}:{}", at.file(), at.line())
    }
}
