//! A time of a schedule, and what the wall clock is taken to show at it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::schedule::Zone;
use crate::schedule::minute::{Local, Minute, start_of_minute};
use crate::schedule::window::Window;

/// A minute that a schedule is searched from or leads to.
///
/// The reference system steps intervals on the wall clock, and goes on from times that the clock has skipped
/// as if it had shown them. So such a time is remembered beside the minute it stands for; only
/// [`Quirk::IntervalsOnLocalClock`](crate::policy::Quirk::IntervalsOnLocalClock) makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallTime {
    start: DateTime<Utc>,
    imagined: Option<Local>,
}

impl WallTime {
    /// The minute that starts at this instant.
    pub(in crate::schedule) const fn starting(start: DateTime<Utc>) -> Self {
        Self { start, imagined: None }
    }

    /// `None` beyond the dates that chrono can hold.
    pub(in crate::schedule) fn at(minute: Minute) -> Option<Self> {
        minute.instant().map(Self::starting)
    }

    /// A minute at which the clock is taken to show this. `None` as for [`at`](Self::at).
    pub(in crate::schedule) fn imagined(minute: Minute, local: Local) -> Option<Self> {
        Self::at(minute).map(|slot| Self { imagined: Some(local), ..slot })
    }

    /// When it begins.
    pub(crate) const fn start(&self) -> &DateTime<Utc> {
        &self.start
    }

    pub(in crate::schedule) const fn minute(&self) -> Minute {
        Minute::of(self.start)
    }

    /// What the clock shows.
    pub(in crate::schedule) fn local(&self, window: Window) -> Local {
        self.imagined.unwrap_or_else(|| window.local(self.minute()))
    }

    /// So much later on the wall clock, as Python moves a time: which of two repeated hours was meant is
    /// forgotten. For [`Quirk::MarginOnLocalClock`](crate::policy::Quirk::MarginOnLocalClock).
    pub(crate) fn later_on_clock(&self, by: TimeDelta, zone: Zone) -> Option<DateTime<Utc>> {
        let window = Window::around(zone, self.minute());
        let local = self.local(window).plus(by.num_minutes());
        window.holding(local).unset(local).instant()
    }
}

/// The minute that the instant lies in.
impl From<DateTime<Utc>> for WallTime {
    fn from(instant: DateTime<Utc>) -> Self {
        Self::starting(start_of_minute(instant))
    }
}
