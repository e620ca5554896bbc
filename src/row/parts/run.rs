use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{InvalidRow, ensure};
use crate::id::{EnvironmentId, RunId};
use crate::row::RunDuration;
use crate::row::run::{Phase, Reported, Run, RunState, RunStatus};

/// A [`Run`] as columns.
///
/// ```
/// use overdue::row::{InvalidRow, Run, RunParts};
///
/// fn read_back(run: Run) -> Result<Run, InvalidRow> {
///     RunParts::from(run).try_into()
/// }
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a store has a column for each")]
pub struct RunParts {
    /// The run's id.
    pub id: RunId,
    /// The environment it belongs to.
    pub environment: EnvironmentId,
    /// The run's index in its environment, from 0, in order of creation.
    pub number: u32,
    /// The run's status.
    pub status: RunStatus,
    /// When it started, or should have.
    pub started_at: DateTime<Utc>,
    /// When a run was expected.
    pub expected_at: Option<DateTime<Utc>>,
    /// When it times out, or did. Set for runs in progress and unknown ones, and for timed-out runs until a
    /// late completion is recorded.
    pub timeout_at: Option<DateTime<Utc>>,
    /// How long it took. Unset for a missed run, like `closed_by`, `trace_id` and `release`.
    pub duration: Option<RunDuration>,
    /// When the newest message about it was received; the start of a missed run.
    pub updated_at: DateTime<Utc>,
    /// The id derived from the message without a run id that ended it.
    pub closed_by: Option<RunId>,
    /// The trace it reported.
    pub trace_id: Option<Uuid>,
    /// The release it reported.
    pub release: Option<Box<str>>,
}

/// # Errors
/// [`InvalidRow`] names a column that contradicts another.
impl TryFrom<RunParts> for Run {
    type Error = InvalidRow;

    fn try_from(parts: RunParts) -> Result<Self, InvalidRow> {
        let RunParts {
            id,
            environment,
            number,
            status,
            started_at,
            expected_at,
            timeout_at,
            duration,
            updated_at,
            closed_by,
            trace_id,
            release,
        } = parts;
        let run = |state| Run { id, environment, number, started_at, expected_at, state };
        let timed = |phase: fn(DateTime<Utc>) -> Phase| {
            timeout_at.map(phase).ok_or(InvalidRow::new("timeout_at", "must be set of a run in progress"))
        };
        let ended = |phase| {
            ensure(timeout_at.is_none(), "timeout_at", "must not be set of a run that has ended")
                .map(|()| phase)
        };
        let phase = match status {
            RunStatus::InProgress => timed(|timeout_at| Phase::InProgress { timeout_at })?,
            RunStatus::Timeout => Phase::TimedOut { timeout_at },
            RunStatus::Unknown => timed(|timeout_at| Phase::Unknown { timeout_at })?,
            RunStatus::Ok => ended(Phase::Ok)?,
            RunStatus::Error => ended(Phase::Error)?,
            RunStatus::Missed => {
                let missed = "must not be set of a missed run";
                ensure(timeout_at.is_none(), "timeout_at", missed)?;
                ensure(duration.is_none(), "duration", missed)?;
                ensure(closed_by.is_none(), "closed_by", missed)?;
                ensure(trace_id.is_none(), "trace_id", missed)?;
                ensure(release.is_none(), "release", missed)?;
                ensure(updated_at == started_at, "updated_at", "must be the start of a missed run")?;
                return Ok(run(RunState::Missed));
            }
        };
        let reported =
            Reported { phase, duration, updated_at, closed_by, trace_id, release: release.map(Into::into) };
        Ok(run(RunState::Reported(reported)))
    }
}

impl From<Run> for RunParts {
    fn from(run: Run) -> Self {
        let (status, timeout_at, updated_at) = (run.status(), run.timeout_at(), run.updated_at());
        let Run { id, environment, number, started_at, expected_at, state } = run;
        let (duration, closed_by, trace_id, release) = match state {
            RunState::Missed => (None, None, None, None),
            RunState::Reported(Reported {
                duration,
                closed_by,
                trace_id,
                release,
                phase: _,
                updated_at: _,
            }) => (duration, closed_by, trace_id, release.map(|release| release.as_str().into())),
        };
        Self {
            id,
            environment,
            number,
            status,
            started_at,
            expected_at,
            timeout_at,
            duration,
            updated_at,
            closed_by,
            trace_id,
            release,
        }
    }
}
