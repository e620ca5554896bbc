//! Identity: ids, keys, names, owners and versions.
//!
//! The host assigns the ids of organizations and projects. The engine derives all others from their cause, so
//! that the same input gives the same id: a redelivered message or a second worker does not create a
//! duplicate.

mod derived;
mod environment_name;
mod host;
mod key;
mod owner;
mod slug;
mod uuid;
mod version;

pub(crate) use derived::spread;
pub use derived::{ConditionId, EnvironmentId, EventId, IncidentId, MonitorId, RunId};
pub(crate) use environment_name::PRODUCTION;
pub use environment_name::{EnvironmentName, ParseEnvironmentNameError};
pub use host::{OrganizationId, ProjectId};
pub use key::{EnvironmentKey, MonitorKey};
pub use owner::{Owner, ParseOwnerError};
pub use slug::{ParseSlugError, Slug};
pub(crate) use uuid::parse as parse_uuid;
pub use version::Version;
