//! What was decided, and why nothing else was: the answer to "why did it not alert?".

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
    /// It says nothing new; nothing was written.
    Ignored(Ignored),
    /// It was rejected, for all these reasons.
    Rejected(Rejected),
    /// What only the rules of the reference answer.
    Reference(reference::Outcome),
}

/// A check-in that was taken down.
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
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// The run it is about.
    pub run: RunId,
    /// What it did to the run.
    pub change: RunChange,
    /// What the run said about the environment.
    pub health: Effect,
    /// When the next run is expected, and when it is missed. None when the schedule has ended.
    pub deadline: Option<Deadline>,
    /// What became of the configuration it brought.
    pub config: ConfigChange,
}

/// Rejected, and why.
///
/// ```
/// use overdue::outcome::Rejected;
///
/// fn page(refused: &Rejected) -> String {
///     refused.errors.iter().map(|error| format!("- {error}\n")).collect()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rejected {
    /// Every reason.
    pub errors: Vec<RejectionReason>,
}

/// The answer to a check-in that is refused for one reason.
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
    /// The run began and ended with this one message.
    Single,
    /// The run was in progress and has ended.
    Finished,
    /// The run had timed out; only its duration was taken down.
    FinishedLate,
    /// The run stays as it was.
    Unchanged,
}

/// What became of the configuration that a check-in brought.
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
    /// The monitor has it already.
    Unchanged,
    /// It is invalid. The monitor keeps its own, and the check-in went on.
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
    /// The job has already said how the run ended; that it is in progress says nothing new.
    AlreadyFinished {
        /// The run.
        run: RunId,
    },
    /// The run has timed out, and stays so.
    AlreadyTimedOut {
        /// The run.
        run: RunId,
    },
    /// A message at least as new about the run has been seen.
    Stale {
        /// The run.
        run: RunId,
        /// When the newest message about it was received.
        updated_at: DateTime<Utc>,
    },
    /// An all-zero message at least as new has been seen in this environment, and which run this one kept
    /// alive can no longer be told.
    StaleAnonymous {
        /// When the newest was received.
        anonymous_at: DateTime<Utc>,
    },
    /// There is no such monitor, environment or run (any more).
    NotFound,
    /// It is not due (any more): something else arrived first.
    NotDue {
        /// When it will be due.
        due_at: Option<DateTime<Utc>>,
    },
    /// The environment or its monitor is disabled.
    Disabled,
}

/// What a run said about its environment.
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
    /// Nothing was judged before; the environment is healthy now.
    FirstOk,
    /// The run is in progress, timed out before, or cannot be judged: it says nothing about health.
    NoEffect,
    /// A newer check-in has been seen: the failure says nothing about the present.
    NewerSeen {
        /// When the newest run started.
        last_checkin: DateTime<Utc>,
    },
    /// A newer run has finished: the timeout says nothing about the present.
    NewerFinished {
        /// When that run started.
        last_result: DateTime<Utc>,
    },
    /// It failed, and too few runs in a row have for an incident: "1 of 3 failures".
    BelowThreshold {
        /// Failures in a row so far.
        failures: u32,
        /// So many open an incident.
        threshold: u32,
    },
    /// An incident opened.
    Opened {
        /// The incident.
        incident: IncidentId,
        /// Whether anybody was told.
        alerting: Alerting,
    },
    /// It failed, and an incident is open already.
    Continued {
        /// The incident.
        incident: IncidentId,
        /// Whether anybody was told.
        alerting: Alerting,
    },
    /// It succeeded, and too few runs in a row have to end the incident: "1 of 2 successes".
    Recovering {
        /// The incident.
        incident: Option<IncidentId>,
        /// Successes in a row so far.
        successes: u32,
        /// So many end the incident.
        threshold: u32,
    },
    /// It succeeded, but its result arrived before the newest failure: the incident stays open.
    OlderThanFailure {
        /// The incident.
        incident: IncidentId,
        /// When the newest failing run started.
        last_failure: DateTime<Utc>,
    },
    /// The incident is over.
    Resolved {
        /// The incident.
        incident: IncidentId,
        /// Whether anybody was told.
        alerting: Alerting,
    },
}

/// What a run meant for the health of its environment, by whichever rules.
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
    /// An effect that the standard rules know.
    Health(HealthEffect),
    /// An effect that only the rules of the reference have.
    Reference(reference::Effect),
}

impl Effect {
    /// The effect by the standard rules. `None` for one that only the reference has.
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

/// Whether anybody was told, and if not, why.
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
    /// The incident was never announced, so there is nothing to take back.
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
    /// Which environment.
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
    /// A run's time is up while its monitor is not watched: what became of it is unknown.
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
    /// What it said about its environment.
    pub health: Effect,
    /// When the next run is expected, and when it is missed. None when the schedule has ended.
    pub deadline: Option<Deadline>,
}
