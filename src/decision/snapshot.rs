//! What a decision reads.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::id::{EnvironmentKey, RunId};
use crate::row::{Environment, Monitor, Organization, Run, RunSummary};

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
    /// The row of [`Query::organization`](crate::store::Query::organization), read only if there is no
    /// monitor. [`Organization::new`] if there is no row either.
    pub organization: Option<Organization>,
    /// The monitor.
    pub monitor: Option<Arc<Monitor>>,
    /// The environment.
    pub environment: Option<Box<Environment>>,
    /// The run that [`Query::run`](crate::store::Query::run) asks for.
    pub run: Option<RunLookup>,
    /// The runs that [`Query::history`](crate::store::Query::history) asks for, newest first.
    pub history: Vec<RunSummary>,
}

/// A run that was looked up by id.
///
/// ```
/// use overdue::id::{EnvironmentId, EnvironmentKey};
/// use overdue::row::Run;
/// use overdue::store::RunLookup;
///
/// fn found(run: Box<Run>, owner: EnvironmentKey, wanted: EnvironmentId) -> RunLookup {
///     if run.environment() == wanted { RunLookup::Own(run) } else { RunLookup::Foreign(owner) }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "here or elsewhere")]
pub enum RunLookup {
    /// It belongs to the environment in question.
    Own(Box<Run>),
    /// It belongs to another environment. Its content is not returned.
    Foreign(EnvironmentKey),
}

impl RunLookup {
    /// Returns the run if it belongs to the environment in question.
    pub const fn own(&self) -> Option<&Run> {
        match self {
            Self::Own(run) => Some(run),
            Self::Foreign(_) => None,
        }
    }
}

/// A monitor and all that belongs to it, except finished runs and resolved incidents.
///
/// ```
/// use overdue::store::Store;
///
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// engine.process_checkin(&message)?;
/// let snapshot = engine.store().load_monitor(&monitor)?.ok_or("no such monitor")?;
/// assert_eq!(snapshot.organization.monitors(), 1);
/// assert_eq!(snapshot.environments.len(), 1);
/// assert!(snapshot.open_runs.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store fills it in")]
pub struct MonitorSnapshot {
    /// The organization's row; [`Organization::new`] if there is none.
    pub organization: Organization,
    /// The monitor.
    pub monitor: Arc<Monitor>,
    /// Its environments, in order of name.
    pub environments: Vec<Environment>,
    /// Their runs in progress.
    pub open_runs: Vec<Run>,
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
///         RunQuery::Anonymous(id) => Some(format!("id = '{id}' OR closed_by = '{id}', or else {NEWEST_OPEN}")),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a store must know every case")]
pub enum RunQuery {
    /// No run.
    None,
    /// The run with this id, in any environment.
    Id(RunId),
    /// The run of this environment whose [id](Run::id) or [`closed_by`](Run::closed_by) is this. If there is
    /// none, the newest run of the environment that is in progress.
    Anonymous(RunId),
}

/// Asks for the newest runs of an environment, newest first in order of [`RunSummary::order`].
///
/// ```
/// use overdue::row::RunSummary;
/// use overdue::store::HistoryQuery;
///
/// /// For a store that keeps the runs of an environment newest first.
/// fn read(query: HistoryQuery, newest_first: &[RunSummary]) -> Vec<RunSummary> {
///     newest_first.iter().filter(|run| query.matches(run)).take(query.count as usize).copied().collect()
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the three parts of a window")]
pub struct HistoryQuery {
    /// The most runs to return.
    pub count: u32,
    /// Only runs that started no later than this.
    pub until: Option<DateTime<Utc>>,
    /// Only runs that [succeeded or failed](crate::row::RunStatus::is_judged).
    pub judged: bool,
}

impl HistoryQuery {
    /// Whether a run belongs in the list.
    pub fn matches(&self, run: &RunSummary) -> bool {
        self.until.is_none_or(|until| run.started_at <= until) && (!self.judged || run.status.is_judged())
    }
}
