//! How long a run took.

use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::config::OutOfRange;

/// How long a run took, in whole milliseconds: 0 to 2³¹ − 1, which is almost 25 days.
///
/// Messages give seconds, rows keep milliseconds.
///
/// ```
/// use chrono::TimeDelta;
/// use overdue::row::RunDuration;
///
/// assert_eq!(RunDuration::new(1_500)?.duration(), TimeDelta::milliseconds(1_500));
/// assert!(RunDuration::try_from(TimeDelta::days(25)).is_err());
/// # Ok::<(), overdue::config::OutOfRange>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct RunDuration(u32);

impl RunDuration {
    /// The longest duration.
    pub const MAX: RunDuration = RunDuration(i32::MAX.unsigned_abs());

    const OUT_OF_RANGE: OutOfRange = OutOfRange { least: 0, most: Self::MAX.0 };

    /// Checks the bound.
    ///
    /// # Errors
    /// [`OutOfRange`] above [`RunDuration::MAX`].
    pub const fn new(count: u32) -> Result<Self, OutOfRange> {
        if count <= Self::MAX.0 { Ok(Self(count)) } else { Err(Self::OUT_OF_RANGE) }
    }

    /// The number of milliseconds.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// As a duration.
    pub fn duration(self) -> TimeDelta {
        // `TimeDelta::milliseconds` panics on values out of its range, which no `u32` is.
        TimeDelta::milliseconds(i64::from(self.0))
    }

    /// As seconds, the way messages give them.
    pub fn seconds(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl TryFrom<u32> for RunDuration {
    type Error = OutOfRange;

    fn try_from(count: u32) -> Result<Self, OutOfRange> {
        Self::new(count)
    }
}

impl TryFrom<TimeDelta> for RunDuration {
    type Error = OutOfRange;

    /// Truncates to the millisecond.
    fn try_from(time: TimeDelta) -> Result<Self, OutOfRange> {
        let count = u32::try_from(time.num_milliseconds()).map_err(|_| Self::OUT_OF_RANGE)?;
        Self::new(count)
    }
}

/// Truncates to the millisecond. A longer run becomes [`RunDuration::MAX`].
impl From<Duration> for RunDuration {
    fn from(duration: Duration) -> Self {
        let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        Self::new(millis).unwrap_or(Self::MAX)
    }
}

impl From<RunDuration> for u32 {
    fn from(millis: RunDuration) -> Self {
        millis.0
    }
}

impl fmt::Display for RunDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
