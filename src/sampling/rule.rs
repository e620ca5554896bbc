use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{OrganizationId, ProjectId};
use crate::policy::{Condition, SampleRate, SamplingRequest};

/// The number of a rule within its organization, from 1. A number is free again once its rule has expired.
///
/// ```
/// use overdue::sampling::RuleNumber;
///
/// assert_eq!(RuleNumber::FIRST.get(), 1);
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct RuleNumber(NonZeroU32);

impl RuleNumber {
    /// The least number.
    pub const FIRST: RuleNumber = RuleNumber(NonZeroU32::MIN);

    /// Makes the number of a rule.
    pub const fn new(number: NonZeroU32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The number that Sentry's sampler uses for the rule: it reserves those above 3000 for such rules.
    ///
    /// ```
    /// use overdue::sampling::RuleNumber;
    ///
    /// assert_eq!(RuleNumber::FIRST.sentry_id(), 3001);
    /// ```
    pub const fn sentry_id(self) -> u32 {
        self.get().saturating_add(3000)
    }

    /// Returns the smallest number that is not taken.
    pub(super) fn smallest_free(taken: &BTreeSet<RuleNumber>) -> Self {
        let mut free = NonZeroU32::MIN;
        for number in taken {
            if number.0 != free {
                break;
            }
            // Four thousand million rules do not fit in memory.
            free = free.saturating_add(1);
        }
        Self(free)
    }
}

impl fmt::Display for RuleNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A rule in force now or later: "keep this share of the traces that meet this condition, until then".
///
/// ```
/// use overdue::sampling::SamplingRule;
///
/// fn line(rule: &SamplingRule) -> String {
///     format!("rule {}: {} of the traces until {}", rule.number(), rule.rate().get(), rule.end())
/// }
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct SamplingRule {
    number: RuleNumber,
    #[serde(flatten)]
    request: SamplingRequest,
}

impl SamplingRule {
    pub(super) const fn new(number: RuleNumber, request: SamplingRequest) -> Self {
        Self { number, request }
    }

    /// Its number in the organization.
    pub const fn number(&self) -> RuleNumber {
        self.number
    }

    /// The organization whose rule it is.
    pub const fn organization(&self) -> OrganizationId {
        self.request.organization
    }

    /// The projects it applies to. An empty set means all of the organization.
    pub const fn projects(&self) -> &BTreeSet<ProjectId> {
        &self.request.projects
    }

    /// Which traces it applies to.
    pub const fn condition(&self) -> &Condition {
        &self.request.condition
    }

    /// The start of the period.
    pub const fn start(&self) -> DateTime<Utc> {
        self.request.start
    }

    /// The end of the period, exclusive. A store finds expired rules by it.
    pub const fn end(&self) -> DateTime<Utc> {
        self.request.end
    }

    /// The most traces to collect.
    pub const fn max_samples(&self) -> u32 {
        self.request.max_samples
    }

    /// The share of traces to keep.
    pub const fn rate(&self) -> SampleRate {
        self.request.rate
    }

    /// Whether it is in force, or will be.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.end()
    }

    /// Whether it applies to every project of the organization.
    pub fn is_organization_wide(&self) -> bool {
        self.projects().is_empty()
    }

    /// Whether it is in force in this project at this time.
    pub fn applies_to(&self, project: ProjectId, now: DateTime<Utc>) -> bool {
        let concerns = self.is_organization_wide() || self.projects().contains(&project);
        concerns && self.start() <= now && self.is_live(now)
    }

    /// Whether it is for the traces that the request asks for.
    pub(super) fn answers(&self, request: &SamplingRequest) -> bool {
        self.request.condition == request.condition && self.request.projects == request.projects
    }

    /// Combines this rule with the request: both periods, the larger count, the larger rate.
    pub(super) fn extended_by(&self, request: &SamplingRequest) -> Self {
        let mut extended = self.clone();
        extended.request.start = self.start().min(request.start);
        extended.request.end = self.end().max(request.end);
        extended.request.max_samples = self.max_samples().max(request.max_samples);
        extended.request.rate = self.rate().max(request.rate);
        extended
    }
}
