//! Whole minutes, of real time and on a wall clock: two types, so that one is never taken for the other.
//!
//! All schedules are worked out in whole minutes, with offsets rounded down to the minute. That rounding
//! is seen only where a zone still kept its local mean time (the last was Liberia, until 1972).

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};

pub(super) const HOUR: i64 = 60;
pub(super) const DAY: i64 = 1_440;

/// A minute of real time, counted from 1970.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Minute(i64);

/// A minute as a wall clock shows it, counted from 1970. Some are shown twice, and some never.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Local(i64);

/// The start of the minute that an instant lies in.
pub(crate) fn start_of_minute(at: DateTime<Utc>) -> DateTime<Utc> {
    // Without a way through Unix time, which costs several times as much.
    let (date, time) = (at.naive_utc().date(), at.naive_utc().time());
    let minutes = time.num_seconds_from_midnight().div_euclid(60);
    let start = NaiveTime::from_num_seconds_from_midnight_opt(minutes.saturating_mul(60), 0);
    date.and_time(start.unwrap_or(time)).and_utc()
}

/// An instant later by a span, if chrono can hold it.
pub(crate) fn later(at: &DateTime<Utc>, by: TimeDelta) -> Option<DateTime<Utc>> {
    let naive = at.naive_utc();
    match naive.time().overflowing_add_signed(by) {
        // No calendar is needed for that, which costs several times as much.
        (later_that_day, 0) => Some(naive.date().and_time(later_that_day).and_utc()),
        _ => at.checked_add_signed(by),
    }
}

impl Minute {
    /// The minute that the instant lies in.
    pub(super) const fn of(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp().div_euclid(60))
    }

    /// The last minute that starts before the instant.
    pub(super) fn before(instant: DateTime<Utc>) -> Self {
        let minute = Self::of(instant);
        let starts_it = instant.second() == 0 && instant.nanosecond() == 0;
        if starts_it { minute.plus(-1) } else { minute }
    }

    /// The instant at which the minute starts, if chrono can hold it.
    pub(super) const fn instant(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.0.saturating_mul(60), 0)
    }

    /// The instant at which the minute starts; the nearest one that chrono can hold.
    pub(super) fn nearest_instant(self) -> DateTime<Utc> {
        self.instant().unwrap_or(if self.0.is_negative() {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// So many minutes later.
    pub(super) const fn plus(self, minutes: i64) -> Self {
        Self(self.0.saturating_add(minutes))
    }

    /// How many minutes have gone by since another minute.
    pub(super) const fn since(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// The minute half-way between two.
    pub(super) const fn between(self, other: Self) -> Self {
        self.plus(other.since(self).div_euclid(2))
    }

    /// What a clock shows that is so many minutes ahead of UTC.
    pub(super) const fn on_clock(self, offset: i64) -> Local {
        Local(self.0.saturating_add(offset))
    }
}

impl Local {
    /// The minute that a naive date and time stand for when UTC is written for want of a zone.
    pub(super) const fn of(naive: DateTime<Utc>) -> Self {
        Self(naive.timestamp().div_euclid(60))
    }

    /// The first minute of a day.
    pub(super) fn midnight(date: NaiveDate) -> Self {
        Self::of(date.and_time(NaiveTime::MIN).and_utc())
    }

    /// The last minute of a day.
    pub(super) fn last_of(date: NaiveDate) -> Self {
        Self::midnight(date).plus(DAY - 1)
    }

    /// The same minute on another day.
    pub(super) fn on(self, date: NaiveDate) -> Self {
        Self::midnight(date).plus(self.0.rem_euclid(DAY))
    }

    /// Another minute of the same day.
    pub(super) const fn at(self, hour: i64, minute: i64) -> Self {
        let midnight = self.plus(self.0.rem_euclid(DAY).saturating_neg());
        midnight.plus(hour.saturating_mul(HOUR)).plus(minute)
    }

    /// Date and time, with UTC written for want of a zone, if chrono can hold them.
    pub(super) const fn naive(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.0.saturating_mul(60), 0)
    }

    /// The day, if chrono can hold it.
    pub(super) fn date(self) -> Option<NaiveDate> {
        self.naive().map(|naive| naive.date_naive())
    }

    /// The year; the nearest one that chrono can hold.
    pub(super) fn year(self) -> i32 {
        self.at_offset(0).nearest_instant().year()
    }

    /// The hour of the day.
    pub(super) const fn hour(self) -> i64 {
        self.0.div_euclid(HOUR).rem_euclid(24)
    }

    /// The minute of the hour.
    pub(super) const fn minute(self) -> i64 {
        self.0.rem_euclid(HOUR)
    }

    /// So many minutes later on the clock.
    pub(super) const fn plus(self, minutes: i64) -> Self {
        Self(self.0.saturating_add(minutes))
    }

    /// How many minutes the clock shows more than another time.
    pub(super) const fn since(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// When a clock shows this that is so many minutes ahead of UTC.
    pub(super) const fn at_offset(self, offset: i64) -> Minute {
        Minute(self.0.saturating_sub(offset))
    }
}
