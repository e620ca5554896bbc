//! What a message says of how its monitor is to be configured.

use chrono_tz::Tz;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::checkin::{FieldErrors, FieldProblem, WHOLE};
use crate::config::{Margin, MaxRuntime, MonitorConfig, Threshold};
use crate::policy::Quirks;
use crate::row::Owner;
use crate::schedule::{Schedule, ScheduleKind};

/// The `monitor_config` of a message: a schedule, and whatever else it names.
///
/// What it does not name stays as it is, or takes its default in a new monitor. `Serialize` writes the JSON that
/// jobs send and `Deserialize` reads it by the rules of the standard profile, [`ConfigUpdate::from_json`] by any
/// rules. All three speak JSON only.
///
/// ```
/// use overdue::config::ConfigUpdate;
/// use overdue::policy::Quirks;
///
/// let old = ConfigUpdate::from_json(
///     br#"{"schedule": {"type": "crontab", "value": "0 4 * * *"}, "checkin_margin": 5, "max_runtime": 60}"#,
///     Quirks::NONE,
/// )?
/// .create();
/// let update = ConfigUpdate::from_json(
///     br#"{"schedule": {"type": "interval", "value": 1, "unit": "day"}, "checkin_margin": 9, "max_runtime": null}"#,
///     Quirks::NONE,
/// )?;
/// let new = update.apply(&old);
/// assert_eq!(new.margin().get(), 9);
/// assert_eq!(new.max_runtime().get(), 30);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigUpdate {
    /// In the zone of the update, or in UTC if it names none.
    pub(super) schedule: Schedule,
    pub(super) timezone: Option<Tz>,
    pub(super) margin: Option<Margin>,
    pub(super) max_runtime: Option<MaxRuntime>,
    pub(super) failure_threshold: Option<Threshold>,
    pub(super) recovery_threshold: Option<Threshold>,
    pub(super) owner: Option<Owner>,
}

/// Why a `monitor_config` cannot be used.
///
/// ```
/// use overdue::config::{ConfigError, ConfigUpdate};
/// use overdue::policy::Quirks;
///
/// let refused = ConfigUpdate::from_json(br#"{"schedule": {"type": "crontab", "value": "0 0 31 2 *"}}"#, Quirks::NONE);
/// let Err(ConfigError::Invalid(errors)) = refused else { panic!("it was accepted") };
/// assert_eq!(errors.to_string(), "schedule day of month: day 31 never occurs in February");
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Fields are at fault: these.
    #[error("the monitor configuration is invalid")]
    Invalid(#[source] FieldErrors),
    /// The reference system accepts it, and from then on fails at every check-in. Exists only while
    /// [`Quirk::UnusableConfigsSwallow`](crate::policy::Quirk::UnusableConfigsSwallow) is kept; else it is [`ConfigError::Invalid`].
    #[error("the monitor configuration can never work")]
    Unusable,
}

impl ConfigUpdate {
    /// An update that sets the schedule, with its zone, and nothing else.
    ///
    /// ```
    /// use chrono_tz::Tz;
    /// use overdue::Schedule;
    /// use overdue::config::{ConfigUpdate, Margin, Threshold};
    ///
    /// let update = ConfigUpdate::new(Schedule::crontab("0 2 * * *", Tz::UTC)?)
    ///     .with_margin(Margin::new(15)?)
    ///     .with_failure_threshold(Threshold::new(2)?)
    ///     .with_owner("team:7".parse()?);
    /// assert_eq!(update.create().failure_threshold().get(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(schedule: Schedule) -> Self {
        Self {
            timezone: Some(schedule.zone()),
            schedule,
            margin: None,
            max_runtime: None,
            failure_threshold: None,
            recovery_threshold: None,
            owner: None,
        }
    }

    /// And sets the margin.
    #[must_use]
    pub fn with_margin(mut self, margin: Margin) -> Self {
        self.margin = Some(margin);
        self
    }

    /// And sets how long a run may take.
    #[must_use]
    pub fn with_max_runtime(mut self, max_runtime: MaxRuntime) -> Self {
        self.max_runtime = Some(max_runtime);
        self
    }

    /// And sets how many failures open an incident.
    #[must_use]
    pub fn with_failure_threshold(mut self, threshold: Threshold) -> Self {
        self.failure_threshold = Some(threshold);
        self
    }

    /// And sets how many successes end an incident.
    #[must_use]
    pub fn with_recovery_threshold(mut self, threshold: Threshold) -> Self {
        self.recovery_threshold = Some(threshold);
        self
    }

    /// And sets the owner.
    #[must_use]
    pub fn with_owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The owner it names. One that cannot be read is none, and leaves whoever is the owner.
    pub fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// The configuration of a new monitor.
    pub fn create(&self) -> MonitorConfig {
        self.over(MonitorConfig::builder(self.schedule.clone()).build())
    }

    /// The configuration that becomes of a monitor's present one.
    pub fn apply(&self, present: &MonitorConfig) -> MonitorConfig {
        let zone = self.timezone.unwrap_or_else(|| present.schedule().zone());
        let schedule =
            if self.schedule.zone() == zone { self.schedule.clone() } else { self.schedule.in_zone(zone) };
        self.over(present.to_builder().schedule(schedule).build())
    }

    /// What is named here laid over what is not.
    fn over(&self, base: MonitorConfig) -> MonitorConfig {
        base.to_builder()
            .margin(self.margin.unwrap_or(base.margin()))
            .max_runtime(self.max_runtime.unwrap_or(base.max_runtime()))
            .failure_threshold(self.failure_threshold.unwrap_or(base.failure_threshold()))
            .recovery_threshold(self.recovery_threshold.unwrap_or(base.recovery_threshold()))
            .build()
    }

    /// Reads the JSON that jobs send.
    ///
    /// The schedule is an object, or in the older form a text or a list beside a `schedule_type`. Other fields
    /// are passed over.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] names the fields at fault, as the rules for its fields find them: the schedule
    /// is read only once no other field is at fault. [`ConfigError::Unusable`] exists only while
    /// [`Quirk::UnusableConfigsSwallow`](crate::policy::Quirk::UnusableConfigsSwallow) is kept.
    pub fn from_json(bytes: &[u8], quirks: Quirks) -> Result<Self, ConfigError> {
        let no_object = || ConfigError::Invalid(FieldErrors::one(WHOLE, FieldProblem::NotAnObject));
        super::decode::decode(std::str::from_utf8(bytes).map_err(|_| no_object())?, quirks)
    }
}

impl Serialize for ConfigUpdate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schedule", &Given(self.schedule.kind()))?;
        let mut entry =
            |name, value: Option<u32>| value.map_or(Ok(()), |value| map.serialize_entry(name, &value));
        entry("checkin_margin", self.margin.map(Margin::get))?;
        entry("max_runtime", self.max_runtime.map(MaxRuntime::get))?;
        entry("failure_issue_threshold", self.failure_threshold.map(Threshold::get))?;
        entry("recovery_threshold", self.recovery_threshold.map(Threshold::get))?;
        if let Some(zone) = self.timezone {
            map.serialize_entry("timezone", zone.name())?;
        }
        if let Some(owner) = self.owner {
            map.serialize_entry("owner", &owner)?;
        }
        map.end()
    }
}

/// A schedule as messages give it.
struct Given<'a>(ScheduleKind<'a>);

impl Serialize for Given<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            ScheduleKind::Crontab(expression) => {
                map.serialize_entry("type", "crontab")?;
                map.serialize_entry("value", expression)?;
            }
            ScheduleKind::Interval { count, unit } => {
                map.serialize_entry("type", "interval")?;
                map.serialize_entry("value", &count)?;
                map.serialize_entry("unit", &unit)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ConfigUpdate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(sent.get().as_bytes(), Quirks::NONE).map_err(|error| match error {
            ConfigError::Invalid(errors) => D::Error::custom(errors),
            ConfigError::Unusable => D::Error::custom(error),
        })
    }
}
