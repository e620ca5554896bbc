//! Who keeps the check-ins: what a host says of itself to its front.

use axum::http::StatusCode;
use overdue::id::ProjectId;
use serde::Serialize;

use super::key::Key;

/// Keeps the check-ins that are heard.
pub(crate) trait Keeper: Clone + Send + Sync + 'static {
    type Receipt: Receipt;

    /// The key that check-ins must bring.
    fn key(&self) -> &Key;

    /// Keeps check-ins of one project, in order, and answers with a receipt for each once they are safe. There is at
    /// least one.
    fn keep(
        &self,
        project: ProjectId,
        checkins: Vec<Vec<u8>>,
    ) -> impl Future<Output = Result<Vec<Self::Receipt>, Unavailable>> + Send;
}

/// What a client is told of a check-in that is kept.
pub(crate) trait Receipt: Serialize + Send + 'static {
    /// As scripts read it: 202, or of the 4xx the one that says why the check-in was refused.
    fn status(&self) -> StatusCode;
}

/// Nothing is known to be kept; the same may be asked for again.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the store of check-ins is not available")]
pub(crate) struct Unavailable;
