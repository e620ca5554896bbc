//! The runs of an environment: I5, I10.

use crate::id::CheckinId;
use crate::key::EnvironmentKey;
use crate::outcome::{Outcome, RunChange, Verdict};
use crate::policy::Policy;
use crate::row::{Run, RunStatus};
use crate::store::{Found, Query, Store};
use crate::testkit::history::Answer;

use super::memory::Memory;
use super::rows::half;
use super::{InvariantError, Violation, named, outcomes};

/// I5 and I10: the runs that a step was about, or that are in progress no longer.
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
            && !expected.contains(&run.status)
        {
            half(&place, &format!("run {id} is {} and was to be {expected:?}", run.status))?;
        }
        if run.due_at().is_some() != (run.status == RunStatus::InProgress) {
            half(&place, &format!("run {id} is {} and due at {:?}", run.status, run.due_at()))?;
        }
        if let Some((_, before)) = memory.results.get(&id)
            && *before != run.status
        {
            let after = Some(run.status);
            return Err(Violation::ResultChanged { run: id, before: *before, after }.into());
        }
        if run.status.is_result() {
            memory.results.insert(id, (place, run.status));
        }
    }
    Ok(())
}

/// How a run must stand after what was answered about it.
fn said(answer: &Answer, run: &Run) -> Option<&'static [RunStatus]> {
    const RESULTS: &[RunStatus] = &[RunStatus::Ok, RunStatus::Error];
    if let Answer::Checkin(Outcome::Accepted(accepted)) = answer {
        return (accepted.checkin == run.id).then_some(match accepted.change {
            RunChange::Started | RunChange::Heartbeat => &[RunStatus::InProgress],
            RunChange::Reported | RunChange::Finished => RESULTS,
            RunChange::FinishedLate => &[RunStatus::Timeout],
            RunChange::Unchanged => return None,
        });
    }
    outcomes(answer).iter().find_map(|outcome| match &outcome.verdict {
        Verdict::Missed(overdue) if overdue.checkin == run.id => Some(&[RunStatus::Missed][..]),
        Verdict::TimedOut(overdue) if overdue.checkin == run.id => Some(&[RunStatus::Timeout][..]),
        Verdict::Unknown { checkin } if *checkin == run.id => Some(&[RunStatus::Unknown][..]),
        _ => None,
    })
}

fn read<S: Store>(
    store: &S,
    policy: &Policy,
    place: &EnvironmentKey,
    id: CheckinId,
) -> Result<Option<Run>, InvariantError<S::Error>> {
    let snapshot = store.load(place, &Query::run_of(id, policy)).map_err(InvariantError::Store)?;
    Ok(match snapshot.run {
        Some(Found::Here(run)) => Some(*run),
        Some(Found::Elsewhere(_)) | None => None,
    })
}

/// I5: every result stands.
pub(super) fn results<S: Store>(
    memory: &Memory,
    policy: &Policy,
    store: &S,
) -> Result<(), InvariantError<S::Error>> {
    for (id, (place, before)) in &memory.results {
        let after = read(store, policy, place, *id)?.map(|run| run.status);
        if after != Some(*before) {
            return Err(Violation::ResultChanged { run: *id, before: *before, after }.into());
        }
    }
    Ok(())
}
