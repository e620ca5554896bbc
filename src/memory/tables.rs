//! The tables of the embedded store, and the indexes over them.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{CheckinId, OrganizationId};
use crate::key::{EnvironmentKey, EnvironmentName, MonitorKey};
use crate::row::Environment;
use crate::row::Incident;
use crate::row::Monitor;
use crate::row::Organization;
use crate::row::Version;
use crate::row::{Run, RunStatus, RunSummary};
use crate::store::{CommitError, Due, DueKind, DueQuery, DueRun, HistoryQuery, MonitorSnapshot};
use crate::store::{Found, Query, RunQuery, Snapshot};
use crate::store::{MonitorChange, Put, PutRun, Transition};

use super::due::DueIndex;
use super::slab::Slab;

#[derive(Debug, Default)]
pub(super) struct Tables {
    organizations: HashMap<OrganizationId, Organization>,
    monitors: HashMap<MonitorKey, MonitorEntry>,
    environments: Slab<EnvironmentEntry>,
    runs: Slab<Run>,
    /// Runs by id, and by the id of the message that closed them.
    ids: HashMap<CheckinId, Place>,
    misses: DueIndex,
    timeouts: DueIndex,
}

#[derive(Debug)]
struct MonitorEntry {
    row: Arc<Monitor>,
    environments: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct EnvironmentEntry {
    monitor: MonitorKey,
    pub(super) row: Environment,
    /// Its runs, in order of start.
    runs: VecDeque<u32>,
    /// Those of them that are in progress.
    open: Vec<u32>,
    pub(super) incidents: Vec<Arc<Incident>>,
}

/// Where a run is.
#[derive(Clone, Copy, Debug)]
struct Place {
    environment: u32,
    run: u32,
}

/// The rows alone, as they are serialised.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Stored {
    organizations: Vec<Organization>,
    monitors: Vec<StoredMonitor>,
}

#[derive(Debug, Deserialize, Serialize)]
struct StoredMonitor {
    row: Arc<Monitor>,
    environments: Vec<StoredEnvironment>,
}

#[derive(Debug, Deserialize, Serialize)]
struct StoredEnvironment {
    row: Environment,
    runs: Vec<Run>,
    incidents: Vec<Arc<Incident>>,
}

impl Tables {
    pub(super) fn monitors(&self) -> impl Iterator<Item = &Arc<Monitor>> {
        self.monitors.values().map(|entry| &entry.row)
    }

    pub(super) fn environments(&self, monitor: &MonitorKey) -> impl Iterator<Item = &EnvironmentEntry> {
        let numbers = self.monitors.get(monitor).map(|entry| entry.environments.as_slice());
        numbers.unwrap_or_default().iter().filter_map(|number| self.environments.get(*number))
    }

    pub(super) fn entry(&self, key: &EnvironmentKey) -> Option<&EnvironmentEntry> {
        self.environments.get(self.number(&key.monitor, &key.name)?)
    }

    pub(super) fn runs(&self, key: &EnvironmentKey) -> impl Iterator<Item = &Run> {
        self.entry(key).into_iter().flat_map(|entry| &entry.runs).filter_map(|run| self.runs.get(*run))
    }

    fn number(&self, monitor: &MonitorKey, name: &EnvironmentName) -> Option<u32> {
        let named =
            |number: &&u32| self.environments.get(**number).is_some_and(|entry| entry.row.name == *name);
        self.monitors.get(monitor)?.environments.iter().find(named).copied()
    }

    pub(super) fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Snapshot {
        let monitor = self.monitors.get(&key.monitor).map(|entry| Arc::clone(&entry.row));
        let number = self.number(&key.monitor, &key.name);
        let entry = number.and_then(|number| self.environments.get(number));
        let run = self.find(number, entry, query.run());
        let here = match &run {
            Some(Found::Here(run)) => Some(run),
            _ => None,
        };
        let history = monitor.as_deref().zip(entry);
        let history = history
            .and_then(|(monitor, entry)| Some((entry, query.history(monitor, &entry.row, here)?)))
            .map_or_else(Vec::new, |(entry, wanted)| self.history(entry, wanted));
        let organization = query.organization().filter(|_| monitor.is_none()).map(|id| self.organization(id));
        Snapshot { organization, monitor, environment: entry.map(|entry| entry.row.clone()), run, history }
    }

    fn organization(&self, id: OrganizationId) -> Organization {
        self.organizations.get(&id).cloned().unwrap_or_else(|| Organization::new(id))
    }

    fn find(&self, number: Option<u32>, entry: Option<&EnvironmentEntry>, query: RunQuery) -> Option<Found> {
        let newest_open = || {
            let open = entry?.open.iter().filter_map(|run| self.runs.get(*run));
            open.max_by_key(|run| run.summary().order()).cloned().map(Found::Here)
        };
        match query {
            RunQuery::None => None,
            RunQuery::Id(id) => self.found(number, id),
            RunQuery::Unnamed(id) => self.found(number, id).or_else(newest_open),
            RunQuery::NewestOpen => newest_open(),
        }
    }

    fn found(&self, number: Option<u32>, id: CheckinId) -> Option<Found> {
        let place = self.ids.get(&id)?;
        if Some(place.environment) == number {
            return self.runs.get(place.run).cloned().map(Found::Here);
        }
        let entry = self.environments.get(place.environment)?;
        Some(Found::Elsewhere(entry.key()))
    }

    fn history(&self, entry: &EnvironmentEntry, wanted: HistoryQuery) -> Vec<RunSummary> {
        let newest_first = entry.runs.iter().rev().filter_map(|run| self.runs.get(*run)).map(Run::summary);
        newest_first.filter(|run| wanted.matches(run)).take(wanted.count as usize).collect()
    }

    pub(super) fn load_monitor(&self, key: &MonitorKey) -> Option<MonitorSnapshot> {
        let monitor = Arc::clone(&self.monitors.get(key)?.row);
        let open = self.environments(key).flat_map(|entry| &entry.open);
        Some(MonitorSnapshot {
            organization: self.organization(monitor.organization),
            environments: self.environments(key).map(|entry| entry.row.clone()).collect(),
            open_runs: open.filter_map(|run| self.runs.get(*run)).cloned().collect(),
            monitor,
        })
    }

    pub(super) fn due(&self, query: &DueQuery) -> Vec<Due> {
        let from = query.after.as_ref().map(|after| after.at);
        let limit = query.limit.get();
        let mut page = Vec::new();
        let index = match query.kind {
            DueKind::Miss => &self.misses,
            DueKind::Timeout => &self.timeouts,
        };
        for (at, numbers) in index.range(from, query.until) {
            let mut minute: Vec<Due> = match query.kind {
                DueKind::Miss => numbers.iter().filter_map(|number| self.due_miss(at, *number)).collect(),
                DueKind::Timeout => {
                    numbers.iter().filter_map(|number| self.due_timeout(at, *number)).collect()
                }
            };
            if let Some(after) = &query.after {
                minute.retain(|due| due.order() > after.order());
            }
            minute.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
            page.append(&mut minute);
            if page.len() >= limit {
                break;
            }
        }
        page.truncate(limit);
        page
    }

    fn due_miss(&self, at: DateTime<Utc>, environment: u32) -> Option<Due> {
        Some(Due { at, key: self.environments.get(environment)?.key(), run: None })
    }

    fn due_timeout(&self, at: DateTime<Utc>, run: u32) -> Option<Due> {
        let run = self.runs.get(run)?;
        let entry = self.environments.get(self.ids.get(&run.id)?.environment)?;
        Some(Due { at, key: entry.key(), run: Some(DueRun { number: run.number, id: run.id }) })
    }

    pub(super) fn commit(&mut self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        let Transition { organization, monitor, environments, runs, incidents, events: _ } = transition;
        let key = match monitor {
            MonitorChange::Keep { key, .. } | MonitorChange::Remove { key, .. } => key,
            MonitorChange::Put(put) => &put.row.key,
        };
        if !self.is_current(organization.as_ref(), monitor, key, environments, runs) {
            return Err(CommitError::Conflict);
        }
        if let Some(put) = organization {
            self.organizations.insert(put.row.id, put.row.clone());
        }
        match monitor {
            MonitorChange::Keep { .. } => {}
            MonitorChange::Put(put) => self.put_monitor(&put.row),
            MonitorChange::Remove { key, .. } => self.remove_monitor(key),
        }
        for put in environments {
            self.put_environment(key, &put.row);
        }
        for put in runs {
            self.put_run(key, put.run());
        }
        for incident in incidents {
            self.put_incident(key, incident);
        }
        Ok(())
    }

    /// Whether every row still is as the transition expects.
    fn is_current(
        &self,
        organization: Option<&Put<Organization>>,
        monitor: &MonitorChange,
        key: &MonitorKey,
        environments: &[Put<Environment>],
        runs: &[PutRun],
    ) -> bool {
        let stored = self.monitors.get(key).map_or(Version::NEW, |entry| entry.row.version);
        let expected = match monitor {
            MonitorChange::Keep { version, .. } | MonitorChange::Remove { version, .. } => *version,
            MonitorChange::Put(put) => put.replaces,
        };
        let version = |put: &Put<Environment>| {
            let entry = self.number(key, &put.row.name).and_then(|number| self.environments.get(number));
            entry.map_or(Version::NEW, |entry| entry.row.version)
        };
        stored == expected
            && organization.is_none_or(|put| self.organization(put.row.id).version == put.replaces)
            && environments.iter().all(|put| version(put) == put.replaces)
            && runs.iter().all(|put| match put {
                PutRun::New(run) => !self.ids.contains_key(&run.id),
                PutRun::Changed(run) => self.ids.contains_key(&run.id),
            })
    }

    fn put_monitor(&mut self, row: &Arc<Monitor>) {
        match self.monitors.get_mut(&row.key) {
            Some(entry) => entry.row = Arc::clone(row),
            None => {
                let entry = MonitorEntry { row: Arc::clone(row), environments: Vec::new() };
                self.monitors.insert(row.key.clone(), entry);
            }
        }
    }

    fn remove_monitor(&mut self, key: &MonitorKey) {
        let numbers = self.monitors.remove(key).map(|entry| entry.environments).unwrap_or_default();
        for number in numbers {
            let Some(entry) = self.environments.remove(number) else { continue };
            self.misses.shift(number, entry.row.due_at(), None);
            for run in entry.runs {
                self.remove_run(run);
            }
        }
    }

    fn put_environment(&mut self, monitor: &MonitorKey, row: &Environment) {
        let number = match self.number(monitor, &row.name) {
            Some(number) => number,
            None => {
                let number = self.environments.insert(EnvironmentEntry {
                    monitor: monitor.clone(),
                    row: Environment { deadline: None, ..row.clone() },
                    runs: VecDeque::new(),
                    open: Vec::new(),
                    incidents: Vec::new(),
                });
                if let Some(entry) = self.monitors.get_mut(monitor) {
                    entry.environments.push(number);
                }
                number
            }
        };
        let Some(entry) = self.environments.get_mut(number) else { return };
        self.misses.shift(number, entry.row.due_at(), row.due_at());
        entry.row.clone_from(row);
    }

    fn put_run(&mut self, monitor: &MonitorKey, run: &Run) {
        let place = match self.ids.get(&run.id) {
            Some(place) => *place,
            None => {
                let Some(environment) = self.owner(monitor, run) else { return };
                let place =
                    Place { environment, run: self.runs.insert(Run { timeout_at: None, ..run.clone() }) };
                self.ids.insert(run.id, place);
                self.insert_in_order(place, run.summary());
                place
            }
        };
        if let Some(message) = run.closed_by {
            self.ids.insert(message, place);
        }
        let (Some(stored), Some(entry)) =
            (self.runs.get_mut(place.run), self.environments.get_mut(place.environment))
        else {
            return;
        };
        self.timeouts.shift(place.run, stored.due_at(), run.due_at());
        entry.open.retain(|open| *open != place.run);
        if run.status == RunStatus::InProgress {
            entry.open.push(place.run);
        }
        stored.clone_from(run);
    }

    fn owner(&self, monitor: &MonitorKey, run: &Run) -> Option<u32> {
        let owns = |number: &&u32| {
            self.environments.get(**number).is_some_and(|entry| entry.row.id == run.environment)
        };
        self.monitors.get(monitor)?.environments.iter().find(owns).copied()
    }

    fn insert_in_order(&mut self, place: Place, run: RunSummary) {
        let Some(entry) = self.environments.get_mut(place.environment) else { return };
        let runs = &self.runs;
        let before =
            |other: &u32| runs.get(*other).is_some_and(|other| other.summary().order() < run.order());
        // A run is almost always the newest.
        match entry.runs.back() {
            Some(newest) if !before(newest) => {
                let position = entry.runs.partition_point(before);
                entry.runs.insert(position, place.run);
            }
            _ => entry.runs.push_back(place.run),
        }
    }

    fn put_incident(&mut self, monitor: &MonitorKey, incident: &Arc<Incident>) {
        let Some(entry) = self.monitors.get(monitor) else { return };
        for number in &entry.environments {
            let Some(entry) = self.environments.get_mut(*number) else { continue };
            if entry.row.id == incident.environment {
                match entry.incidents.iter_mut().rfind(|stored| stored.id == incident.id) {
                    Some(stored) => *stored = Arc::clone(incident),
                    None => entry.incidents.push(Arc::clone(incident)),
                }
            }
        }
    }

    fn remove_run(&mut self, number: u32) {
        let Some(run) = self.runs.remove(number) else { return };
        self.timeouts.shift(number, run.due_at(), None);
        self.ids.remove(&run.id);
        if let Some(message) = run.closed_by {
            self.ids.remove(&message);
        }
    }

    pub(super) fn prune(&mut self, before: DateTime<Utc>) -> usize {
        let mut gone = Vec::new();
        for entry in self.monitors.values() {
            let config = entry.row.config();
            let window = config.failure_threshold().max(config.recovery_threshold()).get() as usize;
            for number in &entry.environments {
                let Some(environment) = self.environments.get_mut(*number) else { continue };
                environment
                    .incidents
                    .retain(|incident| incident.resolution.is_none_or(|resolution| resolution.at >= before));
                let runs = &self.runs;
                let judged = |run: &&u32| runs.get(**run).is_some_and(|run| run.status.is_judged());
                let mut spare = environment.runs.iter().filter(judged).count().saturating_sub(window);
                environment.runs.retain(|number| {
                    let Some(run) = runs.get(*number) else { return false };
                    let old = run.started_at < before && run.status != RunStatus::InProgress;
                    if !old || (run.status.is_judged() && spare == 0) {
                        return true;
                    }
                    spare = spare.saturating_sub(usize::from(run.status.is_judged()));
                    gone.push(*number);
                    false
                });
            }
        }
        for run in &gone {
            self.remove_run(*run);
        }
        gone.len()
    }

    pub(super) fn stored(&self) -> Stored {
        let environment = |entry: &EnvironmentEntry| StoredEnvironment {
            row: entry.row.clone(),
            runs: entry.runs.iter().filter_map(|run| self.runs.get(*run)).cloned().collect(),
            incidents: entry.incidents.clone(),
        };
        Stored {
            organizations: self.organizations.values().cloned().collect(),
            monitors: self
                .monitors
                .iter()
                .map(|(key, entry)| StoredMonitor {
                    row: Arc::clone(&entry.row),
                    environments: self.environments(key).map(environment).collect(),
                })
                .collect(),
        }
    }
}

impl From<Stored> for Tables {
    fn from(stored: Stored) -> Self {
        let mut tables = Tables::default();
        for organization in stored.organizations {
            tables.organizations.insert(organization.id, organization);
        }
        for StoredMonitor { row, environments } in stored.monitors {
            tables.put_monitor(&row);
            for StoredEnvironment { row: environment, runs, incidents } in environments {
                tables.put_environment(&row.key, &environment);
                for run in &runs {
                    tables.put_run(&row.key, run);
                }
                for incident in &incidents {
                    tables.put_incident(&row.key, incident);
                }
            }
        }
        tables
    }
}

impl EnvironmentEntry {
    fn key(&self) -> EnvironmentKey {
        EnvironmentKey { monitor: self.monitor.clone(), name: self.row.name.clone() }
    }
}
