//! What the checker has seen so far.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::Tick;
use crate::decision::MonitorSnapshot;
use crate::id::{EnvironmentKey, EnvironmentName, EventId, IncidentId, MonitorKey, RunId};
use crate::row::{Environment, MonitorStatus, Run, RunStatus};

/// Everything seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    monitors: BTreeMap<MonitorKey, Seen>,
    /// The results that jobs reported, and their environments.
    pub(super) results: HashMap<RunId, (EnvironmentKey, RunStatus)>,
    /// Runs that were in progress before the step and are no longer.
    pub(super) closed: Vec<(EnvironmentKey, RunId)>,
    /// The last step, if it was a tick.
    pub(super) ticked: Option<Tick>,
}

/// What was seen of one monitor.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Its rows. `None` if only events named it.
    pub(super) rows: Option<MonitorSnapshot>,
    pub(super) told: HashSet<EventId>,
    /// The incidents that were announced and are not over.
    pub(super) announced: HashMap<EnvironmentName, IncidentId>,
}

impl Memory {
    pub(super) fn monitors(&self) -> impl Iterator<Item = &MonitorKey> {
        self.monitors.keys()
    }

    pub(super) fn seen(&mut self, monitor: &MonitorKey) -> &mut Seen {
        self.monitors.entry(monitor.clone()).or_default()
    }

    pub(super) fn rows(&self, monitor: &MonitorKey) -> Option<&MonitorSnapshot> {
        self.monitors.get(monitor)?.rows.as_ref()
    }

    pub(super) fn environment(&self, key: &EnvironmentKey) -> Option<&Environment> {
        self.rows(&key.monitor)?.environments.iter().find(|row| row.key == *key)
    }

    /// The run in progress with this id.
    pub(super) fn open_run(&self, key: &EnvironmentKey, id: RunId) -> Option<&Run> {
        self.rows(&key.monitor)?.open_runs.iter().find(|run| run.id == id)
    }

    /// The incident that was announced and is not over.
    pub(super) fn announced(&self, key: &EnvironmentKey) -> Option<IncidentId> {
        self.monitors.get(&key.monitor)?.announced.get(&key.name).copied()
    }

    /// Whether it was watched. True for an unknown environment.
    pub(super) fn is_watched(&self, key: &EnvironmentKey) -> bool {
        let active = self.rows(&key.monitor).is_none_or(|rows| rows.monitor.status == MonitorStatus::Active);
        active && self.environment(key).is_none_or(|row| row.watch.environment())
    }

    /// Takes over the rows, and what they say was announced.
    pub(super) fn meet(&mut self, monitor: &MonitorKey, found: Option<MonitorSnapshot>) {
        let Some(found) = found else { return self.forget(monitor) };
        let seen = self.seen(monitor);
        let open = |row: &Environment| {
            Some((row.key.name.clone(), row.incident().filter(|open| open.announced)?.id))
        };
        seen.announced = found.environments.iter().filter_map(open).collect();
        seen.rows = Some(found);
    }

    /// Forgets a monitor that is gone: a later one of its name is another monitor.
    pub(super) fn forget(&mut self, monitor: &MonitorKey) {
        self.monitors.remove(monitor);
        self.results.retain(|_, (key, _)| key.monitor != *monitor);
    }
}
