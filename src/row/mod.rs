//! The rows that a store keeps: organizations, monitors, environments, runs and incidents.
//!
//! Their fields are private, so that a row can only come from a decision or from a store. They serialise with
//! serde, whole; getters give what a database indexes and a page shows.

mod environment;
mod incident;
mod monitor;
mod organization;
mod owner;
mod run;
mod version;

pub use environment::{Deadline, Environment, EnvironmentStatus, Failure, Health};
pub use incident::{Incident, Resolution};
pub use monitor::{Monitor, MonitorStatus};
pub use organization::Organization;
pub use owner::{InvalidOwner, Owner};
pub use run::{InvalidRunStatus, Run, RunStatus, RunSummary};
pub use version::Version;

/// A row in a box, built in its place. What is built elsewhere and then moved is read whole just after it was written in parts, and
/// for that a processor waits until the parts have left its queue.
pub(crate) fn boxed<T>(build: impl FnOnce() -> T) -> Box<T> {
    Box::write(Box::new_uninit(), build())
}
