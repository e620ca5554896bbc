//! The search through the calendar, on local time without a zone.
//!
//! The time of day is read off two sets. Days are searched by the `cron` crate, which is no Unix crontab by
//! itself: it has seconds, counts weekdays from Sunday = 1, requires both day fields, and knows no `L` and no
//! `#`. So it is given plain lists of days only, one pattern for days that must match both fields and two for
//! days that may match either, and what the lists cannot say is filtered.

use chrono::{DateTime, TimeDelta, Utc};
use cron::Schedule as Pattern;

use super::ScheduleError;
use super::days::{DayFilter, DayRule, Days};
use super::field::Set;
use super::minute::{DAY, Local};

/// The last minute of 2100, which is as far as `cron` looks. It starts with 1970.
const LAST: Local = Local::EPOCH.plus(47_847 * DAY - 1);

/// All local times that a crontab matches, from 1970 to 2100.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    pub(super) minutes: Set,
    pub(super) hours: Set,
    pub(super) days: Days,
    searches: Vec<Search>,
}

/// A search for days.
#[derive(Clone, Debug)]
struct Search {
    pattern: Pattern,
    /// Which of the pattern's days are meant; `None` for all.
    filter: Option<DayFilter>,
}

impl Calendar {
    pub(super) fn new(minutes: Set, hours: Set, days: Days) -> Result<Self, ScheduleError> {
        let filters = match &days.rule {
            DayRule::Both(both) => vec![both],
            DayRule::Either(one, other) => vec![one, other],
        };
        let searches = filters
            .into_iter()
            // `0 0 */31 * 1#3`: the first of the month, if it is the third Monday.
            .filter(|filter| !filter.days_of_month().is_empty() && !filter.weekdays().is_empty())
            .map(|filter| Search::new(days.months, filter))
            .collect::<Result<_, _>>()?;
        Ok(Self { minutes, hours, days, searches })
    }

    /// The first match at this time or later.
    pub(super) fn next(&self, from: Local) -> Option<Local> {
        let from = from.max(Local::EPOCH);
        if from <= LAST
            && self.days.contains(from.date()?)
            && let Some(found) = self.next_that_day(from)
        {
            return Some(found);
        }
        self.next_that_day(self.next_day(from.midnight().plus(DAY))?)
    }

    /// The last match at this time or earlier.
    pub(super) fn previous(&self, from: Local) -> Option<Local> {
        let from = from.min(LAST);
        if from >= Local::EPOCH
            && self.days.contains(from.date()?)
            && let Some(found) = self.previous_that_day(from)
        {
            return Some(found);
        }
        self.previous_that_day(self.previous_day(from.midnight().plus(-1))?.plus(DAY - 1))
    }

    /// The midnight before the first match on this day or later.
    pub(super) fn next_day(&self, from: Local) -> Option<Local> {
        self.searches.iter().filter_map(|search| search.next(from)).min()
    }

    /// The midnight before the last match on this day or earlier.
    pub(super) fn previous_day(&self, from: Local) -> Option<Local> {
        self.searches.iter().filter_map(|search| search.previous(from)).max()
    }

    /// The first match from this time to the end of its day, which is one that matches.
    fn next_that_day(&self, from: Local) -> Option<Local> {
        let this_hour = self.minutes.at_least(from.minute()).least();
        match this_hour.filter(|_| self.hours.contains(from.hour())) {
            Some(minute) => Some(from.at(from.hour(), minute.into())),
            None => {
                let hour = self.hours.at_least(from.hour().saturating_add(1)).least()?;
                Some(from.at(hour.into(), self.minutes.least()?.into()))
            }
        }
    }

    /// The last match from the start of its day, which is one that matches, to this time.
    fn previous_that_day(&self, from: Local) -> Option<Local> {
        let this_hour = self.minutes.at_most(from.minute()).greatest();
        match this_hour.filter(|_| self.hours.contains(from.hour())) {
            Some(minute) => Some(from.at(from.hour(), minute.into())),
            None => {
                let hour = self.hours.at_most(from.hour().saturating_sub(1)).greatest()?;
                Some(from.at(hour.into(), self.minutes.greatest()?.into()))
            }
        }
    }
}

impl Search {
    fn new(months: Set, filter: &DayFilter) -> Result<Self, ScheduleError> {
        let list = |set: Set, all: Set| if set == all { "*".to_owned() } else { set.to_string() };
        // `cron` has Sunday to Saturday as 1 to 7.
        let weekdays: Set = filter.weekdays().iter().map(|weekday| weekday.saturating_add(1)).collect();
        let pattern = format!(
            "* * * {} {} {}",
            list(filter.days_of_month(), Set::range(1, 31)),
            list(months, Set::range(1, 12)),
            list(weekdays, Set::range(1, 7)),
        );
        let filter = (!filter.is_plain()).then(|| filter.clone());
        match Pattern::try_from(pattern.as_str()) {
            Ok(pattern) => Ok(Self { pattern, filter }),
            Err(_) => Err(ScheduleError::Calendar { pattern }),
        }
    }

    /// The first midnight of a match at this time or later.
    fn next(&self, from: Local) -> Option<Local> {
        let mut from = from.max(Local::EPOCH);
        while from <= LAST {
            // Strictly later than the last second before.
            let after = from.naive()?.checked_sub_signed(TimeDelta::seconds(1))?;
            let found = self.pattern.after(&after).next()?;
            if self.accepts(found) {
                return Some(Local::of(found).midnight());
            }
            from = Local::of(found).midnight().plus(DAY);
        }
        None
    }

    /// The last midnight of a match at this time or earlier.
    fn previous(&self, from: Local) -> Option<Local> {
        let mut from = from.min(LAST);
        while from >= Local::EPOCH {
            let before = from.naive()?.checked_add_signed(TimeDelta::seconds(1))?;
            let found = self.pattern.after(&before).next_back()?;
            if self.accepts(found) {
                return Some(Local::of(found).midnight());
            }
            from = Local::of(found).midnight().plus(-1);
        }
        None
    }

    fn accepts(&self, found: DateTime<Utc>) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.accepts(found.date_naive()))
    }
}
