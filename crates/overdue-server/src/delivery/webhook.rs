//! A webhook: each event is posted as JSON.
//!
//! The body is `{"id": .., "text": "DOWN nightly-backup (production): 1 missed run", "event": {"kind": ..,
//! ..}}`. The id is also in the header `Overdue-Event-Id`; a receiver that has seen it drops the event. Any
//! answer of 200 to 299 means that the event was accepted.

use std::sync::Arc;
use std::time::Duration;

use overdue::Event;
use overdue_protocol::line::Line;
use serde::Serialize;
use ureq::Agent;

use super::{Destination, Failed};

const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    url: Arc<str>,
    agent: Agent,
}

#[derive(Serialize)]
struct Body<'a> {
    id: String,
    text: String,
    event: &'a Event,
}

impl Webhook {
    pub(crate) fn new(url: &str) -> Self {
        let config = Agent::config_builder().timeout_global(Some(TIMEOUT)).max_redirects(0);
        Self { url: url.into(), agent: config.http_status_as_error(false).build().into() }
    }
}

impl Destination for Webhook {
    fn name(&self) -> &str {
        &self.url
    }

    fn tell(&self, event: &Event) -> Result<(), Failed> {
        let body = Body { id: event.id().to_string(), text: Line(event).to_string(), event };
        let json = serde_json::to_vec(&body).map_err(|error| Failed(error.to_string()))?;
        let request = self
            .agent
            .post(&*self.url)
            .header("content-type", "application/json")
            .header("overdue-event-id", &body.id);
        let answer = request.send(&json).map_err(|error| Failed(error.to_string()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(Failed(format!("it answered {status}"))),
        }
    }
}
