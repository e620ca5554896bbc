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
use crate::row::{Run, RunStatus, boxed};
use crate::store::{Found, PutRun, Snapshot, Transition};

use super::Decision;
use super::draft::{Draft, Effects, write};

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
/// let decision = rules::check_missed(snapshot, &environment, tick, &policy);
/// let due_at = Some("2024-09-03T02:01:00Z".parse()?);
/// assert_eq!(decision.outcome.verdict, Verdict::Ignored(Ignored::NotDue { due_at }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_missed(
    snapshot: Snapshot,
    key: &EnvironmentKey,
    tick: Tick,
    policy: &Policy,
) -> Decision<TickOutcome> {
    let (Some(monitor), Some(mut environment)) = (snapshot.monitor, snapshot.environment) else {
        return ignore(key, Ignored::Gone);
    };
    let dormant = monitor.status != MonitorStatus::Active;
    if dormant || environment.disabled {
        return rest(monitor, environment, dormant, key);
    }
    let due_at = environment.due_at();
    let Some(deadline) = environment.deadline.filter(|deadline| deadline.latest <= tick.time()) else {
        return ignore(key, Ignored::NotDue { due_at });
    };
    let run = miss(&mut environment, deadline.next, policy);
    let mut draft = Draft::new(policy, &monitor, &mut environment, &snapshot.history);
    let judgement = draft.overdue(&run, deadline.next, tick);
    let effects = draft.effects;
    let overdue = Overdue { checkin: run.id, judgement, deadline: environment.deadline };
    let transition = write(monitor, environment, Some(PutRun::New(run)), effects);
    decide(key, Verdict::Missed(overdue), transition)
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
/// let decision = rules::check_timeout(snapshot, &environment, tick, &policy);
/// assert_eq!(decision.outcome.verdict, Verdict::Ignored(Ignored::NotDue { due_at: None }), "it has finished");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_timeout(
    snapshot: Snapshot,
    key: &EnvironmentKey,
    tick: Tick,
    policy: &Policy,
) -> Decision<TickOutcome> {
    let (Some(monitor), Some(mut environment), Some(Found::Here(mut run))) =
        (snapshot.monitor, snapshot.environment, snapshot.run)
    else {
        return ignore(key, Ignored::Gone);
    };
    if run.due_at().is_none_or(|due_at| due_at > tick.time()) {
        return ignore(key, Ignored::NotDue { due_at: run.due_at() });
    }
    let watched = monitor.status == MonitorStatus::Active && !environment.disabled;
    if !watched && !policy.quirks.keeps(Quirk::DisabledMonitorsTimeOut) {
        let checkin = run.id;
        run.status = RunStatus::Unknown;
        let transition = write(monitor, environment, Some(PutRun::Changed(run)), Effects::default());
        return decide(key, Verdict::Unknown { checkin }, transition);
    }
    run.status = RunStatus::Timeout;
    let newer = environment.last_result.filter(|result| *result > run.started_at);
    let mut draft = Draft::new(policy, &monitor, &mut environment, &snapshot.history);
    let judgement = match newer {
        Some(last_result) => Judgement::NewerFinished { last_result },
        None => draft.overdue(&run, run.started_at, tick),
    };
    let effects = draft.effects;
    let overdue = Overdue { checkin: run.id, judgement, deadline: environment.deadline };
    let transition = write(monitor, environment, Some(PutRun::Changed(run)), effects);
    decide(key, Verdict::TimedOut(overdue), transition)
}

/// The decision about an environment that is not watched: none, but for the mark that takes it off the
/// list of what is due (I7).
fn rest(
    monitor: Arc<Monitor>,
    mut environment: Box<Environment>,
    dormant: bool,
    key: &EnvironmentKey,
) -> Decision<TickOutcome> {
    let marked = environment.dormant || !dormant;
    environment.dormant = dormant;
    let transition = (!marked).then(|| write(monitor, environment, None, Effects::default()));
    Decision { transition, ..ignore(key, Ignored::Disabled) }
}

/// The run that was expected and did not come.
fn miss(environment: &mut Environment, expected: DateTime<Utc>, policy: &Policy) -> Box<Run> {
    let again = policy.quirks.slots_repeat().then_some(environment.version);
    let number = environment.runs;
    environment.runs = number.saturating_add(1);
    boxed(|| Run {
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
    })
}

impl Draft<'_> {
    /// Judges a run that was missed or timed out at a tick, as failed at the last scheduled time before that: so one
    /// miss is recorded and the schedule catches up even when ticks were skipped (I8).
    ///
    /// A schedule that ended long before the tick knows of no such time; then deadlines follow from the tick
    /// itself, after which nothing is due any more (I7).
    fn overdue(&mut self, run: &Run, start: DateTime<Utc>, tick: Tick) -> Judgement {
        let slot = self.monitor.config.schedule().previous_slot(start, tick.time(), self.policy.quirks);
        match slot {
            None if self.keeps(Quirk::MissingSlotStopsTick) => Judgement::Abandoned,
            slot => self.mark_failed(run, &slot.unwrap_or_else(|| tick.time().into())),
        }
    }
}

fn decide(key: &EnvironmentKey, verdict: Verdict, transition: Transition) -> Decision<TickOutcome> {
    Decision { transition: Some(transition), outcome: TickOutcome { environment: key.clone(), verdict } }
}

fn ignore(key: &EnvironmentKey, reason: Ignored) -> Decision<TickOutcome> {
    Decision::answer(TickOutcome { environment: key.clone(), verdict: Verdict::Ignored(reason) })
}
