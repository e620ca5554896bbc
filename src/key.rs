//! Names of things: what identifies a monitor and an environment before there is an id.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::ProjectId;

/// The name of a monitor within its project: lower case letters, digits, hyphens and underscores, at
/// most 50 of them, with neither hyphen nor underscore at the ends.
///
/// ```
/// use overdue::key::Slug;
///
/// assert_eq!(Slug::normalize("  My Job  Name ")?.as_str(), "my-job-name");
/// # Ok::<(), overdue::key::InvalidSlug>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(Arc<str>);

/// No letter, digit or underscore is left of a slug.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a slug needs at least one letter or digit")]
#[non_exhaustive]
pub struct InvalidSlug;

impl Slug {
    /// Makes a slug of any text.
    ///
    /// # Errors
    /// [`InvalidSlug`] when nothing of the text can stand in a slug.
    pub fn normalize(text: &str) -> Result<Self, InvalidSlug> {
        let _ = text;
        Err(InvalidSlug)
    }

    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Slug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        Self::normalize(text)
    }
}

impl TryFrom<String> for Slug {
    type Error = InvalidSlug;

    fn try_from(text: String) -> Result<Self, InvalidSlug> {
        Self::normalize(&text)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0.as_ref().to_owned()
    }
}

/// The name of an environment: at most 64 characters, without line breaks, form feeds and slashes.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct EnvironmentName(Arc<str>);

impl EnvironmentName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What identifies a monitor: its project and slug.
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
