//! The clocks of the machine: the only place where they are read.
#![expect(clippy::disallowed_methods, reason = "the library takes time as an argument; this is who gives it")]

use std::time::{Duration, Instant};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// The present time.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Returns the time left until this time, or zero if it is past.
pub fn until(at: DateTime<Utc>) -> Duration {
    (at - now()).to_std().unwrap_or_default()
}

/// The whole minute after this time.
pub fn next_minute(at: DateTime<Utc>) -> DateTime<Utc> {
    let minute = TimeDelta::minutes(1);
    at.duration_trunc(minute).unwrap_or(at) + minute
}

/// Measures a duration.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
