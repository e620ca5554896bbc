use crate::config::MonitorConfig;
use crate::id::{MonitorKey, OrganizationId, Owner, Version};
use crate::row::{Monitor, MonitorStatus, Organization};

/// A [`Monitor`] as columns, which cannot contradict each other. Its id follows from its key.
///
/// ```
/// use overdue::row::{Monitor, MonitorParts};
///
/// fn read_back(monitor: Monitor) -> Monitor {
///     MonitorParts::from(monitor).into()
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store has a column for each")]
pub struct MonitorParts {
    /// The owner of its project.
    pub organization: OrganizationId,
    /// Its project and slug.
    pub key: MonitorKey,
    /// Its display name.
    pub name: Box<str>,
    /// Its schedule, and how its runs are judged.
    pub config: MonitorConfig,
    /// Its owner.
    pub owner: Option<Owner>,
    /// Whether it is active.
    pub status: MonitorStatus,
    /// Whether all its environments are muted.
    pub muted: bool,
    /// How many environments it has.
    pub environments: u32,
    /// The row's version.
    pub version: Version,
}

impl From<MonitorParts> for Monitor {
    fn from(parts: MonitorParts) -> Self {
        let MonitorParts { organization, key, name, config, owner, status, muted, environments, version } =
            parts;
        Self { organization, key, name: name.into(), config, owner, status, muted, environments, version }
    }
}

impl From<Monitor> for MonitorParts {
    fn from(row: Monitor) -> Self {
        let Monitor { organization, key, name, config, owner, status, muted, environments, version } = row;
        Self {
            organization,
            key,
            name: name.as_str().into(),
            config,
            owner,
            status,
            muted,
            environments,
            version,
        }
    }
}

/// An [`Organization`] as columns, which cannot contradict each other.
///
/// ```
/// use overdue::row::{Organization, OrganizationParts};
///
/// fn read_back(organization: Organization) -> Organization {
///     OrganizationParts::from(organization).into()
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store has a column for each")]
pub struct OrganizationParts {
    /// The organization's id.
    pub id: OrganizationId,
    /// How many monitors the organization has.
    pub monitors: u32,
    /// The row's version.
    pub version: Version,
}

impl From<OrganizationParts> for Organization {
    fn from(OrganizationParts { id, monitors, version }: OrganizationParts) -> Self {
        Self { id, monitors, version }
    }
}

impl From<Organization> for OrganizationParts {
    fn from(Organization { id, monitors, version }: Organization) -> Self {
        Self { id, monitors, version }
    }
}
