//! What was decided, and why nothing else was: the answer to "why did it not alert?".

mod text;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::checkin::FieldErrors;
use crate::id::{CheckinId, IncidentId};
use crate::key::EnvironmentKey;
use crate::refusal::ProcessingError;
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
    /// It was taken down and judged.
    Accepted(Accepted),
    /// It says nothing new; nothing was written.
    Ignored(Ignored),
    /// It was refused, for all these reasons.
    Refused(Refused),
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
    pub checkin: CheckinId,
    /// What it did to the run.
    pub change: RunChange,
    /// What the run said about the environment.
    pub judgement: Judgement,
    /// When the next run is expected, and when it is missed. None when the schedule has ended.
    pub deadline: Option<Deadline>,
    /// What became of the configuration it brought.
    pub config: ConfigChange,
}

/// Refused, and why.
///
/// ```
/// use overdue::outcome::Refused;
///
/// fn page(refused: &Refused) -> String {
///     refused.errors.iter().map(|error| format!("- {error}\n")).collect()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Refused {
    /// Every reason.
    pub errors: Vec<ProcessingError>,
}

/// The answer to a check-in that is refused for one reason.
impl From<ProcessingError> for Outcome {
    fn from(error: ProcessingError) -> Self {
        Self::Refused(Refused { errors: vec![error] })
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
    Reported,
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

/// Why a check-in or a deadline was let pass.
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
        checkin: CheckinId,
    },
    /// The run has timed out, and stays so.
    AlreadyTimedOut {
        /// The run.
        checkin: CheckinId,
    },
    /// A message at least as new about the run has been seen.
    Stale {
        /// The run.
        checkin: CheckinId,
        /// When the newest message about it was received.
        updated_at: DateTime<Utc>,
    },
    /// An all-zero message at least as new has been seen in this environment, and which run this one kept
    /// alive can no longer be told.
    StaleUnnamed {
        /// When the newest was received.
        unnamed_at: DateTime<Utc>,
    },
    /// It brought a configuration that can never work: only
    /// [`Quirk::UnusableConfigsSwallow`](crate::policy::Quirk::UnusableConfigsSwallow) leads here.
    UnusableConfig,
    /// There is no such monitor, environment or run (any more).
    Gone,
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
/// use overdue::outcome::Judgement;
///
/// /// Why did it not alert?
/// fn why(judgement: &Judgement) -> String {
///     match judgement {
///         Judgement::BelowThreshold { failures, threshold } => format!("{failures} of {threshold} failures"),
///         Judgement::NewerFinished { last_result } => format!("a newer run, of {last_result}, finished"),
///         Judgement::Opened { notice, .. } => format!("an incident opened: {notice:?}"),
///         other => format!("{other:?}"),
///     }
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "judgement", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Judgement {
    /// The environment was healthy and is.
    Healthy,
    /// Nothing was judged before; the environment is healthy now.
    FirstOk,
    /// The run is in progress, timed out before, or cannot be judged: it says nothing about health.
    SaysNothing,
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
        notice: Notice,
    },
    /// It failed, and an incident is open already.
    Continued {
        /// The incident.
        incident: IncidentId,
        /// Whether anybody was told.
        notice: Notice,
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
        notice: Notice,
    },
    /// In the mode without incidents: it failed.
    Failed {
        /// Whether anybody was told.
        notice: Notice,
    },
    /// In the mode without incidents, or after a quirk has lost the incident: healthy again.
    Recovered,
    /// Failing without an incident, after a quirk has lost it: nobody is told.
    Stranded,
    /// The judgement was abandoned: only
    /// [`Quirk::MissingSlotStopsTick`](crate::policy::Quirk::MissingSlotStopsTick) leads here.
    Abandoned,
}

/// Whether anybody was told, and if not, why.
///
/// ```
/// use overdue::outcome::Notice;
///
/// assert_eq!(serde_json::to_string(&Notice::MonitorMuted)?, r#""monitor_muted""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "every reason for silence")]
pub enum Notice {
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
/// use overdue::outcome::{TickOutcome, Verdict};
///
/// fn line(outcome: &TickOutcome) -> Option<String> {
///     match &outcome.verdict {
///         Verdict::Missed(_) => Some(format!("{} was missed", outcome.environment)),
///         Verdict::TimedOut(_) => Some(format!("{} hangs", outcome.environment)),
///         _ => None,
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TickOutcome {
    /// Which environment.
    pub environment: EnvironmentKey,
    /// What happened.
    pub verdict: Verdict,
}

/// What a tick decided.
///
/// ```
/// use overdue::outcome::{Judgement, Verdict};
///
/// # use overdue::Tick;
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// engine.process_checkin(&message)?;
/// let report = engine.tick(Tick::at("2024-09-03T02:01:00Z".parse()?))?;
/// let Verdict::Missed(run) = &report.outcomes[0].verdict else { panic!("not missed") };
/// assert!(matches!(run.judgement, Judgement::Opened { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// A run was missed.
    Missed(Overdue),
    /// A run timed out.
    TimedOut(Overdue),
    /// A run's time is up while its monitor is not watched: what became of it is unknown.
    Unknown {
        /// The run.
        checkin: CheckinId,
    },
    /// Nothing was written.
    Ignored(Ignored),
}

/// A run that was missed or timed out.
///
/// ```
/// use overdue::outcome::Overdue;
///
/// fn next(overdue: &Overdue) -> String {
///     match &overdue.deadline {
///         Some(deadline) => format!("{:?}, next expected at {}", overdue.judgement, deadline.next()),
///         None => "the schedule has ended".to_owned(),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Overdue {
    /// The run.
    pub checkin: CheckinId,
    /// What it said about its environment.
    pub judgement: Judgement,
    /// When the next run is expected, and when it is missed. None when the schedule has ended.
    pub deadline: Option<Deadline>,
}
