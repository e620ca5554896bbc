//! What is decided a second time: I3, I4.

use std::collections::BTreeSet;

use crate::admission::AdmitAll;
use crate::checkin::Arrival;
use crate::key::EnvironmentKey;
use crate::store::{Query, Store};
use crate::testkit::history::Answer;
use crate::{Message, Outcome, Policy, Tick, rules};

use super::{InvariantError, Violation, named};

/// I4: on the rows that a message has left behind, it has nothing more to write.
///
/// Of a message that was refused nothing is said: it may come back when there is a monitor to come back to.
pub(super) fn delivered<S: Store>(
    store: &S,
    policy: &Policy,
    message: &Message,
    outcome: &Outcome,
) -> Result<(), InvariantError<S::Error>> {
    let (Outcome::Accepted(_) | Outcome::Ignored(_), Ok(arrival)) =
        (outcome, Arrival::receive(message, &AdmitAll, policy.quirks))
    else {
        return Ok(());
    };
    let environment = arrival.key();
    let snapshot =
        store.load(&environment, &Query::arrival(&arrival, policy)).map_err(InvariantError::Store)?;
    match rules::process_checkin(snapshot, &arrival, policy).transition {
        None => Ok(()),
        Some(transition) => {
            let (at, again) = (message.received_at, format!("{transition:?}"));
            Err(Violation::RepeatWrites { environment, at, again }.into())
        }
    }
}

/// I3: the next miss of each environment, decided twice and written never.
pub(super) fn decided<S: Store>(
    store: &S,
    policy: &Policy,
    answer: &Answer,
) -> Result<(), InvariantError<S::Error>> {
    let places: BTreeSet<EnvironmentKey> = named(answer).into_iter().map(|(place, _)| place).collect();
    for environment in places {
        let decide = || {
            let snapshot = store.load(&environment, &Query::miss(policy))?;
            let latest = snapshot.environment.as_ref().and_then(|row| row.deadline).map(|next| next.latest);
            let tick = Tick::at(latest.unwrap_or_default());
            Ok(rules::check_missed(snapshot, &environment, tick, policy))
        };
        let (first, second) =
            decide().and_then(|first| Ok((first, decide()?))).map_err(InvariantError::Store)?;
        if first != second {
            let (first, second) = (format!("{first:?}"), format!("{second:?}"));
            return Err(Violation::DecidedInTwoWays { environment, first, second }.into());
        }
    }
    Ok(())
}
