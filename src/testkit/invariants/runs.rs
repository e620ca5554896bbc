//! The runs of an environment: I5, I10.

use crate::decision::RunLookup;
use crate::id::{EnvironmentKey, RunId};
use crate::outcome::{Outcome, RunChange, TickEffect};
use crate::policy::Policy;
use crate::row::{Run, RunStatus};
use crate::rules::Query;
use crate::store::Store;
use crate::testkit::history::Answer;

use super::memory::Memory;
use super::rows::half;
use super::{InvariantError, Violation, named, outcomes};

/// I5 and I10: checks the runs that a step was about, or that are no longer in progress.
pub(super) fn stand<S: Store>(
    memory: &mut Memory,
    policy: &Policy,
    answer: &Answer,
    store: &S,
) -> Result<(), InvariantError<S::Error>> {
    let closed = std::mem::take(&mut memory.closed);
    for (place, id) in named(answer).into_iter().chain(closed) {
        let Some(run) = read(store, policy, &place, id)? else {
            half(&place, &format!("run {id} is missing"))?;
            continue;
        };
        if let Some(expected) = said(answer, &run)
            && !expected.contains(&run.status())
        {
            half(&place, &format!("run {id} is {} and was to be {expected:?}", run.status()))?;
        }
        if run.due_at().is_some() != (run.status() == RunStatus::InProgress) {
            half(&place, &format!("run {id} is {} and due at {:?}", run.status(), run.due_at()))?;
        }
        if let Some((_, before)) = memory.results.get(&id)
            && *before != run.status()
        {
            let after = Some(run.status());
            return Err(Violation::ResultChanged { run: id, before: *before, after }.into());
        }
        if run.status().is_result() {
            memory.results.insert(id, (place, run.status()));
        }
    }
    Ok(())
}

/// The statuses that a run may have after this answer.
fn said(answer: &Answer, run: &Run) -> Option<&'static [RunStatus]> {
    const RESULTS: &[RunStatus] = &[RunStatus::Ok, RunStatus::Error];
    if let Answer::Checkin(Outcome::Accepted(accepted)) = answer {
        return (accepted.run == run.id).then_some(match accepted.change {
            RunChange::Started | RunChange::Heartbeat => &[RunStatus::InProgress],
            RunChange::Single | RunChange::Finished => RESULTS,
            RunChange::FinishedLate => &[RunStatus::Timeout],
            RunChange::Unchanged => return None,
        });
    }
    outcomes(answer).iter().find_map(|outcome| match &outcome.effect {
        TickEffect::Missed(overdue) if overdue.run == run.id => Some(&[RunStatus::Missed][..]),
        TickEffect::TimedOut(overdue) if overdue.run == run.id => Some(&[RunStatus::Timeout][..]),
        TickEffect::Unknown { run: checkin } if *checkin == run.id => Some(&[RunStatus::Unknown][..]),
        _ => None,
    })
}

fn read<S: Store>(
    store: &S,
    policy: &Policy,
    place: &EnvironmentKey,
    id: RunId,
) -> Result<Option<Run>, InvariantError<S::Error>> {
    let snapshot = store.load(place, &Query::run_of(id, policy)).map_err(InvariantError::Store)?;
    Ok(match snapshot.run {
        Some(RunLookup::Own(run)) => Some(*run),
        Some(RunLookup::Foreign(_)) | None => None,
    })
}

/// I5: every result stands.
pub(super) fn results<S: Store>(
    memory: &Memory,
    policy: &Policy,
    store: &S,
) -> Result<(), InvariantError<S::Error>> {
    for (id, (place, before)) in &memory.results {
        let after = read(store, policy, place, *id)?.map(|run| run.status());
        if after != Some(*before) {
            return Err(Violation::ResultChanged { run: *id, before: *before, after }.into());
        }
    }
    Ok(())
}
