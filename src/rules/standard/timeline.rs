//! When the next run is expected.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::config::MonitorConfig;
use crate::row::{Deadline, Environment, Expectation, Monitor};
use crate::schedule::{later, start_of_minute};

/// Expects the next run after `from`, a whole minute.
///
/// Reference times never go back: a message that was received before a miss, but processed after it, does not
/// make the missed run expected again.
pub(super) fn reschedule(environment: &mut Environment, config: &MonitorConfig, from: &DateTime<Utc>) {
    let newest = environment.expectation.since().filter(|newest| *newest > from);
    let from = *newest.unwrap_or(from);
    environment.expectation = Expectation::of(from, deadline(config, &from));
}

/// Returns the deadline that follows from `from`, or `None` if the schedule has ended.
fn deadline(config: &MonitorConfig, from: &DateTime<Utc>) -> Option<Deadline> {
    let expected = config.schedule().next_after(from)?;
    let closes = later(&expected, config.margin().duration())?;
    Some(Deadline { expected, closes })
}

/// Sets the deadline that follows from an edit made at `at`. `woken` is true if the edit enabled the
/// environment.
pub(in crate::rules) fn edited(
    before: &Monitor,
    monitor: &Arc<Monitor>,
    environment: &mut Environment,
    woken: bool,
    at: DateTime<Utc>,
) {
    if !environment.watch.is_on() || environment.expectation == Expectation::None {
        return;
    }
    if woken || monitor.config.schedule() != before.config.schedule() {
        reschedule(environment, &monitor.config, &start_of_minute(at));
    } else if monitor.config != before.config
        && let Expectation::Next { deadline, .. } = &mut environment.expectation
        && let Some(closes) = later(&deadline.expected, monitor.config.margin().duration())
    {
        // A deadline of an earlier schedule stays: only a check-in or a miss moves it.
        deadline.closes = closes;
    }
}
