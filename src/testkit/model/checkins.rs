//! A message, from the monitor it names to the judgement of its run.

use crate::admission::{AdmitAll, ValidCheckin};
use crate::checkin::RunRef;
use crate::event::Rejection;
use crate::id::MonitorKey;
use crate::outcome::{Accepted, ConfigChange, Ignored, Outcome, Rejected};
use crate::policy::Policy;
use crate::rejection::RejectionReason;
use crate::row::{MonitorStatus, RunStatus};
use crate::{Event, Message};

use super::Model;
use super::jobs::{Job, Place};

/// A message that goes no further.
pub(super) enum Turned {
    Away(Vec<RejectionReason>),
    Aside(Ignored),
}

impl From<RejectionReason> for Turned {
    fn from(error: RejectionReason) -> Self {
        Self::Away(vec![error])
    }
}

impl Model {
    /// Processes a message. One that is ignored or rejected changes nothing.
    pub(super) fn checkin(&mut self, message: &Message) -> (Outcome, Vec<Event>) {
        let (before, mut events) = (self.jobs.clone(), Vec::new());
        let answer =
            match ValidCheckin::admit(message, &AdmitAll, &Policy::default()).map_err(|answer| *answer) {
                Ok(valid) => self.accept(&valid, &mut events),
                Err(Outcome::Rejected(Rejected { errors })) => Err(Turned::Away(errors)),
                Err(other) => unreachable!("{other:?}"),
            };
        let turned = match answer {
            Ok(accepted) => return (Outcome::Accepted(accepted), events),
            Err(turned) => turned,
        };
        self.jobs = before;
        match turned {
            Turned::Aside(reason) => (Outcome::Ignored(reason), Vec::new()),
            Turned::Away(errors) => {
                let rejection = Event::Rejected(Rejection::new(message.clone(), errors.clone()));
                (Outcome::Rejected(Rejected { errors }), vec![rejection])
            }
        }
    }

    fn accept(&mut self, valid: &ValidCheckin<'_>, events: &mut Vec<Event>) -> Result<Accepted, Turned> {
        let (job, config) = self.configure(valid)?;
        let place = self.enter(job, valid)?;
        // Read before the run is recorded: a message does not outdate itself.
        let newest = self.jobs[job].places[place].last_checkin();
        let (run, change) = self.report(job, place, valid)?;
        if valid.checkin.run() == RunRef::Anonymous {
            self.jobs[job].places[place].anonymous.push(valid.received_at);
        }
        let health = match self.jobs[job].places[place].runs[run].status {
            RunStatus::Error => self.mark_failed(job, place, run, valid.received_at, newest, events),
            RunStatus::InProgress
            | RunStatus::Ok
            | RunStatus::Missed
            | RunStatus::Timeout
            | RunStatus::Unknown => self.mark_ok(job, place, run, valid.received_at, newest, events),
        };
        let place = &self.jobs[job].places[place];
        Ok(Accepted {
            environment: place.key.clone(),
            run: place.runs[run].id,
            change,
            health: health.into(),
            deadline: place.deadline(),
            config,
        })
    }

    /// Finds, creates or changes the monitor.
    fn configure(&mut self, valid: &ValidCheckin<'_>) -> Result<(usize, ConfigChange), Turned> {
        let key = MonitorKey { project: valid.project, slug: valid.checkin.slug().clone() };
        let known = self.jobs.iter().position(|job| job.key == key);
        let gone = known.is_none_or(|job| self.jobs[job].status == MonitorStatus::Deleting);
        match (valid.checkin.config(), known) {
            (Err(errors), _) if gone => {
                let invalid = RejectionReason::MonitorInvalidConfig { errors: errors.clone() };
                Err(Turned::Away(vec![invalid, RejectionReason::MonitorNotFound]))
            }
            (_, Some(_)) if gone => Err(RejectionReason::MonitorNotFound.into()),
            (Ok(None), Some(job)) => Ok((job, ConfigChange::None)),
            (Ok(None) | Err(_), None) => Err(RejectionReason::MonitorNotFound.into()),
            (Err(errors), Some(job)) => Ok((job, ConfigChange::Invalid(errors.clone()))),
            (Ok(Some(update)), None) => {
                let mut job = Job::new(valid.organization, key, update.create());
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

    /// Finds or creates the environment, if the monitor takes check-ins.
    fn enter(&mut self, job: usize, valid: &ValidCheckin<'_>) -> Result<usize, Turned> {
        let job = &mut self.jobs[job];
        if !job.is_active() {
            return Err(RejectionReason::MonitorDisabled.into());
        }
        if let Some(reason) = &valid.deferred {
            return Err(RejectionReason::clone(reason).into());
        }
        let name = valid.checkin.environment();
        match job.place(name) {
            Some(place) if job.places[place].disabled => Err(RejectionReason::MonitorDisabled.into()),
            Some(place) => Ok(place),
            None => {
                job.places.push(Place::new(&job.key, name.clone()));
                Ok(job.places.len() - 1)
            }
        }
    }
}
