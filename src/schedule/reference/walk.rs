//! How the reference system comes to its crontab times around clock changes.
//!
//! CronSim 2.6 walks the wall clock: to the midnight of the next day that matches, on by hours, then by
//! minutes. Where a change of the clock gets in its way that leads elsewhere than the rule of
//! [`Crontab`]: an hour is left at an odd minute, a midnight that never was is taken for a run.
//! All of it is kept by [`Quirk::RepeatedHourForgotten`](crate::policy::Quirk::RepeatedHourForgotten), and this module goes with that quirk.
//! Away from clock changes both agree, and nothing is walked.

use crate::schedule::calendar::Calendar;
use crate::schedule::crontab::Crontab;
use crate::schedule::minute::{HOUR, Local, Minute};
use crate::schedule::window::Window;

/// On some skipped days the reference walks in circles for ever. No other walk takes so many steps.
const STEPS: usize = 10_000;

impl Crontab {
    /// Where the reference gets to from the minute `from`, for which the rule gives `otherwise`.
    pub(super) fn walk_forward(&self, window: Window, from: Minute, otherwise: Minute) -> Minute {
        let walk = Walk::new(window, from);
        if walk.is_plain(otherwise) { otherwise } else { self.forward(walk).unwrap_or(otherwise) }
    }

    /// Where the reference gets to back from the minute `until`, for which the rule gives `otherwise`.
    pub(super) fn walk_back(&self, window: Window, until: Minute, otherwise: Minute) -> Minute {
        let walk = Walk::new(window, until);
        if walk.is_plain(otherwise) { otherwise } else { self.back(walk).unwrap_or(otherwise) }
    }

    fn forward(&self, mut walk: Walk) -> Option<Minute> {
        let Calendar { minutes, hours, days, .. } = &self.calendar;
        while walk.steps < STEPS {
            if !days.contains(walk.at.date()?) {
                let tomorrow = walk.at.date()?.succ_opt()?;
                walk.jump(Local::midnight(days.next(tomorrow)?));
            } else if !hours.contains(walk.at.hour()) {
                walk.at = walk.at.plus(walk.at.minute().saturating_neg());
                while !hours.contains(walk.at.hour()) {
                    walk.step(HOUR);
                    if walk.at.hour() == 0 {
                        break;
                    }
                }
            } else if !minutes.contains(walk.at.minute()) {
                if let Some(only) = self.only_minute() {
                    walk.step(only.saturating_sub(walk.at.minute()).rem_euclid(HOUR));
                }
                while !minutes.contains(walk.at.minute()) {
                    walk.step(1);
                    if walk.at.minute() == 0 {
                        break;
                    }
                }
            } else {
                return Some(walk.minute());
            }
        }
        None
    }

    fn back(&self, mut walk: Walk) -> Option<Minute> {
        let Calendar { minutes, hours, days, .. } = &self.calendar;
        while walk.steps < STEPS {
            if !days.contains(walk.at.date()?) {
                let yesterday = walk.at.date()?.pred_opt()?;
                walk.jump(Local::last_of(days.previous(yesterday)?));
            } else if !hours.contains(walk.at.hour()) {
                walk.at = walk.at.plus(59_i64.saturating_sub(walk.at.minute()));
                while !hours.contains(walk.at.hour()) {
                    walk.step(-HOUR);
                    if walk.at.hour() == 23 {
                        break;
                    }
                }
            } else if !minutes.contains(walk.at.minute()) {
                if let Some(only) = self.only_minute() {
                    walk.step(walk.at.minute().saturating_sub(only).rem_euclid(HOUR).saturating_neg());
                }
                while !minutes.contains(walk.at.minute()) {
                    walk.step(-1);
                    if walk.at.minute() == 59 {
                        break;
                    }
                }
            } else {
                return Some(walk.minute());
            }
        }
        None
    }

    /// The minute of a job that has only one, to which the reference goes in a single step.
    fn only_minute(&self) -> Option<i64> {
        let mut minutes = self.calendar.minutes.iter();
        minutes.next().filter(|_| minutes.next().is_none()).map(i64::from)
    }
}

/// Somebody on the way along a wall clock.
#[derive(Clone, Copy, Debug)]
struct Walk {
    window: Window,
    at: Local,
    pass: Pass,
    steps: usize,
}

/// Which pass of a repeated time is meant; what Python calls the fold.
#[derive(Clone, Copy, Debug)]
enum Pass {
    First,
    Second,
}

impl Walk {
    fn new(window: Window, from: Minute) -> Self {
        let mut walk = Self { window, at: window.local(from), pass: Pass::First, steps: 0 };
        walk.arrive(from);
        walk
    }

    /// Whether no change of the clock lies on the way.
    fn is_plain(&self, goal: Minute) -> bool {
        self.window.change().is_none() && self.window.holds(self.window.local(goal))
    }

    /// Goes on in real time.
    fn step(&mut self, minutes: i64) {
        let minute = self.minute().plus(minutes);
        self.arrive(minute);
    }

    /// Goes to a local time, meaning its first pass.
    fn jump(&mut self, to: Local) {
        self.at = to;
        self.pass = Pass::First;
        self.steps = self.steps.saturating_add(1);
        self.window = self.window.holding(to);
    }

    fn arrive(&mut self, minute: Minute) {
        self.jump(self.window.local(minute));
        if self.window.change().is_some_and(|change| change.at <= minute && self.at <= change.last_before()) {
            self.pass = Pass::Second;
        }
    }

    /// When it is, as Python has it: a time that is skipped is read off a clock that nobody has set.
    fn minute(&self) -> Minute {
        let Some(change) = self.window.change() else { return self.at.at_offset(self.window.first_offset()) };
        let set_at = match self.pass {
            Pass::First => change.at.on_clock(change.before.max(change.after)),
            Pass::Second => change.at.on_clock(change.before.min(change.after)),
        };
        self.at.at_offset(if self.at < set_at { change.before } else { change.after })
    }
}
