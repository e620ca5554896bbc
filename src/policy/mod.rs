//! What a host chooses: the rules, the limits, and the traces that an incident requests.

mod quirk;
mod sampling;

pub use quirk::{Quirk, Quirks};
pub use sampling::{
    Condition, IncidentSampling, InvalidSampleRate, SampleRate, SamplingPolicy, SamplingRequest,
};

use serde::{Deserialize, Serialize};

/// How check-ins are judged. It is plain data: the same policy and the same input give the same answer (I3).
///
/// ```
/// use overdue::Policy;
///
/// let mut policy = Policy::default();
/// policy.limits.monitors = Some(500);
/// ```
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, from = "StoredPolicy")]
#[non_exhaustive]
pub struct Policy {
    /// The rules that apply.
    pub profile: Profile,
    /// The limits on what is created.
    pub limits: Limits,
    /// Whether an incident requests more traces of its job.
    pub sampling: SamplingPolicy,
}

impl Policy {
    /// The reference profile: Sentry's cron monitoring of September 2024.
    ///
    /// ```
    /// use overdue::Policy;
    /// use overdue::policy::{Profile, Quirk, Quirks};
    ///
    /// assert_eq!(Policy::sentry_2024().profile, Profile::Reference(Quirks::SENTRY_2024));
    ///
    /// // A host that migrates drops the quirks one by one:
    /// let kept = Quirks::SENTRY_2024.without(Quirk::MarginOnLocalClock);
    /// let policy = Policy::from(Profile::Reference(kept));
    /// # let _ = policy;
    /// ```
    pub fn sentry_2024() -> Self {
        Profile::Reference(Quirks::SENTRY_2024).into()
    }
}

/// A policy with this profile, without limits and sampling.
impl From<Profile> for Policy {
    fn from(profile: Profile) -> Self {
        Self { profile, ..Self::default() }
    }
}

/// The rules that apply.
///
/// ```
/// use overdue::policy::{Profile, Quirk, Quirks};
///
/// assert_eq!(Profile::default(), Profile::Standard);
/// assert!(Profile::Reference(Quirks::SENTRY_2024).keeps(Quirk::DurationsTruncate));
/// assert!(!Profile::Standard.keeps(Quirk::DurationsTruncate));
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "two judges")]
pub enum Profile {
    /// The rules of this crate.
    #[default]
    Standard,
    /// The rules of the reference system as of September 2024, with the [`Quirk`]s that are kept. Without any
    /// quirk, they are still the rules of the reference.
    Reference(Quirks),
}

impl Profile {
    /// Whether a quirk of the reference is kept. The standard profile keeps none.
    pub const fn keeps(self, quirk: Quirk) -> bool {
        self.quirks().keeps(quirk)
    }

    /// The quirks that are kept.
    pub const fn quirks(self) -> Quirks {
        match self {
            Self::Standard => Quirks::NONE,
            Self::Reference(quirks) => quirks,
        }
    }
}

/// A policy as it is stored now, or as it was before there were profiles: with `quirks` and `incidents` as
/// fields.
#[derive(Default, Deserialize)]
#[serde(default)]
struct StoredPolicy {
    profile: Profile,
    quirks: Quirks,
    incidents: StoredIncidents,
    limits: Limits,
    sampling: SamplingPolicy,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredIncidents {
    #[default]
    Thresholds,
    Legacy,
}

impl From<StoredPolicy> for Policy {
    fn from(stored: StoredPolicy) -> Self {
        let StoredPolicy { profile, quirks, incidents, limits, sampling } = stored;
        let quirks = match incidents {
            StoredIncidents::Thresholds => quirks,
            StoredIncidents::Legacy => quirks.with(Quirk::NoIncidents),
        };
        let profile = if quirks == Quirks::NONE { profile } else { Profile::Reference(quirks) };
        Self { profile, limits, sampling }
    }
}

/// The limits on what check-ins and administration create. `None` means no limit.
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
    /// Monitors in one organization.
    pub monitors: Option<u32>,
    /// Environments of one monitor.
    pub environments: Option<u32>,
}
