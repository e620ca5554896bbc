//! What a decision reads.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::checkin::Arrival;
use crate::id::{CheckinId, OrganizationId};
use crate::key::EnvironmentKey;
use crate::policy::{Policy, Quirk};
use crate::row::Monitor;
use crate::row::Organization;
use crate::row::{Environment, Health};
use crate::row::{Run, RunStatus, RunSummary};
use crate::store::HistoryQuery;

/// Everything a decision about one environment reads, as it stood at one moment.
///
/// ```
/// use overdue::store::{Query, Store};
///
/// # use overdue::Policy;
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// engine.process_checkin(&message)?;
/// let snapshot = engine.store().load(&environment, &Query::miss(&Policy::default()))?;
/// assert!(snapshot.monitor.is_some() && snapshot.environment.is_some());
/// assert!(snapshot.run.is_none() && snapshot.history.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store fills it in")]
pub struct Snapshot {
    /// The row of [`Query::organization`], when there is no monitor; [`Organization::new`] when there is
    /// no row either. Not read otherwise.
    pub organization: Option<Organization>,
    /// The monitor.
    pub monitor: Option<Arc<Monitor>>,
    /// The environment.
    pub environment: Option<Box<Environment>>,
    /// The run that [`Query::run`] asks for.
    pub run: Option<Found>,
    /// The runs that [`Query::history`] asks for, newest first.
    pub history: Vec<RunSummary>,
}

/// A run that was looked up by id.
///
/// ```
/// use overdue::id::EnvironmentId;
/// use overdue::key::EnvironmentKey;
/// use overdue::row::Run;
/// use overdue::store::Found;
///
/// fn found(run: Box<Run>, owner: EnvironmentKey, wanted: EnvironmentId) -> Found {
///     if run.environment() == wanted { Found::Here(run) } else { Found::Elsewhere(owner) }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "here or elsewhere")]
pub enum Found {
    /// It belongs to the environment in question.
    Here(Box<Run>),
    /// It belongs to this other environment, and is none of our business.
    Elsewhere(EnvironmentKey),
}

impl Found {
    /// The run, if it belongs to the environment in question.
    pub const fn here(&self) -> Option<&Run> {
        match self {
            Self::Here(run) => Some(run),
            Self::Elsewhere(_) => None,
        }
    }
}

/// Tells a store what to read into a [`Snapshot`].
///
/// The store reads the monitor and the environment by key, then what [`run`](Self::run) names, then what
/// [`history`](Self::history) says, given those rows. With both thresholds at one that is nothing.
///
/// ```
/// use overdue::store::{Query, RunQuery};
///
/// # use overdue::Policy;
/// let policy = Policy::default();
/// let run = "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc".parse()?;
/// assert_eq!(Query::run_of(run, &policy).run(), RunQuery::Id(run));
/// assert_eq!(Query::miss(&policy).run(), RunQuery::None);
/// assert_eq!(Query::miss(&policy).organization(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    subject: Subject<'a>,
    policy: &'a Policy,
}

#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    Arrival(&'a Arrival<'a>),
    Miss,
    Run(CheckinId),
    Creation(OrganizationId),
}

/// Which run to look up.
///
/// ```
/// use overdue::store::RunQuery;
///
/// /// What a store adds to its statement.
/// fn condition(query: RunQuery) -> Option<String> {
///     const NEWEST_OPEN: &str = "status = 'in_progress' ORDER BY started_at DESC, number DESC LIMIT 1";
///     match query {
///         RunQuery::None => None,
///         RunQuery::Id(id) => Some(format!("id = '{id}'")),
///         RunQuery::Unnamed(id) => Some(format!("id = '{id}' OR closed_by = '{id}', or else {NEWEST_OPEN}")),
///         RunQuery::NewestOpen => Some(NEWEST_OPEN.to_owned()),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a store must know every case")]
pub enum RunQuery {
    /// None.
    None,
    /// The run with this id, in whatever environment.
    Id(CheckinId),
    /// The run of this environment whose [id](Run::id) or [`closed_by`](Run::closed_by) is this; when
    /// there is none, the newest run of the environment that is in progress.
    Unnamed(CheckinId),
    /// The newest run of the environment that is in progress.
    NewestOpen,
}

impl<'a> Query<'a> {
    /// What judging a check-in reads.
    pub fn arrival(arrival: &'a Arrival<'a>, policy: &'a Policy) -> Self {
        Self { subject: Subject::Arrival(arrival), policy }
    }

    /// What judging a miss reads.
    pub const fn miss(policy: &'a Policy) -> Self {
        Self { subject: Subject::Miss, policy }
    }

    /// What judging a run that exists reads: a timeout, or by hand.
    pub const fn run_of(id: CheckinId, policy: &'a Policy) -> Self {
        Self { subject: Subject::Run(id), policy }
    }

    /// What creating a monitor for this organization reads.
    pub const fn creation(organization: OrganizationId, policy: &'a Policy) -> Self {
        Self { subject: Subject::Creation(organization), policy }
    }

    /// Whose organization's row to read when there is no monitor. None: do not read it.
    pub const fn organization(&self) -> Option<OrganizationId> {
        match self.subject {
            Subject::Arrival(arrival) => Some(arrival.organization),
            Subject::Creation(organization) => Some(organization),
            _ => None,
        }
    }

    /// Which run to look up.
    pub const fn run(&self) -> RunQuery {
        match self.subject {
            Subject::Arrival(arrival) => arrival.run,
            Subject::Miss | Subject::Creation(_) => RunQuery::None,
            Subject::Run(id) => RunQuery::Id(id),
        }
    }

    /// Which past runs the thresholds need, given the rows read so far. `run` is the run found in this
    /// environment.
    pub fn history(
        &self,
        monitor: &Monitor,
        environment: &Environment,
        run: Option<&Run>,
    ) -> Option<HistoryQuery> {
        let (status, started_at) = match (self.subject, run) {
            (Subject::Miss, _) => (RunStatus::Missed, environment.deadline?.next),
            (Subject::Arrival(arrival), None) => (arrival.status(), arrival.started_at),
            (Subject::Arrival(arrival), Some(run)) if !run.status.is_result() => {
                (arrival.status(), run.started_at)
            }
            (Subject::Arrival(..), Some(run)) => (run.status, run.started_at),
            // A run in progress is looked up by id when it times out.
            (Subject::Run(_), Some(run)) if run.status == RunStatus::InProgress => {
                (RunStatus::Timeout, run.started_at)
            }
            (Subject::Run(_), Some(run)) => (run.status, run.started_at),
            (Subject::Run(_), None) | (Subject::Creation(_), _) => return None,
        };
        let config = match self.subject {
            Subject::Arrival(arrival) => arrival.configure(&monitor.config),
            _ => None,
        };
        self.window(config.as_ref().unwrap_or(&monitor.config), &environment.health, status, started_at)
    }

    fn window(
        &self,
        config: &crate::config::MonitorConfig,
        health: &Health,
        status: RunStatus,
        started_at: DateTime<Utc>,
    ) -> Option<HistoryQuery> {
        let judged = !self.policy.quirks.keeps(Quirk::OpenRunsCountAsFailures);
        let (threshold, until) = match health {
            Health::Active | Health::Ok if status.is_failure() => {
                (config.failure_threshold(), Some(started_at))
            }
            Health::Ok => return None,
            _ if status == RunStatus::Ok => (config.recovery_threshold(), None),
            _ => return None,
        };
        let count = threshold.get();
        (count > 1).then_some(HistoryQuery { count, until, judged })
    }
}
