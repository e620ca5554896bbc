//! The working copy of an environment that a decision is written into.

use std::sync::Arc;

use crate::event::Event;
use crate::policy::{Policy, Quirk};
use crate::row::Incident;
use crate::row::Monitor;
use crate::row::Organization;
use crate::row::Version;
use crate::row::{Deadline, Environment};
use crate::row::{Run, RunStatus, RunSummary};
use crate::schedule::Slot;
use crate::store::{MonitorChange, Put, PutRun, Transition};

/// An environment's row in the making, what is read to make it, and what that causes.
pub(super) struct Draft<'a> {
    pub(super) policy: &'a Policy,
    pub(super) monitor: &'a Arc<Monitor>,
    pub(super) environment: &'a mut Environment,
    pub(super) history: &'a [RunSummary],
    pub(super) effects: Effects,
}

/// What a judgement causes beside the environment's row.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) incident: Option<Arc<Incident>>,
    pub(super) events: Vec<Event>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        monitor: &'a Arc<Monitor>,
        environment: &'a mut Environment,
        history: &'a [RunSummary],
    ) -> Self {
        Self { policy, monitor, environment, history, effects: Effects::default() }
    }

    pub(super) const fn keeps(&self, quirk: Quirk) -> bool {
        self.policy.quirks.keeps(quirk)
    }

    /// Awaits the next run after `from`.
    ///
    /// Reference times never go back: a slot that was missed is not awaited again because of a message that
    /// was received before it and comes late.
    pub(super) fn reschedule(&mut self, from: &Slot) {
        let forgetful = self.keeps(Quirk::RepeatedHourForgotten);
        let newest = self.environment.reference.filter(|newest| !forgetful && newest > from.start());
        let newest = newest.map(Slot::from);
        let from = newest.as_ref().unwrap_or(from);
        self.environment.deadline = self.deadline(from);
        self.environment.reference = Some(*from.start());
    }

    /// The deadline that follows from `from`. None: the schedule has ended.
    fn deadline(&self, from: &Slot) -> Option<Deadline> {
        let config = &self.monitor.config;
        let (schedule, quirks) = (config.schedule(), self.policy.quirks);
        let slot = schedule.next_slot(from, quirks)?;
        let margin = config.margin().duration();
        let latest = match quirks.keeps(Quirk::MarginOnLocalClock) {
            true => slot.later_on_clock(margin, schedule.zone())?,
            false => slot.later(margin)?,
        };
        Some(Deadline { next: *slot.start(), latest })
    }

    /// Takes down what a run in its final state means for later decisions.
    pub(super) fn note(&mut self, run: &Run) {
        if !run.status.is_result() {
            return;
        }
        let environment = &mut *self.environment;
        environment.last_result = environment.last_result.max(Some(run.started_at));
        let newest = environment.last_ok.is_none_or(|last| last.order() <= run.summary().order());
        if run.status == RunStatus::Ok && newest {
            environment.last_ok = Some(run.summary());
        }
    }
}

/// The transition that writes an environment's row and a run of its, with the monitor as it is.
pub(super) fn write(
    monitor: Arc<Monitor>,
    environment: Box<Environment>,
    run: Option<PutRun>,
    effects: Effects,
) -> Transition {
    Transition {
        organization: None,
        monitor: MonitorChange::Keep(monitor),
        environments: vec![put(environment)],
        runs: run.into_iter().collect(),
        incidents: effects.incident.into_iter().collect(),
        events: effects.events,
    }
}

/// An environment's row, over the version that was read.
pub(super) fn put(mut row: Box<Environment>) -> Put<Box<Environment>> {
    let replaces = row.version;
    row.version = replaces.next();
    Put { row, replaces }
}

/// A new monitor's row. It counts on from its organization's version, which removing a monitor takes past the
/// monitor's own: what was decided about a monitor that is gone is never committed to one that came after it.
pub(super) fn put_new_monitor(mut row: Monitor, organization: &Organization) -> Put<Arc<Monitor>> {
    row.version = organization.version;
    Put { row: Arc::new(row), replaces: Version::NEW }
}

/// A monitor's row, over the version that was read.
pub(super) fn put_monitor(mut row: Monitor) -> Put<Arc<Monitor>> {
    let replaces = row.version;
    row.version = replaces.next();
    Put { row: Arc::new(row), replaces }
}
