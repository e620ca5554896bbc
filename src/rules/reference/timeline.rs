//! When the next run is expected.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::config::MonitorConfig;
use crate::policy::{Quirk, Quirks};
use crate::row::{Deadline, Environment, Expectation, Monitor};
use crate::schedule::later;
use crate::schedule::reference::{self, WallTime};

/// Expects the next run after `from`. Reference times never go back, unless a quirk forgets the newest.
pub(super) fn reschedule(
    environment: &mut Environment,
    config: &MonitorConfig,
    from: &WallTime,
    quirks: Quirks,
) {
    let forgetful = quirks.keeps(Quirk::RepeatedHourForgotten);
    let newest = environment.expectation.since().filter(|newest| !forgetful && *newest > from.start());
    let newest = newest.copied().map(WallTime::from);
    let from = newest.as_ref().unwrap_or(from);
    let deadline = deadline(config, from, quirks);
    environment.expectation = Expectation::of(*from.start(), deadline);
}

/// Returns the deadline that follows from `from`, or `None` if the schedule has ended.
fn deadline(config: &MonitorConfig, from: &WallTime, quirks: Quirks) -> Option<Deadline> {
    let schedule = config.schedule();
    let expected = reference::next_wall_time(schedule, from, quirks)?;
    let margin = config.margin().duration();
    let closes = match quirks.keeps(Quirk::MarginOnLocalClock) {
        true => expected.later_on_clock(margin, schedule.zone())?,
        false => later(expected.start(), margin)?,
    };
    Some(Deadline { expected: *expected.start(), closes })
}

/// Sets the deadline that follows from an edit made at `at`. `woken` is true if the edit enabled the
/// environment.
pub(in crate::rules) fn edited(
    before: &Monitor,
    monitor: &Arc<Monitor>,
    environment: &mut Environment,
    woken: bool,
    at: DateTime<Utc>,
    quirks: Quirks,
) {
    let awaited = environment.watch.is_on() && environment.expectation != Expectation::None;
    if !awaited || quirks.keeps(Quirk::DeadlinesOutliveEdits) {
        return;
    }
    if woken || monitor.config.schedule() != before.config.schedule() {
        reschedule(environment, &monitor.config, &at.into(), quirks);
    } else if monitor.config != before.config
        && let Expectation::Next { deadline, .. } = &mut environment.expectation
        && let Some(closes) = later(&deadline.expected, monitor.config.margin().duration())
    {
        deadline.closes = closes;
    }
}
