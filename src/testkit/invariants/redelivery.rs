//! Decisions that are repeated: I3, I4.

use std::collections::BTreeSet;

use crate::admission::{AdmitAll, ValidCheckin};
use crate::id::EnvironmentKey;
use crate::row::Deadline;
use crate::rules::Query;
use crate::store::Store;
use crate::testkit::history::Answer;
use crate::{Message, Outcome, Policy, Tick, rules};

use super::{InvariantError, Violation, named};

/// I4: delivered again, a message writes nothing.
///
/// A rejected message is not checked: it may be accepted once its monitor exists.
pub(super) fn delivered<S: Store>(
    store: &S,
    policy: &Policy,
    message: &Message,
    outcome: &Outcome,
) -> Result<(), InvariantError<S::Error>> {
    let (Outcome::Accepted(_) | Outcome::Ignored(_), Ok(valid)) =
        (outcome, ValidCheckin::admit(message, &AdmitAll, policy))
    else {
        return Ok(());
    };
    let environment = valid.key();
    let snapshot =
        store.load(&environment, &Query::checkin(&valid, policy)).map_err(InvariantError::Store)?;
    match rules::process_checkin(snapshot, &valid, policy).transition {
        None => Ok(()),
        Some(transition) => {
            let (at, again) = (message.received_at, format!("{transition:?}"));
            Err(Violation::RepeatWrites { environment, at, again }.into())
        }
    }
}

/// I3: decides the next miss of each environment twice, and compares the two. Writes nothing.
pub(super) fn decided<S: Store>(
    store: &S,
    policy: &Policy,
    answer: &Answer,
) -> Result<(), InvariantError<S::Error>> {
    let places: BTreeSet<EnvironmentKey> = named(answer).into_iter().map(|(place, _)| place).collect();
    for environment in places {
        let decide = || {
            let snapshot = store.load(&environment, &Query::miss(policy))?;
            let closes = snapshot.environment.as_ref().and_then(|row| row.deadline()).map(Deadline::closes);
            let tick = Tick::at(closes.unwrap_or_default());
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
