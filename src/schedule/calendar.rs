//! The search through the calendar, on local time without a zone.

use super::days::Days;
use super::field::Set;
use super::minute::Local;

/// All local times that a crontab matches, from 1970 to 2100.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    pub(super) minutes: Set,
    pub(super) hours: Set,
    pub(super) days: Days,
}

impl Calendar {
    /// The first match at this time or later.
    pub(super) fn next(&self, from: Local) -> Option<Local> {
        let today = from.date()?;
        let left = self.next_time(from);
        let day = self.days.next(if left.is_some() { today } else { today.succ_opt()? })?;
        if day == today { left } else { self.next_time(Local::midnight(day)) }
    }

    /// The last match at this time or earlier.
    pub(super) fn previous(&self, from: Local) -> Option<Local> {
        let today = from.date()?;
        let gone = self.previous_time(from);
        let day = self.days.previous(if gone.is_some() { today } else { today.pred_opt()? })?;
        if day == today { gone } else { self.previous_time(Local::last_of(day)) }
    }

    /// The first match from this time to the end of its day, if the day is one that matches.
    fn next_time(&self, from: Local) -> Option<Local> {
        let this_hour = self.minutes.at_least(from.minute()).least();
        match this_hour.filter(|_| self.hours.contains(from.hour())) {
            Some(minute) => Some(from.at(from.hour(), minute.into())),
            None => {
                let hour = self.hours.at_least(from.hour().saturating_add(1)).least()?;
                Some(from.at(hour.into(), self.minutes.least()?.into()))
            }
        }
    }

    /// The last match from the start of its day to this time, if the day is one that matches.
    fn previous_time(&self, from: Local) -> Option<Local> {
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
