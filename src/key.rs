//! Names of things: what identifies a monitor and an environment before there is an id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use unicode_normalization::char::decompose_compatible;

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
pub struct Slug(SmolStr);

/// No letter, digit or underscore is left of a slug.
///
/// ```
/// use overdue::key::{InvalidSlug, Slug};
///
/// let error: InvalidSlug = Slug::normalize("?!").unwrap_err();
/// assert_eq!(error.to_string(), "a slug needs at least one letter or digit");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a slug needs at least one letter or digit")]
#[non_exhaustive]
pub struct InvalidSlug;

impl Slug {
    /// The most characters of a slug.
    pub const MAX_CHARS: usize = 50;

    /// Makes a slug of any text: accents and other forms fall away to plain ASCII, letters become lower case,
    /// runs of white space and hyphens one hyphen, and everything else is dropped.
    ///
    /// # Errors
    /// [`InvalidSlug`] when nothing of the text can stand in a slug.
    pub fn normalize(text: &str) -> Result<Self, InvalidSlug> {
        if Self::is_slug(text) {
            return Ok(Self(text.into()));
        }
        let mut slug = String::with_capacity(Self::MAX_CHARS);
        let mut gap = false;
        for c in text.chars() {
            let mut full = false;
            // Of what a character decomposes to, only the ASCII counts, so the order of its marks does not.
            decompose_compatible(c, |part| {
                match part {
                    'a'..='z' | '0'..='9' | 'A'..='Z' | '_' => {
                        if gap && !slug.is_empty() {
                            slug.push('-');
                        }
                        gap = false;
                        // The ends are bare of underscores too.
                        if part != '_' || !slug.is_empty() {
                            slug.push(part.to_ascii_lowercase());
                        }
                    }
                    '-' | ' ' | '\t'..='\r' | '\x1c'..='\x1f' => gap = true,
                    _ => {}
                }
                full = slug.len() >= Self::MAX_CHARS;
            });
            if full {
                break;
            }
        }
        slug.truncate(Self::MAX_CHARS);
        match slug.trim_end_matches(['-', '_']) {
            "" => Err(InvalidSlug),
            slug => Ok(Self(slug.into())),
        }
    }

    /// Whether a text is a slug as it stands, as almost every one that is sent.
    fn is_slug(text: &str) -> bool {
        let mut before = b'-';
        let plain = text.bytes().all(|byte| {
            let hyphens = byte == b'-' && before == b'-';
            before = byte;
            matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') && !hyphens
        });
        plain && text.len() <= Self::MAX_CHARS && !text.starts_with('_') && !matches!(before, b'-' | b'_')
    }

    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a monitor is called as long as nobody has named it.
    pub(crate) fn as_name(&self) -> SmolStr {
        self.0.clone()
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
        slug.0.into()
    }
}

/// The name that check-ins without an environment go by.
pub(crate) static PRODUCTION: EnvironmentName = EnvironmentName(SmolStr::new_static("production"));

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
pub struct EnvironmentName(SmolStr);

/// Why a text cannot be the name of an environment.
///
/// ```
/// use overdue::key::{EnvironmentName, InvalidEnvironmentName};
///
/// assert_eq!("eu/west".parse::<EnvironmentName>(), Err(InvalidEnvironmentName::Slash));
/// ```
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

    /// Whether it is the environment of a check-in that names none.
    pub(crate) fn is_production(&self) -> bool {
        self.as_str() == "production"
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
        name.0.into()
    }
}

/// What identifies a monitor: its project and slug.
///
/// ```
/// use overdue::id::ProjectId;
/// use overdue::key::MonitorKey;
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
/// use overdue::id::ProjectId;
/// use overdue::key::{EnvironmentKey, EnvironmentName, MonitorKey};
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

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(text: &str) -> String {
        Slug::normalize(text).map_or("-".into(), String::from)
    }

    #[test]
    fn slugs_are_plain() {
        for (text, expected) in [
            ("my-job", "my-job"),
            ("some/slug@with-weird|stuff", "someslugwith-weirdstuff"),
            ("  My Job  Name ", "my-job-name"),
            ("--Weird__Name--", "weird__name"),
            ("Ünïcöd é", "unicod-e"),
            ("Jøb", "jb"),
            ("a.b.c", "abc"),
            ("tab\tand  - - dash", "tab-and-dash"),
            ("a -@- b", "a-b"),
            ("_-_lead", "lead"),
            ("a_-_b", "a_-_b"),
            ("日本 job", "job"),
            ("ﬁne ①", "fine-1"),
            ("\u{2003}em\u{2003}space\u{a0}", "em-space"),
            ("\u{212a}elvin", "kelvin"),
            ("", "-"),
            ("-_-", "-"),
            ("日本", "-"),
            ("\0", "-"),
        ] {
            assert_eq!(slug(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_cut_leaves_bare_ends() {
        let a49 = "a".repeat(49);
        assert_eq!(slug(&format!("{a49}-bcd")), a49);
        assert_eq!(slug(&format!("{a49} _bcd")), a49);
        assert_eq!(slug(&"a".repeat(60)), "a".repeat(50));
        assert_eq!(slug(&"㎏".repeat(30)), "kg".repeat(25));
    }

    #[test]
    fn a_slug_is_its_own_slug() {
        for text in ["a", "a-b_c", "0", "weird__name"] {
            assert!(Slug::is_slug(text));
            assert_eq!(slug(text), text);
        }
        for text in ["", "-a", "a-", "_a", "a_", "a--b", "A", "é", &"a".repeat(51)] {
            assert!(!Slug::is_slug(text), "{text:?}");
        }
    }

    #[test]
    fn environment_names() {
        use InvalidEnvironmentName::{LineBreak, Slash, TooLong};
        let (standard, kept) = (Quirks::NONE, Quirks::ALL);
        let parse = |text: &str, quirks| EnvironmentName::parse(text, quirks).map(String::from);
        for quirks in [standard, kept] {
            assert_eq!(parse(&"é".repeat(65), quirks), Err(TooLong));
            assert_eq!(parse(&"é".repeat(64), quirks), Ok("é".repeat(64)));
            assert_eq!(parse("a/b", quirks), Err(Slash));
            assert_eq!(parse("/", quirks), Err(Slash));
            assert_eq!(parse("a\nb", quirks), Err(LineBreak));
            assert_eq!(parse("a\rb", quirks), Err(LineBreak));
            assert_eq!(parse("a\x0cb", quirks), Err(LineBreak));
            assert_eq!(parse("a\tb", quirks), Ok("a\tb".into()));
            assert_eq!(parse("None", quirks), Ok("None".into()));
            assert_eq!(parse("", quirks), Ok("production".into()));
        }
        assert_eq!(parse("  ", standard), Ok("production".into()));
        assert_eq!(parse(" padded ", standard), Ok("padded".into()));
        assert_eq!(parse(" padded ", kept), Ok(" padded ".into()));
        assert_eq!(parse("a\n", standard), Ok("a".into()));
        assert_eq!(parse("a\n", kept), Ok("a\n".into()));
        assert_eq!(parse("a\n\n", kept), Err(LineBreak));
    }

    #[test]
    fn stored_names_come_back_as_they_were() {
        for name in ["production", "dev", " padded ", "a\n"] {
            let name = EnvironmentName::parse(name, Quirks::ALL).unwrap();
            let json = serde_json::to_string(&name).unwrap();
            assert_eq!(serde_json::from_str::<EnvironmentName>(&json).unwrap(), name);
        }
        assert!(serde_json::from_str::<EnvironmentName>(r#""a/b""#).is_err());
    }
}
