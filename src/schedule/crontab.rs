//! Crontabs: five fields, and the rule that takes their local times to instants.

use chrono::{DateTime, Utc};

use super::ScheduleError;
use super::calendar::Calendar;
use super::days::Days;
use super::field::Field;
use super::minute::{Local, Minute};
use super::window::Window;
use super::zone::Zone;

/// The nicknames there are, in exactly this spelling.
const NICKNAMES: [(&str, &str); 6] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// After so many years without a match there is taken to be none, as in CronSim.
const MAX_SEARCH_YEARS: i32 = 50;

/// A crontab, without a zone.
#[derive(Clone, Debug)]
pub(super) struct Crontab {
    text: Box<str>,
    pub(super) calendar: Calendar,
    pub(super) passes: Passes,
}

/// On which passes of a local time a job runs. Debian's cron tells the two sorts of job apart so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Passes {
    /// The text of minute or hour starts with `*`: the job runs at every real minute whose local time
    /// matches. A gap drops runs, and a fold repeats them.
    Every,
    /// Any other job runs once for each local time that matches: on the first pass of a fold, and at the end
    /// of the gap when its time is skipped, several skipped times becoming one run.
    First,
}

impl Crontab {
    pub(super) fn parse(expression: &str) -> Result<Self, ScheduleError> {
        let words: Vec<&str> = expression.split(is_space).filter(|word| !word.is_empty()).collect();
        let text = words.join(" ");
        let fields = match text.starts_with('@') {
            true => NICKNAMES
                .iter()
                .find(|(nickname, _)| **nickname == text)
                .map(|(_, fields)| (*fields).to_owned())
                .ok_or_else(|| ScheduleError::Nickname { nickname: text.clone() })?,
            false => text.to_uppercase(),
        };
        let [minute, hour, day, month, weekday] =
            <[&str; 5]>::try_from(fields.split(' ').collect::<Vec<_>>())
                .map_err(|_| ScheduleError::FieldCount { found: words.len() })?;

        let minutes = Field::Minute.parse(minute)?.plain;
        let hours = Field::Hour.parse(hour)?.plain;
        let of_month = Field::DayOfMonth.parse(day)?;
        let months = Field::Month.parse(month)?.plain;
        let of_week = Field::DayOfWeek.parse(weekday)?;
        let days = Days::new((day, of_month), months, (weekday, of_week))?;
        let calendar = Calendar { minutes, hours, days };
        let free = minute.starts_with('*') || hour.starts_with('*');
        let passes = if free { Passes::Every } else { Passes::First };
        Ok(Self { text: text.into(), calendar, passes })
    }

    /// As written, with single spaces.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The first run after a minute.
    pub(super) fn next(&self, after: Minute, zone: Zone) -> Option<Minute> {
        let window = Window::around(zone, after);
        match self.passes {
            Passes::First => self.first_pass_from(window, window.latest_shown(after).plus(1)),
            Passes::Every => self.next_pass(window, after.plus(1), zone),
        }
    }

    /// The last run before an instant.
    pub(super) fn previous(&self, before: DateTime<Utc>, zone: Zone) -> Option<Minute> {
        let until = Minute::before(before);
        let window = Window::around(zone, until);
        match self.passes {
            Passes::First => self.first_pass_until(window, window.latest_shown(until)),
            Passes::Every => self.previous_pass(window, until, zone),
        }
    }

    /// The first pass of the first local time that matches, from `from` on.
    pub(super) fn first_pass_from(&self, window: Window, from: Local) -> Option<Minute> {
        let found = in_reach(from, self.calendar.next(from)?)?;
        Some(window.holding(found).first(found))
    }

    /// The first pass of the last local time that matches, up to `until`.
    pub(super) fn first_pass_until(&self, window: Window, until: Local) -> Option<Minute> {
        let found = in_reach(until, self.calendar.previous(until)?)?;
        Some(window.holding(found).first(found))
    }

    /// The first minute from `from` on whose local time matches.
    pub(super) fn next_pass(&self, window: Window, mut from: Minute, zone: Zone) -> Option<Minute> {
        let start = window.local(from);
        if let Some(change) = window.change().filter(|change| from < change.at) {
            let found = self.calendar.next(start)?.at_offset(change.before);
            if found < change.at {
                return Some(found);
            }
            from = change.at;
        }
        let mut found = self.calendar.next(from.on_clock(window.last_offset()))?;
        if window.holds(found) {
            return Some(found.at_offset(window.last_offset()));
        }
        // So far away no second pass of anything lies between: the clock is read forward, over gaps.
        loop {
            in_reach(start, found)?;
            let there = Window::around_local(zone, found);
            let Some(gap) = there.skipping(found) else { return Some(there.first(found)) };
            found = self.calendar.next(gap.first_after())?;
        }
    }

    /// The last minute up to `until` whose local time matches.
    pub(super) fn previous_pass(&self, window: Window, mut until: Minute, zone: Zone) -> Option<Minute> {
        let start = window.local(until);
        if let Some(change) = window.change().filter(|change| change.at <= until) {
            let found = self.calendar.previous(start)?.at_offset(change.after);
            if found >= change.at {
                return Some(found);
            }
            until = change.at.plus(-1);
        }
        let mut found = self.calendar.previous(until.on_clock(window.first_offset()))?;
        if window.holds(found) {
            return Some(found.at_offset(window.first_offset()));
        }
        loop {
            in_reach(start, found)?;
            let there = Window::around_local(zone, found);
            let Some(gap) = there.skipping(found) else { return Some(there.last(found)) };
            found = self.calendar.previous(gap.last_before())?;
        }
    }
}

/// What was found, unless it is too far away.
fn in_reach(start: Local, found: Local) -> Option<Local> {
    let years = found.year().saturating_sub(start.year());
    (-MAX_SEARCH_YEARS..=MAX_SEARCH_YEARS).contains(&years).then_some(found)
}

/// White space as Python has it, which counts four ASCII separators in.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
}
