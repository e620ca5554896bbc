//! Row versions: all concurrency control relies on them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The version of a row, which grows with every write. A store commits a row only over the version that was
/// read.
///
/// ```
/// use overdue::id::Version;
///
/// assert_eq!(Version::NEW.next(), Version::from_number(1));
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    /// The version of a row that has never been written.
    pub const NEW: Version = Version(0);

    /// The version with this number, for rows read back from a database.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, for a database.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The version after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
