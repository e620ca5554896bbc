//! A store on paper: plain maps, every question answered by looking at all that is there. Each place where it
//! keeps a promise is a place where a [`Flaw`] breaks it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering as Atomic};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use chrono::{DateTime, SubsecRound, Utc};
use overdue::Store;
use overdue::id::{CheckinId, EnvironmentId, EventId, IncidentId, OrganizationId};
use overdue::key::{EnvironmentKey, MonitorKey};
use overdue::row::{Environment, Monitor, Organization, Run, RunStatus, RunSummary, Version};
use overdue::store::{
    CommitError, Due, DueKind, DueQuery, DueRun, Found, HistoryQuery, MonitorChange, MonitorSnapshot, Put,
    PutRun, Query, RunQuery, Snapshot, Transition,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::flaw::Flaw;

/// More than any proof but those of long lists puts.
const CAP: usize = 500;

#[derive(Debug)]
pub(crate) struct Paper {
    flaw: Option<Flaw>,
    sheets: Mutex<Sheets>,
    /// How many commits have begun and how many are done, for flaws that wait for another thread.
    begun: AtomicUsize,
    done: AtomicUsize,
}

#[derive(Clone, Debug, Default)]
struct Sheets {
    organizations: HashMap<OrganizationId, Organization>,
    monitors: BTreeMap<MonitorKey, Arc<Monitor>>,
    environments: BTreeMap<EnvironmentKey, Environment>,
    runs: BTreeMap<CheckinId, Run>,
    keys: HashMap<EnvironmentId, EnvironmentKey>,
    /// What only flaws look at.
    past: Past,
}

#[derive(Clone, Debug, Default)]
struct Past {
    created: Vec<EnvironmentKey>,
    deadlines: HashMap<Entry, DateTime<Utc>>,
    begun: HashMap<CheckinId, RunSummary>,
    removed: Vec<Due>,
    ids: HashSet<CheckinId>,
    incidents: HashSet<IncidentId>,
    events: HashSet<EventId>,
    locked: HashSet<EnvironmentKey>,
}

type Entry = (EnvironmentKey, Option<CheckinId>);

/// Reads a row as if this were written in it.
fn reread<T: Serialize + DeserializeOwned>(row: &T, edit: impl FnOnce(&mut Value)) -> T {
    let mut json = serde_json::to_value(row).unwrap();
    edit(&mut json);
    serde_json::from_value(json).unwrap()
}

impl Paper {
    pub(crate) fn new(flaw: Option<Flaw>) -> Self {
        Self { flaw, sheets: Mutex::default(), begun: AtomicUsize::new(0), done: AtomicUsize::new(0) }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn sheets(&self) -> MutexGuard<'_, Sheets> {
        self.sheets.lock().unwrap()
    }

    /// Gives another thread the time to do something, if there is one.
    fn dawdle(until: impl Fn() -> bool) {
        for _ in 0..2_000 {
            if until() {
                return;
            }
            thread::yield_now();
        }
    }

    fn dawdle_over_a_commit(&self) {
        let before = self.done.load(Atomic::SeqCst);
        Self::dawdle(|| self.done.load(Atomic::SeqCst) > before);
    }

    fn organization(&self, sheets: &Sheets, id: OrganizationId) -> Organization {
        let row = sheets.organizations.get(&id).cloned().unwrap_or_else(|| Organization::new(id));
        if self.has(Flaw::OrganizationsHaveOneMonitor) && row.monitors() > 1 {
            return reread(&row, |json| json["monitors"] = 1.into());
        }
        row
    }

    fn monitor<'s>(&self, sheets: &'s Sheets, key: &MonitorKey) -> Option<&'s Arc<Monitor>> {
        let any = || sheets.monitors.values().find(|row| row.key().slug == key.slug);
        sheets.monitors.get(key).or_else(|| if self.has(Flaw::AnyProjectWillDo) { any() } else { None })
    }

    fn read_monitor(&self, row: &Arc<Monitor>) -> Arc<Monitor> {
        if self.has(Flaw::DeletingIsDisabled) {
            return reread(row, |json| {
                if json["status"] == "deleting" {
                    json["status"] = "disabled".into();
                }
            });
        }
        Arc::clone(row)
    }

    fn place(&self, sheets: &Sheets, key: &EnvironmentKey) -> Option<EnvironmentKey> {
        if self.has(Flaw::NamesAreFolded) {
            let folded = |key: &EnvironmentKey| key.name.as_str().to_lowercase();
            let same = |other: &&EnvironmentKey| other.monitor == key.monitor && folded(other) == folded(key);
            return sheets.environments.keys().find(same).cloned();
        }
        sheets.environments.contains_key(key).then(|| key.clone())
    }

    fn read_environment(&self, row: &Environment) -> Environment {
        match self.flaw {
            Some(Flaw::StrandedIsActive) => reread(row, |json| {
                if json["health"] == "stranded" {
                    json["health"] = "active".into();
                }
            }),
            Some(Flaw::CountsEndAtHalf) => {
                reread(row, |json| json["runs"] = row.runs().min(i32::MAX.unsigned_abs()).into())
            }
            Some(Flaw::MillisecondsAreEnough) if row.last_checkin().is_some() => reread(row, |json| {
                let cut = row.last_checkin().map(|at| at.trunc_subsecs(3));
                json["last_checkin"] = serde_json::to_value(cut).unwrap();
            }),
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "this is the flaw"
            )]
            Some(Flaw::VersionsAreFloating) => {
                reread(row, |json| json["version"] = (row.version().number() as f64 as i64).into())
            }
            _ => row.clone(),
        }
    }

    fn read_run(&self, row: &Run) -> Run {
        if self.has(Flaw::TraceIdsAreForgotten) {
            return reread(row, |json| json["trace_id"] = Value::Null);
        }
        row.clone()
    }

    fn runs_of<'s>(&self, sheets: &'s Sheets, id: EnvironmentId) -> impl Iterator<Item = &'s Run> {
        sheets.runs.values().filter(move |run| run.environment() == id)
    }

    fn find(&self, sheets: &Sheets, here: Option<&Environment>, query: RunQuery) -> Option<Found> {
        let found = |run: &Run| match here {
            Some(here) if run.environment() == here.id() => Some(Found::Here(self.read_run(run))),
            None if self.has(Flaw::NowhereFindsNothing) => None,
            _ if self.has(Flaw::ElsewhereIsNowhere) => None,
            _ => Some(Found::Elsewhere(sheets.keys.get(&run.environment())?.clone())),
        };
        let is_open = |run: &&Run| match run.status() {
            RunStatus::InProgress => true,
            RunStatus::Timeout => self.has(Flaw::TimedOutRunsAreOpen),
            _ => false,
        };
        let newest_open = || {
            let open = self.runs_of(sheets, here?.id()).filter(is_open);
            let order = |run: &&Run| match self.has(Flaw::NewestIsTheLastCreated) {
                true => (DateTime::<Utc>::MIN_UTC, run.number()),
                false => run.summary().order(),
            };
            open.max_by_key(order).and_then(found)
        };
        let closed = |id, run: &&Run| run.closed_by() == Some(id);
        let unnamed = |id| {
            let started = sheets.runs.get(&id).filter(|_| !self.has(Flaw::StartingMessagesAreForgotten));
            let closed = sheets.runs.values().find(|run| closed(id, run));
            let closed = closed.filter(|_| !self.has(Flaw::ClosingMessagesAreForgotten));
            let is_here = |run: &&Run| here.is_some_and(|here| run.environment() == here.id());
            let anywhere = self.has(Flaw::ClosingMessagesFindEverywhere);
            started.filter(is_here).or_else(|| closed.filter(|run| anywhere || is_here(run))).and_then(found)
        };
        match query {
            RunQuery::None if self.has(Flaw::RunsAreReadUnasked) => newest_open(),
            RunQuery::None => None,
            RunQuery::Id(id) if self.has(Flaw::IdsFindWhatTheyClosed) => {
                sheets.runs.values().find(|run| run.id() == id || closed(id, run)).and_then(found)
            }
            RunQuery::Id(id) => sheets.runs.get(&id).and_then(found),
            RunQuery::Unnamed(id) => unnamed(id).or_else(newest_open),
            RunQuery::NewestOpen => newest_open(),
        }
    }

    fn history(&self, sheets: &Sheets, here: &Environment, query: HistoryQuery) -> Vec<RunSummary> {
        let HistoryQuery { count, until, mut judged } = query;
        let mut limit = count as usize;
        let is_here = |run: &&Run| match self.has(Flaw::HistoryIsOfTheMonitor) {
            true => sheets.keys.get(&run.environment()).is_some_and(|key| key.monitor == here.key().monitor),
            false => run.environment() == here.id(),
        };
        let mut runs: Vec<_> = sheets.runs.values().filter(is_here).map(Run::summary).collect();
        match self.flaw {
            Some(Flaw::HistoryIsAsItBegan) => {
                runs.iter_mut().for_each(|run| *run = sheets.past.begun[&run.id]);
            }
            Some(Flaw::HistoryIsInMilliseconds) => {
                runs.iter_mut().for_each(|run| run.started_at = run.started_at.trunc_subsecs(3));
            }
            Some(Flaw::HistoryIsAlwaysJudged) => judged = true,
            Some(Flaw::HistoryIsUnlimited) => limit = usize::MAX,
            Some(Flaw::HistoryIsCapped) => limit = limit.min(CAP),
            _ => {}
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.order()));
        if self.has(Flaw::HistoryTiesAreOldestFirst) {
            runs.sort_by_key(|run| (std::cmp::Reverse(run.started_at), run.number));
        }
        if self.has(Flaw::HistoryIsLimitedAndThenJudged) {
            runs.truncate(limit);
        }
        let before = |run: &RunSummary| Some(run.started_at) != until || !self.has(Flaw::HistoryEndsBefore);
        let query = HistoryQuery { count, until, judged };
        runs.into_iter().filter(|run| query.matches(run) && before(run)).take(limit).collect()
    }

    fn entries(&self, sheets: &Sheets, kind: DueKind) -> Vec<Due> {
        let mut list = match kind {
            DueKind::Miss => self.misses(sheets),
            DueKind::Timeout => self.timeouts(sheets),
        };
        if self.has(Flaw::RemovedMonitorsStayDue) {
            let is_miss = kind == DueKind::Miss;
            list.extend(sheets.past.removed.iter().filter(|due| due.run.is_none() == is_miss).cloned());
        }
        if self.has(Flaw::DeadlinesStayWhereTheyWere) {
            for due in &mut list {
                due.at = sheets.past.deadlines[&(due.key.clone(), due.run.map(|run| run.id))];
            }
        }
        list
    }

    fn misses(&self, sheets: &Sheets) -> Vec<Due> {
        let watched =
            sheets.environments.values().filter(|row| sheets.monitors.contains_key(&row.key().monitor));
        let at = |row: &Environment| match self.has(Flaw::UnwatchedEnvironmentsAreListed) {
            true => row.deadline().map(|deadline| deadline.latest()),
            false => row.due_at(),
        };
        watched.filter_map(|row| Some(Due { at: at(row)?, key: row.key().clone(), run: None })).collect()
    }

    fn timeouts(&self, sheets: &Sheets) -> Vec<Due> {
        let due = |run: &Run| {
            let finished = self.has(Flaw::FinishedRunsAreListed);
            let at = if finished { run.timeout_at()? } else { run.due_at()? };
            let key = sheets.keys.get(&run.environment())?.clone();
            let is_watched = sheets.environments.get(&key).is_some_and(Environment::is_live);
            let listed = is_watched || !self.has(Flaw::UnwatchedRunsAreNotListed);
            listed.then(|| Due { at, key, run: Some(DueRun { number: run.number(), id: run.id() }) })
        };
        sheets.runs.values().filter_map(due).collect()
    }

    /// As `Due::order`.
    fn order(&self, one: &Due, other: &Due) -> Ordering {
        let (a, b) = (&one.key, &other.key);
        match self.flaw {
            Some(Flaw::DeadlinesAreText) => one.at.to_rfc3339().cmp(&other.at.to_rfc3339()),
            Some(Flaw::NamesAreCollated) => {
                one.at.cmp(&other.at).then(a.monitor.cmp(&b.monitor)).then_with(|| {
                    let [a, b] = [a, b].map(|key| key.name.as_str().to_lowercase());
                    a.cmp(&b)
                })
            }
            Some(Flaw::ProjectsAreCollated) => {
                let [a, b] = [a, b].map(|key| key.monitor.project.to_string());
                one.at.cmp(&other.at).then(a.cmp(&b))
            }
            Some(Flaw::TimeoutTiesAreById) => {
                let id = |due: &Due| due.run.map(|run| run.id);
                one.at.cmp(&other.at).then(a.cmp(b)).then(id(one).cmp(&id(other)))
            }
            _ => Ordering::Equal,
        }
        .then_with(|| one.order().cmp(&other.order()))
    }

    fn list(&self, sheets: &Sheets, query: &DueQuery) -> Vec<Due> {
        let DueQuery { kind, until, after, limit } = query;
        let mut list = self.entries(sheets, *kind);
        list.sort_by(|one, other| self.order(one, other));
        if let Some(after) = after {
            let from = |due: &Due| {
                let order = self.order(due, after);
                order == Ordering::Greater
                    || (order == Ordering::Equal && self.has(Flaw::CursorsAreListedAgain))
            };
            let is_there = list.contains(after);
            list.retain(|due| from(due) || (self.has(Flaw::CursorsMustBeThere) && !is_there));
        }
        if let Some(until) = until {
            let before = self.has(Flaw::ListsEndBefore);
            list.retain(|due| due.at < *until || (due.at == *until && !before));
        }
        match self.flaw {
            Some(Flaw::ListsAreUnlimited) => {}
            Some(Flaw::ListsAreCapped) => list.truncate(limit.get().min(CAP)),
            _ => list.truncate(limit.get()),
        }
        list
    }
}

impl Store for Paper {
    type Error = Infallible;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Infallible> {
        let torn = self.has(Flaw::SnapshotsAreTorn).then(|| {
            let before = self.sheets().clone();
            self.dawdle_over_a_commit();
            before
        });
        let sheets = self.sheets();
        let monitor = self.monitor(&sheets, &key.monitor);
        let place = self.place(&sheets, key);
        let row = place.and_then(|place| sheets.environments.get(&place)).filter(|_| monitor.is_some());
        let run = self.find(torn.as_ref().unwrap_or(&sheets), row, query.run());
        let here = match &run {
            Some(Found::Here(run)) if !self.has(Flaw::HistoryForgetsTheRun) => Some(run),
            _ => None,
        };
        let unasked = HistoryQuery { count: 1, until: None, judged: true };
        let unasked = Some(unasked).filter(|_| self.has(Flaw::HistoryIsReadUnasked));
        let history = monitor.zip(row).and_then(|(monitor, row)| {
            let wanted = query.history(monitor, row, here).or(unasked)?;
            Some(self.history(&sheets, row, wanted))
        });
        let asked = match query.organization() {
            None if self.has(Flaw::OrganizationsAreReadUnasked) => Some(OrganizationId::new(1)),
            asked => asked,
        };
        let organization = asked.filter(|id| match self.flaw {
            _ if monitor.is_some() => false,
            Some(Flaw::NoRowNoOrganization) => sheets.organizations.contains_key(id),
            _ => true,
        });
        Ok(Snapshot {
            organization: organization.map(|id| self.organization(&sheets, id)),
            monitor: monitor.map(|row| self.read_monitor(row)),
            environment: row.map(|row| self.read_environment(row)),
            run,
            history: history.unwrap_or_default(),
        })
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Infallible> {
        let torn = self.has(Flaw::MonitorsAreTorn).then(|| {
            let before = self.sheets().clone();
            self.dawdle_over_a_commit();
            before
        });
        let sheets = self.sheets();
        let Some(monitor) = self.monitor(&sheets, key) else { return Ok(None) };
        let around = torn.as_ref().unwrap_or(&sheets);
        let mut rows: Vec<_> = around.environments.values().filter(|row| row.key().monitor == *key).collect();
        if self.has(Flaw::EnvironmentsComeAsCreated) {
            let created = |row: &&Environment| sheets.past.created.iter().position(|key| key == row.key());
            rows.sort_by_key(created);
        }
        let open = |run: &&Run| run.status() == RunStatus::InProgress || self.has(Flaw::FinishedRunsAreOpen);
        let is_ours =
            |run: &&Run| sheets.keys.get(&run.environment()).is_some_and(|place| place.monitor == *key);
        let cap = if self.has(Flaw::MonitorsAreCapped) { CAP } else { usize::MAX };
        Ok(Some(MonitorSnapshot {
            organization: self.organization(&sheets, monitor.organization()),
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
        Ok(self.list(&self.sheets(), query))
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        let early = self.check_early(transition)?;
        let mut sheets = self.sheets();
        let conflict = self.conflict(&sheets, transition);
        if conflict.is_some_and(|conflict| Some(conflict) != early) {
            self.leave_behind(&mut sheets, transition, conflict);
            return Err(CommitError::Conflict);
        }
        self.write(&mut sheets, transition);
        drop(sheets);
        self.done.fetch_add(1, Atomic::SeqCst);
        Ok(())
    }
}

/// Which row a conflict is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Conflict {
    Organization,
    Monitor,
    Environment,
    Run,
    /// One that no promise speaks of.
    Invented,
}

impl Paper {
    /// Checks one kind of rows before the others, and lets go of the lock in between: they are not checked again.
    fn check_early(&self, transition: &Transition) -> Result<Option<Conflict>, CommitError<Infallible>> {
        let early = match self.flaw {
            Some(Flaw::OrganizationsAreCheckedEarly) => Conflict::Organization,
            Some(Flaw::MonitorsAreCheckedEarly) => Conflict::Monitor,
            Some(Flaw::EnvironmentsAreCheckedEarly) => Conflict::Environment,
            Some(Flaw::RunsAreCheckedEarly) => Conflict::Run,
            _ => return Ok(None),
        };
        if self.conflict(&self.sheets(), transition).is_some() {
            return Err(CommitError::Conflict);
        }
        let begun = self.begun.fetch_add(1, Atomic::SeqCst);
        Self::dawdle(|| {
            self.begun.load(Atomic::SeqCst) > begun + 1 || self.done.load(Atomic::SeqCst) > begun
        });
        Ok(Some(early))
    }

    fn conflict(&self, sheets: &Sheets, transition: &Transition) -> Option<Conflict> {
        let Transition { organization, monitor, environments, runs, incidents, events } = transition;
        if organization.as_ref().is_some_and(|put| self.organization_moved(sheets, put, monitor)) {
            return Some(Conflict::Organization);
        }
        if self.monitor_moved(sheets, monitor) {
            return Some(Conflict::Monitor);
        }
        let checked = if self.has(Flaw::OnlyTheFirstEnvironmentIsChecked) { 1 } else { usize::MAX };
        if environments.iter().take(checked).any(|put| self.environment_moved(sheets, put)) {
            return Some(Conflict::Environment);
        }
        if runs.iter().any(|put| self.run_is_there(sheets, put)) {
            return Some(Conflict::Run);
        }
        let past = &sheets.past;
        let invented = match self.flaw {
            Some(Flaw::ConflictsLock) => environments.iter().any(|put| past.locked.contains(put.row.key())),
            Some(Flaw::IncidentsAreInsertedOnly) => {
                incidents.iter().any(|row| past.incidents.contains(&row.id()))
            }
            Some(Flaw::EventsAreUnique) => events.iter().any(|event| past.events.contains(&event.id())),
            Some(Flaw::RemovalsLockRuns) => {
                !past.removed.is_empty() && runs.iter().any(|put| matches!(put, PutRun::Changed(_)))
            }
            _ => false,
        };
        invented.then_some(Conflict::Invented)
    }

    fn organization_moved(&self, sheets: &Sheets, put: &Put<Organization>, change: &MonitorChange) -> bool {
        let is_removal = matches!(change, MonitorChange::Remove { .. });
        if is_removal && self.has(Flaw::RemovalsDoNotCheckTheOrganization) {
            return false;
        }
        self.organization(sheets, put.row.id()).version() != put.replaces
    }

    fn monitor_moved(&self, sheets: &Sheets, change: &MonitorChange) -> bool {
        let stored = sheets.monitors.get(change.key()).map(|row| row.version());
        match (self.flaw, change) {
            (Some(Flaw::KeptMonitorsAreNotChecked), MonitorChange::Keep { .. })
            | (Some(Flaw::RemovedMonitorsAreNotChecked), MonitorChange::Remove { .. })
                if stored.is_some() =>
            {
                return false;
            }
            (Some(Flaw::NewMonitorsReplace), _) if change.expects() == Version::NEW => return false,
            (Some(Flaw::MissingMonitorsAreNotMissed), _) if stored.is_none() => return false,
            (Some(Flaw::HigherVersionsWillDo), MonitorChange::Put(_)) if stored.is_some() => {
                return stored > Some(change.expects());
            }
            _ => {}
        }
        stored.unwrap_or(Version::NEW) != change.expects()
    }

    fn environment_moved(&self, sheets: &Sheets, put: &Put<Environment>) -> bool {
        if put.replaces == Version::NEW && self.has(Flaw::NewEnvironmentsReplace) {
            return false;
        }
        sheets.environments.get(put.row.key()).map_or(Version::NEW, Environment::version) != put.replaces
    }

    fn run_is_there(&self, sheets: &Sheets, put: &PutRun) -> bool {
        let PutRun::New(run) = put else { return false };
        if self.has(Flaw::IdsAreNeverFreed) && sheets.past.ids.contains(&run.id()) {
            return true;
        }
        let project = |run: &Run| sheets.keys.get(&run.environment()).map(|key| key.monitor.project);
        sheets.runs.get(&run.id()).is_some_and(|stored| match self.flaw {
            Some(Flaw::NewRunsReplaceTheirOwn) => stored.environment() != run.environment(),
            Some(Flaw::RunsAreUniqueInAProject) => project(stored) == project(run),
            _ => true,
        })
    }

    /// What a conflict does, if it does anything.
    fn leave_behind(&self, sheets: &mut Sheets, transition: &Transition, conflict: Option<Conflict>) {
        let Transition { organization, monitor, environments, runs, .. } = transition;
        match (self.flaw, conflict) {
            (Some(Flaw::ConflictsLeaveTheOrganization), Some(Conflict::Run)) => {
                sheets.organizations.extend(organization.iter().map(|put| (put.row.id(), put.row.clone())));
            }
            (Some(Flaw::ConflictsLeaveTheMonitor), Some(Conflict::Run)) => {
                if let MonitorChange::Put(put) = monitor {
                    sheets.monitors.insert(put.row.key().clone(), Arc::clone(&put.row));
                }
            }
            (Some(Flaw::ConflictsLeaveEnvironments), Some(Conflict::Run)) => {
                let [first, ..] = environments.as_slice() else { return };
                sheets.environments.insert(first.row.key().clone(), first.row.clone());
            }
            (Some(Flaw::ConflictsLeaveRuns), Some(Conflict::Monitor)) => {
                for run in runs.iter().map(PutRun::run) {
                    sheets.runs.insert(run.id(), run.clone());
                }
            }
            (Some(Flaw::ConflictsLock), Some(Conflict::Environment)) => {
                if let [put] = environments.as_slice() {
                    sheets.past.locked.insert(put.row.key().clone());
                }
            }
            _ => {}
        }
    }

    fn write(&self, sheets: &mut Sheets, transition: &Transition) {
        let Transition { organization, monitor, environments, runs, incidents, events } = transition;
        if let Some(put) = organization {
            let mut row = put.row.clone();
            let is_removal = matches!(monitor, MonitorChange::Remove { .. });
            if is_removal && self.has(Flaw::RemovalsAreNotCounted) {
                let count = self.organization(sheets, row.id()).monitors();
                row = reread(&row, |json| json["monitors"] = count.into());
            }
            sheets.organizations.insert(row.id(), row);
        }
        match monitor {
            MonitorChange::Keep { .. } => {}
            MonitorChange::Put(put) => {
                sheets.monitors.insert(put.row.key().clone(), Arc::clone(&put.row));
            }
            MonitorChange::Remove { key, .. } => self.remove(sheets, key),
        }
        for put in environments {
            let (key, row) = (put.row.key(), &put.row);
            if put.replaces == Version::NEW {
                sheets.past.created.push(key.clone());
            }
            if let Some(at) = row.due_at() {
                sheets.past.deadlines.entry((key.clone(), None)).or_insert(at);
            }
            sheets.keys.insert(row.id(), key.clone());
            let place = self.place(sheets, key).unwrap_or_else(|| key.clone());
            sheets.environments.insert(place, row.clone());
        }
        for put in runs {
            self.write_run(sheets, put.run());
        }
        sheets.past.incidents.extend(incidents.iter().map(|row| row.id()));
        sheets.past.events.extend(events.iter().map(|event| event.id()));
    }

    fn write_run(&self, sheets: &mut Sheets, run: &Run) {
        let mut row = run.clone();
        if self.has(Flaw::ReleasesAreTrimmed) {
            row = reread(&row, |json| json["release"] = run.release().map(str::trim).into());
        }
        let old = sheets.runs.get(&run.id()).and_then(Run::trace_id);
        if let (true, Some(old), None) = (self.has(Flaw::NothingNewKeepsTheOld), old, run.trace_id()) {
            row = reread(&row, |json| json["trace_id"] = old.to_string().into());
        }
        if let (Some(at), Some(key)) = (run.due_at(), sheets.keys.get(&run.environment())) {
            sheets.past.deadlines.entry((key.clone(), Some(run.id()))).or_insert(at);
        }
        sheets.past.begun.entry(run.id()).or_insert_with(|| run.summary());
        sheets.past.ids.insert(run.id());
        sheets.runs.insert(run.id(), row);
    }

    fn remove(&self, sheets: &mut Sheets, key: &MonitorKey) {
        let is_its = |place: &EnvironmentKey| match self.has(Flaw::RemovalTakesTheSlug) {
            true => place.monitor.slug == key.slug,
            false => place.monitor == *key,
        };
        let due = [DueKind::Miss, DueKind::Timeout].map(|kind| self.entries(sheets, kind)).concat();
        sheets.past.removed.extend(due.into_iter().filter(|due| is_its(&due.key)));
        let keys = sheets.keys.clone();
        sheets.runs.retain(|_, run| !is_its(&keys[&run.environment()]));
        if !self.has(Flaw::EnvironmentsOutliveTheirMonitor) {
            sheets.environments.retain(|place, _| !is_its(place));
        }
        let slug = key.slug.clone();
        sheets.monitors.retain(|other, _| match self.has(Flaw::RemovalTakesTheSlug) {
            true => other.slug != slug,
            false => other != key,
        });
    }
}
