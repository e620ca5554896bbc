//! Ingest: takes check-ins by `overdue-protocol`, and puts them into the stream.
//!
//! A client is answered once its check-in is safe there. A worker decides it later. So a check-in that will
//! be rejected is accepted here, and the rejection is an event.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use overdue::id::ProjectId;
use overdue_protocol::{self, Host, Key, Receipt, Unavailable};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::clock;
use crate::stream::Stream;

#[derive(Clone, Debug)]
struct Ingest {
    stream: Stream,
    key: Key,
}

/// A check-in is in the stream.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Queued,
}

impl Receipt for Kept {
    fn status(&self) -> StatusCode {
        StatusCode::ACCEPTED
    }
}

impl Host for Ingest {
    type Receipt = Kept;

    fn key(&self) -> &Key {
        &self.key
    }

    async fn accept(&self, project: ProjectId, checkins: Vec<Vec<u8>>) -> Result<Vec<Kept>, Unavailable> {
        let receipts = vec![Kept::Queued; checkins.len()];
        match self.stream.publish(project, checkins).await {
            Ok(()) => Ok(receipts),
            Err(error) => {
                tracing::error!(error = &*error as &dyn std::error::Error, "check-ins were not taken");
                Err(Unavailable)
            }
        }
    }
}

/// Takes check-ins until `stop` is done, and sends pulses meanwhile.
pub(crate) async fn run(listener: TcpListener, stream: Stream, key: &str, stop: impl Future<Output = ()>) {
    let ingest = Ingest { stream: stream.clone(), key: Key::new(key) };
    let router: Router = overdue_protocol::router().route("/healthz", get(healthz)).with_state(ingest);
    let clock = tokio::spawn(clock::run(stream));
    overdue_protocol::serve(listener, router, stop).await;
    clock.abort();
}

/// Whether the stream answers.
async fn healthz(State(ingest): State<Ingest>) -> Result<&'static str, (StatusCode, String)> {
    match ingest.stream.backlog().await {
        Ok(_) => Ok("ok\n"),
        Err(error) => Err((StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"))),
    }
}
