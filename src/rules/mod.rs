//! The rules: pure functions from a snapshot and an input to a decision.
//!
//! Nothing here does I/O, asks a clock, draws a random number, logs, locks or panics; time is an argument,
//! ids derive from their cause. A host with an asynchronous database needs nothing else of this crate: load
//! what a [`Query`](crate::store::Query) says, decide, commit, and start over when the commit conflicts.
//!
//! ```
//! use overdue::checkin::Arrival;
//! use overdue::outcome::Outcome;
//! use overdue::store::{Query, Snapshot};
//! use overdue::store::CommitError;
//! use overdue::store::Transition;
//! use overdue::{Policy, rules};
//!
//! # struct Database;
//! # #[derive(Debug)] struct Broken;
//! # impl Database {
//! #     async fn load(&self, _: &Query<'_>) -> Result<Snapshot, Broken> { Err(Broken) }
//! #     async fn commit(&self, _: &Transition) -> Result<(), CommitError<Broken>> { Ok(()) }
//! # }
//! async fn judge(database: &Database, arrival: &Arrival<'_>, policy: &Policy) -> Result<Outcome, Broken> {
//!     loop {
//!         let snapshot = database.load(&Query::arrival(arrival, policy)).await?;
//!         let decision = rules::process_checkin(snapshot, arrival, policy);
//!         let Some(transition) = decision.transition else { return Ok(decision.outcome) };
//!         match database.commit(&transition).await {
//!             Ok(()) => return Ok(decision.outcome),
//!             Err(CommitError::Conflict) => continue, // somebody was faster: decide again
//!             Err(CommitError::Store(error)) => return Err(error),
//!         }
//!     }
//! }
//! ```

mod administration;
mod dismissal;
mod draft;
mod intake;
mod judge;
mod report;
mod tick;

use chrono::{DateTime, Utc};

use crate::outcome::Judgement;
use crate::policy::Policy;
use crate::store::Transition;
use crate::store::{Found, Snapshot};

pub use administration::{Edit, EditRefused, create_monitor, edit_monitor, remove_monitor};
pub use intake::process_checkin;
pub use tick::{check_missed, check_timeout};

use draft::{Draft, write};

/// An answer, and what to write before giving it.
///
/// ```
/// use overdue::rules::Decision;
///
/// fn log<T: std::fmt::Debug>(decision: &Decision<T>) {
///     let events = decision.transition.as_ref().map_or(0, |transition| transition.events.len());
///     println!("{:?}, and {events} events", decision.outcome);
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "what to write and what to answer")]
pub struct Decision<T> {
    /// Write exactly this first. None: there is nothing to write.
    pub transition: Option<Transition>,
    /// The answer: what was decided, and why nothing else was.
    pub outcome: T,
}

impl<T> Decision<T> {
    const fn answer(outcome: T) -> Self {
        Self { transition: None, outcome }
    }
}

/// Judges a run that went well, or that says nothing about health: the deadlines follow from `at`, and an
/// incident may end.
///
/// `snapshot` must hold the run, as [`Query::run_of`](crate::store::Query::run_of) asks for.
/// None: there is no such run in the environment. [`process_checkin`] does this for every check-in whose run has not failed; call it to judge a run again.
///
/// ```
/// use overdue::{Policy, rules};
///
/// # use overdue::row::Organization;
/// # use overdue::store::{MonitorSnapshot, Snapshot};
/// # let empty = Snapshot { organization: None, monitor: None, environment: None, run: None, history: Vec::new() };
/// // A snapshot without the run in question:
/// let decision = rules::mark_ok(empty, "2024-09-02T02:12:00Z".parse()?, &Policy::default());
/// assert_eq!((decision.transition, decision.outcome), (None, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn mark_ok(snapshot: Snapshot, at: DateTime<Utc>, policy: &Policy) -> Decision<Option<Judgement>> {
    mark(snapshot, policy, |draft, run| draft.mark_ok(run, at))
}

/// Judges a run that failed: the deadlines follow from `at`, and an incident may open or go on.
///
/// `snapshot` must hold the run, as [`Query::run_of`](crate::store::Query::run_of) asks for.
/// None: there is no such run in the environment. [`process_checkin`] and the ticks do this for every run that failed; call it to judge a run again.
///
/// ```
/// use overdue::{Policy, rules};
///
/// # use overdue::row::Organization;
/// # use overdue::store::{MonitorSnapshot, Snapshot};
/// # let empty = Snapshot { organization: None, monitor: None, environment: None, run: None, history: Vec::new() };
/// // A snapshot without the run in question:
/// let decision = rules::mark_failed(empty, "2024-09-02T02:12:00Z".parse()?, &Policy::default());
/// assert_eq!((decision.transition, decision.outcome), (None, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn mark_failed(snapshot: Snapshot, at: DateTime<Utc>, policy: &Policy) -> Decision<Option<Judgement>> {
    mark(snapshot, policy, |draft, run| draft.mark_failed(run, &at.into()))
}

fn mark(
    snapshot: Snapshot,
    policy: &Policy,
    judge: impl FnOnce(&mut Draft<'_>, &crate::row::Run) -> Judgement,
) -> Decision<Option<Judgement>> {
    let (Some(monitor), Some(mut environment), Some(Found::Here(run))) =
        (snapshot.monitor, snapshot.environment, &snapshot.run)
    else {
        return Decision::answer(None);
    };
    let mut draft = Draft::new(policy, &monitor, &mut environment, &snapshot.history);
    let judgement = judge(&mut draft, run);
    let effects = draft.effects;
    Decision { transition: Some(write(monitor, environment, None, effects)), outcome: Some(judgement) }
}
