//! What a host may choose: the quirks it keeps, what failures lead to, and how much may be created.

mod quirk;

pub use quirk::{Quirk, Quirks};

use serde::{Deserialize, Serialize};

use crate::sampling::SamplingPolicy;

/// How check-ins are judged. Plain data: the same policy and the same input give the same answer (I3).
///
/// ```
/// use overdue::policy::{Policy, Quirk};
///
/// // A host that migrates, and has got rid of one quirk so far:
/// let mut policy = Policy::sentry_2024();
/// policy.quirks = policy.quirks.without(Quirk::MarginOnLocalClock);
/// ```
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Policy {
    /// The departures from the standard profile that are kept.
    pub quirks: Quirks,
    /// What failures lead to.
    pub incidents: IncidentMode,
    /// How much may be created.
    pub limits: Limits,
    /// Whether an incident asks for more traces of its job.
    pub sampling: SamplingPolicy,
}

impl Policy {
    /// The reference profile: Sentry's cron monitoring of September 2024, with all its [`Quirk`]s.
    ///
    /// ```
    /// use overdue::policy::{Policy, Quirks};
    ///
    /// assert_eq!(Policy::sentry_2024().quirks, Quirks::ALL);
    /// ```
    pub fn sentry_2024() -> Self {
        Self { quirks: Quirks::ALL, ..Self::default() }
    }
}

/// What failures lead to.
///
/// ```
/// use overdue::policy::{IncidentMode, Policy};
///
/// let mut policy = Policy::default();
/// policy.incidents = IncidentMode::Legacy;
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "with incidents or without")]
pub enum IncidentMode {
    /// Failures in a row open an incident, successes in a row resolve it.
    #[default]
    Thresholds,
    /// Each failure is an event of its own, as it was before there were thresholds. The status of the
    /// environment tells which kind of failure the last one was.
    Legacy,
}

/// How much may be created by check-ins and by administration. `None` means no limit.
///
/// ```
/// use overdue::policy::{Limits, Policy};
///
/// let mut policy = Policy::default();
/// policy.limits = Limits { monitors: Some(500), environments: Some(20) };
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct Limits {
    /// Monitors of one organization.
    pub monitors: Option<u32>,
    /// Environments of one monitor.
    pub environments: Option<u32>,
}
