//! The rate limiter: the recorded behaviour, its bound on memory, and a model that forgets nothing.

#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test panics to fail")]

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroUsize};

use chrono::{DateTime, Utc};
use overdue::admission::{RateLimiter, RateVerdict};
use proptest::prelude::*;

fn limit(limit: u32) -> NonZeroU32 {
    NonZeroU32::new(limit).unwrap()
}

fn capacity(capacity: usize) -> NonZeroUsize {
    NonZeroUsize::new(capacity).unwrap()
}

fn at(minute: i64, second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_725_271_200 + minute * 60 + second, 0).unwrap()
}

fn admits<K: Eq + std::hash::Hash>(limiter: &RateLimiter<K>, key: K, at: DateTime<Utc>) -> bool {
    limiter.admit(key, at) == RateVerdict::Admitted
}

/// The recorded scenario `rate-limit-per-minute`.
#[test]
fn the_seventh_of_a_minute_is_limited() {
    let limiter = RateLimiter::default();
    for second in 1..=6 {
        assert!(admits(&limiter, "production", at(0, second)));
    }
    let limited = RateVerdict::Limited { limit: limit(6), retry_at: at(1, 0) };
    assert_eq!(limiter.admit("production", at(0, 7)), limited);
    assert!(admits(&limiter, "dev", at(0, 30)), "another key");
    assert_eq!(limiter.admit("production", at(0, 40)), limited);
    assert!(admits(&limiter, "production", at(1, 0)), "the next minute");
}

/// The recorded scenario `rate-limit-uses-received-minute`.
#[test]
fn late_messages_count_in_their_own_minute() {
    let limiter = RateLimiter::new(limit(1));
    assert!(admits(&limiter, "job", at(5, 1)));
    assert!(admits(&limiter, "job", at(4, 1)));
    assert!(!admits(&limiter, "job", at(4, 59)));
    assert!(!admits(&limiter, "job", at(5, 59)));
}

#[test]
fn a_backlog_is_limited_within_its_minutes_while_the_present_goes_on() {
    let limiter = RateLimiter::new(limit(2));
    for minute in 0..600 {
        let [backlog, present] = [minute, 100_000 + minute];
        let admitted = [backlog, present, present, backlog, backlog, present]
            .map(|minute| admits(&limiter, "job", at(minute, 0)));
        assert_eq!(admitted, [true, true, true, true, false, false], "minute {minute}");
    }
}

#[test]
fn the_minute_longest_unused_is_forgotten_first() {
    let windows = i64::try_from(RateLimiter::<u8>::WINDOWS).unwrap();
    let limiter = RateLimiter::new(limit(1));
    for minute in 0..windows {
        assert!(admits(&limiter, 0_u8, at(minute, 0)));
    }
    assert!(!admits(&limiter, 0, at(0, 1)), "minute 0 is remembered, and now the one used last");
    assert!(admits(&limiter, 0, at(windows, 0)), "pushes out minute 1");
    assert!(!admits(&limiter, 0, at(0, 2)));
    assert!(admits(&limiter, 0, at(1, 1)), "minute 1 starts again");
    assert_eq!(limiter.counters(), RateLimiter::<u8>::WINDOWS);
}

#[test]
fn a_flood_of_keys_in_one_minute_takes_no_more_memory_and_frees_nobody() {
    let limiter = RateLimiter::new(limit(1)).with_capacity(capacity(100));
    assert!(admits(&limiter, 0, at(0, 0)));
    for key in 1..10_000 {
        assert!(admits(&limiter, key, at(0, 1)));
        assert!(limiter.counters() <= 100);
    }
    assert!(!admits(&limiter, 0, at(0, 2)), "counted before the flood, and limited still");
    assert!(admits(&limiter, 9_999, at(0, 2)), "no room to count it");
}

#[test]
fn the_end_of_time_has_an_answer() {
    let limiter = RateLimiter::new(limit(1));
    let end = DateTime::<Utc>::MAX_UTC;
    assert!(admits(&limiter, (), end));
    assert_eq!(limiter.admit((), end), RateVerdict::Limited { limit: limit(1), retry_at: end });
    assert!(admits(&limiter, (), DateTime::<Utc>::MIN_UTC));
}

#[test]
fn threads_share_one_limit() {
    let limiter = RateLimiter::new(limit(50));
    let work = || (0..100).filter(|_| admits(&limiter, "job", at(0, 0))).count();
    let admitted: usize = std::thread::scope(|scope| {
        let workers = [(); 4].map(|()| scope.spawn(work));
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(admitted, 50);
}

proptest! {
    /// With few minutes and keys nothing is forgotten, and the limiter is a table of counts.
    #[test]
    fn while_nothing_is_forgotten_it_is_a_table_of_counts(
        most in 1..4_u32,
        checkins in proptest::collection::vec((0..3_u8, 0..16_i64, 0..60_i64), 0..200),
    ) {
        let limiter = RateLimiter::new(limit(most));
        let mut counts = HashMap::<(u8, i64), u32>::new();
        for (key, minute, second) in checkins {
            let count = counts.entry((key, minute)).or_default();
            *count += 1;
            prop_assert_eq!(admits(&limiter, key, at(minute, second)), *count <= most);
        }
        prop_assert_eq!(limiter.counters(), counts.len());
    }

    /// For any input, the memory stays within its bounds, and no check-in is limited too early.
    #[test]
    fn memory_is_bounded_and_nobody_is_refused_early(
        most in 1..4_u32,
        room in 1..20_usize,
        checkins in proptest::collection::vec((0..12_u8, 0..40_i64), 0..400),
    ) {
        let limiter = RateLimiter::new(limit(most)).with_capacity(capacity(room));
        let mut counts = HashMap::<(u8, i64), u32>::new();
        for (key, minute) in checkins {
            let count = counts.entry((key, minute)).or_default();
            *count += 1;
            prop_assert!(admits(&limiter, key, at(minute, 0)) || *count > most);
            prop_assert!(limiter.counters() <= room);
        }
    }
}
