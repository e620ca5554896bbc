//! Intervals: every so many minutes, hours, days, weeks, months or years.

use std::fmt;
use std::num::NonZeroU32;

use chrono::{DateTime, Datelike, Months, NaiveDate, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::minute::{DAY, HOUR, Local, Minute};
use super::slot::Slot;
use super::zone::Window;
use crate::policy::{Quirk, Quirks};

const CENTURY_OF_DAYS: i64 = 36_525;

/// After so many steps, 400 years of months, the calendar is back where it was: a date that has not come by
/// then never comes.
const CYCLE: i64 = 4_800;

/// The last year that Python knows.
const LAST_YEAR_OF_PYTHON: i32 = 9_999;

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
enum Step {
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
    pub(super) fn next(&self, after: Slot, zone: Tz, quirks: Quirks) -> Option<Slot> {
        let step = self.step(quirks);
        if let Step::Exact(minutes) = step {
            return Slot::at(after.minute().plus(minutes));
        }
        let window = Window::around(zone, after.minute());
        let start = after.local(window);
        let next = (1..=CYCLE).find_map(|nth| step.occurrence(start, nth))?;
        // Later than `after`: the clock has not shown `next` yet, for it is a day or more ahead of `start`,
        // and no clock was ever set back by more than a day.
        placed(next, window, quirks)
    }

    /// The last time of an interval that starts at `start`, before `before`.
    pub(super) fn previous(
        &self,
        start: DateTime<Utc>,
        before: DateTime<Utc>,
        zone: Tz,
        quirks: Quirks,
    ) -> Option<Slot> {
        let first = Minute::of(start);
        // Every occurrence has the seconds of `start`, so they decide whether the last minute counts.
        let seconds = |time: DateTime<Utc>| (time.second(), time.nanosecond());
        let last_counts = (start.second(), 0) < seconds(before);
        let last = Minute::of(before).plus(if last_counts { 0 } else { -1 });

        let step = self.step(quirks);
        if let Step::Exact(minutes) = step {
            let elapsed = last.since(first);
            return (elapsed >= 0).then_some(first.plus(whole(elapsed, minutes))).and_then(Slot::at);
        }
        let origin = Window::around(zone, first).local(first);
        if quirks.keeps(Quirk::IntervalsOnLocalClock) {
            let window = Window::around(zone, Minute::of(before));
            let until = window.local(Minute::of(before)).plus(if last_counts { 0 } else { -1 });
            let (_, found) = step.last_occurrence(origin, until)?;
            return placed(found, window, quirks);
        }
        let window = Window::around(zone, last);
        match step.last_occurrence(origin, window.latest_shown(last)) {
            // The start is an instant. Read off the clock it might be taken for an earlier pass.
            Some((0, _)) | None => (first <= last).then_some(first).and_then(Slot::at),
            Some((_, found)) => placed(found, window, quirks),
        }
    }

    fn step(&self, quirks: Quirks) -> Step {
        let count = i64::from(self.count.get());
        let exact = match quirks.keeps(Quirk::IntervalsOnLocalClock) {
            true => Step::Clock,
            false => Step::Exact,
        };
        match self.unit {
            Unit::Minute => exact(count),
            Unit::Hour => exact(count.saturating_mul(HOUR)),
            Unit::Day => Step::Clock(count.saturating_mul(DAY)),
            Unit::Week => Step::Clock(count.saturating_mul(7 * DAY)),
            Unit::Month => Step::Months(self.count.get()),
            Unit::Year => Step::Months(self.count.get().saturating_mul(12)),
        }
    }
}

impl Step {
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
    fn last_occurrence(self, start: Local, until: Local) -> Option<(i64, Local)> {
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

/// The instant of a local time that an interval has led to: on the first pass of a fold. A time that is
/// skipped becomes the end of the gap, or with the quirk, as in Python, what a clock would show that nobody
/// has set.
fn placed(local: Local, near: Window, quirks: Quirks) -> Option<Slot> {
    let window = near.holding(local);
    if !quirks.keeps(Quirk::IntervalsOnLocalClock) {
        return Slot::at(window.first(local));
    }
    Slot::imagined(window.unset(local), local).filter(|_| local.year() <= LAST_YEAR_OF_PYTHON)
}

/// As much of an amount as a unit goes into.
const fn whole(amount: i64, unit: i64) -> i64 {
    amount.saturating_sub(amount.rem_euclid(unit))
}
