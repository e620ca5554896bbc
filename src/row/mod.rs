//! The rows that a store keeps: organizations, monitors, environments, runs and incidents.
//!
//! Their fields are private. Rows serialise whole with serde; getters return what a database indexes and what
//! a page shows. A store with its own columns takes rows apart and builds them, with checks: see [`RunParts`]
//! and the like.

mod duration;
mod environment;
mod incident;
mod monitor;
mod organization;
mod parts;
pub mod reference;
mod run;

pub use duration::RunDuration;
pub use environment::{Deadline, Environment, EnvironmentStatus, Expectation, Health, Watch};
pub use incident::{Incident, Resolution};
pub use monitor::{Monitor, MonitorStatus};
pub use organization::Organization;
pub use parts::{EnvironmentParts, IncidentParts, InvalidRow, MonitorParts, OrganizationParts, RunParts};
pub use run::{ParseRunStatusError, Run, RunStatus, RunSummary};
pub(crate) use run::{Phase, Reported, RunState};

/// Builds a value in its heap slot. Building it on the stack and moving it stalls on store forwarding.
pub(crate) fn boxed<T>(build: impl FnOnce() -> T) -> Box<T> {
    Box::write(Box::new_uninit(), build())
}
