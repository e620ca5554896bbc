//! Health and metrics, for a watcher of the server itself.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::app::App;

use super::answer::Rejection;

/// Whether check-ins can be written and pages read.
pub(super) async fn healthz(State(app): State<App>) -> Result<&'static str, Rejection> {
    app.writer.ask(|_| ()).await?;
    app.readers.read(|store| store.backlog().map(drop)).await?;
    Ok("ok\n")
}

pub(super) async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Rejection> {
    let (backlog, statuses) = app.readers.read(|store| Ok((store.backlog()?, store.statuses()?))).await?;
    app.metrics.waiting.reset();
    for (destination, count) in backlog {
        app.metrics.waiting.with_label_values(&[destination]).set(count.try_into().unwrap_or(i64::MAX));
    }
    let mut environments: BTreeMap<&str, i64> = BTreeMap::new();
    for status in statuses {
        *environments.entry(status.as_str()).or_default() += 1;
    }
    app.metrics.environments.reset();
    for (status, count) in environments {
        app.metrics.environments.with_label_values(&[status]).set(count);
    }
    let text = app.metrics.text().map_err(|error| {
        tracing::error!(%error, "the metrics could not be written");
        overdue_protocol::Unavailable
    })?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}
