use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{RuleNumber, SamplingLimits, SamplingRule};
use crate::id::{OrganizationId, ProjectId};
use crate::policy::SamplingRequest;

/// The version of an organization's rules, counting their changes. A decision on an older version is made
/// again.
///
/// ```
/// use overdue::sampling::RuleSetVersion;
///
/// assert_eq!(RuleSetVersion::INITIAL.next(), RuleSetVersion::new(1));
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct RuleSetVersion(u64);

impl RuleSetVersion {
    /// The version of an organization that has never had a rule.
    pub const INITIAL: RuleSetVersion = RuleSetVersion(0);

    /// The version with this number, for rows read back from a database.
    pub const fn new(version: u64) -> Self {
        Self(version)
    }

    /// The number, for a database.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The version after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// The rules of one organization as a store has them: the input of an upsert.
///
/// ```
/// use overdue::id::OrganizationId;
/// use overdue::sampling::{RuleSet, RuleSetVersion};
///
/// let rules = RuleSet::new(OrganizationId::new(1), RuleSetVersion::INITIAL, []);
/// assert!(rules.rules().is_empty());
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RuleSet {
    organization: OrganizationId,
    version: RuleSetVersion,
    rules: Vec<SamplingRule>,
}

/// What a decision writes: whole rules, everything or nothing.
///
/// ```
/// use overdue::sampling::SamplingChange;
///
/// /// What an SQL store does in one transaction.
/// fn statements(change: &SamplingChange) -> Vec<String> {
///     let SamplingChange { organization, expected, put, retire } = change;
///     let check = format!("UPDATE rule_sets SET version = {} WHERE id = {organization} AND version = {}",
///         expected.next().get(), expected.get());
///     let put = put.iter().map(|rule| format!("REPLACE INTO rules ... {}", rule.number()));
///     let retire = retire.iter().map(|number| format!("DELETE FROM rules ... {number}"));
///     std::iter::once(check).chain(put).chain(retire).collect()
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a store must write every part, and breaks if there is a new one"
)]
pub struct SamplingChange {
    /// The organization whose rules they are.
    pub organization: OrganizationId,
    /// The version that the decision is based on. The next version is to be stored.
    pub expected: RuleSetVersion,
    /// The rule to put. It replaces one with the same number.
    pub put: Option<SamplingRule>,
    /// The rules to delete. Never contains the number of `put`.
    pub retire: BTreeSet<RuleNumber>,
}

/// What happened for a request.
///
/// ```
/// use overdue::sampling::Upserted;
///
/// fn line(upserted: &Upserted) -> String {
///     let news = if matches!(upserted, Upserted::Created(_)) { "new" } else { "known" };
///     format!("{news}: rule {}", upserted.rule().number())
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a rule is there, or it is not")]
pub enum Upserted {
    /// A new rule was created.
    Created(SamplingRule),
    /// A rule was extended to provide what the request asks for.
    Extended(SamplingRule),
    /// A rule already provides what the request asks for.
    Unchanged(SamplingRule),
}

impl Upserted {
    /// Returns the rule that provides what the request asks for.
    pub const fn rule(&self) -> &SamplingRule {
        match self {
            Self::Created(rule) | Self::Extended(rule) | Self::Unchanged(rule) => rule,
        }
    }
}

/// The outcome of a request, and what to write first.
///
/// ```
/// use overdue::sampling::SamplingDecision;
///
/// fn writes(decision: &SamplingDecision) -> bool {
///     decision.change.is_some()
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "an answer and its write")]
pub struct SamplingDecision {
    /// What happens for the request.
    pub upserted: Upserted,
    /// What to write; `None` if the rule does not change.
    pub change: Option<SamplingChange>,
}

/// Why a request is rejected.
///
/// ```
/// use overdue::sampling::SamplingRefusal;
///
/// assert_eq!(SamplingRefusal::EmptyPeriod.to_string(), "the period is over");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplingRefusal {
    /// The period ends before it begins, or is over, so that no trace could be sampled.
    #[error("the period is over")]
    EmptyPeriod,
    /// A project of the request has reached its limit of live rules.
    #[error("a project has reached its limit of {limit} sampling rules")]
    ProjectLimit {
        /// The most rules it may have.
        limit: u32,
    },
    /// The organization has reached its limit of live rules.
    #[error("the organization has reached its limit of {limit} sampling rules")]
    OrganizationLimit {
        /// The most rules it may have.
        limit: u32,
    },
}

impl RuleSet {
    /// Makes a set of rules read from a store, in any order. Expired rules are harmless.
    pub fn new(
        organization: OrganizationId,
        version: RuleSetVersion,
        rules: impl IntoIterator<Item = SamplingRule>,
    ) -> Self {
        Self { organization, version, rules: rules.into_iter().collect() }
    }

    /// The organization whose rules they are.
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Their version.
    pub const fn version(&self) -> RuleSetVersion {
        self.version
    }

    /// All rules, in no particular order, expired ones included.
    pub fn rules(&self) -> &[SamplingRule] {
        &self.rules
    }

    /// The rules in force in this project at this time, for a sampler to apply.
    pub fn applying_to(&self, project: ProjectId, now: DateTime<Utc>) -> impl Iterator<Item = &SamplingRule> {
        self.rules.iter().filter(move |rule| rule.applies_to(project, now))
    }

    /// Decides on a request. A live rule for the same condition and projects is extended; otherwise a rule is
    /// created with the smallest free number. Rules that have expired by `now` are retired in the same write,
    /// and their numbers are free.
    ///
    /// An extension needs no room, and is never rejected for a limit. The request must be one of this
    /// organization.
    ///
    /// # Errors
    /// [`SamplingRefusal`], by variant.
    pub fn upsert(
        &self,
        request: &SamplingRequest,
        limits: &SamplingLimits,
        now: DateTime<Utc>,
    ) -> Result<SamplingDecision, SamplingRefusal> {
        if request.end <= request.start || request.end <= now {
            return Err(SamplingRefusal::EmptyPeriod);
        }
        let live: Vec<&SamplingRule> = self.rules.iter().filter(|rule| rule.is_live(now)).collect();
        let upserted = match live.iter().find(|rule| rule.answers(request)) {
            Some(rule) => {
                let extended = rule.extended_by(request);
                if extended == **rule { Upserted::Unchanged(extended) } else { Upserted::Extended(extended) }
            }
            None => {
                check_limits(&live, request, limits)?;
                let taken = live.iter().map(|rule| rule.number()).collect();
                Upserted::Created(SamplingRule::new(RuleNumber::smallest_free(&taken), request.clone()))
            }
        };
        let change = match &upserted {
            Upserted::Unchanged(_) => None,
            Upserted::Created(rule) | Upserted::Extended(rule) => Some(self.change(Some(rule.clone()), now)),
        };
        Ok(SamplingDecision { upserted, change })
    }

    /// Returns what to write to delete the rules that have expired by `now`, or `None` if none has.
    pub fn retire(&self, now: DateTime<Utc>) -> Option<SamplingChange> {
        let change = self.change(None, now);
        (!change.retire.is_empty()).then_some(change)
    }

    /// Applies a change to these rules, for stores that keep them in one piece.
    pub(super) fn apply(&mut self, change: &SamplingChange) {
        let SamplingChange { organization: _, expected, put, retire } = change;
        let replaced = put.as_ref().map(SamplingRule::number);
        self.rules.retain(|rule| !retire.contains(&rule.number()) && Some(rule.number()) != replaced);
        self.rules.extend(put.clone());
        self.version = expected.next();
    }

    fn change(&self, put: Option<SamplingRule>, now: DateTime<Utc>) -> SamplingChange {
        let mut retire: BTreeSet<RuleNumber> =
            self.rules.iter().filter(|rule| !rule.is_live(now)).map(SamplingRule::number).collect();
        if let Some(rule) = &put {
            retire.remove(&rule.number());
        }
        SamplingChange { organization: self.organization, expected: self.version, put, retire }
    }
}

/// Returns an error unless there is room for one more rule.
///
/// Rules that have not begun count as well. (In the reference system they do not, and a project can exceed
/// its limit by rules that begin later.) For a request for all projects, the projects that have rules of
/// their own are checked; the others have only the rules for all.
fn check_limits(
    live: &[&SamplingRule],
    request: &SamplingRequest,
    limits: &SamplingLimits,
) -> Result<(), SamplingRefusal> {
    if reached(live.len(), limits.per_organization) {
        return Err(SamplingRefusal::OrganizationLimit { limit: limits.per_organization });
    }
    let wide = live.iter().filter(|rule| rule.is_organization_wide()).count();
    let mut own = BTreeMap::<ProjectId, usize>::new();
    for project in live.iter().flat_map(|rule| rule.projects()) {
        let count = own.entry(*project).or_default();
        *count = count.saturating_add(1);
    }
    let concerned = |project: &ProjectId| request.projects.is_empty() || request.projects.contains(project);
    let most = own.iter().filter(|(project, _)| concerned(project)).map(|(_, count)| *count).max();
    if reached(wide.saturating_add(most.unwrap_or(0)), limits.per_project) {
        return Err(SamplingRefusal::ProjectLimit { limit: limits.per_project });
    }
    Ok(())
}

fn reached(count: usize, limit: u32) -> bool {
    usize::try_from(limit).is_ok_and(|limit| count >= limit)
}
