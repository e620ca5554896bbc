//! The HTTP side: `overdue-protocol` takes check-ins, and the rest serves pages and the API.

mod answer;
mod api;
mod edit;
mod health;
mod intake;
mod origin;
mod page;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;

use crate::app::App;

/// Returns the router with all addresses.
pub(crate) fn router(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(page::status))
        .route("/fragment", get(page::status_fragment))
        .route("/new", get(page::new).post(page::create))
        .route("/monitors/{project}/{slug}", get(page::monitor).post(page::edit))
        .route("/style.css", get(page::style))
        .route("/script.js", get(page::script))
        .route("/api/monitors", get(api::monitors).post(api::create))
        .route("/api/monitors/{project}/{slug}", get(api::monitor).patch(api::edit).delete(api::remove))
        .route("/api/incidents", get(api::incidents))
        .route("/api/refusals", get(api::rejections))
        .layer(from_fn(origin::same_origin));
    Router::new()
        .merge(overdue_protocol::router())
        .merge(pages)
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(health::metrics))
        .layer(from_fn_with_state(app.clone(), count))
        .with_state(app)
}

/// Counts answers by status, and logs them.
async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let stopwatch = crate::time::Stopwatch::start();
    let response = next.run(request).await;
    let status = response.status();
    app.metrics.answers.with_label_values(&[status.as_str()]).inc();
    // The path of a check-in contains the key.
    let path = path.split("/cron/").next().unwrap_or_default();
    tracing::debug!(%method, path, status = status.as_u16(), elapsed = ?stopwatch.elapsed(), "answered");
    response
}
