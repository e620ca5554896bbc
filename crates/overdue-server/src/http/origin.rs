//! Keeps forms and scripts of other sites from changing anything here.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::Rejection;

/// Admits a request that changes something only if it comes from our own page, or from no page at all.
pub(super) async fn same_origin(request: Request, next: Next) -> Response {
    if !request.method().is_safe() && is_foreign(request.headers()) {
        return Rejection::ForeignOrigin.into_response();
    }
    next.run(request).await
}

/// Browsers send the origin of a request, and pages cannot forge it. Curl sends none.
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
