//! Takes the ops of a trace to the engine, one by one.

use chrono::{DateTime, Utc};
use overdue::admission::RateLimiter;
use overdue::checkin::RunRef;
use overdue::clock::Tick;
use overdue::id::{EnvironmentName, MonitorKey, OrganizationId, ProjectId, Slug};
use overdue::outcome::Outcome;
use overdue::rejection::RejectionReason;
use overdue::row::MonitorStatus;
use overdue::rules::{Edit, EditError};
use overdue::wire::{Body, Message, reference};
use overdue::{AdminError, Engine, Policy};
use serde_json::Value;

use super::ledger::{Ledger, show_error};
use super::recorder::Recorder;
use super::{Fallible, Op, OpKind, TraceLimits};

const ORGANIZATION: OrganizationId = OrganizationId::new(1);

/// One trace on its way.
pub(crate) struct Player {
    engine: Engine<Recorder>,
    ledger: Ledger,
    /// The time of the op before, for ops that have none.
    now: DateTime<Utc>,
}

impl Player {
    pub(crate) fn new(policy: &Policy, limits: TraceLimits) -> Self {
        let mut policy = policy.clone();
        policy.limits.monitors = limits.max_monitors;
        policy.limits.environments = limits.max_environments_per_monitor;
        let limiter = limits.rate_limit.map(RateLimiter::new);
        Self {
            engine: Engine::new(Recorder::default(), policy).with_admission(limiter),
            ledger: Ledger::default(),
            now: DateTime::UNIX_EPOCH,
        }
    }

    /// The outcomes of these ops, in the format of the traces.
    pub(crate) fn play(mut self, ops: &[Op]) -> Fallible<Vec<Value>> {
        ops.iter().map(|op| self.step(op)).collect()
    }

    pub(crate) fn step(&mut self, op: &Op) -> Fallible<Value> {
        self.now = op.at.unwrap_or(self.now);
        let mut errors = Vec::new();
        let mut commits = Vec::new();
        match op.op {
            OpKind::Checkin => {
                errors = self.checkin(op)?;
                commits = self.engine.store().take();
            }
            OpKind::Tick => {
                // The traces list what a tick does by order of creation.
                let tick = Tick::at(self.now);
                self.engine.check_missed(tick)?;
                commits = self.engine.store().take();
                commits.sort_by_key(|commit| self.ledger.creation_of_environment(commit));
                self.engine.check_timeouts(tick)?;
                let mut timeouts = self.engine.store().take();
                timeouts.sort_by_key(|commit| self.ledger.creation_of_run(commit));
                commits.append(&mut timeouts);
            }
            OpKind::CreateMonitor => {
                let config = op.config.as_ref().ok_or("a create_monitor without a config")?;
                errors = self.create(&monitor(op)?, config.get())?;
                self.engine.store().take();
            }
            OpKind::Mute | OpKind::Disable => {
                match self.engine.edit_monitor(&monitor(op)?, &edit(op)?, self.now) {
                    Ok(_) | Err(AdminError::Rejected(_)) => {}
                    Err(error) => return Err(error.into()),
                }
                self.engine.store().take();
            }
        }
        Ok(self.ledger.outcome(&self.engine.store().rows, &errors, &commits))
    }

    /// The errors of a check-in.
    fn checkin(&mut self, op: &Op) -> Fallible<Vec<Value>> {
        let payload = op.payload.as_ref().ok_or("a checkin without a payload")?.get().as_bytes();
        let message = Message::new(ORGANIZATION, ProjectId::new(op.project_id), self.now, payload.to_vec());
        let anonymous = match &message.body {
            Body::Json(payload) => payload.run() == Ok(RunRef::Anonymous),
            Body::Checkin(_) | Body::Malformed(_) => false,
        };
        match self.engine.process_checkin(&message)? {
            Outcome::Accepted(accepted) => {
                if anonymous {
                    self.ledger.expect_generated(accepted.run);
                }
                Ok(Vec::new())
            }
            Outcome::Rejected(rejected) => rejected.errors.iter().map(show_error).collect(),
            _ => Ok(Vec::new()),
        }
    }

    /// The errors of creating a monitor.
    fn create(&self, key: &MonitorKey, config: &str) -> Fallible<Vec<Value>> {
        let config = match reference::config(config.as_bytes(), self.engine.policy().profile.quirks()) {
            Ok(Some(update)) => update.create(),
            Ok(None) => return Ok(Vec::new()),
            Err(errors) => return Ok(vec![show_error(&RejectionReason::MonitorInvalidConfig { errors })?]),
        };
        match self.engine.create_monitor(ORGANIZATION, key, &config) {
            Err(AdminError::Rejected(EditError::MonitorLimit { limit })) => {
                Ok(vec![show_error(&RejectionReason::MonitorLimitExceeded { limit })?])
            }
            other => other.map(|_| Vec::new()).map_err(Into::into),
        }
    }
}

fn monitor(op: &Op) -> Fallible<MonitorKey> {
    Ok(MonitorKey { project: ProjectId::new(op.project_id), slug: Slug::normalize(&op.slug)? })
}

fn edit(op: &Op) -> Fallible<Edit> {
    Ok(match (op.op, &op.environment) {
        (OpKind::Disable, _) if op.disabled => Edit::Status(MonitorStatus::Disabled),
        (OpKind::Disable, _) => Edit::Status(MonitorStatus::Active),
        (_, Some(name)) => Edit::EnvironmentMuted(EnvironmentName::try_from(name.clone())?, op.muted),
        (_, None) => Edit::Muted(op.muted),
    })
}
