//! Projects, as named in addresses.

use overdue::id::ProjectId;

/// No project can have this name.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a project is a number")]
pub struct NotAProject;

/// Parses the number of a project.
///
/// # Errors
///
/// Fails if it is not a number, or one that a signed column cannot hold.
pub fn parse(text: &str) -> Result<ProjectId, NotAProject> {
    // Integers in databases are signed.
    let number = text.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok());
    number.map(ProjectId::new).ok_or(NotAProject)
}
