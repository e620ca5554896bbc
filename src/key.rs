//! Names of things: what identifies a monitor and an environment before there is an id.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::id::ProjectId;
use crate::policy::{Quirk, Quirks};

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

/// The name that check-ins without an environment go by.
static PRODUCTION: LazyLock<EnvironmentName> = LazyLock::new(|| EnvironmentName("production".into()));

/// The name of an environment: at most 64 characters, without line breaks, form feeds and slashes.
///
/// ```
/// use overdue::key::EnvironmentName;
///
/// assert_eq!(" dev ".parse::<EnvironmentName>()?.as_str(), "dev");
/// assert_eq!("".parse(), Ok(EnvironmentName::production()));
/// assert!("eu/west".parse::<EnvironmentName>().is_err());
/// # Ok::<(), overdue::key::InvalidEnvironmentName>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvironmentName(Arc<str>);

/// Why a text cannot be the name of an environment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEnvironmentName {
    /// More than 64 characters.
    #[error("the name of an environment has at most {} characters", EnvironmentName::MAX_CHARS)]
    TooLong,
    /// A slash.
    #[error("the name of an environment holds no slash")]
    Slash,
    /// A line feed, carriage return or form feed.
    #[error("the name of an environment holds no line break")]
    LineBreak,
}

impl EnvironmentName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 64;

    /// The environment of a check-in that names none.
    pub fn production() -> Self {
        PRODUCTION.clone()
    }

    /// Reads a name, trimmed; none is left means production.
    ///
    /// # Errors
    /// [`InvalidEnvironmentName`] says what stands in the way. While [`Quirk::EnvironmentNamesUntrimmed`] is
    /// kept, nothing is trimmed, and a line feed at the very end passes.
    pub fn parse(text: &str, quirks: Quirks) -> Result<Self, InvalidEnvironmentName> {
        if quirks.keeps(Quirk::EnvironmentNamesUntrimmed) {
            Self::exactly(text)
        } else {
            Self::exactly(text.trim())
        }
    }

    /// The name as it stands. A line feed at the very end passes, because the quirk may have stored one.
    fn exactly(text: &str) -> Result<Self, InvalidEnvironmentName> {
        if text.is_empty() || text == PRODUCTION.as_str() {
            return Ok(Self::production());
        }
        if text.chars().nth(Self::MAX_CHARS).is_some() {
            return Err(InvalidEnvironmentName::TooLong);
        }
        match text
            .strip_suffix('\n')
            .unwrap_or(text)
            .chars()
            .find(|c| matches!(c, '/' | '\n' | '\r' | '\x0c'))
        {
            None => Ok(Self(text.into())),
            Some('/') => Err(InvalidEnvironmentName::Slash),
            Some(_) => Err(InvalidEnvironmentName::LineBreak),
        }
    }

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

impl FromStr for EnvironmentName {
    type Err = InvalidEnvironmentName;

    /// By the rules of the standard profile.
    fn from_str(text: &str) -> Result<Self, InvalidEnvironmentName> {
        Self::parse(text, Quirks::NONE)
    }
}

impl TryFrom<String> for EnvironmentName {
    type Error = InvalidEnvironmentName;

    /// For rows: takes a name as it was stored, whatever the quirks it was stored under.
    fn try_from(text: String) -> Result<Self, InvalidEnvironmentName> {
        Self::exactly(&text)
    }
}

impl From<EnvironmentName> for String {
    fn from(name: EnvironmentName) -> Self {
        name.0.as_ref().to_owned()
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
