//! Why a request is rejected, in JSON.

use std::fmt::Display;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::host::Unavailable;
use super::project::NotAProject;

/// Why a request is rejected.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// The request is incomplete or malformed.
    #[error("{0}")]
    Malformed(String),
    /// The request has no key.
    #[error("there is no key: send one in X-Sentry-Auth, as ?sentry_key= or in the DSN of the envelope")]
    KeyMissing,
    /// The request has a wrong key.
    #[error("the key is not the one of this server")]
    KeyWrong,
    /// The address names no project.
    #[error(transparent)]
    NotAProject(#[from] NotAProject),
    /// The body did not arrive in time.
    #[error("the body took too long to arrive")]
    TooSlow,
    /// The body, or a check-in in it, exceeds a limit.
    #[error("{0}")]
    TooLarge(String),
    /// The encoding of the body is not supported.
    #[error("the encoding {0:?} is not known: send gzip, deflate, br, zstd or none")]
    EncodingUnknown(String),
    /// The host cannot store check-ins now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Rejection {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::KeyMissing => StatusCode::UNAUTHORIZED,
            Self::KeyWrong => StatusCode::FORBIDDEN,
            Self::NotAProject(_) => StatusCode::NOT_FOUND,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::EncodingUnknown(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        error_response(self.status(), &self)
    }
}

/// Returns the reason for a rejection in JSON.
pub fn error_response(status: StatusCode, why: &impl Display) -> Response {
    (status, Json(json!({ "error": why.to_string() }))).into_response()
}
