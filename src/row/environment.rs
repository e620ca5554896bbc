//! The environment row: one monitor in one deployment, with everything needed to judge its next run.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::parts::StoredEnvironment;
use super::{Incident, RunSummary, reference};
use crate::id::{EnvironmentId, EnvironmentKey, EnvironmentName, Version};

/// One monitor in one deployment: its health, its deadline, and its open incident.
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
#[serde(try_from = "StoredEnvironment")]
pub struct Environment {
    pub(crate) id: EnvironmentId,
    pub(crate) key: EnvironmentKey,
    pub(crate) health: Health,
    /// State that only the rules of the reference use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failing: Option<reference::Failing>,
    pub(crate) muted: bool,
    pub(crate) watch: Watch,
    pub(crate) last_checkin: Option<DateTime<Utc>>,
    pub(crate) expectation: Expectation,
    /// When the newest run with a result started.
    pub(crate) last_result: Option<DateTime<Utc>>,
    pub(crate) last_ok: Option<RunSummary>,
    /// When the newest message without a run id was received.
    pub(crate) anonymous_at: Option<DateTime<Utc>>,
    pub(crate) runs: u32,
    pub(crate) incidents: u32,
    pub(crate) version: Version,
}

/// What the runs of an environment say about its health.
///
/// ```
/// use overdue::row::{EnvironmentStatus, Health};
///
/// assert_eq!(Health::Active.status(), EnvironmentStatus::Active);
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "hosts show it, and a new state should break them")]
pub enum Health {
    /// No run has been judged yet.
    #[default]
    Active,
    /// The newest results are good enough.
    Ok,
    /// An incident is open (I2).
    Error(Arc<Incident>),
}

/// Whether missed runs and timeouts of an environment are judged.
///
/// The monitor's part is a copy, so that a store lists what is due from the environment's row alone.
///
/// ```
/// use overdue::row::Watch;
///
/// let watch = Watch::default().with_monitor(false);
/// assert_eq!(watch, Watch::MonitorDisabled);
/// assert!(!watch.is_on() && watch.with_monitor(true).is_on());
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "every reason not to watch")]
pub enum Watch {
    /// It is enabled.
    #[default]
    On,
    /// The environment is disabled.
    EnvironmentDisabled,
    /// The monitor is disabled.
    MonitorDisabled,
    /// Both are disabled.
    BothDisabled,
}

impl Watch {
    /// Whether neither the environment nor its monitor is disabled.
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }

    /// Whether the environment itself is enabled.
    pub const fn environment(self) -> bool {
        matches!(self, Self::On | Self::MonitorDisabled)
    }

    /// Whether the monitor is enabled.
    pub const fn monitor(self) -> bool {
        matches!(self, Self::On | Self::EnvironmentDisabled)
    }

    /// Returns the same with the environment enabled or disabled.
    #[must_use]
    pub const fn with_environment(self, enabled: bool) -> Self {
        Self::of(enabled, self.monitor())
    }

    /// Returns the same with the monitor enabled or disabled.
    #[must_use]
    pub const fn with_monitor(self, enabled: bool) -> Self {
        Self::of(self.environment(), enabled)
    }

    const fn of(environment: bool, monitor: bool) -> Self {
        match (environment, monitor) {
            (true, true) => Self::On,
            (false, true) => Self::EnvironmentDisabled,
            (true, false) => Self::MonitorDisabled,
            (false, false) => Self::BothDisabled,
        }
    }
}

/// Which run an environment expects.
///
/// ```
/// use overdue::row::Expectation;
///
/// assert_eq!(Expectation::None.deadline(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "nothing yet, the next run, or none any more")]
pub enum Expectation {
    /// No run, because none was reported yet.
    #[default]
    None,
    /// The next run.
    Next {
        /// What the deadline was computed from.
        since: DateTime<Utc>,
        /// When the run is expected.
        deadline: Deadline,
    },
    /// No more runs: the schedule has ended for good.
    Ended {
        /// No run is expected after this time.
        since: DateTime<Utc>,
    },
}

impl Expectation {
    /// Makes the expectation that follows from `since`. A deadline of `None` means that the schedule has
    /// ended.
    pub(crate) const fn of(since: DateTime<Utc>, deadline: Option<Deadline>) -> Self {
        match deadline {
            Some(deadline) => Self::Next { since, deadline },
            None => Self::Ended { since },
        }
    }

    /// What it was computed from.
    pub const fn since(&self) -> Option<&DateTime<Utc>> {
        match self {
            Self::None => None,
            Self::Next { since, .. } | Self::Ended { since } => Some(since),
        }
    }

    /// When the next run is expected.
    pub const fn deadline(&self) -> Option<&Deadline> {
        match self {
            Self::Next { deadline, .. } => Some(deadline),
            Self::None | Self::Ended { .. } => None,
        }
    }
}

/// The status of an environment as a single word.
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
    /// No run has been judged yet.
    Active,
    /// Healthy.
    Ok,
    /// An incident is open.
    Error,
    /// The environment or its monitor is disabled.
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
/// assert_eq!(deadline.expected().to_rfc3339(), "2024-09-03T02:00:00+00:00");
/// assert_eq!(deadline.closes().to_rfc3339(), "2024-09-03T02:01:00+00:00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Deadline {
    #[serde(alias = "next")]
    pub(crate) expected: DateTime<Utc>,
    #[serde(alias = "latest")]
    pub(crate) closes: DateTime<Utc>,
}

impl Deadline {
    /// When the next run is expected. A whole minute.
    pub const fn expected(&self) -> DateTime<Utc> {
        self.expected
    }

    /// When it is missed: the expected time plus the margin. A whole minute.
    pub const fn closes(&self) -> DateTime<Utc> {
        self.closes
    }
}

impl Environment {
    pub(crate) fn new(key: EnvironmentKey) -> Self {
        Self {
            id: EnvironmentId::of(&key),
            key,
            health: Health::Active,
            failing: None,
            muted: false,
            watch: Watch::On,
            last_checkin: None,
            expectation: Expectation::None,
            last_result: None,
            last_ok: None,
            anonymous_at: None,
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

    /// What its runs say about its health.
    pub const fn health(&self) -> &Health {
        &self.health
    }

    /// The health as a single word. Disabled takes precedence.
    pub const fn status(&self) -> EnvironmentStatus {
        match (self.watch, self.failing) {
            (Watch::On, None) => self.health.status(),
            (Watch::On, Some(_)) => EnvironmentStatus::Error,
            (Watch::EnvironmentDisabled | Watch::MonitorDisabled | Watch::BothDisabled, _) => {
                EnvironmentStatus::Disabled
            }
        }
    }

    /// The failure without an incident, which only the rules of the reference have.
    pub const fn failing(&self) -> Option<reference::Failing> {
        self.failing
    }

    /// The open incident.
    pub const fn incident(&self) -> Option<&Arc<Incident>> {
        match &self.health {
            Health::Error(incident) => Some(incident),
            Health::Active | Health::Ok => None,
        }
    }

    /// Whether this environment is muted. Its monitor may be muted too.
    pub const fn is_muted(&self) -> bool {
        self.muted
    }

    /// Whether missed runs and timeouts are judged.
    pub const fn watch(&self) -> Watch {
        self.watch
    }

    /// When the newest run started: when its first message was received, less the duration in that message.
    pub const fn last_checkin(&self) -> Option<DateTime<Utc>> {
        self.last_checkin
    }

    /// The newest run that succeeded.
    pub const fn last_ok(&self) -> Option<RunSummary> {
        self.last_ok
    }

    /// Which run it expects.
    pub const fn expectation(&self) -> &Expectation {
        &self.expectation
    }

    /// When the next run is expected. `None` before the first check-in, and once the schedule has ended.
    pub const fn deadline(&self) -> Option<&Deadline> {
        self.expectation.deadline()
    }

    /// The deadline by which a store lists it. `None` while it is disabled.
    pub const fn due_at(&self) -> Option<DateTime<Utc>> {
        match (self.watch, &self.expectation) {
            (Watch::On, Expectation::Next { deadline, .. }) => Some(deadline.closes),
            (_, _) => None,
        }
    }

    /// How many incidents it has had in total.
    pub const fn incidents(&self) -> u32 {
        self.incidents
    }

    /// How many runs it has had in total.
    pub const fn runs(&self) -> u32 {
        self.runs
    }

    /// The row's version. It also guards the environment's runs and incidents.
    pub const fn version(&self) -> Version {
        self.version
    }
}

impl Health {
    /// The status as a single word.
    pub const fn status(&self) -> EnvironmentStatus {
        match self {
            Self::Active => EnvironmentStatus::Active,
            Self::Ok => EnvironmentStatus::Ok,
            Self::Error(_) => EnvironmentStatus::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_shown_as_it_is_stored() {
        use EnvironmentStatus::{Active, Disabled, Error, Ok};
        for status in [Active, Ok, Error, Disabled] {
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{status}\""));
        }
    }
}
