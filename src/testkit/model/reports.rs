//! What a message does to its run.

use chrono::TimeDelta;

use crate::checkin::{Arrival, Millis, RunRef};
use crate::id::CheckinId;
use crate::outcome::{Ignored, RunChange};
use crate::refusal::ProcessingError;
use crate::row::{Run, RunStatus};

use super::Model;
use super::checkins::Turned;
use super::jobs::{Time, timeout};

impl Model {
    /// Finds the run, or begins it, and takes down what the message says. Answers which run it is.
    pub(super) fn report(
        &mut self,
        job: usize,
        place: usize,
        arrival: &Arrival<'_>,
    ) -> Result<(usize, RunChange), Turned> {
        let found = match arrival.checkin.run() {
            RunRef::Id(id) => self.named(job, place, id)?,
            RunRef::Newest => self.unnamed(job, place, arrival)?,
        };
        let Some(run) = found else {
            return Ok((self.begin(job, place, arrival), RunChange::of_new(arrival)));
        };
        let config = self.jobs[job].config.clone();
        let unnamed = arrival.checkin.run() == RunRef::Newest;
        let message = self.message_id(job, place, arrival);
        let stored = &mut self.jobs[job].places[place].runs[run];
        let (old, id) = (arrival.received_at <= stored.updated_at, stored.id);
        let stale = Turned::Aside(Ignored::Stale { checkin: id, updated_at: stored.updated_at });
        let change = match (stored.status, arrival.status()) {
            // A finished run is final.
            (RunStatus::Ok | RunStatus::Error | RunStatus::Missed, RunStatus::InProgress) => {
                return Err(Turned::Aside(Ignored::AlreadyFinished { checkin: id }));
            }
            (RunStatus::Ok | RunStatus::Error | RunStatus::Missed, _) => {
                let too_long = duration(stored, arrival).err();
                let errors = [Some(ProcessingError::CheckinFinished), too_long];
                return Err(Turned::Away(errors.into_iter().flatten().collect()));
            }
            // A run that timed out stays so; of a late completion it takes the duration.
            (RunStatus::Timeout, RunStatus::InProgress) => {
                return Err(Turned::Aside(Ignored::AlreadyTimedOut { checkin: id }));
            }
            (RunStatus::Timeout, _) if old => return Err(stale),
            (RunStatus::Timeout, _) => {
                stored.timeout_at = None;
                RunChange::FinishedLate
            }
            // A heartbeat counts if nothing newer is known. Without an id it is taken down all the same.
            (RunStatus::InProgress | RunStatus::Unknown, RunStatus::InProgress) if old && unnamed => {
                return Ok((run, RunChange::Unchanged));
            }
            (RunStatus::InProgress | RunStatus::Unknown, RunStatus::InProgress) if old => return Err(stale),
            (RunStatus::InProgress | RunStatus::Unknown, RunStatus::InProgress) => {
                stored.status = RunStatus::InProgress;
                stored.timeout_at = Some(timeout(arrival.received_at, &config));
                RunChange::Heartbeat
            }
            // A result counts however late it comes.
            (RunStatus::InProgress | RunStatus::Unknown, result) => {
                stored.status = result;
                stored.timeout_at = None;
                stored.closed_by = unnamed.then_some(message);
                RunChange::Finished
            }
        };
        stored.duration = Some(duration(stored, arrival)?);
        stored.updated_at = stored.updated_at.max(arrival.received_at);
        stored.trace_id = arrival.checkin.trace_id().or(stored.trace_id);
        if let Some(release) = arrival.checkin.release() {
            stored.release = Some(release.into());
        }
        Ok((run, change))
    }

    /// The run with this id, wherever it is. It is an error if that is somewhere else.
    fn named(&self, job: usize, place: usize, id: CheckinId) -> Result<Option<usize>, Turned> {
        let here = &self.jobs[job].places[place];
        for other in self.jobs.iter().flat_map(|job| &job.places) {
            let Some(run) = other.runs.iter().position(|run| run.id == id) else { continue };
            if other.key == here.key {
                return Ok(Some(run));
            }
            return Err(if other.key.monitor.project == here.key.monitor.project {
                let existing_environment = other.key.name.clone();
                ProcessingError::CheckinEnvironmentMismatch { existing_environment }.into()
            } else {
                ProcessingError::CheckinGuidProjectMismatch { guid: id }.into()
            });
        }
        Ok(None)
    }

    /// The newest run in progress, for a message without an id that was not delivered before.
    fn unnamed(&self, job: usize, place: usize, arrival: &Arrival<'_>) -> Result<Option<usize>, Turned> {
        let message = self.message_id(job, place, arrival);
        let place = &self.jobs[job].places[place];
        // It began this run, or ended it.
        if let Some(run) = place.runs.iter().find(|run| run.id == message || run.closed_by == Some(message)) {
            let Run { id: checkin, updated_at, .. } = *run;
            return Err(Turned::Aside(Ignored::Stale { checkin, updated_at }));
        }
        // A heartbeat leaves no trace but its time.
        let newest = place.unnamed.iter().max().copied();
        match newest.filter(|newest| *newest >= arrival.received_at) {
            Some(unnamed_at) if arrival.status() == RunStatus::InProgress => {
                Err(Turned::Aside(Ignored::StaleUnnamed { unnamed_at }))
            }
            _ => Ok(place.newest_open()),
        }
    }

    /// What a message without an id is known by.
    fn message_id(&self, job: usize, place: usize, arrival: &Arrival<'_>) -> CheckinId {
        let place = self.jobs[job].places[place].id();
        CheckinId::of_message(place, arrival.received_at, arrival.status(), None)
    }

    /// A new run, dated back by its duration.
    fn begin(&mut self, job: usize, place: usize, arrival: &Arrival<'_>) -> usize {
        let id = match arrival.checkin.run() {
            RunRef::Id(id) => id,
            RunRef::Newest => self.message_id(job, place, arrival),
        };
        let config = self.jobs[job].config.clone();
        let place = &mut self.jobs[job].places[place];
        let duration = arrival.checkin.duration();
        let took = duration.map_or(TimeDelta::zero(), Millis::duration);
        let started_at = arrival.received_at.checked_sub_signed(took).unwrap_or(Time::MIN_UTC);
        let status = arrival.status();
        place.runs.push(Run {
            id,
            environment: place.id(),
            number: u32::try_from(place.runs.len()).unwrap(),
            status,
            started_at,
            expected_at: place.deadline.map(|(next, _)| next),
            timeout_at: (status == RunStatus::InProgress).then(|| timeout(started_at, &config)),
            duration,
            updated_at: arrival.received_at,
            closed_by: None,
            trace_id: arrival.checkin.trace_id(),
            release: arrival.checkin.release().map(Into::into),
        });
        place.runs.len() - 1
    }
}

impl RunChange {
    fn of_new(arrival: &Arrival<'_>) -> Self {
        if arrival.status() == RunStatus::InProgress { Self::Started } else { Self::Reported }
    }
}

/// What the message says of the duration, or else the time between the start and the message.
fn duration(run: &Run, arrival: &Arrival<'_>) -> Result<Millis, ProcessingError> {
    if let Some(duration) = arrival.checkin.duration() {
        return Ok(duration);
    }
    let between = arrival.received_at.signed_duration_since(run.started_at).abs();
    let halves = i64::from(between.subsec_nanos() % 1_000_000 >= 500_000);
    let rounded = TimeDelta::milliseconds(between.num_milliseconds() + halves);
    Millis::try_from(rounded).map_err(|_| ProcessingError::CheckinInvalidDuration { duration: rounded })
}
