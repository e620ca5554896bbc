//! The protocol in which jobs check in with a host of `overdue`.
//!
//! A host implements [`Host`], and serves [`router`] with it:
//!
//! ```no_run
//! # async fn run<H: overdue_protocol::Host>(host: H, listener: tokio::net::TcpListener) {
//! let router = overdue_protocol::router().with_state(host);
//! overdue_protocol::serve(listener, router, overdue_protocol::stop()).await;
//! # }
//! ```
#![expect(
    clippy::arithmetic_side_effects,
    reason = "it subtracts times from each other, and adds a minute to one"
)]
#![expect(clippy::exhaustive_enums, clippy::exhaustive_structs, reason = "its hosts are in this repository")]

pub mod answer;
pub mod body;
mod cron;
mod envelope;
mod host;
mod key;
pub mod line;
mod linger;
pub mod project;
pub mod schedule;
mod serve;
pub mod time;
pub mod time_text;
mod unread;

pub use host::{Host, Receipt, Unavailable};
pub use key::Key;
pub use serve::{serve, stop};

use axum::Router;
use axum::routing::{get, post};

/// The addresses that take check-ins.
pub fn router<H: Host>() -> Router<H> {
    let envelope = post(envelope::receive::<H>);
    let cron = get(cron::ping::<H>).post(cron::receive::<H>);
    Router::new()
        .route("/api/{project}/envelope/", envelope.clone())
        .route("/api/{project}/envelope", envelope)
        .route("/api/{project}/cron/{slug}/{key}/", cron.clone())
        .route("/api/{project}/cron/{slug}/{key}", cron)
}
