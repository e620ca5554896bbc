//! Intervals: every so many minutes, hours, days, weeks, months or years.

use std::fmt;
use std::num::NonZeroU32;

use chrono::{DateTime, Datelike, Months, NaiveDate, Timelike, Utc};
use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::minute::{DAY, HOUR, Local, Minute};
use super::window::Window;
use super::zone::Zone;

const CENTURY_OF_DAYS: i64 = 36_525;

/// After so many steps, 400 years of months, the calendar is back where it was: a date that has not come by
/// then never comes.
const CYCLE: i64 = 4_800;

/// What an interval counts.
///
/// ```
/// use overdue::schedule::Unit;
///
/// assert_eq!(Unit::Week.to_string(), "week");
/// assert_eq!(serde_json::from_str::<Unit>(r#""week""#)?, Unit::Week);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    clippy::exhaustive_enums,
    reason = "calendar units say it themselves, and stay what they are"
)]
pub enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// Every so many units, without a zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Interval {
    count: NonZeroU32,
    unit: Unit,
}

/// One step of an interval.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// So many minutes of real time.
    Exact(i64),
    /// So many minutes on the wall clock.
    Clock(i64),
    /// So many months, at the same day of the month and time of day.
    Months(u32),
}

impl Interval {
    pub(super) fn new(count: NonZeroU32, unit: Unit) -> Result<Self, ScheduleError> {
        let most = match unit {
            Unit::Minute => CENTURY_OF_DAYS * DAY,
            Unit::Hour => CENTURY_OF_DAYS * 24,
            Unit::Day => CENTURY_OF_DAYS,
            Unit::Week => CENTURY_OF_DAYS / 7,
            Unit::Month => 1_200,
            Unit::Year => 100,
        };
        if i64::from(count.get()) > most {
            return Err(ScheduleError::TooLong { count, unit });
        }
        Ok(Self { count, unit })
    }

    pub(super) const fn count(&self) -> NonZeroU32 {
        self.count
    }

    pub(super) const fn unit(&self) -> Unit {
        self.unit
    }

    /// The first time of an interval that starts at `after`, but for `after` itself.
    pub(super) fn next(&self, after: Minute, zone: Zone) -> Option<Minute> {
        let step = self.step();
        if let Step::Exact(minutes) = step {
            return Some(after.plus(minutes));
        }
        let window = Window::around(zone, after);
        let next = step.next(window.local(after))?;
        // Later than `after`: the clock has not shown `next` yet, for it is a day or more ahead of `after`, and no
        // clock was ever set back by more than a day.
        Some(window.holding(next).first(next))
    }

    /// The last time of an interval that starts at `start`, before `before`.
    pub(super) fn previous(&self, start: DateTime<Utc>, before: DateTime<Utc>, zone: Zone) -> Option<Minute> {
        let first = Minute::of(start);
        let last = last_minute(start, before);
        let step = self.step();
        if let Step::Exact(minutes) = step {
            let elapsed = last.since(first);
            return (elapsed >= 0).then_some(first.plus(whole(elapsed, minutes)));
        }
        let origin = Window::around(zone, first).local(first);
        let window = Window::around(zone, last);
        match step.last_occurrence(origin, window.latest_shown(last)) {
            // The start is an instant. Read off the clock it might be taken for an earlier pass.
            Some((0, _)) | None => (first <= last).then_some(first),
            Some((_, found)) => Some(window.holding(found).first(found)),
        }
    }

    fn step(&self) -> Step {
        let count = i64::from(self.count.get());
        match self.unit {
            Unit::Minute => Step::Exact(count),
            Unit::Hour => Step::Exact(count.saturating_mul(HOUR)),
            Unit::Day => Step::Clock(count.saturating_mul(DAY)),
            Unit::Week => Step::Clock(count.saturating_mul(7 * DAY)),
            Unit::Month => Step::Months(self.count.get()),
            Unit::Year => Step::Months(self.count.get().saturating_mul(12)),
        }
    }

    /// The same with all steps on the wall clock.
    pub(super) fn step_on_clock(&self) -> Step {
        match self.step() {
            Step::Exact(minutes) => Step::Clock(minutes),
            step @ (Step::Clock(_) | Step::Months(_)) => step,
        }
    }
}

/// The last minute that counts as before `before`: every occurrence has the seconds of `start`, so they decide
/// whether the minute of `before` does.
pub(super) fn last_minute(start: DateTime<Utc>, before: DateTime<Utc>) -> Minute {
    let counts = (start.second(), 0) < (before.second(), before.nanosecond());
    Minute::of(before).plus(if counts { 0 } else { -1 })
}

impl Step {
    /// The first local time after a start. `None` if there is none that chrono can hold.
    pub(super) fn next(self, start: Local) -> Option<Local> {
        (1..=CYCLE).find_map(|nth| self.occurrence(start, nth))
    }

    /// The nth local time after a start. `None` if there is no such date, or none that chrono can hold.
    fn occurrence(self, start: Local, nth: i64) -> Option<Local> {
        match self {
            Step::Exact(minutes) | Step::Clock(minutes) => Some(start.plus(nth.saturating_mul(minutes))),
            Step::Months(months) => {
                let date = start.date()?;
                let months = u32::try_from(nth).ok()?.checked_mul(months)?;
                // chrono goes to the last day of a month that is too short: 31 January to 28 February.
                let later = date.checked_add_months(Months::new(months))?;
                (later.day() == date.day()).then(|| start.on(later))
            }
        }
    }

    /// The last local time up to `until`, and how many steps it is from the start.
    pub(super) fn last_occurrence(self, start: Local, until: Local) -> Option<(i64, Local)> {
        let steps = match self {
            Step::Exact(minutes) | Step::Clock(minutes) => until.since(start).div_euclid(minutes),
            Step::Months(months) => {
                // At the very end of time, clocks ahead of UTC show dates that chrono cannot hold.
                let (start, until) = (start.date()?, until.date().unwrap_or(NaiveDate::MAX));
                let years = i64::from(until.year()).saturating_sub(i64::from(start.year()));
                let elapsed = years
                    .saturating_mul(12)
                    .saturating_add(i64::from(until.month()))
                    .saturating_sub(i64::from(start.month()));
                elapsed.div_euclid(i64::from(months))
            }
        };
        let earliest = steps.saturating_sub(CYCLE).max(0);
        let found = (earliest..=steps).rev().filter_map(|nth| Some((nth, self.occurrence(start, nth)?)));
        found.into_iter().find(|(_, local)| *local <= until)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unit::Minute => "minute",
            Unit::Hour => "hour",
            Unit::Day => "day",
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Year => "year",
        })
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count.get() {
            1 => write!(f, "every {}", self.unit),
            count => write!(f, "every {count} {}s", self.unit),
        }
    }
}

/// As much of an amount as a unit goes into.
const fn whole(amount: i64, unit: i64) -> i64 {
    amount.saturating_sub(amount.rem_euclid(unit))
}
