//! The search through the calendar, on local time without a zone. The `cron` crate does it.
//!
//! `cron` is no Unix crontab by itself: it has seconds, counts weekdays from Sunday = 1, requires both day
//! fields, and knows no `L` and no `#`. So it is given plain lists only, one pattern for days that must
//! match both fields and two for days that may match either, and what the lists cannot say is filtered.

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
    searches: Vec<Search>,
}

#[derive(Clone, Debug)]
struct Search {
    pattern: Pattern,
    /// Which of the pattern's days are meant; `None` for all.
    filter: Option<DayFilter>,
}

impl Calendar {
    pub(super) fn new(minutes: Set, hours: Set, days: &Days) -> Result<Self, ScheduleError> {
        let filters = match &days.rule {
            DayRule::Both(both) => vec![both],
            DayRule::Either(one, other) => vec![one, other],
        };
        let searches = filters
            .into_iter()
            // `0 0 */31 * 1#3`: the first of the month, if it is the third Monday.
            .filter(|filter| !filter.days_of_month().is_empty() && !filter.weekdays().is_empty())
            .map(|filter| Search::new(minutes, hours, days.months, filter))
            .collect::<Result<_, _>>()?;
        Ok(Self { searches })
    }

    /// The first match at this time or later.
    pub(super) fn next(&self, from: Local) -> Option<Local> {
        self.searches.iter().filter_map(|search| search.next(from)).min()
    }

    /// The last match at this time or earlier.
    pub(super) fn previous(&self, from: Local) -> Option<Local> {
        self.searches.iter().filter_map(|search| search.previous(from)).max()
    }
}

impl Search {
    fn new(minutes: Set, hours: Set, months: Set, filter: &DayFilter) -> Result<Self, ScheduleError> {
        let list = |set: Set, all: Set| if set == all { "*".to_owned() } else { set.to_string() };
        // `cron` has Sunday to Saturday as 1 to 7.
        let weekdays: Set = filter.weekdays().iter().map(|weekday| weekday.saturating_add(1)).collect();
        let pattern = format!(
            "0 {} {} {} {} {}",
            list(minutes, Set::range(0, 59)),
            list(hours, Set::range(0, 23)),
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

    fn next(&self, from: Local) -> Option<Local> {
        let mut from = from.max(Local::EPOCH);
        while from <= LAST {
            // Strictly later than the last second before.
            let after = from.naive()?.checked_sub_signed(TimeDelta::seconds(1))?;
            let found = self.pattern.after(&after).next()?;
            if self.accepts(found) {
                return Some(Local::of(found));
            }
            from = Local::midnight(found.date_naive()).plus(DAY);
        }
        None
    }

    fn previous(&self, from: Local) -> Option<Local> {
        let mut from = from.min(LAST);
        while from >= Local::EPOCH {
            let before = from.naive()?.checked_add_signed(TimeDelta::seconds(1))?;
            let found = self.pattern.after(&before).next_back()?;
            if self.accepts(found) {
                return Some(Local::of(found));
            }
            from = Local::midnight(found.date_naive()).plus(-1);
        }
        None
    }

    fn accepts(&self, found: DateTime<Utc>) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.accepts(found.date_naive()))
    }
}
