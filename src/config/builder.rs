//! Builds a configuration, or an update of one.

use std::fmt;
use std::num::NonZeroU32;

use super::{ConfigUpdate, Margin, MaxRuntime, MonitorConfig, OutOfRange, Settings, Threshold};
use crate::field_errors::{FieldError, FieldErrors, FieldErrorsBuilder};
use crate::id::Owner;
use crate::schedule::{Schedule, Unit, Zone};

/// Builds a [`MonitorConfig`] or a [`ConfigUpdate`]. Invalid settings are reported at the end, all at once.
///
/// ```
/// use overdue::config::MonitorConfig;
///
/// let errors = MonitorConfig::builder().crontab("0 2 * *").zone("Mars").failure_threshold(0).build().unwrap_err();
/// let fields: Vec<_> = errors.iter().map(|(field, _)| field).collect();
/// assert_eq!(fields, ["failure_threshold", "schedule", "zone"]);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ConfigBuilder {
    schedule: Option<Schedule>,
    zone: Option<Zone>,
    settings: Settings,
    owner: Option<Owner>,
    faults: FieldErrorsBuilder,
}

impl ConfigBuilder {
    /// When runs are due, and in which zone. The schedule that was set last counts.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.zone = Some(schedule.zone());
        self.schedule = Some(schedule);
        self
    }

    /// When runs are due: a [crontab](Schedule::crontab).
    pub fn crontab(mut self, expression: &str) -> Self {
        let schedule = Schedule::crontab(expression, Zone::UTC).map_err(FieldError::other);
        self.schedule = self.faults.check("schedule", schedule);
        self
    }

    /// When runs are due: [every](Schedule::every) `count` units.
    pub fn every(mut self, count: u32, unit: Unit) -> Self {
        let schedule = NonZeroU32::new(count)
            .ok_or(FieldError::OutOfRange { least: 1, most: u32::MAX.into() })
            .and_then(|count| Schedule::every(count, unit, Zone::UTC).map_err(FieldError::other));
        self.schedule = self.faults.check("schedule", schedule);
        self
    }

    /// The time zone of the schedule, by its name or as a [`Zone`]. UTC unless set.
    pub fn zone<Z: TryInto<Zone, Error: fmt::Display>>(mut self, zone: Z) -> Self {
        self.zone = self.faults.check("zone", zone.try_into().map_err(FieldError::other));
        self
    }

    /// How late a run may start: a `std::time::Duration`, rounded up to the minute, or a [`Margin`].
    pub fn margin<M: TryInto<Margin, Error: Into<OutOfRange>>>(mut self, margin: M) -> Self {
        self.settings.margin = self.faults.check("margin", within(margin));
        self
    }

    /// How long a run may take: a `std::time::Duration`, rounded up to the minute, or a [`MaxRuntime`].
    pub fn max_runtime<R: TryInto<MaxRuntime, Error: Into<OutOfRange>>>(mut self, max_runtime: R) -> Self {
        self.settings.max_runtime = self.faults.check("max_runtime", within(max_runtime));
        self
    }

    /// How many failures in a row open an incident.
    pub fn failure_threshold(mut self, failures: u32) -> Self {
        self.settings.failure_threshold =
            self.faults.check("failure_threshold", within::<Threshold, _>(failures));
        self
    }

    /// How many successes in a row end an incident.
    pub fn recovery_threshold(mut self, successes: u32) -> Self {
        self.settings.recovery_threshold =
            self.faults.check("recovery_threshold", within::<Threshold, _>(successes));
        self
    }

    /// The owner. An [update](Self::update) sets it; a configuration does not hold it.
    pub const fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Returns the configuration, with defaults for what was not set.
    ///
    /// # Errors
    /// [`FieldErrors`] names every invalid setting, and `schedule` if it is missing.
    pub fn build(self) -> Result<MonitorConfig, FieldErrors> {
        self.update().map(|update| update.create())
    }

    /// Returns an update that sets what was set here, and keeps the rest.
    ///
    /// # Errors
    /// [`FieldErrors`], as for [`build`](Self::build).
    pub fn update(mut self) -> Result<ConfigUpdate, FieldErrors> {
        let fine = self.faults.is_empty();
        match self.schedule.filter(|_| fine) {
            Some(schedule) => Ok(ConfigUpdate {
                schedule: self.zone.map_or(schedule.clone(), |zone| schedule.in_zone(zone)),
                timezone: self.zone,
                settings: self.settings,
                owner: self.owner,
            }),
            None => {
                if fine {
                    self.faults.check::<()>("schedule", Err(FieldError::Missing));
                }
                Err(self.faults.into())
            }
        }
    }
}

impl From<&MonitorConfig> for ConfigBuilder {
    fn from(config: &MonitorConfig) -> Self {
        Self { settings: config.settings(), ..Self::default() }.schedule(config.schedule().clone())
    }
}

/// Returns the value if it is within its bounds, or else an error with the bounds.
fn within<T, V: TryInto<T, Error: Into<OutOfRange>>>(value: V) -> Result<T, FieldError> {
    value.try_into().map_err(|error| {
        let OutOfRange { least, most } = error.into();
        FieldError::OutOfRange { least: least.into(), most: most.into() }
    })
}
