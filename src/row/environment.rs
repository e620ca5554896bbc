//! The environment row: one monitor in one deployment, and all that judging its next run takes.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::EnvironmentId;
use crate::key::{EnvironmentKey, EnvironmentName};
use crate::row::Incident;
use crate::row::RunSummary;
use crate::row::Version;

/// One monitor in one deployment: its health, its deadlines and its open incident.
///
/// ```
/// use overdue::row::Environment;
///
/// fn line(environment: &Environment) -> String {
///     match environment.incident() {
///         Some(incident) => format!("{}: down since {}", environment.name(), incident.started_at()),
///         None => format!("{}: {:?}", environment.name(), environment.status()),
///     }
/// }
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Environment {
    pub(crate) id: EnvironmentId,
    pub(crate) key: EnvironmentKey,
    pub(crate) health: Health,
    pub(crate) muted: bool,
    pub(crate) disabled: bool,
    /// Whether the monitor is not watched: a copy, so that a store can tell from this row alone.
    pub(crate) dormant: bool,
    pub(crate) last_checkin: Option<DateTime<Utc>>,
    pub(crate) deadline: Option<Deadline>,
    /// What the deadline was computed from. It outlives the deadline: a schedule that has ended does not
    /// begin again.
    pub(crate) reference: Option<DateTime<Utc>>,
    /// When the newest run with a result started.
    pub(crate) last_result: Option<DateTime<Utc>>,
    pub(crate) last_ok: Option<RunSummary>,
    /// When the newest all-zero message was received.
    pub(crate) unnamed_at: Option<DateTime<Utc>>,
    pub(crate) runs: u32,
    pub(crate) incidents: u32,
    pub(crate) version: Version,
}

/// What the runs of an environment say about it.
///
/// ```
/// use overdue::row::{EnvironmentStatus, Failure, Health};
///
/// assert_eq!(Health::Active.status(), EnvironmentStatus::Active);
/// assert_eq!(Health::Failed(Failure::Timeout).status(), EnvironmentStatus::Timeout);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "hosts show it, and a new state should break them")]
pub enum Health {
    /// Nothing has been judged yet.
    Active,
    /// The newest results are good enough.
    Ok,
    /// An incident is open (I2).
    Error(Arc<Incident>),
    /// In the mode without incidents: the kind of the last failure.
    Failed(Failure),
    /// Failing, with no incident to show for it: only [`Quirk::LateOkLeavesErrorStatus`] leads here.
    ///
    /// [`Quirk::LateOkLeavesErrorStatus`]: crate::policy::Quirk::LateOkLeavesErrorStatus
    Stranded,
}

/// How a run failed.
///
/// ```
/// use overdue::row::Failure;
///
/// assert_eq!(serde_json::to_string(&Failure::Missed)?, r#""missed""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is no other way to fail")]
pub enum Failure {
    /// The job said so.
    Error,
    /// The run never reported.
    Missed,
    /// The run took too long.
    Timeout,
}

/// The status of an environment in one word.
///
/// ```
/// use overdue::row::EnvironmentStatus;
///
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// engine.process_checkin(&message)?;
/// assert_eq!(engine.store().environments(&monitor)[0].status(), EnvironmentStatus::Ok);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "hosts show it, and a new status should break them")]
pub enum EnvironmentStatus {
    /// Nothing has been judged yet.
    Active,
    /// Healthy.
    Ok,
    /// In an incident; in the mode without incidents, the last run said that it failed.
    Error,
    /// In the mode without incidents: the last run never reported.
    Missed,
    /// In the mode without incidents: the last run took too long.
    Timeout,
    /// Not watched, because it or its monitor is disabled.
    Disabled,
}

impl EnvironmentStatus {
    /// The status in lower case, as it serialises: for labels, style sheets and columns.
    ///
    /// ```
    /// assert_eq!(overdue::row::EnvironmentStatus::Disabled.as_str(), "disabled");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Missed => "missed",
            Self::Timeout => "timeout",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for EnvironmentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// When the next run is due.
///
/// ```
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// engine.process_checkin(&message)?;
/// let environments = engine.store().environments(&monitor);
/// let deadline = environments[0].deadline().ok_or("the schedule has ended")?;
/// assert_eq!(deadline.next().to_rfc3339(), "2024-09-03T02:00:00+00:00");
/// assert_eq!(deadline.latest().to_rfc3339(), "2024-09-03T02:01:00+00:00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Deadline {
    pub(crate) next: DateTime<Utc>,
    pub(crate) latest: DateTime<Utc>,
}

impl Deadline {
    /// When the next run is expected. A whole minute.
    pub const fn next(&self) -> DateTime<Utc> {
        self.next
    }

    /// When it is missed: the expected time and the margin. A whole minute.
    pub const fn latest(&self) -> DateTime<Utc> {
        self.latest
    }
}

impl Environment {
    pub(crate) fn new(key: EnvironmentKey) -> Self {
        Self {
            id: EnvironmentId::of(&key),
            key,
            health: Health::Active,
            muted: false,
            disabled: false,
            dormant: false,
            last_checkin: None,
            deadline: None,
            reference: None,
            last_result: None,
            last_ok: None,
            unnamed_at: None,
            runs: 0,
            incidents: 0,
            version: Version::NEW,
        }
    }

    /// The environment's id.
    pub const fn id(&self) -> EnvironmentId {
        self.id
    }

    /// Its monitor and its name.
    pub const fn key(&self) -> &EnvironmentKey {
        &self.key
    }

    /// Its name.
    pub const fn name(&self) -> &EnvironmentName {
        &self.key.name
    }

    /// What its runs say about it.
    pub const fn health(&self) -> &Health {
        &self.health
    }

    /// The same in one word; disabled outweighs the rest.
    pub fn status(&self) -> EnvironmentStatus {
        if self.is_live() { self.health.status() } else { EnvironmentStatus::Disabled }
    }

    /// The open incident.
    pub const fn incident(&self) -> Option<&Arc<Incident>> {
        match &self.health {
            Health::Error(incident) => Some(incident),
            _ => None,
        }
    }

    /// Whether this environment is silenced. Its monitor may be too.
    pub const fn is_muted(&self) -> bool {
        self.muted
    }

    /// Whether misses and timeouts are judged: neither it nor its monitor is disabled.
    pub const fn is_live(&self) -> bool {
        !self.disabled && !self.dormant
    }

    /// When the newest run started.
    pub const fn last_checkin(&self) -> Option<DateTime<Utc>> {
        self.last_checkin
    }

    /// When the newest run that succeeded started, and which it was.
    pub const fn last_ok(&self) -> Option<RunSummary> {
        self.last_ok
    }

    /// When the next run is due. None before the first check-in, and when the schedule has ended.
    pub const fn deadline(&self) -> Option<&Deadline> {
        self.deadline.as_ref()
    }

    /// The deadline a store must list it under: none while it is not live.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        self.deadline.filter(|_| self.is_live()).map(|deadline| deadline.latest)
    }

    /// How many incidents it has had.
    pub const fn incidents(&self) -> u32 {
        self.incidents
    }

    /// How many runs it has had.
    pub const fn runs(&self) -> u32 {
        self.runs
    }

    /// The row's version. It guards the environment's runs and incidents too.
    pub const fn version(&self) -> Version {
        self.version
    }
}

impl Health {
    /// The status in one word.
    pub const fn status(&self) -> EnvironmentStatus {
        match self {
            Self::Active => EnvironmentStatus::Active,
            Self::Ok => EnvironmentStatus::Ok,
            Self::Error(_) | Self::Stranded | Self::Failed(Failure::Error) => EnvironmentStatus::Error,
            Self::Failed(Failure::Missed) => EnvironmentStatus::Missed,
            Self::Failed(Failure::Timeout) => EnvironmentStatus::Timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_shown_as_it_is_stored() {
        use EnvironmentStatus::{Active, Disabled, Error, Missed, Ok, Timeout};
        for status in [Active, Ok, Error, Missed, Timeout, Disabled] {
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{status}\""));
        }
    }
}
