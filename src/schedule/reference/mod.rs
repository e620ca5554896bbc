//! How the reference reckons expected times around clock changes, by its quirks.
//!
//! [`Quirk::RepeatedHourForgotten`] and [`Quirk::IntervalsOnLocalClock`] decide. Without them the answers are those of
//! [`Schedule`].

mod walk;
mod wall_time;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::crontab::{Crontab, Passes};
use super::interval::{Interval, Step, last_minute};
use super::minute::{Local, Minute};
use super::window::Window;
use super::zone::Zone;
use super::{Plan, Schedule, ScheduleError};
use crate::policy::{Quirk, Quirks};

pub(crate) use wall_time::WallTime;

/// The last year that Python knows.
const LAST_YEAR_OF_PYTHON: i32 = 9_999;

/// A crontab as Debian's cron and the reference read it, and no more than that.
///
/// ```
/// use overdue::schedule::{Schedule, Zone, reference};
///
/// assert!(reference::crontab("0 22-2 * * *", Zone::UTC).is_err());
/// assert!(Schedule::crontab("0 22-2 * * *", Zone::UTC).is_ok());
/// ```
///
/// # Errors
/// As [`Schedule::crontab`].
pub fn crontab(expression: &str, zone: Zone) -> Result<Schedule, ScheduleError> {
    Ok(Schedule::of_crontab(Arc::new(Crontab::parse(expression)?), zone))
}

/// The first time after `after`, as [`Schedule::next`]. It need not be later when clocks are set back.
///
/// ```
/// use overdue::policy::Quirks;
/// use overdue::schedule::{Schedule, Zone, reference};
///
/// let schedule = Schedule::crontab("30 2 * * *", Zone::UTC)?;
/// let next = reference::next(&schedule, "2025-03-01T00:00:00Z".parse()?, Quirks::SENTRY_2024);
/// assert_eq!(next, Some("2025-03-01T02:30:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn next(schedule: &Schedule, after: DateTime<Utc>, quirks: Quirks) -> Option<DateTime<Utc>> {
    match &schedule.0.plan {
        Plan::Crontab { crontab, .. } if quirks.keeps(Quirk::RepeatedHourForgotten) => {
            next_run(crontab, Minute::of(after), schedule.zone())?.instant()
        }
        Plan::Interval(interval) if quirks.keeps(Quirk::IntervalsOnLocalClock) => {
            next_step(*interval, &after.into(), schedule.zone()).map(|next| *next.start())
        }
        Plan::Crontab { .. } | Plan::InDialect { .. } | Plan::Interval(_) => schedule.next(after),
    }
}

/// The last time before `before`, as [`Schedule::previous`].
///
/// ```
/// use overdue::policy::Quirks;
/// use overdue::schedule::{Schedule, Zone, reference};
///
/// let schedule = Schedule::crontab("30 2 * * *", Zone::UTC)?;
/// let (start, before) = ("2025-01-01T00:00:00Z".parse()?, "2025-03-01T00:00:00Z".parse()?);
/// let previous = reference::previous(&schedule, start, before, Quirks::SENTRY_2024);
/// assert_eq!(previous, Some("2025-02-28T02:30:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn previous(
    schedule: &Schedule,
    start: DateTime<Utc>,
    before: DateTime<Utc>,
    quirks: Quirks,
) -> Option<DateTime<Utc>> {
    previous_wall_time(schedule, start, before, quirks).map(|previous| *previous.start())
}

/// [`next`], from a wall time to a wall time.
pub(crate) fn next_wall_time(schedule: &Schedule, after: &WallTime, quirks: Quirks) -> Option<WallTime> {
    match &schedule.0.plan {
        Plan::Interval(interval) if quirks.keeps(Quirk::IntervalsOnLocalClock) => {
            next_step(*interval, after, schedule.zone())
        }
        Plan::Crontab { .. } | Plan::InDialect { .. } | Plan::Interval(_) => {
            next(schedule, *after.start(), quirks).map(WallTime::starting)
        }
    }
}

/// [`previous`], to a wall time.
pub(crate) fn previous_wall_time(
    schedule: &Schedule,
    start: DateTime<Utc>,
    before: DateTime<Utc>,
    quirks: Quirks,
) -> Option<WallTime> {
    match &schedule.0.plan {
        Plan::Crontab { crontab, .. } if quirks.keeps(Quirk::RepeatedHourForgotten) => {
            WallTime::at(previous_run(crontab, before, schedule.zone())?)
        }
        Plan::Interval(interval) if quirks.keeps(Quirk::IntervalsOnLocalClock) => {
            previous_step(*interval, start, before, schedule.zone())
        }
        Plan::Crontab { .. } | Plan::InDialect { .. } | Plan::Interval(_) => {
            schedule.previous(start, before).map(WallTime::starting)
        }
    }
}

/// Why older releases of CronSim refuse a schedule that runs by its weekdays alone: [`Quirk::IdleDaysRefused`].
pub(crate) fn idle_day(schedule: &Schedule) -> Option<ScheduleError> {
    match &schedule.0.plan {
        Plan::Crontab { crontab, .. } => crontab.calendar.days.idle_day(),
        Plan::InDialect { .. } | Plan::Interval(_) => None,
    }
}

/// The run of a crontab after a minute, with the second pass of a repeated hour taken for the first.
fn next_run(crontab: &Crontab, after: Minute, zone: Zone) -> Option<Minute> {
    let window = Window::around(zone, after);
    match crontab.passes {
        Passes::First => crontab.first_pass_from(window, window.local(after).plus(1)),
        Passes::Every => {
            let next = crontab.next_pass(window, after.plus(1), zone)?;
            Some(crontab.walk_forward(window, after.plus(1), next))
        }
    }
}

/// The run of a crontab before an instant.
fn previous_run(crontab: &Crontab, before: DateTime<Utc>, zone: Zone) -> Option<Minute> {
    let until = Minute::before(before);
    let window = Window::around(zone, until);
    match crontab.passes {
        Passes::First => crontab.first_pass_until(window, reference_start(window, before)),
        Passes::Every => {
            let previous = crontab.previous_pass(window, until, zone)?;
            Some(crontab.walk_back(window, until, previous))
        }
    }
}

/// Where the reference starts to look back from: the last minute before, as reckoned on the wall clock, and out of
/// the gap if that leads into one.
fn reference_start(window: Window, before: DateTime<Utc>) -> Local {
    let within = Minute::of(before);
    let start = window.local(within).plus(Minute::before(before).since(within));
    window.skipping(start).map_or(start, |gap| gap.last_before())
}

/// The first time of an interval that steps on the wall clock.
fn next_step(interval: Interval, after: &WallTime, zone: Zone) -> Option<WallTime> {
    let window = Window::around(zone, after.minute());
    let next = interval.step_on_clock().next(after.local(window))?;
    placed(next, window)
}

/// The last time of an interval that steps on the wall clock.
fn previous_step(
    interval: Interval,
    start: DateTime<Utc>,
    before: DateTime<Utc>,
    zone: Zone,
) -> Option<WallTime> {
    let first = Minute::of(start);
    let origin = Window::around(zone, first).local(first);
    let window = Window::around(zone, Minute::of(before));
    let cut = last_minute(start, before).since(Minute::of(before));
    let until = window.local(Minute::of(before)).plus(cut);
    let step: Step = interval.step_on_clock();
    let (_, found) = step.last_occurrence(origin, until)?;
    placed(found, window)
}

/// A local time, though the clock may never show it.
fn placed(local: Local, near: Window) -> Option<WallTime> {
    let window = near.holding(local);
    WallTime::imagined(window.unset(local), local).filter(|_| local.year() <= LAST_YEAR_OF_PYTHON)
}
