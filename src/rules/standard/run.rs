//! What a check-in does to its run: starts it, continues it, finishes it, or adds nothing new.

use crate::admission::ValidCheckin;
use crate::checkin::{CheckinStatus, RunRef};
use crate::decision::{RunLookup, RunQuery};
use crate::id::{EnvironmentKey, RunId};
use crate::outcome::{Ignored, RunChange};
use crate::rejection::RejectionReason;
use crate::row::{Environment, Monitor, Phase, Run, RunState};
use crate::rules::early_exit::EarlyExit;
use crate::rules::run::{self, RunUpdate, nearest_millisecond};

/// Applies a check-in to its run, or starts one.
pub(in crate::rules) fn apply(
    valid: &ValidCheckin<'_>,
    found: Option<RunLookup>,
    monitor: &Monitor,
    environment: &mut Environment,
) -> Result<RunUpdate, EarlyExit> {
    let (id, message) = match valid.run {
        RunQuery::Anonymous(message) => (message, Some(message)),
        RunQuery::Id(id) => (id, None),
        RunQuery::None => return Err(Ignored::NotFound.into()),
    };
    if let Some(message) = message {
        first_delivery(valid, message, found.as_ref(), environment)?;
    }
    let update = match found {
        Some(RunLookup::Foreign(other)) => return Err(foreign(valid, id, other).into()),
        Some(RunLookup::Own(run)) => continue_run(run, valid, message, monitor)?,
        None => run::begin(id, valid, monitor, environment),
    };
    if valid.checkin.run() == RunRef::Anonymous {
        environment.anonymous_at = environment.anonymous_at.max(Some(valid.received_at));
    }
    Ok(update)
}

/// Returns an error if a message without a run id was delivered before (I4).
///
/// A run keeps the id of the message that started it and of the one that finished it. A heartbeat leaves no
/// id, so its redelivery is recognised only by its time.
fn first_delivery(
    valid: &ValidCheckin<'_>,
    message: RunId,
    found: Option<&RunLookup>,
    environment: &Environment,
) -> Result<(), Ignored> {
    if let Some(run) = found.and_then(RunLookup::own)
        && (run.id == message || run.closed_by() == Some(message))
    {
        return Err(run::stale(run.id, run.updated_at()));
    }
    let newest = environment.anonymous_at.filter(|newest| *newest >= valid.received_at);
    match (newest, valid.checkin.status()) {
        (Some(anonymous_at), CheckinStatus::InProgress) => Err(Ignored::StaleAnonymous { anonymous_at }),
        (Some(_), CheckinStatus::Ok | CheckinStatus::Error) | (None, _) => Ok(()),
    }
}

/// The run belongs to another environment, perhaps to one of another project.
fn foreign(valid: &ValidCheckin<'_>, guid: RunId, other: EnvironmentKey) -> RejectionReason {
    if other.monitor.project == valid.project {
        RejectionReason::CheckinEnvironmentMismatch { existing_environment: other.name }
    } else {
        RejectionReason::CheckinGuidProjectMismatch { guid }
    }
}

/// Applies a check-in to an existing run. `message` is the id derived from a message without a run id.
fn continue_run(
    mut run: Box<Run>,
    valid: &ValidCheckin<'_>,
    message: Option<RunId>,
    monitor: &Monitor,
) -> Result<RunUpdate, EarlyExit> {
    let (id, started_at, status) = (run.id, run.started_at, valid.checkin.status());
    let duration = || run::duration(started_at, valid, nearest_millisecond);
    let RunState::Reported(reported) = &mut run.state else {
        return Err(finished(id, status, duration().err()));
    };
    let fresh = valid.received_at > reported.updated_at;
    let stale = || EarlyExit::from(run::stale(id, reported.updated_at));
    let change = match (reported.phase, status) {
        (Phase::Ok | Phase::Error, _) => return Err(finished(id, status, duration().err())),
        (Phase::TimedOut { .. }, CheckinStatus::InProgress) => {
            return Err(Ignored::AlreadyTimedOut { run: id }.into());
        }
        (Phase::TimedOut { .. }, CheckinStatus::Ok | CheckinStatus::Error) => {
            if !fresh {
                return Err(stale());
            }
            run::record(reported, Phase::TimedOut { timeout_at: None }, duration()?, valid);
            RunChange::FinishedLate
        }
        (Phase::InProgress { .. } | Phase::Unknown { .. }, CheckinStatus::InProgress) if fresh => {
            let phase = run::phase(status, valid.received_at, monitor);
            run::record(reported, phase, duration()?, valid);
            RunChange::Heartbeat
        }
        (Phase::InProgress { .. } | Phase::Unknown { .. }, CheckinStatus::InProgress) => {
            // The time of a message without a run id is recorded anyway; otherwise a redelivery after the run
            // has ended would start a new one.
            message.ok_or_else(stale)?;
            RunChange::Unchanged
        }
        (Phase::InProgress { .. } | Phase::Unknown { .. }, CheckinStatus::Ok | CheckinStatus::Error) => {
            run::record(reported, run::phase(status, valid.received_at, monitor), duration()?, valid);
            reported.closed_by = message;
            RunChange::Finished
        }
    };
    Ok(RunUpdate { run, change })
}

/// Answers a check-in for a run that has its result already, or was missed.
fn finished(run: RunId, status: CheckinStatus, duration: Option<RejectionReason>) -> EarlyExit {
    match status {
        CheckinStatus::InProgress => Ignored::AlreadyFinished { run }.into(),
        CheckinStatus::Ok | CheckinStatus::Error => {
            EarlyExit::Rejected([RejectionReason::CheckinFinished].into_iter().chain(duration).collect())
        }
    }
}
