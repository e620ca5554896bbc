//! The changes that a decision makes in one environment.

use std::sync::Arc;

use crate::decision::{MonitorChange, Put, PutRun, Transition};
use crate::event::Event;
use crate::id::Version;
use crate::policy::Policy;
use crate::row::{Environment, Incident, Monitor, Organization, Run, RunStatus, RunSummary};

/// The row of an environment while a decision changes it, the rows it reads, and the effects.
pub(super) struct Changes<'a> {
    pub(super) policy: &'a Policy,
    pub(super) monitor: &'a Arc<Monitor>,
    pub(super) environment: &'a mut Environment,
    pub(super) history: &'a [RunSummary],
    pub(super) effects: Effects,
}

/// What a decision causes beside the change to the environment's row.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) incident: Option<Arc<Incident>>,
    pub(super) events: Vec<Event>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        monitor: &'a Arc<Monitor>,
        environment: &'a mut Environment,
        history: &'a [RunSummary],
    ) -> Self {
        Self { policy, monitor, environment, history, effects: Effects::default() }
    }

    /// Returns the newest `count` runs including this one, newest first.
    pub(super) fn window(&self, run: &Run, count: u32) -> Vec<RunSummary> {
        let run = run.summary();
        if count <= 1 {
            return vec![run];
        }
        let mut runs: Vec<_> = self.history.iter().copied().filter(|past| past.id != run.id).collect();
        runs.push(run);
        runs.sort_by_key(|past| std::cmp::Reverse(past.order()));
        runs.truncate(count as usize);
        runs
    }

    /// Records the result of a run for later decisions.
    pub(super) fn record_result(&mut self, run: &Run) {
        let summary = run.summary();
        if !summary.status.is_result() {
            return;
        }
        let environment = &mut *self.environment;
        environment.last_result = environment.last_result.max(Some(run.started_at));
        let newest = environment.last_ok.is_none_or(|last| last.order() <= summary.order());
        if summary.status == RunStatus::Ok && newest {
            environment.last_ok = Some(summary);
        }
    }
}

/// Makes the transition that writes an environment's row and one of its runs, and keeps the monitor.
pub(super) fn write(
    monitor: Arc<Monitor>,
    environment: Box<Environment>,
    run: Option<PutRun>,
    effects: Effects,
) -> Transition {
    Transition {
        organization: None,
        monitor: MonitorChange::Keep(monitor),
        environments: vec![put(environment)],
        runs: run.into_iter().collect(),
        incidents: effects.incident.into_iter().collect(),
        events: effects.events,
    }
}

/// Puts an environment's row over the version that was read.
pub(super) fn put(mut row: Box<Environment>) -> Put<Box<Environment>> {
    let replaces = row.version;
    row.version = replaces.next();
    Put { row, replaces }
}

/// Puts a new monitor's row. It starts from the organization's version, which the removal of a monitor moves
/// past the monitor's own. So a decision about a removed monitor never commits to a later one with its name.
pub(super) fn put_new_monitor(mut row: Monitor, organization: &Organization) -> Put<Arc<Monitor>> {
    row.version = organization.version;
    Put { row: Arc::new(row), replaces: Version::NEW }
}

/// Puts a monitor's row over the version that was read.
pub(super) fn put_monitor(mut row: Monitor) -> Put<Arc<Monitor>> {
    let replaces = row.version;
    row.version = replaces.next();
    Put { row: Arc::new(row), replaces }
}
