//! The test harness: it remembers what it has put, and so knows what to expect.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::admission::ValidCheckin;
use crate::checkin::CheckinStatus;
use crate::config::MonitorConfig;
use crate::decision::{MonitorChange, MonitorSnapshot, Put, PutRun, RunLookup, Snapshot, Transition};
use crate::id::{EnvironmentKey, MonitorKey, OrganizationId, RunId};
use crate::policy::{Policy, Profile, Quirk, Quirks};
use crate::row::{Environment, Monitor, Organization, Run, RunParts};
use crate::rules::Query;
use crate::store::{CommitError, Due, DueKind, DueQuery};

use super::erased::{ErasedError, ErasedStore};
use super::failure::{Failure, Proof};
use super::sample::{ORGANIZATION, Time, hourly, run_id, valid, valid_under};

/// Puts rows into the store under test, in transitions such as decisions make, and remembers them.
///
/// It never reads the store to know what to write, so a faulty read fails only the tests of that read.
pub(super) struct Harness<'a> {
    pub(super) store: &'a ErasedStore<'a>,
    policy: Policy,
    organization: Organization,
    monitors: BTreeMap<MonitorKey, Monitor>,
    environments: BTreeMap<EnvironmentKey, Environment>,
    runs: BTreeMap<RunId, (EnvironmentKey, Run)>,
}

impl<'a> Harness<'a> {
    pub(super) fn new(store: &'a ErasedStore<'a>) -> Self {
        Self {
            store,
            policy: Policy::default(),
            organization: Organization::new(ORGANIZATION),
            monitors: BTreeMap::new(),
            environments: BTreeMap::new(),
            runs: BTreeMap::new(),
        }
    }

    /// The same harness under the rules of the reference, with this quirk.
    pub(super) fn keeping(mut self, quirk: Quirk) -> Self {
        self.policy.profile = Profile::Reference(Quirks::NONE.with(quirk));
        self
    }

    /// The same harness for another organization.
    pub(super) fn of(mut self, organization: OrganizationId) -> Self {
        self.organization = Organization::new(organization);
        self
    }

    pub(super) const fn policy(&self) -> &Policy {
        &self.policy
    }

    // The rows as they were put last.

    pub(super) const fn organization(&self) -> &Organization {
        &self.organization
    }

    pub(super) fn monitor(&self, key: &MonitorKey) -> &Monitor {
        &self.monitors[key]
    }

    pub(super) fn environment(&self, key: &EnvironmentKey) -> &Environment {
        &self.environments[key]
    }

    pub(super) fn run(&self, number: u128) -> &Run {
        &self.runs[&run_id(number)].1
    }

    // Transitions.

    /// Creates a monitor.
    pub(super) fn creating(&self, key: &MonitorKey, config: MonitorConfig) -> Transition {
        let monitor = Monitor::new(self.organization.id, key.clone(), config);
        let mut transition = only(MonitorChange::Put(put_monitor(monitor)));
        transition.organization = Some(self.counting(1));
        transition
    }

    /// Changes a monitor.
    pub(super) fn editing(&self, key: &MonitorKey, edit: impl FnOnce(&mut Monitor)) -> Transition {
        let mut monitor = self.monitors[key].clone();
        edit(&mut monitor);
        only(MonitorChange::Put(put_monitor(monitor)))
    }

    /// Removes a monitor.
    pub(super) fn removing(&self, key: &MonitorKey) -> Transition {
        let mut transition = only(MonitorChange::Remove(Arc::new(self.monitors[key].clone())));
        transition.organization = Some(self.counting(-1));
        transition
    }

    /// Changes an environment. Creates it, and its monitor, if there is none.
    pub(super) fn touching(&self, key: &EnvironmentKey, touch: impl FnMut(&mut Environment)) -> Transition {
        self.touching_all([key.clone()], touch)
    }

    /// Changes several environments of one monitor.
    pub(super) fn touching_all(
        &self,
        keys: impl IntoIterator<Item = EnvironmentKey>,
        mut touch: impl FnMut(&mut Environment),
    ) -> Transition {
        let keys: Vec<_> = keys.into_iter().collect();
        let new = keys.iter().filter(|key| !self.environments.contains_key(key)).count();
        let mut transition = match self.monitors.get(&keys[0].monitor) {
            None => self.creating(&keys[0].monitor, hourly()),
            Some(monitor) if new == 0 => only(MonitorChange::Keep(Arc::new(monitor.clone()))),
            Some(monitor) => only(MonitorChange::Put(put_monitor(monitor.clone()))),
        };
        if let MonitorChange::Put(put) = &mut transition.monitor {
            Arc::make_mut(&mut put.row).environments += u32::try_from(new).unwrap();
        }
        for key in keys {
            let known = self.environments.get(&key);
            let mut environment = known.cloned().unwrap_or_else(|| Environment::new(key));
            touch(&mut environment);
            let replaces = environment.version;
            environment.version = replaces.next();
            // Some stores keep only the id of the open incident in the environment's row.
            let incident =
                environment.incident().filter(|now| known.and_then(Environment::incident) != Some(now));
            transition.incidents.extend(incident.cloned());
            transition.environments.push(Put { row: Box::new(environment), replaces });
        }
        transition
    }

    /// Starts runs in one environment.
    pub(super) fn starting(
        &self,
        key: &EnvironmentKey,
        runs: impl IntoIterator<Item = RunParts>,
    ) -> Transition {
        let mut transition = self.touching(key, |_| {});
        let environment = &mut transition.environments[0].row;
        for mut run in runs {
            run.environment = environment.id;
            run.number = environment.runs;
            environment.runs += 1;
            transition.runs.push(PutRun::New(Box::new(run.try_into().unwrap())));
        }
        transition
    }

    /// Changes a run.
    pub(super) fn changing(&self, number: u128, change: impl FnOnce(&mut RunParts)) -> Transition {
        let (key, run) = self.runs[&run_id(number)].clone();
        let mut run = RunParts::from(run);
        change(&mut run);
        let mut transition = self.touching(&key, |_| {});
        transition.runs.push(PutRun::Changed(Box::new(run.try_into().unwrap())));
        transition
    }

    fn counting(&self, change: i32) -> Put<Organization> {
        let Organization { id, monitors, version } = self.organization;
        let row =
            Organization { id, monitors: monitors.saturating_add_signed(change), version: version.next() };
        Put { row, replaces: version }
    }

    // Commits.

    /// Commits a transition that must not conflict.
    #[track_caller]
    pub(super) fn commit(&mut self, transition: Transition) -> Proof {
        match self.store.commit(&transition) {
            Ok(()) => {
                self.remember(transition);
                Ok(())
            }
            Err(CommitError::Conflict) => Err(Failure::new(format!(
                "{} met a conflict, though every row is as expected",
                named(&transition)
            ))),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }

    /// Commits a transition that must conflict.
    #[track_caller]
    pub(super) fn conflict(&self, transition: &Transition, why: &str) -> Proof {
        match self.store.commit(transition) {
            Err(CommitError::Conflict) => Ok(()),
            Err(CommitError::Store(error)) => Err(error.into()),
            Ok(()) => Err(Failure::new(format!("{} met no conflict, though {why}", named(transition)))),
        }
    }

    /// Remembers what was committed.
    pub(super) fn remember(&mut self, transition: Transition) {
        let Transition { organization, monitor, environments, runs, incidents: _, events: _ } = transition;
        if let Some(put) = organization {
            self.organization = put.row;
        }
        match monitor {
            MonitorChange::Keep(_) => {}
            MonitorChange::Put(put) => {
                self.monitors.insert(put.row.key.clone(), Monitor::clone(&put.row));
            }
            MonitorChange::Remove(row) => {
                self.monitors.remove(&row.key);
                self.environments.retain(|environment, _| environment.monitor != row.key);
                self.runs.retain(|_, (environment, _)| environment.monitor != row.key);
            }
        }
        for put in runs {
            let run = put.run().clone();
            let owner = environments.iter().find(|put| put.row.id == run.environment);
            self.runs.insert(run.id, (owner.unwrap().row.key.clone(), run));
        }
        for put in environments {
            self.environments.insert(put.row.key.clone(), *put.row);
        }
    }

    #[track_caller]
    pub(super) fn create(&mut self, key: &MonitorKey, config: MonitorConfig) -> Proof {
        self.commit(self.creating(key, config))
    }

    #[track_caller]
    pub(super) fn edit(&mut self, key: &MonitorKey, edit: impl FnOnce(&mut Monitor)) -> Proof {
        self.commit(self.editing(key, edit))
    }

    #[track_caller]
    pub(super) fn remove(&mut self, key: &MonitorKey) -> Proof {
        self.commit(self.removing(key))
    }

    #[track_caller]
    pub(super) fn touch(&mut self, key: &EnvironmentKey, touch: impl FnMut(&mut Environment)) -> Proof {
        self.commit(self.touching(key, touch))
    }

    #[track_caller]
    pub(super) fn start(&mut self, key: &EnvironmentKey, run: RunParts) -> Proof {
        self.commit(self.starting(key, [run]))
    }

    #[track_caller]
    pub(super) fn change(&mut self, number: u128, change: impl FnOnce(&mut RunParts)) -> Proof {
        self.commit(self.changing(number, change))
    }

    // Reads.

    /// What a miss reads: the monitor and the environment.
    pub(super) fn load(&self, key: &EnvironmentKey) -> Result<Snapshot, ErasedError> {
        self.store.load(key, &Query::miss(&self.policy))
    }

    pub(super) fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, ErasedError> {
        self.store.load_monitor(key)
    }

    /// A monitor that must be there.
    #[track_caller]
    pub(super) fn monitor_snapshot(&self, key: &MonitorKey) -> Result<MonitorSnapshot, Failure> {
        let missing = Failure::new(format!("there is no monitor {key}, though it was put"));
        self.load_monitor(key)?.ok_or(missing)
    }

    /// What judging a check-in reads.
    pub(super) fn judging(&self, valid: &ValidCheckin<'_>) -> Result<Snapshot, ErasedError> {
        self.store.load(&valid.key(), &Query::checkin(valid, &self.policy))
    }

    /// The run with this id, as seen from an environment.
    pub(super) fn find(&self, key: &EnvironmentKey, number: u128) -> Result<Option<RunLookup>, ErasedError> {
        Ok(self.store.load(key, &Query::run_of(run_id(number), &self.policy))?.run)
    }

    /// The number of the run that a message without an id finds.
    pub(super) fn anonymous(
        &self,
        key: &EnvironmentKey,
        received: &str,
    ) -> Result<Option<u128>, ErasedError> {
        let message = valid_under(&self.policy, key, 0, received, CheckinStatus::Ok);
        Ok(number_of(self.judging(&message)?.run))
    }

    /// The past runs that judging a failure of this time reads.
    pub(super) fn history(&self, key: &EnvironmentKey, until: &str) -> Result<Vec<u128>, ErasedError> {
        let failure = valid(key, u128::MAX, until, CheckinStatus::Error);
        Ok(self.judging(&failure)?.history.iter().map(|run| run.id.as_uuid().as_u128()).collect())
    }

    pub(super) fn page(
        &self,
        kind: DueKind,
        until: Option<Time>,
        after: Option<&Due>,
        limit: usize,
    ) -> Result<Vec<Due>, ErasedError> {
        let limit = NonZeroUsize::new(limit).unwrap();
        self.store.due(&DueQuery { kind, until, after: after.cloned(), limit })
    }

    /// The whole list, in one page.
    pub(super) fn due(&self, kind: DueKind) -> Result<Vec<Due>, ErasedError> {
        self.page(kind, None, None, 10_000)
    }

    pub(super) fn next_due(&self, kind: DueKind) -> Result<Option<Time>, ErasedError> {
        self.store.next_due(kind)
    }
}

/// The number of a run that was found here; the highest number for one found elsewhere.
pub(super) fn number_of(found: Option<RunLookup>) -> Option<u128> {
    match found? {
        RunLookup::Own(run) => Some(run.id.as_uuid().as_u128()),
        RunLookup::Foreign(_) => Some(u128::MAX),
    }
}

/// A transition in few words.
fn named(transition: &Transition) -> String {
    let Transition { monitor, environments, runs, .. } = transition;
    let change = match monitor {
        MonitorChange::Keep(_) => "rows of",
        MonitorChange::Put(_) => "a change of",
        MonitorChange::Remove(_) => "the removal of",
    };
    format!("{change} {} (environments: {}, runs: {})", monitor.key(), environments.len(), runs.len())
}

fn put_monitor(mut row: Monitor) -> Put<Arc<Monitor>> {
    let replaces = row.version;
    row.version = replaces.next();
    Put { row: Arc::new(row), replaces }
}

const fn only(monitor: MonitorChange) -> Transition {
    Transition {
        organization: None,
        monitor,
        environments: Vec::new(),
        runs: Vec::new(),
        incidents: Vec::new(),
        events: Vec::new(),
    }
}
