//! A time of a schedule, and what the wall clock is taken to show at it.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::minute::{Local, Minute};
use super::zone::Window;

/// A minute that a schedule is searched from or leads to.
///
/// The reference system steps intervals on the wall clock, and goes on from times that the clock has skipped
/// as if it had shown them. So such a time is remembered beside the minute it stands for; only
/// [`Quirk::IntervalsOnLocalClock`](crate::policy::Quirk::IntervalsOnLocalClock) makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(super) minute: Minute,
    pub(super) imagined: Option<Local>,
}

impl Slot {
    /// When it is. `None` beyond the dates that chrono can hold.
    pub(crate) const fn instant(self) -> Option<DateTime<Utc>> {
        self.minute.instant()
    }

    /// What the clock shows.
    pub(super) fn local(self, window: Window) -> Local {
        self.imagined.unwrap_or_else(|| window.local(self.minute))
    }

    /// So much later on the wall clock, as Python moves a time: which of two repeated hours was meant is
    /// forgotten. For [`Quirk::MarginOnLocalClock`](crate::policy::Quirk::MarginOnLocalClock).
    pub(crate) fn later_on_clock(self, by: TimeDelta, zone: Tz) -> Option<DateTime<Utc>> {
        let window = Window::around(zone, self.minute);
        let local = self.local(window).plus(by.num_minutes());
        window.holding(local).unset(local).instant()
    }
}

impl From<DateTime<Utc>> for Slot {
    fn from(instant: DateTime<Utc>) -> Self {
        Minute::of(instant).into()
    }
}

impl From<Minute> for Slot {
    fn from(minute: Minute) -> Self {
        Self { minute, imagined: None }
    }
}
