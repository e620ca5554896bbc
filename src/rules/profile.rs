//! Dispatches each question to the rules of the profile: the standard or the reference.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::changes::Changes;
use super::early_exit::EarlyExit;
use super::run::RunUpdate;
use super::{reference, standard};
use crate::admission::ValidCheckin;
use crate::clock::Tick;
use crate::config::MonitorConfig;
use crate::decision::{HistoryQuery, RunLookup};
use crate::id::RunId;
use crate::outcome::Effect;
use crate::policy::{Profile, Quirk};
use crate::row::{Environment, Monitor, Run, RunStatus};
use crate::schedule::start_of_minute;

/// Applies a check-in to its run.
pub(super) fn apply(
    profile: Profile,
    valid: &ValidCheckin<'_>,
    found: Option<RunLookup>,
    monitor: &Monitor,
    environment: &mut Environment,
) -> Result<RunUpdate, EarlyExit> {
    match profile {
        Profile::Standard => standard::apply(valid, found, monitor, environment),
        Profile::Reference(quirks) => reference::apply(valid, found, monitor, environment, quirks),
    }
}

/// Applies a run that succeeded, or that does not affect health. The next deadline follows from `at`.
pub(super) fn mark_ok(changes: &mut Changes<'_>, run: &Run, at: DateTime<Utc>) -> Effect {
    match changes.policy.profile {
        Profile::Standard => standard::mark_ok(changes, run, at).into(),
        Profile::Reference(quirks) => reference::mark_ok(changes, run, at, quirks),
    }
}

/// Applies a run that failed. The next deadline follows from `at`.
pub(super) fn mark_failed(changes: &mut Changes<'_>, run: &Run, at: DateTime<Utc>) -> Effect {
    match changes.policy.profile {
        Profile::Standard => standard::mark_failed(changes, run, &start_of_minute(at)).into(),
        Profile::Reference(quirks) => reference::mark_failed(changes, run, &at.into(), quirks),
    }
}

/// Applies a run that a tick found missed.
pub(super) fn missed(changes: &mut Changes<'_>, run: &Run, tick: Tick) -> Effect {
    match changes.policy.profile {
        Profile::Standard => standard::missed(changes, run, tick).into(),
        Profile::Reference(quirks) => reference::missed(changes, run, tick, quirks),
    }
}

/// Applies a run that a tick found timed out.
pub(super) fn timed_out(changes: &mut Changes<'_>, run: &Run, tick: Tick) -> Effect {
    match changes.policy.profile {
        Profile::Standard => standard::timed_out(changes, run, tick).into(),
        Profile::Reference(quirks) => reference::timed_out(changes, run, tick, quirks),
    }
}

/// Returns the id of the run that was expected and missed.
pub(super) fn missed_id(profile: Profile, environment: &Environment, expected: DateTime<Utc>) -> RunId {
    let again = match profile {
        Profile::Standard => None,
        Profile::Reference(quirks) => reference::again(environment, quirks),
    };
    RunId::of_missed(environment.id, expected, again)
}

/// Whether runs of a disabled monitor or environment time out.
pub(super) const fn unwatched_time_out(profile: Profile) -> bool {
    profile.keeps(Quirk::DisabledMonitorsTimeOut)
}

/// Whether a rejected check-in leaves changes behind.
pub(super) const fn rejections_leave_changes(profile: Profile) -> bool {
    profile.keeps(Quirk::RefusalsLeaveChanges)
}

/// Applies an edit made at `at` to the deadline.
pub(super) fn edited(
    profile: Profile,
    before: &Monitor,
    monitor: &Arc<Monitor>,
    environment: &mut Environment,
    woken: bool,
    at: DateTime<Utc>,
) {
    match profile {
        Profile::Standard => standard::edited(before, monitor, environment, woken, at),
        Profile::Reference(quirks) => reference::edited(before, monitor, environment, woken, at, quirks),
    }
}

/// Returns which past runs are needed to judge a run with this status.
pub(super) fn reads(
    profile: Profile,
    config: &MonitorConfig,
    environment: &Environment,
    status: RunStatus,
    started_at: DateTime<Utc>,
) -> Option<HistoryQuery> {
    match profile {
        Profile::Standard => standard::reads(config, &environment.health, status, started_at),
        Profile::Reference(quirks) => reference::reads(config, environment, status, started_at, quirks),
    }
}
