//! `process_checkin`: one check-in, from finding its monitor to judging its run.

use std::sync::Arc;

use super::administration::one_more_monitor;
use super::changes::{Changes, Effects, put, put_monitor, put_new_monitor};
use super::early_exit::EarlyExit;
use super::profile;
use super::run::RunUpdate;
use crate::admission::{Permit, Seat, ValidCheckin};
use crate::config::ConfigUpdate;
use crate::decision::{Decision, MonitorChange, Put, RunLookup, Snapshot, Transition};
use crate::field_errors::FieldErrors;
use crate::id::Version;
use crate::outcome::{Accepted, ConfigChange, Effect, Outcome, Rejected};
use crate::policy::Policy;
use crate::rejection::RejectionReason;
use crate::row::{Environment, Monitor, MonitorStatus, Organization, RunStatus, RunSummary};

/// Decides what a check-in does. It is total: every snapshot and check-in has an outcome.
///
/// ```
/// use overdue::admission::{AdmitAll, ValidCheckin};
/// use overdue::store::{Query, Store};
/// use overdue::{Outcome, rules};
///
/// # use overdue::Policy;
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// # let store = engine.store();
/// let policy = Policy::default();
/// let valid = ValidCheckin::admit(&message, &AdmitAll, &policy).map_err(|_| "rejected")?;
/// let snapshot = store.load(&valid.key(), &Query::checkin(&valid, &policy))?;
/// let decision = rules::process_checkin(snapshot, &valid, &policy);
/// assert!(matches!(decision.outcome, Outcome::Accepted(_)));
/// store.commit(&decision.transition.ok_or("nothing to write")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn process_checkin(snapshot: Snapshot, valid: &ValidCheckin<'_>, policy: &Policy) -> Decision<Outcome> {
    let Snapshot { organization, monitor, mut environment, run, history } = snapshot;
    let mut intake = Intake {
        valid,
        policy,
        organization,
        stored: monitor,
        changed: None,
        counted: None,
        config: ConfigChange::None,
    };
    let Judged { update, health, effects } = match intake.judge(&mut environment, run, &history) {
        Ok(judged) => judged,
        Err(EarlyExit::Ignored(reason)) => return Decision::answer(Outcome::Ignored(reason)),
        Err(EarlyExit::Rejected(errors)) => return intake.refuse(errors, environment),
    };
    let change = intake.monitor_change();
    Decision {
        outcome: Outcome::Accepted(Accepted {
            environment: valid.key(),
            run: update.run.id,
            change: update.change,
            health,
            deadline: environment.as_ref().and_then(|environment| environment.deadline().copied()),
            config: intake.config,
        }),
        transition: change.map(|monitor| Transition {
            organization: intake.counted,
            monitor,
            environments: environment.into_iter().map(put).collect(),
            runs: update.put().into_iter().collect(),
            incidents: effects.incident.into_iter().collect(),
            events: effects.events,
        }),
    }
}

/// A run after its check-in, its effect on health, and what that causes.
struct Judged {
    update: RunUpdate,
    health: Effect,
    effects: Effects,
}

/// A check-in in progress, and what it has changed so far.
struct Intake<'a> {
    valid: &'a ValidCheckin<'a>,
    policy: &'a Policy,
    /// The organization's row as it was read.
    organization: Option<Organization>,
    /// The monitor as it was read.
    stored: Option<Arc<Monitor>>,
    /// The monitor after the check-in, if it is new or changed. Its version is not increased yet.
    changed: Option<Arc<Monitor>>,
    /// The organization's row with one more monitor, if the monitor is new.
    counted: Option<Put<Organization>>,
    config: ConfigChange,
}

impl Intake<'_> {
    fn judge(
        &mut self,
        environment: &mut Option<Box<Environment>>,
        run: Option<RunLookup>,
        history: &[RunSummary],
    ) -> Result<Judged, EarlyExit> {
        self.configure()?;
        self.admit()?;
        let environment = self.enter(environment)?;
        let (valid, monitor) = (self.valid, self.monitor().ok_or(RejectionReason::MonitorNotFound)?);
        let update = profile::apply(self.policy.profile, valid, run, monitor, environment)?;
        let run = &update.run;
        let mut changes = Changes::new(self.policy, monitor, environment, history);
        let health = match run.status() {
            RunStatus::Error => profile::mark_failed(&mut changes, run, valid.received_at),
            RunStatus::InProgress
            | RunStatus::Ok
            | RunStatus::Missed
            | RunStatus::Timeout
            | RunStatus::Unknown => profile::mark_ok(&mut changes, run, valid.received_at),
        };
        changes.record_result(run);
        let effects = changes.effects;
        Ok(Judged { update, health, effects })
    }

    /// Returns the monitor as it stands. `None` if there is none, or it is being deleted.
    fn monitor(&self) -> Option<&Arc<Monitor>> {
        let stored = self.stored.as_ref().filter(|monitor| monitor.status != MonitorStatus::Deleting);
        self.changed.as_ref().or(stored)
    }

    /// Finds the monitor, creates it, or applies the configuration that the check-in brings.
    fn configure(&mut self) -> Result<(), EarlyExit> {
        match self.valid.checkin.config() {
            Ok(None) if self.monitor().is_none() => Err(RejectionReason::MonitorNotFound.into()),
            Ok(None) => Ok(()),
            Ok(Some(update)) => self.upsert(update),
            Err(errors) => self.pass_over(errors),
        }
    }

    /// Ignores an invalid configuration if the monitor exists. Rejects the check-in otherwise.
    fn pass_over(&mut self, errors: &FieldErrors) -> Result<(), EarlyExit> {
        let errors = errors.clone();
        if self.monitor().is_none() {
            let invalid = RejectionReason::MonitorInvalidConfig { errors };
            return Err(EarlyExit::Rejected(vec![invalid, RejectionReason::MonitorNotFound]));
        }
        self.config = ConfigChange::Invalid(errors);
        Ok(())
    }

    fn upsert(&mut self, update: &ConfigUpdate) -> Result<(), EarlyExit> {
        let valid = self.valid;
        let mut monitor = match self.monitor() {
            Some(stored) => {
                let mut monitor = Monitor::clone(stored);
                monitor.config = update.apply(&monitor.config);
                monitor
            }
            // The rows of a monitor that is being deleted still prevent a new one.
            None if self.stored.is_some() => return Err(RejectionReason::MonitorNotFound.into()),
            None => {
                let organization = self.organization.take();
                let organization = organization.unwrap_or_else(|| Organization::new(valid.organization));
                self.counted = Some(one_more_monitor(organization, self.policy)?);
                Monitor::new(valid.organization, valid.monitor_key(), update.create())
            }
        };
        monitor.owner = update.owner().or(monitor.owner);
        if valid.permit == Permit::Seated(Seat::Denied) {
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

    /// Returns an error unless the monitor takes check-ins.
    fn admit(&self) -> Result<(), EarlyExit> {
        if self.monitor().is_some_and(|monitor| monitor.status == MonitorStatus::Active) {
            return Ok(());
        }
        Err(match self.valid.permit {
            Permit::Seated(_) => RejectionReason::MonitorDisabledNoQuota.into(),
            Permit::Unconditional => RejectionReason::MonitorDisabled.into(),
        })
    }

    /// Finds the environment, or creates it.
    fn enter<'e>(
        &mut self,
        environment: &'e mut Option<Box<Environment>>,
    ) -> Result<&'e mut Environment, EarlyExit> {
        if let Some(reason) = &self.valid.deferred {
            return Err(RejectionReason::clone(reason).into());
        }
        match environment {
            Some(environment) if !environment.watch.environment() => {
                Err(RejectionReason::MonitorDisabled.into())
            }
            Some(environment) => {
                // The monitor is active, even if the copy says otherwise.
                environment.watch = environment.watch.with_monitor(true);
                Ok(environment)
            }
            None => Ok(environment.insert(Box::new(self.open_environment()?))),
        }
    }

    fn open_environment(&mut self) -> Result<Environment, EarlyExit> {
        let mut monitor = Monitor::clone(self.monitor().ok_or(RejectionReason::MonitorNotFound)?);
        if let Some(limit) = self.policy.limits.environments.filter(|limit| monitor.environments >= *limit) {
            return Err(RejectionReason::MonitorEnvironmentLimitExceeded { limit }.into());
        }
        monitor.environments = monitor.environments.saturating_add(1);
        self.changed = Some(Arc::new(monitor));
        Ok(Environment::new(self.valid.key()))
    }

    /// Returns what the check-in does to the monitor, or `None` if there is none.
    fn monitor_change(&mut self) -> Option<MonitorChange> {
        let Some(changed) = self.changed.take().map(Arc::unwrap_or_clone) else {
            return self.stored.take().map(MonitorChange::Keep);
        };
        Some(MonitorChange::Put(match &self.counted {
            Some(counted) => put_new_monitor(changed, &counted.row),
            None => put_monitor(changed),
        }))
    }

    /// Rejects the check-in. Nothing is written, except for a monitor that was denied a seat, and for what
    /// the reference leaves behind.
    fn refuse(
        mut self,
        errors: Vec<RejectionReason>,
        environment: Option<Box<Environment>>,
    ) -> Decision<Outcome> {
        let seatless = errors.contains(&RejectionReason::MonitorDisabledNoQuota);
        // Invalid fields change nothing, even if they are judged after the monitor.
        let invalid =
            errors.iter().any(|error| matches!(error, RejectionReason::CheckinValidationFailed { .. }));
        let leaves = seatless || (!invalid && profile::rejections_leave_changes(self.policy.profile));
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
        Decision { transition, outcome: Outcome::Rejected(Rejected { errors }) }
    }
}
