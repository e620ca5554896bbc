//! Writing a transition, everything or nothing.

use std::convert::Infallible;
use std::sync::Arc;

use crate::key::MonitorKey;
use crate::row::{Environment, Incident, Monitor, Organization, Run, RunStatus, Version};
use crate::store::{CommitError, DueKind, MonitorChange, Put, PutRun, Transition};

use super::resident::{NONE, Resident};
use super::run::StoredRun;
use super::tables::{ByKey, Tables};

impl Tables {
    pub(super) fn commit(&mut self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        let Transition { organization, monitor, environments, runs, incidents, events: _ } = transition;
        let known = self.known(monitor);
        if !self.is_current(organization.as_ref(), monitor, known, environments, runs) {
            return Err(CommitError::Conflict);
        }
        let mut newest = known.map_or(NONE, |(_, newest)| newest);
        if let Some(put) = organization {
            self.put_organization(put.row.clone());
        }
        match monitor {
            MonitorChange::Keep(_) => {}
            MonitorChange::Put(put) => self.put_monitor(&put.row),
            MonitorChange::Remove(row) => self.remove_monitor(&row.key),
        }
        for put in environments.iter().filter(|put| put.replaces == Version::NEW) {
            newest = self.insert_environment(&put.row);
        }
        // Before the environments that are there already, which are at hand: what is written of a run is not, and the
        // processor fetches it meanwhile.
        for put in runs {
            match put {
                PutRun::New(run) => self.insert_run(newest, run),
                PutRun::Changed(run) => self.change_run(run),
            }
        }
        for put in environments.iter().filter(|put| put.replaces != Version::NEW) {
            self.change_environment(newest, &put.row);
        }
        for incident in incidents {
            self.put_incident(newest, incident);
        }
        Ok(())
    }

    /// The monitor of a change as it is stored, and its newest environment. Mostly that is the one that was loaded last, and
    /// need not be looked for.
    fn known(&self, change: &MonitorChange) -> Option<(&Arc<Monitor>, u32)> {
        if let MonitorChange::Keep(row) = change
            && let Some(latest) = self.environments.get(self.latest)
            && Arc::ptr_eq(&latest.monitor, row)
        {
            return Some((&latest.monitor, self.latest));
        }
        self.monitors.get_key_value(change.key()).map(|(ByKey(monitor), newest)| (monitor, *newest))
    }

    /// Whether every row still is as the transition expects.
    fn is_current(
        &self,
        organization: Option<&Put<Organization>>,
        monitor: &MonitorChange,
        known: Option<(&Arc<Monitor>, u32)>,
        environments: &[Put<Box<Environment>>],
        runs: &[PutRun],
    ) -> bool {
        let stored = known.map_or(Version::NEW, |(monitor, _)| monitor.version);
        let version = |put: &Put<Box<Environment>>| {
            let resident = known.and_then(|(_, newest)| self.owned(newest, put.row.id));
            resident.map_or(Version::NEW, |(_, resident)| resident.version())
        };
        stored == monitor.expects()
            && organization.is_none_or(|put| self.organization(put.row.id).version == put.replaces)
            && environments.iter().all(|put| version(put) == put.replaces)
            && runs.iter().all(|put| match put {
                PutRun::New(run) => self.number_of(&run.id).is_none(),
                PutRun::Changed(run) => self.number_of(&run.id).is_some(),
            })
    }

    pub(super) fn put_organization(&mut self, row: Organization) {
        self.organizations.insert(row.id, row);
    }

    pub(super) fn put_monitor(&mut self, row: &Arc<Monitor>) {
        let row = &self.with_known_schedule(row);
        let (_, newest) = self.monitors.remove_entry(&row.key).unzip();
        let newest = newest.unwrap_or(NONE);
        self.monitors.insert(ByKey(Arc::clone(row)), newest);
        let mut next = newest;
        while let Some(resident) = self.environments.get_mut(next) {
            resident.monitor = Arc::clone(row);
            next = resident.links.sibling;
        }
    }

    /// A monitor that shares its schedule, and what that remembers, with all others of the same text and zone.
    fn with_known_schedule(&mut self, row: &Arc<Monitor>) -> Arc<Monitor> {
        let schedule = row.config.schedule();
        let Some(known) = self.schedules.get(schedule) else {
            self.schedules.insert(schedule.clone());
            return Arc::clone(row);
        };
        let config = row.config.to_builder().schedule(known.clone()).build();
        Arc::new(Monitor { config, ..Monitor::clone(row) })
    }

    fn remove_monitor(&mut self, key: &MonitorKey) {
        let mut next = self.monitors.remove(key).unwrap_or(NONE);
        while let Some(resident) = self.environments.get(next) {
            let (number, runs) = (next, self.runs_of(resident).map(|(run, _)| run).collect::<Vec<_>>());
            next = resident.links.sibling;
            self.unlist(DueKind::Miss, number);
            runs.into_iter().for_each(|run| self.remove_run(run));
            self.environments.remove(number);
        }
    }

    pub(super) fn change_environment(&mut self, newest: u32, row: &Environment) {
        let number = self.owned(newest, row.id).map_or(NONE, |(number, _)| number);
        let Some(resident) = self.environments.get_mut(number) else { return };
        let before = resident.due_at();
        resident.put(row);
        let after = resident.due_at();
        if before != after {
            if let Some(at) = before {
                self.misses.remove(resident.links.due, at);
            }
            if let Some(at) = after {
                resident.links.due = self.misses.insert(number, at);
            }
        }
    }

    /// Inserts an environment, and tells its number: it is the newest of its monitor now.
    pub(super) fn insert_environment(&mut self, row: &Environment) -> u32 {
        let key = &row.key.monitor;
        let Some((ByKey(monitor), newest)) = self.monitors.get_key_value(key) else { return NONE };
        let number = self.environments.insert(Resident::new(row, monitor, *newest));
        if let Some(newest) = self.monitors.get_mut(key) {
            *newest = number;
        }
        self.latest = number;
        self.list(DueKind::Miss, number);
        number
    }

    /// Inserts a run into one of the environments of a monitor.
    pub(super) fn insert_run(&mut self, newest: u32, run: &Run) {
        let Some((environment, resident)) = self.owned(newest, run.environment) else { return };
        let (newer, older) = self.place(resident, run.summary());
        let number = self.runs.insert(StoredRun::new(run, environment, older));
        self.ages.note(number, run.started_at);
        self.ids.insert(&run.id, number);
        if let Some(newer) = self.runs.get_mut(newer) {
            newer.links.older = number;
        } else if let Some(resident) = self.environments.get_mut(environment) {
            resident.links.begin(number, run.started_at);
        }
        self.enlist(number, run);
    }

    fn change_run(&mut self, run: &Run) {
        let Some(number) = self.number_of(&run.id) else { return };
        self.unlist(DueKind::Timeout, number);
        self.close(number);
        if let Some(stored) = self.runs.get_mut(number) {
            stored.put(run);
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
                let Some(at) = run.due_at() else { return };
                run.links.due = self.timeouts.insert(number, at);
            }
        }
    }

    /// Takes an environment or a run off the list of what is due, if it is there.
    pub(super) fn unlist(&mut self, kind: DueKind, number: u32) {
        match kind {
            DueKind::Miss => {
                let Some(resident) = self.environments.get(number) else { return };
                let Some(at) = resident.due_at() else { return };
                self.misses.remove(resident.links.due, at);
            }
            DueKind::Timeout => {
                let Some(run) = self.runs.get(number) else { return };
                let Some(at) = run.due_at() else { return };
                self.timeouts.remove(run.links.due, at);
            }
        }
    }

    /// Puts a run on its environment's list of those in progress.
    fn open(&mut self, number: u32) {
        let Some(run) = self.runs.get_mut(number) else { return };
        let Some(resident) = self.environments.get_mut(run.environment) else { return };
        run.links.open = std::mem::replace(&mut resident.links.open, number);
    }

    /// Takes a run off its environment's list of those in progress, if it is.
    fn close(&mut self, number: u32) {
        let Some(run) = self.runs.get(number).filter(|run| run.status() == RunStatus::InProgress) else {
            return;
        };
        let next = run.links.open;
        let Some(resident) = self.environments.get_mut(run.environment) else { return };
        if resident.links.open == number {
            resident.links.open = next;
            return;
        }
        let mut other = resident.links.open;
        while let Some(run) = self.runs.get_mut(other) {
            if run.links.open == number {
                run.links.open = next;
                return;
            }
            other = run.links.open;
        }
    }

    pub(super) fn put_incident(&mut self, newest: u32, incident: &Arc<Incident>) {
        let Some((number, _)) = self.owned(newest, incident.environment) else { return };
        if let Some(resident) = self.environments.get_mut(number) {
            resident.put_incident(incident);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use chrono_tz::Tz;

    use super::*;
    use crate::config::MonitorConfig;
    use crate::id::{OrganizationId, ProjectId};
    use crate::key::EnvironmentKey;
    use crate::policy::Policy;
    use crate::schedule::Schedule;
    use crate::store::{MonitorSnapshot, Query};

    fn monitor(slug: &str, crontab: &str) -> Arc<Monitor> {
        let key = MonitorKey { project: ProjectId::new(1), slug: slug.parse().unwrap() };
        let config = MonitorConfig::builder(Schedule::crontab(crontab, Tz::UTC).unwrap()).build();
        Arc::new(Monitor::new(OrganizationId::new(1), key, config))
    }

    /// A decision on rows that were read by another way than the last load, whose environment is not the newest any more.
    #[test]
    fn an_environment_is_found_whatever_was_loaded_last() {
        let mut tables = Tables::default();
        let mut row = monitor("a", "0 2 * * *");
        let key = row.key.clone();
        tables.put_monitor(&row);
        for name in ["one", "two"] {
            let key = EnvironmentKey { monitor: key.clone(), name: name.parse().unwrap() };
            let replaces = row.version;
            Arc::make_mut(&mut row).version = replaces.next();
            let change = MonitorChange::Put(Put { row: Arc::clone(&row), replaces });
            assert_eq!(tables.commit(&writing(change, Environment::new(key.clone()))), Ok(()));
            if name == "one" {
                let Ok(_) = tables.load(&key, &Query::miss(&Policy::default()));
            }
        }
        let MonitorSnapshot { monitor, environments, .. } = tables.load_monitor(&key).unwrap();
        for environment in environments {
            let change = MonitorChange::Keep(Arc::clone(&monitor));
            assert_eq!(tables.commit(&writing(change, environment)), Ok(()));
        }
    }

    fn writing(monitor: MonitorChange, mut row: Environment) -> Transition {
        let replaces = row.version;
        row.version = replaces.next();
        Transition {
            organization: None,
            monitor,
            environments: vec![Put { row: Box::new(row), replaces }],
            runs: vec![],
            incidents: vec![],
            events: vec![],
        }
    }

    #[test]
    fn monitors_of_one_schedule_share_it_until_none_is_left() {
        let mut tables = Tables::default();
        let rows = [monitor("a", "0 2 * * *"), monitor("b", "0 2 * * *"), monitor("c", "0 3 * * *")];
        for row in &rows {
            tables.put_monitor(row);
            assert_eq!(tables.monitors().find(|stored| stored.key == row.key), Some(row));
        }
        assert_eq!(tables.schedules.len(), 2);
        let [a, b, c] = rows.map(|row| row.key.clone());
        tables.remove_monitor(&a);
        tables.prune(DateTime::UNIX_EPOCH);
        assert_eq!(tables.schedules.len(), 2, "b has it still");
        tables.remove_monitor(&b);
        tables.remove_monitor(&c);
        tables.prune(DateTime::UNIX_EPOCH);
        assert!(tables.schedules.is_empty());
    }
}
