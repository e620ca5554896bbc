//! State that only the rules of the reference keep in a row.

use serde::{Deserialize, Serialize};

/// A failure without an incident.
///
/// ```
/// use overdue::row::reference::{Failing, Failure};
///
/// assert_eq!(Failing::Run(Failure::Missed).status(), "missed");
/// assert_eq!(Failing::Stranded.status(), "error");
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "two quirks lead here")]
pub enum Failing {
    /// The last run failed like this: [`Quirk::NoIncidents`](crate::policy::Quirk::NoIncidents).
    Run(Failure),
    /// The incident was resolved, but the status stays at error:
    /// [`Quirk::LateOkLeavesErrorStatus`](crate::policy::Quirk::LateOkLeavesErrorStatus).
    Stranded,
}

impl Failing {
    /// The status of the environment in the terms of the reference.
    pub const fn status(self) -> &'static str {
        match self {
            Self::Run(Failure::Missed) => "missed",
            Self::Run(Failure::Timeout) => "timeout",
            Self::Run(Failure::Error) | Self::Stranded => "error",
        }
    }
}

/// How a run failed.
///
/// ```
/// use overdue::row::reference::Failure;
///
/// assert_eq!(serde_json::to_string(&Failure::Missed)?, r#""missed""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is no other way to fail")]
pub enum Failure {
    /// The job reported the failure.
    Error,
    /// The run was missed.
    Missed,
    /// The run timed out.
    Timeout,
}
