//! What a run means for the health of its environment.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::timeline::reschedule;
use crate::clock::Tick;
use crate::config::MonitorConfig;
use crate::decision::HistoryQuery;
use crate::event::{Event, reference::Failure as FailureEvent};
use crate::id::EventId;
use crate::outcome::reference::Effect as ReferenceEffect;
use crate::outcome::{Alerting, Effect, HealthEffect};
use crate::policy::{Quirk, Quirks};
use crate::row::reference::{Failing, Failure};
use crate::row::{Environment, Health, Incident, Run, RunStatus};
use crate::rules::changes::Changes;
use crate::schedule::reference::{WallTime, previous_wall_time};

/// Applies a run that succeeded, or that does not affect health.
pub(in crate::rules) fn mark_ok(
    changes: &mut Changes<'_>,
    run: &Run,
    at: DateTime<Utc>,
    quirks: Quirks,
) -> Effect {
    let newer_seen = changes.environment.last_checkin.is_some_and(|last| last > at);
    if !newer_seen {
        see(changes, run, quirks);
        reschedule(changes.environment, &changes.monitor.config, &at.into(), quirks);
    }
    if run.status() != RunStatus::Ok {
        return HealthEffect::NoEffect.into();
    }
    let incident = match (&changes.environment.health, changes.environment.failing) {
        (Health::Ok, None) => return HealthEffect::Healthy.into(),
        (Health::Error(incident), _) => Some(Arc::clone(incident)),
        (Health::Active, _) | (Health::Ok, Some(_)) => None,
    };
    if let Some(incident) = incident.as_deref().filter(|incident| at < incident.last_failure)
        && !quirks.keeps(Quirk::IncidentEndsBeforeItBegan)
    {
        let last_failure = incident.last_failure;
        return HealthEffect::OlderThanFailure { incident: incident.id, last_failure }.into();
    }
    let threshold = recovery_threshold(changes, incident.as_deref(), quirks);
    let window = changes.window(run, threshold);
    let successes = window.iter().take_while(|run| run.status == RunStatus::Ok).count();
    // Without an incident to resolve, it is enough that all known runs succeeded.
    let enough = match incident.is_some() && !quirks.keeps(Quirk::ShortHistoryOpensIncident) {
        true => threshold as usize,
        false => window.len(),
    };
    if successes < enough {
        let successes = u32::try_from(successes).unwrap_or(u32::MAX);
        let incident = incident.map(|incident| incident.id);
        return HealthEffect::Recovering { incident, successes, threshold }.into();
    }
    let stays_failing = newer_seen && quirks.keeps(Quirk::LateOkLeavesErrorStatus);
    let Some(incident) = incident else { return recover(changes.environment, stays_failing) };
    changes.environment.health = Health::Ok;
    changes.environment.failing = stays_failing.then_some(Failing::Stranded);
    let at = if quirks.keeps(Quirk::IncidentEndsBeforeItBegan) { run.started_at } else { at };
    let alerting = match incident.announced || quirks.keeps(Quirk::MutedResolutionsSent) {
        true => Alerting::Sent,
        false => Alerting::NeverAnnounced,
    };
    changes.resolve_incident(incident, run, at, alerting).into()
}

/// Ends a failure without an incident.
fn recover(environment: &mut Environment, stays_failing: bool) -> Effect {
    let first = environment.health == Health::Active && environment.failing.is_none();
    if !stays_failing {
        environment.health = Health::Ok;
        environment.failing = None;
    }
    if first { HealthEffect::FirstOk.into() } else { ReferenceEffect::Recovered.into() }
}

/// Applies a run that failed. The deadlines follow from `from`.
pub(in crate::rules) fn mark_failed(
    changes: &mut Changes<'_>,
    run: &Run,
    from: &WallTime,
    quirks: Quirks,
) -> Effect {
    let (failure, judged_by_clock) = match run.status() {
        RunStatus::Missed => (Failure::Missed, true),
        RunStatus::Timeout => (Failure::Timeout, !quirks.keeps(Quirk::OnlyNewestTimeoutJudged)),
        RunStatus::InProgress | RunStatus::Ok | RunStatus::Error | RunStatus::Unknown => {
            (Failure::Error, false)
        }
    };
    let newer = changes.environment.last_checkin.filter(|last| *last > run.started_at);
    if let Some(last_checkin) = newer.filter(|_| !judged_by_clock) {
        return HealthEffect::NewerSeen { last_checkin }.into();
    }
    if newer.is_none() || failure == Failure::Missed {
        if failure != Failure::Missed {
            see(changes, run, quirks);
        }
        reschedule(changes.environment, &changes.monitor.config, from, quirks);
    }
    match (&changes.environment.health, changes.environment.failing) {
        (Health::Error(incident), _) => {
            let incident = Arc::clone(incident);
            changes.continue_incident(incident, run).into()
        }
        (Health::Active | Health::Ok, Some(Failing::Stranded)) => ReferenceEffect::Stranded.into(),
        (Health::Active | Health::Ok, Some(Failing::Run(_)) | None) => match quirks.keeps(Quirk::NoIncidents)
        {
            true => fail(changes, run, failure).into(),
            false => open(changes, run, from, quirks).into(),
        },
    }
}

/// Opens an incident if enough runs in a row have failed.
fn open(changes: &mut Changes<'_>, run: &Run, from: &WallTime, quirks: Quirks) -> HealthEffect {
    let threshold = changes.monitor.config.failure_threshold().get();
    let mut window = changes.window(run, threshold);
    let failures = window.iter().take_while(|run| run.status != RunStatus::Ok).count();
    let enough = match quirks.keeps(Quirk::ShortHistoryOpensIncident) {
        true => failures == window.len(),
        false => failures >= threshold as usize,
    };
    let below =
        HealthEffect::BelowThreshold { failures: u32::try_from(failures).unwrap_or(u32::MAX), threshold };
    if !enough {
        return below;
    }
    window.reverse();
    let Some(&first) = window.first() else { return below };
    changes.open_incident(run, first, window, *from.start())
}

/// Reports a failure, in the mode without incidents.
fn fail(changes: &mut Changes<'_>, run: &Run, failure: Failure) -> ReferenceEffect {
    let environment = &mut *changes.environment;
    environment.health = Health::Ok;
    environment.failing = Some(Failing::Run(failure));
    let (cause, name) = (environment.id, environment.key.name.clone());
    let alerting = changes.alerting();
    if alerting == Alerting::Sent {
        changes.effects.events.push(Event::Reference(FailureEvent {
            id: EventId::of(cause.as_uuid(), "failure", run.id),
            monitor: Arc::clone(changes.monitor),
            environment: name,
            reason: failure.into(),
            run: run.summary(),
            trace_id: run.trace_id(),
        }));
    }
    ReferenceEffect::Failed { alerting }
}

/// Moves `last_checkin` to the newest run.
fn see(changes: &mut Changes<'_>, run: &Run, quirks: Quirks) {
    let seen = Some(run.started_at);
    changes.environment.last_checkin = match quirks.keeps(Quirk::LastCheckinMovesBack) {
        true => seen,
        false => changes.environment.last_checkin.max(seen),
    };
}

/// Returns how many successes in a row resolve an incident.
fn recovery_threshold(changes: &Changes<'_>, incident: Option<&Incident>, quirks: Quirks) -> u32 {
    match (incident, changes.environment.failing) {
        (None, None | Some(Failing::Run(_))) if quirks.keeps(Quirk::NoIncidents) => 1,
        (Some(_), _) | (None, _) => changes.monitor.config.recovery_threshold().get(),
    }
}

/// Applies a run that a tick found missed.
pub(in crate::rules) fn missed(changes: &mut Changes<'_>, run: &Run, tick: Tick, quirks: Quirks) -> Effect {
    at_tick(changes, run, tick, quirks)
}

/// Applies a run that a tick found timed out, unless a newer one has finished.
pub(in crate::rules) fn timed_out(
    changes: &mut Changes<'_>,
    run: &Run,
    tick: Tick,
    quirks: Quirks,
) -> Effect {
    let newer = changes.environment.last_result.filter(|result| *result > run.started_at);
    newer.map_or_else(
        || at_tick(changes, run, tick, quirks),
        |last_result| HealthEffect::NewerFinished { last_result }.into(),
    )
}

/// Applies a failed run as of the last expected time before a tick.
fn at_tick(changes: &mut Changes<'_>, run: &Run, tick: Tick, quirks: Quirks) -> Effect {
    let schedule = changes.monitor.config.schedule();
    match previous_wall_time(schedule, run.started_at, tick.time(), quirks) {
        None if quirks.keeps(Quirk::MissingSlotStopsTick) => ReferenceEffect::TickStopped.into(),
        from => mark_failed(changes, run, &from.unwrap_or_else(|| tick.time().into()), quirks),
    }
}

/// Returns which past runs the thresholds need to judge a run with this status.
pub(in crate::rules) fn reads(
    config: &MonitorConfig,
    environment: &Environment,
    status: RunStatus,
    started_at: DateTime<Utc>,
    quirks: Quirks,
) -> Option<HistoryQuery> {
    let judged = !quirks.keeps(Quirk::OpenRunsCountAsFailures);
    let (threshold, until) = match (&environment.health, environment.failing) {
        (Health::Active | Health::Ok, None) if status.is_failure() => {
            (config.failure_threshold(), Some(started_at))
        }
        (Health::Ok, None) => return None,
        (_, _) if status == RunStatus::Ok => (config.recovery_threshold(), None),
        (_, _) => return None,
    };
    let count = threshold.get();
    (count > 1).then_some(HistoryQuery { count, until, judged })
}
