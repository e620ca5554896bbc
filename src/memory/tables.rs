//! The tables of the embedded store, and the indexes over them.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::iter;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;

use crate::id::{CheckinId, EnvironmentId, OrganizationId};
use crate::key::{EnvironmentKey, EnvironmentName, MonitorKey};
use crate::row::{Environment, Incident, Monitor, Organization, Run, RunStatus, RunSummary, Version};
use crate::store::{CommitError, Due, DueKind, DueQuery, DueRun, HistoryQuery, MonitorSnapshot};
use crate::store::{Found, Query, RunQuery, Snapshot};
use crate::store::{MonitorChange, Put, PutRun, Transition};

use super::due::DueIndex;
use super::resident::{NONE, Resident};
use super::slab::Slab;

/// Keys and ids are chosen by strangers. This hasher is seeded anew for each table, so that they cannot choose
/// them to collide, and takes a tenth of the time of the standard library's.
type Map<K, V> = HashMap<K, V, RandomState>;

#[derive(Debug, Default)]
pub(super) struct Tables {
    organizations: Map<OrganizationId, Organization>,
    /// Monitors, and the newest of their environments.
    monitors: Map<ByKey, u32>,
    environments: Slab<Resident>,
    runs: Slab<StoredRun>,
    ids: Map<CheckinId, u32>,
    /// Runs by the id of the message that closed them.
    closings: Map<CheckinId, u32>,
    misses: DueIndex,
    timeouts: DueIndex,
}

/// A monitor that is found by the key within.
#[derive(Debug)]
struct ByKey(Arc<Monitor>);

impl Borrow<MonitorKey> for ByKey {
    fn borrow(&self) -> &MonitorKey {
        &self.0.key
    }
}

impl Hash for ByKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key.hash(state);
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for ByKey {}

/// A run, and the lists that it is on.
#[derive(Debug)]
struct StoredRun {
    row: Run,
    environment: u32,
    /// The run of the environment that started before it.
    older: u32,
    /// Another run of the environment that is in progress, while it is.
    open: u32,
    /// Its position among those that are due in the same minute.
    due: u32,
}

/// One entry of a list of what is due, still in its table.
struct DueEntry<'a>(&'a Resident, Option<DueRun>);

impl DueEntry<'_> {
    /// As [`Due::order`], within one minute.
    fn order(&self) -> (&MonitorKey, &EnvironmentName, Option<u32>) {
        (&self.0.monitor.key, self.0.name(), self.1.map(|run| run.number))
    }
}

impl Tables {
    pub(super) fn organizations(&self) -> impl Iterator<Item = &Organization> {
        self.organizations.values()
    }

    pub(super) fn monitors(&self) -> impl Iterator<Item = &Arc<Monitor>> {
        self.monitors.keys().map(|monitor| &monitor.0)
    }

    /// A monitor's environments and their numbers, the newest first.
    fn environments_of(&self, newest: u32) -> impl Iterator<Item = (u32, &Resident)> {
        let numbered = |number| Some((number, self.environments.get(number)?));
        iter::successors(numbered(newest), move |(_, resident)| numbered(resident.links.sibling))
    }

    fn owned(&self, newest: u32, id: EnvironmentId) -> Option<(u32, &Resident)> {
        self.environments_of(newest).find(|(_, resident)| resident.id() == id)
    }

    /// A monitor's environments, in order of creation.
    pub(super) fn environments(&self, monitor: &MonitorKey) -> Vec<&Resident> {
        let newest = self.monitors.get(monitor).copied().unwrap_or(NONE);
        let mut environments: Vec<_> = self.environments_of(newest).map(|(_, resident)| resident).collect();
        environments.reverse();
        environments
    }

    pub(super) fn environment(&self, key: &EnvironmentKey) -> Option<&Resident> {
        let newest = *self.monitors.get(&key.monitor)?;
        self.named(newest, &key.name).map(|(_, resident)| resident)
    }

    fn named(&self, newest: u32, name: &EnvironmentName) -> Option<(u32, &Resident)> {
        self.environments_of(newest).find(|(_, resident)| resident.name() == name)
    }

    /// An environment's runs, the newest first.
    fn runs(&self, resident: &Resident) -> impl Iterator<Item = &Run> {
        let newest = self.runs.get(resident.links.newest);
        iter::successors(newest, |run| self.runs.get(run.older)).map(|run| &run.row)
    }

    /// An environment's runs, in order of start.
    pub(super) fn runs_in_order(&self, resident: &Resident) -> Vec<Run> {
        let mut runs: Vec<_> = self.runs(resident).cloned().collect();
        runs.reverse();
        runs
    }

    /// An environment's runs in progress, in no order.
    fn open_runs(&self, resident: &Resident) -> impl Iterator<Item = &Run> {
        let first = self.runs.get(resident.links.open);
        iter::successors(first, |run| self.runs.get(run.open)).map(|run| &run.row)
    }

    pub(super) fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Snapshot {
        let Some((ByKey(monitor), newest)) = self.monitors.get_key_value(&key.monitor) else {
            let run = self.found(NONE, query.run());
            let organization = query.organization().map(|id| self.organization(id));
            return Snapshot { organization, monitor: None, environment: None, run, history: Vec::new() };
        };
        let (number, resident) = self.named(*newest, &key.name).unzip();
        let run = self.found(number.unwrap_or(NONE), query.run());
        let environment = resident.map(|resident| resident.row_as(key.clone()));
        let here = match &run {
            Some(Found::Here(run)) => Some(run),
            _ => None,
        };
        let history = resident.zip(environment.as_ref()).and_then(|(resident, environment)| {
            let wanted = query.history(monitor, environment, here)?;
            Some(self.history(resident, wanted))
        });
        let history = history.unwrap_or_default();
        Snapshot { organization: None, monitor: Some(Arc::clone(monitor)), environment, run, history }
    }

    fn organization(&self, id: OrganizationId) -> Organization {
        self.organizations.get(&id).cloned().unwrap_or_else(|| Organization::new(id))
    }

    fn run(&self, id: &CheckinId) -> Option<&StoredRun> {
        self.runs.get(*self.ids.get(id)?)
    }

    /// The run that is asked for, as seen from an environment.
    fn found(&self, environment: u32, query: RunQuery) -> Option<Found> {
        let newest_open = || {
            let open = self.open_runs(self.environments.get(environment)?);
            open.max_by_key(|run| run.summary().order()).cloned().map(Found::Here)
        };
        match query {
            RunQuery::None => None,
            RunQuery::Id(id) => {
                let run = self.run(&id)?;
                if run.environment == environment {
                    return Some(Found::Here(run.row.clone()));
                }
                self.environments.get(run.environment).map(|other| Found::Elsewhere(other.key()))
            }
            RunQuery::Unnamed(id) => self.unnamed(environment, id).or_else(newest_open),
            RunQuery::NewestOpen => newest_open(),
        }
    }

    /// The run that a message which names none has started or closed.
    fn unnamed(&self, environment: u32, id: CheckinId) -> Option<Found> {
        let closed = self.closings.get(&id).and_then(|run| self.runs.get(*run));
        let run = self.run(&id).into_iter().chain(closed).find(|run| run.environment == environment)?;
        Some(Found::Here(run.row.clone()))
    }

    fn history(&self, resident: &Resident, wanted: HistoryQuery) -> Vec<RunSummary> {
        let newest_first = self.runs(resident).map(Run::summary);
        newest_first.filter(|run| wanted.matches(run)).take(wanted.count as usize).collect()
    }

    pub(super) fn load_monitor(&self, key: &MonitorKey) -> Option<MonitorSnapshot> {
        let (ByKey(monitor), newest) = self.monitors.get_key_value(key)?;
        let residents = || self.environments_of(*newest).map(|(_, resident)| resident);
        let mut environments: Vec<_> = residents().map(Resident::row).collect();
        environments.sort_unstable_by(|a, b| a.key.name.cmp(&b.key.name));
        Some(MonitorSnapshot {
            organization: self.organization(monitor.organization),
            environments,
            open_runs: residents().flat_map(|resident| self.open_runs(resident)).cloned().collect(),
            monitor: Arc::clone(monitor),
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
            let mut minute = Vec::with_capacity(numbers.len());
            minute.extend(numbers.iter().filter_map(|number| self.due_entry(query.kind, *number)));
            if let Some(after) = query.after.as_ref().filter(|after| after.at == at) {
                let after = (&after.key.monitor, &after.key.name, after.run.map(|run| run.number));
                minute.retain(|entry| entry.order() > after);
            }
            // Of a crowded minute only what fits is put in order.
            let room = limit.saturating_sub(page.len());
            if minute.len() > room {
                minute.select_nth_unstable_by(room, |a, b| a.order().cmp(&b.order()));
                minute.truncate(room);
            }
            minute.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
            page.extend(minute.into_iter().map(|entry| Due { at, key: entry.0.key(), run: entry.1 }));
            if page.len() >= limit {
                break;
            }
        }
        page
    }

    fn due_entry(&self, kind: DueKind, number: u32) -> Option<DueEntry<'_>> {
        match kind {
            DueKind::Miss => self.environments.get(number).map(|resident| DueEntry(resident, None)),
            DueKind::Timeout => {
                let run = self.runs.get(number)?;
                let due = DueRun { number: run.row.number, id: run.row.id };
                Some(DueEntry(self.environments.get(run.environment)?, Some(due)))
            }
        }
    }

    pub(super) fn commit(&mut self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        let Transition { organization, monitor, environments, runs, incidents, events: _ } = transition;
        let known = self.monitors.get_key_value(monitor.key());
        if !self.is_current(organization.as_ref(), monitor, known, environments, runs) {
            return Err(CommitError::Conflict);
        }
        let known = known.map(|(_, newest)| *newest);
        if let Some(put) = organization {
            self.put_organization(put.row.clone());
        }
        match (monitor, known) {
            (MonitorChange::Put(put), _) => self.put_monitor(&put.row),
            (MonitorChange::Remove { key, .. }, _) => self.remove_monitor(key),
            (MonitorChange::Keep { .. }, _) => {}
        }
        let newest = known.unwrap_or(NONE);
        let newest = environments.iter().fold(newest, |newest, put| self.put_environment(newest, &put.row));
        for put in runs {
            match put {
                PutRun::New(run) => self.insert_run(newest, run),
                PutRun::Changed(run) => self.change_run(run),
            }
        }
        for incident in incidents {
            self.put_incident(newest, incident);
        }
        Ok(())
    }

    /// Whether every row still is as the transition expects.
    fn is_current(
        &self,
        organization: Option<&Put<Organization>>,
        monitor: &MonitorChange,
        known: Option<(&ByKey, &u32)>,
        environments: &[Put<Environment>],
        runs: &[PutRun],
    ) -> bool {
        let stored = known.map_or(Version::NEW, |(monitor, _)| monitor.0.version);
        let version = |put: &Put<Environment>| {
            let resident = known.and_then(|(_, newest)| self.owned(*newest, put.row.id));
            resident.map_or(Version::NEW, |(_, resident)| resident.version())
        };
        stored == monitor.expects()
            && organization.is_none_or(|put| self.organization(put.row.id).version == put.replaces)
            && environments.iter().all(|put| version(put) == put.replaces)
            && runs.iter().all(|put| match put {
                PutRun::New(run) => !self.ids.contains_key(&run.id),
                PutRun::Changed(run) => self.ids.contains_key(&run.id),
            })
    }

    pub(super) fn put_organization(&mut self, row: Organization) {
        self.organizations.insert(row.id, row);
    }

    pub(super) fn put_monitor(&mut self, row: &Arc<Monitor>) {
        let (_, newest) = self.monitors.remove_entry(&row.key).unzip();
        let newest = newest.unwrap_or(NONE);
        self.monitors.insert(ByKey(Arc::clone(row)), newest);
        let mut next = newest;
        while let Some(resident) = self.environments.get_mut(next) {
            resident.monitor = Arc::clone(row);
            next = resident.links.sibling;
        }
    }

    fn remove_monitor(&mut self, key: &MonitorKey) {
        let mut next = self.monitors.remove(key).unwrap_or(NONE);
        while let Some(resident) = self.environments.get(next) {
            let (number, links) = (next, &resident.links);
            next = links.sibling;
            let mut run = links.newest;
            self.unlist(DueKind::Miss, number);
            while let Some(stored) = self.runs.get(run) {
                let older = stored.older;
                self.remove_run(run);
                run = older;
            }
            self.environments.remove(number);
        }
    }

    /// Puts an environment of the monitor whose newest one is given, and tells which that is now.
    pub(super) fn put_environment(&mut self, newest: u32, row: &Environment) -> u32 {
        let Some((number, resident)) = self.owned(newest, row.id) else {
            return self.insert_environment(row);
        };
        let moves = resident.due_at() != row.due_at();
        if moves {
            self.unlist(DueKind::Miss, number);
        }
        if let Some(resident) = self.environments.get_mut(number) {
            resident.put(row);
        }
        if moves {
            self.list(DueKind::Miss, number);
        }
        newest
    }

    fn insert_environment(&mut self, row: &Environment) -> u32 {
        let key = &row.key.monitor;
        let Some((ByKey(monitor), newest)) = self.monitors.get_key_value(key) else { return NONE };
        let number = self.environments.insert(Resident::new(row, monitor, *newest));
        if let Some(newest) = self.monitors.get_mut(key) {
            *newest = number;
        }
        self.list(DueKind::Miss, number);
        number
    }

    /// Inserts a run into one of the environments of a monitor.
    pub(super) fn insert_run(&mut self, newest: u32, run: &Run) {
        let Some((environment, _)) = self.owned(newest, run.environment) else { return };
        let stored = StoredRun { row: run.clone(), environment, older: NONE, open: NONE, due: NONE };
        let number = self.runs.insert(stored);
        self.ids.insert(run.id, number);
        self.insert_in_order(environment, number, run.summary());
        self.enlist(number, run);
    }

    fn change_run(&mut self, run: &Run) {
        let Some(number) = self.ids.get(&run.id).copied() else { return };
        self.unlist(DueKind::Timeout, number);
        self.close(number);
        if let Some(stored) = self.runs.get_mut(number) {
            stored.row.clone_from(run);
        }
        self.enlist(number, run);
    }

    /// Puts a run on the lists that it belongs to.
    fn enlist(&mut self, number: u32, run: &Run) {
        if let Some(message) = run.closed_by {
            self.closings.insert(message, number);
        }
        if run.status == RunStatus::InProgress {
            self.open(number);
            self.list(DueKind::Timeout, number);
        }
    }

    /// Puts an environment or a run on the list of what is due, if it belongs there.
    fn list(&mut self, kind: DueKind, number: u32) {
        match kind {
            DueKind::Miss => {
                let Some(resident) = self.environments.get_mut(number) else { return };
                let Some(at) = resident.due_at() else { return };
                resident.links.due = self.misses.insert(number, at);
            }
            DueKind::Timeout => {
                let Some(run) = self.runs.get_mut(number) else { return };
                let Some(at) = run.row.due_at() else { return };
                run.due = self.timeouts.insert(number, at);
            }
        }
    }

    /// Takes an environment or a run off the list of what is due, if it is there.
    fn unlist(&mut self, kind: DueKind, number: u32) {
        match kind {
            DueKind::Miss => {
                let Some(resident) = self.environments.get(number) else { return };
                let Some(at) = resident.due_at() else { return };
                let position = resident.links.due;
                let moved = self.misses.remove(position, at);
                if let Some(moved) = moved.and_then(|moved| self.environments.get_mut(moved)) {
                    moved.links.due = position;
                }
            }
            DueKind::Timeout => {
                let Some(run) = self.runs.get(number) else { return };
                let Some(at) = run.row.due_at() else { return };
                let position = run.due;
                let moved = self.timeouts.remove(position, at);
                if let Some(moved) = moved.and_then(|moved| self.runs.get_mut(moved)) {
                    moved.due = position;
                }
            }
        }
    }

    /// Puts a run on its environment's list of those in progress.
    fn open(&mut self, number: u32) {
        let Some(run) = self.runs.get_mut(number) else { return };
        let Some(resident) = self.environments.get_mut(run.environment) else { return };
        run.open = std::mem::replace(&mut resident.links.open, number);
    }

    /// Takes a run off its environment's list of those in progress, if it is.
    fn close(&mut self, number: u32) {
        let Some(run) = self.runs.get(number).filter(|run| run.row.status == RunStatus::InProgress) else {
            return;
        };
        let next = run.open;
        let Some(resident) = self.environments.get_mut(run.environment) else { return };
        if resident.links.open == number {
            resident.links.open = next;
            return;
        }
        let mut other = resident.links.open;
        while let Some(run) = self.runs.get_mut(other) {
            if run.open == number {
                run.open = next;
                return;
            }
            other = run.open;
        }
    }

    /// Puts a run among those of its environment, in order of start.
    fn insert_in_order(&mut self, environment: u32, number: u32, run: RunSummary) {
        let Some(resident) = self.environments.get_mut(environment) else { return };
        // A run is almost always the newest.
        let mut newer = NONE;
        let mut older = resident.links.newest;
        while let Some(other) = self.runs.get(older).filter(|other| other.row.summary().order() > run.order())
        {
            newer = older;
            older = other.older;
        }
        match self.runs.get_mut(newer) {
            Some(newer) => newer.older = number,
            None => resident.links.newest = number,
        }
        if let Some(run) = self.runs.get_mut(number) {
            run.older = older;
        }
    }

    pub(super) fn put_incident(&mut self, newest: u32, incident: &Arc<Incident>) {
        let Some((number, _)) = self.owned(newest, incident.environment) else { return };
        if let Some(resident) = self.environments.get_mut(number) {
            resident.put_incident(incident);
        }
    }

    /// Removes a run from everywhere but the lists of its environment.
    fn remove_run(&mut self, number: u32) {
        self.unlist(DueKind::Timeout, number);
        let Some(StoredRun { row, .. }) = self.runs.remove(number) else { return };
        self.ids.remove(&row.id);
        if let Some(message) = row.closed_by {
            self.closings.remove(&message);
        }
    }

    pub(super) fn prune(&mut self, before: DateTime<Utc>) -> usize {
        let newest: Vec<u32> = self.monitors.values().copied().collect();
        let mut gone = 0_usize;
        for newest in newest {
            let mut next = newest;
            while let Some(resident) = self.environments.get_mut(next) {
                resident.prune_incidents(before);
                let number = next;
                next = resident.links.sibling;
                gone = gone.saturating_add(self.prune_runs(number, before));
            }
        }
        self.runs.tidy();
        gone
    }

    /// Goes from the newest run to the oldest: those that are looked at come first.
    fn prune_runs(&mut self, environment: u32, before: DateTime<Utc>) -> usize {
        let Some(resident) = self.environments.get(environment) else { return 0 };
        let config = resident.monitor.config();
        let mut window = config.failure_threshold().max(config.recovery_threshold()).get();
        let mut gone = 0_usize;
        let (mut newer, mut next) = (NONE, resident.links.newest);
        while let Some(run) = self.runs.get(next) {
            let (number, older) = (next, run.older);
            next = older;
            let judged = run.row.status.is_judged();
            let old = run.row.started_at < before && run.row.status != RunStatus::InProgress;
            if !old || (judged && window > 0) {
                window = window.saturating_sub(u32::from(judged));
                newer = number;
                continue;
            }
            self.remove_run(number);
            gone = gone.saturating_add(1);
            match (self.runs.get_mut(newer), self.environments.get_mut(environment)) {
                (Some(newer), _) => newer.older = older,
                (None, Some(resident)) => resident.links.newest = older,
                (None, None) => {}
            }
        }
        gone
    }
}
