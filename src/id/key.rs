//! Keys: what identifies a monitor and an environment before there is an id.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EnvironmentName, ProjectId, Slug};

/// What identifies a monitor: its project and slug.
///
/// ```
/// use overdue::id::{ProjectId, MonitorKey};
///
/// let key = MonitorKey { project: ProjectId::new(1), slug: "Nightly backup".parse()? };
/// assert_eq!(key.to_string(), "1/nightly-backup");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a key is its parts")]
pub struct MonitorKey {
    /// The project.
    pub project: ProjectId,
    /// The monitor's name in it.
    pub slug: Slug,
}

impl fmt::Display for MonitorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.project, self.slug)
    }
}

/// What identifies an environment: its monitor and name.
///
/// ```
/// use overdue::id::{ProjectId, EnvironmentKey, EnvironmentName, MonitorKey};
///
/// let monitor = MonitorKey { project: ProjectId::new(1), slug: "nightly".parse()? };
/// let key = EnvironmentKey { monitor, name: EnvironmentName::production() };
/// assert_eq!(key.to_string(), "1/nightly/production");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a key is its parts")]
pub struct EnvironmentKey {
    /// The monitor.
    pub monitor: MonitorKey,
    /// The environment's name.
    pub name: EnvironmentName,
}

impl fmt::Display for EnvironmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.monitor, self.name)
    }
}
