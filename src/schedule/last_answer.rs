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

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Timelike, Utc};

use super::minute::Minute;

/// The pause that was found last; at first none.
#[derive(Debug, Default)]
pub(super) struct LastAnswer(AtomicU64);

/// Two minutes between which a crontab does not run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Between {
    start: Bound,
    end: Bound,
}

/// One end of a pause.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Bound {
    mark: PackedMinute,
    /// Whether the crontab is known to run then. It may do so all the same.
    runs: bool,
}

/// A minute of the years from 1970 to 4017 in UTC: its year, its day in that, and its minute in that, so that
/// to come from a date and back to one takes no arithmetic of calendars.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct PackedMinute(u32);

impl LastAnswer {
    /// The first run after a minute, searched for if need be.
    ///
    /// `after` is borrowed: to copy a date that was written just now costs as much as the rest.
    pub(super) fn next(
        &self,
        after: &DateTime<Utc>,
        search: impl FnOnce() -> Option<Minute>,
    ) -> Option<DateTime<Utc>> {
        let (known, after) = (self.get(), PackedMinute::of(after));
        if known.end.runs && after.is_some_and(|after| known.contains(after)) {
            return known.end.mark.instant();
        }
        let next = search()?.instant()?;
        if let (Some(after), Some(next)) = (after, PackedMinute::of(&next)) {
            let start = Bound { mark: after, runs: known.runs_at(after) };
            self.set(Between { start, end: Bound { mark: next, runs: true } });
        }
        Some(next)
    }

    /// The last run up to a minute, searched for if need be.
    pub(super) fn previous(
        &self,
        until: Minute,
        search: impl FnOnce() -> Option<Minute>,
    ) -> Option<DateTime<Utc>> {
        let mark = |minute: Minute| minute.instant().as_ref().and_then(PackedMinute::of);
        let known = self.get();
        if known.start.runs && mark(until).is_some_and(|until| known.contains(until)) {
            return known.start.mark.instant();
        }
        let previous = search()?;
        if let (Some(start), Some(end)) = (mark(previous), mark(until.plus(1))) {
            self.set(Between {
                start: Bound { mark: start, runs: true },
                end: Bound { mark: end, runs: false },
            });
        }
        previous.instant()
    }

    /// Whether the pause ends with a run at this minute.
    pub(super) fn ends_at(&self, start: &DateTime<Utc>) -> bool {
        PackedMinute::of(start).is_some_and(|mark| self.get().end == Bound { mark, runs: true })
    }

    fn get(&self) -> Between {
        Between::unpack(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, pause: Between) {
        self.0.store(pause.pack(), Ordering::Relaxed);
    }
}

impl Between {
    /// Whether a minute is the start of the pause, or lies within.
    fn contains(self, minute: PackedMinute) -> bool {
        self.start.mark <= minute && minute < self.end.mark
    }

    /// Whether the crontab is known to run then.
    fn runs_at(self, mark: PackedMinute) -> bool {
        [self.start, self.end].contains(&Bound { mark, runs: true })
    }

    /// The pause as a word, the start in its upper half. Zero contains nothing.
    fn pack(self) -> u64 {
        u64::from(self.start.pack()) << 32 | u64::from(self.end.pack())
    }

    const fn unpack(word: u64) -> Self {
        Self { start: Bound::unpack((word >> 32) as u32), end: Bound::unpack(word as u32) }
    }
}

impl Bound {
    fn pack(self) -> u32 {
        self.mark.0 << 1 | u32::from(self.runs)
    }

    const fn unpack(half: u32) -> Self {
        Self { mark: PackedMinute(half >> 1), runs: half & 1 == 1 }
    }
}

impl PackedMinute {
    const FIRST_YEAR: i32 = 1970;

    fn of(at: &DateTime<Utc>) -> Option<Self> {
        let (date, time) = (at.naive_utc().date(), at.naive_utc().time());
        let year = u32::try_from(date.year().checked_sub(Self::FIRST_YEAR)?).ok()?;
        let minute = time.num_seconds_from_midnight().div_euclid(60);
        (year < 1 << 11).then_some(Self(year << 20 | date.ordinal() << 11 | minute))
    }

    fn instant(self) -> Option<DateTime<Utc>> {
        let year = i32::try_from(self.0 >> 20).ok()?.checked_add(Self::FIRST_YEAR)?;
        let date = NaiveDate::from_yo_opt(year, self.0 >> 11 & 0x1ff)?;
        let minute = self.0 & 0x7ff;
        let time = NaiveTime::from_num_seconds_from_midnight_opt(minute.checked_mul(60)?, 0)?;
        Some(date.and_time(time).and_utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: i64) -> Minute {
        Minute::of(DateTime::UNIX_EPOCH).plus(minute)
    }

    fn at(after: i64) -> DateTime<Utc> {
        minute(after).instant().unwrap()
    }

    fn unasked() -> Option<Minute> {
        panic!("it was known")
    }

    #[test]
    fn a_pause_answers_for_its_start_and_all_within() {
        let last = LastAnswer::default();
        assert_eq!(last.next(&at(0), || Some(minute(9))), Some(at(9)), "nothing is known at first");
        for within in 0..9 {
            assert_eq!(last.next(&at(within), unasked), Some(at(9)));
        }
        assert_eq!(last.next(&at(9), || Some(minute(20))), Some(at(20)));
        // It is known that 9 is a run, for it ended the first pause.
        for within in 9..20 {
            assert_eq!(last.previous(minute(within), unasked), Some(at(9)));
        }
        assert_eq!(last.previous(minute(20), || Some(minute(20))), Some(at(20)));
        assert_eq!(last.next(&at(20), || Some(minute(31))), Some(at(31)));
        assert_eq!(last.previous(minute(30), unasked), Some(at(20)));
    }

    #[test]
    fn a_pause_ends_at_the_run_after_it_alone() {
        let last = LastAnswer::default();
        last.previous(minute(5), || Some(minute(2)));
        assert!(!last.ends_at(&at(6)), "nobody has looked for the run after 5");
        last.next(&at(5), || Some(minute(9)));
        assert_eq!([8, 9, 10].map(|minute| last.ends_at(&at(minute))), [false, true, false]);
    }

    #[test]
    fn a_start_that_may_not_be_a_run_is_no_answer() {
        let last = LastAnswer::default();
        last.next(&at(5), || Some(minute(9)));
        assert_eq!(last.previous(minute(7), || Some(minute(2))), Some(at(2)));
        assert_eq!(last.next(&at(2), || Some(minute(9))), Some(at(9)), "8 may not be a run either");
    }

    #[test]
    fn what_does_not_fit_is_not_remembered() {
        let end_of_4017 = Minute::of("4017-12-31T23:59:59Z".parse().unwrap());
        for (start, end) in [(minute(-1), minute(9)), (minute(9), end_of_4017.plus(1))] {
            let last = LastAnswer::default();
            assert_eq!(last.next(&start.instant().unwrap(), || Some(end)), end.instant());
            assert_eq!(last.previous(end.plus(-1), || Some(start)), start.instant());
            assert_eq!(last.get(), LastAnswer::default().get());
        }
        let last = LastAnswer::default();
        last.next(&at(0), || Some(end_of_4017));
        assert_eq!(last.next(&at(1), unasked), end_of_4017.instant());
    }

    #[test]
    fn marks_are_in_order_and_lead_back() {
        let days = (0..740_000).step_by(97).map(|day| at(day * 1_440 + day % 1_440));
        let marks: Vec<_> = days.map(|at| (at, PackedMinute::of(&at).unwrap())).collect();
        assert!(marks.is_sorted_by(|(_, earlier), (_, later)| earlier < later));
        for (at, mark) in marks {
            assert_eq!(mark.instant(), Some(at));
        }
    }
}
