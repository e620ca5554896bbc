//! The name of a monitor within its project.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use unicode_normalization::char::decompose_compatible;

/// The name of a monitor within its project: at most 50 lower case letters, digits, hyphens and underscores,
/// without a hyphen or underscore at either end.
///
/// ```
/// use overdue::id::Slug;
///
/// assert_eq!(Slug::normalize("  My Job  Name ")?.as_str(), "my-job-name");
/// # Ok::<(), overdue::id::ParseSlugError>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(SmolStr);

/// The text has no letter, digit or underscore for a slug.
///
/// ```
/// use overdue::id::{ParseSlugError, Slug};
///
/// let error: ParseSlugError = Slug::normalize("?!").unwrap_err();
/// assert_eq!(error.to_string(), "a slug needs at least one letter or digit");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a slug needs at least one letter or digit")]
#[non_exhaustive]
pub struct ParseSlugError;

impl Slug {
    /// The most characters of a slug.
    pub const MAX_CHARS: usize = 50;

    /// Makes a slug from any text. Accented and other forms become plain ASCII, letters become lower case,
    /// runs of white space and hyphens become one hyphen, and everything else is dropped.
    ///
    /// # Errors
    /// [`ParseSlugError`] if no character of the text is allowed in a slug.
    pub fn normalize(text: &str) -> Result<Self, ParseSlugError> {
        if Self::is_slug(text) {
            return Ok(Self(text.into()));
        }
        let mut slug = String::with_capacity(Self::MAX_CHARS);
        let mut gap = false;
        for c in text.chars() {
            let mut full = false;
            // Only the ASCII of a decomposition counts, so the order of its marks does not matter.
            decompose_compatible(c, |part| {
                match part {
                    'a'..='z' | '0'..='9' | 'A'..='Z' | '_' => {
                        if gap && !slug.is_empty() {
                            slug.push('-');
                        }
                        gap = false;
                        // Underscores are trimmed from the ends, too.
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
            "" => Err(ParseSlugError),
            slug => Ok(Self(slug.into())),
        }
    }

    /// Whether a text already is a slug, as almost every one that is sent.
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

    /// The slug as the name of a monitor that has no other.
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
    type Err = ParseSlugError;

    fn from_str(text: &str) -> Result<Self, ParseSlugError> {
        Self::normalize(text)
    }
}

impl TryFrom<String> for Slug {
    type Error = ParseSlugError;

    fn try_from(text: String) -> Result<Self, ParseSlugError> {
        Self::normalize(&text)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0.into()
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
}
