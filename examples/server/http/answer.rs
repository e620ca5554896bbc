//! Answers that are no pages: why a request was turned away, in JSON.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::writer::Unavailable;

/// Why a request is turned away.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejection {
    #[error("{0}")]
    Malformed(String),
    #[error("there is no key: send one in X-Sentry-Auth, as ?sentry_key= or in the DSN of the envelope")]
    KeyMissing,
    #[error("the key is not the one of this server")]
    KeyWrong,
    #[error("a page elsewhere may not do this")]
    ForeignOrigin,
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Conflict(String),
    #[error("the body took too long to arrive")]
    TooSlow,
    #[error("{0}")]
    TooLarge(String),
    #[error("the encoding {0:?} is not known: send gzip, deflate, br, zstd or none")]
    EncodingUnknown(String),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Rejection {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::KeyMissing => StatusCode::UNAUTHORIZED,
            Self::KeyWrong | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::EncodingUnknown(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        (self.status(), Json(json!({ "error": self.to_string() }))).into_response()
    }
}
