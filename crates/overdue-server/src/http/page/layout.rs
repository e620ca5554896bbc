//! The frame of all pages.

use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use maud::{DOCTYPE, Markup, html};
use overdue::id::MonitorKey;

/// Allows only our own script and style, whatever a name contains. Forbids frames around a page.
pub(super) const HEADERS: [(HeaderName, &str); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-cache"),
];

const ICON: &str = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>\
    <path d='M1 9h2v6H1zM5 5h2v10H5zM9 1h2v14H9z' fill='%232a9d6a'/><path d='M13 1h2v14h-2z' fill='%23d64545'/></svg>";

/// Renders a page: a part that the script refreshes from `fragment`, and the rest.
pub(super) fn frame(title: &str, fragment: &str, live: Markup, rest: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · overdue" }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href="/style.css";
                script src="/script.js" defer {}
                noscript { meta http-equiv="refresh" content="30"; }
            }
            body {
                header.top {
                    a.brand href="/" { span.mark aria-hidden="true" { i {} i {} i {} i {} } "overdue" }
                    nav { a.button href="/new" { "New monitor" } }
                }
                p #stale role="status" hidden { "The server does not answer. What you see may be out of date." }
                main {
                    div #live data-fragment=(fragment) { (live) }
                    (rest)
                }
            }
        }
    }
}

/// Renders an error.
pub(super) fn problem(status: StatusCode, text: &str) -> Markup {
    frame(
        "Sorry",
        "",
        html! {},
        html! {
            section.card {
                h1 { (status.as_u16()) " " (status.canonical_reason().unwrap_or_default()) }
                p { (text) "." }
                p { a href="/" { "All jobs" } }
            }
        },
    )
}

/// Returns the address of a monitor's page. Slugs need no escaping in an address.
pub(super) fn monitor_address(key: &MonitorKey) -> String {
    format!("/monitors/{}/{}", key.project, key.slug)
}
