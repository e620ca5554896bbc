//! Starts, continues, finishes and misses runs.

use chrono::{DateTime, TimeDelta, Utc};

use crate::admission::ValidCheckin;
use crate::checkin::CheckinStatus;
use crate::decision::PutRun;
use crate::id::RunId;
use crate::outcome::{Ignored, RunChange};
use crate::rejection::RejectionReason;
use crate::row::{Environment, Monitor, Phase, Reported, Run, RunDuration, RunState, boxed};
use crate::schedule::start_of_minute;

/// A run after its check-in.
pub(super) struct RunUpdate {
    pub(super) run: Box<Run>,
    pub(super) change: RunChange,
}

impl RunUpdate {
    /// Returns what to write of the run. `None` if it did not change, and is only judged again.
    pub(super) fn put(self) -> Option<PutRun> {
        match self.change {
            RunChange::Started | RunChange::Single => Some(PutRun::New(self.run)),
            RunChange::Heartbeat | RunChange::Finished | RunChange::FinishedLate => {
                Some(PutRun::Changed(self.run))
            }
            RunChange::Unchanged => None,
        }
    }
}

/// Starts the run of a check-in.
pub(super) fn begin(
    id: RunId,
    valid: &ValidCheckin<'_>,
    monitor: &Monitor,
    environment: &mut Environment,
) -> RunUpdate {
    let status = valid.checkin.status();
    let number = next_number(environment);
    let run = boxed(|| Run {
        id,
        environment: environment.id,
        number,
        started_at: valid.started_at,
        expected_at: environment.deadline().map(|deadline| deadline.expected),
        state: RunState::Reported(Reported {
            phase: phase(status, valid.started_at, monitor),
            duration: valid.checkin.duration(),
            updated_at: valid.received_at,
            closed_by: None,
            trace_id: valid.checkin.trace_id(),
            release: valid.checkin.release.clone(),
        }),
    });
    let change = match status {
        CheckinStatus::InProgress => RunChange::Started,
        CheckinStatus::Ok | CheckinStatus::Error => RunChange::Single,
    };
    RunUpdate { run, change }
}

/// Makes the run that was expected and missed.
pub(super) fn missed(id: RunId, environment: &mut Environment, expected: DateTime<Utc>) -> Box<Run> {
    let number = next_number(environment);
    boxed(|| Run {
        id,
        environment: environment.id,
        number,
        started_at: expected,
        expected_at: Some(expected),
        state: RunState::Missed,
    })
}

/// Counts one more run, and returns its index.
const fn next_number(environment: &mut Environment) -> u32 {
    let number = environment.runs;
    environment.runs = number.saturating_add(1);
    number
}

/// Returns the state of a run after a check-in that was received at `heard`.
pub(super) fn phase(status: CheckinStatus, heard: DateTime<Utc>, monitor: &Monitor) -> Phase {
    match status {
        CheckinStatus::InProgress => Phase::InProgress { timeout_at: timeout_at(heard, monitor) },
        CheckinStatus::Ok => Phase::Ok,
        CheckinStatus::Error => Phase::Error,
    }
}

/// Returns when a run times out after a message received at `heard`: the maximum runtime after that minute.
pub(super) fn timeout_at(heard: DateTime<Utc>, monitor: &Monitor) -> DateTime<Utc> {
    let runtime = monitor.config.max_runtime().duration();
    start_of_minute(heard).checked_add_signed(runtime).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Records a check-in in its run.
pub(super) fn record(reported: &mut Reported, phase: Phase, duration: RunDuration, valid: &ValidCheckin<'_>) {
    reported.phase = phase;
    reported.duration = Some(duration);
    reported.updated_at = reported.updated_at.max(valid.received_at);
    reported.trace_id = valid.checkin.trace_id().or(reported.trace_id);
    if valid.checkin.release.is_some() {
        reported.release.clone_from(&valid.checkin.release);
    }
}

/// Returns the duration in the message, or else the time between the run's start and the message, in
/// whichever order they were received.
pub(super) fn duration(
    started_at: DateTime<Utc>,
    valid: &ValidCheckin<'_>,
    round: fn(TimeDelta) -> TimeDelta,
) -> Result<RunDuration, RejectionReason> {
    if let Some(duration) = valid.checkin.duration() {
        return Ok(duration);
    }
    let elapsed = round(valid.received_at.signed_duration_since(started_at).abs());
    RunDuration::try_from(elapsed).map_err(|_| RejectionReason::CheckinInvalidDuration { duration: elapsed })
}

/// Rounds half up. The span must not be negative.
pub(super) fn nearest_millisecond(span: TimeDelta) -> TimeDelta {
    let rounded = span.checked_add(&TimeDelta::microseconds(500)).unwrap_or(span);
    TimeDelta::try_milliseconds(rounded.num_milliseconds()).unwrap_or(TimeDelta::MAX)
}

/// Ignores a message that is not newer than what is known of the run.
pub(super) const fn stale(run: RunId, updated_at: DateTime<Utc>) -> Ignored {
    Ignored::Stale { run, updated_at }
}

/// Moves the timeout of a run in progress to follow the monitor's new maximum runtime.
pub(super) fn with_new_timeout(run: &Run, monitor: &Monitor) -> PutRun {
    let mut run = Box::new(run.clone());
    let heard = run.updated_at();
    if let RunState::Reported(Reported { phase: Phase::InProgress { timeout_at: at }, .. }) = &mut run.state {
        *at = timeout_at(heard, monitor);
    }
    PutRun::Changed(run)
}
