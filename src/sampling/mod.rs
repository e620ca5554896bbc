//! Sampling rules: every trace of a job in trouble is of interest.
//!
//! A host with a sampler for traces keeps a set of rules for each organization: "of the traces that meet this
//! condition keep this share, until then". [`upsert`] requests one. A live rule for the same condition and
//! projects is extended; otherwise one is created, within [`SamplingLimits`]. [`SamplingPolicy`] decides
//! whether that happens when an incident opens.
//!
//! This module needs the feature `sampling`. The event that requests a rule does not.
//!
//! ```
//! use overdue::id::{OrganizationId, ProjectId};
//! use overdue::sampling::{self, Condition, MemorySamplingStore, SampleRate, SamplingLimits, SamplingRequest, SamplingStore, Upserted};
//!
//! let store = MemorySamplingStore::new();
//! let limits = SamplingLimits::default();
//! let now = "2024-09-02T10:00:00Z".parse()?;
//! let mut request = SamplingRequest {
//!     organization: OrganizationId::new(1),
//!     projects: [ProjectId::new(7)].into(),
//!     condition: Condition::of_monitor("nightly-backup", "production"),
//!     start: now,
//!     end: "2024-09-02T16:00:00Z".parse()?,
//!     max_samples: 1000,
//!     rate: SampleRate::ALL,
//! };
//! assert!(matches!(sampling::upsert(&store, &request, &limits, now)?, Upserted::Created(_)));
//!
//! // The same request again changes nothing. A longer period extends the same rule.
//! assert!(matches!(sampling::upsert(&store, &request, &limits, now)?, Upserted::Unchanged(_)));
//! request.end = "2024-09-02T18:00:00Z".parse()?;
//! assert!(matches!(sampling::upsert(&store, &request, &limits, now)?, Upserted::Extended(_)));
//!
//! let rules = store.load(OrganizationId::new(1))?;
//! assert_eq!(rules.applying_to(ProjectId::new(7), now).count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Without the store trait
//! The decisions are pure: [`RuleSet::upsert`] and [`RuleSet::retire`] take rules and return what to write. A
//! host with an asynchronous database loads, decides and commits in a loop of its own, which is all that
//! [`upsert`] and [`retire`] do.

mod limits;
mod memory;
mod rule;
mod rule_set;
mod sink;
mod store;

pub use limits::SamplingLimits;
pub use memory::MemorySamplingStore;
pub use rule::{RuleNumber, SamplingRule};
pub use rule_set::{RuleSet, RuleSetVersion, SamplingChange, SamplingDecision, SamplingRefusal, Upserted};
pub use sink::SamplingSink;
pub use store::{SamplingCommitError, SamplingStore};

pub use crate::policy::{
    Condition, IncidentSampling, InvalidSampleRate, SampleRate, SamplingPolicy, SamplingRequest,
};

use chrono::{DateTime, Utc};

use crate::id::OrganizationId;

/// How many attempts are made. Each conflict means that another writer succeeded, so this many in a row mean
/// a store that does not work.
const ATTEMPTS: u32 = 16;

/// Why there is no rule.
///
/// ```
/// use overdue::sampling::{SamplingError, SamplingRefusal};
///
/// fn is_full<E>(error: &SamplingError<E>) -> bool {
///     matches!(error, SamplingError::Refused(SamplingRefusal::OrganizationLimit { .. }))
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SamplingError<E> {
    /// The request was rejected.
    #[error("the sampling rule was rejected")]
    Refused(#[source] SamplingRefusal),
    /// The store failed.
    #[error("the sampling store failed")]
    Store(#[source] E),
    /// Every commit was a conflict.
    #[error("gave up on the sampling rules of organization {organization} after {attempts} conflicts")]
    Contended {
        /// The organization whose rules they are.
        organization: OrganizationId,
        /// How many commits were attempted.
        attempts: u32,
    },
}

/// Ensures that there is a rule which provides what the request asks for. See [`RuleSet::upsert`].
///
/// # Errors
/// * [`SamplingError::Refused`]: a limit is reached, or the period of the request is over.
/// * [`SamplingError::Store`]: the store failed.
/// * [`SamplingError::Contended`]: every attempt ended in a conflict.
pub fn upsert<S: SamplingStore + ?Sized>(
    store: &S,
    request: &SamplingRequest,
    limits: &SamplingLimits,
    now: DateTime<Utc>,
) -> Result<Upserted, SamplingError<S::Error>> {
    commit(store, request.organization, |rules| {
        let decision = rules.upsert(request, limits, now)?;
        Ok((decision.upserted, decision.change))
    })
}

/// Deletes the rules that have expired by `now`, and returns their number. Call it now and then; an expired
/// rule that is still stored has no effect.
///
/// ```
/// use overdue::id::OrganizationId;
/// use overdue::sampling::{self, MemorySamplingStore};
///
/// let now = "2024-09-02T10:00:00Z".parse()?;
/// assert_eq!(sampling::retire(&MemorySamplingStore::new(), OrganizationId::new(1), now)?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SamplingError::Store`] and [`SamplingError::Contended`], as for [`upsert`].
pub fn retire<S: SamplingStore + ?Sized>(
    store: &S,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<usize, SamplingError<S::Error>> {
    commit(store, organization, |rules| {
        let change = rules.retire(now);
        Ok((change.as_ref().map_or(0, |change| change.retire.len()), change))
    })
}

/// Loads, decides and commits. Starts over on a conflict.
fn commit<S: SamplingStore + ?Sized, T>(
    store: &S,
    organization: OrganizationId,
    decide: impl Fn(&RuleSet) -> Result<(T, Option<SamplingChange>), SamplingRefusal>,
) -> Result<T, SamplingError<S::Error>> {
    for _ in 0..ATTEMPTS {
        let rules = store.load(organization).map_err(SamplingError::Store)?;
        let (answer, change) = decide(&rules).map_err(SamplingError::Refused)?;
        let Some(change) = change else { return Ok(answer) };
        match store.commit(&change) {
            Ok(()) => return Ok(answer),
            Err(SamplingCommitError::Conflict) => {}
            Err(SamplingCommitError::Store(error)) => return Err(SamplingError::Store(error)),
        }
    }
    Err(SamplingError::Contended { organization, attempts: ATTEMPTS })
}
