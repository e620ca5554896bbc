//! The monitor row: one scheduled job.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::config::MonitorConfig;
use crate::id::{MonitorId, MonitorKey, OrganizationId, Owner, Version};

/// One scheduled job, in all its environments.
///
/// ```
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// engine.process_checkin(&message)?;
/// let monitors = engine.store().monitors();
/// assert_eq!(monitors[0].name(), "nightly");
/// assert_eq!(monitors[0].config().schedule().to_string(), "0 2 * * *");
/// assert_eq!(monitors[0].environments(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Monitor {
    pub(crate) organization: OrganizationId,
    pub(crate) key: MonitorKey,
    pub(crate) name: SmolStr,
    pub(crate) config: MonitorConfig,
    pub(crate) owner: Option<Owner>,
    pub(crate) status: MonitorStatus,
    pub(crate) muted: bool,
    pub(crate) environments: u32,
    pub(crate) version: Version,
}

/// Whether a monitor is active.
///
/// ```
/// use overdue::row::MonitorStatus;
///
/// assert_eq!(serde_json::to_string(&MonitorStatus::Disabled)?, r#""disabled""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "hosts decide by it, and a new status should break them")]
pub enum MonitorStatus {
    /// It takes check-ins, and missed runs and timeouts are judged.
    #[default]
    Active,
    /// It rejects check-ins, and nothing is judged. Its rows stay as they are.
    Disabled,
    /// It is being deleted: it rejects check-ins as if it did not exist, and nothing is judged. For hosts
    /// that remove its rows in steps.
    Deleting,
}

impl Monitor {
    pub(crate) fn new(organization: OrganizationId, key: MonitorKey, config: MonitorConfig) -> Self {
        Self {
            organization,
            name: key.slug.as_name(),
            key,
            config,
            owner: None,
            status: MonitorStatus::Active,
            muted: false,
            environments: 0,
            version: Version::NEW,
        }
    }

    /// The monitor's id, which follows from its key.
    pub fn id(&self) -> MonitorId {
        MonitorId::of(&self.key)
    }

    /// The owner of its project.
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Its project and slug.
    pub const fn key(&self) -> &MonitorKey {
        &self.key
    }

    /// Its display name: the slug unless another one was set.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its schedule, and how its runs are judged.
    pub const fn config(&self) -> &MonitorConfig {
        &self.config
    }

    /// Its owner.
    pub const fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// Whether it is active.
    pub const fn status(&self) -> MonitorStatus {
        self.status
    }

    /// Whether all its environments are muted.
    pub const fn is_muted(&self) -> bool {
        self.muted
    }

    /// How many environments it has.
    pub const fn environments(&self) -> u32 {
        self.environments
    }

    /// The row's version.
    pub const fn version(&self) -> Version {
        self.version
    }
}
