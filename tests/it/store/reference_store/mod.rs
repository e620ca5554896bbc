//! A reference store: plain maps, with every query answered by a scan of all rows. Wherever it keeps a
//! promise, a [`Flaw`] can break it.
//! place where a [`Flaw`] breaks it.

mod commit;
mod list;
mod load;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, ThreadId};

use chrono::{DateTime, Utc};
use overdue::Store;
use overdue::id::{EnvironmentId, EnvironmentKey, EventId, IncidentId, MonitorKey, OrganizationId, RunId};
use overdue::row::{Environment, Monitor, Organization, Run, RunStatus, RunSummary};
use overdue::store::{
    CommitError, Due, DueKind, DueQuery, HistoryQuery, MonitorSnapshot, Query, RunLookup, Snapshot,
    Transition,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::flaw::Flaw;

/// More than any proof writes, except those of long lists.
const CAP: usize = 500;

#[derive(Debug)]
pub(crate) struct ReferenceStore {
    flaw: Option<Flaw>,
    tables: Mutex<Tables>,
    /// The thread that made it. Flaws that wait for another thread do so only on other threads, where there
    /// is one.
    home: ThreadId,
    /// The numbers of racing commits or torn reads begun, and of commits done.
    begun: AtomicUsize,
    done: AtomicUsize,
}

#[derive(Clone, Debug, Default)]
struct Tables {
    organizations: HashMap<OrganizationId, Organization>,
    monitors: BTreeMap<MonitorKey, Arc<Monitor>>,
    environments: BTreeMap<EnvironmentKey, Environment>,
    runs: BTreeMap<RunId, Run>,
    keys: HashMap<EnvironmentId, EnvironmentKey>,
    /// State that only flaws use.
    past: Past,
}

#[derive(Clone, Debug, Default)]
struct Past {
    created: Vec<EnvironmentKey>,
    deadlines: HashMap<Entry, DateTime<Utc>>,
    begun: HashMap<RunId, RunSummary>,
    removed: Vec<Due>,
    listed: Vec<Due>,
    ids: HashSet<RunId>,
    incidents: HashSet<IncidentId>,
    events: HashSet<EventId>,
    locked: HashSet<EnvironmentKey>,
}

type Entry = (EnvironmentKey, Option<RunId>);

/// Reads a row as if this were written in it.
fn reread<T: Serialize + DeserializeOwned>(row: &T, edit: impl FnOnce(&mut Value)) -> T {
    let mut json = serde_json::to_value(row).unwrap();
    edit(&mut json);
    serde_json::from_value(json).unwrap()
}

impl ReferenceStore {
    pub(crate) fn new(flaw: Option<Flaw>) -> Self {
        let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { flaw, tables: Mutex::default(), home: thread::current().id(), begun, done }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    /// Gives another thread time to do something, if there is one.
    fn dawdle(until: impl Fn() -> bool) {
        Self::dawdle_for(2_000, until);
    }

    fn dawdle_for(turns: u32, until: impl Fn() -> bool) {
        for _ in 0..turns {
            if until() {
                return;
            }
            thread::yield_now();
        }
    }

    fn is_at_home(&self) -> bool {
        thread::current().id() == self.home
    }

    /// What a torn read sees of the time before the commit that it waits for.
    fn torn(&self, flaw: Flaw) -> Option<Tables> {
        if !self.has(flaw) || self.is_at_home() {
            return None;
        }
        let done = self.done.load(Ordering::SeqCst);
        let before = self.tables().clone();
        self.begun.fetch_add(1, Ordering::SeqCst);
        Self::dawdle(|| self.done.load(Ordering::SeqCst) > done);
        self.begun.fetch_sub(1, Ordering::SeqCst);
        Some(before)
    }

    /// A commit that ended before the torn read began would tear nothing. Waits only briefly: most commits
    /// have no concurrent read, and a proof races often.
    fn await_a_torn_read(&self) {
        let tears = self.has(Flaw::SnapshotsAreTorn) || self.has(Flaw::MonitorsAreTorn);
        if tears && self.is_at_home() {
            Self::dawdle_for(200, || self.begun.load(Ordering::SeqCst) > 0);
        }
    }
}

impl Store for ReferenceStore {
    type Error = Infallible;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Infallible> {
        let torn = self.torn(Flaw::SnapshotsAreTorn);
        let tables = self.tables();
        let monitor = self.monitor(&tables, &key.monitor);
        let place = self.place(&tables, key);
        let row = place.and_then(|place| tables.environments.get(&place)).filter(|_| monitor.is_some());
        let run = self.find(torn.as_ref().unwrap_or(&tables), row, query.run());
        let here = run.as_ref().and_then(RunLookup::own).filter(|_| !self.has(Flaw::HistoryForgetsTheRun));
        let unasked = HistoryQuery { count: 1, until: None, judged: true };
        let unasked = Some(unasked).filter(|_| self.has(Flaw::HistoryIsReadUnasked));
        let history = monitor.zip(row).and_then(|(monitor, row)| {
            let wanted = query.history(monitor, row, here).or(unasked)?;
            Some(self.history(&tables, row, wanted))
        });
        let asked = match query.organization() {
            None if self.has(Flaw::OrganizationsAreReadUnasked) => Some(OrganizationId::new(1)),
            asked => asked,
        };
        let organization = asked.filter(|id| match self.flaw {
            _ if monitor.is_some() => false,
            Some(Flaw::NoRowNoOrganization) => tables.organizations.contains_key(id),
            _ => true,
        });
        Ok(Snapshot {
            organization: organization.map(|id| self.organization(&tables, id)),
            monitor: monitor.map(|row| self.read_monitor(row)),
            environment: row.map(|row| Box::new(self.read_environment(row))),
            run,
            history: history.unwrap_or_default(),
        })
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Infallible> {
        let torn = self.torn(Flaw::MonitorsAreTorn);
        let tables = self.tables();
        let Some(monitor) = self.monitor(&tables, key) else { return Ok(None) };
        let around = torn.as_ref().unwrap_or(&tables);
        let mut rows: Vec<_> = around.environments.values().filter(|row| row.key().monitor == *key).collect();
        if self.has(Flaw::EnvironmentsComeAsCreated) {
            let created = |row: &&Environment| tables.past.created.iter().position(|key| key == row.key());
            rows.sort_by_key(created);
        }
        let open = |run: &&Run| run.status() == RunStatus::InProgress || self.has(Flaw::FinishedRunsAreOpen);
        let is_ours =
            |run: &&Run| tables.keys.get(&run.environment()).is_some_and(|place| place.monitor == *key);
        let cap = if self.has(Flaw::MonitorsAreCapped) { CAP } else { usize::MAX };
        Ok(Some(MonitorSnapshot {
            organization: self.organization(&tables, monitor.organization()),
            monitor: self.read_monitor(monitor),
            environments: rows.into_iter().map(|row| self.read_environment(row)).take(cap).collect(),
            open_runs: around
                .runs
                .values()
                .filter(open)
                .filter(is_ours)
                .map(|run| self.read_run(run))
                .collect(),
        }))
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Infallible> {
        let mut tables = self.tables();
        if query.after.is_none() {
            let (is_miss, list) = (query.kind == DueKind::Miss, self.entries(&tables, query.kind));
            tables.past.listed.retain(|due| due.run.is_none() != is_miss);
            tables.past.listed.extend(list);
        }
        Ok(self.list(&tables, query))
    }

    fn next_due(&self, kind: DueKind) -> Result<Option<DateTime<Utc>>, Infallible> {
        let tables = self.tables();
        let kinds = [DueKind::Miss, DueKind::Timeout].into_iter();
        let asked = kinds.filter(|other| *other == kind || self.has(Flaw::NextIsOfAnyKind));
        Ok(asked.flat_map(|kind| self.entries(&tables, kind)).map(|due| due.at).min())
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        self.await_a_torn_read();
        let early = self.check_early(transition)?;
        let mut tables = self.tables();
        let conflict = self.conflict(&tables, transition);
        if conflict.is_some_and(|conflict| Some(conflict) != early) {
            self.leave_behind(&mut tables, transition, conflict);
            return Err(CommitError::Conflict);
        }
        self.write(&mut tables, transition);
        drop(tables);
        self.done.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
