//! Why a check-in goes no further.

use crate::outcome::Ignored;
use crate::refusal::ProcessingError;

/// Why a check-in goes no further.
pub(super) enum Dismissal {
    Ignored(Ignored),
    Refused(Vec<ProcessingError>),
}

impl From<Ignored> for Dismissal {
    fn from(reason: Ignored) -> Self {
        Self::Ignored(reason)
    }
}

impl From<ProcessingError> for Dismissal {
    fn from(error: ProcessingError) -> Self {
        Self::Refused(vec![error])
    }
}
