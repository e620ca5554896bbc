//! Forms and scripts of other pages must not change anything here.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::Rejection;

/// Lets a request that changes something pass only if it comes from a page of ours, or from no page at all.
pub(super) async fn same_origin(request: Request, next: Next) -> Response {
    if !request.method().is_safe() && is_foreign(request.headers()) {
        return Rejection::ForeignOrigin.into_response();
    }
    next.run(request).await
}

/// Browsers say where a request comes from, and pages cannot make them lie; curl says nothing.
fn is_foreign(headers: &HeaderMap) -> bool {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match (header("sec-fetch-site"), header(ORIGIN.as_str())) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_none() || host != header(HOST.as_str())
        }
        (None, None) => false,
    }
}
