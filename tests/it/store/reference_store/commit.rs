//! Checks a transition, and writes it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use overdue::id::{EnvironmentKey, MonitorKey, Version};
use overdue::row::{Environment, Organization, Run};
use overdue::store::{CommitError, DueKind, MonitorChange, Put, PutRun, Transition};

use super::{ReferenceStore, Tables, reread};
use crate::store::flaw::Flaw;

/// The row that a conflict is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Conflict {
    Organization,
    Monitor,
    Environment,
    Run,
    /// A conflict that no promise describes.
    Invented,
}

impl ReferenceStore {
    /// Checks one kind of row before the others, and releases the lock in between: those rows are not checked
    /// again.
    pub(super) fn check_early(
        &self,
        transition: &Transition,
    ) -> Result<Option<Conflict>, CommitError<Infallible>> {
        let early = match self.flaw {
            Some(Flaw::OrganizationsAreCheckedEarly) => Conflict::Organization,
            Some(Flaw::MonitorsAreCheckedEarly) => Conflict::Monitor,
            Some(Flaw::EnvironmentsAreCheckedEarly) => Conflict::Environment,
            Some(Flaw::RunsAreCheckedEarly) => Conflict::Run,
            _ => return Ok(None),
        };
        if self.is_at_home() {
            return Ok(None);
        }
        if self.conflict(&self.tables(), transition).is_some() {
            return Err(CommitError::Conflict);
        }
        // Two commits race at a time: the first waits until the second has been checked too.
        let begun = self.begun.fetch_add(1, Ordering::SeqCst);
        if begun.is_multiple_of(2) {
            Self::dawdle(|| self.begun.load(Ordering::SeqCst) > begun + 1);
        }
        Ok(Some(early))
    }

    pub(super) fn conflict(&self, tables: &Tables, transition: &Transition) -> Option<Conflict> {
        let Transition { organization, monitor, environments, runs, incidents, events } = transition;
        if organization.as_ref().is_some_and(|put| self.organization_moved(tables, put, monitor)) {
            return Some(Conflict::Organization);
        }
        if self.monitor_moved(tables, monitor) {
            return Some(Conflict::Monitor);
        }
        let checked = if self.has(Flaw::OnlyTheFirstEnvironmentIsChecked) { 1 } else { usize::MAX };
        if environments.iter().take(checked).any(|put| self.environment_moved(tables, put)) {
            return Some(Conflict::Environment);
        }
        if runs.iter().any(|put| self.run_is_there(tables, put)) {
            return Some(Conflict::Run);
        }
        let past = &tables.past;
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

    pub(super) fn organization_moved(
        &self,
        tables: &Tables,
        put: &Put<Organization>,
        change: &MonitorChange,
    ) -> bool {
        let is_removal = matches!(change, MonitorChange::Remove(_));
        if is_removal && self.has(Flaw::RemovalsDoNotCheckTheOrganization) {
            return false;
        }
        self.organization(tables, put.row.id()).version() != put.replaces
    }

    pub(super) fn monitor_moved(&self, tables: &Tables, change: &MonitorChange) -> bool {
        let stored = tables.monitors.get(change.key()).map(|row| row.version());
        match (self.flaw, change) {
            (Some(Flaw::KeptMonitorsAreNotChecked), MonitorChange::Keep(_))
            | (Some(Flaw::RemovedMonitorsAreNotChecked), MonitorChange::Remove(_))
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

    pub(super) fn environment_moved(&self, tables: &Tables, put: &Put<Box<Environment>>) -> bool {
        if put.replaces == Version::NEW && self.has(Flaw::NewEnvironmentsReplace) {
            return false;
        }
        tables.environments.get(put.row.key()).map_or(Version::NEW, Environment::version) != put.replaces
    }

    pub(super) fn run_is_there(&self, tables: &Tables, put: &PutRun) -> bool {
        let PutRun::New(run) = put else { return false };
        if self.has(Flaw::IdsAreNeverFreed) && tables.past.ids.contains(&run.id()) {
            return true;
        }
        let project = |run: &Run| tables.keys.get(&run.environment()).map(|key| key.monitor.project);
        tables.runs.get(&run.id()).is_some_and(|stored| match self.flaw {
            Some(Flaw::NewRunsReplaceTheirOwn) => stored.environment() != run.environment(),
            Some(Flaw::RunsAreUniqueInAProject) => project(stored) == project(run),
            _ => true,
        })
    }

    /// The effect of a conflict, if it has any.
    pub(super) fn leave_behind(
        &self,
        tables: &mut Tables,
        transition: &Transition,
        conflict: Option<Conflict>,
    ) {
        let Transition { organization, monitor, environments, runs, .. } = transition;
        match (self.flaw, conflict) {
            (Some(Flaw::ConflictsLeaveTheOrganization), Some(Conflict::Run)) => {
                tables.organizations.extend(organization.iter().map(|put| (put.row.id(), put.row.clone())));
            }
            (Some(Flaw::ConflictsLeaveTheMonitor), Some(Conflict::Run)) => {
                if let MonitorChange::Put(put) = monitor {
                    tables.monitors.insert(put.row.key().clone(), Arc::clone(&put.row));
                }
            }
            (Some(Flaw::ConflictsLeaveEnvironments), Some(Conflict::Run)) => {
                let [first, ..] = environments.as_slice() else { return };
                tables.environments.insert(first.row.key().clone(), Environment::clone(&first.row));
            }
            (Some(Flaw::ConflictsLeaveRuns), Some(Conflict::Monitor)) => {
                for run in runs.iter().map(PutRun::run) {
                    tables.runs.insert(run.id(), run.clone());
                }
            }
            (Some(Flaw::ConflictsLock), Some(Conflict::Environment)) => {
                if let [put] = environments.as_slice() {
                    tables.past.locked.insert(put.row.key().clone());
                }
            }
            _ => {}
        }
    }

    pub(super) fn write(&self, tables: &mut Tables, transition: &Transition) {
        let Transition { organization, monitor, environments, runs, incidents, events } = transition;
        if let Some(put) = organization {
            let mut row = put.row.clone();
            let is_removal = matches!(monitor, MonitorChange::Remove(_));
            if is_removal && self.has(Flaw::RemovalsAreNotCounted) {
                let count = self.organization(tables, row.id()).monitors();
                row = reread(&row, |json| json["monitors"] = count.into());
            }
            tables.organizations.insert(row.id(), row);
        }
        match monitor {
            MonitorChange::Keep(_) => {}
            MonitorChange::Put(put) => {
                tables.monitors.insert(put.row.key().clone(), Arc::clone(&put.row));
            }
            MonitorChange::Remove(row) => self.remove(tables, row.key()),
        }
        for put in environments {
            let (key, row) = (put.row.key(), &put.row);
            if put.replaces == Version::NEW {
                tables.past.created.push(key.clone());
            }
            if let Some(at) = row.due_at() {
                tables.past.deadlines.entry((key.clone(), None)).or_insert(at);
            }
            tables.keys.insert(row.id(), key.clone());
            let place = self.place(tables, key).unwrap_or_else(|| key.clone());
            tables.environments.insert(place, Environment::clone(row));
        }
        for put in runs {
            self.write_run(tables, put.run());
        }
        tables.past.incidents.extend(incidents.iter().map(|row| row.id()));
        tables.past.events.extend(events.iter().map(|event| event.id()));
    }

    pub(super) fn write_run(&self, tables: &mut Tables, run: &Run) {
        let mut row = run.clone();
        if self.has(Flaw::ReleasesAreTrimmed) {
            row = reread(&row, |json| json["release"] = run.release().map(str::trim).into());
        }
        let old = tables.runs.get(&run.id()).and_then(Run::trace_id);
        if let (true, Some(old), None) = (self.has(Flaw::NothingNewKeepsTheOld), old, run.trace_id()) {
            row = reread(&row, |json| json["trace_id"] = old.to_string().into());
        }
        if let (Some(at), Some(key)) = (run.due_at(), tables.keys.get(&run.environment())) {
            tables.past.deadlines.entry((key.clone(), Some(run.id()))).or_insert(at);
        }
        tables.past.begun.entry(run.id()).or_insert_with(|| run.summary());
        tables.past.ids.insert(run.id());
        tables.runs.insert(run.id(), row);
    }

    pub(super) fn remove(&self, tables: &mut Tables, key: &MonitorKey) {
        let is_its = |place: &EnvironmentKey| match self.has(Flaw::RemovalTakesTheSlug) {
            true => place.monitor.slug == key.slug,
            false => place.monitor == *key,
        };
        let due = [DueKind::Miss, DueKind::Timeout].map(|kind| self.entries(tables, kind)).concat();
        tables.past.removed.extend(due.into_iter().filter(|due| is_its(&due.key)));
        let keys = tables.keys.clone();
        tables.runs.retain(|_, run| !is_its(&keys[&run.environment()]));
        if !self.has(Flaw::EnvironmentsOutliveTheirMonitor) {
            tables.environments.retain(|place, _| !is_its(place));
        }
        let slug = key.slug.clone();
        tables.monitors.retain(|other, _| match self.has(Flaw::RemovalTakesTheSlug) {
            true => other.slug != slug,
            false => other != key,
        });
    }
}
