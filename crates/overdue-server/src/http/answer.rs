//! Errors of the API: why a request was rejected, in JSON.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use overdue_protocol::Unavailable;
use overdue_protocol::answer::error_response;
use overdue_protocol::project::NotAProject;

/// Why a page is not shown, or a change not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejection {
    #[error("{0}")]
    Malformed(String),
    #[error("a page elsewhere may not do this")]
    ForeignOrigin,
    #[error(transparent)]
    NotAProject(#[from] NotAProject),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Conflict(String),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Rejection {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::NotAProject(_) | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        error_response(self.status(), &self)
    }
}
