//! Real time and wall clocks: what a zone's clock shows, and when it shows it.

use chrono::{DateTime, Utc};

use super::minute::{DAY, Local, Minute};
use super::zone::Zone;

/// How far a window reaches to either side of its centre.
///
/// No clock has ever been set back or forward by more than a day, and in no zone have two changes been
/// less than six days apart, so that a window holds at most one change, and all passes of a local time
/// within a day of its centre. A test holds the zone data to both.
const REACH: i64 = 2 * DAY;

/// A few days of a zone's clock: one offset from UTC, or two with the change between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    zone: Zone,
    centre: Minute,
    /// The offset at the start of the window.
    before: i64,
    /// The offset at the end of the window.
    after: i64,
    /// The first minute with the second offset. Means nothing where the two are the same.
    at: Minute,
}

/// A moment at which the clock is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// The first minute with the new offset.
    pub(super) at: Minute,
    /// Minutes ahead of UTC until then.
    pub(super) before: i64,
    /// Minutes ahead of UTC from then on.
    pub(super) after: i64,
}

impl Window {
    /// The window around a minute.
    pub(super) fn around(zone: Zone, centre: Minute) -> Self {
        let (mut start, mut end) = (centre.plus(-REACH), centre.plus(REACH));
        let (before, after) = (offset(zone, start), offset(zone, end));
        if before != after {
            while end.since(start) > 1 {
                let middle = start.between(end);
                if offset(zone, middle) == before { start = middle } else { end = middle }
            }
        }
        Self { zone, centre, before, after, at: end }
    }

    /// The window around a local time, wherever on Earth.
    pub(super) fn around_local(zone: Zone, local: Local) -> Self {
        Self::around(zone, local.at_offset(0))
    }

    /// This window if it holds the local time, else the window around that.
    pub(super) fn holding(self, local: Local) -> Self {
        if self.holds(local) { self } else { Self::around_local(self.zone, local) }
    }

    /// Whether all passes of the local time lie in this window.
    pub(super) fn holds(&self, local: Local) -> bool {
        local.since(self.local(self.centre)).abs() <= DAY
    }

    /// The change of the clock in this window.
    pub(super) fn change(&self) -> Option<Change> {
        let Self { before, after, at, .. } = *self;
        (before != after).then_some(Change { at, before, after })
    }

    /// The offset at the start of the window, and so up to its change.
    pub(super) const fn first_offset(&self) -> i64 {
        self.before
    }

    /// The offset at the end of the window, and so from its change on.
    pub(super) const fn last_offset(&self) -> i64 {
        self.after
    }

    /// What the clock shows.
    pub(super) fn local(&self, minute: Minute) -> Local {
        minute.on_clock(if minute < self.at { self.before } else { self.after })
    }

    /// The latest time that the clock has shown up to this minute: ahead of what it shows now while an hour
    /// is repeated.
    pub(super) fn latest_shown(&self, minute: Minute) -> Local {
        match self.change() {
            Some(change) if change.at <= minute => self.local(minute).max(change.last_before()),
            _ => self.local(minute),
        }
    }

    /// When the clock first shows the time, or later: the end of the gap for a time that it skips.
    pub(super) fn first(&self, local: Local) -> Minute {
        let first = local.at_offset(self.before);
        if first < self.at { first } else { local.at_offset(self.after).max(self.at) }
    }

    /// When the clock first shows the time; for a time that it skips, when it would have been shown had nobody
    /// set the clock. So Python's `zoneinfo` places a time whose `fold` is 0.
    pub(super) fn unset(&self, local: Local) -> Minute {
        let gap = self.skipping(local);
        gap.map_or_else(|| self.first(local), |gap| local.at_offset(gap.before))
    }

    /// When the clock last shows the time, or earlier: the start of the gap for a time that it skips.
    pub(super) fn last(&self, local: Local) -> Minute {
        let last = local.at_offset(self.after);
        if last >= self.at { last } else { local.at_offset(self.before).min(self.at.plus(-1)) }
    }

    /// The change that skips the time.
    pub(super) fn skipping(&self, local: Local) -> Option<Change> {
        self.change().filter(|change| change.last_before() < local && local < change.first_after())
    }
}

impl Change {
    /// What the clock shows in the last minute before the change.
    pub(super) const fn last_before(&self) -> Local {
        self.at.plus(-1).on_clock(self.before)
    }

    /// What the clock shows in the first minute after the change.
    pub(super) const fn first_after(&self) -> Local {
        self.at.on_clock(self.after)
    }
}

/// Minutes ahead of UTC, rounded down; at the ends of all time, those of the nearest date there is.
fn offset(zone: Zone, minute: Minute) -> i64 {
    const EPOCH: Minute = Minute::of(DateTime::UNIX_EPOCH);
    const FIRST: Minute = Minute::of(DateTime::<Utc>::MIN_UTC);
    const LAST: Minute = Minute::of(DateTime::<Utc>::MAX_UTC);
    let time = minute.clamp(FIRST, LAST).since(EPOCH).saturating_mul(60);
    i64::from(zone.offset_at_unix(time).local_minus_utc().div_euclid(60))
}

#[cfg(test)]
mod tests {
    use crate::schedule::Zones;

    use super::*;

    const EPOCH: Minute = Minute::of(DateTime::UNIX_EPOCH);

    /// Days from 1840 to 2101: before the oldest change in the zone data to beyond the last.
    const DAYS: std::ops::Range<i64> = -47_482..47_847;

    /// What `REACH` relies on.
    #[test]
    fn changes_are_far_apart_and_no_more_than_a_day() {
        let mut changes = 0;
        for zone in Zones::embedded().iter() {
            let mut last = None;
            let mut before = offset(zone, EPOCH.plus(DAYS.start * DAY));
            for day in DAYS.step_by(3) {
                let noon = EPOCH.plus(day * DAY);
                let after = offset(zone, noon);
                if after != before {
                    assert!((after - before).abs() <= DAY, "{zone} {noon:?}");
                    assert!(last.is_none_or(|last| noon.since(last) > 2 * REACH), "{zone} {noon:?}");
                    last = Some(noon);
                    changes += 1;
                }
                before = after;
            }
        }
        assert!(changes > 10_000, "{changes}");
    }

    /// Berlin kept its local mean time until 1893, and has kept Central European Time since.
    #[test]
    fn the_ends_of_all_time_have_the_offset_and_the_year_of_the_nearest_date() {
        let (first, last) = (EPOCH.plus(i64::MIN), EPOCH.plus(i64::MAX));
        assert_eq!([first, last].map(|end| offset("Europe/Berlin".parse().unwrap(), end)), [53, 60]);
        assert_eq!([first, last].map(|end| end.on_clock(0).year()), [-262_143, 262_142]);
    }

    /// Clocks in New York went from 02:00 to 03:00 at 07:00 UTC.
    #[test]
    fn a_gap_has_an_end_and_a_start() {
        let at = Minute::of("2025-03-09T07:00:00Z".parse().unwrap());
        let window = Window::around("America/New_York".parse().unwrap(), at.plus(-500));
        let change = window.change().unwrap();
        assert_eq!((change.at, change.before, change.after), (at, -300, -240));
        let skipped = at.on_clock(-300).plus(30);
        assert!(window.skipping(skipped).is_some());
        assert_eq!((window.last(skipped), window.first(skipped)), (at.plus(-1), at));
        assert!(window.skipping(change.last_before()).is_none());
        assert!(window.skipping(change.first_after()).is_none());
    }

    /// Clocks in Lord Howe went from 02:00 to 01:30 at 15:00 UTC.
    #[test]
    fn a_fold_has_two_passes() {
        let at = Minute::of("2025-04-05T15:00:00Z".parse().unwrap());
        let window = Window::around("Australia/Lord_Howe".parse().unwrap(), at);
        let repeated = at.on_clock(630).plus(10);
        assert_eq!((window.first(repeated), window.last(repeated)), (at.plus(-20), at.plus(10)));
        assert_eq!(window.latest_shown(at.plus(10)), at.on_clock(660).plus(-1));
        assert_eq!(window.local(at.plus(10)), repeated);
    }
}
