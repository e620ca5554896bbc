//! The rules: pure functions from a snapshot and an input to a decision.
//!
//! Nothing here does I/O, reads a clock, draws a random number, logs, locks or panics. Time is an argument,
//! and ids derive from their cause. A host with an asynchronous database needs only this module: load what a
//! [`Query`] asks for, decide, commit, and start over if the commit conflicts.
//!
//! ```
//! use overdue::admission::ValidCheckin;
//! use overdue::outcome::Outcome;
//! use overdue::store::{Query, Snapshot, CommitError, Transition};
//! use overdue::{Policy, rules};
//!
//! # use overdue::id::EnvironmentKey;
//! # struct Database;
//! # #[derive(Debug)] struct Broken;
//! # impl Database {
//! #     async fn load(&self, _: &EnvironmentKey, _: &Query<'_>) -> Result<Snapshot, Broken> { Err(Broken) }
//! #     async fn commit(&self, _: &Transition) -> Result<(), CommitError<Broken>> { Ok(()) }
//! # }
//! async fn decide(database: &Database, valid: &ValidCheckin<'_>, policy: &Policy) -> Result<Outcome, Broken> {
//!     loop {
//!         let snapshot = database.load(&valid.key(), &Query::checkin(valid, policy)).await?;
//!         let decision = rules::process_checkin(snapshot, valid, policy);
//!         let Some(transition) = decision.transition else { return Ok(decision.outcome) };
//!         match database.commit(&transition).await {
//!             // The commit has put `transition.events` into an outbox, with the rows.
//!             Ok(()) => return Ok(decision.outcome),
//!             Err(CommitError::Conflict) => continue, // another writer was first: decide again
//!             Err(CommitError::Store(error)) => return Err(error),
//!         }
//!     }
//! }
//! ```

mod administration;
mod alerts;
mod changes;
mod early_exit;
mod intake;
mod profile;
mod reads;
mod reference;
mod run;
mod standard;
mod tick;

use chrono::{DateTime, Utc};

pub use administration::{Edit, EditError, create_monitor, edit_monitor, remove_monitor};
pub use intake::process_checkin;
pub use reads::Query;
pub use tick::{check_missed, check_timeout};

pub use crate::decision::Decision;

use changes::{Changes, write};

use crate::decision::{RunLookup, Snapshot};
use crate::outcome::Effect;
use crate::policy::Policy;
use crate::row::Run;

/// Applies a run that succeeded, or that does not affect health: reschedules from `at`, and may resolve the
/// incident.
///
/// `snapshot` must hold the run, as [`Query::run_of`](crate::rules::Query::run_of) asks for. Returns `None`
/// if there is no such run in the environment. [`process_checkin`] does this for every check-in whose run has
/// not failed; call it to judge a run again.
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
pub fn mark_ok(snapshot: Snapshot, at: DateTime<Utc>, policy: &Policy) -> Decision<Option<Effect>> {
    mark(snapshot, policy, |changes, run| profile::mark_ok(changes, run, at))
}

/// Applies a run that failed: reschedules from `at`, and may open an incident or add to it.
///
/// `snapshot` must hold the run, as [`Query::run_of`](crate::rules::Query::run_of) asks for. Returns `None`
/// if there is no such run in the environment. [`process_checkin`] and the ticks do this for every run that
/// failed; call it to judge a run again.
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
pub fn mark_failed(snapshot: Snapshot, at: DateTime<Utc>, policy: &Policy) -> Decision<Option<Effect>> {
    mark(snapshot, policy, |changes, run| profile::mark_failed(changes, run, at))
}

fn mark(
    snapshot: Snapshot,
    policy: &Policy,
    judge: impl FnOnce(&mut Changes<'_>, &Run) -> Effect,
) -> Decision<Option<Effect>> {
    let (Some(monitor), Some(mut environment), Some(RunLookup::Own(run))) =
        (snapshot.monitor, snapshot.environment, &snapshot.run)
    else {
        return Decision::answer(None);
    };
    let mut changes = Changes::new(policy, &monitor, &mut environment, &snapshot.history);
    let health = judge(&mut changes, run);
    let effects = changes.effects;
    Decision { transition: Some(write(monitor, environment, None, effects)), outcome: Some(health) }
}
