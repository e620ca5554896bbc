//! The search through the calendar, on local time without a zone, to the second.

use chrono::{DateTime, NaiveDate};

use super::days::Days;
use crate::schedule::field::Set;

const DAY: i64 = 86_400;

/// A second as a wall clock shows it, counted from 1970.
pub(super) type LocalSecond = i64;

/// All local times that a crontab matches, from 1970 to 2199.
#[derive(Clone, Debug)]
pub(super) struct Times {
    pub(super) seconds: Set,
    pub(super) minutes: Set,
    pub(super) hours: Set,
    pub(super) days: Days,
}

impl Times {
    /// The first match at this time or later.
    pub(super) fn next(&self, from: LocalSecond) -> Option<LocalSecond> {
        let today = date(from)?;
        let day = self.days.next(today)?;
        if day == today {
            if let Some(time) = self.next_in_day(from.rem_euclid(DAY)) {
                return Some(midnight(today).saturating_add(time));
            }
            let later = self.days.next(today.succ_opt()?)?;
            return Some(midnight(later).saturating_add(self.next_in_day(0)?));
        }
        Some(midnight(day).saturating_add(self.next_in_day(0)?))
    }

    /// The first time of day from this one on.
    fn next_in_day(&self, from: i64) -> Option<i64> {
        let (hour, minute, second) =
            (from.div_euclid(3_600), from.div_euclid(60).rem_euclid(60), from.rem_euclid(60));
        if self.hours.contains(hour) {
            let this_minute = self.seconds.at_least(second).least();
            if let Some(second) = this_minute.filter(|_| self.minutes.contains(minute)) {
                return Some(time_of_day(hour, minute, second.into()));
            }
            if let Some(minute) = self.minutes.at_least(minute.saturating_add(1)).least() {
                return Some(time_of_day(hour, minute.into(), self.seconds.least()?.into()));
            }
        }
        let hour = self.hours.at_least(hour.saturating_add(1)).least()?;
        Some(time_of_day(hour.into(), self.minutes.least()?.into(), self.seconds.least()?.into()))
    }
}

fn date(local: LocalSecond) -> Option<NaiveDate> {
    Some(DateTime::from_timestamp(local, 0)?.date_naive())
}

fn midnight(date: NaiveDate) -> LocalSecond {
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
}

const fn time_of_day(hour: i64, minute: i64, second: i64) -> i64 {
    hour.saturating_mul(3_600).saturating_add(minute.saturating_mul(60)).saturating_add(second)
}
