//! The front of a host: the protocol in which jobs check in, whoever keeps what they say.
//!
//! A host includes this folder, implements [`Keeper`], and serves [`router`] with it:
//!
//! ```ignore
//! #[path = "../front/mod.rs"]
//! mod front;
//!
//! front::serve(listener, front::router().with_state(keeper), stop).await;
//! ```

pub(crate) mod answer;
pub(crate) mod body;
mod cron;
mod envelope;
mod keeper;
mod key;
pub(crate) mod project;
pub(crate) mod schedule;
mod serve;

pub(crate) use keeper::{Keeper, Receipt, Unavailable};
pub(crate) use key::Key;
pub(crate) use serve::{serve, stop};

use axum::Router;
use axum::routing::{get, post};

/// The addresses that take check-ins.
pub(crate) fn router<K: Keeper>() -> Router<K> {
    let envelope = post(envelope::receive::<K>);
    let cron = get(cron::ping::<K>).post(cron::receive::<K>);
    Router::new()
        .route("/api/{project}/envelope/", envelope.clone())
        .route("/api/{project}/envelope", envelope)
        .route("/api/{project}/cron/{slug}/{key}/", cron.clone())
        .route("/api/{project}/cron/{slug}/{key}", cron)
}
