//! What a crontab remembers: the pause between two runs that it found last.
//!
//! Most questions are asked again and again within one pause, by the many check-ins and the one tick between
//! two runs; they are answered from here, and the calendar is searched once.
//!
//! # Why memory does not make a schedule impure
//!
//! A pause is a fact about a crontab in a zone, and neither of them ever changes. What is remembered is what
//! the search would find, so that no answer tells whether it was remembered, what was asked before, or by
//! which thread: the same question always has the same answer (I3). A pause is a single word, so that no
//! thread reads halves of two. Since each is true by itself, it does not matter whose is kept, nor when
//! another thread gets to see it, and no ordering is asked of the atomic.

use std::sync::atomic::{AtomicU64, Ordering};

use super::minute::Minute;

/// The pause that was found last; at first none.
#[derive(Debug, Default)]
pub(super) struct LastPause(AtomicU64);

/// Two minutes between which a crontab does not run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Pause {
    start: End,
    end: End,
}

/// One end of a pause.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct End {
    minute: Minute,
    /// Whether the crontab is known to run then. It may do so all the same.
    runs: bool,
}

impl LastPause {
    /// The first run after a minute, searched for if need be.
    pub(super) fn next(&self, after: Minute, search: impl FnOnce() -> Option<Minute>) -> Option<Minute> {
        let known = self.get();
        if known.contains(after) && known.end.runs {
            return Some(known.end.minute);
        }
        let next = search()?;
        let start = End { minute: after, runs: known.runs_at(after) };
        self.set(Pause { start, end: End { minute: next, runs: true } });
        Some(next)
    }

    /// The last run up to a minute, searched for if need be.
    pub(super) fn previous(&self, until: Minute, search: impl FnOnce() -> Option<Minute>) -> Option<Minute> {
        let known = self.get();
        if known.contains(until) && known.start.runs {
            return Some(known.start.minute);
        }
        let previous = search()?;
        let start = End { minute: previous, runs: true };
        self.set(Pause { start, end: End { minute: until.plus(1), runs: false } });
        Some(previous)
    }

    /// Whether the pause ends with a run at this minute.
    pub(super) fn ends_at(&self, minute: Minute) -> bool {
        self.get().end == End { minute, runs: true }
    }

    fn get(&self) -> Pause {
        Pause::unpack(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, pause: Pause) {
        if let Some(word) = pause.pack() {
            self.0.store(word, Ordering::Relaxed);
        }
    }
}

impl Pause {
    /// Whether a minute is the start of the pause, or lies within.
    fn contains(self, minute: Minute) -> bool {
        self.start.minute <= minute && minute < self.end.minute
    }

    /// Whether the crontab is known to run then.
    fn runs_at(self, minute: Minute) -> bool {
        [self.start, self.end].contains(&End { minute, runs: true })
    }

    /// The pause as a word, the start in its upper half. Zero contains nothing.
    ///
    /// `None` unless it lies between 1970 and 6053; crontabs end with 2100.
    fn pack(self) -> Option<u64> {
        Some(u64::from(self.start.pack()?) << 32 | u64::from(self.end.pack()?))
    }

    const fn unpack(word: u64) -> Self {
        Self { start: End::unpack((word >> 32) as u32), end: End::unpack(word as u32) }
    }
}

impl End {
    fn pack(self) -> Option<u32> {
        let minute = u32::try_from(self.minute.since(Minute::EPOCH)).ok()?;
        minute.checked_mul(2)?.checked_add(self.runs.into())
    }

    const fn unpack(half: u32) -> Self {
        Self { minute: Minute::EPOCH.plus((half >> 1) as i64), runs: half & 1 == 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: i64) -> Minute {
        Minute::EPOCH.plus(minute)
    }

    fn unasked() -> Option<Minute> {
        panic!("it was known")
    }

    #[test]
    fn a_pause_answers_for_its_start_and_all_within() {
        let last = LastPause::default();
        assert_eq!(last.next(minute(0), || Some(minute(9))), Some(minute(9)), "nothing is known at first");
        for within in 0..9 {
            assert_eq!(last.next(minute(within), unasked), Some(minute(9)));
        }
        assert_eq!(last.next(minute(9), || Some(minute(20))), Some(minute(20)));
        // It is known that 9 is a run, for it ended the first pause.
        for within in 9..20 {
            assert_eq!(last.previous(minute(within), unasked), Some(minute(9)));
        }
        assert_eq!(last.previous(minute(20), || Some(minute(20))), Some(minute(20)));
        assert_eq!(last.next(minute(20), || Some(minute(31))), Some(minute(31)));
        assert_eq!(last.previous(minute(30), unasked), Some(minute(20)));
    }

    #[test]
    fn a_start_that_may_not_be_a_run_is_no_answer() {
        let last = LastPause::default();
        last.next(minute(5), || Some(minute(9)));
        assert_eq!(last.previous(minute(7), || Some(minute(2))), Some(minute(2)));
        assert_eq!(last.next(minute(2), || Some(minute(9))), Some(minute(9)), "8 may not be a run either");
    }

    #[test]
    fn what_does_not_fit_is_not_remembered() {
        for end in [-1, i64::from(u32::MAX >> 1) + 1, i64::MAX] {
            let last = LastPause::default();
            last.next(minute(-5), || Some(minute(end)));
            last.next(minute(0), || Some(minute(end)));
            assert_eq!(last.get(), LastPause::default().get());
        }
        let whole = Pause {
            start: End { minute: minute(0), runs: true },
            end: End { minute: minute(i64::from(u32::MAX >> 1)), runs: true },
        };
        assert_eq!(whole.pack().map(Pause::unpack), Some(whole));
    }
}
