//! The key that check-ins must bring.

use std::fmt::Write as _;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct Key(Arc<str>);

impl Key {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// A new one that nobody can guess.
    pub(crate) fn random() -> Result<String, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }

    /// What the operator chose for one.
    pub(crate) fn parse(text: &str) -> Result<String, String> {
        let fits = (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(text.to_owned()) } else { Err("a key is 8 to 64 letters and digits".to_owned()) }
    }

    /// Whether this is the key. Takes as long for a key that is nearly right as for any other of its length.
    pub(crate) fn opens(&self, offered: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), offered.as_bytes());
        let difference = ours.iter().zip(theirs).fold(0, |sum, (ours, theirs)| sum | (ours ^ theirs));
        ours.len() == theirs.len() && difference == 0
    }

    /// The address that a Sentry SDK takes.
    pub(crate) fn dsn(&self, address: &str, project: u64) -> String {
        let (scheme, host) = address.split_once("://").unwrap_or(("http", address));
        format!("{scheme}://{}@{host}/{project}", self.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
