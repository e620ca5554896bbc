//! Broken invariants.

use chrono::{DateTime, Utc};

use crate::id::{EnvironmentKey, EventId, IncidentId, MonitorKey, RunId};
use crate::row::{Deadline, EnvironmentStatus, RunStatus};

/// The invariants of the standard profile, by number: see the [crate page](crate#guarantees).
///
/// ```
/// use overdue::testkit::invariants::Invariant;
///
/// assert_eq!(Invariant::I7.to_string(), "I7: a tick leaves nothing due");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "a new guarantee should be noticed")]
pub enum Invariant {
    /// One open incident.
    #[error("I1: at most one incident is open in an environment, and opened and resolved alternate")]
    I1,
    /// Status and incident agree.
    #[error("I2: the status is error exactly while an incident is open")]
    I2,
    /// Decisions are functions.
    #[error("I3: a decision depends on its arguments only")]
    I3,
    /// Repeats change nothing.
    #[error("I4: processing a message again changes nothing")]
    I4,
    /// Results are final.
    #[error("I5: a run that the job has finished is final")]
    I5,
    /// Deadlines lie ahead.
    #[error(
        "I6: a run is expected before it is missed, on whole minutes, later than what it was computed from"
    )]
    I6,
    /// Nothing is left due.
    #[error("I7: a tick leaves nothing due")]
    I7,
    /// Ticks never go back.
    #[error("I8: a tick does what was due, and nothing else")]
    I8,
    /// Mutes silence.
    #[error("I9: muting silences and never changes health; disabling stops both")]
    I9,
    /// Everything or nothing.
    #[error("I10: everything of a transition is written, or nothing")]
    I10,
    /// No panics.
    #[error("I11: no input panics")]
    I11,
    /// Cost.
    #[error("I12: a check-in touches one environment, a tick what is due")]
    I12,
}

/// How an invariant was broken. `Display` begins with its number.
///
/// ```
/// use overdue::row::RunStatus;
/// use overdue::testkit::invariants::{Invariant, Violation};
///
/// let run = "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc".parse()?;
/// let broken = Violation::ResultChanged { run, before: RunStatus::Ok, after: Some(RunStatus::Timeout) };
/// assert_eq!(broken.invariant(), Invariant::I5);
/// assert!(broken.to_string().starts_with("I5: run 5f2ab0c0-"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// I1: an incident was announced while another was.
    #[error("I1: in {environment}, {opened} was opened while {open} was open")]
    IncidentsOverlap {
        /// Where.
        environment: EnvironmentKey,
        /// The incident announced before.
        open: IncidentId,
        /// The incident announced now.
        opened: IncidentId,
    },
    /// I1: an occurrence or a resolution of an incident that is not the announced one.
    #[error("I1: in {environment}, event {event} is about {told}, and announced was {announced:?}")]
    NotAnnounced {
        /// Where.
        environment: EnvironmentKey,
        /// The event.
        event: EventId,
        /// What it is about.
        told: IncidentId,
        /// What was announced and is not over.
        announced: Option<IncidentId>,
    },
    /// I1: the rows tell of an incident that opened before the last one ended, or of none where one opened.
    #[error("I1: in {environment}, {before:?} became {after:?}")]
    IncidentsDoNotAlternate {
        /// Where.
        environment: EnvironmentKey,
        /// How many incidents there had been, and the open one.
        before: (u32, Option<IncidentId>),
        /// And after the step.
        after: (u32, Option<IncidentId>),
    },
    /// I1: an incident ends before it began, or before its newest failure.
    #[error(
        "I1: incident {incident} lasted from {started_at} to {ended_at}, and failed last at {last_failure}"
    )]
    IncidentEndsEarly {
        /// Which.
        incident: IncidentId,
        /// When it began.
        started_at: DateTime<Utc>,
        /// Its newest failure.
        last_failure: DateTime<Utc>,
        /// When it ended.
        ended_at: DateTime<Utc>,
    },
    /// I2: failing without an open incident, or the other way round.
    #[error("I2: {environment} is {status:?}, and its open incident is {open:?}")]
    StatusWithoutIncident {
        /// Where.
        environment: EnvironmentKey,
        /// What its health says.
        status: EnvironmentStatus,
        /// The open incident.
        open: Option<IncidentId>,
    },
    /// I3: the same question was decided in two ways.
    #[error("I3: about {environment} was decided {first} and then {second}")]
    DecidedInTwoWays {
        /// Where.
        environment: EnvironmentKey,
        /// One decision.
        first: String,
        /// The other.
        second: String,
    },
    /// I4: the message, delivered again, would be written again.
    #[error("I4: delivered again, the message of {at} would write {again} in {environment}")]
    RepeatWrites {
        /// Where.
        environment: EnvironmentKey,
        /// When it was received.
        at: DateTime<Utc>,
        /// The decision.
        again: String,
    },
    /// I4: two events have one id.
    #[error("I4: event {event} was told twice")]
    ToldTwice {
        /// The event.
        event: EventId,
    },
    /// I5: a result has changed, or is gone.
    #[error("I5: run {run} was {before} and is {}", after.map_or("gone", RunStatus::as_str))]
    ResultChanged {
        /// Which run.
        run: RunId,
        /// What the job said.
        before: RunStatus,
        /// What the store says now. `None` if it has no such run.
        after: Option<RunStatus>,
    },
    /// I6: an unsound deadline.
    #[error("I6: {environment} is due at {} and missed at {}, computed from {since:?}",
        deadline.expected, deadline.closes)]
    DeadlineBehind {
        /// Where.
        environment: EnvironmentKey,
        /// The deadline.
        deadline: Deadline,
        /// What it was computed from.
        since: Option<DateTime<Utc>>,
    },
    /// I7: something is due after a tick.
    #[error("I7: after the tick of {tick}, {environment} is due at {due_at}; by its run: {run:?}")]
    LeftDue {
        /// The tick.
        tick: DateTime<Utc>,
        /// Where.
        environment: EnvironmentKey,
        /// Since when.
        due_at: DateTime<Utc>,
        /// The run that should have timed out. `None` if a run was not missed.
        run: Option<RunId>,
    },
    /// I8: a tick has judged what was not due, or judged it twice.
    #[error("I8: the tick of {tick} has judged {environment} though it was not due; its run: {run:?}")]
    JudgedUndue {
        /// The tick.
        tick: DateTime<Utc>,
        /// Where.
        environment: EnvironmentKey,
        /// The run that it calls missed or timed out.
        run: RunId,
    },
    /// I9: a failure was announced under a mute.
    #[error("I9: {environment} is muted, and was told of by event {event}")]
    ToldUnderMute {
        /// Where.
        environment: EnvironmentKey,
        /// The event.
        event: EventId,
    },
    /// I9: a mute changed more than alerting.
    #[error("I9: muting has changed {environment} from {before} to {after}")]
    MuteChangedHealth {
        /// Where.
        environment: EnvironmentKey,
        /// The row before.
        before: String,
        /// The row after.
        after: String,
    },
    /// I9: a disabled monitor or environment was judged.
    #[error("I9: {environment} is disabled, and {what}")]
    DisabledJudged {
        /// Where.
        environment: EnvironmentKey,
        /// What was done to it.
        what: String,
    },
    /// I10: what was answered is not what is stored.
    #[error("I10: in {environment}, {what}")]
    HalfWritten {
        /// Where.
        environment: EnvironmentKey,
        /// What is there and what is missing.
        what: String,
    },
    /// I10: an event was emitted although nothing was to be written.
    #[error("I10: event {event} was told, and nothing was to be written")]
    ToldWithoutCause {
        /// The event.
        event: EventId,
    },
    /// I10: a check-in was rejected or ignored, and its monitor changed.
    #[error("I10: {monitor} has changed, and nothing was to be written")]
    WroteAllTheSame {
        /// Which monitor.
        monitor: MonitorKey,
    },
    /// I10: a check-in was rejected, and the sink got no event.
    #[error("I10: a check-in was rejected without an event")]
    RefusedInSilence,
    /// I12: a step has changed an environment that it does not concern.
    #[error("I12: the step has changed {environment}, which it must not touch")]
    TouchedAnother {
        /// Which.
        environment: EnvironmentKey,
    },
    /// I12: a step read or wrote more than it needs.
    #[error("I12: the step {what}")]
    AskedTooMuch {
        /// What it asked for.
        what: String,
    },
}

impl Violation {
    /// Which invariant is broken.
    pub const fn invariant(&self) -> Invariant {
        match self {
            Self::IncidentsOverlap { .. }
            | Self::NotAnnounced { .. }
            | Self::IncidentsDoNotAlternate { .. }
            | Self::IncidentEndsEarly { .. } => Invariant::I1,
            Self::StatusWithoutIncident { .. } => Invariant::I2,
            Self::DecidedInTwoWays { .. } => Invariant::I3,
            Self::RepeatWrites { .. } | Self::ToldTwice { .. } => Invariant::I4,
            Self::ResultChanged { .. } => Invariant::I5,
            Self::DeadlineBehind { .. } => Invariant::I6,
            Self::LeftDue { .. } => Invariant::I7,
            Self::JudgedUndue { .. } => Invariant::I8,
            Self::ToldUnderMute { .. } | Self::MuteChangedHealth { .. } | Self::DisabledJudged { .. } => {
                Invariant::I9
            }
            Self::HalfWritten { .. }
            | Self::ToldWithoutCause { .. }
            | Self::WroteAllTheSame { .. }
            | Self::RefusedInSilence => Invariant::I10,
            Self::TouchedAnother { .. } | Self::AskedTooMuch { .. } => Invariant::I12,
        }
    }
}

/// Why a step was not confirmed.
///
/// ```
/// use overdue::testkit::invariants::{Invariant, InvariantError};
///
/// fn is_ours<E>(error: &InvariantError<E>) -> bool {
///     matches!(error, InvariantError::Violated(violation) if violation.invariant() != Invariant::I10)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "broken, or not known")]
pub enum InvariantError<E> {
    /// An invariant is broken.
    #[error(transparent)]
    Violated(#[from] Violation),
    /// The store could not be read.
    #[error("the store failed")]
    Store(#[source] E),
}
