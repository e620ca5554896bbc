//! A conformance suite: the promises of a [`Store`], each with a test.
//!
//! A host that implements [`Store`] tests it in one line:
//!
//! ```
//! use overdue::MemoryStore;
//!
//! overdue::testkit::store_tests!(memory, || (MemoryStore::new(), ()));
//! ```
//!
//! This makes a module `memory` with a test for each of the promises [below](Promise#promises). The closure
//! returns a new, empty store and a guard, which is what must outlive the store: a temporary directory, a
//! database, a process. Each test calls it once, and drops the guard after the store.
//!
//! A test that fails names the broken promise, and says what was seen instead:
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
//! The rows are made by hand: they take every shape that a row can take under any policy, but come in
//! transitions such as decisions make. Tests of long lists put more than a thousand rows in one transition.
//!
//! The suite expects more than the documentation of [`Store`] says:
//!
//! * Threads can share the store ([`Sync`]).
//! * The store sees its own commits. A store that reads from a replica is tested without the delay.
//! * Commits fail only with a [`Conflict`](crate::store::CommitError::Conflict): a busy store waits.
//!
//! Two promises cannot be tested through the trait: that commits are durable, and that what is due is read
//! from an index (I12).
//!
//! [`Promise::ALL`] holds the promises as values, for a report or a test runner of your own.

mod atomicity;
mod conflicts;
mod erased;
mod failure;
mod harness;
mod history;
mod lists;
mod lookups;
mod promised;
mod races;
mod rows;
mod sample;

use std::fmt;
use std::panic::Location;

use crate::store::Store;

use erased::Boxed;
use failure::{Failure, Proof};
use harness::Harness;

#[doc(hidden)]
pub use promised::prove_or_panic;

use promised::every_promise;

macro_rules! promises {
    ($($module:ident { $($name:ident: $text:literal)* })*) => {
        /// A promise of a store, and its test.
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
            proof: fn(Harness<'_>) -> Proof,
        }

        impl Promise {
            /// Every promise.
            pub const ALL: &[Promise] = &[
                $($(Promise { name: stringify!($name), text: $text, proof: $module::$name },)*)*
            ];
        }
    };
}

every_promise!([promises]);

impl Promise {
    /// The name of its test.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What is promised.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// Tests whether a new, empty store keeps the promise.
    ///
    /// # Errors
    /// [`BrokenPromise`] if it does not, or if the store fails.
    pub fn prove<S: Store + Sync>(&self, store: &S) -> Result<(), BrokenPromise> {
        let Self { name, text, proof } = *self;
        proof(Harness::new(&Boxed(store))).map_err(|Failure { seen, at }| BrokenPromise {
            name,
            text,
            seen,
            at,
        })
    }
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Promise").field(&self.name).finish()
    }
}

/// A promise that a store did not keep.
///
/// `Display` prints, over several lines, what was promised, what was seen, and where the test is.
///
/// ```
/// use overdue::store::{CommitError, Due, DueQuery, MonitorSnapshot, Query, Snapshot, Store, Transition};
/// use overdue::id::{EnvironmentKey, MonitorKey};
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
