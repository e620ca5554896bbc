//! The key that check-ins must bring.

use std::fmt::Write as _;
use std::sync::Arc;

/// The key of a host.
#[derive(Clone, Debug)]
pub struct Key(Arc<str>);

impl Key {
    /// Makes a key of a text that [`parse`](Self::parse) accepts.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns a new key that cannot be guessed.
    ///
    /// # Errors
    ///
    /// Fails if the machine cannot provide randomness.
    pub fn random() -> Result<String, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }

    /// Checks a key that the operator chose.
    ///
    /// # Errors
    ///
    /// Fails if it is too short, too long, or has characters other than letters and digits.
    pub fn parse(text: &str) -> Result<String, String> {
        let fits = (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(text.to_owned()) } else { Err("a key is 8 to 64 letters and digits".to_owned()) }
    }

    /// Whether this is the key. Takes the same time for all texts of its length.
    pub fn opens(&self, offered: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), offered.as_bytes());
        let difference = ours.iter().zip(theirs).fold(0, |sum, (ours, theirs)| sum | (ours ^ theirs));
        ours.len() == theirs.len() && difference == 0
    }

    /// The address that a Sentry SDK takes.
    pub fn dsn(&self, address: &str, project: u64) -> String {
        let (scheme, host) = address.split_once("://").unwrap_or(("http", address));
        format!("{scheme}://{}@{host}/{project}", self.0)
    }

    /// Returns the text of the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
