//! What the protocol needs of a host.

use axum::http::StatusCode;
use overdue::id::ProjectId;
use serde::Serialize;

use super::key::Key;

/// Takes the check-ins that arrive.
pub trait Host: Clone + Send + Sync + 'static {
    /// The answer to a client for one check-in.
    type Receipt: Receipt;

    /// The key that check-ins must carry.
    fn key(&self) -> &Key;

    /// Stores the check-ins of one project, in order. Returns a receipt for each once they are safe. The list
    /// is never empty.
    fn accept(
        &self,
        project: ProjectId,
        checkins: Vec<Vec<u8>>,
    ) -> impl Future<Output = Result<Vec<Self::Receipt>, Unavailable>> + Send;
}

/// The answer to a client for one check-in that was stored.
pub trait Receipt: Serialize + Send + 'static {
    /// The HTTP status: 202, or a 4xx if the check-in was rejected.
    fn status(&self) -> StatusCode;
}

/// It is unknown whether the check-ins were stored. Sending them again is safe.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the store of check-ins is not available")]
pub struct Unavailable;
