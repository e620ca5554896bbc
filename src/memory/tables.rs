//! The tables of the embedded store, their indexes, and the reads.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::hint::black_box;
use std::iter;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;

use crate::decision::{HistoryQuery, MonitorSnapshot, RunLookup, RunQuery, Snapshot};
use crate::id::{EnvironmentId, EnvironmentKey, MonitorKey, OrganizationId, RunId};
use crate::row::{Environment, Monitor, Organization, Run, RunSummary};
use crate::rules::Query;
use crate::schedule::Schedule;
use crate::store::{Due, DueKind, DueQuery, DueRun};

use super::chunk_ages::ChunkAges;
use super::due::{DueIndex, DueMinute};
use super::environment::{NONE, StoredEnvironment};
use super::index::Index;
use super::run::StoredRun;
use super::slab::Slab;

/// Strangers choose keys and ids. This hasher is seeded anew for each table, so that they cannot choose
/// colliding ones, and it costs less than the standard library's.
type Map<K, V> = HashMap<K, V, RandomState>;

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) organizations: Map<OrganizationId, Organization>,
    /// One schedule for each text and zone, shared by all monitors that have it.
    pub(super) schedules: HashSet<Schedule, RandomState>,
    /// Monitors, and the number of each one's first environment.
    pub(super) monitors: Map<ByKey, u32>,
    pub(super) environments: Slab<StoredEnvironment>,
    /// All environments but the first of each monitor, by key.
    pub(super) environments_by_key: Index,
    /// The environment that was last loaded or is being written: a load is usually followed by a write of the
    /// same.
    pub(super) last_loaded: u32,
    pub(super) runs: Slab<StoredRun>,
    pub(super) oldest_in_chunk: ChunkAges,
    /// Runs by id.
    pub(super) runs_by_id: Index,
    /// Runs by the id of the message that closed them.
    pub(super) runs_by_closing_id: Map<RunId, u32>,
    pub(super) misses: DueIndex,
    pub(super) timeouts: DueIndex,
}

/// A monitor in a map, found by its own key.
#[derive(Debug)]
pub(super) struct ByKey(pub(super) Arc<Monitor>);

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

impl Tables {
    pub(super) fn organizations(&self) -> impl Iterator<Item = &Organization> {
        self.organizations.values()
    }

    pub(super) fn monitors(&self) -> impl Iterator<Item = &Arc<Monitor>> {
        self.monitors.keys().map(|monitor| &monitor.0)
    }

    /// Returns an environment with its number.
    fn numbered(&self, number: u32) -> Option<(u32, &StoredEnvironment)> {
        Some((number, self.environments.get(number)?))
    }

    /// A monitor's environments and their numbers: the first, then from the newest to the second.
    fn environments_of(&self, first: u32) -> impl Iterator<Item = (u32, &StoredEnvironment)> {
        iter::successors(self.numbered(first), |(_, stored)| self.numbered(stored.links.sibling))
    }

    /// Returns the environment with this id, if it is the one loaded last.
    fn cached(&self, id: EnvironmentId) -> Option<(u32, &StoredEnvironment)> {
        self.numbered(self.last_loaded).filter(|(_, stored)| stored.id() == id)
    }

    /// Returns the environment of a row.
    pub(super) fn find(&self, row: &Environment) -> Option<(u32, &StoredEnvironment)> {
        self.cached(row.id).or_else(|| self.environment(&row.key))
    }

    /// Returns the environment of a monitor with this id.
    pub(super) fn environment_of(
        &self,
        monitor: &MonitorKey,
        id: EnvironmentId,
    ) -> Option<(u32, &StoredEnvironment)> {
        let look = || self.environments_of(*self.monitors.get(monitor)?).find(|(_, other)| other.id() == id);
        self.cached(id).or_else(look)
    }

    /// A monitor's environments, in order of creation.
    pub(super) fn environments(&self, monitor: &MonitorKey) -> Vec<&StoredEnvironment> {
        let first = self.monitors.get(monitor).copied().unwrap_or(NONE);
        let mut environments: Vec<_> = self.environments_of(first).map(|(_, stored)| stored).collect();
        if let Some(others) = environments.get_mut(1..) {
            others.reverse();
        }
        environments
    }

    pub(super) fn environment(&self, key: &EnvironmentKey) -> Option<(u32, &StoredEnvironment)> {
        self.find_named(*self.monitors.get(&key.monitor)?, key)
    }

    /// Returns the environment with this key and its number, given the monitor's first environment.
    fn find_named(&self, first: u32, key: &EnvironmentKey) -> Option<(u32, &StoredEnvironment)> {
        let is_called = |(_, stored): &(u32, &StoredEnvironment)| stored.is_called(&key.name);
        let is_it = |number| {
            let other = self.numbered(number).filter(is_called);
            other.is_some_and(|(_, stored)| stored.monitor.key == key.monitor)
        };
        let other = || self.environments_by_key.get(key, is_it).and_then(|number| self.numbered(number));
        self.numbered(first).filter(is_called).or_else(other)
    }

    /// An environment's runs, in order of start.
    pub(super) fn runs_in_order(&self, stored: &StoredEnvironment) -> Vec<Run> {
        let mut runs: Vec<_> = self.runs_of(stored).map(|(_, run)| run.row(stored.id())).collect();
        runs.reverse();
        runs
    }

    /// An environment's runs in progress, in no order.
    pub(super) fn open_runs(&self, stored: &StoredEnvironment) -> impl Iterator<Item = &StoredRun> {
        iter::successors(self.runs.get(stored.links.open), |run| self.runs.get(run.links.open.next))
    }

    pub(super) fn load(&mut self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Infallible> {
        // Three cache misses: the place of a new run, the named run, and the monitor. Requested in a row,
        // they overlap.
        self.runs.prefetch_free();
        let named = match query.run() {
            RunQuery::Id(id) | RunQuery::Anonymous(id) => self.run(&id),
            RunQuery::None => None,
        };
        let Some((ByKey(monitor), &first)) = self.monitors.get_key_value(&key.monitor) else {
            let run = self.found(None, named, query.run());
            let organization = query.organization().map(|id| self.organization(id));
            return Ok(Snapshot { organization, monitor: None, environment: None, run, history: Vec::new() });
        };
        // Touch the row's second cache line before `Arc::clone`, whose atomic add would otherwise serialise
        // the two misses.
        black_box(monitor.status);
        let here = self.find_named(first, key);
        let stored = here.map(|(_, stored)| stored);
        let mut snapshot = Snapshot {
            organization: None,
            monitor: Some(Arc::clone(monitor)),
            environment: stored.map(|stored| stored.row_as(key.clone())),
            run: self.found(here, named, query.run()),
            history: Vec::new(),
        };
        if let (Some(stored), Some(environment)) = (stored, &snapshot.environment) {
            let run = snapshot.run.as_ref().and_then(RunLookup::own);
            if let Some(wanted) = query.history(monitor, environment, run) {
                snapshot.history = self.history(stored, wanted);
            }
        }
        self.last_loaded = here.map_or(first, |(number, _)| number);
        Ok(snapshot)
    }

    pub(super) fn organization(&self, id: OrganizationId) -> Organization {
        self.organizations.get(&id).cloned().unwrap_or_else(|| Organization::new(id))
    }

    /// Returns the number of a run.
    pub(super) fn number_of(&self, id: &RunId) -> Option<u32> {
        self.runs_by_id.get(id, |number| self.runs.get(number).is_some_and(|run| run.id() == *id))
    }

    fn run(&self, id: &RunId) -> Option<&StoredRun> {
        self.runs.get(self.number_of(id)?)
    }

    /// Returns the run that a query names, as seen from an environment and its number.
    fn found(
        &self,
        here: Option<(u32, &StoredEnvironment)>,
        named: Option<&StoredRun>,
        query: RunQuery,
    ) -> Option<RunLookup> {
        let row = |run: &StoredRun| Some(RunLookup::Own(Box::new(run.row(here?.1.id()))));
        let is_here = |run: &&StoredRun| here.is_some_and(|(number, _)| run.environment == number);
        let newest_open = || row(self.open_runs(here?.1).max_by_key(|run| run.order())?);
        match query {
            RunQuery::None => None,
            RunQuery::Id(_) => {
                let run = named?;
                if is_here(&run) {
                    return row(run);
                }
                self.environments.get(run.environment).map(|other| RunLookup::Foreign(other.key()))
            }
            RunQuery::Anonymous(id) => {
                let closed = self.runs_by_closing_id.get(&id).and_then(|run| self.runs.get(*run));
                let told = named.into_iter().chain(closed).find(is_here);
                told.and_then(row).or_else(newest_open)
            }
        }
    }

    fn history(&self, stored: &StoredEnvironment, wanted: HistoryQuery) -> Vec<RunSummary> {
        let newest_first = self.runs_of(stored).map(|(_, run)| run.summary());
        newest_first.filter(|run| wanted.matches(run)).take(wanted.count as usize).collect()
    }

    pub(super) fn load_monitor(&self, key: &MonitorKey) -> Option<MonitorSnapshot> {
        let (ByKey(monitor), first) = self.monitors.get_key_value(key)?;
        let residents = || self.environments_of(*first).map(|(_, stored)| stored);
        let mut environments: Vec<_> = residents().map(StoredEnvironment::row).collect();
        environments.sort_unstable_by(|a, b| a.key.name.cmp(&b.key.name));
        Some(MonitorSnapshot {
            organization: self.organization(monitor.organization),
            environments,
            open_runs: residents()
                .flat_map(|stored| self.open_runs(stored).map(|run| run.row(stored.id())))
                .collect(),
            monitor: Arc::clone(monitor),
        })
    }

    pub(super) fn due(&mut self, query: &DueQuery) -> Result<Vec<Due>, Infallible> {
        let DueQuery { kind, until, ref after, limit } = *query;
        // Most ticks come before anything is due.
        let first = self.deadlines(kind).first();
        if first.is_none_or(|first| until.is_some_and(|until| first > until)) {
            return Ok(Vec::new());
        }
        let mut rest = after.as_ref().and_then(|after| self.deadlines_mut(kind).resume(after));
        let mut page = Vec::new();
        for (at, minute) in self.deadlines(kind).range(after.as_ref().map(|after| after.at), until) {
            let cursor = after.as_ref().filter(|after| after.at == at);
            let mut entries = match (rest.take(), cursor) {
                (Some(rest), Some(_)) => rest,
                _ => self.in_order(kind, at, minute, cursor),
            };
            while page.len() < limit.get()
                && let Some((due, number)) = entries.pop()
            {
                if self.is_due(kind, at, number) {
                    page.push(due);
                }
            }
            if page.len() == limit.get() {
                rest = Some(entries).filter(|entries| !entries.is_empty());
                break;
            }
        }
        if let (Some(last), Some(rest)) = (page.last(), rest) {
            self.deadlines_mut(kind).suspend(last.clone(), rest);
        }
        Ok(page)
    }

    pub(super) const fn deadlines(&self, kind: DueKind) -> &DueIndex {
        match kind {
            DueKind::Miss => &self.misses,
            DueKind::Timeout => &self.timeouts,
        }
    }

    const fn deadlines_mut(&mut self, kind: DueKind) -> &mut DueIndex {
        match kind {
            DueKind::Miss => &mut self.misses,
            DueKind::Timeout => &mut self.timeouts,
        }
    }

    /// Returns what is due in one minute after the cursor, with its numbers, in reverse order.
    fn in_order(
        &self,
        kind: DueKind,
        at: DateTime<Utc>,
        minute: &DueMinute,
        cursor: Option<&Due>,
    ) -> Vec<(Due, u32)> {
        let entry = |number| self.due_entry(kind, at, number).map(|due| (due, number));
        let entries = minute.numbers().filter_map(entry);
        let after = |(due, _): &(Due, u32)| cursor.is_none_or(|cursor| due.order() > cursor.order());
        let mut entries: Vec<_> = entries.filter(after).collect();
        entries.sort_unstable_by(|(a, _), (b, _)| b.order().cmp(&a.order()));
        entries
    }

    fn due_entry(&self, kind: DueKind, at: DateTime<Utc>, number: u32) -> Option<Due> {
        match kind {
            DueKind::Miss => {
                self.environments.get(number).map(|stored| Due { at, key: stored.key(), run: None })
            }
            DueKind::Timeout => {
                let run = self.runs.get(number)?;
                let due = DueRun { number: run.number(), id: run.id() };
                Some(Due { at, key: self.environments.get(run.environment)?.key(), run: Some(due) })
            }
        }
    }

    /// Whether what was listed under a number is still due at that time.
    fn is_due(&self, kind: DueKind, at: DateTime<Utc>, number: u32) -> bool {
        let due_at = match kind {
            DueKind::Miss => self.environments.get(number).and_then(StoredEnvironment::due_at),
            DueKind::Timeout => self.runs.get(number).and_then(StoredRun::due_at),
        };
        due_at == Some(at)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::ops::Range;

    use chrono::TimeDelta;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::config::MonitorConfig;
    use crate::id::{EnvironmentName, ProjectId};
    use crate::row::{Deadline, Expectation};
    use crate::schedule::Zone;

    /// Environments without a deadline.
    fn environments(tables: &mut Tables) -> Vec<Environment> {
        let schedule = Schedule::crontab("0 2 * * *", Zone::UTC).unwrap();
        let config = MonitorConfig::new(schedule);
        let place = |slug: &str| {
            let monitor = MonitorKey { project: ProjectId::new(1), slug: slug.parse().unwrap() };
            tables.put_monitor(&Arc::new(Monitor::new(
                OrganizationId::new(1),
                monitor.clone(),
                config.clone(),
            )));
            let row = Environment::new(EnvironmentKey { monitor, name: EnvironmentName::production() });
            tables.insert_environment(&row);
            row
        };
        ["c", "f", "a", "e", "b", "d"].map(place).into()
    }

    fn minute(minutes: Range<i64>) -> impl Strategy<Value = DateTime<Utc>> {
        minutes
            .prop_map(|minute| DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::minutes(minute)).unwrap())
    }

    /// New deadlines of environments, or none.
    fn deadlines() -> impl Strategy<Value = Vec<(usize, Option<DateTime<Utc>>)>> {
        prop::collection::vec((0..6_usize, prop::option::of(minute(1..3))), 0..6)
    }

    proptest! {
        /// Deadlines in two minutes come and go between pages, and some pages do not start after the last
        /// entry of the one before.
        #[test]
        fn a_page_is_cut_out_of_the_whole_list(
            steps in prop::collection::vec((deadlines(), prop::option::of(minute(0..4)), 1..4_usize, any::<Option<Index>>()), 0..60),
        ) {
            let mut tables = Tables::default();
            let mut environments = environments(&mut tables);
            let mut cursor: Option<Due> = None;
            for (deadlines, until, limit, goes_on_from) in steps {
                for (which, minute) in deadlines {
                    let row = &mut environments[which];
                    let epoch = DateTime::UNIX_EPOCH;
                    row.expectation = minute.map_or(Expectation::None, |closes| {
                        Expectation::Next { since: epoch, deadline: Deadline { expected: epoch, closes } }
                    });
                    tables.change_environment(row);
                }
                let mut list = |until, after: Option<&Due>, limit| {
                    let limit = NonZeroUsize::new(limit).unwrap();
                    let query = DueQuery { kind: DueKind::Miss, until, after: after.cloned(), limit };
                    let Ok(list) = tables.due(&query);
                    list
                };
                let mut expected = list(None, None, usize::MAX);
                expected.retain(|due| cursor.as_ref().is_none_or(|cursor| due.order() > cursor.order()));
                expected.retain(|due| until.is_none_or(|until| due.at <= until));
                expected.truncate(limit);
                let page = list(until, cursor.as_ref(), limit);
                prop_assert_eq!(&page, &expected);
                cursor = match goes_on_from.filter(|_| !page.is_empty()) {
                    Some(pick) => Some(pick.get(&page).clone()),
                    None => page.last().cloned(),
                };
            }
        }
    }
}
