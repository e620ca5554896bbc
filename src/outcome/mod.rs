//! What was decided, and why nothing else was: the answer to "why was there no alert?".

pub mod reference;
mod text;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::field_errors::FieldErrors;
use crate::id::{EnvironmentKey, IncidentId, RunId};
use crate::rejection::RejectionReason;
use crate::row::Deadline;

/// The answer to a check-in.
///
/// ```
/// use overdue::Outcome;
///
/// fn status_code(outcome: &Outcome) -> u16 {
///     match outcome {
///         Outcome::Accepted(_) | Outcome::Ignored(_) => 202,
///         _ => 400,
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The check-in was recorded and its run evaluated.
    Accepted(Accepted),
    /// It contains nothing new; nothing was written.
    Ignored(Ignored),
    /// It was rejected, for all these reasons.
    Rejected(Rejected),
    /// An outcome that only the rules of the reference have.
    Reference(reference::Outcome),
}

/// A check-in that was recorded.
///
/// ```
/// use overdue::outcome::{Accepted, ConfigChange};
///
/// fn warn(accepted: &Accepted) {
///     if let ConfigChange::Invalid(errors) = &accepted.config {
///         eprintln!("{}: the configuration is not used: {errors}", accepted.environment);
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Accepted {
    /// The environment it belongs to.
    pub environment: EnvironmentKey,
    /// The run it is about.
    pub run: RunId,
    /// What it did to the run.
    pub change: RunChange,
    /// What the run means for the environment's health.
    pub health: Effect,
    /// When the next run is expected, and when it is missed. `None` if the schedule has ended.
    pub deadline: Option<Deadline>,
    /// What happened to the configuration it brought.
    pub config: ConfigChange,
}

/// A rejected check-in, with the reasons.
///
/// ```
/// use overdue::outcome::Rejected;
///
/// fn page(rejected: &Rejected) -> String {
///     rejected.errors.iter().map(|error| format!("- {error}\n")).collect()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rejected {
    /// Every reason.
    pub errors: Vec<RejectionReason>,
}

/// The answer to a check-in that is rejected for one reason.
impl From<RejectionReason> for Outcome {
    fn from(error: RejectionReason) -> Self {
        Self::Rejected(Rejected { errors: vec![error] })
    }
}

/// What a check-in did to its run.
///
/// ```
/// use overdue::outcome::RunChange;
///
/// assert_eq!(serde_json::to_string(&RunChange::FinishedLate)?, r#""finished_late""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunChange {
    /// The run is in progress.
    Started,
    /// The run is still in progress, and its timeout has moved.
    Heartbeat,
    /// The run started and ended with this one message.
    Single,
    /// The run was in progress and has finished.
    Finished,
    /// The run had timed out; only its duration was recorded.
    FinishedLate,
    /// The run did not change.
    Unchanged,
}

/// What happened to the configuration that a check-in brought.
///
/// ```
/// use overdue::Outcome;
/// use overdue::outcome::ConfigChange;
///
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// let Outcome::Accepted(accepted) = engine.process_checkin(&message)? else { panic!("not accepted") };
/// assert_eq!(accepted.config, ConfigChange::Created);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConfigChange {
    /// It brought none.
    None,
    /// It created the monitor.
    Created,
    /// It changed the monitor.
    Updated,
    /// The monitor has the same configuration already.
    Unchanged,
    /// It is invalid. The monitor kept its own, and the check-in was processed.
    Invalid(FieldErrors),
}

/// Why a check-in or a due entry had no effect.
///
/// ```
/// use overdue::outcome::Ignored;
///
/// fn why(reason: &Ignored) -> String {
///     match reason {
///         Ignored::Stale { updated_at, .. } => format!("something newer came at {updated_at}"),
///         Ignored::Disabled => "it is not watched".to_owned(),
///         other => format!("{other:?}"),
///     }
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ignored {
    /// The job has already reported how the run ended. A message that it is in progress contains nothing new.
    AlreadyFinished {
        /// The run.
        run: RunId,
    },
    /// The run has timed out. A message that it is in progress does not revive it.
    AlreadyTimedOut {
        /// The run.
        run: RunId,
    },
    /// A message at least as new about the run was processed before.
    Stale {
        /// The run.
        run: RunId,
        /// When the newest message about the run was received.
        updated_at: DateTime<Utc>,
    },
    /// A message without a run id that is at least as new was processed in this environment. Which run this
    /// one kept alive can no longer be determined.
    StaleAnonymous {
        /// When the newest such message was received.
        anonymous_at: DateTime<Utc>,
    },
    /// There is no such monitor, environment or run (any more).
    NotFound,
    /// It is not due (any more): something else was processed first.
    NotDue {
        /// When it will be due.
        due_at: Option<DateTime<Utc>>,
    },
    /// The environment or its monitor is disabled.
    Disabled,
}

/// What a run means for the health of its environment.
///
/// ```
/// use overdue::outcome::HealthEffect;
///
/// /// Why did it not alert?
/// fn why(health: &HealthEffect) -> String {
///     match health {
///         HealthEffect::BelowThreshold { failures, threshold } => format!("{failures} of {threshold} failures"),
///         HealthEffect::NewerFinished { last_result } => format!("a newer run, of {last_result}, finished"),
///         HealthEffect::Opened { alerting, .. } => format!("an incident opened: {alerting:?}"),
///         other => format!("{other:?}"),
///     }
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
#[non_exhaustive]
pub enum HealthEffect {
    /// The environment was healthy and is.
    Healthy,
    /// The first judged run succeeded; the environment is healthy now.
    FirstOk,
    /// The run is in progress, timed out before, or cannot be judged: it does not affect health.
    NoEffect,
    /// A newer check-in was processed: the failure no longer describes the present.
    NewerSeen {
        /// When the newest run started.
        last_checkin: DateTime<Utc>,
    },
    /// A newer run has finished: the timeout no longer describes the present.
    NewerFinished {
        /// When that run started.
        last_result: DateTime<Utc>,
    },
    /// It failed, but too few runs in a row have failed to open an incident: "1 of 3 failures".
    BelowThreshold {
        /// Failures in a row so far.
        failures: u32,
        /// Failures in a row that open an incident.
        threshold: u32,
    },
    /// An incident opened.
    Opened {
        /// The incident.
        incident: IncidentId,
        /// Whether an alert was sent.
        alerting: Alerting,
    },
    /// It failed, and an incident is open already.
    Continued {
        /// The incident.
        incident: IncidentId,
        /// Whether an alert was sent.
        alerting: Alerting,
    },
    /// It succeeded, but too few runs in a row have succeeded to resolve the incident: "1 of 2 successes".
    Recovering {
        /// The incident.
        incident: Option<IncidentId>,
        /// Successes in a row so far.
        successes: u32,
        /// Successes in a row that resolve the incident.
        threshold: u32,
    },
    /// It succeeded, but its result arrived before the newest failure: the incident stays open.
    OlderThanFailure {
        /// The incident.
        incident: IncidentId,
        /// When the newest failed run started.
        last_failure: DateTime<Utc>,
    },
    /// The incident was resolved.
    Resolved {
        /// The incident.
        incident: IncidentId,
        /// Whether an alert was sent.
        alerting: Alerting,
    },
}

/// The effect of a run on the health of its environment, under either set of rules.
///
/// ```
/// use overdue::outcome::{Effect, HealthEffect};
///
/// let effect = Effect::from(HealthEffect::Healthy);
/// assert_eq!(effect, HealthEffect::Healthy);
/// assert_eq!(effect.to_string(), "healthy");
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(clippy::exhaustive_enums, reason = "the effects that both judges know, and those of the reference")]
pub enum Effect {
    /// An effect that the standard rules have.
    Health(HealthEffect),
    /// An effect that only the rules of the reference have.
    Reference(reference::Effect),
}

impl Effect {
    /// Returns the effect under the standard rules, or `None` if only the reference has it.
    pub const fn health(&self) -> Option<&HealthEffect> {
        match self {
            Self::Health(effect) => Some(effect),
            Self::Reference(_) => None,
        }
    }
}

impl From<HealthEffect> for Effect {
    fn from(effect: HealthEffect) -> Self {
        Self::Health(effect)
    }
}

impl From<reference::Effect> for Effect {
    fn from(effect: reference::Effect) -> Self {
        Self::Reference(effect)
    }
}

impl PartialEq<HealthEffect> for Effect {
    fn eq(&self, other: &HealthEffect) -> bool {
        self.health() == Some(other)
    }
}

/// Whether an alert was sent, and if not, why.
///
/// ```
/// use overdue::outcome::Alerting;
///
/// assert_eq!(serde_json::to_string(&Alerting::MonitorMuted)?, r#""monitor_muted""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "every reason for silence")]
pub enum Alerting {
    /// An event was sent.
    Sent,
    /// The monitor is muted.
    MonitorMuted,
    /// The environment is muted.
    EnvironmentMuted,
    /// The incident was never announced, so no resolution is announced either.
    NeverAnnounced,
}

/// What a tick did to one environment or run that was due.
///
/// ```
/// use overdue::outcome::{DueOutcome, TickEffect};
///
/// fn line(outcome: &DueOutcome) -> Option<String> {
///     match &outcome.effect {
///         TickEffect::Missed(_) => Some(format!("{} was missed", outcome.environment)),
///         TickEffect::TimedOut(_) => Some(format!("{} hangs", outcome.environment)),
///         _ => None,
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DueOutcome {
    /// The environment.
    pub environment: EnvironmentKey,
    /// What happened.
    pub effect: TickEffect,
}

/// What a tick decided.
///
/// ```
/// use overdue::outcome::{Effect, HealthEffect, TickEffect};
///
/// # use overdue::Tick;
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// engine.process_checkin(&message)?;
/// let report = engine.tick(Tick::at("2024-09-03T02:01:00Z".parse()?))?;
/// let TickEffect::Missed(run) = &report.outcomes[0].effect else { panic!("not missed") };
/// assert!(matches!(run.health, Effect::Health(HealthEffect::Opened { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TickEffect {
    /// A run was missed.
    Missed(FailedRun),
    /// A run timed out.
    TimedOut(FailedRun),
    /// A run's timeout passed while its monitor was disabled: how it ended is unknown.
    Unknown {
        /// The run.
        run: RunId,
    },
    /// Nothing was written.
    Ignored(Ignored),
}

/// A run that was missed or timed out.
///
/// ```
/// use overdue::outcome::FailedRun;
///
/// fn next(overdue: &FailedRun) -> String {
///     match &overdue.deadline {
///         Some(deadline) => format!("{:?}, next expected at {}", overdue.health, deadline.expected()),
///         None => "the schedule has ended".to_owned(),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FailedRun {
    /// The run.
    pub run: RunId,
    /// What it means for the environment's health.
    pub health: Effect,
    /// When the next run is expected, and when it is missed. `None` if the schedule has ended.
    pub deadline: Option<Deadline>,
}
