//! What a message does to its run.

use chrono::TimeDelta;

use crate::admission::ValidCheckin;
use crate::checkin::RunRef;
use crate::id::RunId;
use crate::outcome::{Ignored, RunChange};
use crate::rejection::RejectionReason;
use crate::row::{RunDuration, RunParts, RunStatus};

use super::Model;
use super::checkins::Turned;
use super::jobs::{Time, timeout};

impl Model {
    /// Finds or begins the run, and records the message. Returns the index of the run.
    pub(super) fn report(
        &mut self,
        job: usize,
        place: usize,
        valid: &ValidCheckin<'_>,
    ) -> Result<(usize, RunChange), Turned> {
        let found = match valid.checkin.run() {
            RunRef::Id(id) => self.named(job, place, id)?,
            RunRef::Anonymous => self.anonymous(job, place, valid)?,
        };
        let Some(run) = found else {
            return Ok((self.begin(job, place, valid), RunChange::of_new(valid)));
        };
        let config = self.jobs[job].config.clone();
        let anonymous = valid.checkin.run() == RunRef::Anonymous;
        let message = self.message_id(job, place, valid);
        let stored = &mut self.jobs[job].places[place].runs[run];
        let (old, id) = (valid.received_at <= stored.updated_at, stored.id);
        let stale = Turned::Aside(Ignored::Stale { run: id, updated_at: stored.updated_at });
        let change = match (stored.status, valid.status()) {
            // A finished run is final.
            (RunStatus::Ok | RunStatus::Error | RunStatus::Missed, RunStatus::InProgress) => {
                return Err(Turned::Aside(Ignored::AlreadyFinished { run: id }));
            }
            (RunStatus::Ok | RunStatus::Error | RunStatus::Missed, _) => {
                let too_long = duration(stored, valid).err();
                let errors = [Some(RejectionReason::CheckinFinished), too_long];
                return Err(Turned::Away(errors.into_iter().flatten().collect()));
            }
            // A run that timed out stays timed out. A late completion adds the duration.
            (RunStatus::Timeout, RunStatus::InProgress) => {
                return Err(Turned::Aside(Ignored::AlreadyTimedOut { run: id }));
            }
            (RunStatus::Timeout, _) if old => return Err(stale),
            (RunStatus::Timeout, _) => {
                stored.timeout_at = None;
                RunChange::FinishedLate
            }
            // A heartbeat counts if nothing newer is known. Without a run id, its time is recorded anyway.
            (RunStatus::InProgress | RunStatus::Unknown, RunStatus::InProgress) if old && anonymous => {
                return Ok((run, RunChange::Unchanged));
            }
            (RunStatus::InProgress | RunStatus::Unknown, RunStatus::InProgress) if old => return Err(stale),
            (RunStatus::InProgress | RunStatus::Unknown, RunStatus::InProgress) => {
                stored.status = RunStatus::InProgress;
                stored.timeout_at = Some(timeout(valid.received_at, &config));
                RunChange::Heartbeat
            }
            // A result counts however late it comes.
            (RunStatus::InProgress | RunStatus::Unknown, result) => {
                stored.status = result;
                stored.timeout_at = None;
                stored.closed_by = anonymous.then_some(message);
                RunChange::Finished
            }
        };
        stored.duration = Some(duration(stored, valid)?);
        stored.updated_at = stored.updated_at.max(valid.received_at);
        stored.trace_id = valid.checkin.trace_id().or(stored.trace_id);
        if let Some(release) = valid.checkin.release() {
            stored.release = Some(release.into());
        }
        Ok((run, change))
    }

    /// The run with this id. An error if it belongs to another environment.
    fn named(&self, job: usize, place: usize, id: RunId) -> Result<Option<usize>, Turned> {
        let here = &self.jobs[job].places[place];
        for other in self.jobs.iter().flat_map(|job| &job.places) {
            let Some(run) = other.runs.iter().position(|run| run.id == id) else { continue };
            if other.key == here.key {
                return Ok(Some(run));
            }
            return Err(if other.key.monitor.project == here.key.monitor.project {
                let existing_environment = other.key.name.clone();
                RejectionReason::CheckinEnvironmentMismatch { existing_environment }.into()
            } else {
                RejectionReason::CheckinGuidProjectMismatch { guid: id }.into()
            });
        }
        Ok(None)
    }

    /// The newest run in progress. An error if the message, which has no run id, was delivered before.
    fn anonymous(&self, job: usize, place: usize, valid: &ValidCheckin<'_>) -> Result<Option<usize>, Turned> {
        let message = self.message_id(job, place, valid);
        let place = &self.jobs[job].places[place];
        // It began this run, or ended it.
        if let Some(run) = place.runs.iter().find(|run| run.id == message || run.closed_by == Some(message)) {
            let RunParts { id, updated_at, .. } = *run;
            return Err(Turned::Aside(Ignored::Stale { run: id, updated_at }));
        }
        // Of a heartbeat only its time is kept.
        let newest = place.anonymous.iter().max().copied();
        match newest.filter(|newest| *newest >= valid.received_at) {
            Some(anonymous_at) if valid.status() == RunStatus::InProgress => {
                Err(Turned::Aside(Ignored::StaleAnonymous { anonymous_at }))
            }
            _ => Ok(place.newest_open()),
        }
    }

    /// The derived id of a message without a run id.
    fn message_id(&self, job: usize, place: usize, valid: &ValidCheckin<'_>) -> RunId {
        let place = self.jobs[job].places[place].id();
        RunId::of_message(place, valid.received_at, valid.status().as_str(), None)
    }

    /// Begins a run; its duration dates the start back.
    fn begin(&mut self, job: usize, place: usize, valid: &ValidCheckin<'_>) -> usize {
        let id = match valid.checkin.run() {
            RunRef::Id(id) => id,
            RunRef::Anonymous => self.message_id(job, place, valid),
        };
        let config = self.jobs[job].config.clone();
        let place = &mut self.jobs[job].places[place];
        let duration = valid.checkin.duration();
        let took = duration.map_or(TimeDelta::zero(), RunDuration::duration);
        let started_at = valid.received_at.checked_sub_signed(took).unwrap_or(Time::MIN_UTC);
        let status = valid.status();
        place.runs.push(RunParts {
            id,
            environment: place.id(),
            number: u32::try_from(place.runs.len()).unwrap(),
            status,
            started_at,
            expected_at: place.deadline.map(|(next, _)| next),
            timeout_at: (status == RunStatus::InProgress).then(|| timeout(started_at, &config)),
            duration,
            updated_at: valid.received_at,
            closed_by: None,
            trace_id: valid.checkin.trace_id(),
            release: valid.checkin.release().map(Into::into),
        });
        place.runs.len() - 1
    }
}

impl RunChange {
    fn of_new(valid: &ValidCheckin<'_>) -> Self {
        if valid.status() == RunStatus::InProgress { Self::Started } else { Self::Single }
    }
}

/// The duration that the message gives, or else the time between the start and the message.
fn duration(run: &RunParts, valid: &ValidCheckin<'_>) -> Result<RunDuration, RejectionReason> {
    if let Some(duration) = valid.checkin.duration() {
        return Ok(duration);
    }
    let between = valid.received_at.signed_duration_since(run.started_at).abs();
    let halves = i64::from(between.subsec_nanos() % 1_000_000 >= 500_000);
    let rounded = TimeDelta::milliseconds(between.num_milliseconds() + halves);
    RunDuration::try_from(rounded).map_err(|_| RejectionReason::CheckinInvalidDuration { duration: rounded })
}
