//! Creates, edits and removes monitors.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::changes::{put, put_monitor, put_new_monitor};
use super::early_exit::EarlyExit;
use super::{profile, run};
use crate::config::MonitorConfig;
use crate::decision::{Decision, MonitorChange, MonitorSnapshot, Put, Snapshot, Transition};
use crate::id::{EnvironmentName, MonitorKey, OrganizationId, Owner};
use crate::policy::Policy;
use crate::rejection::RejectionReason;
use crate::row::{Environment, Monitor, MonitorStatus, Organization};

/// A change to a monitor.
///
/// ```
/// use overdue::rules::Edit;
///
/// let silence = Edit::Muted(true);
/// let silence_staging = "staging".parse().map(|name| Edit::EnvironmentMuted(name, true));
/// # let _ = (silence, silence_staging);
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Edit {
    /// Sets the schedule, margin, maximum runtime and thresholds. Deadlines follow at once. After a new
    /// schedule, the next run is expected after the edit. A new margin changes when the expected run is
    /// missed, and a new maximum runtime changes the timeouts of runs in progress. New thresholds apply from
    /// the next run on.
    Config(MonitorConfig),
    /// Sets the name. An empty one resets it to the slug.
    Name(String),
    /// Sets the owner, or removes it.
    Owner(Option<Owner>),
    /// Mutes or unmutes all environments.
    Muted(bool),
    /// Mutes or unmutes one environment.
    EnvironmentMuted(EnvironmentName, bool),
    /// Sets the status. When the monitor becomes active again, its next run is expected after the edit: runs
    /// that could not be reported meanwhile are not missed.
    Status(MonitorStatus),
    /// Enables or disables one environment.
    EnvironmentEnabled(EnvironmentName, bool),
}

/// Why an edit was rejected. Nothing was written.
///
/// ```
/// use overdue::rules::EditError;
///
/// assert_eq!(EditError::NoMonitor.to_string(), "there is no such monitor");
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// There is no such monitor.
    #[error("there is no such monitor")]
    NoMonitor,
    /// The monitor has no such environment.
    #[error("the monitor has no environment {0}")]
    NoEnvironment(EnvironmentName),
    /// The project has a monitor with this slug already.
    #[error("there is a monitor of this slug already")]
    Exists,
    /// The organization has reached its limit of monitors.
    #[error("the organization may have no more than {limit} monitors")]
    MonitorLimit {
        /// The most monitors it may have.
        limit: u32,
    },
}

/// Decides on a new monitor. `snapshot` is what [`Query::creation`](crate::rules::Query::creation) asks for.
///
/// ```
/// use overdue::Zone;
/// use overdue::config::MonitorConfig;
/// use overdue::id::OrganizationId;
/// use overdue::store::{Query, Store};
/// use overdue::{Policy, Schedule, rules};
///
/// # let (engine, _, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// let (organization, policy) = (OrganizationId::new(1), Policy::default());
/// let config = MonitorConfig::new(Schedule::crontab("0 2 * * *", Zone::UTC)?);
/// let snapshot = engine.store().load(&environment, &Query::creation(organization, &policy))?;
/// let decision = rules::create_monitor(snapshot, organization, &monitor, &config, &policy);
/// assert_eq!(decision.outcome?.name(), "nightly");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`EditError::Exists`] and [`EditError::MonitorLimit`].
pub fn create_monitor(
    snapshot: Snapshot,
    organization: OrganizationId,
    key: &MonitorKey,
    config: &MonitorConfig,
    policy: &Policy,
) -> Decision<Result<Arc<Monitor>, EditError>> {
    if snapshot.monitor.is_some() {
        return Decision::answer(Err(EditError::Exists));
    }
    let row = snapshot.organization.unwrap_or_else(|| Organization::new(organization));
    let row = match one_more_monitor(row, policy) {
        Ok(row) => row,
        Err(TooMany { limit }) => return Decision::answer(Err(EditError::MonitorLimit { limit })),
    };
    let put = put_new_monitor(Monitor::new(organization, key.clone(), config.clone()), &row.row);
    let monitor = Arc::clone(&put.row);
    let transition = Transition { organization: Some(row), ..only(MonitorChange::Put(put)) };
    Decision { transition: Some(transition), outcome: Ok(monitor) }
}

/// Decides on a change to a monitor, made at `at`.
///
/// ```
/// use overdue::rules::{self, Edit};
/// use overdue::store::Store;
///
/// # use overdue::Policy;
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// # engine.process_checkin(&message)?;
/// let snapshot = engine.store().load_monitor(&monitor)?.ok_or("no such monitor")?;
/// let edit = Edit::Name("Nightly backup".to_owned());
/// let at = "2024-09-02T12:00:00Z".parse()?;
/// let decision = rules::edit_monitor(&snapshot, &edit, at, &Policy::default());
/// assert_eq!(decision.outcome?.name(), "Nightly backup");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`EditError::NoEnvironment`].
pub fn edit_monitor(
    snapshot: &MonitorSnapshot,
    edit: &Edit,
    at: DateTime<Utc>,
    policy: &Policy,
) -> Decision<Result<Arc<Monitor>, EditError>> {
    let mut monitor = Monitor::clone(&snapshot.monitor);
    let mut environments = snapshot.environments.clone();
    match edit {
        Edit::Config(config) => monitor.config = config.clone(),
        Edit::Name(name) if name.is_empty() => monitor.name = monitor.key.slug.as_name(),
        Edit::Name(name) => monitor.name = name.as_str().into(),
        Edit::Owner(owner) => monitor.owner = *owner,
        Edit::Muted(muted) => monitor.muted = *muted,
        Edit::Status(status) => monitor.status = *status,
        Edit::EnvironmentMuted(name, muted) => match named(&mut environments, name) {
            Some(environment) => environment.muted = *muted,
            None => return Decision::answer(Err(EditError::NoEnvironment(name.clone()))),
        },
        Edit::EnvironmentEnabled(name, enabled) => match named(&mut environments, name) {
            Some(environment) => environment.watch = environment.watch.with_environment(*enabled),
            None => return Decision::answer(Err(EditError::NoEnvironment(name.clone()))),
        },
    }
    let put_row = put_monitor(monitor);
    let monitor = Arc::clone(&put_row.row);
    let active = monitor.status == MonitorStatus::Active;
    let mut transition = only(MonitorChange::Put(put_row));
    let shift = monitor.config.max_runtime() != snapshot.monitor.config.max_runtime();
    for (before, mut environment) in snapshot.environments.iter().zip(environments) {
        environment.watch = environment.watch.with_monitor(active);
        let woken = environment.watch.is_on() && !before.watch.is_on();
        profile::edited(policy.profile, &snapshot.monitor, &monitor, &mut environment, woken, at);
        // The version of a run's environment guards the run, so a write to the run also writes its
        // environment (I5).
        let guards = shift && snapshot.open_runs.iter().any(|run| run.environment == environment.id);
        if guards || environment != *before {
            transition.environments.push(put(Box::new(environment)));
        }
    }
    transition.runs =
        snapshot.open_runs.iter().filter(|_| shift).map(|run| run::with_new_timeout(run, &monitor)).collect();
    Decision { transition: Some(transition), outcome: Ok(monitor) }
}

/// Decides to remove a monitor and all that belongs to it.
///
/// ```
/// use overdue::rules;
/// use overdue::store::{MonitorChange, Store};
///
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// # engine.process_checkin(&message)?;
/// let snapshot = engine.store().load_monitor(&monitor)?.ok_or("no such monitor")?;
/// let transition = rules::remove_monitor(&snapshot).transition.ok_or("nothing to write")?;
/// assert!(matches!(transition.monitor, MonitorChange::Remove(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn remove_monitor(snapshot: &MonitorSnapshot) -> Decision<()> {
    let MonitorSnapshot { organization, monitor, .. } = snapshot;
    let mut transition = only(MonitorChange::Remove(Arc::clone(monitor)));
    transition.organization = Some(Put {
        row: Organization {
            monitors: organization.monitors.saturating_sub(1),
            // Greater than the monitor's version, so that a later monitor of the same name never matches it.
            version: organization.version.max(monitor.version).next(),
            ..organization.clone()
        },
        replaces: organization.version,
    });
    Decision { transition: Some(transition), outcome: () }
}

/// The organization has reached its limit of monitors.
pub(super) struct TooMany {
    limit: u32,
}

impl From<TooMany> for EarlyExit {
    fn from(TooMany { limit }: TooMany) -> Self {
        RejectionReason::MonitorLimitExceeded { limit }.into()
    }
}

/// Returns the organization's row with one more monitor.
pub(super) fn one_more_monitor(
    organization: Organization,
    policy: &Policy,
) -> Result<Put<Organization>, TooMany> {
    if let Some(limit) = policy.limits.monitors.filter(|limit| organization.monitors >= *limit) {
        return Err(TooMany { limit });
    }
    let replaces = organization.version;
    let monitors = organization.monitors.saturating_add(1);
    Ok(Put { row: Organization { monitors, version: replaces.next(), ..organization }, replaces })
}

fn named<'a>(environments: &'a mut [Environment], name: &EnvironmentName) -> Option<&'a mut Environment> {
    environments.iter_mut().find(|environment| environment.key.name == *name)
}

const fn only(monitor: MonitorChange) -> Transition {
    Transition {
        organization: None,
        monitor,
        environments: Vec::new(),
        runs: Vec::new(),
        incidents: Vec::new(),
        events: Vec::new(),
    }
}
