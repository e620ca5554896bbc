//! A crontab of any dialect, and the rules that take its local times to instants.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "seconds of the years 1969 to 2200, to which `next` cuts them"
)]

use std::num::NonZeroU32;

use chrono::{DateTime, Datelike, Utc};

use super::Dialect;
use super::axes::{Gap, GapKind, Repeat, RepeatKind};
use super::times::{LocalSecond, Times};
use crate::schedule::Zone;
use crate::schedule::field::Set;
use crate::schedule::minute::{Local, Minute};
use crate::schedule::window::Window;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// Searches start from 1969 on, and not after 2199.
const FIRST: Second = -31_536_000;
const LAST: Second = 7_258_118_400;

/// A second of real time, counted from 1970.
type Second = i64;

/// A crontab as one dialect reads it.
#[derive(Clone, Debug)]
pub(in crate::schedule) struct Crontab {
    text: Box<str>,
    dialect: Dialect,
    zone: Option<Zone>,
    instants: Instants,
}

/// When a crontab runs.
#[derive(Clone, Debug)]
pub(super) enum Instants {
    /// Whenever the clock shows one of some times, with the dialect's rules for clock changes if they apply to it.
    Fields { times: Box<Times>, applies: bool },
    /// So many seconds after the last time.
    Every(NonZeroU32),
}

/// A moment at which the clock is set, in seconds.
#[derive(Clone, Copy, Debug)]
struct Change {
    /// The first second with the new offset.
    at: Second,
    /// Seconds ahead of UTC until then.
    before: i64,
    /// Seconds ahead of UTC from then on.
    after: i64,
}

/// The two times that a clock shows a repeated hour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pass {
    First,
    Second,
}

/// What a search near one place comes to.
enum Found {
    Run(Second),
    /// The first match is too far away for the offsets that are known here.
    Beyond(LocalSecond),
}

impl Crontab {
    pub(super) fn new(text: &str, dialect: Dialect, zone: Option<Zone>, instants: Instants) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        Self { text: words.join(" ").into(), dialect, zone, instants }
    }

    /// As written, with single spaces.
    pub(in crate::schedule) fn text(&self) -> &str {
        &self.text
    }

    pub(in crate::schedule) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The zone that the text names.
    pub(in crate::schedule) const fn own_zone(&self) -> Option<Zone> {
        self.zone
    }

    /// The first run after an instant, to the second.
    pub(in crate::schedule) fn next_run(&self, after: &DateTime<Utc>, zone: Zone) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.next_second(after.timestamp(), zone)?, 0)
    }

    /// The first minute after this one with a run. For one that counts seconds, the first whole one.
    pub(in crate::schedule) fn next(&self, after: Minute, zone: Zone) -> Option<Minute> {
        let start = after.instant()?.timestamp();
        let (from, up) = match self.instants {
            Instants::Fields { .. } => (start.saturating_add(59), 0),
            Instants::Every(_) => (start, 59),
        };
        Some(Minute::of(DateTime::from_timestamp(self.next_second(from, zone)?.saturating_add(up), 0)?))
    }

    /// The last minute up to this one with a run. For one that counts seconds from `start`, the last whole one.
    ///
    /// Looks for it between two times of which only the earlier one is followed by a run.
    pub(in crate::schedule) fn previous(
        &self,
        start: DateTime<Utc>,
        until: Minute,
        zone: Zone,
    ) -> Option<Minute> {
        if let Instants::Every(seconds) = self.instants {
            let step = i64::from(seconds.get()).saturating_add(59).div_euclid(60);
            let first = Minute::of(start);
            let elapsed = until.since(first);
            return (elapsed >= 0).then_some(first.plus(elapsed - elapsed.rem_euclid(step)));
        }
        let run_after = |minute: Minute| self.next(minute, zone).filter(|run| *run <= until);
        let mut length = 1;
        let mut early = until.plus(-length);
        while run_after(early).is_none() {
            if early.instant()?.year() < 1969 {
                return None;
            }
            length *= 2;
            early = until.plus(-length);
        }
        // `early` is followed by a run, and `late` is not.
        let mut late = until;
        while late.since(early) > 1 {
            let middle = early.between(late);
            if run_after(middle).is_some() { early = middle } else { late = middle }
        }
        run_after(early)
    }

    fn next_second(&self, after: Second, zone: Zone) -> Option<Second> {
        let (times, applies) = match &self.instants {
            Instants::Every(seconds) => return after.checked_add(seconds.get().into()),
            Instants::Fields { times, applies } => (times, *applies),
        };
        if after > LAST {
            return None;
        }
        let mut from = after.max(FIRST) + 1;
        let mut window = Window::around(zone, minute(from));
        loop {
            match self.find(times, applies, window, from)? {
                Found::Run(run) => return Some(run),
                Found::Beyond(local) => {
                    window = Window::around_local(zone, Local::of(DateTime::from_timestamp(local, 0)?));
                    let least = window.first_offset().max(window.last_offset());
                    from = from.max(local - least * 60);
                }
            }
        }
    }

    /// Looks from an instant on, near which the window is.
    fn find(&self, times: &Times, applies: bool, window: Window, from: Second) -> Option<Found> {
        let found = |local: LocalSecond, offset: i64| {
            let near = window.holds(Local::of(DateTime::from_timestamp(local, 0)?));
            Some(if near { Found::Run(local - offset) } else { Found::Beyond(local) })
        };
        let Some(change) = window.change() else {
            let offset = window.last_offset() * 60;
            return found(times.next(from + offset)?, offset);
        };
        let at = change.at.instant()?.timestamp();
        let change = Change { at, before: change.before * 60, after: change.after * 60 };
        if from < change.at {
            let mut local = times.next(from + change.before)?;
            while local - change.before < change.at {
                if local < change.at + change.after || self.runs_in(Pass::First, times, applies, change) {
                    return Some(Found::Run(local - change.before));
                }
                local = times.next(change.at + change.before)?;
            }
        }
        let from = from.max(change.at);
        if change.after < change.before {
            let repeated_until = change.at + change.before;
            let both = self.runs_in(Pass::Second, times, applies, change);
            let start = from + change.after;
            return found(times.next(if both { start } else { start.max(repeated_until) })?, change.after);
        }
        let (moved, start) = self.after_gap(times, applies, change, from);
        match (moved, times.next(start)) {
            (Some(moved), Some(local)) if local - change.after < moved => found(local, change.after),
            (Some(moved), _) => Some(Found::Run(moved)),
            (None, local) => found(local?, change.after),
        }
    }

    /// The first run from `from` on that a gap has moved, and where runs at their own times go on.
    fn after_gap(
        &self,
        times: &Times,
        applies: bool,
        change: Change,
        from: Second,
    ) -> (Option<Second>, LocalSecond) {
        let start = from + change.after;
        let rule = if applies { self.gap(times, change) } else { Gap::Skipped };
        let (first, end) = (change.at + change.before, change.at + change.after);
        let lost = |from: LocalSecond| times.next(from.max(first)).filter(|local| *local < end);
        match rule {
            Gap::Skipped | Gap::ByHalfOfYear => (None, start),
            Gap::AtEnd => (lost(first).filter(|_| from == change.at).map(|_| change.at), start),
            Gap::EachMoved => (lost(from + change.before).map(|local| local - change.before), start),
            Gap::FirstMoved => {
                let moved = lost(first).map(|local| local - change.before).filter(|moved| *moved >= from);
                (moved, moved.map_or(start, |moved| moved + change.after + 1))
            }
        }
    }

    /// The rule for a gap.
    fn gap(&self, times: &Times, change: Change) -> Gap {
        let axes = self.dialect.axes();
        let is = |kind: &GapKind| match kind {
            GapKind::EveryHourListed => every_hour(times),
            GapKind::HourBeforeListed => times.hours.contains(hour(change.at + change.before - 1)),
            GapKind::Short => change.after - change.before < HOUR,
            GapKind::Midnight => (change.at + change.before).rem_euclid(DAY) == 0,
        };
        match axes.gap {
            _ if axes.gap_skipped_if.iter().any(is) => Gap::Skipped,
            Gap::ByHalfOfYear => {
                let month = DateTime::from_timestamp(change.at, 0).map_or(1, |at| at.month());
                if month < 7 { Gap::AtEnd } else { Gap::FirstMoved }
            }
            rule => rule,
        }
    }

    /// Whether the crontab runs on one pass of a repeated hour.
    fn runs_in(&self, pass: Pass, times: &Times, applies: bool, change: Change) -> bool {
        let axes = self.dialect.axes();
        let is = |kind: &RepeatKind| match kind {
            RepeatKind::EveryHourListed => every_hour(times),
            RepeatKind::HourAfterListed => times.hours.contains(hour(change.at + change.before)),
            RepeatKind::Short => change.before - change.after < HOUR,
        };
        if !applies || axes.repeated_if.iter().any(is) {
            return true;
        }
        let only = match axes.repeat {
            Repeat::Both => return true,
            Repeat::First => Pass::First,
            Repeat::FirstButMidnight => {
                if (change.at + change.after).rem_euclid(DAY) == 0 {
                    Pass::Second
                } else {
                    Pass::First
                }
            }
            Repeat::ByLongitude => {
                if change.before > 0 {
                    Pass::Second
                } else {
                    Pass::First
                }
            }
        };
        pass == only
    }
}

fn every_hour(times: &Times) -> bool {
    times.hours == Set::range(0, 23)
}

const fn hour(local: LocalSecond) -> i64 {
    local.div_euclid(HOUR).rem_euclid(24)
}

fn minute(second: Second) -> Minute {
    Minute::of(DateTime::from_timestamp(second, 0).unwrap_or(DateTime::UNIX_EPOCH))
}
