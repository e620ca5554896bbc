//! Reads a crontab by the axes of a dialect.

use super::axes::{
    AppliesTo, Axes, Backward, BigStep, Blanks, Case, DayFields, Fields, Free, In, NamedZone, Nickname,
    Nicknames, OpenStep, Question,
};
use super::crontab::{Crontab, Instants};
use super::days::{Days, Join};
use super::member::{Listed, Part};
use super::times::Times;
use super::years::Years;
use super::{Dialect, every};
use crate::schedule::field::Set;
use crate::schedule::{Field, FieldProblem, ScheduleError, Zone};

/// The most fields that any dialect has, and a zone.
const MOST_WORDS: usize = 8;

/// The fields of a crontab, each as written.
struct Texts<'a> {
    second: &'a str,
    minute: &'a str,
    hour: &'a str,
    day: &'a str,
    month: &'a str,
    weekday: &'a str,
    year: Option<&'a str>,
}

impl Crontab {
    pub(in crate::schedule) fn parse(expression: &str, dialect: Dialect) -> Result<Self, ScheduleError> {
        let axes = dialect.axes();
        let (zone, rest) = axes.zone_in_front(expression);
        let joined = axes.without_blanks_in_lists(rest);
        let rest = joined.as_deref().unwrap_or(rest);
        if let Some(nickname) = rest.trim().strip_prefix('@') {
            let instants = axes.read_nickname(nickname).ok_or_else(|| ScheduleError::DialectNickname {
                nickname: rest.trim().to_owned(),
                dialect,
            })??;
            return Ok(Self::new(expression, dialect, zone, instants));
        }
        let mut words = axes.words(rest);
        let found = words.len();
        let zone_at_end = axes.zone_at_end(&words);
        if zone_at_end.is_some() {
            words.pop();
        }
        let texts = axes
            .fields
            .assign(&words)
            .filter(|_| found <= MOST_WORDS)
            .ok_or(ScheduleError::DialectFieldCount { found, dialect })?;
        let instants = axes.read_fields(&texts)?;
        Ok(Self::new(expression, dialect, zone.or(zone_at_end), instants))
    }
}

impl Axes {
    /// A zone in front of a text, and the rest.
    fn zone_in_front<'a>(&self, text: &'a str) -> (Option<Zone>, &'a str) {
        let named = match self.zone {
            NamedZone::InFront => text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")),
            NamedZone::Nowhere | NamedZone::LastField => None,
        };
        let split = named.and_then(|named| named.split_once(' '));
        split.and_then(|(name, rest)| Some((Some(name.parse().ok()?), rest))).unwrap_or((None, text))
    }

    /// The text without the blanks after commas, where they say nothing.
    fn without_blanks_in_lists(&self, text: &str) -> Option<String> {
        if self.blanks != Blanks::AnyAndAfterCommas || !text.contains(',') {
            return None;
        }
        let mut members = text.split(',');
        let first = members.next().map(str::to_owned);
        members.fold(first, |joined, member| joined.map(|joined| joined + "," + member.trim_start()))
    }

    /// The zone that the last word names.
    fn zone_at_end(&self, words: &[&str]) -> Option<Zone> {
        match self.zone {
            NamedZone::LastField => words.last().filter(|_| words.len() > 5)?.parse().ok(),
            NamedZone::Nowhere | NamedZone::InFront => None,
        }
    }

    fn words<'a>(&self, text: &'a str) -> Vec<&'a str> {
        match self.blanks {
            Blanks::Any | Blanks::AnyAndAfterCommas => text.split_whitespace().collect(),
            Blanks::NoTabs => text.split(' ').filter(|word| !word.is_empty()).collect(),
            Blanks::Single => text.split(' ').collect(),
        }
    }

    /// `None` for a word that the dialect does not have.
    fn read_nickname(&self, word: &str) -> Option<Result<Instants, ScheduleError>> {
        let Nicknames::With(known, case) = self.nicknames else { return None };
        if let Some(duration) = word.strip_prefix("every ").filter(|_| known.contains(&Nickname::Every)) {
            return every::seconds(duration).map(|seconds| Ok(Instants::Every(seconds)));
        }
        let same = |nickname: &Nickname| match case {
            Case::Any => nickname.name().eq_ignore_ascii_case(word),
            Case::Exact => nickname.name() == word,
        };
        let nickname = known.iter().copied().find(same)?;
        let texts = nickname.texts()?;
        Some(self.read_fields(&texts))
    }

    fn read_fields(&self, texts: &Texts<'_>) -> Result<Instants, ScheduleError> {
        let seconds = self.field(Part::Second, texts.second)?.numbers;
        let minutes = self.field(Part::Minute, texts.minute)?.numbers;
        let hours = self.field(Part::Hour, texts.hour)?.numbers;
        let days = self.field(Part::Day, texts.day)?;
        let months = self.field(Part::Month, texts.month)?.numbers;
        let weekdays = self.field(Part::Weekday, texts.weekday)?;
        if self.question == Question::OneDayField && texts.day == "?" && texts.weekday == "?" {
            let problem = FieldProblem::NotAValue { text: "?".to_owned() };
            return Err(Field::DayOfWeek.refuse(problem));
        }
        let years = texts.year.map(Years::parse).transpose();
        let years = years.map_err(|problem| ScheduleError::Year { problem })?;
        let join = match self.day_fields {
            DayFields::Both => Join::Both,
            DayFields::Either { day, weekday } => {
                let free = day.holds(Part::Day, texts.day, &days)
                    || weekday.holds(Part::Weekday, texts.weekday, &weekdays);
                if free { Join::Both } else { Join::Either }
            }
        };
        let applies = match self.applies_to {
            AppliesTo::All => true,
            AppliesTo::NoStars => !texts.minute.starts_with('*') && !texts.hour.starts_with('*'),
            AppliesTo::OneTimeOfDay => [seconds, minutes, hours].iter().all(|set| set.iter().count() == 1),
        };
        let days = Days::new(days, months, weekdays.counted_from_sunday(self.weekdays), join, years)?;
        let times = Box::new(Times { seconds, minutes, hours, days });
        Ok(Instants::Fields { times, applies })
    }

    /// What one field lists.
    fn field(&self, part: Part, text: &str) -> Result<Listed, ScheduleError> {
        let mut listed = Listed::default();
        for member in text.split(',') {
            if member.is_empty() && self.empty_members {
                continue;
            }
            self.member(part, member, text.contains(','), &mut listed)
                .map_err(|problem| part.refuse(problem))?;
        }
        if listed.is_empty() {
            return Err(part.refuse(FieldProblem::Backwards { text: text.to_owned() }));
        }
        Ok(listed)
    }

    /// Adds one member of a list.
    fn member(&self, part: Part, text: &str, in_list: bool, listed: &mut Listed) -> Result<(), FieldProblem> {
        if self.token(part, text, in_list, listed)? {
            return Ok(());
        }
        let not_a_value = |text: &str| FieldProblem::NotAValue { text: text.to_owned() };
        let text = self.without_ignored_rest(part, text);
        let (base, step) = match text.split_once('/') {
            Some((base, step)) => (base, Some(parse_step(step)?)),
            None => (text, None),
        };
        let (least, most) = part.bounds(self.weekdays);
        let star = base == "*" || base == "?" && self.question.holds(part);
        let (numbers, first, last): (Vec<u8>, u8, u8) = if star {
            listed.star |= step.is_none();
            listed.every_star |= step.is_none_or(|step| step == 1);
            ((least..=most).collect(), least, most)
        } else if let Some((start, end)) = base.split_once('-').filter(|(start, _)| !start.is_empty()) {
            if !self.mixed_ranges && is_word(start) != is_word(end) {
                return Err(not_a_value(base));
            }
            let (first, last) = (self.value(part, start)?, self.range_end(part, end)?);
            (self.range(part, base, first, last)?, first, last)
        } else {
            let first = self.value(part, base)?;
            match (step, self.open_step) {
                (None, _) => (vec![first], first, first),
                (_, OpenStep::Refused) => return Err(not_a_value(text)),
                (_, OpenStep::ToEndButWeekdays) if part == Part::Weekday => (vec![first], first, most),
                (_, OpenStep::ToSaturday) if part == Part::Weekday => {
                    ((first..=most.min(6)).collect(), first, most)
                }
                (_, OpenStep::ToEnd | OpenStep::ToEndButWeekdays | OpenStep::ToSaturday) => {
                    ((first..=most).collect(), first, most)
                }
            }
        };
        if let Some(step) = step {
            let most_steps = match self.big_step {
                BigStep::Taken => usize::MAX,
                BigStep::RefusedAboveCount => usize::from(most.saturating_sub(least)).saturating_add(1),
                BigStep::RefusedAboveSpan => usize::from(last.saturating_sub(first)),
                BigStep::RefusedAboveLast => usize::from(most),
            };
            if step > most_steps {
                return Err(FieldProblem::Step { text: step.to_string() });
            }
        }
        for number in numbers.into_iter().step_by(step.unwrap_or(1)) {
            if !self.duplicates && listed.numbers.contains(number) {
                return Err(not_a_value(text));
            }
            listed.numbers.insert(number);
        }
        Ok(())
    }

    /// The numbers of a range, in the order in which steps go through them.
    fn range(&self, part: Part, text: &str, first: u8, last: u8) -> Result<Vec<u8>, FieldProblem> {
        if first <= last {
            return Ok((first..=last).collect());
        }
        let (least, most) = part.bounds(self.weekdays);
        // Sunday has two numbers, and is one day on the way around.
        let most = if part == Part::Weekday { most.min(6).max(first) } else { most };
        match self.backward {
            Backward::Wraps => Ok((first..=most).chain(least..=last).collect()),
            Backward::Never if !is_word(text) => Ok(Vec::new()),
            Backward::Refused | Backward::RefusedButSunday | Backward::Never => {
                Err(FieldProblem::Backwards { text: text.to_owned() })
            }
        }
    }

    /// The end of a range, where some take Sunday for the end of the week.
    fn range_end(&self, part: Part, text: &str) -> Result<u8, FieldProblem> {
        let value = self.value(part, text)?;
        if part != Part::Weekday {
            return Ok(value);
        }
        match (self.backward, value, is_word(text)) {
            (Backward::RefusedButSunday, 0, true) | (Backward::Never, 0, false) => Ok(7),
            // Laravel loses the Sunday of `SAT-SUN`, which is nothing to wait for.
            (Backward::Never, 7, true) => Err(FieldProblem::Backwards { text: text.to_owned() }),
            _ => Ok(value),
        }
    }
}

impl Fields {
    /// Takes the words for fields. `None` unless there are as many as there should be.
    fn assign<'a>(self, words: &[&'a str]) -> Option<Texts<'a>> {
        let texts = |second, [minute, hour, day, month, weekday]: [&'a str; 5], year| Texts {
            second,
            minute,
            hour,
            day,
            month,
            weekday,
            year,
        };
        match (self, words) {
            (Fields::SecondsLead, &[second, a, b, c, d, e]) => Some(texts(second, [a, b, c, d, e], None)),
            (Fields::SecondsLead, &[second, a, b, c, d, e, year]) => {
                Some(texts(second, [a, b, c, d, e], Some(year)))
            }
            (Fields::SecondsLead, _) => None,
            (_, &[a, b, c, d, e]) => Some(texts("0", [a, b, c, d, e], None)),
            (Fields::SecondsMayLead | Fields::SecondsMayLeadYearsEnd, &[second, a, b, c, d, e]) => {
                Some(texts(second, [a, b, c, d, e], None))
            }
            (Fields::SecondsMayLeadYearsEnd, &[second, a, b, c, d, e, year]) => {
                Some(texts(second, [a, b, c, d, e], Some(year)))
            }
            (Fields::SecondsMayFollow, &[a, b, c, d, e, second]) => {
                Some(texts(second, [a, b, c, d, e], None))
            }
            (Fields::SecondsMayFollow, &[a, b, c, d, e, second, year]) => {
                Some(texts(second, [a, b, c, d, e], Some(year)))
            }
            (
                Fields::Five
                | Fields::SecondsMayLead
                | Fields::SecondsMayLeadYearsEnd
                | Fields::SecondsMayFollow,
                _,
            ) => None,
        }
    }
}

impl Nickname {
    const fn name(self) -> &'static str {
        match self {
            Nickname::Secondly => "secondly",
            Nickname::Minutely => "minutely",
            Nickname::Hourly => "hourly",
            Nickname::Daily => "daily",
            Nickname::Midnight => "midnight",
            Nickname::Noon => "noon",
            Nickname::Weekdays => "weekdays",
            Nickname::Weekends => "weekends",
            Nickname::Weekly => "weekly",
            Nickname::Monthly => "monthly",
            Nickname::Yearly => "yearly",
            Nickname::Annually => "annually",
            Nickname::Every => "every",
        }
    }

    /// The fields that it stands for, which all dialects read alike.
    fn texts(self) -> Option<Texts<'static>> {
        let [second, minute, hour, day, month, weekday] = match self {
            Nickname::Secondly => ["*", "*", "*", "*", "*", "*"],
            Nickname::Minutely => ["0", "*", "*", "*", "*", "*"],
            Nickname::Hourly => ["0", "0", "*", "*", "*", "*"],
            Nickname::Daily | Nickname::Midnight => ["0", "0", "0", "*", "*", "*"],
            Nickname::Noon => ["0", "0", "12", "*", "*", "*"],
            Nickname::Weekdays => ["0", "0", "0", "*", "*", "MON-FRI"],
            Nickname::Weekends => ["0", "0", "0", "*", "*", "SAT,SUN"],
            Nickname::Weekly => ["0", "0", "0", "*", "*", "SUN"],
            Nickname::Monthly => ["0", "0", "0", "1", "*", "*"],
            Nickname::Yearly | Nickname::Annually => ["0", "0", "0", "1", "1", "*"],
            Nickname::Every => return None,
        };
        Some(Texts { second, minute, hour, day, month, weekday, year: None })
    }
}

impl Question {
    /// Whether the sign is a star in a field.
    const fn holds(self, part: Part) -> bool {
        match self {
            Question::Nowhere => false,
            Question::DayFields | Question::OneDayField => matches!(part, Part::Day | Part::Weekday),
            Question::Anywhere => true,
        }
    }
}

impl Free {
    fn holds(self, part: Part, text: &str, listed: &Listed) -> bool {
        match self {
            Free::Star => text == "*" || text == "?",
            Free::StarFirst => text.starts_with(['*', '?']),
            Free::StarInList => listed.star,
            Free::EveryStarInList => listed.every_star,
            Free::All => {
                let numbers = listed.numbers;
                let all = if part == Part::Day { Set::range(1, 31) } else { Set::range(1, 6) };
                let sunday = part == Part::Day || numbers.contains(0) || numbers.contains(7);
                sunday && numbers.intersection(all) == all
            }
            Free::AllNumbers => {
                let all = Set::range(1, 7);
                !text.contains(',') && listed.numbers.intersection(all) == all
            }
        }
    }
}

impl In {
    /// Whether a token may stand there.
    pub(super) fn holds(self, in_list: bool) -> bool {
        self == In::Lists || !in_list
    }
}

/// A step is at least 1; the largest number will do for all larger ones.
fn parse_step(text: &str) -> Result<usize, FieldProblem> {
    let step = if is_digits(text) { text.parse().unwrap_or(usize::MAX) } else { 0 };
    if step == 0 { Err(FieldProblem::Step { text: text.to_owned() }) } else { Ok(step) }
}

/// Only digits: Rust's own parser would let a sign pass.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it has a letter.
pub(super) fn is_word(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphabetic())
}
