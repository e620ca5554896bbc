//! The days of a crontab: its day of month, month and day of week taken together.

use chrono::{Datelike, NaiveDate};

use super::field::{Field, Members, Set};
use super::{FieldProblem, ScheduleError};

const MONTH_NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Crontabs run in these local years.
const FIRST_YEAR: i32 = 1970;
const LAST_YEAR: i32 = 2100;

/// The most days that a month ever has.
pub(super) const fn longest(month: u8) -> u8 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Which days a crontab runs on.
#[derive(Clone, Debug)]
pub(super) struct Days {
    months: Set,
    /// The days of the month among which all lie that it runs on.
    of_month: Set,
    rule: DayRule,
}

/// How the two day fields of a crontab go together.
#[derive(Clone, Debug)]
enum DayRule {
    /// Either text starts with `*`: a day must match both fields.
    Both(DayFilter),
    /// A day must match one of the fields.
    Either(DayFilter, DayFilter),
}

/// A day of the month and a day of the week that both have to match.
#[derive(Clone, Debug)]
struct DayFilter {
    of_month: Members,
    of_week: Members,
}

impl Days {
    /// # Errors
    /// When a day must match both fields and the earliest listed day lies beyond the longest listed month.
    pub(super) fn new(
        of_month: (&str, Members),
        months: Set,
        of_week: (&str, Members),
    ) -> Result<Self, ScheduleError> {
        let (day_text, of_month) = of_month;
        let (weekday_text, of_week) = of_week;
        let rule = if day_text.starts_with('*') || weekday_text.starts_with('*') {
            if let Some(day) = of_month.never_in(months) {
                let months = month_names(months);
                return Err(Field::DayOfMonth.refuse(FieldProblem::NeverOccurs { day, months }));
            }
            DayRule::Both(DayFilter { of_month, of_week })
        } else {
            DayRule::Either(
                DayFilter { of_month, of_week: Members { plain: Set::range(0, 6), ..Members::default() } },
                DayFilter { of_month: Members { plain: Set::range(1, 31), ..Members::default() }, of_week },
            )
        };
        let of_month = match &rule {
            DayRule::Both(both) => both.days_of_month(),
            DayRule::Either(one, other) => one.days_of_month().union(other.days_of_month()),
        };
        Ok(Self { months, of_month, rule })
    }

    /// The day of the month that never comes, for the days of a crontab that runs by its weekdays alone.
    pub(super) fn idle_day(&self) -> Option<ScheduleError> {
        let DayRule::Either(listed, _) = &self.rule else { return None };
        let day = listed.of_month.never_in(self.months)?;
        let months = month_names(self.months);
        Some(Field::DayOfMonth.refuse(FieldProblem::NeverOccurs { day, months }))
    }

    /// The first day that the crontab runs on, from this one to the end of 2100.
    pub(super) fn next(&self, from: NaiveDate) -> Option<NaiveDate> {
        let first = (from.year(), from.month());
        (from.year().max(FIRST_YEAR)..=LAST_YEAR)
            .flat_map(|year| self.months.iter().map(move |month| (year, u32::from(month))))
            .skip_while(|month| *month < first)
            .flat_map(|month| {
                let days =
                    if month == first { self.of_month.at_least(from.day().into()) } else { self.of_month };
                dates(month, days)
            })
            .find(|date| self.contains(*date))
    }

    /// The last day that the crontab runs on, from 1970 to this one.
    pub(super) fn previous(&self, from: NaiveDate) -> Option<NaiveDate> {
        let last = (from.year(), from.month());
        (FIRST_YEAR..=from.year().min(LAST_YEAR))
            .rev()
            .flat_map(|year| self.months.iter().rev().map(move |month| (year, u32::from(month))))
            .skip_while(|month| *month > last)
            .flat_map(|month| {
                let days =
                    if month == last { self.of_month.at_most(from.day().into()) } else { self.of_month };
                dates(month, days).rev()
            })
            .find(|date| self.contains(*date))
    }

    /// Whether the crontab runs on a day.
    pub(super) fn contains(&self, date: NaiveDate) -> bool {
        self.months.contains(date.month())
            && match &self.rule {
                DayRule::Both(both) => both.accepts(date),
                DayRule::Either(one, other) => one.accepts(date) || other.accepts(date),
            }
    }
}

impl Members {
    /// The earliest day of the month, if it never comes in these months.
    fn never_in(&self, months: Set) -> Option<u8> {
        let day = self.plain.least().filter(|_| !self.last_day && !self.last_working_day)?;
        months.iter().all(|month| longest(month) < day).then_some(day)
    }
}

impl DayFilter {
    /// The days of the month among which all accepted ones lie.
    fn days_of_month(&self) -> Set {
        let mut of_month = self.of_month.plain;
        if self.of_month.last_day {
            of_month = of_month.union(Set::range(28, 31));
        }
        if self.of_month.last_working_day {
            of_month = of_month.union(Set::range(26, 31));
        }
        if !self.of_week.plain.is_empty() {
            return of_month;
        }
        let mut of_week = Set::default();
        if !self.of_week.last.is_empty() {
            of_week = of_week.union(Set::range(22, 31));
        }
        for (weekdays, days) in self.of_week.nth.iter().zip([(1, 7), (8, 14), (15, 21), (22, 28), (29, 31)]) {
            if !weekdays.is_empty() {
                of_week = of_week.union(Set::range(days.0, days.1));
            }
        }
        of_month.intersection(of_week)
    }

    /// Whether the day matches both fields.
    fn accepts(&self, date: NaiveDate) -> bool {
        self.accepts_day_of_month(date) && self.accepts_weekday(date)
    }

    fn accepts_day_of_month(&self, date: NaiveDate) -> bool {
        let Members { plain, last_day, last_working_day, .. } = self.of_month;
        plain.contains(date.day())
            || last_day && days_left(date) == 0
            || last_working_day && is_last_working_day(date)
    }

    fn accepts_weekday(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().num_days_from_sunday();
        let Members { plain, last, nth, .. } = self.of_week;
        let week = usize::try_from(date.day0().div_euclid(7)).unwrap_or(nth.len());
        plain.contains(weekday)
            || last.contains(weekday) && days_left(date) < 7
            || nth.get(week).is_some_and(|weekdays| weekdays.contains(weekday))
    }
}

/// Those days that a month of a year has.
fn dates((year, month): (i32, u32), days: Set) -> impl DoubleEndedIterator<Item = NaiveDate> {
    days.iter().filter_map(move |day| NaiveDate::from_ymd_opt(year, month, day.into()))
}

pub(super) fn month_names(months: Set) -> String {
    let names = (1..).zip(MONTH_NAMES).filter(|(month, _)| months.contains(*month)).map(|(_, name)| name);
    names.collect::<Vec<_>>().join(" and ")
}

/// A month that ends on a Saturday or Sunday has its last working day on the Friday before.
fn is_last_working_day(date: NaiveDate) -> bool {
    match date.weekday().num_days_from_monday() {
        4 => days_left(date) <= 2,
        0..4 => days_left(date) == 0,
        _ => false,
    }
}

/// How many days of the month come after this one.
fn days_left(date: NaiveDate) -> u32 {
    u32::from(date.num_days_in_month()).saturating_sub(date.day())
}
