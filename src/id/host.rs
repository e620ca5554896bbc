//! Ids that the host assigns: organizations and projects.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! host_id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// The id with this number.
            pub const fn new(id: u64) -> Self {
                Self(id)
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

host_id! {
    /// The owner of projects, by an id that the host assigns.
    ///
    /// ```
    /// use overdue::id::OrganizationId;
    ///
    /// assert_eq!(OrganizationId::new(1).to_string(), "1");
    /// ```
    OrganizationId
    /// The owner of monitors, by an id that the host assigns. Unique across organizations.
    ///
    /// ```
    /// use overdue::id::ProjectId;
    ///
    /// assert_eq!(ProjectId::new(7).get(), 7);
    /// ```
    ProjectId
}
