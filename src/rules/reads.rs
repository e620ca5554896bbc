//! What each decision needs to read.

use super::profile;
use crate::admission::ValidCheckin;
use crate::decision::{HistoryQuery, RunQuery};
use crate::id::{OrganizationId, RunId};
use crate::policy::Policy;
use crate::row::{Environment, Monitor, Run, RunStatus};

/// Tells a store what to read into a [`Snapshot`](crate::decision::Snapshot).
///
/// The store reads the monitor and the environment by key, then the run that [`run`](Self::run) names, then
/// the runs that [`history`](Self::history) asks for, given those rows. If both thresholds are one, there are
/// none.
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
    Checkin(&'a ValidCheckin<'a>),
    Miss,
    Run(RunId),
    Creation(OrganizationId),
}

impl<'a> Query<'a> {
    /// What a check-in needs.
    pub fn checkin(valid: &'a ValidCheckin<'a>, policy: &'a Policy) -> Self {
        Self { subject: Subject::Checkin(valid), policy }
    }

    /// What a missed run needs.
    pub const fn miss(policy: &'a Policy) -> Self {
        Self { subject: Subject::Miss, policy }
    }

    /// What a stored run needs: for a timeout, [`mark_ok`](super::mark_ok) or
    /// [`mark_failed`](super::mark_failed).
    pub const fn run_of(id: RunId, policy: &'a Policy) -> Self {
        Self { subject: Subject::Run(id), policy }
    }

    /// What creating a monitor of this organization needs.
    pub const fn creation(organization: OrganizationId, policy: &'a Policy) -> Self {
        Self { subject: Subject::Creation(organization), policy }
    }

    /// The organization whose row to read if there is no monitor. `None` if the row is not needed.
    pub const fn organization(&self) -> Option<OrganizationId> {
        match self.subject {
            Subject::Checkin(valid) => Some(valid.organization),
            Subject::Creation(organization) => Some(organization),
            Subject::Miss | Subject::Run(_) => None,
        }
    }

    /// Which run to look up.
    pub const fn run(&self) -> RunQuery {
        match self.subject {
            Subject::Checkin(valid) => valid.run,
            Subject::Miss | Subject::Creation(_) => RunQuery::None,
            Subject::Run(id) => RunQuery::Id(id),
        }
    }

    /// Which past runs the thresholds need, given the rows read so far. `run` is the run that was found in
    /// this environment.
    pub fn history(
        &self,
        monitor: &Monitor,
        environment: &Environment,
        run: Option<&Run>,
    ) -> Option<HistoryQuery> {
        let (status, started_at) = match (self.subject, run) {
            (Subject::Miss, _) => (RunStatus::Missed, environment.deadline()?.expected),
            (Subject::Checkin(valid), None) => (valid.status(), valid.started_at),
            (Subject::Checkin(valid), Some(run)) if !run.status().is_result() => {
                (valid.status(), run.started_at)
            }
            (Subject::Checkin(..), Some(run)) => (run.status(), run.started_at),
            // A timeout looks up a run in progress by id.
            (Subject::Run(_), Some(run)) if run.status() == RunStatus::InProgress => {
                (RunStatus::Timeout, run.started_at)
            }
            (Subject::Run(_), Some(run)) => (run.status(), run.started_at),
            (Subject::Run(_), None) | (Subject::Creation(_), _) => return None,
        };
        let config = match self.subject {
            Subject::Checkin(valid) => valid.configure(&monitor.config),
            Subject::Miss | Subject::Run(_) | Subject::Creation(_) => None,
        };
        profile::reads(
            self.policy.profile,
            config.as_ref().unwrap_or(&monitor.config),
            environment,
            status,
            started_at,
        )
    }
}
