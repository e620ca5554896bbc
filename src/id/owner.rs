//! The owner of a monitor.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The owner of a monitor, by an id that the host assigns.
///
/// Written, sent and stored as `user:ID` or `team:ID`.
///
/// ```
/// use overdue::id::Owner;
///
/// assert_eq!("team:2".parse(), Ok(Owner::Team(2)));
/// assert_eq!(Owner::User(7).to_string(), "user:7");
/// assert!("everybody".parse::<Owner>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Owner {
    /// One person.
    User(u64),
    /// A team.
    Team(u64),
}

/// The text names neither a user nor a team.
///
/// ```
/// use overdue::id::{ParseOwnerError, Owner};
///
/// let error: ParseOwnerError = "somebody".parse::<Owner>().unwrap_err();
/// assert_eq!(error.to_string(), "an owner is user:ID or team:ID");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an owner is user:ID or team:ID")]
#[non_exhaustive]
pub struct ParseOwnerError;

impl FromStr for Owner {
    type Err = ParseOwnerError;

    fn from_str(text: &str) -> Result<Self, ParseOwnerError> {
        let (kind, id) = text.split_once(':').ok_or(ParseOwnerError)?;
        // `parse` alone would accept a plus sign.
        if !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseOwnerError);
        }
        let id = id.parse().map_err(|_| ParseOwnerError)?;
        match kind {
            "user" => Ok(Owner::User(id)),
            "team" => Ok(Owner::Team(id)),
            _ => Err(ParseOwnerError),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::User(id) => write!(f, "user:{id}"),
            Owner::Team(id) => write!(f, "team:{id}"),
        }
    }
}

impl TryFrom<String> for Owner {
    type Error = ParseOwnerError;

    fn try_from(text: String) -> Result<Self, ParseOwnerError> {
        text.parse()
    }
}

impl From<Owner> for String {
    fn from(owner: Owner) -> Self {
        owner.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        for owner in [Owner::User(0), Owner::Team(u64::MAX)] {
            assert_eq!(owner.to_string().parse(), Ok(owner));
            let json = serde_json::to_string(&owner).unwrap();
            assert_eq!(serde_json::from_str::<Owner>(&json).unwrap(), owner);
        }
        for text in
            ["", "user", "user:", "user:+1", "user:-1", "User:1", "user:1 ", "user:18446744073709551616"]
        {
            assert_eq!(text.parse::<Owner>(), Err(ParseOwnerError), "{text:?}");
        }
    }
}
