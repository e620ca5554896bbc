//! A message, from the monitor it names to the judgement of its run.

use crate::admission::AdmitAll;
use crate::checkin::{Arrival, RunRef};
use crate::config::ConfigError;
use crate::event::Refusal;
use crate::key::MonitorKey;
use crate::outcome::{Accepted, ConfigChange, Ignored, Outcome, Refused};
use crate::refusal::ProcessingError;
use crate::row::{MonitorStatus, RunStatus};
use crate::{Event, Message};

use super::Model;
use super::jobs::{Job, Place};

/// A message that goes no further.
pub(super) enum Turned {
    Away(Vec<ProcessingError>),
    Aside(Ignored),
}

impl From<ProcessingError> for Turned {
    fn from(error: ProcessingError) -> Self {
        Self::Away(vec![error])
    }
}

impl Model {
    /// Processes a message. Whatever is turned away has changed nothing.
    pub(super) fn checkin(&mut self, message: &Message) -> (Outcome, Vec<Event>) {
        let (before, mut events) = (self.jobs.clone(), Vec::new());
        let answer = match Arrival::receive(message, &AdmitAll, crate::policy::Quirks::NONE) {
            Ok(arrival) => self.accept(&arrival, &mut events),
            Err(error) => Err(error.into()),
        };
        let turned = match answer {
            Ok(accepted) => return (Outcome::Accepted(accepted), events),
            Err(turned) => turned,
        };
        self.jobs = before;
        match turned {
            Turned::Aside(reason) => (Outcome::Ignored(reason), Vec::new()),
            Turned::Away(errors) => {
                let refusal = Event::Refused(Refusal::new(message.clone(), errors.clone()));
                (Outcome::Refused(Refused { errors }), vec![refusal])
            }
        }
    }

    fn accept(&mut self, arrival: &Arrival<'_>, events: &mut Vec<Event>) -> Result<Accepted, Turned> {
        let (job, config) = self.configure(arrival)?;
        let place = self.enter(job, arrival)?;
        // A message does not make itself out of date.
        let newest = self.jobs[job].places[place].last_checkin();
        let (run, change) = self.report(job, place, arrival)?;
        if arrival.checkin.run() == RunRef::Newest {
            self.jobs[job].places[place].unnamed.push(arrival.received_at);
        }
        let judgement = match self.jobs[job].places[place].runs[run].status {
            RunStatus::Error => self.mark_failed(job, place, run, arrival.received_at, newest, events),
            _ => self.mark_ok(job, place, run, arrival.received_at, newest, events),
        };
        let place = &self.jobs[job].places[place];
        Ok(Accepted {
            environment: place.key.clone(),
            checkin: place.runs[run].id,
            change,
            judgement,
            deadline: place.deadline(),
            config,
        })
    }

    /// Finds the monitor, or makes it, or changes it.
    fn configure(&mut self, arrival: &Arrival<'_>) -> Result<(usize, ConfigChange), Turned> {
        let key = MonitorKey { project: arrival.project, slug: arrival.checkin.slug().clone() };
        let known = self.jobs.iter().position(|job| job.key == key);
        let gone = known.is_none_or(|job| self.jobs[job].status == MonitorStatus::Deleting);
        match (arrival.checkin.config(), known) {
            (Err(ConfigError::Invalid(errors)), _) if gone => {
                let invalid = ProcessingError::MonitorInvalidConfig { errors: errors.clone() };
                Err(Turned::Away(vec![invalid, ProcessingError::MonitorNotFound]))
            }
            (_, Some(_)) if gone => Err(ProcessingError::MonitorNotFound.into()),
            (Ok(None), Some(job)) => Ok((job, ConfigChange::None)),
            (Ok(None) | Err(_), None) => Err(ProcessingError::MonitorNotFound.into()),
            (Err(ConfigError::Invalid(errors)), Some(job)) => {
                Ok((job, ConfigChange::Invalid(errors.clone())))
            }
            (Err(ConfigError::Unusable), Some(_)) => Err(Turned::Aside(Ignored::UnusableConfig)),
            (Ok(Some(update)), None) => {
                let mut job = Job::new(arrival.organization, key, update.create());
                job.owner = update.owner();
                self.jobs.push(job);
                Ok((self.jobs.len() - 1, ConfigChange::Created))
            }
            (Ok(Some(update)), Some(job)) => {
                let job_row = &mut self.jobs[job];
                let (config, owner) = (update.apply(&job_row.config), update.owner().or(job_row.owner));
                let alike = config == job_row.config && owner == job_row.owner;
                (job_row.config, job_row.owner) = (config, owner);
                Ok((job, if alike { ConfigChange::Unchanged } else { ConfigChange::Updated }))
            }
        }
    }

    /// Finds the environment, or makes it, if the monitor takes messages.
    fn enter(&mut self, job: usize, arrival: &Arrival<'_>) -> Result<usize, Turned> {
        let job = &mut self.jobs[job];
        if !job.is_active() {
            return Err(ProcessingError::MonitorDisabled.into());
        }
        if let Some(fault) = &arrival.fault {
            return Err(ProcessingError::MonitorInvalidEnvironment { reason: fault.to_string() }.into());
        }
        let name = arrival.checkin.environment();
        match job.place(name) {
            Some(place) if job.places[place].disabled => Err(ProcessingError::MonitorDisabled.into()),
            Some(place) => Ok(place),
            None => {
                job.places.push(Place::new(&job.key, name.clone()));
                Ok(job.places.len() - 1)
            }
        }
    }
}
