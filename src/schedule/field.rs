//! The five fields of a crontab, and what a field lists.
//!
//! The grammar is that of CronSim, which follows Debian's cron: lists are split at commas first, a step
//! takes every nth member of its set, a single member with a step runs to the end of the field, steps may
//! exceed the range, and ranges do not wrap.

use std::fmt;

use super::{FieldProblem, ScheduleError};

pub(super) const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
pub(super) const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A field of a crontab.
///
/// ```
/// use overdue::schedule::Field;
///
/// assert_eq!(Field::ALL.map(|field| field.to_string())[2], "day of month");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "there are five, and always were")]
pub enum Field {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31, `L` for the last day and `LW` for the last working day, Monday to Friday, of a month.
    DayOfMonth,
    /// 1 to 12, or names.
    Month,
    /// 0 to 7, both ends Sunday, or names; `5L` for the last Friday and `5#2` for the second of a month.
    DayOfWeek,
}

/// A set of numbers below 64.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Set(u64);

/// What a field lists.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Members {
    /// Plain values.
    pub(super) plain: Set,
    /// The last day of a month.
    pub(super) last_day: bool,
    /// The last working day of a month.
    pub(super) last_working_day: bool,
    /// The last such weekdays of a month.
    pub(super) last: Set,
    /// The first to the fifth such weekdays of a month.
    pub(super) nth: [Set; 5],
}

impl Field {
    /// The fields in the order in which a crontab has them.
    pub const ALL: [Field; 5] =
        [Field::Minute, Field::Hour, Field::DayOfMonth, Field::Month, Field::DayOfWeek];

    const fn least(self) -> u8 {
        match self {
            Field::Minute | Field::Hour | Field::DayOfWeek => 0,
            Field::DayOfMonth | Field::Month => 1,
        }
    }

    const fn most(self) -> u8 {
        match self {
            Field::Minute => 59,
            Field::Hour => 23,
            Field::DayOfMonth => 31,
            Field::Month => 12,
            Field::DayOfWeek => 7,
        }
    }

    /// What a field lists; its text in upper case.
    pub(super) fn parse(self, text: &str) -> Result<Members, ScheduleError> {
        let mut members = Members::default();
        for item in text.split(',') {
            self.parse_item(item, &mut members).map_err(|problem| self.refuse(problem))?;
        }
        if self == Field::DayOfWeek {
            // Only now, so that `*/7` has stepped over all eight: 0 and 7, both Sunday.
            members.plain.fold_sunday();
            members.last.fold_sunday();
            members.nth.iter_mut().for_each(Set::fold_sunday);
        }
        Ok(members)
    }

    /// The error that this field has that problem.
    pub(super) const fn refuse(self, problem: FieldProblem) -> ScheduleError {
        ScheduleError::Field { field: self, problem }
    }

    fn parse_item(self, item: &str, members: &mut Members) -> Result<(), FieldProblem> {
        if self == Field::DayOfWeek {
            if let Some(weekday) = item.strip_suffix('L') {
                // `5L`, but neither `FRIL` nor `1-5L`.
                members.last.insert(self.number(weekday)?);
                return Ok(());
            }
            if let Some((weekday, nth)) = item.split_once('#') {
                members.insert_nth(self.value(weekday)?, nth)?;
                return Ok(());
            }
        }
        let (base, step) = match item.split_once('/') {
            Some((base, step)) => (base, Some(parse_step(step)?)),
            None => (item, None),
        };
        if self == Field::DayOfMonth {
            // Both are single days, which leave a step nothing to take.
            match base {
                "L" => members.last_day = true,
                "LW" => members.last_working_day = true,
                _ => members.plain.extend(self.parse_base(base)?, step, self.most()),
            }
        } else {
            members.plain.extend(self.parse_base(base)?, step, self.most());
        }
        Ok(())
    }

    fn parse_base(self, base: &str) -> Result<Set, FieldProblem> {
        if base == "*" {
            return Ok(Set::range(self.least(), self.most()));
        }
        let Some((start, end)) = base.split_once('-') else {
            let value = self.value(base)?;
            return Ok(Set::range(value, value));
        };
        let (start, end) = (self.value(start)?, self.value(end)?);
        if end < start {
            return Err(FieldProblem::Backwards { text: base.to_owned() });
        }
        Ok(Set::range(start, end))
    }

    fn value(self, text: &str) -> Result<u8, FieldProblem> {
        let names: &[&str] = match self {
            Field::Month => &MONTHS,
            Field::DayOfWeek => &WEEKDAYS,
            Field::Minute | Field::Hour | Field::DayOfMonth => &[],
        };
        let named = (self.least()..=self.most()).zip(names).find(|(_, name)| **name == text);
        named.map_or_else(|| self.number(text), |(value, _)| Ok(value))
    }

    fn number(self, text: &str) -> Result<u8, FieldProblem> {
        if !is_number(text) {
            return Err(FieldProblem::NotAValue { text: text.to_owned() });
        }
        let (least, most) = (self.least(), self.most());
        text.parse()
            .ok()
            .filter(|value| (least..=most).contains(value))
            .ok_or_else(|| FieldProblem::OutOfRange { text: text.to_owned(), least, most })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Minute => "minute",
            Field::Hour => "hour",
            Field::DayOfMonth => "day of month",
            Field::Month => "month",
            Field::DayOfWeek => "day of week",
        })
    }
}

impl Members {
    fn insert_nth(&mut self, weekday: u8, nth: &str) -> Result<(), FieldProblem> {
        let refuse = || FieldProblem::Nth { text: nth.to_owned() };
        if !is_number(nth) {
            return Err(refuse());
        }
        let index = nth.parse::<usize>().ok().and_then(|nth| nth.checked_sub(1)).ok_or_else(refuse)?;
        self.nth.get_mut(index).ok_or_else(refuse)?.insert(weekday);
        Ok(())
    }
}

impl Set {
    /// Both ends included.
    pub(super) fn range(start: u8, end: u8) -> Self {
        Self(u64::MAX).at_least(start.into()).at_most(end.into())
    }

    pub(super) fn contains(self, value: impl TryInto<u8>) -> bool {
        value.try_into().is_ok_and(|value| self.0 & bit(value) != 0)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The members from this value on.
    pub(super) fn at_least(self, value: i64) -> Self {
        let mask = u32::try_from(value.max(0)).ok().and_then(|value| u64::MAX.checked_shl(value));
        Self(self.0 & mask.unwrap_or(0))
    }

    /// The members up to this value.
    pub(super) fn at_most(self, value: i64) -> Self {
        let beyond = 63_i64.saturating_sub(value).max(0);
        let mask = u32::try_from(beyond).ok().and_then(|beyond| u64::MAX.checked_shr(beyond));
        Self(self.0 & mask.unwrap_or(0))
    }

    pub(super) fn least(self) -> Option<u8> {
        u8::try_from(self.0.trailing_zeros()).ok().filter(|_| !self.is_empty())
    }

    pub(super) fn greatest(self) -> Option<u8> {
        self.0.checked_ilog2().and_then(|greatest| u8::try_from(greatest).ok())
    }

    /// The members in order.
    pub(super) fn iter(self) -> impl DoubleEndedIterator<Item = u8> {
        let end = self.greatest().map_or(0, |greatest| greatest.saturating_add(1));
        (self.least().unwrap_or(0)..end).filter(move |value| self.contains(*value))
    }

    pub(super) const fn insert(&mut self, value: u8) {
        self.0 |= bit(value);
    }

    /// Adds every `step`th member of a set. With a step a single member stands for all up to `most`.
    fn extend(&mut self, base: Self, step: Option<usize>, most: u8) {
        let Some(step) = step else {
            *self = self.union(base);
            return;
        };
        let single = base.least().filter(|_| base.0.is_power_of_two());
        let base = single.map_or(base, |start| Set::range(start, most));
        base.iter().step_by(step).for_each(|value| self.insert(value));
    }

    /// Makes 7 a Sunday.
    fn fold_sunday(&mut self) {
        if self.contains(7) {
            self.0 = self.0 & !bit(7) | bit(0);
        }
    }
}

const fn bit(value: u8) -> u64 {
    match 1_u64.checked_shl(value as u32) {
        Some(bit) => bit,
        None => 0,
    }
}

/// Only digits: Rust's own parser would let a sign pass.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A step may exceed every range, so that the largest number will do for all larger ones.
fn parse_step(text: &str) -> Result<usize, FieldProblem> {
    let step = if is_number(text) { text.parse().unwrap_or(usize::MAX) } else { 0 };
    if step == 0 { Err(FieldProblem::Step { text: text.to_owned() }) } else { Ok(step) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(field: Field, text: &str) -> Vec<u8> {
        field.parse(text).unwrap().plain.iter().collect()
    }

    #[test]
    fn a_step_takes_every_nth_member() {
        assert_eq!(plain(Field::Minute, "*/25"), [0, 25, 50]);
        assert_eq!(plain(Field::Minute, "10-20/4,59"), [10, 14, 18, 59]);
        assert_eq!(plain(Field::Hour, "*/99999999999999999999999"), [0]);
    }

    #[test]
    fn a_single_member_with_a_step_runs_to_the_end() {
        assert_eq!(plain(Field::Minute, "5/15"), [5, 20, 35, 50]);
        assert_eq!(plain(Field::Minute, "57-57/1"), [57, 58, 59]);
        assert_eq!(plain(Field::Month, "NOV/1"), [11, 12]);
    }

    #[test]
    fn weekdays_are_stepped_over_before_seven_becomes_sunday() {
        assert_eq!(plain(Field::DayOfWeek, "*/7"), [0]);
        assert_eq!(plain(Field::DayOfWeek, "1-7/3"), [0, 1, 4]);
        assert_eq!(plain(Field::DayOfWeek, "SAT-7"), [0, 6]);
    }

    #[test]
    fn days_may_be_counted_from_the_end_or_by_weekday() {
        let days = Field::DayOfMonth.parse("L/5,LW,3").unwrap();
        assert!(days.last_day && days.last_working_day);
        assert_eq!(days.plain.iter().collect::<Vec<_>>(), [3]);
        let weekdays = Field::DayOfWeek.parse("7L,FRI#2").unwrap();
        assert_eq!(weekdays.last.iter().collect::<Vec<_>>(), [0]);
        assert_eq!(weekdays.nth.map(|nth| nth.iter().collect::<Vec<_>>())[1], [5]);
    }
}
