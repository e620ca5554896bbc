//! `check_missed` and `check_timeout`: the decisions that depend on the clock alone.

use super::changes::{Changes, Effects, write};
use super::{profile, run};
use crate::clock::Tick;
use crate::decision::{Decision, PutRun, RunLookup, Snapshot, Transition};
use crate::id::EnvironmentKey;
use crate::outcome::{DueOutcome, FailedRun, Ignored, TickEffect};
use crate::policy::Policy;
use crate::row::{MonitorStatus, Phase, Reported, RunState};

/// Decides whether an environment that was listed as due has missed its run.
///
/// It checks the row again: a check-in that arrived after the list was read takes precedence.
///
/// ```
/// use overdue::outcome::{Ignored, TickEffect};
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
/// assert_eq!(decision.outcome.effect, TickEffect::Ignored(Ignored::NotDue { due_at }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_missed(
    snapshot: Snapshot,
    key: &EnvironmentKey,
    tick: Tick,
    policy: &Policy,
) -> Decision<DueOutcome> {
    let (Some(monitor), Some(mut environment)) = (snapshot.monitor, snapshot.environment) else {
        return ignore(key, Ignored::NotFound);
    };
    let watch = environment.watch.with_monitor(monitor.status == MonitorStatus::Active);
    if !watch.is_on() {
        // Nothing is decided while it is disabled; the copy takes the environment off the list of what is due
        // (I7).
        let known = std::mem::replace(&mut environment.watch, watch) == watch;
        let transition = (!known).then(|| write(monitor, environment, None, Effects::default()));
        return Decision { transition, ..ignore(key, Ignored::Disabled) };
    }
    let due_at = environment.due_at();
    let Some(expected) = environment
        .deadline()
        .filter(|deadline| deadline.closes <= tick.time())
        .map(|deadline| deadline.expected)
    else {
        return ignore(key, Ignored::NotDue { due_at });
    };
    let id = profile::missed_id(policy.profile, &environment, expected);
    let run = run::missed(id, &mut environment, expected);
    let mut changes = Changes::new(policy, &monitor, &mut environment, &snapshot.history);
    let health = profile::missed(&mut changes, &run, tick);
    let effects = changes.effects;
    let missed = FailedRun { run: run.id, health, deadline: environment.deadline().copied() };
    let transition = write(monitor, environment, Some(PutRun::New(run)), effects);
    decide(key, TickEffect::Missed(missed), transition)
}

/// Decides whether a run that was listed as due has timed out. `snapshot` must hold the run.
///
/// It checks the row again: a result that arrived after the list was read takes precedence, and no finished
/// run times out (I5).
///
/// ```
/// use overdue::outcome::{Ignored, TickEffect};
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
/// assert_eq!(decision.outcome.effect, TickEffect::Ignored(Ignored::NotDue { due_at: None }), "it has finished");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_timeout(
    snapshot: Snapshot,
    key: &EnvironmentKey,
    tick: Tick,
    policy: &Policy,
) -> Decision<DueOutcome> {
    let (Some(monitor), Some(mut environment), Some(RunLookup::Own(mut run))) =
        (snapshot.monitor, snapshot.environment, snapshot.run)
    else {
        return ignore(key, Ignored::NotFound);
    };
    let due_at = run.due_at();
    let (RunState::Reported(Reported { phase, .. }), Some(timeout_at)) = (&mut run.state, due_at) else {
        return ignore(key, Ignored::NotDue { due_at });
    };
    if timeout_at > tick.time() {
        return ignore(key, Ignored::NotDue { due_at });
    }
    let watch = environment.watch.with_monitor(monitor.status == MonitorStatus::Active);
    if !watch.is_on() && !profile::unwatched_time_out(policy.profile) {
        *phase = Phase::Unknown { timeout_at };
        let id = run.id;
        let transition = write(monitor, environment, Some(PutRun::Changed(run)), Effects::default());
        return decide(key, TickEffect::Unknown { run: id }, transition);
    }
    *phase = Phase::TimedOut { timeout_at: Some(timeout_at) };
    let mut changes = Changes::new(policy, &monitor, &mut environment, &snapshot.history);
    let health = profile::timed_out(&mut changes, &run, tick);
    let effects = changes.effects;
    let timed_out = FailedRun { run: run.id, health, deadline: environment.deadline().copied() };
    let transition = write(monitor, environment, Some(PutRun::Changed(run)), effects);
    decide(key, TickEffect::TimedOut(timed_out), transition)
}

fn decide(key: &EnvironmentKey, effect: TickEffect, transition: Transition) -> Decision<DueOutcome> {
    Decision { transition: Some(transition), outcome: DueOutcome { environment: key.clone(), effect } }
}

fn ignore(key: &EnvironmentKey, reason: Ignored) -> Decision<DueOutcome> {
    Decision::answer(DueOutcome { environment: key.clone(), effect: TickEffect::Ignored(reason) })
}
