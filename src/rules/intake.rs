//! `process_checkin`: one check-in, from the monitor it names to the judgement of its run.

use std::sync::Arc;

use crate::admission::{Permit, Seat};
use crate::checkin::{Arrival, FieldErrors};
use crate::config::{ConfigError, ConfigUpdate};
use crate::outcome::{Accepted, ConfigChange, Ignored, Judgement, Outcome, Refused};
use crate::policy::{Policy, Quirk};
use crate::refusal::ProcessingError;
use crate::row::{Environment, Monitor, MonitorStatus, Organization, RunStatus, RunSummary, Version};
use crate::store::{Found, MonitorChange, Put, Snapshot, Transition};

use super::Decision;
use super::administration::one_more_monitor;
use super::dismissal::Dismissal;
use super::draft::{Draft, Effects, put, put_monitor, put_new_monitor};
use super::report::Report;

/// Decides what a check-in does. Total: every snapshot and check-in has an answer.
///
/// ```
/// use overdue::admission::AdmitAll;
/// use overdue::checkin::Arrival;
/// use overdue::store::{Query, Store};
/// use overdue::{Outcome, rules};
///
/// # use overdue::Policy;
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// # let store = engine.store();
/// let policy = Policy::default();
/// let arrival = Arrival::receive(&message, &AdmitAll, policy.quirks)?;
/// let snapshot = store.load(&arrival.key(), &Query::arrival(&arrival, &policy))?;
/// let decision = rules::process_checkin(snapshot, &arrival, &policy);
/// assert!(matches!(decision.outcome, Outcome::Accepted(_)));
/// store.commit(&decision.transition.ok_or("nothing to write")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn process_checkin(snapshot: Snapshot, arrival: &Arrival<'_>, policy: &Policy) -> Decision<Outcome> {
    let Snapshot { organization, monitor, mut environment, run, history } = snapshot;
    let mut intake = Intake {
        arrival,
        policy,
        organization,
        stored: monitor,
        changed: None,
        counted: None,
        config: ConfigChange::None,
    };
    let Judged { report, judgement, effects } = match intake.judge(&mut environment, run, &history) {
        Ok(judged) => judged,
        Err(Dismissal::Ignored(reason)) => return Decision::answer(Outcome::Ignored(reason)),
        Err(Dismissal::Refused(errors)) => return intake.refuse(errors, environment),
    };
    let change = intake.monitor_change();
    Decision {
        outcome: Outcome::Accepted(Accepted {
            environment: arrival.key(),
            checkin: report.run.id,
            change: report.change,
            judgement,
            deadline: environment.as_ref().and_then(|environment| environment.deadline),
            config: intake.config,
        }),
        transition: change.map(|monitor| Transition {
            organization: intake.counted,
            monitor,
            environments: environment.into_iter().map(put).collect(),
            runs: report.put().into_iter().collect(),
            incidents: effects.incident.into_iter().collect(),
            events: effects.events,
        }),
    }
}

/// A run after its check-in, what it says about its environment, and what that causes.
struct Judged {
    report: Report,
    judgement: Judgement,
    effects: Effects,
}

/// A check-in on its way in, and what it has changed so far.
struct Intake<'a> {
    arrival: &'a Arrival<'a>,
    policy: &'a Policy,
    /// The organization's row as it was read.
    organization: Option<Organization>,
    /// The monitor as it was read.
    stored: Option<Arc<Monitor>>,
    /// The monitor as the check-in leaves it, if it changes or creates it; its version is not yet the new one.
    changed: Option<Arc<Monitor>>,
    /// The organization's row with one monitor more, when the monitor is new.
    counted: Option<Put<Organization>>,
    config: ConfigChange,
}

impl Intake<'_> {
    fn judge(
        &mut self,
        environment: &mut Option<Box<Environment>>,
        run: Option<Found>,
        history: &[RunSummary],
    ) -> Result<Judged, Dismissal> {
        self.configure()?;
        self.admit()?;
        let environment = self.enter(environment)?;
        let (arrival, monitor) = (self.arrival, self.monitor().ok_or(ProcessingError::MonitorNotFound)?);
        let report = Report::of(arrival, run, monitor, environment, self.policy.quirks)?;
        let run = &report.run;
        let mut draft = Draft::new(self.policy, monitor, environment, history);
        let judgement = match run.status {
            RunStatus::Error => draft.mark_failed(run, &arrival.received_at.into()),
            _ => draft.mark_ok(run, arrival.received_at),
        };
        draft.note(run);
        let effects = draft.effects;
        Ok(Judged { report, judgement, effects })
    }

    /// The monitor as it stands. None: there is none, or it is going away.
    fn monitor(&self) -> Option<&Arc<Monitor>> {
        let stored = self.stored.as_ref().filter(|monitor| monitor.status != MonitorStatus::Deleting);
        self.changed.as_ref().or(stored)
    }

    /// Finds the monitor, or creates it, or gives it the configuration that the check-in brings.
    fn configure(&mut self) -> Result<(), Dismissal> {
        match self.arrival.checkin.config() {
            Ok(None) if self.monitor().is_none() => Err(ProcessingError::MonitorNotFound.into()),
            Ok(None) => Ok(()),
            Ok(Some(update)) => self.upsert(update),
            Err(ConfigError::Unusable) => Err(Ignored::UnusableConfig.into()),
            Err(ConfigError::Invalid(errors)) => self.pass_over(errors),
        }
    }

    /// An invalid configuration does not keep a check-in from a monitor that can do without it.
    fn pass_over(&mut self, errors: &FieldErrors) -> Result<(), Dismissal> {
        let errors = errors.clone();
        if self.monitor().is_none() {
            let invalid = ProcessingError::MonitorInvalidConfig { errors };
            return Err(Dismissal::Refused(vec![invalid, ProcessingError::MonitorNotFound]));
        }
        self.config = ConfigChange::Invalid(errors);
        Ok(())
    }

    fn upsert(&mut self, update: &ConfigUpdate) -> Result<(), Dismissal> {
        let arrival = self.arrival;
        let mut monitor = match self.monitor() {
            Some(stored) => {
                let mut monitor = Monitor::clone(stored);
                monitor.config = update.apply(&monitor.config);
                monitor
            }
            // The rows of a monitor that is being deleted are still in the way of a new one.
            None if self.stored.is_some() => return Err(ProcessingError::MonitorNotFound.into()),
            None => {
                let organization = self.organization.take();
                let organization = organization.unwrap_or_else(|| Organization::new(arrival.organization));
                self.counted = Some(one_more_monitor(organization, self.policy)?);
                Monitor::new(arrival.organization, arrival.monitor_key(), update.create())
            }
        };
        monitor.owner = update.owner().or(monitor.owner);
        if arrival.permit == Permit::Upsert(Seat::Denied) {
            monitor.status = MonitorStatus::Disabled;
        }
        self.config = match self.monitor() {
            None => ConfigChange::Created,
            Some(stored) if **stored == monitor => ConfigChange::Unchanged,
            Some(_) => ConfigChange::Updated,
        };
        if self.config != ConfigChange::Unchanged {
            self.changed = Some(Arc::new(monitor));
        }
        Ok(())
    }

    /// Whether the monitor takes check-ins.
    fn admit(&self) -> Result<(), Dismissal> {
        if self.monitor().is_some_and(|monitor| monitor.status == MonitorStatus::Active) {
            return Ok(());
        }
        Err(match self.arrival.permit {
            Permit::Upsert(_) => ProcessingError::MonitorDisabledNoQuota.into(),
            Permit::Full => ProcessingError::MonitorDisabled.into(),
        })
    }

    /// Enters the environment, or creates it.
    fn enter<'e>(
        &mut self,
        environment: &'e mut Option<Box<Environment>>,
    ) -> Result<&'e mut Environment, Dismissal> {
        if let Some(reason) = &self.arrival.fault {
            return Err(ProcessingError::MonitorInvalidEnvironment { reason: reason.to_string() }.into());
        }
        match environment {
            Some(environment) if environment.disabled => Err(ProcessingError::MonitorDisabled.into()),
            Some(environment) => {
                // The monitor is active, whatever the copy says.
                environment.dormant = false;
                Ok(environment)
            }
            None => Ok(environment.insert(Box::new(self.open_environment()?))),
        }
    }

    fn open_environment(&mut self) -> Result<Environment, Dismissal> {
        let mut monitor = Monitor::clone(self.monitor().ok_or(ProcessingError::MonitorNotFound)?);
        if let Some(limit) = self.policy.limits.environments.filter(|limit| monitor.environments >= *limit) {
            return Err(ProcessingError::MonitorEnvironmentLimitExceeded { limit }.into());
        }
        monitor.environments = monitor.environments.saturating_add(1);
        self.changed = Some(Arc::new(monitor));
        Ok(Environment::new(self.arrival.key()))
    }

    /// What the check-in does to the monitor. None: there is none.
    fn monitor_change(&mut self) -> Option<MonitorChange> {
        let Some(changed) = self.changed.take().map(Arc::unwrap_or_clone) else {
            return self.stored.take().map(MonitorChange::Keep);
        };
        Some(MonitorChange::Put(match &self.counted {
            Some(counted) => put_new_monitor(changed, &counted.row),
            None => put_monitor(changed),
        }))
    }

    /// The answer to a check-in that is refused. Nothing is written, but for a monitor that was to be
    /// given a seat and found none, and for what the reference system leaves behind.
    fn refuse(
        mut self,
        errors: Vec<ProcessingError>,
        environment: Option<Box<Environment>>,
    ) -> Decision<Outcome> {
        let seatless = errors.contains(&ProcessingError::MonitorDisabledNoQuota);
        let leaves = seatless || self.policy.quirks.keeps(Quirk::RefusalsLeaveChanges);
        let change = if leaves && self.changed.is_some() { self.monitor_change() } else { None };
        let transition = change.map(|monitor| Transition {
            organization: self.counted,
            monitor,
            environments: environment
                .into_iter()
                .filter(|row| row.version == Version::NEW)
                .map(put)
                .collect(),
            runs: Vec::new(),
            incidents: Vec::new(),
            events: Vec::new(),
        });
        Decision { transition, outcome: Outcome::Refused(Refused { errors }) }
    }
}
