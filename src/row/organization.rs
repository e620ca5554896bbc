//! The organization row: it counts monitors, so that a limit holds under concurrency too.

use serde::{Deserialize, Serialize};

use crate::id::{OrganizationId, Version};

/// The owner of several projects, and the number of its monitors.
///
/// Written only when a monitor is created or removed. Check-ins for existing monitors never touch it.
///
/// ```
/// use overdue::id::{OrganizationId, Version};
/// use overdue::row::Organization;
///
/// let row = Organization::new(OrganizationId::new(1));
/// assert_eq!((row.monitors(), row.version()), (0, Version::NEW));
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Organization {
    pub(crate) id: OrganizationId,
    pub(crate) monitors: u32,
    pub(crate) version: Version,
}

impl Organization {
    /// Makes the row of an organization without one: what a store loads in its place.
    pub const fn new(id: OrganizationId) -> Self {
        Self { id, monitors: 0, version: Version::NEW }
    }

    /// The organization's id.
    pub const fn id(&self) -> OrganizationId {
        self.id
    }

    /// How many monitors the organization has, over all its projects.
    pub const fn monitors(&self) -> u32 {
        self.monitors
    }

    /// The row's version.
    pub const fn version(&self) -> Version {
        self.version
    }
}
