//! Missed runs and timeouts.

use crate::id::RunId;
use crate::outcome::{DueOutcome, FailedRun, HealthEffect, TickEffect};
use crate::row::{RunParts, RunStatus};
use crate::{Event, Tick, TickReport};

use super::Model;
use super::jobs::Time;

impl Model {
    /// Misses first, then timeouts; in order of deadline, of environment, of creation.
    pub(super) fn tick(&mut self, tick: Tick) -> (TickReport, Vec<Event>) {
        let (now, mut outcomes, mut events) = (tick.time(), Vec::new(), Vec::new());
        for (job, place) in self.missing(now) {
            outcomes.push(self.miss(job, place, now, &mut events));
        }
        for (job, place, run) in self.hanging(now) {
            outcomes.push(self.time_out(job, place, run, now, &mut events));
        }
        (TickReport { tick, outcomes }, events)
    }

    /// The environments whose run is missed.
    fn missing(&self, now: Time) -> Vec<(usize, usize)> {
        let mut missing = Vec::new();
        for (nth, job) in self.jobs.iter().enumerate().filter(|(_, job)| job.is_active()) {
            for (mth, place) in job.places.iter().enumerate().filter(|(_, place)| !place.disabled) {
                if let Some((_, latest)) = place.deadline.filter(|(_, latest)| *latest <= now) {
                    missing.push((latest, &place.key, (nth, mth)));
                }
            }
        }
        missing.sort();
        missing.into_iter().map(|(_, _, found)| found).collect()
    }

    /// The runs that time out.
    fn hanging(&self, now: Time) -> Vec<(usize, usize, usize)> {
        let mut hanging = Vec::new();
        for (nth, job) in self.jobs.iter().enumerate() {
            for (mth, place) in job.places.iter().enumerate() {
                for (lth, run) in place.runs.iter().enumerate() {
                    let open = run.status == RunStatus::InProgress;
                    if let Some(timeout) = run.timeout_at.filter(|timeout| open && *timeout <= now) {
                        hanging.push((timeout, &place.key, lth, (nth, mth)));
                    }
                }
            }
        }
        hanging.sort();
        hanging.into_iter().map(|(_, _, run, (job, place))| (job, place, run)).collect()
    }

    fn miss(&mut self, job: usize, place: usize, now: Time, events: &mut Vec<Event>) -> DueOutcome {
        let here = &mut self.jobs[job].places[place];
        let (expected, _) = here.deadline.unwrap();
        let newest = here.last_checkin();
        here.runs.push(RunParts {
            id: RunId::of_missed(here.id(), expected, None),
            environment: here.id(),
            number: u32::try_from(here.runs.len()).unwrap(),
            status: RunStatus::Missed,
            started_at: expected,
            expected_at: Some(expected),
            timeout_at: None,
            duration: None,
            updated_at: expected,
            closed_by: None,
            trace_id: None,
            release: None,
        });
        let run = here.runs.len() - 1;
        let from = self.last_slot(job, expected, now);
        let health = self.mark_failed(job, place, run, from, newest, events);
        self.effect(job, place, run, health, TickEffect::Missed)
    }

    fn time_out(
        &mut self,
        job: usize,
        place: usize,
        run: usize,
        now: Time,
        events: &mut Vec<Event>,
    ) -> DueOutcome {
        let watched = self.jobs[job].is_active() && !self.jobs[job].places[place].disabled;
        let here = &mut self.jobs[job].places[place];
        if !watched {
            here.runs[run].status = RunStatus::Unknown;
            let effect = TickEffect::Unknown { run: here.runs[run].id };
            return DueOutcome { environment: here.key.clone(), effect };
        }
        here.runs[run].status = RunStatus::Timeout;
        let started = here.runs[run].started_at;
        let newest = here.last_checkin();
        let health = match here.last_result().filter(|result| *result > started) {
            Some(last_result) => HealthEffect::NewerFinished { last_result },
            None => {
                let from = self.last_slot(job, started, now);
                self.mark_failed(job, place, run, from, newest, events)
            }
        };
        self.effect(job, place, run, health, TickEffect::TimedOut)
    }

    /// The last scheduled time before now, searched from `start`; now, if there is none.
    fn last_slot(&self, job: usize, start: Time, now: Time) -> Time {
        self.jobs[job].config.schedule().previous(start, now).unwrap_or(now)
    }

    fn effect(
        &self,
        job: usize,
        place: usize,
        run: usize,
        health: HealthEffect,
        effect: fn(FailedRun) -> TickEffect,
    ) -> DueOutcome {
        let here = &self.jobs[job].places[place];
        let failed = FailedRun { run: here.runs[run].id, health: health.into(), deadline: here.deadline() };
        DueOutcome { environment: here.key.clone(), effect: effect(failed) }
    }
}
