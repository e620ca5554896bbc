//! Settings that are numbers, each within its bounds.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// A number outside the bounds of its type.
///
/// ```
/// use overdue::config::{OutOfRange, Threshold};
///
/// let error: OutOfRange = Threshold::new(0).unwrap_err();
/// assert_eq!(error.to_string(), "must lie between 1 and 720");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must lie between {least} and {most}")]
#[non_exhaustive]
pub struct OutOfRange {
    /// The least value allowed.
    pub least: u32,
    /// The greatest value allowed.
    pub most: u32,
}

/// Never happens: the type guarantees the bounds.
impl From<Infallible> for OutOfRange {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

macro_rules! bounded {
    ($($(#[$doc:meta])* $name:ident($int:ty) in $least:literal..=$most:literal, else $default:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "u32", into = "u32")]
        pub struct $name($int);

        impl $name {
            /// The least.
            pub const MIN: Self = Self($least);
            /// The greatest.
            pub const MAX: Self = Self($most);
            /// The default value.
            pub const DEFAULT: Self = Self($default);

            /// Checks the bounds.
            ///
            /// # Errors
            /// [`OutOfRange`] below [`Self::MIN`] or above [`Self::MAX`].
            pub const fn new(value: u32) -> Result<Self, OutOfRange> {
                if value >= $least && value <= $most {
                    Ok(Self(value as $int))
                } else {
                    Err(OutOfRange { least: $least, most: $most })
                }
            }

            /// The number.
            pub const fn get(self) -> u32 {
                self.0 as u32
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::DEFAULT
            }
        }

        impl TryFrom<u32> for $name {
            type Error = OutOfRange;

            fn try_from(value: u32) -> Result<Self, OutOfRange> {
                Self::new(value)
            }
        }

        impl From<$name> for u32 {
            fn from(value: $name) -> Self {
                value.get()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

bounded! {
    /// A number of check-ins in a row: failures that open an incident, or successes that resolve it.
    ///
    /// ```
    /// use overdue::config::Threshold;
    ///
    /// assert_eq!(Threshold::new(3)?.get(), 3);
    /// assert!(Threshold::new(0).is_err());
    /// # Ok::<(), overdue::config::OutOfRange>(())
    /// ```
    Threshold(u16) in 1..=720, else 1;
    /// How late a run may start, in minutes. At most a hundred years, so that no date overflows.
    ///
    /// ```
    /// use overdue::config::Margin;
    ///
    /// assert_eq!(Margin::new(90)?.duration(), chrono::TimeDelta::minutes(90));
    /// # Ok::<(), overdue::config::OutOfRange>(())
    /// ```
    Margin(u32) in 1..=52_560_000, else 1;
    /// How long a run may stay in progress before it times out, in minutes. At most four weeks.
    ///
    /// ```
    /// use overdue::config::MaxRuntime;
    ///
    /// assert_eq!(MaxRuntime::default().get(), 30);
    /// ```
    MaxRuntime(u16) in 1..=40_320, else 30;
}

/// Rounds up to minutes, so that a margin or runtime is never shorter than requested.
macro_rules! from_duration {
    ($($name:ident),*) => {$(
        impl TryFrom<Duration> for $name {
            type Error = OutOfRange;

            fn try_from(duration: Duration) -> Result<Self, OutOfRange> {
                let part = u64::from(duration.subsec_nanos() > 0);
                let minutes = duration.as_secs().saturating_add(part).div_ceil(60);
                Self::new(u32::try_from(minutes).unwrap_or(u32::MAX))
            }
        }
    )*};
}

from_duration!(Margin, MaxRuntime);

impl Margin {
    /// The margin as a duration.
    pub const fn duration(self) -> TimeDelta {
        minutes(self.get())
    }
}

impl MaxRuntime {
    /// The maximum runtime as a duration.
    pub const fn duration(self) -> TimeDelta {
        minutes(self.get())
    }
}

/// Returns a number of minutes as a duration, without the panic of `TimeDelta::minutes`.
const fn minutes(count: u32) -> TimeDelta {
    match TimeDelta::try_minutes(count as i64) {
        Some(time) => time,
        None => TimeDelta::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_in_code_and_in_rows() {
        assert!(Threshold::new(0).is_err() && Threshold::new(721).is_err());
        assert!(MaxRuntime::new(0).is_err() && MaxRuntime::new(40_321).is_err());
        assert!(Margin::new(0).is_err() && Margin::new(52_560_001).is_err());
        assert_eq!(Threshold::new(720).map(Threshold::get), Ok(720));
        assert_eq!(MaxRuntime::MAX.duration(), TimeDelta::weeks(4));
        assert_eq!(Margin::MAX.duration(), TimeDelta::days(36_500));
        for number in ["0", "721", "65537", "-1", "4294967297", "1.0"] {
            assert!(serde_json::from_str::<Threshold>(number).is_err(), "{number}");
        }
        assert_eq!(serde_json::from_str::<Margin>("90").unwrap().get(), 90);
    }

    #[test]
    fn durations_are_rounded_up_to_the_minute() {
        let margin = |millis| Margin::try_from(Duration::from_millis(millis)).map(Margin::get);
        assert_eq!([1, 60_000, 60_001, 120_000].map(margin), [Ok(1), Ok(1), Ok(2), Ok(2)]);
        assert!(margin(0).is_err() && MaxRuntime::try_from(Duration::MAX).is_err());
    }
}
