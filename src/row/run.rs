//! The run row: one run of a job, as its check-ins and the clock describe it.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;

use super::RunDuration;
use super::parts::RunParts;
use crate::id::{EnvironmentId, RunId};

/// One run of a job.
///
/// The version of a run's environment guards the run: every transition that writes a run writes its
/// environment too.
///
/// ```
/// use overdue::row::Run;
///
/// fn line(run: &Run) -> String {
///     match run.duration() {
///         Some(duration) => format!("{} {} after {} ms", run.started_at(), run.status(), duration),
///         None => format!("{} {}", run.started_at(), run.status()),
///     }
/// }
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "RunParts", into = "RunParts")]
pub struct Run {
    pub(crate) id: RunId,
    pub(crate) environment: EnvironmentId,
    /// The run's index in its environment, from 0, in order of creation.
    pub(crate) number: u32,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) expected_at: Option<DateTime<Utc>>,
    pub(crate) state: RunState,
}

/// Whether a run was reported.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RunState {
    /// It was expected at its start, and never reported.
    Missed,
    /// The job reported it.
    Reported(Reported),
}

/// What a job reported about a run, and its state by the clock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Reported {
    pub(crate) phase: Phase,
    pub(crate) duration: Option<RunDuration>,
    /// When the newest message about it was received.
    pub(crate) updated_at: DateTime<Utc>,
    /// The id derived from the message without a run id that ended it.
    pub(crate) closed_by: Option<RunId>,
    pub(crate) trace_id: Option<Uuid>,
    pub(crate) release: Option<SmolStr>,
}

/// The state of a run that was reported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    InProgress {
        timeout_at: DateTime<Utc>,
    },
    Ok,
    Error,
    /// `None` once a late completion was recorded.
    TimedOut {
        timeout_at: Option<DateTime<Utc>>,
    },
    Unknown {
        timeout_at: DateTime<Utc>,
    },
}

impl Phase {
    pub(crate) const fn status(self) -> RunStatus {
        match self {
            Self::InProgress { .. } => RunStatus::InProgress,
            Self::Ok => RunStatus::Ok,
            Self::Error => RunStatus::Error,
            Self::TimedOut { .. } => RunStatus::Timeout,
            Self::Unknown { .. } => RunStatus::Unknown,
        }
    }

    pub(crate) const fn due_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::InProgress { timeout_at } => Some(timeout_at),
            Self::Ok | Self::Error | Self::TimedOut { .. } | Self::Unknown { .. } => None,
        }
    }
}

/// The status of a run.
///
/// ```
/// use overdue::row::RunStatus;
///
/// assert!(RunStatus::Missed.is_failure() && !RunStatus::Missed.is_result());
/// assert_eq!(RunStatus::InProgress.to_string(), "in_progress");
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a store must know every status")]
pub enum RunStatus {
    /// The job reported the start, and not yet the end.
    InProgress,
    /// The run succeeded. Final.
    Ok,
    /// The run failed. Final.
    Error,
    /// The run was expected and never reported.
    Missed,
    /// The run started, and no message about it arrived within its maximum runtime.
    Timeout,
    /// The run cannot be judged: its monitor was disabled when its timeout passed.
    Unknown,
}

impl RunStatus {
    /// Whether the job itself reported how the run ended (I5).
    pub const fn is_result(self) -> bool {
        matches!(self, Self::Ok | Self::Error)
    }

    /// Whether the run counts against its environment.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Error | Self::Missed | Self::Timeout)
    }

    /// Whether the run affects health: it succeeded or failed.
    pub const fn is_judged(self) -> bool {
        matches!(self, Self::Ok) || self.is_failure()
    }

    /// The status in lower case, as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Missed => "missed",
            Self::Timeout => "timeout",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for RunStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is none of the statuses of a run.
///
/// ```
/// use overdue::row::{ParseRunStatusError, RunStatus};
///
/// let error: ParseRunStatusError = "late".parse::<RunStatus>().unwrap_err();
/// assert_eq!(error.to_string(), "a run is in_progress, ok, error, missed, timeout or unknown");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a run is in_progress, ok, error, missed, timeout or unknown")]
#[non_exhaustive]
pub struct ParseRunStatusError;

impl FromStr for RunStatus {
    type Err = ParseRunStatusError;

    /// Parses what [`as_str`](Self::as_str) writes, for a store that keeps the status in a column.
    fn from_str(text: &str) -> Result<Self, ParseRunStatusError> {
        [Self::InProgress, Self::Ok, Self::Error, Self::Missed, Self::Timeout, Self::Unknown]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(ParseRunStatusError)
    }
}

/// The part of a run that failure windows and alerts need.
///
/// ```
/// use overdue::row::{Run, RunSummary};
///
/// fn newest_first(runs: &[Run]) -> Vec<RunSummary> {
///     let mut summaries: Vec<_> = runs.iter().map(Run::summary).collect();
///     summaries.sort_by_key(|run| std::cmp::Reverse(run.order()));
///     summaries
/// }
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "four columns of a run; a store fills them in")]
pub struct RunSummary {
    /// The run's id.
    pub id: RunId,
    /// Its number in its environment.
    pub number: u32,
    /// The run's status.
    pub status: RunStatus,
    /// When it started, or should have.
    pub started_at: DateTime<Utc>,
}

impl RunSummary {
    /// The sort key of runs: by start, then by creation.
    pub const fn order(&self) -> (DateTime<Utc>, u32) {
        (self.started_at, self.number)
    }
}

impl Run {
    /// The run's id: sent by the job, or derived from what made the run.
    pub const fn id(&self) -> RunId {
        self.id
    }

    /// The environment it belongs to.
    pub const fn environment(&self) -> EnvironmentId {
        self.environment
    }

    /// The run's index in its environment, from 0, in order of creation.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The run's status.
    pub const fn status(&self) -> RunStatus {
        match &self.state {
            RunState::Missed => RunStatus::Missed,
            RunState::Reported(reported) => reported.phase.status(),
        }
    }

    /// What the job reported. `None` for a missed run.
    pub(crate) const fn reported(&self) -> Option<&Reported> {
        match &self.state {
            RunState::Missed => None,
            RunState::Reported(reported) => Some(reported),
        }
    }

    /// When it started: when its first message was received, less the duration in that message. For a missed
    /// run, when it was expected.
    pub const fn started_at(&self) -> DateTime<Utc> {
        self.started_at
    }

    /// When a run was expected, as its environment had it at the time.
    pub const fn expected_at(&self) -> Option<DateTime<Utc>> {
        self.expected_at
    }

    /// When it times out, or did. `None` for a missed run, and once the job has reported the end.
    pub const fn timeout_at(&self) -> Option<DateTime<Utc>> {
        match &self.state {
            RunState::Missed => None,
            RunState::Reported(reported) => match reported.phase {
                Phase::InProgress { timeout_at } | Phase::Unknown { timeout_at } => Some(timeout_at),
                Phase::TimedOut { timeout_at } => timeout_at,
                Phase::Ok | Phase::Error => None,
            },
        }
    }

    /// The deadline by which a store lists it: its timeout while it is in progress.
    pub const fn due_at(&self) -> Option<DateTime<Utc>> {
        match &self.state {
            RunState::Missed => None,
            RunState::Reported(reported) => reported.phase.due_at(),
        }
    }

    /// How long it took.
    pub fn duration(&self) -> Option<RunDuration> {
        self.reported()?.duration
    }

    /// When the newest message about it was received. For a missed run, when it was expected.
    pub const fn updated_at(&self) -> DateTime<Utc> {
        match &self.state {
            RunState::Missed => self.started_at,
            RunState::Reported(reported) => reported.updated_at,
        }
    }

    /// The id derived from the message without a run id that ended it. A store finds the run by this id too.
    pub fn closed_by(&self) -> Option<RunId> {
        self.reported()?.closed_by
    }

    /// The trace it reported.
    pub fn trace_id(&self) -> Option<Uuid> {
        self.reported()?.trace_id
    }

    /// The release it reported.
    pub fn release(&self) -> Option<&str> {
        self.reported()?.release.as_deref()
    }

    /// Returns the part that failure windows and alerts need.
    pub const fn summary(&self) -> RunSummary {
        RunSummary { id: self.id, number: self.number, status: self.status(), started_at: self.started_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_as_it_is_written_and_stored() {
        for text in ["in_progress", "ok", "error", "missed", "timeout", "unknown"] {
            let status: RunStatus = text.parse().unwrap();
            assert_eq!(status.to_string(), text);
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("{text:?}"));
        }
        for text in ["", "OK", "ok ", "late"] {
            assert_eq!(text.parse::<RunStatus>(), Err(ParseRunStatusError), "{text:?}");
        }
    }
}
