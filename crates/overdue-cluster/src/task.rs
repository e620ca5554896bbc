//! The decisions to make: a check-in, a miss or a timeout, each about one environment.

use overdue::admission::{AdmitAll, ValidCheckin};
use overdue::clock::Tick;
use overdue::event::Rejection;
use overdue::id::{EnvironmentKey, RunId};
use overdue::outcome::{Outcome, Rejected};
use overdue::rejection::RejectionReason;
use overdue::rules::{self, Decision};
use overdue::store::{Due, Query, Snapshot, Transition};
use overdue::{Event, Message, Policy};

use super::database::Subject;

#[derive(Clone, Debug)]
pub(crate) enum Task {
    Checkin { message: Message, valid: Box<ValidCheckin<'static>>, delivery: Delivery },
    Miss { key: EnvironmentKey, tick: Tick },
    Timeout { key: EnvironmentKey, run: RunId, tick: Tick },
}

/// Whether a later message was decided before. Usually this one was decided too, and only its acknowledgement
/// was lost. But a stream may also deliver out of order. So it is decided in any case, which changes nothing
/// the second time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Delivery {
    First,
    Again,
}

/// What was decided.
#[derive(Debug)]
pub(crate) struct Decided {
    /// What to write, if anything.
    pub(crate) transition: Option<Transition>,
    /// The event of a rejected check-in.
    pub(crate) rejection: Option<Event>,
}

impl Task {
    /// Prepares a check-in to be decided.
    ///
    /// # Errors
    /// The event of a check-in that is rejected before any row is read; `None` if it ends there without an
    /// event.
    pub(crate) fn checkin(
        message: Message,
        delivery: Delivery,
        policy: &Policy,
    ) -> Result<Self, Option<Box<Event>>> {
        match ValidCheckin::admit(&message, &AdmitAll, policy).map(ValidCheckin::into_owned) {
            Ok(valid) => Ok(Self::Checkin { message, valid: Box::new(valid), delivery }),
            Err(answer) => Err(match *answer {
                Outcome::Rejected(Rejected { errors, .. }) => {
                    Some(Box::new(Event::Rejected(Rejection::new(message, errors))))
                }
                _ => None,
            }),
        }
    }

    /// Returns the task for an entry that is due at a tick.
    pub(crate) fn due(due: &Due, tick: Tick) -> Self {
        let key = due.key.clone();
        match due.run {
            None => Self::Miss { key, tick },
            Some(run) => Self::Timeout { key, run: run.id, tick },
        }
    }

    pub(crate) fn subject<'a>(&'a self, policy: &'a Policy) -> Subject<'a> {
        match self {
            Self::Checkin { valid, .. } => Subject { key: valid.key(), query: Query::checkin(valid, policy) },
            Self::Miss { key, .. } => Subject { key: key.clone(), query: Query::miss(policy) },
            Self::Timeout { key, run, .. } => {
                Subject { key: key.clone(), query: Query::run_of(*run, policy) }
            }
        }
    }

    pub(crate) fn decide(&self, snapshot: Snapshot, policy: &Policy) -> Decided {
        match self {
            Self::Checkin { message, valid, delivery } => {
                let Decision { transition, outcome } = rules::process_checkin(snapshot, valid, policy);
                let rejection = match outcome {
                    // Most likely this very message finished the run. Its second delivery does not concern
                    // the job.
                    Outcome::Rejected(Rejected { errors, .. })
                        if *delivery == Delivery::Again
                            && errors.contains(&RejectionReason::CheckinFinished) =>
                    {
                        None
                    }
                    Outcome::Rejected(Rejected { errors, .. }) => {
                        Some(Event::Rejected(Rejection::new(message.clone(), errors)))
                    }
                    _ => None,
                };
                Decided { transition, rejection }
            }
            Self::Miss { key, tick } => {
                let Decision { transition, .. } = rules::check_missed(snapshot, key, *tick, policy);
                Decided { transition, rejection: None }
            }
            Self::Timeout { key, tick, .. } => {
                let Decision { transition, .. } = rules::check_timeout(snapshot, key, *tick, policy);
                Decided { transition, rejection: None }
            }
        }
    }
}
