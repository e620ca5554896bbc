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
    keys: HashMap<MonitorKey, u32>,
    monitors: Slab<MonitorEntry>,
    environments: Slab<EnvironmentEntry>,
    runs: Slab<Run>,
    ids: HashMap<CheckinId, Place>,
    /// Runs by the id of the message that closed them.
    closings: HashMap<CheckinId, Place>,
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
    pub(super) row: Environment,
    /// Its runs, in order of start.
    runs: VecDeque<u32>,
    /// Those of them that are in progress.
    open: Vec<u32>,
    pub(super) incidents: Vec<Arc<Incident>>,
}

/// One entry of a list of what is due, still in its table.
struct DueEntry<'a>(&'a EnvironmentEntry, Option<DueRun>);

impl DueEntry<'_> {
    /// As [`Due::order`].
    fn order(&self, at: DateTime<Utc>) -> (DateTime<Utc>, &EnvironmentKey, Option<u32>) {
        (at, &self.0.row.key, self.1.map(|run| run.number))
    }
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
        self.keys.values().filter_map(|number| self.monitors.get(*number)).map(|entry| &entry.row)
    }

    pub(super) fn environments(&self, monitor: &MonitorKey) -> impl Iterator<Item = &EnvironmentEntry> {
        let numbers = self.monitor(monitor).map(|entry| entry.environments.as_slice());
        numbers.unwrap_or_default().iter().filter_map(|number| self.environments.get(*number))
    }

    pub(super) fn entry(&self, key: &EnvironmentKey) -> Option<&EnvironmentEntry> {
        self.environments.get(self.number(self.monitor(&key.monitor)?, &key.name)?)
    }

    pub(super) fn runs(&self, key: &EnvironmentKey) -> impl Iterator<Item = &Run> {
        self.entry(key).into_iter().flat_map(|entry| &entry.runs).filter_map(|run| self.runs.get(*run))
    }

    fn monitor(&self, key: &MonitorKey) -> Option<&MonitorEntry> {
        self.monitors.get(*self.keys.get(key)?)
    }

    fn number(&self, monitor: &MonitorEntry, name: &EnvironmentName) -> Option<u32> {
        let named =
            |number: &&u32| self.environments.get(**number).is_some_and(|entry| entry.row.key.name == *name);
        monitor.environments.iter().find(named).copied()
    }

    pub(super) fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Snapshot {
        let monitor = self.monitor(&key.monitor);
        let number = monitor.and_then(|monitor| self.number(monitor, &key.name));
        let monitor = monitor.map(|entry| Arc::clone(&entry.row));
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
            RunQuery::Unnamed(id) => self.unnamed(number?, id).or_else(newest_open),
            RunQuery::NewestOpen => newest_open(),
        }
    }

    fn found(&self, number: Option<u32>, id: CheckinId) -> Option<Found> {
        let place = self.ids.get(&id)?;
        if Some(place.environment) == number {
            return self.runs.get(place.run).cloned().map(Found::Here);
        }
        let entry = self.environments.get(place.environment)?;
        Some(Found::Elsewhere(entry.row.key.clone()))
    }

    /// The run that a message which names none has started or closed.
    fn unnamed(&self, number: u32, id: CheckinId) -> Option<Found> {
        let places = [self.ids.get(&id), self.closings.get(&id)];
        let place = places.into_iter().flatten().find(|place| place.environment == number)?;
        self.runs.get(place.run).cloned().map(Found::Here)
    }

    fn history(&self, entry: &EnvironmentEntry, wanted: HistoryQuery) -> Vec<RunSummary> {
        let newest_first = entry.runs.iter().rev().filter_map(|run| self.runs.get(*run)).map(Run::summary);
        newest_first.filter(|run| wanted.matches(run)).take(wanted.count as usize).collect()
    }

    pub(super) fn load_monitor(&self, key: &MonitorKey) -> Option<MonitorSnapshot> {
        let monitor = Arc::clone(&self.monitor(key)?.row);
        let open = self.environments(key).flat_map(|entry| &entry.open);
        let mut environments: Vec<_> = self.environments(key).map(|entry| entry.row.clone()).collect();
        environments.sort_unstable_by(|a, b| a.key.name.cmp(&b.key.name));
        Some(MonitorSnapshot {
            organization: self.organization(monitor.organization),
            environments,
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
            let mut minute: Vec<_> =
                numbers.iter().filter_map(|number| self.due_entry(query.kind, *number)).collect();
            if let Some(after) = query.after.as_ref().filter(|after| after.at == at) {
                minute.retain(|entry| entry.order(at) > after.order());
            }
            // Of a crowded minute only what fits is put in order.
            let room = limit.saturating_sub(page.len());
            if minute.len() > room {
                minute.select_nth_unstable_by(room, |a, b| a.order(at).cmp(&b.order(at)));
                minute.truncate(room);
            }
            minute.sort_unstable_by(|a, b| a.order(at).cmp(&b.order(at)));
            page.extend(minute.into_iter().map(|entry| Due {
                at,
                key: entry.0.row.key.clone(),
                run: entry.1,
            }));
            if page.len() >= limit {
                break;
            }
        }
        page
    }

    fn due_entry(&self, kind: DueKind, number: u32) -> Option<DueEntry<'_>> {
        match kind {
            DueKind::Miss => self.environments.get(number).map(|entry| DueEntry(entry, None)),
            DueKind::Timeout => {
                let run = self.runs.get(number)?;
                let entry = self.environments.get(self.ids.get(&run.id)?.environment)?;
                Some(DueEntry(entry, Some(DueRun { number: run.number, id: run.id })))
            }
        }
    }

    pub(super) fn commit(&mut self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        let Transition { organization, monitor, environments, runs, incidents, events: _ } = transition;
        let known = self.keys.get(monitor.key()).copied();
        let entry = known.and_then(|number| self.monitors.get(number));
        if !self.is_current(organization.as_ref(), monitor, entry, environments, runs) {
            return Err(CommitError::Conflict);
        }
        if let Some(put) = organization {
            self.organizations.insert(put.row.id, put.row.clone());
        }
        let number = match monitor {
            MonitorChange::Keep { .. } => known,
            MonitorChange::Put(put) => Some(self.put_monitor(known, &put.row)),
            MonitorChange::Remove { key, .. } => {
                self.remove_monitor(key);
                None
            }
        };
        let Some(number) = number else { return Ok(()) };
        for put in environments {
            self.put_environment(number, &put.row);
        }
        for put in runs {
            self.put_run(number, put.run());
        }
        for incident in incidents {
            self.put_incident(number, incident);
        }
        Ok(())
    }

    /// Whether every row still is as the transition expects.
    fn is_current(
        &self,
        organization: Option<&Put<Organization>>,
        monitor: &MonitorChange,
        entry: Option<&MonitorEntry>,
        environments: &[Put<Environment>],
        runs: &[PutRun],
    ) -> bool {
        let stored = entry.map_or(Version::NEW, |entry| entry.row.version);
        let version = |put: &Put<Environment>| {
            let number = entry.and_then(|entry| self.number(entry, &put.row.key.name));
            let entry = number.and_then(|number| self.environments.get(number));
            entry.map_or(Version::NEW, |entry| entry.row.version)
        };
        stored == monitor.expects()
            && organization.is_none_or(|put| self.organization(put.row.id).version == put.replaces)
            && environments.iter().all(|put| version(put) == put.replaces)
            && runs.iter().all(|put| match put {
                PutRun::New(run) => !self.ids.contains_key(&run.id),
                PutRun::Changed(run) => self.ids.contains_key(&run.id),
            })
    }

    fn put_monitor(&mut self, known: Option<u32>, row: &Arc<Monitor>) -> u32 {
        if let Some(number) = known {
            if let Some(entry) = self.monitors.get_mut(number) {
                entry.row = Arc::clone(row);
            }
            return number;
        }
        let number = self.monitors.insert(MonitorEntry { row: Arc::clone(row), environments: Vec::new() });
        self.keys.insert(row.key.clone(), number);
        number
    }

    fn remove_monitor(&mut self, key: &MonitorKey) {
        let Some(monitor) = self.keys.remove(key).and_then(|number| self.monitors.remove(number)) else {
            return;
        };
        for number in monitor.environments {
            let Some(entry) = self.environments.remove(number) else { continue };
            self.misses.shift(number, entry.row.due_at(), None);
            for run in entry.runs {
                self.remove_run(run);
            }
        }
    }

    fn put_environment(&mut self, monitor: u32, row: &Environment) {
        let Some(owner) = self.monitors.get(monitor) else { return };
        let number = match self.number(owner, &row.key.name) {
            Some(number) => number,
            None => {
                let number = self.environments.insert(EnvironmentEntry {
                    row: Environment { deadline: None, ..row.clone() },
                    runs: VecDeque::new(),
                    open: Vec::new(),
                    incidents: Vec::new(),
                });
                if let Some(owner) = self.monitors.get_mut(monitor) {
                    owner.environments.push(number);
                }
                number
            }
        };
        let Some(entry) = self.environments.get_mut(number) else { return };
        self.misses.shift(number, entry.row.due_at(), row.due_at());
        entry.row.clone_from(row);
    }

    fn put_run(&mut self, monitor: u32, run: &Run) {
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
            self.closings.insert(message, place);
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

    fn owner(&self, monitor: u32, run: &Run) -> Option<u32> {
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

    fn put_incident(&mut self, monitor: u32, incident: &Arc<Incident>) {
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
            self.closings.remove(&message);
        }
    }

    pub(super) fn prune(&mut self, before: DateTime<Utc>) -> usize {
        let mut gone = Vec::new();
        for entry in self.keys.values().filter_map(|number| self.monitors.get(*number)) {
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
        let monitor = |row: &Arc<Monitor>| StoredMonitor {
            row: Arc::clone(row),
            environments: self.environments(&row.key).map(environment).collect(),
        };
        Stored {
            organizations: self.organizations.values().cloned().collect(),
            monitors: self.monitors().map(monitor).collect(),
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
            let monitor = tables.put_monitor(None, &row);
            for StoredEnvironment { row: environment, runs, incidents } in environments {
                tables.put_environment(monitor, &environment);
                for run in &runs {
                    tables.put_run(monitor, run);
                }
                for incident in &incidents {
                    tables.put_incident(monitor, incident);
                }
            }
        }
        tables
    }
}
