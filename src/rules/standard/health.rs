//! What a run means for the health of its environment.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::timeline::reschedule;
use crate::clock::Tick;
use crate::config::MonitorConfig;
use crate::decision::HistoryQuery;
use crate::outcome::{Alerting, HealthEffect};
use crate::row::{Health, Run, RunStatus};
use crate::rules::changes::Changes;
use crate::schedule::start_of_minute;

/// Applies a run that succeeded, or that does not affect health. Reschedules from `at` and may resolve the
/// incident.
pub(in crate::rules) fn mark_ok(changes: &mut Changes<'_>, run: &Run, at: DateTime<Utc>) -> HealthEffect {
    let newer_seen = changes.environment.last_checkin.is_some_and(|last| last > at);
    if !newer_seen {
        see(changes, run);
        reschedule(changes.environment, &changes.monitor.config, &start_of_minute(at));
    }
    if run.status() != RunStatus::Ok {
        return HealthEffect::NoEffect;
    }
    // The rules of the reference may have left a value behind.
    changes.environment.failing = None;
    let incident = match &changes.environment.health {
        Health::Ok => return HealthEffect::Healthy,
        Health::Error(incident) => Some(Arc::clone(incident)),
        Health::Active => None,
    };
    if let Some(incident) = incident.as_deref().filter(|incident| at < incident.last_failure) {
        let last_failure = incident.last_failure;
        return HealthEffect::OlderThanFailure { incident: incident.id, last_failure };
    }
    let threshold = changes.monitor.config.recovery_threshold().get();
    let window = changes.window(run, threshold);
    let successes = window.iter().take_while(|run| run.status == RunStatus::Ok).count();
    // Without an incident to resolve, it is enough that all known runs succeeded.
    let enough = if incident.is_some() { threshold as usize } else { window.len() };
    if successes < enough {
        let successes = u32::try_from(successes).unwrap_or(u32::MAX);
        let incident = incident.map(|incident| incident.id);
        return HealthEffect::Recovering { incident, successes, threshold };
    }
    changes.environment.health = Health::Ok;
    let Some(incident) = incident else { return HealthEffect::FirstOk };
    let alerting = if incident.announced { Alerting::Sent } else { Alerting::NeverAnnounced };
    changes.resolve_incident(incident, run, at, alerting)
}

/// Applies a run that failed. Reschedules from `from`, a whole minute, and may open an incident.
pub(in crate::rules) fn mark_failed(
    changes: &mut Changes<'_>,
    run: &Run,
    from: &DateTime<Utc>,
) -> HealthEffect {
    let missed = match run.status() {
        RunStatus::Missed => true,
        RunStatus::InProgress
        | RunStatus::Ok
        | RunStatus::Error
        | RunStatus::Timeout
        | RunStatus::Unknown => false,
    };
    let newer = changes.environment.last_checkin.filter(|last| *last > run.started_at);
    // The clock judges a miss or a timeout, and knows whether a newer run has finished.
    if let Some(last_checkin) = newer
        && !missed
        && run.status() != RunStatus::Timeout
    {
        return HealthEffect::NewerSeen { last_checkin };
    }
    // The times of a newer run stay, but after a miss the next run must be expected in any case.
    if newer.is_none() || missed {
        if !missed {
            see(changes, run);
        }
        reschedule(changes.environment, &changes.monitor.config, from);
    }
    match &changes.environment.health {
        Health::Error(incident) => {
            let incident = Arc::clone(incident);
            changes.continue_incident(incident, run)
        }
        Health::Active | Health::Ok => open(changes, run, from),
    }
}

/// Opens an incident if enough runs in a row have failed.
fn open(changes: &mut Changes<'_>, run: &Run, from: &DateTime<Utc>) -> HealthEffect {
    let threshold = changes.monitor.config.failure_threshold().get();
    let mut window = changes.window(run, threshold);
    let failures = window.iter().take_while(|run| run.status != RunStatus::Ok).count();
    let failures = u32::try_from(failures).unwrap_or(u32::MAX);
    let below = HealthEffect::BelowThreshold { failures, threshold };
    if failures < threshold {
        return below;
    }
    window.reverse();
    let Some(&first) = window.first() else { return below };
    changes.open_incident(run, first, window, *from)
}

/// Moves `last_checkin`, which never goes back.
fn see(changes: &mut Changes<'_>, run: &Run) {
    changes.environment.last_checkin = changes.environment.last_checkin.max(Some(run.started_at));
}

/// Applies a run that a tick found missed.
pub(in crate::rules) fn missed(changes: &mut Changes<'_>, run: &Run, tick: Tick) -> HealthEffect {
    at_tick(changes, run, tick)
}

/// Applies a run that a tick found timed out, unless a newer one has finished.
pub(in crate::rules) fn timed_out(changes: &mut Changes<'_>, run: &Run, tick: Tick) -> HealthEffect {
    let newer = changes.environment.last_result.filter(|result| *result > run.started_at);
    newer.map_or_else(
        || at_tick(changes, run, tick),
        |last_result| HealthEffect::NewerFinished { last_result },
    )
}

/// Applies a failed run as of the last expected time before a tick. So one miss is recorded, and the schedule
/// catches up, when ticks were skipped (I8).
///
/// A schedule that ended long before the tick has no such time. Deadlines then follow from the tick itself,
/// after which nothing is due any more (I7).
fn at_tick(changes: &mut Changes<'_>, run: &Run, tick: Tick) -> HealthEffect {
    let schedule = changes.monitor.config.schedule();
    let from = schedule.previous(run.started_at, tick.time()).unwrap_or_else(|| tick.time());
    mark_failed(changes, run, &from)
}

/// Returns which past runs the thresholds need to judge a run with this status.
pub(in crate::rules) fn reads(
    config: &MonitorConfig,
    health: &Health,
    status: RunStatus,
    started_at: DateTime<Utc>,
) -> Option<HistoryQuery> {
    let (threshold, until) = match (health, status) {
        (Health::Active | Health::Ok, RunStatus::Error | RunStatus::Missed | RunStatus::Timeout) => {
            (config.failure_threshold(), Some(started_at))
        }
        (Health::Active | Health::Error(_), RunStatus::Ok) => (config.recovery_threshold(), None),
        (Health::Ok, RunStatus::Ok)
        | (Health::Error(_), RunStatus::Error | RunStatus::Missed | RunStatus::Timeout)
        | (_, RunStatus::InProgress | RunStatus::Unknown) => return None,
    };
    let count = threshold.get();
    (count > 1).then_some(HistoryQuery { count, until, judged: true })
}
