//! Writes a transition, everything or nothing.

use std::convert::Infallible;
use std::sync::Arc;

use crate::decision::{MonitorChange, Put, PutRun, Transition};
use crate::id::{MonitorKey, Version};
use crate::row::{Environment, Incident, Monitor, Organization, Run, RunStatus};
use crate::store::{CommitError, DueKind};

use super::environment::{NONE, StoredEnvironment};
use super::run::{Open, StoredRun};
use super::tables::{ByKey, Tables};

impl Tables {
    pub(super) fn commit(&mut self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        let Transition { organization, monitor, environments, runs, incidents, events: _ } = transition;
        if !self.is_current(organization.as_ref(), monitor, environments, runs, incidents) {
            return Err(CommitError::Conflict);
        }
        let key = monitor.key();
        if let Some(put) = organization {
            self.put_organization(put.row.clone());
        }
        match monitor {
            MonitorChange::Keep(_) => {}
            MonitorChange::Put(put) => self.put_monitor(&put.row),
            MonitorChange::Remove(row) => self.remove_monitor(&row.key),
        }
        for put in environments.iter().filter(|put| put.replaces == Version::NEW) {
            self.insert_environment(&put.row);
        }
        // Another load may have come between.
        if let Some((number, _)) = environments.first().and_then(|put| self.find(&put.row)) {
            self.last_loaded = number;
        }
        // Runs come before environments that exist: those are cached already, and the processor fetches the
        // lines that the runs write meanwhile.
        for put in runs {
            match put {
                PutRun::New(run) => self.insert_run(key, run),
                PutRun::Changed(run) => self.change_run(run),
            }
        }
        for put in environments.iter().filter(|put| put.replaces != Version::NEW) {
            self.change_environment(&put.row);
        }
        for incident in incidents {
            self.put_incident(key, incident);
        }
        Ok(())
    }

    /// Returns the stored version of a change's monitor. Usually that is the one loaded last, which needs no
    /// lookup.
    fn version_of(&self, change: &MonitorChange) -> Version {
        if let MonitorChange::Keep(row) = change
            && let Some(latest) = self.environments.get(self.last_loaded)
            && Arc::ptr_eq(&latest.monitor, row)
        {
            return row.version;
        }
        let stored = self.monitors.get_key_value(change.key());
        stored.map_or(Version::NEW, |(ByKey(stored), _)| stored.version)
    }

    /// Whether every row still has the version that the transition expects.
    fn is_current(
        &self,
        organization: Option<&Put<Organization>>,
        monitor: &MonitorChange,
        environments: &[Put<Box<Environment>>],
        runs: &[PutRun],
        incidents: &[Arc<Incident>],
    ) -> bool {
        let version = |put: &Put<Box<Environment>>| {
            self.find(&put.row).map_or(Version::NEW, |(_, stored)| stored.version())
        };
        self.version_of(monitor) == monitor.expects()
            && organization.is_none_or(|put| self.organization(put.row.id).version == put.replaces)
            && environments.iter().all(|put| version(put) == put.replaces)
            && runs.iter().all(|put| match put {
                PutRun::New(run) => self.number_of(&run.id).is_none(),
                PutRun::Changed(run) => self.number_of(&run.id).is_some(),
            })
            // A row without its environment would be lost.
            && runs.iter().all(|put| environments.iter().any(|other| other.row.id == put.run().environment))
            && incidents.iter().all(|row| environments.iter().any(|other| other.row.id == row.environment))
    }

    pub(super) fn put_organization(&mut self, row: Organization) {
        self.organizations.insert(row.id, row);
    }

    pub(super) fn put_monitor(&mut self, row: &Arc<Monitor>) {
        let row = &self.with_known_schedule(row);
        let (_, first) = self.monitors.remove_entry(&row.key).unzip();
        let first = first.unwrap_or(NONE);
        self.monitors.insert(ByKey(Arc::clone(row)), first);
        let mut next = first;
        while let Some(stored) = self.environments.get_mut(next) {
            stored.monitor = Arc::clone(row);
            next = stored.links.sibling;
        }
    }

    /// Makes the monitor share its schedule, and the answers that it caches, with all others of the same text
    /// and zone.
    fn with_known_schedule(&mut self, row: &Arc<Monitor>) -> Arc<Monitor> {
        let schedule = row.config.schedule();
        let Some(known) = self.schedules.get(schedule) else {
            self.schedules.insert(schedule.clone());
            return Arc::clone(row);
        };
        let config = row.config.with_schedule(known.clone());
        Arc::new(Monitor { config, ..Monitor::clone(row) })
    }

    fn remove_monitor(&mut self, key: &MonitorKey) {
        let first = self.monitors.remove(key).unwrap_or(NONE);
        let mut next = first;
        while let Some(stored) = self.environments.get(next) {
            let (number, runs) = (next, self.runs_of(stored).map(|(run, _)| run).collect::<Vec<_>>());
            next = stored.links.sibling;
            // The first is found through the monitor.
            if number != first {
                let indexed = self.environments_by_key.remove(&stored.key(), number);
                debug_assert!(indexed, "an environment that is removed is indexed");
            }
            self.unlist(DueKind::Miss, number);
            runs.into_iter().for_each(|run| self.remove_run(run));
            self.environments.remove(number);
        }
    }

    pub(super) fn change_environment(&mut self, row: &Environment) {
        let (number, _) = must_find!(self.find(row), "a changed environment is stored");
        let stored = must_find!(self.environments.get_mut(number), "an index leads to a row");
        let before = stored.due_at();
        stored.put(row);
        let after = stored.due_at();
        if before != after {
            if let Some(at) = before {
                self.misses.remove(stored.links.due, at);
            }
            if let Some(at) = after {
                stored.links.due = self.misses.insert(number, at);
            }
        }
    }

    pub(super) fn insert_environment(&mut self, row: &Environment) {
        let key = &row.key;
        let (ByKey(monitor), &first) =
            must_find!(self.monitors.get_key_value(&key.monitor), "the monitor of an environment is stored");
        let second = self.environments.get(first).map_or(NONE, |first| first.links.sibling);
        let number = self.environments.insert(StoredEnvironment::new(row, monitor, second));
        if let Some(first) = self.environments.get_mut(first) {
            first.links.sibling = number;
            self.environments_by_key.insert(key, number);
        } else if let Some(first) = self.monitors.get_mut(&key.monitor) {
            *first = number;
        }
        self.last_loaded = number;
        self.list(DueKind::Miss, number);
    }

    /// Inserts a run into one of the environments of a monitor.
    pub(super) fn insert_run(&mut self, monitor: &MonitorKey, run: &Run) {
        let (environment, stored) =
            must_find!(self.environment_of(monitor, run.environment), "the environment of a run is stored");
        let (newer, older) = self.place(stored, run.summary());
        let number = self.runs.insert(StoredRun::new(run, environment, older));
        self.oldest_in_chunk.note(number, run.started_at);
        self.runs_by_id.insert(&run.id, number);
        if let Some(newer) = self.runs.get_mut(newer) {
            newer.links.older = number;
        } else if let Some(stored) = self.environments.get_mut(environment) {
            stored.links.begin(number, run.started_at);
        }
        self.enlist(number, run);
    }

    fn change_run(&mut self, run: &Run) {
        let number = must_find!(self.number_of(&run.id), "a changed run is stored");
        self.unlist(DueKind::Timeout, number);
        self.close(number);
        must_find!(self.runs.get_mut(number), "an index leads to a row").put(run);
        self.enlist(number, run);
    }

    /// Adds a run to the lists that it belongs to.
    fn enlist(&mut self, number: u32, run: &Run) {
        if let Some(message) = run.closed_by() {
            self.runs_by_closing_id.insert(message, number);
        }
        if run.status() == RunStatus::InProgress {
            self.open(number);
            self.list(DueKind::Timeout, number);
        }
    }

    /// Adds an environment or a run to the list of what is due, if it belongs there.
    fn list(&mut self, kind: DueKind, number: u32) {
        match kind {
            DueKind::Miss => {
                let stored = must_find!(self.environments.get_mut(number), "a listed environment is stored");
                if let Some(at) = stored.due_at() {
                    stored.links.due = self.misses.insert(number, at);
                }
            }
            DueKind::Timeout => {
                let run = must_find!(self.runs.get_mut(number), "a listed run is stored");
                if let Some(at) = run.due_at() {
                    run.links.due = self.timeouts.insert(number, at);
                }
            }
        }
    }

    /// Removes an environment or a run from the list of what is due, if it is there.
    pub(super) fn unlist(&mut self, kind: DueKind, number: u32) {
        match kind {
            DueKind::Miss => {
                let stored = must_find!(self.environments.get(number), "a listed environment is stored");
                if let Some(at) = stored.due_at() {
                    self.misses.remove(stored.links.due, at);
                }
            }
            DueKind::Timeout => {
                let run = must_find!(self.runs.get(number), "a listed run is stored");
                if let Some(at) = run.due_at() {
                    self.timeouts.remove(run.links.due, at);
                }
            }
        }
    }

    /// Adds a run to its environment's list of runs in progress.
    fn open(&mut self, number: u32) {
        let run = must_find!(self.runs.get_mut(number), "a run in progress is stored");
        let stored =
            must_find!(self.environments.get_mut(run.environment), "the environment of a run is stored");
        let next = std::mem::replace(&mut stored.links.open, number);
        run.links.open = Open { before: NONE, next };
        if let Some(next) = self.runs.get_mut(next) {
            next.links.open.before = number;
        }
    }

    /// Removes a run from its environment's list of runs in progress, if it is there.
    fn close(&mut self, number: u32) {
        let run = must_find!(self.runs.get(number), "a run that is closed is stored");
        if run.status() != RunStatus::InProgress {
            return;
        }
        let (environment, Open { before, next }) = (run.environment, run.links.open);
        if let Some(before) = self.runs.get_mut(before) {
            before.links.open.next = next;
        } else if let Some(stored) = self.environments.get_mut(environment) {
            stored.links.open = next;
        }
        if let Some(next) = self.runs.get_mut(next) {
            next.links.open.before = before;
        }
    }

    pub(super) fn put_incident(&mut self, monitor: &MonitorKey, incident: &Arc<Incident>) {
        let (number, _) = must_find!(
            self.environment_of(monitor, incident.environment),
            "the environment of an incident is stored"
        );
        must_find!(self.environments.get_mut(number), "an index leads to a row").put_incident(incident);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::config::MonitorConfig;
    use crate::decision::MonitorSnapshot;
    use crate::id::{EnvironmentId, EnvironmentKey, OrganizationId, ProjectId, RunId};
    use crate::policy::Policy;
    use crate::row::{Phase, Reported, RunState};
    use crate::rules::Query;
    use crate::schedule::{Schedule, Zone};

    fn monitor(slug: &str, crontab: &str) -> Arc<Monitor> {
        let key = MonitorKey { project: ProjectId::new(1), slug: slug.parse().unwrap() };
        let config = MonitorConfig::new(Schedule::crontab(crontab, Zone::UTC).unwrap());
        Arc::new(Monitor::new(OrganizationId::new(1), key, config))
    }

    /// Decides on rows that were not read by the last load, and whose environment is no longer the newest.
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

    /// A step in the lives of two monitors with at most four environments each.
    #[derive(Clone, Debug)]
    enum Step {
        /// Reads an environment, or creates it if there is none.
        Enter,
        /// Starts a run in an environment, or continues it.
        Begin(u8),
        /// Ends a run.
        End(u8),
        /// Removes the monitor.
        Remove,
    }

    fn steps() -> impl Strategy<Value = Vec<(u8, u8, Step)>> {
        let step = prop_oneof![
            4 => Just(Step::Enter),
            4 => (0..6_u8).prop_map(Step::Begin),
            3 => (0..6_u8).prop_map(Step::End),
            1 => Just(Step::Remove),
        ];
        prop::collection::vec((0..2_u8, 0..4_u8, step), 0..60)
    }

    fn place(monitor: u8, name: u8) -> EnvironmentKey {
        let monitor =
            MonitorKey { project: ProjectId::new(1), slug: format!("job-{monitor}").parse().unwrap() };
        EnvironmentKey { monitor, name: format!("env-{name}").parse().unwrap() }
    }

    const IN_PROGRESS: Phase = Phase::InProgress { timeout_at: DateTime::UNIX_EPOCH };

    fn run(key: &EnvironmentKey, number: u8, phase: Phase) -> Run {
        let at = DateTime::UNIX_EPOCH;
        let environment = EnvironmentId::of(key);
        Run {
            id: RunId::from_uuid(Uuid::from_u128(environment.as_uuid().as_u128() ^ u128::from(number))),
            environment,
            number: number.into(),
            started_at: at,
            expected_at: None,
            state: RunState::Reported(Reported {
                phase,
                duration: None,
                updated_at: at,
                closed_by: None,
                trace_id: None,
                release: None,
            }),
        }
    }

    proptest! {
        /// After any changes, an environment is found by its key, and lists exactly its runs in progress.
        #[test]
        fn what_is_there_is_found_and_nothing_else(steps in steps()) {
            let mut tables = Tables::default();
            let mut there: Vec<(EnvironmentKey, BTreeMap<u8, RunStatus>)> = Vec::new();
            for (number, name, step) in steps {
                let key = place(number, name);
                let known = there.iter_mut().find(|(other, _)| *other == key);
                match (step, known) {
                    (Step::Enter, Some(_)) => {
                        let Ok(_) = tables.load(&key, &Query::miss(&Policy::default()));
                    }
                    (Step::Enter, None) => {
                        if tables.environments(&key.monitor).is_empty() {
                            tables.put_monitor(&monitor(key.monitor.slug.as_str(), "0 2 * * *"));
                        }
                        tables.insert_environment(&Environment::new(key.clone()));
                        there.push((key, BTreeMap::new()));
                    }
                    (Step::Begin(nth), Some((_, runs))) => {
                        let row = run(&key, nth, IN_PROGRESS);
                        match runs.insert(nth, row.status()) {
                            None => tables.insert_run(&key.monitor, &row),
                            Some(_) => tables.change_run(&row),
                        }
                    }
                    (Step::End(nth), Some((_, runs))) => {
                        if let Some(status) = runs.get_mut(&nth) {
                            *status = RunStatus::Ok;
                            tables.change_run(&run(&key, nth, Phase::Ok));
                        }
                    }
                    (Step::Remove, _) => {
                        there.retain(|(other, _)| other.monitor != key.monitor);
                        tables.remove_monitor(&key.monitor);
                    }
                    (_, None) => {}
                }
                prop_assert_eq!(Some(tables.environments_by_key.count), there.len().checked_sub(tables.monitors.len()));
                for (number, name) in (0..2).flat_map(|number| (0..4).map(move |name| (number, name))) {
                    let key = place(number, name);
                    let owned: Vec<_> = tables.environments(&key.monitor).into_iter().map(StoredEnvironment::key).collect();
                    let expected = there.iter().map(|(key, _)| key.clone()).filter(|other| other.monitor == key.monitor);
                    prop_assert_eq!(owned, expected.collect::<Vec<_>>());
                    let found = tables.environment(&key).map(|(_, stored)| stored);
                    let expected = there.iter().find(|(other, _)| *other == key);
                    prop_assert_eq!(found.map(StoredEnvironment::key), expected.map(|(key, _)| key.clone()));
                    let open = found.into_iter().flat_map(|stored| tables.open_runs(stored));
                    let mut open: Vec<_> = open.map(|run| run.number()).collect();
                    open.sort_unstable();
                    let runs = expected.into_iter().flat_map(|(_, runs)| runs);
                    let expected = runs.filter(|(_, status)| **status == RunStatus::InProgress);
                    prop_assert_eq!(open, expected.map(|(nth, _)| u32::from(*nth)).collect::<Vec<_>>());
                }
            }
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
