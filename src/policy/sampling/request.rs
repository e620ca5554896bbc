use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Condition, SampleRate};
use crate::id::{OrganizationId, ProjectId};

/// Requests traces: the least that a rule must provide.
///
/// ```
/// use overdue::policy::SamplingRequest;
///
/// # use overdue::id::{OrganizationId, ProjectId};
/// # use overdue::policy::{Condition, SampleRate};
/// # let now = "2024-09-02T10:00:00Z".parse()?;
/// let request = SamplingRequest {
///     organization: OrganizationId::new(1),
///     projects: [ProjectId::new(7)].into(),
///     condition: Condition::of_monitor("nightly", "production"),
///     start: now,
///     end: now + chrono::TimeDelta::hours(6),
///     max_samples: 1000,
///     rate: SampleRate::ALL,
/// };
/// # let _ = request;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a request is its parts, and hosts build them")]
pub struct SamplingRequest {
    /// The organization whose rule it is.
    pub organization: OrganizationId,
    /// The projects it applies to. An empty set means all of the organization.
    pub projects: BTreeSet<ProjectId>,
    /// Which traces it applies to.
    pub condition: Condition,
    /// The start of the period.
    pub start: DateTime<Utc>,
    /// The end of the period, exclusive.
    pub end: DateTime<Utc>,
    /// The most traces to collect.
    pub max_samples: u32,
    /// The share of traces to keep.
    pub rate: SampleRate,
}
