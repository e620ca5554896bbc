//! Why processing of a check-in ends early.

use crate::outcome::Ignored;
use crate::rejection::RejectionReason;

/// Why processing of a check-in ends early.
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
