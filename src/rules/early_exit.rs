//! Why a check-in goes no further.

use crate::outcome::Ignored;
use crate::rejection::RejectionReason;

/// Why a check-in goes no further.
pub(super) enum EarlyExit {
    Ignored(Ignored),
    Rejected(Vec<RejectionReason>),
}

impl From<Ignored> for EarlyExit {
    fn from(reason: Ignored) -> Self {
        Self::Ignored(reason)
    }
}

impl From<RejectionReason> for EarlyExit {
    fn from(error: RejectionReason) -> Self {
        Self::Rejected(vec![error])
    }
}
