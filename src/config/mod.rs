//! How a monitor is configured: its schedule, and how patient to be with it.

mod decode;
mod update;

pub use update::{ConfigError, ConfigUpdate};

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::schedule::Schedule;

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
            /// What holds when nothing is said.
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
    /// How many check-ins in a row it takes: failures to open an incident, or successes to end one.
    ///
    /// ```
    /// use overdue::config::Threshold;
    ///
    /// assert_eq!(Threshold::new(3)?.get(), 3);
    /// assert!(Threshold::new(0).is_err());
    /// # Ok::<(), overdue::config::OutOfRange>(())
    /// ```
    Threshold(u16) in 1..=720, else 1;
    /// How late a run may start, in minutes. The greatest is a hundred years, so that no date overflows.
    ///
    /// ```
    /// use overdue::config::Margin;
    ///
    /// assert_eq!(Margin::new(90)?.duration(), chrono::TimeDelta::minutes(90));
    /// # Ok::<(), overdue::config::OutOfRange>(())
    /// ```
    Margin(u32) in 1..=52_560_000, else 1;
    /// How long a run may stay in progress before it is a timeout, in minutes. The greatest is four weeks.
    ///
    /// ```
    /// use overdue::config::MaxRuntime;
    ///
    /// assert_eq!(MaxRuntime::default().get(), 30);
    /// ```
    MaxRuntime(u16) in 1..=40_320, else 30;
}

impl Margin {
    /// The time that the margin is.
    pub const fn duration(self) -> TimeDelta {
        minutes(self.get())
    }
}

impl MaxRuntime {
    /// The time that the longest run takes.
    pub const fn duration(self) -> TimeDelta {
        minutes(self.get())
    }
}

/// A number of minutes as a duration, without the panic of `TimeDelta::minutes`.
const fn minutes(count: u32) -> TimeDelta {
    match TimeDelta::try_minutes(count as i64) {
        Some(time) => time,
        None => TimeDelta::MAX,
    }
}

/// How a monitor is configured.
///
/// ```
/// use chrono_tz::Tz;
/// use overdue::config::{MonitorConfig, Threshold};
/// use overdue::schedule::Schedule;
///
/// let config = MonitorConfig::builder(Schedule::crontab("0 4 * * *", Tz::Europe__Paris)?)
///     .failure_threshold(Threshold::new(3)?)
///     .build();
/// assert_eq!(config.failure_threshold().get(), 3);
/// assert_eq!(config.max_runtime().get(), 30);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MonitorConfig {
    schedule: Schedule,
    #[serde(default)]
    margin: Margin,
    #[serde(default)]
    max_runtime: MaxRuntime,
    #[serde(default)]
    failure_threshold: Threshold,
    #[serde(default)]
    recovery_threshold: Threshold,
}

impl MonitorConfig {
    /// A configuration with this schedule, and the defaults for everything that is not said.
    pub fn builder(schedule: Schedule) -> MonitorConfigBuilder {
        MonitorConfigBuilder(MonitorConfig {
            schedule,
            margin: Margin::DEFAULT,
            max_runtime: MaxRuntime::DEFAULT,
            failure_threshold: Threshold::DEFAULT,
            recovery_threshold: Threshold::DEFAULT,
        })
    }

    /// A builder that starts from this configuration.
    pub fn to_builder(&self) -> MonitorConfigBuilder {
        MonitorConfigBuilder(self.clone())
    }

    /// When runs are due.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// How late a run may start. One minute unless said otherwise.
    pub fn margin(&self) -> Margin {
        self.margin
    }

    /// How long a run may take. Thirty minutes unless said otherwise.
    pub fn max_runtime(&self) -> MaxRuntime {
        self.max_runtime
    }

    /// How many failures open an incident. One unless said otherwise.
    pub fn failure_threshold(&self) -> Threshold {
        self.failure_threshold
    }

    /// How many successes end an incident. One unless said otherwise.
    pub fn recovery_threshold(&self) -> Threshold {
        self.recovery_threshold
    }
}

/// Builds a [`MonitorConfig`]. Nothing can fail here: each part is valid already.
///
/// ```
/// use chrono_tz::Tz;
/// use overdue::Schedule;
/// use overdue::config::{Margin, MaxRuntime, MonitorConfig};
///
/// let config = MonitorConfig::builder(Schedule::crontab("@daily", Tz::UTC)?)
///     .margin(Margin::new(15)?)
///     .max_runtime(MaxRuntime::new(120)?)
///     .build();
/// let patient = config.to_builder().margin(Margin::new(60)?).build();
/// assert_eq!(patient.max_runtime(), config.max_runtime());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MonitorConfigBuilder(MonitorConfig);

impl MonitorConfigBuilder {
    /// When runs are due.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.0.schedule = schedule;
        self
    }

    /// How late a run may start.
    pub fn margin(mut self, margin: Margin) -> Self {
        self.0.margin = margin;
        self
    }

    /// How long a run may take.
    pub fn max_runtime(mut self, max_runtime: MaxRuntime) -> Self {
        self.0.max_runtime = max_runtime;
        self
    }

    /// How many failures open an incident.
    pub fn failure_threshold(mut self, threshold: Threshold) -> Self {
        self.0.failure_threshold = threshold;
        self
    }

    /// How many successes end an incident.
    pub fn recovery_threshold(mut self, threshold: Threshold) -> Self {
        self.0.recovery_threshold = threshold;
        self
    }

    /// The configuration.
    pub fn build(self) -> MonitorConfig {
        self.0
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
    fn a_configuration_is_stored_and_read_back() {
        let schedule = Schedule::crontab("0 4 * * *", chrono_tz::Tz::Europe__Paris).unwrap();
        let config = MonitorConfig::builder(schedule)
            .margin(Margin::MAX)
            .max_runtime(MaxRuntime::MIN)
            .failure_threshold(Threshold::MAX)
            .recovery_threshold(Threshold::MAX)
            .build();
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<MonitorConfig>(&json).unwrap(), config);
        assert!(serde_json::from_str::<MonitorConfig>(&json.replace("720", "0")).is_err());
    }

    #[test]
    fn the_numbers_are_small() {
        let numbers = size_of::<MonitorConfig>().saturating_sub(size_of::<Schedule>());
        assert!(numbers <= 16, "{numbers}");
    }
}
