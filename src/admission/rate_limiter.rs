//! A limit of check-ins a minute for each key, so that one runaway job does not drown the rest.
//!
//! The window is the minute of the *message*, not of its processing. A backlog of an hour was sent over an
//! hour, and is admitted; a flood sent within one minute is limited however late it is read.
//!
//! ```
//! use std::num::NonZeroU32;
//!
//! use overdue::admission::{RateLimiter, RateVerdict};
//!
//! let limiter = RateLimiter::new(NonZeroU32::MIN);
//! let key = ("my-project", "my-job", "production");
//! assert_eq!(limiter.admit(key, "2024-09-02T10:00:01Z".parse()?), RateVerdict::Admitted);
//! assert_eq!(
//!     limiter.admit(key, "2024-09-02T10:00:59Z".parse()?),
//!     RateVerdict::Limited { limit: NonZeroU32::MIN, retry_at: "2024-09-02T10:01:00Z".parse()? },
//! );
//! assert_eq!(limiter.admit(key, "2024-09-02T10:01:00Z".parse()?), RateVerdict::Admitted);
//! # Ok::<(), chrono::ParseError>(())
//! ```

use std::collections::HashMap;
use std::hash::Hash;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::clock::Tick;

/// The limiter's answer for one check-in.
///
/// ```
/// use overdue::admission::{RateLimiter, RateVerdict};
///
/// let limiter = RateLimiter::default();
/// let effect = limiter.admit("nightly", "2024-09-02T10:00:01Z".parse()?);
/// assert_eq!(effect, RateVerdict::Admitted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[must_use = "a check-in that is limited is to be rejected"]
#[expect(clippy::exhaustive_enums, reason = "in or out: there is no third")]
pub enum RateVerdict {
    /// Within the limit.
    Admitted,
    /// The limit of this minute is reached for this key.
    Limited {
        /// The limit of check-ins a minute.
        limit: NonZeroU32,
        /// When the next minute begins, by the clock of the message's timestamp.
        retry_at: DateTime<Utc>,
    },
}

/// A fixed-window rate limiter: `limit` check-ins a minute for each key, by the minute of the message.
///
/// The default limit is that of the reference system, 6 a minute. The caller chooses the key; the engine uses
/// project, slug and environment. Every check-in that is asked about counts, even if it is rejected later for
/// another reason.
///
/// ```
/// use overdue::admission::{RateLimiter, RateVerdict};
///
/// let limiter = RateLimiter::default();
/// let at = "2024-09-02T10:00:01Z".parse()?;
/// let admitted = (0..10).filter(|_| limiter.admit("nightly", at) == RateVerdict::Admitted).count();
/// assert_eq!(admitted, 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What it remembers
/// At most [`WINDOWS`](Self::WINDOWS) minutes, and at most [`capacity`](Self::with_capacity) counters in all
/// of them together. The minute that was not used for the longest time is forgotten first, whatever its age.
/// So partitions that lag by hours, or a backlog, are limited within their own minutes while others read the
/// present. A forgotten minute starts again at zero if another message of it arrives.
///
/// If one minute alone fills the capacity, keys already counted in it stay limited, and further keys are
/// admitted uncounted. Under a flood of made-up keys the limiter then admits honest ones rather than reject
/// them, and needs no more memory.
#[derive(Debug)]
pub struct RateLimiter<K> {
    limit: NonZeroU32,
    capacity: usize,
    windows: Mutex<Windows<K>>,
}

impl<K: Eq + Hash> RateLimiter<K> {
    /// The most minutes that are remembered.
    ///
    /// One for each partition with a different lag is enough. A minute takes memory only for the keys seen in
    /// it.
    pub const WINDOWS: usize = 16;

    const DEFAULT_LIMIT: NonZeroU32 = NonZeroU32::MIN.saturating_add(5);
    const DEFAULT_CAPACITY: usize = 1 << 20;

    /// Admits `limit` check-ins a minute for each key, and remembers a million counters (2^20).
    pub fn new(limit: NonZeroU32) -> Self {
        Self { limit, capacity: Self::DEFAULT_CAPACITY, windows: Mutex::new(Windows(Vec::new())) }
    }

    /// Sets the most counters that are remembered: the number of keys that may be active within
    /// [`WINDOWS`](Self::WINDOWS) minutes.
    ///
    /// ```
    /// use std::num::{NonZeroU32, NonZeroUsize};
    ///
    /// use overdue::admission::RateLimiter;
    ///
    /// let small = NonZeroUsize::new(1_000).ok_or("zero")?;
    /// let limiter = RateLimiter::<u64>::new(NonZeroU32::MIN).with_capacity(small);
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn with_capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity.get();
        self
    }

    /// Counts one check-in received at `at`. Returns whether it is within the limit.
    pub fn admit(&self, key: K, at: DateTime<Utc>) -> RateVerdict {
        let minute = Tick::at(at);
        // Nothing below can leave the counters half-changed, so a poisoned lock is safe to use.
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.count(key, minute, self.capacity, Self::WINDOWS) <= self.limit.get() {
            return RateVerdict::Admitted;
        }
        let retry_at = minute.next().map_or(DateTime::<Utc>::MAX_UTC, Tick::time);
        RateVerdict::Limited { limit: self.limit, retry_at }
    }

    /// How many counters are held now, for metrics. Never more than the capacity.
    pub fn counters(&self) -> usize {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner).counters()
    }
}

impl<K: Eq + Hash> Default for RateLimiter<K> {
    fn default() -> Self {
        Self::new(Self::DEFAULT_LIMIT)
    }
}

/// The remembered minutes, the one used last at the end. They are few, so a linear search is fast.
#[derive(Debug)]
struct Windows<K>(Vec<Window<K>>);

#[derive(Debug)]
struct Window<K> {
    minute: Tick,
    counts: HashMap<K, u32>,
}

impl<K: Eq + Hash> Windows<K> {
    /// Counts one more and returns the count. Returns 1 for a key that finds no room.
    fn count(&mut self, key: K, minute: Tick, capacity: usize, windows: usize) -> u32 {
        let mut window = match self.0.iter().rposition(|window| window.minute == minute) {
            Some(index) => self.0.remove(index),
            None => Window { minute, counts: HashMap::new() },
        };
        // With the window taken out, the first is the least recently used.
        let crowded = self.0.len() >= windows;
        let full = !window.counts.contains_key(&key)
            && self.counters().saturating_add(window.counts.len()) >= capacity;
        if (crowded || full) && !self.0.is_empty() {
            self.0.remove(0);
        }
        let count = if window.counts.len() < capacity || window.counts.contains_key(&key) {
            let count = window.counts.entry(key).or_default();
            *count = count.saturating_add(1);
            *count
        } else {
            1
        };
        self.0.push(window);
        count
    }

    fn counters(&self) -> usize {
        self.0.iter().map(|window| window.counts.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poisoned_lock_is_no_reason_to_panic() {
        let limiter = RateLimiter::<u8>::new(NonZeroU32::MIN);
        let at = DateTime::<Utc>::UNIX_EPOCH;
        assert_eq!(limiter.admit(1, at), RateVerdict::Admitted);
        std::thread::scope(|scope| {
            let poison = scope.spawn(|| {
                let _held = limiter.windows.lock();
                panic!("with the lock held");
            });
            assert!(poison.join().is_err());
        });
        assert!(limiter.windows.is_poisoned());
        assert!(matches!(limiter.admit(1, at), RateVerdict::Limited { .. }));
    }

    #[test]
    fn the_default_is_six_a_minute() {
        assert_eq!(RateLimiter::<u8>::default().limit.get(), 6);
    }
}
