//! Projects, as addresses name them.

use overdue::id::ProjectId;

/// There is no project of this name, and there cannot be.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a project is a number")]
pub struct NotAProject;

/// Parses the number of a project.
///
/// # Errors
///
/// Fails if it is no number, or one that a signed column cannot hold.
pub fn parse(text: &str) -> Result<ProjectId, NotAProject> {
    // The integers of databases have a sign.
    let number = text.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok());
    number.map(ProjectId::new).ok_or(NotAProject)
}
