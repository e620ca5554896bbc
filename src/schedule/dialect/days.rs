//! The days of a crontab, a month at a time.

use chrono::{Datelike, NaiveDate};

use super::member::Listed;
use super::years::Years;
use crate::schedule::days::{longest, month_names};
use crate::schedule::field::Set;
use crate::schedule::{Field, FieldProblem, ScheduleError};

/// Crontabs run in these local years.
const FIRST_YEAR: i32 = 1970;
const LAST_YEAR: i32 = 2199;

/// Which days a crontab runs on.
#[derive(Clone, Debug)]
pub(super) struct Days {
    of_month: Listed,
    months: Set,
    /// By numbers that count from Sunday as 0.
    of_week: Listed,
    join: Join,
    years: Option<Years>,
}

/// How the day fields of a crontab go together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Join {
    /// A day must match both.
    Both,
    /// A day must match one of them.
    Either,
}

impl Days {
    /// # Errors
    /// When a day must match both fields and the earliest listed day lies beyond the longest listed month.
    pub(super) fn new(
        of_month: Listed,
        months: Set,
        of_week: Listed,
        join: Join,
        years: Option<Years>,
    ) -> Result<Self, ScheduleError> {
        let only_numbers = Listed { numbers: Set::default(), ..of_month.clone() }.is_empty();
        let never = of_month.numbers.least().filter(|_| only_numbers && join == Join::Both);
        let never = never.filter(|day| months.iter().all(|month| longest(month) < *day));
        if let Some(day) = never {
            let months = month_names(months);
            return Err(Field::DayOfMonth.refuse(FieldProblem::NeverOccurs { day, months }));
        }
        Ok(Self { of_month, months, of_week, join, years })
    }

    /// The first day that the crontab runs on, from this one to the end of 2199.
    pub(super) fn next(&self, from: NaiveDate) -> Option<NaiveDate> {
        let first = (from.year(), from.month());
        (from.year().max(FIRST_YEAR)..=LAST_YEAR)
            .filter(|year| self.years.as_ref().is_none_or(|years| years.contains(*year)))
            .flat_map(|year| self.months.iter().map(move |month| (year, u32::from(month))))
            .skip_while(|month| *month < first)
            .find_map(|(year, month)| {
                let start = NaiveDate::from_ymd_opt(year, month, 1)?;
                let days = self.in_month(start);
                let left = if (year, month) == first { days.at_least(from.day().into()) } else { days };
                start.with_day(left.least()?.into())
            })
    }

    /// The days of the month that starts on this one.
    fn in_month(&self, start: NaiveDate) -> Set {
        let (of_month, of_week) = (self.of_month.days_of_month(start), self.of_week.days_of_week(start));
        match self.join {
            Join::Both => of_month.intersection(of_week),
            Join::Either => of_month.union(of_week),
        }
        .at_most(length(start))
    }
}

impl Listed {
    /// The days of a month that the field of days of the month lists.
    fn days_of_month(&self, start: NaiveDate) -> Set {
        let last = length(start);
        let mut days = self.numbers;
        let mut insert = |day: i64| {
            if let Some(day) = u8::try_from(day).ok().filter(|day| *day > 0) {
                days.insert(day);
            }
        };
        self.from_end.iter().for_each(|left| insert(last.saturating_sub(left.into())));
        for day in self.nearest.at_most(last).iter() {
            insert(nearest_working_day(start, day.into()));
        }
        for day in self.nearest_or_last.iter() {
            insert(nearest_working_day(start, last.min(day.into())));
        }
        if self.last_working_day {
            insert(nearest_working_day(start, last));
        }
        days
    }

    /// The days of a month that the field of weekdays lists.
    fn days_of_week(&self, start: NaiveDate) -> Set {
        let first_weekday = i64::from(start.weekday().num_days_from_sunday());
        let end = length(start);
        let mut days = Set::default();
        for weekday in 0..7_u8 {
            let first = i64::from(weekday).saturating_sub(first_weekday).rem_euclid(7).saturating_add(1);
            let mut add = |day: i64| days.insert(u8::try_from(day).unwrap_or(u8::MAX));
            let all = (first..=end).step_by(7);
            if self.numbers.contains(weekday) {
                all.clone().for_each(&mut add);
            }
            for (nth, weekdays) in self.nth.iter().enumerate() {
                if weekdays.contains(weekday) {
                    all.clone().nth(nth).into_iter().for_each(&mut add);
                }
            }
            if self.last.contains(weekday) {
                all.last().into_iter().for_each(&mut add);
            }
        }
        days
    }
}

/// The nearest day from Monday to Friday in the same month.
fn nearest_working_day(start: NaiveDate, day: i64) -> i64 {
    let first_weekday = i64::from(start.weekday().num_days_from_sunday());
    let weekday = first_weekday.saturating_add(day).saturating_sub(1).rem_euclid(7);
    let distance = match weekday {
        6 if day == 1 => 2,
        6 => -1,
        0 if day == length(start) => -2,
        0 => 1,
        _ => 0,
    };
    day.saturating_add(distance)
}

/// How many days a month has.
fn length(start: NaiveDate) -> i64 {
    start.num_days_in_month().into()
}
