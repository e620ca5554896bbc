//! What a check-in does to its run: begins it, updates it, ends it, or says nothing new about it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::checkin::{Arrival, Millis, RunRef};
use crate::id::CheckinId;
use crate::key::EnvironmentKey;
use crate::outcome::{Ignored, RunChange};
use crate::policy::{Quirk, Quirks};
use crate::refusal::ProcessingError;
use crate::row::{Environment, Monitor, Run, RunStatus, boxed};
use crate::schedule::start_of_minute;
use crate::store::{Found, PutRun, RunQuery};

use super::dismissal::Dismissal;

/// A run after its check-in.
pub(super) struct Report {
    pub(super) run: Box<Run>,
    pub(super) change: RunChange,
}

impl Report {
    /// Finds the run and updates it, or begins it.
    pub(super) fn of(
        arrival: &Arrival<'_>,
        found: Option<Found>,
        monitor: &Monitor,
        environment: &mut Environment,
        quirks: Quirks,
    ) -> Result<Self, Dismissal> {
        let query = arrival.run;
        if let RunQuery::Unnamed(message) = query {
            unheard(arrival, message, found.as_ref(), environment)?;
        }
        let report = match found {
            Some(Found::Elsewhere(other)) => return Err(elsewhere(arrival, query, &other, quirks).into()),
            Some(Found::Here(run)) => continue_run(run, arrival, query, monitor, quirks)?,
            None => begin(arrival, query, monitor, environment),
        };
        if arrival.checkin.run() == RunRef::Newest {
            environment.unnamed_at = environment.unnamed_at.max(Some(arrival.received_at));
        }
        Ok(report)
    }

    /// What to write of the run. None: it stays as it was, and is judged once more.
    pub(super) fn put(self) -> Option<PutRun> {
        match self.change {
            RunChange::Started | RunChange::Reported => Some(PutRun::New(self.run)),
            RunChange::Heartbeat | RunChange::Finished | RunChange::FinishedLate => {
                Some(PutRun::Changed(self.run))
            }
            RunChange::Unchanged => None,
        }
    }
}

/// Whether an all-zero message is delivered for the first time (I4).
///
/// A run remembers the message that began it and the one that ended it. A heartbeat leaves no id behind; a
/// second delivery is known by its time alone.
fn unheard(
    arrival: &Arrival<'_>,
    message: CheckinId,
    found: Option<&Found>,
    environment: &Environment,
) -> Result<(), Ignored> {
    if let Some(Found::Here(run)) = found
        && (run.id == message || run.closed_by == Some(message))
    {
        return Err(stale(run));
    }
    let newest = environment.unnamed_at.filter(|newest| *newest >= arrival.received_at);
    match newest {
        Some(unnamed_at) if arrival.status() == RunStatus::InProgress => {
            Err(Ignored::StaleUnnamed { unnamed_at })
        }
        _ => Ok(()),
    }
}

/// The run belongs to another environment: it is none of this one's business.
fn elsewhere(
    arrival: &Arrival<'_>,
    query: RunQuery,
    other: &EnvironmentKey,
    quirks: Quirks,
) -> ProcessingError {
    let foreign = other.monitor.project != arrival.project;
    match query {
        RunQuery::Id(guid) if foreign && !quirks.keeps(Quirk::ForeignRunsRevealEnvironment) => {
            ProcessingError::CheckinGuidProjectMismatch { guid }
        }
        _ => ProcessingError::CheckinEnvironmentMismatch { existing_environment: other.name.clone() },
    }
}

/// The run that a check-in begins.
fn begin(arrival: &Arrival<'_>, query: RunQuery, monitor: &Monitor, environment: &mut Environment) -> Report {
    let status = arrival.status();
    let id = match query {
        RunQuery::Id(id) | RunQuery::Unnamed(id) => id,
        RunQuery::NewestOpen | RunQuery::None => {
            let again = Some(environment.version);
            CheckinId::of_message(environment.id, arrival.received_at, status, again)
        }
    };
    let number = environment.runs;
    environment.runs = number.saturating_add(1);
    let started_at = arrival.started_at;
    let run = boxed(|| Run {
        id,
        environment: environment.id,
        number,
        status,
        started_at,
        expected_at: environment.deadline.map(|deadline| deadline.next),
        timeout_at: timeout(status, started_at, monitor),
        duration: arrival.checkin.duration(),
        updated_at: arrival.received_at,
        closed_by: None,
        trace_id: arrival.checkin.trace_id(),
        release: arrival.checkin.release.clone(),
    });
    let change = match status {
        RunStatus::InProgress => RunChange::Started,
        _ => RunChange::Reported,
    };
    Report { run, change }
}

/// When a run times out that was heard of at `heard`: the maximum runtime after that minute.
fn timeout(status: RunStatus, heard: DateTime<Utc>, monitor: &Monitor) -> Option<DateTime<Utc>> {
    let runtime = monitor.config.max_runtime().duration();
    (status == RunStatus::InProgress)
        .then(|| start_of_minute(heard).checked_add_signed(runtime).unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// What a check-in does to a run that exists.
fn continue_run(
    mut run: Box<Run>,
    arrival: &Arrival<'_>,
    query: RunQuery,
    monitor: &Monitor,
    quirks: Quirks,
) -> Result<Report, Dismissal> {
    let unnamed = match query {
        RunQuery::Unnamed(message) => Some(message),
        _ => None,
    };
    let heartbeat = arrival.status() == RunStatus::InProgress;
    match (run.status, heartbeat) {
        (RunStatus::Ok | RunStatus::Error | RunStatus::Missed, false) => {
            let mut errors = vec![ProcessingError::CheckinFinished];
            errors.extend(duration(&run, arrival, quirks).err());
            Err(Dismissal::Refused(errors))
        }
        (RunStatus::Ok | RunStatus::Error | RunStatus::Missed, true) => {
            match quirks.keeps(Quirk::LateInProgressJudgesAgain) {
                true => Ok(Report { run, change: RunChange::Unchanged }),
                false => Err(Ignored::AlreadyFinished { checkin: run.id }.into()),
            }
        }
        (RunStatus::Timeout, true) if !quirks.keeps(Quirk::HeartbeatRevivesTimeout) => {
            Err(Ignored::AlreadyTimedOut { checkin: run.id }.into())
        }
        (RunStatus::Timeout, false) => {
            fresh(&run, arrival, quirks)?;
            update(&mut run, RunStatus::Timeout, arrival, monitor, quirks)?;
            Ok(Report { run, change: RunChange::FinishedLate })
        }
        (RunStatus::InProgress | RunStatus::Timeout | RunStatus::Unknown, true) => {
            match fresh(&run, arrival, quirks) {
                // It is taken down all the same, or a second delivery would begin a run once this one has ended.
                Err(_) if unnamed.is_some() => {
                    return Ok(Report { run, change: RunChange::Unchanged });
                }
                fresh => fresh?,
            }
            update(&mut run, RunStatus::InProgress, arrival, monitor, quirks)?;
            Ok(Report { run, change: RunChange::Heartbeat })
        }
        (RunStatus::InProgress | RunStatus::Unknown, false) => {
            update(&mut run, arrival.status(), arrival, monitor, quirks)?;
            run.closed_by = unnamed;
            Ok(Report { run, change: RunChange::Finished })
        }
    }
}

/// Whether the message is newer than all before it about the run (I4). Asked of messages that do not end it:
/// a result counts however late it comes.
fn fresh(run: &Run, arrival: &Arrival<'_>, quirks: Quirks) -> Result<(), Ignored> {
    let fresh = arrival.received_at > run.updated_at || quirks.keeps(Quirk::StaleHeartbeatsApply);
    if fresh { Ok(()) } else { Err(stale(run)) }
}

const fn stale(run: &Run) -> Ignored {
    Ignored::Stale { checkin: run.id, updated_at: run.updated_at }
}

fn update(
    run: &mut Run,
    status: RunStatus,
    arrival: &Arrival<'_>,
    monitor: &Monitor,
    quirks: Quirks,
) -> Result<(), ProcessingError> {
    run.duration = Some(duration(run, arrival, quirks)?);
    run.status = status;
    run.timeout_at = timeout(status, arrival.received_at, monitor);
    run.updated_at = run.updated_at.max(arrival.received_at);
    run.trace_id = arrival.checkin.trace_id().or(run.trace_id);
    if arrival.checkin.release.is_some() {
        run.release.clone_from(&arrival.checkin.release);
    }
    Ok(())
}

/// What the message says of the duration, or else the time between the run's start and the message, in
/// whichever order they were received.
fn duration(run: &Run, arrival: &Arrival<'_>, quirks: Quirks) -> Result<Millis, ProcessingError> {
    if let Some(duration) = arrival.checkin.duration() {
        return Ok(duration);
    }
    let elapsed = arrival.received_at.signed_duration_since(run.started_at).abs();
    let elapsed = match quirks.keeps(Quirk::DurationsTruncate) {
        true => binary_milliseconds(elapsed),
        false => nearest_millisecond(elapsed),
    };
    Millis::try_from(elapsed).map_err(|_| ProcessingError::CheckinInvalidDuration { duration: elapsed })
}

/// Rounds half up; the span is not negative.
fn nearest_millisecond(span: TimeDelta) -> TimeDelta {
    let rounded = span.checked_add(&TimeDelta::microseconds(500)).unwrap_or(span);
    TimeDelta::try_milliseconds(rounded.num_milliseconds()).unwrap_or(TimeDelta::MAX)
}

/// As the reference system does it: microseconds to seconds to milliseconds in binary fractions, then cut.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the quirk is this loss")]
fn binary_milliseconds(span: TimeDelta) -> TimeDelta {
    let microseconds = span.num_microseconds().unwrap_or(i64::MAX);
    TimeDelta::try_milliseconds((microseconds as f64 / 1e6 * 1e3) as i64).unwrap_or(TimeDelta::MAX)
}
