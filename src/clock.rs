//! Turns message streams into minutes: a minute is ticked once every partition has reached it.
//!
//! A run can be judged as missed only once every message that might announce it has been read. So ticks come
//! from the timestamps of the messages, not from a wall clock: a host that lags by an hour ticks an hour late
//! and reports no false misses. The slowest partition sets the pace.
//!
//! ```
//! use overdue::clock::{Clock, PartitionId, Tick};
//!
//! let (first, second) = (PartitionId::new(0), PartitionId::new(1));
//! let mut clock = Clock::new();
//! clock.register(first);
//! clock.register(second);
//!
//! // The second partition is silent, and holds the clock back.
//! assert!(clock.observe(first, "2024-09-02T10:05:12Z".parse()?).is_empty());
//! // Now the slowest has reached 10:02, and the clock starts there.
//! let ticks = clock.observe(second, "2024-09-02T10:02:40Z".parse()?);
//! assert_eq!(ticks.newest(), Some(Tick::at("2024-09-02T10:02:00Z".parse()?)));
//! // It catches up: each minute in between is ticked, in order.
//! let ticks = clock.observe(second, "2024-09-02T10:07:00Z".parse()?);
//! let minutes: Vec<String> = ticks.map(|tick| tick.to_string()).collect();
//! assert_eq!(minutes, ["2024-09-02T10:03:00Z", "2024-09-02T10:04:00Z", "2024-09-02T10:05:00Z"]);
//! # Ok::<(), chrono::ParseError>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::iter::FusedIterator;
use std::ops::Range;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

const SECONDS_PER_MINUTE: i64 = 60;

/// One partition of a message stream, by a number that the host assigns.
///
/// ```
/// use overdue::clock::PartitionId;
///
/// assert_eq!(PartitionId::new(3).get(), 3);
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct PartitionId(u64);

impl PartitionId {
    /// The partition with this number.
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// "The stream has reached this minute": a whole minute, of any date that chrono can hold.
///
/// ```
/// use overdue::clock::Tick;
///
/// let tick = Tick::at("2024-09-02T10:02:59.999Z".parse()?);
/// assert_eq!(tick.to_string(), "2024-09-02T10:02:00Z");
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(from = "DateTime<Utc>", into = "DateTime<Utc>")]
pub struct Tick {
    /// A whole minute.
    start: DateTime<Utc>,
}

impl Tick {
    /// Returns the minute that contains this time.
    pub const fn at(time: DateTime<Utc>) -> Self {
        Self::of_minute(time.timestamp().div_euclid(SECONDS_PER_MINUTE))
    }

    /// Returns the tick of a minute counted from 1970. The minute must be one that chrono can hold.
    const fn of_minute(minute: i64) -> Self {
        match DateTime::from_timestamp(minute.saturating_mul(SECONDS_PER_MINUTE), 0) {
            Some(start) => Self { start },
            // Unreachable: the first date that chrono can hold begins a minute.
            None => Self { start: DateTime::<Utc>::MIN_UTC },
        }
    }

    /// The minute, counted from 1970.
    const fn minute(self) -> i64 {
        self.start.timestamp().div_euclid(SECONDS_PER_MINUTE)
    }

    /// Returns the instant at which the minute begins.
    pub const fn time(self) -> DateTime<Utc> {
        self.start
    }

    /// Returns the next minute, or `None` after the last that chrono can hold.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.start.checked_add_signed(TimeDelta::minutes(1)).map(|start| Self { start })
    }
}

impl From<DateTime<Utc>> for Tick {
    fn from(time: DateTime<Utc>) -> Self {
        Self::at(time)
    }
}

impl From<Tick> for DateTime<Utc> {
    fn from(tick: Tick) -> Self {
        tick.time()
    }
}

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.time().to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

/// Minutes newly reached, oldest first. The iterator counts rather than stores them, so a jump of ten years
/// costs nothing until it is iterated.
///
/// Missed runs and timeouts catch up on their own (I8), so it is enough to handle the
/// [newest](Ticks::newest). A host that needs every minute, such as for volumes, iterates.
///
/// ```
/// use overdue::clock::{Clock, PartitionId};
///
/// let mut clock = Clock::new();
/// let partition = PartitionId::new(0);
/// let _ = clock.observe(partition, "2014-09-02T10:00:00Z".parse()?);
/// let ticks = clock.observe(partition, "2024-09-02T10:00:00Z".parse()?);
/// assert_eq!(ticks.len(), 3653 * 24 * 60);
/// assert_eq!(ticks.newest().map(|tick| tick.to_string()).as_deref(), Some("2024-09-02T10:00:00Z"));
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a minute is ticked once: dropped here, it never comes again"]
pub struct Ticks {
    minutes: Range<i64>,
}

impl Ticks {
    const NONE: Ticks = Ticks { minutes: 0..0 };

    /// Returns the minutes from `first` to `last`, inclusive.
    fn spanning(first: Tick, last: Tick) -> Self {
        Self { minutes: first.minute()..last.minute().saturating_add(1) }
    }

    /// The oldest minute left.
    pub fn first(&self) -> Option<Tick> {
        self.minutes.clone().next().map(Tick::of_minute)
    }

    /// The newest minute left.
    pub fn newest(&self) -> Option<Tick> {
        self.minutes.clone().next_back().map(Tick::of_minute)
    }

    /// How many minutes are left. (More than a `usize` can hold on small machines.)
    pub const fn len(&self) -> u64 {
        // The range never runs backwards, so the distance is its length.
        self.minutes.end.abs_diff(self.minutes.start)
    }

    /// Whether no minute is left.
    pub fn is_empty(&self) -> bool {
        self.minutes.is_empty()
    }
}

impl Iterator for Ticks {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        self.minutes.next().map(Tick::of_minute)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.minutes.size_hint()
    }

    // The ranges of the standard library jump where the default methods would step.

    fn nth(&mut self, n: usize) -> Option<Tick> {
        self.minutes.nth(n).map(Tick::of_minute)
    }

    fn last(self) -> Option<Tick> {
        self.newest()
    }
}

impl DoubleEndedIterator for Ticks {
    fn next_back(&mut self) -> Option<Tick> {
        self.minutes.next_back().map(Tick::of_minute)
    }
}

impl FusedIterator for Ticks {}

/// Turns the message timestamps of many partitions into [`Ticks`].
///
/// * The slowest registered partition sets the pace. A registered partition without messages holds the clock
///   back, so a worker registers all of its partitions before it reads the first message.
/// * The clock starts once every registered partition has had a message. The first tick is the minute that
///   the slowest has reached. (As in the reference system, a tick means that the minute was *reached*.)
/// * From then on, each minute is ticked once and in order; minutes without messages are filled in.
/// * Timestamps that go back, on one partition or from a late partition, change nothing: the clock never goes
///   back (I8).
///
/// The state is plain data, serialisable as a whole. Save it once the ticks of an observation are handled:
/// after a crash the same messages then produce the same ticks again. Repeating a tick is harmless.
///
/// ```
/// use overdue::clock::{Clock, PartitionId};
///
/// let mut clock = Clock::new();
/// let ticks = clock.observe(PartitionId::new(0), "2024-09-02T10:02:40Z".parse()?);
/// for tick in ticks {
///     println!("{tick}"); // hand it to `Engine::tick`
/// }
/// let saved = serde_json::to_string(&clock)?;
/// assert_eq!(serde_json::from_str::<Clock>(&saved)?, clock);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Clock {
    /// The latest minute seen on each registered partition; `None` if there was no message yet.
    partitions: BTreeMap<PartitionId, Option<Tick>>,
    /// The last minute ticked.
    reached: Option<Tick>,
}

impl Clock {
    /// A clock without partitions, not started.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for this partition from now on. Does nothing if it is registered already.
    pub fn register(&mut self, partition: PartitionId) {
        self.partitions.entry(partition).or_default();
    }

    /// Stops waiting for this partition. Returns the minutes that it alone had held back.
    ///
    /// If no partition is left, the clock stops. It resumes with the next message of any partition.
    ///
    /// ```
    /// use overdue::clock::{Clock, PartitionId};
    ///
    /// let (first, second) = (PartitionId::new(0), PartitionId::new(1));
    /// let mut clock = Clock::new();
    /// clock.register(second);
    /// assert!(clock.observe(first, "2024-09-02T10:02:40Z".parse()?).is_empty());
    /// assert_eq!(clock.slowest(), Some(second));
    /// assert_eq!(clock.deregister(second).len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn deregister(&mut self, partition: PartitionId) -> Ticks {
        match self.partitions.remove(&partition) {
            Some(_) => self.advance(),
            None => Ticks::NONE,
        }
    }

    /// Records the timestamp of a message on this partition. Returns the minutes that are now reached.
    ///
    /// The first message of an unregistered partition registers it. If that partition lags behind, the clock
    /// waits until it has caught up.
    pub fn observe(&mut self, partition: PartitionId, time: DateTime<Utc>) -> Ticks {
        let seen = self.partitions.entry(partition).or_default();
        let minute = Some(Tick::at(time));
        if *seen >= minute {
            return Ticks::NONE;
        }
        *seen = minute;
        self.advance()
    }

    /// The last minute ticked, if the clock has started.
    ///
    /// ```
    /// use overdue::clock::{Clock, PartitionId, Tick};
    ///
    /// let mut clock = Clock::new();
    /// assert_eq!(clock.reached(), None);
    /// let time = "2024-09-02T10:00:30Z".parse()?;
    /// let _ = clock.observe(PartitionId::new(0), time);
    /// assert_eq!(clock.reached(), Some(Tick::at(time)));
    /// # Ok::<(), chrono::ParseError>(())
    /// ```
    pub const fn reached(&self) -> Option<Tick> {
        self.reached
    }

    /// Returns the partition that the clock waits for: a silent one, or else the one furthest behind. Returns
    /// `None` if there are no partitions. It answers the question why nothing ticks.
    pub fn slowest(&self) -> Option<PartitionId> {
        self.partitions.iter().min_by_key(|(_, seen)| **seen).map(|(partition, _)| *partition)
    }

    /// Moves to the minute of the slowest partition, if that is later.
    fn advance(&mut self) -> Ticks {
        // A silent partition sorts first, and gives no minute to move to.
        let Some(slowest) = self.partitions.values().min().copied().flatten() else { return Ticks::NONE };
        let first = match self.reached {
            None => slowest,
            Some(reached) => match reached.next() {
                Some(next) if next <= slowest => next,
                _ => return Ticks::NONE,
            },
        };
        self.reached = Some(slowest);
        Ticks::spanning(first, slowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn ticks_hold_the_first_and_the_last_minute_of_all() {
        let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert_eq!(Tick::at(first).time(), first);
        assert!(
            Tick::at(last).time() <= last && last - Tick::at(last).time() < chrono::TimeDelta::minutes(1)
        );
        assert_eq!(Tick::at(last).next(), None);

        let mut clock = Clock::new();
        let partition = PartitionId::new(0);
        assert_eq!(clock.observe(partition, first).len(), 1);
        let ticks = clock.observe(partition, last);
        assert_eq!(ticks.newest(), Some(Tick::at(last)));
        assert_eq!(ticks.first(), Tick::at(first).next());
        assert_eq!(ticks.clone().last(), ticks.newest(), "the default method would walk for minutes");
        assert!(clock.observe(partition, last).is_empty());
    }

    #[test]
    fn a_time_before_1970_belongs_to_the_minute_it_lies_in() {
        assert_eq!(Tick::at(time("1969-12-31T23:59:59Z")).time(), time("1969-12-31T23:59:00Z"));
    }

    #[test]
    fn ticks_are_stored_as_times_and_cut_when_read() {
        let tick = Tick::at(time("2024-09-02T10:02:00Z"));
        assert_eq!(serde_json::to_string(&tick).unwrap(), r#""2024-09-02T10:02:00Z""#);
        assert_eq!(serde_json::from_str::<Tick>(r#""2024-09-02T10:02:31Z""#).unwrap(), tick);
        for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC].map(Tick::at) {
            let text = serde_json::to_string(&end).unwrap();
            assert_eq!(serde_json::from_str::<Tick>(&text).unwrap(), end);
        }
    }
}
