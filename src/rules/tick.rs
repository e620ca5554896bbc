//! `check_missed` and `check_timeout`: what the clock alone can tell.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::clock::Tick;
use crate::id::CheckinId;
use crate::key::EnvironmentKey;
use crate::outcome::{Ignored, Judgement, Overdue, TickOutcome, Verdict};
use crate::policy::{Policy, Quirk};
use crate::row::Environment;
use crate::row::{Monitor, MonitorStatus};
use crate::row::{Run, RunStatus};
use crate::schedule::Slot;
use crate::store::PutRun;
use crate::store::{Found, Snapshot};

use super::Decision;
use super::draft::Draft;

/// Decides whether an environment that was listed as due has missed its run.
///
/// It looks again: a check-in that arrived after the list was drawn up wins.
///
/// ```
/// use overdue::outcome::{Ignored, Verdict};
/// use overdue::rules;
/// use overdue::store::{Query, Store};
///
/// # use overdue::{Policy, Tick};
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// # engine.process_checkin(&message)?;
/// # let store = engine.store();
/// let policy = Policy::default();
/// let snapshot = store.load(&environment, &Query::miss(&policy))?;
/// let tick = Tick::at("2024-09-03T02:00:00Z".parse()?);
/// let decision = rules::check_missed(&snapshot, &environment, tick, &policy);
/// let due_at = Some("2024-09-03T02:01:00Z".parse()?);
/// assert_eq!(decision.outcome.verdict, Verdict::Ignored(Ignored::NotDue { due_at }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_missed(
    snapshot: &Snapshot,
    key: &EnvironmentKey,
    tick: Tick,
    policy: &Policy,
) -> Decision<TickOutcome> {
    let Some((monitor, environment)) = rows(snapshot) else { return ignore(key, Ignored::Gone) };
    if let Some(decision) = at_rest(monitor, environment, key, policy) {
        return decision;
    }
    let due_at = environment.due_at();
    let Some(deadline) = environment.deadline.filter(|deadline| deadline.latest <= tick.time()) else {
        return ignore(key, Ignored::NotDue { due_at });
    };
    let mut draft = Draft::new(policy, monitor, environment.clone(), &snapshot.history);
    let run = miss(&mut draft, deadline.next);
    let slot = slot_before(&draft, deadline.next, tick);
    let judgement = slot.map_or(Judgement::Abandoned, |at| draft.mark_failed(&run, at));
    let overdue = overdue(&draft, &run, judgement);
    decide(key, draft, PutRun::New(run), Verdict::Missed(overdue))
}

/// Decides whether a run that was listed as due has timed out. `snapshot` must hold the run.
///
/// It looks again: a result that arrived after the list was drawn up wins, and no completed run becomes
/// a timeout (I5).
///
/// ```
/// use overdue::outcome::{Ignored, Verdict};
/// use overdue::rules;
/// use overdue::store::{Query, Store};
///
/// # use overdue::{Policy, Tick};
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// # engine.process_checkin(&message)?;
/// # let store = engine.store();
/// let policy = Policy::default();
/// let run = "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc".parse()?;
/// let snapshot = store.load(&environment, &Query::run_of(run, &policy))?;
/// let tick = Tick::at("2024-09-03T02:00:00Z".parse()?);
/// let decision = rules::check_timeout(&snapshot, &environment, tick, &policy);
/// assert_eq!(decision.outcome.verdict, Verdict::Ignored(Ignored::NotDue { due_at: None }), "it has finished");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_timeout(
    snapshot: &Snapshot,
    key: &EnvironmentKey,
    tick: Tick,
    policy: &Policy,
) -> Decision<TickOutcome> {
    let (Some((monitor, environment)), Some(Found::Here(run))) = (rows(snapshot), &snapshot.run) else {
        return ignore(key, Ignored::Gone);
    };
    if run.due_at().is_none_or(|due_at| due_at > tick.time()) {
        return ignore(key, Ignored::NotDue { due_at: run.due_at() });
    }
    let mut draft = Draft::new(policy, monitor, environment.clone(), &snapshot.history);
    let watched = monitor.status == MonitorStatus::Active && !environment.disabled;
    if !watched && !policy.quirks.keeps(Quirk::DisabledMonitorsTimeOut) {
        let checkin = run.id;
        let run = Run { status: RunStatus::Unknown, ..run.clone() };
        return decide(key, draft, PutRun::Changed(run), Verdict::Unknown { checkin });
    }
    let run = Run { status: RunStatus::Timeout, ..run.clone() };
    let newer = environment.last_result.filter(|result| *result > run.started_at);
    let judgement = match newer {
        Some(last_result) => Judgement::NewerFinished { last_result },
        None => {
            let slot = slot_before(&draft, run.started_at, tick);
            slot.map_or(Judgement::Abandoned, |at| draft.mark_failed(&run, at))
        }
    };
    let overdue = overdue(&draft, &run, judgement);
    decide(key, draft, PutRun::Changed(run), Verdict::TimedOut(overdue))
}

const fn rows(snapshot: &Snapshot) -> Option<(&Arc<Monitor>, &Environment)> {
    match (&snapshot.monitor, &snapshot.environment) {
        (Some(monitor), Some(environment)) => Some((monitor, environment)),
        _ => None,
    }
}

/// The decision about an environment that is not watched: none, but for the mark that takes it off the
/// list of what is due (I7).
fn at_rest(
    monitor: &Arc<Monitor>,
    environment: &Environment,
    key: &EnvironmentKey,
    policy: &Policy,
) -> Option<Decision<TickOutcome>> {
    let dormant = monitor.status != MonitorStatus::Active;
    if dormant && !environment.dormant {
        let mut draft = Draft::new(policy, monitor, environment.clone(), &[]);
        draft.environment.dormant = true;
        let outcome = TickOutcome { environment: key.clone(), verdict: Verdict::Ignored(Ignored::Disabled) };
        return Some(Decision { transition: Some(draft.commit(None)), outcome });
    }
    (dormant || environment.disabled).then(|| ignore(key, Ignored::Disabled))
}

/// The run that was expected and did not come.
fn miss(draft: &mut Draft<'_>, expected: DateTime<Utc>) -> Run {
    let again = draft.policy.quirks.slots_repeat().then_some(draft.environment.version);
    let environment = &mut draft.environment;
    let number = environment.runs;
    environment.runs = number.saturating_add(1);
    Run {
        id: CheckinId::of_missed(environment.id, expected, again),
        environment: environment.id,
        number,
        status: RunStatus::Missed,
        started_at: expected,
        expected_at: Some(expected),
        timeout_at: None,
        duration: None,
        updated_at: expected,
        closed_by: None,
        trace_id: None,
        release: None,
    }
}

/// The last scheduled time before a tick: what the deadlines after a failure follow from, so that one miss
/// is recorded and the schedule catches up even when ticks were skipped (I8).
///
/// A schedule that ended long before the tick knows of none; then they follow from the tick itself, after
/// which nothing is due any more (I7).
fn slot_before(draft: &Draft<'_>, start: DateTime<Utc>, tick: Tick) -> Option<Slot> {
    let slot = draft.monitor.config.schedule().previous_slot(start, tick.time(), draft.policy.quirks);
    match draft.keeps(Quirk::MissingSlotStopsTick) {
        true => slot,
        false => slot.or(Some(tick.time().into())),
    }
}

fn overdue(draft: &Draft<'_>, run: &Run, judgement: Judgement) -> Overdue {
    Overdue { checkin: run.id, judgement, deadline: draft.environment.deadline }
}

fn decide(key: &EnvironmentKey, draft: Draft<'_>, run: PutRun, verdict: Verdict) -> Decision<TickOutcome> {
    let outcome = TickOutcome { environment: key.clone(), verdict };
    Decision { transition: Some(draft.commit(Some(run))), outcome }
}

fn ignore(key: &EnvironmentKey, reason: Ignored) -> Decision<TickOutcome> {
    Decision::answer(TickOutcome { environment: key.clone(), verdict: Verdict::Ignored(reason) })
}
