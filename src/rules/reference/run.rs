//! What a check-in does to its run.

use chrono::TimeDelta;

use crate::admission::ValidCheckin;
use crate::checkin::{CheckinStatus, RunRef};
use crate::decision::{RunLookup, RunQuery};
use crate::id::{EnvironmentKey, RunId};
use crate::outcome::{Ignored, RunChange};
use crate::policy::{Quirk, Quirks};
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
    quirks: Quirks,
) -> Result<RunUpdate, EarlyExit> {
    let message = match valid.run {
        RunQuery::Anonymous(message) => Some(message).filter(|message| *message != RunId::NIL),
        RunQuery::Id(_) | RunQuery::None => None,
    };
    if let Some(message) = message {
        first_delivery(valid, message, found.as_ref(), environment)?;
    }
    let update = match found {
        Some(RunLookup::Foreign(other)) => return Err(foreign(valid, other, quirks).into()),
        Some(RunLookup::Own(run)) => continue_run(run, valid, message, monitor, quirks)?,
        None => run::begin(run_id(valid, message, environment), valid, monitor, environment),
    };
    if valid.checkin.run() == RunRef::Anonymous {
        environment.anonymous_at = environment.anonymous_at.max(Some(valid.received_at));
    }
    Ok(update)
}

/// Returns the id of the run that a check-in starts. A message without a run id that may repeat gets another
/// each time.
fn run_id(valid: &ValidCheckin<'_>, message: Option<RunId>, environment: &Environment) -> RunId {
    match (valid.run, message) {
        (RunQuery::Id(id), _) | (_, Some(id)) => id,
        (RunQuery::Anonymous(_) | RunQuery::None, None) => {
            let status = valid.checkin.status().as_str();
            let again = Some(environment.version.number());
            RunId::of_message(environment.id, valid.received_at, status, again)
        }
    }
}

/// Returns a number that distinguishes repeated misses of one expected time, where quirks allow them.
pub(in crate::rules) fn again(environment: &Environment, quirks: Quirks) -> Option<u64> {
    quirks.misses_repeat().then_some(environment.version.number())
}

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

fn foreign(valid: &ValidCheckin<'_>, other: EnvironmentKey, quirks: Quirks) -> RejectionReason {
    let other_project = other.monitor.project != valid.project;
    match valid.run {
        RunQuery::Id(guid) if other_project && !quirks.keeps(Quirk::ForeignRunsRevealEnvironment) => {
            RejectionReason::CheckinGuidProjectMismatch { guid }
        }
        RunQuery::Id(_) | RunQuery::Anonymous(_) | RunQuery::None => {
            RejectionReason::CheckinEnvironmentMismatch { existing_environment: other.name }
        }
    }
}

/// Applies a check-in to an existing run. `message` is the id derived from a message without a run id.
fn continue_run(
    mut run: Box<Run>,
    valid: &ValidCheckin<'_>,
    message: Option<RunId>,
    monitor: &Monitor,
    quirks: Quirks,
) -> Result<RunUpdate, EarlyExit> {
    let (id, started_at, status) = (run.id, run.started_at, valid.checkin.status());
    let round = match quirks.keeps(Quirk::DurationsTruncate) {
        true => binary_milliseconds,
        false => nearest_millisecond,
    };
    let duration = || run::duration(started_at, valid, round);
    let heartbeat = status == CheckinStatus::InProgress;
    let reported = match &mut run.state {
        RunState::Reported(reported) if !matches!(reported.phase, Phase::Ok | Phase::Error) => reported,
        RunState::Missed | RunState::Reported(_) => {
            return match (heartbeat, quirks.keeps(Quirk::LateInProgressJudgesAgain)) {
                (true, true) => Ok(RunUpdate { run, change: RunChange::Unchanged }),
                (true, false) => Err(Ignored::AlreadyFinished { run: id }.into()),
                (false, _) => Err(EarlyExit::Rejected(
                    [RejectionReason::CheckinFinished].into_iter().chain(duration().err()).collect(),
                )),
            };
        }
    };
    let fresh = valid.received_at > reported.updated_at || quirks.keeps(Quirk::StaleHeartbeatsApply);
    let stale = || EarlyExit::from(run::stale(id, reported.updated_at));
    let timed_out = matches!(reported.phase, Phase::TimedOut { .. });
    let change = match (timed_out, heartbeat) {
        (true, true) if !quirks.keeps(Quirk::HeartbeatRevivesTimeout) => {
            return Err(Ignored::AlreadyTimedOut { run: id }.into());
        }
        (true, false) => {
            if !fresh {
                return Err(stale());
            }
            run::record(reported, Phase::TimedOut { timeout_at: None }, duration()?, valid);
            RunChange::FinishedLate
        }
        (_, true) if fresh => {
            run::record(reported, run::phase(status, valid.received_at, monitor), duration()?, valid);
            RunChange::Heartbeat
        }
        (_, true) => {
            message.ok_or_else(stale)?;
            RunChange::Unchanged
        }
        (false, false) => {
            run::record(reported, run::phase(status, valid.received_at, monitor), duration()?, valid);
            reported.closed_by = message;
            RunChange::Finished
        }
    };
    Ok(RunUpdate { run, change })
}

/// Rounds like the reference: from microseconds to seconds to milliseconds in binary fractions, then
/// truncates.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the quirk is this loss")]
fn binary_milliseconds(span: TimeDelta) -> TimeDelta {
    let microseconds = span.num_microseconds().unwrap_or(i64::MAX);
    TimeDelta::try_milliseconds((microseconds as f64 / 1e6 * 1e3) as i64).unwrap_or(TimeDelta::MAX)
}
