//! The traces that an incident requests. Rules and their store are in the module `sampling`, behind a
//! feature.

mod condition;
mod rate;
mod request;

pub use condition::Condition;
pub use rate::{InvalidSampleRate, SampleRate};
pub use request::SamplingRequest;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{EnvironmentKey, OrganizationId};

/// Whether traces are requested when an incident opens.
///
/// ```
/// use overdue::policy::{IncidentSampling, Policy, SamplingPolicy};
///
/// let mut policy = Policy::default();
/// policy.sampling = SamplingPolicy::OnIncident(IncidentSampling::default());
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SamplingPolicy {
    /// No traces are requested.
    #[default]
    Off,
    /// Traces are requested: every trace of a job in trouble is of interest.
    OnIncident(IncidentSampling),
}

/// What is requested when an incident opens.
///
/// ```
/// use chrono::TimeDelta;
/// use overdue::policy::IncidentSampling;
///
/// let sampling = IncidentSampling { period: TimeDelta::hours(1), ..IncidentSampling::default() };
/// assert_eq!(sampling.max_samples, 1000);
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data a host writes down")]
pub struct IncidentSampling {
    /// The share of traces to keep. The default is all.
    pub rate: SampleRate,
    /// The most traces to collect. The default is 1000.
    pub max_samples: u32,
    /// How long to collect, from the opening of the incident. The default is six hours, the longest period
    /// that the reference system allows a rule at once. An incident that opens meanwhile extends it.
    pub period: TimeDelta,
}

impl Default for IncidentSampling {
    fn default() -> Self {
        Self { rate: SampleRate::ALL, max_samples: 1000, period: TimeDelta::hours(6) }
    }
}

impl SamplingPolicy {
    /// Returns the request to make when an incident of this environment opens, or `None` if sampling is off.
    ///
    /// ```
    /// use overdue::policy::{Condition, IncidentSampling, SampleRate, SamplingPolicy};
    /// # use overdue::id::{OrganizationId, EnvironmentKey};
    /// # fn incident_opens(organization: OrganizationId, environment: &EnvironmentKey) -> Option<()> {
    ///
    /// let policy = SamplingPolicy::OnIncident(IncidentSampling::default());
    /// let opened_at = "2024-09-02T10:00:00Z".parse().ok()?;
    /// let request = policy.request_for_incident(organization, environment, opened_at)?;
    /// assert_eq!(request.rate, SampleRate::ALL);
    /// assert_eq!(request.condition, Condition::of_monitor("nightly-backup", "production"));
    /// # Some(())
    /// # }
    /// ```
    pub fn request_for_incident(
        &self,
        organization: OrganizationId,
        environment: &EnvironmentKey,
        opened_at: DateTime<Utc>,
    ) -> Option<SamplingRequest> {
        let SamplingPolicy::OnIncident(sampling) = self else { return None };
        let monitor = &environment.monitor;
        Some(SamplingRequest {
            organization,
            projects: BTreeSet::from([monitor.project]),
            condition: Condition::of_monitor(monitor.slug.as_str(), environment.name.as_str()),
            start: opened_at,
            end: opened_at.checked_add_signed(sampling.period).unwrap_or(DateTime::<Utc>::MAX_UTC),
            max_samples: sampling.max_samples,
            rate: sampling.rate,
        })
    }
}
