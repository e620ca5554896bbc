//! Rows as plain columns, for stores that keep them in columns.

mod environment;
mod incident;
mod monitor;
mod run;

pub use environment::EnvironmentParts;
pub(super) use environment::StoredEnvironment;
pub use incident::IncidentParts;
pub use monitor::{MonitorParts, OrganizationParts};
pub use run::RunParts;

/// The columns of a row contradict each other.
///
/// ```
/// # use overdue::row::RunParts;
/// # fn demo(mut parts: RunParts) {
/// parts.status = overdue::row::RunStatus::InProgress;
/// parts.timeout_at = None;
/// let error = overdue::row::Run::try_from(parts).unwrap_err();
/// assert_eq!(error.to_string(), "timeout_at must be set of a run in progress");
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{column} {problem}")]
#[non_exhaustive]
pub struct InvalidRow {
    /// The column that contradicts another.
    pub column: &'static str,
    problem: &'static str,
}

impl InvalidRow {
    pub(super) const fn new(column: &'static str, problem: &'static str) -> Self {
        Self { column, problem }
    }
}

/// Returns an error unless the condition holds.
pub(super) const fn ensure(
    holds: bool,
    column: &'static str,
    problem: &'static str,
) -> Result<(), InvalidRow> {
    if holds { Ok(()) } else { Err(InvalidRow::new(column, problem)) }
}
