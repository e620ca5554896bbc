//! What is to be decided: a check-in, a miss or a timeout, each about one environment.

use overdue::admission::AdmitAll;
use overdue::checkin::Arrival;
use overdue::clock::Tick;
use overdue::event::Refusal;
use overdue::id::CheckinId;
use overdue::key::EnvironmentKey;
use overdue::outcome::{Outcome, Refused};
use overdue::refusal::ProcessingError;
use overdue::rules::{self, Decision};
use overdue::store::{Due, Query, Snapshot, Transition};
use overdue::{Event, Message, Policy};

use super::database::Subject;

#[derive(Clone, Debug)]
pub(crate) enum Task {
    Checkin { message: Message, arrival: Box<Arrival<'static>>, delivery: Delivery },
    Miss { key: EnvironmentKey, tick: Tick },
    Timeout { key: EnvironmentKey, run: CheckinId, tick: Tick },
}

/// Whether a later message was decided before. Mostly this one was, too, and could not be acknowledged any more. But nobody
/// knows: a stream may also deliver out of order. So it is decided in any case, which changes nothing the second time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Delivery {
    First,
    Again,
}

/// What was decided.
#[derive(Debug)]
pub(crate) struct Decided {
    /// What is to be written, if anything.
    pub(crate) transition: Option<Transition>,
    /// What is to be told of a check-in that is refused.
    pub(crate) refusal: Option<Event>,
}

impl Task {
    /// A check-in; or the reason to refuse it that needs no stored row.
    pub(crate) fn checkin(message: Message, delivery: Delivery, policy: &Policy) -> Result<Self, Box<Event>> {
        match Arrival::receive(&message, &AdmitAll, policy.quirks).map(Arrival::into_owned) {
            Ok(arrival) => Ok(Self::Checkin { message, arrival: Box::new(arrival), delivery }),
            Err(error) => Err(Box::new(Event::Refused(Refusal::new(message, vec![error])))),
        }
    }

    /// What is due at a tick.
    pub(crate) fn due(due: &Due, tick: Tick) -> Self {
        let key = due.key.clone();
        match due.run {
            None => Self::Miss { key, tick },
            Some(run) => Self::Timeout { key, run: run.id, tick },
        }
    }

    pub(crate) fn subject<'a>(&'a self, policy: &'a Policy) -> Subject<'a> {
        match self {
            Self::Checkin { arrival, .. } => {
                Subject { key: arrival.key(), query: Query::arrival(arrival, policy) }
            }
            Self::Miss { key, .. } => Subject { key: key.clone(), query: Query::miss(policy) },
            Self::Timeout { key, run, .. } => {
                Subject { key: key.clone(), query: Query::run_of(*run, policy) }
            }
        }
    }

    pub(crate) fn decide(&self, snapshot: Snapshot, policy: &Policy) -> Decided {
        match self {
            Self::Checkin { message, arrival, delivery } => {
                let Decision { transition, outcome } = rules::process_checkin(snapshot, arrival, policy);
                let refusal = match outcome {
                    // Most likely by this very message. It is none of the job's business that it came again.
                    Outcome::Refused(Refused { errors, .. })
                        if *delivery == Delivery::Again
                            && errors.contains(&ProcessingError::CheckinFinished) =>
                    {
                        None
                    }
                    Outcome::Refused(Refused { errors, .. }) => {
                        Some(Event::Refused(Refusal::new(message.clone(), errors)))
                    }
                    _ => None,
                };
                Decided { transition, refusal }
            }
            Self::Miss { key, tick } => {
                let Decision { transition, .. } = rules::check_missed(snapshot, key, *tick, policy);
                Decided { transition, refusal: None }
            }
            Self::Timeout { key, tick, .. } => {
                let Decision { transition, .. } = rules::check_timeout(snapshot, key, *tick, policy);
                Decided { transition, refusal: None }
            }
        }
    }
}
