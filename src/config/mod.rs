//! The configuration of a monitor: its schedule, margin, maximum runtime and thresholds.

mod bounds;
mod builder;
mod update;

pub use bounds::{Margin, MaxRuntime, OutOfRange, Threshold};
pub use builder::ConfigBuilder;
pub use update::ConfigUpdate;

use serde::{Deserialize, Serialize};

use crate::schedule::Schedule;

/// The configuration of a monitor.
///
/// ```
/// use std::time::Duration;
///
/// use overdue::config::MonitorConfig;
///
/// let config = MonitorConfig::builder()
///     .crontab("30 2 * * *")
///     .zone("Europe/Paris")
///     .margin(Duration::from_secs(15 * 60))
///     .max_runtime(Duration::from_secs(60 * 60))
///     .failure_threshold(3)
///     .recovery_threshold(2)
///     .build()?;
/// assert_eq!(config.failure_threshold().get(), 3);
/// assert_eq!(config.margin().get(), 15);
/// # Ok::<(), overdue::field_errors::FieldErrors>(())
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
    /// Makes a configuration with this schedule, and defaults for everything else.
    ///
    /// ```
    /// use overdue::config::MonitorConfig;
    /// use overdue::{Schedule, Zone};
    ///
    /// let config = MonitorConfig::new(Schedule::crontab("0 4 * * *", Zone::UTC)?);
    /// assert_eq!(config.max_runtime().get(), 30);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            margin: Margin::DEFAULT,
            max_runtime: MaxRuntime::DEFAULT,
            failure_threshold: Threshold::DEFAULT,
            recovery_threshold: Threshold::DEFAULT,
        }
    }

    /// Returns an empty builder.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// Returns a builder that starts from this configuration.
    pub fn to_builder(&self) -> ConfigBuilder {
        ConfigBuilder::from(self)
    }

    /// Returns a copy with another schedule.
    #[must_use]
    pub fn with_schedule(&self, schedule: Schedule) -> Self {
        Self { schedule, ..*self }
    }

    /// Returns a copy with the given settings.
    fn with_settings(self, settings: &Settings) -> Self {
        Self {
            schedule: self.schedule,
            margin: settings.margin.unwrap_or(self.margin),
            max_runtime: settings.max_runtime.unwrap_or(self.max_runtime),
            failure_threshold: settings.failure_threshold.unwrap_or(self.failure_threshold),
            recovery_threshold: settings.recovery_threshold.unwrap_or(self.recovery_threshold),
        }
    }

    const fn settings(&self) -> Settings {
        Settings {
            margin: Some(self.margin),
            max_runtime: Some(self.max_runtime),
            failure_threshold: Some(self.failure_threshold),
            recovery_threshold: Some(self.recovery_threshold),
        }
    }

    /// When runs are due.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// How late a run may start. The default is one minute.
    pub fn margin(&self) -> Margin {
        self.margin
    }

    /// How long a run may take. The default is thirty minutes.
    pub fn max_runtime(&self) -> MaxRuntime {
        self.max_runtime
    }

    /// How many failures in a row open an incident. The default is one.
    pub fn failure_threshold(&self) -> Threshold {
        self.failure_threshold
    }

    /// How many successes in a row resolve an incident. The default is one.
    pub fn recovery_threshold(&self) -> Threshold {
        self.recovery_threshold
    }
}

/// The settings of a configuration, each optional.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Settings {
    pub(crate) margin: Option<Margin>,
    pub(crate) max_runtime: Option<MaxRuntime>,
    pub(crate) failure_threshold: Option<Threshold>,
    pub(crate) recovery_threshold: Option<Threshold>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_stored_and_read_back() {
        let schedule = Schedule::crontab("0 4 * * *", "Europe/Paris".parse().unwrap()).unwrap();
        let config = MonitorConfig::builder()
            .schedule(schedule)
            .margin(Margin::MAX)
            .max_runtime(MaxRuntime::MIN)
            .failure_threshold(720)
            .recovery_threshold(720)
            .build()
            .unwrap();
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
