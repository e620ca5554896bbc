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

/// The most days that a month ever has.
const fn longest(month: u8) -> u8 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Which days a crontab runs on.
#[derive(Clone, Debug)]
pub(super) struct Days {
    pub(super) months: Set,
    pub(super) rule: DayRule,
}

/// How the two day fields of a crontab go together.
#[derive(Clone, Debug)]
pub(super) enum DayRule {
    /// Either text starts with `*`: a day must match both fields.
    Both(DayFilter),
    /// A day must match one of the fields.
    Either(DayFilter, DayFilter),
}

/// A day of the month and a day of the week that both have to match.
#[derive(Clone, Debug)]
pub(super) struct DayFilter {
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
        Ok(Self { months, rule })
    }

    /// The day of the month that never comes, for the days of a crontab that runs by its weekdays alone.
    pub(super) fn idle_day(&self) -> Option<ScheduleError> {
        let DayRule::Either(listed, _) = &self.rule else { return None };
        let day = listed.of_month.never_in(self.months)?;
        let months = month_names(self.months);
        Some(Field::DayOfMonth.refuse(FieldProblem::NeverOccurs { day, months }))
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
    pub(super) fn days_of_month(&self) -> Set {
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

    /// The weekdays among which those of all accepted days are.
    pub(super) fn weekdays(&self) -> Set {
        self.of_week.nth.into_iter().fold(self.of_week.plain.union(self.of_week.last), Set::union)
    }

    /// Whether the two sets above say all there is.
    pub(super) fn is_plain(&self) -> bool {
        let plain = |members: &Members| Members { plain: members.plain, ..Members::default() } == *members;
        plain(&self.of_month) && plain(&self.of_week)
    }

    /// Whether the day matches both fields.
    pub(super) fn accepts(&self, date: NaiveDate) -> bool {
        self.accepts_day_of_month(date) && self.accepts_weekday(date)
    }

    fn accepts_day_of_month(&self, date: NaiveDate) -> bool {
        let Members { plain, last_day, last_working_day, .. } = self.of_month;
        let left = days_left(date);
        // A month that ends on a Saturday or Sunday has its last working day on the Friday before.
        let is_last_working_day = match date.weekday().num_days_from_monday() {
            4 => left <= 2,
            0..4 => left == 0,
            _ => false,
        };
        plain.contains(date.day()) || last_day && left == 0 || last_working_day && is_last_working_day
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

fn month_names(months: Set) -> String {
    let names = (1..).zip(MONTH_NAMES).filter(|(month, _)| months.contains(*month)).map(|(_, name)| name);
    names.collect::<Vec<_>>().join(" and ")
}

/// How many days of the month come after this one.
fn days_left(date: NaiveDate) -> u32 {
    u32::from(date.num_days_in_month()).saturating_sub(date.day())
}
