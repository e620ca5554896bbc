//! The change that a message makes to the configuration of its monitor.

use super::{MonitorConfig, Settings};
use crate::id::Owner;
use crate::schedule::{Schedule, Zone};

/// The `monitor_config` of a message: a schedule, and the settings that it names.
///
/// A setting that is not named stays as it is, or takes its default in a new monitor. `Serialize` writes the
/// JSON that jobs send; `Deserialize` and [`ConfigUpdate::from_json`] read it. All three support JSON only.
/// In code, use [`MonitorConfig::builder`].
///
/// ```
/// use overdue::config::ConfigUpdate;
///
/// let old = ConfigUpdate::from_json(
///     br#"{"schedule": {"type": "crontab", "value": "0 4 * * *"}, "checkin_margin": 5, "max_runtime": 60}"#,
/// )?
/// .create();
/// let update = ConfigUpdate::from_json(
///     br#"{"schedule": {"type": "interval", "value": 1, "unit": "day"}, "checkin_margin": 9, "max_runtime": null}"#,
/// )?;
/// let new = update.apply(&old);
/// assert_eq!(new.margin().get(), 9);
/// assert_eq!(new.max_runtime().get(), 30);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigUpdate {
    /// In the time zone of the update, or UTC if it has none.
    pub(crate) schedule: Schedule,
    pub(crate) timezone: Option<Zone>,
    pub(crate) settings: Settings,
    pub(crate) owner: Option<Owner>,
}

impl ConfigUpdate {
    /// Makes an update that sets the schedule with its time zone, and nothing else.
    ///
    /// ```
    /// use overdue::config::ConfigUpdate;
    /// use overdue::{Schedule, Zone};
    ///
    /// let update = ConfigUpdate::new(Schedule::crontab("0 2 * * *", Zone::UTC)?);
    /// assert_eq!(update.create().failure_threshold().get(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(schedule: Schedule) -> Self {
        Self { timezone: Some(schedule.zone()), schedule, settings: Settings::default(), owner: None }
    }

    /// The owner that the update names. An owner that does not parse is ignored, and the current one stays.
    pub const fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// Returns the configuration of a new monitor.
    pub fn create(&self) -> MonitorConfig {
        MonitorConfig::new(self.schedule.clone()).with_settings(&self.settings)
    }

    /// Returns `current` with this update applied.
    pub fn apply(&self, current: &MonitorConfig) -> MonitorConfig {
        let zone = self.timezone.unwrap_or_else(|| current.schedule().zone());
        let schedule =
            if self.schedule.zone() == zone { self.schedule.clone() } else { self.schedule.in_zone(zone) };
        current.with_schedule(schedule).with_settings(&self.settings)
    }
}

/// An update that sets everything but the owner.
impl From<MonitorConfig> for ConfigUpdate {
    fn from(config: MonitorConfig) -> Self {
        Self { settings: config.settings(), ..Self::new(config.schedule) }
    }
}
