use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{InvalidRow, ensure};
use crate::id::{EnvironmentId, EnvironmentKey, Version};
use crate::row::environment::{Deadline, Environment, Expectation, Health, Watch};
use crate::row::reference::{Failing, Failure};
use crate::row::{Incident, RunStatus, RunSummary};

/// An [`Environment`] as columns. Its id follows from its key.
///
/// ```
/// use overdue::row::{Environment, EnvironmentParts, InvalidRow};
///
/// fn read_back(environment: Environment) -> Result<Environment, InvalidRow> {
///     EnvironmentParts::from(environment).try_into()
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store has a column for each")]
pub struct EnvironmentParts {
    /// Its monitor and its name.
    pub key: EnvironmentKey,
    /// What its runs say about its health.
    pub health: Health,
    /// The failure without an incident, which only the rules of the reference have.
    pub failing: Option<Failing>,
    /// Whether it is muted.
    pub muted: bool,
    /// Whether its missed runs and timeouts are judged.
    pub watch: Watch,
    /// When the newest run started.
    pub last_checkin: Option<DateTime<Utc>>,
    /// Which run it expects.
    pub expectation: Expectation,
    /// When the newest run with a result started.
    pub last_result: Option<DateTime<Utc>>,
    /// The newest run that succeeded.
    pub last_ok: Option<RunSummary>,
    /// When the newest message without a run id was received.
    pub anonymous_at: Option<DateTime<Utc>>,
    /// How many runs it has had in total.
    pub runs: u32,
    /// How many incidents it has had in total.
    pub incidents: u32,
    /// The row's version.
    pub version: Version,
}

/// # Errors
/// [`InvalidRow`] names a column that contradicts another.
impl TryFrom<EnvironmentParts> for Environment {
    type Error = InvalidRow;

    fn try_from(parts: EnvironmentParts) -> Result<Self, InvalidRow> {
        let id = EnvironmentId::of(&parts.key);
        if let Health::Error(incident) = &parts.health {
            ensure(incident.environment == id, "health", "holds an incident of another environment")?;
            ensure(incident.resolution.is_none(), "health", "holds an incident that is over")?;
            ensure(parts.failing.is_none(), "failing", "must not be set beside an incident")?;
        }
        let is_ok = parts.last_ok.is_none_or(|run| run.status == RunStatus::Ok);
        ensure(is_ok, "last_ok", "must be a run that succeeded")?;
        let EnvironmentParts {
            key,
            health,
            failing,
            muted,
            watch,
            last_checkin,
            expectation,
            last_result,
            last_ok,
            anonymous_at,
            runs,
            incidents,
            version,
        } = parts;
        Ok(Environment {
            id,
            key,
            health,
            failing,
            muted,
            watch,
            last_checkin,
            expectation,
            last_result,
            last_ok,
            anonymous_at,
            runs,
            incidents,
            version,
        })
    }
}

impl From<Environment> for EnvironmentParts {
    fn from(row: Environment) -> Self {
        let Environment {
            id: _,
            key,
            health,
            failing,
            muted,
            watch,
            last_checkin,
            expectation,
            last_result,
            last_ok,
            anonymous_at,
            runs,
            incidents,
            version,
        } = row;
        Self {
            key,
            health,
            failing,
            muted,
            watch,
            last_checkin,
            expectation,
            last_result,
            last_ok,
            anonymous_at,
            runs,
            incidents,
            version,
        }
    }
}

/// A stored environment, as it is written now or as it was before [`Watch`] and [`Expectation`].
#[derive(Deserialize)]
pub(in crate::row) struct StoredEnvironment {
    id: EnvironmentId,
    key: EnvironmentKey,
    health: StoredHealth,
    failing: Option<Failing>,
    muted: bool,
    watch: Option<Watch>,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    dormant: bool,
    last_checkin: Option<DateTime<Utc>>,
    expectation: Option<Expectation>,
    deadline: Option<Deadline>,
    reference: Option<DateTime<Utc>>,
    last_result: Option<DateTime<Utc>>,
    last_ok: Option<RunSummary>,
    #[serde(alias = "unnamed_at")]
    anonymous_at: Option<DateTime<Utc>>,
    runs: u32,
    incidents: u32,
    version: Version,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredHealth {
    Active,
    Ok,
    Error(Arc<Incident>),
    Failed(Failure),
    Stranded,
}

impl TryFrom<StoredEnvironment> for Environment {
    type Error = InvalidRow;

    fn try_from(stored: StoredEnvironment) -> Result<Self, InvalidRow> {
        ensure(stored.id == EnvironmentId::of(&stored.key), "id", "must be that of the key")?;
        let (health, failing) = match stored.health {
            StoredHealth::Active => (Health::Active, stored.failing),
            StoredHealth::Ok => (Health::Ok, stored.failing),
            StoredHealth::Error(incident) => (Health::Error(incident), stored.failing),
            StoredHealth::Failed(failure) => (Health::Ok, Some(Failing::Run(failure))),
            StoredHealth::Stranded => (Health::Ok, Some(Failing::Stranded)),
        };
        let old_watch = Watch::On.with_environment(!stored.disabled).with_monitor(!stored.dormant);
        let old_expectation =
            stored.reference.map_or(Expectation::None, |since| Expectation::of(since, stored.deadline));
        EnvironmentParts {
            key: stored.key,
            health,
            failing,
            muted: stored.muted,
            watch: stored.watch.unwrap_or(old_watch),
            last_checkin: stored.last_checkin,
            expectation: stored.expectation.unwrap_or(old_expectation),
            last_result: stored.last_result,
            last_ok: stored.last_ok,
            anonymous_at: stored.anonymous_at,
            runs: stored.runs,
            incidents: stored.incidents,
            version: stored.version,
        }
        .try_into()
    }
}
