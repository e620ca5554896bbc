//! `process_checkin`: one check-in, from the monitor it names to the judgement of its run.

use std::sync::Arc;

use crate::admission::{Permit, Seat};
use crate::checkin::{Arrival, FieldErrors};
use crate::config::{ConfigError, ConfigUpdate};
use crate::outcome::{Accepted, ConfigChange, Ignored, Outcome, Refused};
use crate::policy::{Policy, Quirk};
use crate::refusal::ProcessingError;
use crate::row::{Environment, Monitor, MonitorStatus, Organization, RunStatus};
use crate::store::{MonitorChange, Put, Snapshot, Transition};

use super::Decision;
use super::administration::one_more_monitor;
use super::dismissal::Dismissal;
use super::draft::{Draft, put, put_monitor, put_new_monitor};
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
/// let decision = rules::process_checkin(&snapshot, &arrival, &policy);
/// assert!(matches!(decision.outcome, Outcome::Accepted(_)));
/// store.commit(&decision.transition.ok_or("nothing to write")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn process_checkin(snapshot: &Snapshot, arrival: &Arrival, policy: &Policy) -> Decision<Outcome> {
    let mut intake = Intake {
        snapshot,
        arrival,
        policy,
        organization: None,
        monitor: snapshot.monitor.clone().filter(|monitor| monitor.status != MonitorStatus::Deleting),
        config: ConfigChange::None,
        new_environment: None,
    };
    match intake.judge() {
        Ok(decision) => decision,
        Err(Dismissal::Ignored(reason)) => Decision::answer(Outcome::Ignored(reason)),
        Err(Dismissal::Refused(errors)) => intake.refuse(errors),
    }
}

/// A check-in on its way in, and what it has changed so far.
struct Intake<'a> {
    snapshot: &'a Snapshot,
    arrival: &'a Arrival,
    policy: &'a Policy,
    /// The organization's row, when the monitor is new.
    organization: Option<Put<Organization>>,
    /// The monitor as the check-in leaves it; its version is still the one that was read.
    monitor: Option<Arc<Monitor>>,
    config: ConfigChange,
    new_environment: Option<Environment>,
}

impl Intake<'_> {
    fn judge(&mut self) -> Result<Decision<Outcome>, Dismissal> {
        self.configure()?;
        self.admit()?;
        let mut environment = self.enter()?;
        let (arrival, monitor) = (self.arrival, self.monitor()?);
        let found = self.snapshot.run.as_ref();
        let report = Report::of(arrival, found, monitor, &mut environment, self.policy.quirks)?;
        let run = &report.run;
        let mut draft = Draft::new(self.policy, monitor, environment, &self.snapshot.history);
        let judgement = match run.status {
            RunStatus::Error => draft.mark_failed(run, arrival.received_at.into()),
            _ => draft.mark_ok(run, arrival.received_at),
        };
        draft.note(run);
        let outcome = Outcome::Accepted(Accepted {
            environment: draft.key(),
            checkin: run.id,
            change: report.change,
            judgement,
            deadline: draft.environment.deadline,
            config: self.config.clone(),
        });
        let transition = draft.commit_with(self.monitor_change(monitor), report.put());
        let transition = Transition { organization: self.organization.clone(), ..transition };
        Ok(Decision { transition: Some(transition), outcome })
    }

    fn monitor(&self) -> Result<&Arc<Monitor>, Dismissal> {
        self.monitor.as_ref().ok_or_else(|| ProcessingError::MonitorNotFound.into())
    }

    /// Finds the monitor, or creates it, or gives it the configuration that the check-in brings.
    fn configure(&mut self) -> Result<(), Dismissal> {
        match self.arrival.checkin.config() {
            Ok(None) => self.monitor().map(|_| ()),
            Ok(Some(update)) => self.upsert(update),
            Err(ConfigError::Unusable) => Err(Ignored::UnusableConfig.into()),
            Err(ConfigError::Invalid(errors)) => self.pass_over(errors),
        }
    }

    /// An invalid configuration does not keep a check-in from a monitor that can do without it.
    fn pass_over(&mut self, errors: &FieldErrors) -> Result<(), Dismissal> {
        let errors = errors.clone();
        if self.monitor.is_none() {
            let invalid = ProcessingError::MonitorInvalidConfig { errors };
            return Err(Dismissal::Refused(vec![invalid, ProcessingError::MonitorNotFound]));
        }
        self.config = ConfigChange::Invalid(errors);
        Ok(())
    }

    fn upsert(&mut self, update: &ConfigUpdate) -> Result<(), Dismissal> {
        let arrival = self.arrival;
        let mut monitor = match &self.monitor {
            Some(stored) => {
                let mut monitor = Monitor::clone(stored);
                monitor.config = update.apply(&monitor.config);
                monitor
            }
            // The rows of a monitor that is being deleted are still in the way of a new one.
            None if self.snapshot.monitor.is_some() => return Err(ProcessingError::MonitorNotFound.into()),
            None => {
                let organization = self.snapshot.organization.clone();
                let organization = organization.unwrap_or_else(|| Organization::new(arrival.organization));
                self.organization = Some(one_more_monitor(organization, self.policy)?);
                Monitor::new(arrival.organization, arrival.monitor_key(), update.create())
            }
        };
        monitor.owner = update.owner().or(monitor.owner);
        if arrival.permit == Permit::Upsert(Seat::Denied) {
            monitor.status = MonitorStatus::Disabled;
        }
        self.config = match &self.monitor {
            None => ConfigChange::Created,
            Some(stored) if **stored == monitor => ConfigChange::Unchanged,
            Some(_) => ConfigChange::Updated,
        };
        if self.config != ConfigChange::Unchanged {
            self.monitor = Some(Arc::new(monitor));
        }
        Ok(())
    }

    /// Whether the monitor takes check-ins.
    fn admit(&self) -> Result<(), Dismissal> {
        if self.monitor()?.status == MonitorStatus::Active {
            return Ok(());
        }
        Err(match self.arrival.permit {
            Permit::Upsert(_) => ProcessingError::MonitorDisabledNoQuota.into(),
            Permit::Full => ProcessingError::MonitorDisabled.into(),
        })
    }

    /// Finds the environment, or creates it.
    fn enter(&mut self) -> Result<Environment, Dismissal> {
        if let Some(reason) = &self.arrival.fault {
            return Err(ProcessingError::MonitorInvalidEnvironment { reason: reason.to_string() }.into());
        }
        match &self.snapshot.environment {
            Some(environment) if environment.disabled => Err(ProcessingError::MonitorDisabled.into()),
            // The monitor is active, whatever the copy says.
            Some(environment) => Ok(Environment { dormant: false, ..environment.clone() }),
            None => self.open_environment(),
        }
    }

    fn open_environment(&mut self) -> Result<Environment, Dismissal> {
        let mut monitor = Monitor::clone(self.monitor()?);
        if let Some(limit) = self.policy.limits.environments.filter(|limit| monitor.environments >= *limit) {
            return Err(ProcessingError::MonitorEnvironmentLimitExceeded { limit }.into());
        }
        monitor.environments = monitor.environments.saturating_add(1);
        let environment = Environment::new(self.arrival.key());
        self.monitor = Some(Arc::new(monitor));
        self.new_environment = Some(environment.clone());
        Ok(environment)
    }

    fn monitor_change(&self, monitor: &Arc<Monitor>) -> MonitorChange {
        match (&self.snapshot.monitor, &self.organization) {
            (Some(stored), _) if Arc::ptr_eq(stored, monitor) => {
                MonitorChange::Keep { key: monitor.key.clone(), version: monitor.version }
            }
            (None, Some(organization)) => {
                MonitorChange::Put(put_new_monitor(Monitor::clone(monitor), &organization.row))
            }
            _ => MonitorChange::Put(put_monitor(Monitor::clone(monitor))),
        }
    }

    /// The answer to a check-in that is refused. Nothing is written, but for a monitor that was to be
    /// given a seat and found none, and for what the reference system leaves behind.
    fn refuse(self, errors: Vec<ProcessingError>) -> Decision<Outcome> {
        let seatless = errors.contains(&ProcessingError::MonitorDisabledNoQuota);
        let leaves = seatless || self.policy.quirks.keeps(Quirk::RefusalsLeaveChanges);
        let change = self.monitor.as_ref().filter(|_| leaves).map(|monitor| self.monitor_change(monitor));
        let transition = match change {
            Some(monitor @ MonitorChange::Put(_)) => Some(Transition {
                organization: self.organization,
                monitor,
                environments: self.new_environment.into_iter().map(put).collect(),
                runs: Vec::new(),
                incidents: Vec::new(),
                events: Vec::new(),
            }),
            _ => None,
        };
        Decision { transition, outcome: Outcome::Refused(Refused { errors }) }
    }
}
