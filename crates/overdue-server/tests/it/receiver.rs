//! A webhook, like that of an alerting system.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

/// Accepts events, and remembers them.
#[derive(Clone, Default)]
pub(super) struct Receiver {
    pub(super) url: String,
    events: Arc<Mutex<Vec<Value>>>,
    /// The number of requests that it answers with an error first.
    refusing: Arc<AtomicUsize>,
}

impl Receiver {
    pub(super) fn start(refusing: usize) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { url, refusing: Arc::new(AtomicUsize::new(refusing)), ..Self::default() };
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        receiver
    }

    /// Accepts every event from now on.
    pub(super) fn take_from_now_on(&self) {
        self.refusing.store(0, Ordering::Relaxed);
    }

    /// Everything received, including repeats.
    pub(super) fn all(&self) -> Vec<Value> {
        self.events.lock().unwrap().clone()
    }

    /// The received events without repeats: kind and slug.
    pub(super) fn told(&self) -> Vec<(String, String)> {
        let mut seen = HashSet::new();
        let events = self.all().into_iter().filter(|event| seen.insert(event["id"].to_string()));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        events
            .map(|event| (text(&event["event"]["kind"]), text(&event["event"]["monitor"]["key"]["slug"])))
            .collect()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
    let fewer = |left: usize| left.checked_sub(1);
    if receiver.refusing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(headers["overdue-event-id"], event["id"].as_str().unwrap());
    assert_eq!(headers["content-type"], "application/json");
    receiver.events.lock().unwrap().push(event);
    StatusCode::NO_CONTENT
}
