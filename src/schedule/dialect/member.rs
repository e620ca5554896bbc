//! The members of a field's list: names, numbers and tokens.

use super::axes::{Axes, Case, In, Names, Short, Token, Weekdays};
use super::read::{is_digits, is_word};
use crate::schedule::field::{MONTHS, Set, WEEKDAYS};
use crate::schedule::{Field, FieldProblem, ScheduleError};

const MONTHS_IN_FULL: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];
const WEEKDAYS_IN_FULL: [&str; 7] =
    ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];

/// A field of a crontab, but that of years.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

/// What a field lists, in the numbers of its dialect.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    pub(super) numbers: Set,
    /// Days of the month by how many come after them.
    pub(super) from_end: Set,
    pub(super) last_working_day: bool,
    /// Days of the month, of which the nearest working day is meant.
    pub(super) nearest: Set,
    /// The same, with the last day in place of one that a month lacks.
    pub(super) nearest_or_last: Set,
    /// The last such weekdays of a month.
    pub(super) last: Set,
    /// The first to the fifth such weekdays of a month.
    pub(super) nth: [Set; 5],
    /// A member is `*` or `?`.
    pub(super) star: bool,
    /// A member is `*`, `?` or `*/1`.
    pub(super) every_star: bool,
}

impl Part {
    /// Both ends included.
    pub(super) const fn bounds(self, weekdays: Weekdays) -> (u8, u8) {
        match self {
            Part::Second | Part::Minute => (0, 59),
            Part::Hour => (0, 23),
            Part::Day => (1, 31),
            Part::Month => (1, 12),
            Part::Weekday => match weekdays {
                Weekdays::SundayZero | Weekdays::MondayZero => (0, 6),
                Weekdays::SundayZeroAndSeven | Weekdays::SundayZeroNamedSeven => (0, 7),
                Weekdays::SundayOne => (1, 7),
            },
        }
    }

    pub(super) const fn refuse(self, problem: FieldProblem) -> ScheduleError {
        let field = match self {
            Part::Second => return ScheduleError::Second { problem },
            Part::Minute => Field::Minute,
            Part::Hour => Field::Hour,
            Part::Day => Field::DayOfMonth,
            Part::Month => Field::Month,
            Part::Weekday => Field::DayOfWeek,
        };
        field.refuse(problem)
    }
}

impl Weekdays {
    /// The number of a weekday, which is counted from Sunday as 0.
    const fn number(self, from_sunday: u8) -> u8 {
        match (self, from_sunday) {
            (Weekdays::SundayZeroNamedSeven, 0) => 7,
            (Weekdays::SundayZero | Weekdays::SundayZeroAndSeven | Weekdays::SundayZeroNamedSeven, _) => {
                from_sunday
            }
            (Weekdays::SundayOne, _) => from_sunday.saturating_add(1),
            (Weekdays::MondayZero, _) => from_sunday.saturating_add(6) % 7,
        }
    }

    /// Which weekday has the number, counted from Sunday as 0.
    const fn days_from_sunday(self, number: u8) -> u8 {
        match self {
            Weekdays::SundayZero | Weekdays::SundayZeroAndSeven | Weekdays::SundayZeroNamedSeven => {
                number % 7
            }
            Weekdays::SundayOne => number.saturating_sub(1),
            Weekdays::MondayZero => number.saturating_add(1) % 7,
        }
    }
}

impl Listed {
    pub(super) fn is_empty(&self) -> bool {
        let sets = [self.numbers, self.from_end, self.nearest, self.nearest_or_last, self.last];
        !self.last_working_day && sets.iter().chain(&self.nth).all(|set| set.is_empty())
    }

    /// The same with weekdays counted from Sunday as 0.
    pub(super) fn counted_from_sunday(self, weekdays: Weekdays) -> Self {
        let convert = |set: Set| {
            let mut converted = Set::default();
            set.iter().for_each(|number| converted.insert(weekdays.days_from_sunday(number)));
            converted
        };
        Self { numbers: convert(self.numbers), last: convert(self.last), nth: self.nth.map(convert), ..self }
    }
}

impl Axes {
    /// Adds what a token means. Returns `false` if the text is none.
    pub(super) fn token(
        &self,
        part: Part,
        text: &str,
        in_list: bool,
        listed: &mut Listed,
    ) -> Result<bool, FieldProblem> {
        let capitals = text.to_ascii_uppercase();
        for token in self.tokens {
            let (place, case) = token.place();
            if !place.is_none_or(|place| place.holds(in_list)) {
                continue;
            }
            let text = if case == Case::Any { capitals.as_str() } else { text };
            let found = match part {
                Part::Day => self.day_token(*token, text, listed),
                Part::Weekday => self.weekday_token(*token, text, listed)?,
                Part::Second | Part::Minute | Part::Hour | Part::Month => None,
            };
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn day_token(&self, token: Token, text: &str, listed: &mut Listed) -> Option<()> {
        let day = |text: &str| self.number(Part::Day, text).ok();
        match token {
            Token::LastDay(..) => {
                if text != "L" {
                    return None;
                }
                listed.from_end.insert(0);
            }
            Token::LastDayMinus(..) => listed.from_end.insert(day(text.strip_prefix("L-")?)?.min(30)),
            Token::NegativeDay => listed.from_end.insert(day(text.strip_prefix('-')?)?.saturating_sub(1)),
            Token::LastWorkingDay(..) => {
                if text != "LW" {
                    return None;
                }
                listed.last_working_day = true;
            }
            Token::NearestWorkingDay(.., Short::Skipped) => {
                listed.nearest.insert(day(text.strip_suffix('W')?)?);
            }
            Token::NearestWorkingDay(.., Short::LastDay) => {
                listed.nearest_or_last.insert(day(text.strip_suffix('W')?)?);
            }
            Token::LastWeekday(..)
            | Token::LastNamedWeekday(..)
            | Token::LastWeekdayReversed(_)
            | Token::NthWeekday(_)
            | Token::HashLast(_) => return None,
        }
        Some(())
    }

    fn weekday_token(
        &self,
        token: Token,
        text: &str,
        listed: &mut Listed,
    ) -> Result<Option<()>, FieldProblem> {
        let weekday = |text: &str| self.value(Part::Weekday, text);
        match token {
            Token::LastWeekday(..) => {
                let Some(number) = text.strip_suffix('L').filter(|number| is_digits(number)) else {
                    return Ok(None);
                };
                listed.last.insert(weekday(number)?);
            }
            Token::LastNamedWeekday(..) => {
                let Some(name) = text.strip_suffix('L').filter(|name| name.len() == 3 && is_word(name))
                else {
                    return Ok(None);
                };
                listed.last.insert(weekday(name)?);
            }
            Token::LastWeekdayReversed(_) => {
                let Some(number) = text.strip_prefix('L').filter(|number| is_digits(number)) else {
                    return Ok(None);
                };
                listed.last.insert(weekday(number)?);
            }
            Token::HashLast(_) => {
                let Some(number) = text.strip_suffix("#L") else { return Ok(None) };
                listed.last.insert(weekday(number)?);
            }
            Token::NthWeekday(_) => {
                let Some((number, nth)) = text.split_once('#').filter(|(_, nth)| *nth != "L") else {
                    return Ok(None);
                };
                let refuse = || FieldProblem::Nth { text: nth.to_owned() };
                let index = Some(nth).filter(|nth| is_digits(nth)).and_then(|nth| nth.parse::<usize>().ok());
                let index = index.and_then(|nth| nth.checked_sub(1)).ok_or_else(refuse)?;
                let number = weekday(number)?;
                listed.nth.get_mut(index).ok_or_else(refuse)?.insert(number);
            }
            Token::LastDay(..)
            | Token::LastDayMinus(..)
            | Token::NegativeDay
            | Token::LastWorkingDay(..)
            | Token::NearestWorkingDay(..) => return Ok(None),
        }
        Ok(Some(()))
    }

    /// What a number or a name stands for.
    pub(super) fn value(&self, part: Part, text: &str) -> Result<u8, FieldProblem> {
        let (short, full, first): (&[&str], &[&str], u8) = match part {
            Part::Month => (&MONTHS, &MONTHS_IN_FULL, 1),
            Part::Weekday => (&WEEKDAYS, &WEEKDAYS_IN_FULL, 0),
            Part::Second | Part::Minute | Part::Hour | Part::Day => (&[], &[], 0),
        };
        let capitals = text.to_ascii_uppercase();
        let matches = |short: &str, full: &str| match self.names {
            Names::Three | Names::RestIgnored => capitals == short,
            Names::ThreeOrAll => capitals == short || capitals == full,
            Names::ThreeOrAllOrCommon => {
                capitals == short
                    || capitals == full
                    || ["TUES", "THURS"].contains(&capitals.as_str()) && full.starts_with(&capitals)
            }
            Names::AnyEnding => capitals.starts_with(short),
        };
        let named = (first..).zip(short.iter().zip(full)).find(|(_, (short, full))| matches(short, full));
        match (named, part) {
            (Some((from_sunday, _)), Part::Weekday) => Ok(self.weekdays.number(from_sunday)),
            (Some((month, _)), _) => Ok(month),
            (None, _) => self.number(part, text),
        }
    }

    fn number(&self, part: Part, text: &str) -> Result<u8, FieldProblem> {
        let digits = text.strip_prefix('+').filter(|_| self.plus_sign).unwrap_or(text);
        if !is_digits(digits) {
            return Err(FieldProblem::NotAValue { text: text.to_owned() });
        }
        let number = digits.parse().ok();
        if self.hour_24 && part == Part::Hour && number == Some(24) {
            return Ok(0);
        }
        let (least, most) = part.bounds(self.weekdays);
        number.filter(|number| (least..=most).contains(number)).ok_or_else(|| FieldProblem::OutOfRange {
            text: text.to_owned(),
            least,
            most,
        })
    }

    /// The part of a member that the dialect looks at.
    pub(super) fn without_ignored_rest<'a>(&self, part: Part, text: &'a str) -> &'a str {
        if self.names != Names::RestIgnored || !matches!(part, Part::Month | Part::Weekday) {
            return text;
        }
        let letters = |text: &str| text.bytes().take_while(u8::is_ascii_alphabetic).count();
        let first = letters(text);
        if first == 0 {
            return text;
        }
        let second = text.get(first..).and_then(|rest| rest.strip_prefix('-')).map_or(0, letters);
        let end = if second == 0 { first } else { first.saturating_add(second).saturating_add(1) };
        text.get(..end).unwrap_or(text)
    }
}

impl Token {
    /// Where it may stand, `None` for anywhere, and how it is written.
    const fn place(self) -> (Option<In>, Case) {
        match self {
            Token::LastDay(place, case)
            | Token::LastDayMinus(place, case)
            | Token::LastWorkingDay(place, case)
            | Token::NearestWorkingDay(place, case, _)
            | Token::LastWeekday(place, case)
            | Token::LastNamedWeekday(place, case) => (Some(place), case),
            Token::LastWeekdayReversed(place) | Token::NthWeekday(place) | Token::HashLast(place) => {
                (Some(place), Case::Any)
            }
            Token::NegativeDay => (None, Case::Any),
        }
    }
}
