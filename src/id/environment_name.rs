//! The name of an environment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The name for check-ins without an environment.
pub(crate) static PRODUCTION: EnvironmentName = EnvironmentName(SmolStr::new_static("production"));

/// The name of an environment: at most 64 characters, without line breaks, form feeds or slashes.
///
/// ```
/// use overdue::id::EnvironmentName;
///
/// assert_eq!(" dev ".parse::<EnvironmentName>()?.as_str(), "dev");
/// assert_eq!("".parse(), Ok(EnvironmentName::production()));
/// assert!("eu/west".parse::<EnvironmentName>().is_err());
/// # Ok::<(), overdue::id::ParseEnvironmentNameError>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvironmentName(SmolStr);

/// Why a text is not a valid name of an environment.
///
/// ```
/// use overdue::id::{EnvironmentName, ParseEnvironmentNameError};
///
/// assert_eq!("eu/west".parse::<EnvironmentName>(), Err(ParseEnvironmentNameError::Slash));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseEnvironmentNameError {
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

    /// Parses a name without trimming it. A line feed at the very end is allowed, because a quirk of the
    /// reference may have stored one.
    pub(crate) fn exactly(text: &str) -> Result<Self, ParseEnvironmentNameError> {
        if text.is_empty() || text == PRODUCTION.as_str() {
            return Ok(Self::production());
        }
        if text.chars().nth(Self::MAX_CHARS).is_some() {
            return Err(ParseEnvironmentNameError::TooLong);
        }
        match text
            .strip_suffix('\n')
            .unwrap_or(text)
            .chars()
            .find(|c| matches!(c, '/' | '\n' | '\r' | '\x0c'))
        {
            None => Ok(Self(text.into())),
            Some('/') => Err(ParseEnvironmentNameError::Slash),
            Some(_) => Err(ParseEnvironmentNameError::LineBreak),
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
    type Err = ParseEnvironmentNameError;

    /// Parses a name, trimmed. An empty one means production.
    fn from_str(text: &str) -> Result<Self, ParseEnvironmentNameError> {
        Self::exactly(text.trim())
    }
}

impl TryFrom<String> for EnvironmentName {
    type Error = ParseEnvironmentNameError;

    /// Reads a name from a row, as it was stored.
    fn try_from(text: String) -> Result<Self, ParseEnvironmentNameError> {
        Self::exactly(&text)
    }
}

impl From<EnvironmentName> for String {
    fn from(name: EnvironmentName) -> Self {
        name.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_names() {
        use ParseEnvironmentNameError::{LineBreak, Slash, TooLong};
        type Parse = fn(&str) -> Result<EnvironmentName, ParseEnvironmentNameError>;
        let (standard, kept): (Parse, Parse) = (str::parse, EnvironmentName::exactly);
        let parse = |text: &str, parse: Parse| parse(text).map(String::from);
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
            let name = EnvironmentName::exactly(name).unwrap();
            let json = serde_json::to_string(&name).unwrap();
            assert_eq!(serde_json::from_str::<EnvironmentName>(&json).unwrap(), name);
        }
        assert!(serde_json::from_str::<EnvironmentName>(r#""a/b""#).is_err());
    }
}
