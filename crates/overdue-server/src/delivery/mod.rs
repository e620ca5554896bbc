//! Delivers events from the outbox to destinations: each event at least once, those of one environment in
//! order.
//!
//! An event stays in the outbox until its destination has accepted it. A failed delivery is retried after
//! growing pauses. Meanwhile the events behind it wait, and those of other environments continue. After a
//! crash an event may be delivered twice, with the same id.

mod stdout;
mod webhook;

use std::collections::HashMap;
use std::time::Duration;

use overdue::Event;
use overdue_protocol::Unavailable;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::app::App;
use crate::store::Pending;
use crate::time::Stopwatch;

pub(crate) use stdout::Stdout;
pub(crate) use webhook::Webhook;

/// The most events that are sent to one destination at a time.
const AT_ONCE: usize = 8;

/// How long to wait after the first failure. Each further failure doubles the time, up to the maximum.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(300);

/// A receiver of events.
pub(crate) trait Destination: Clone + Send + Sync + 'static {
    /// Its name in the outbox.
    fn name(&self) -> &str;

    /// Delivers one event. May block.
    fn tell(&self, event: &Event) -> Result<(), Failed>;
}

/// A destination did not accept an event.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failed(String);

/// An environment whose events must wait.
#[derive(Clone, Copy, Debug)]
struct Pause {
    length: Duration,
    since: Stopwatch,
}

impl Pause {
    fn left(self) -> Duration {
        self.length.saturating_sub(self.since.elapsed())
    }
}

/// Delivers to one destination until it is dropped.
pub(crate) async fn run(app: App, destination: impl Destination) {
    let mut events = app.writer.events();
    let mut pauses: HashMap<Uuid, Pause> = HashMap::new();
    loop {
        events.mark_unchanged();
        let went_through = deliver(&app, &destination, &mut pauses).await;
        let wait = match went_through {
            Ok(0) => pauses.values().map(|pause| pause.left()).min(),
            // The events behind the accepted ones are pending now.
            Ok(_) => Some(Duration::ZERO),
            Err(Unavailable) => Some(FIRST_PAUSE),
        };
        tokio::select! {
            // The server stops once the last writer is gone.
            changed = events.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(wait.unwrap_or(LAST_PAUSE)) => {}
        }
    }
}

/// Tries all events that are pending now. Returns how many were accepted.
async fn deliver(
    app: &App,
    destination: &impl Destination,
    pauses: &mut HashMap<Uuid, Pause>,
) -> Result<usize, Unavailable> {
    let name = destination.name().to_owned();
    let mut pending = app.readers.read(move |store| store.pending(&name)).await?;
    pending.retain(|event| pauses.get(&event.environment).is_none_or(|pause| pause.left().is_zero()));
    let mut pending = pending.into_iter();
    let mut sending = JoinSet::new();
    let mut taken = 0;
    loop {
        while sending.len() < AT_ONCE
            && let Some(event) = pending.next()
        {
            let destination = destination.clone();
            sending.spawn_blocking(move || (destination.tell(&event.event), event));
        }
        let Some(sent) = sending.join_next().await else { return Ok(taken) };
        let (result, event) = sent.map_err(|_| Unavailable)?;
        if note(app, destination.name(), result, event, pauses).await? {
            taken += 1;
        }
    }
}

/// Records the result of a delivery.
async fn note(
    app: &App,
    name: &str,
    result: Result<(), Failed>,
    event: Pending,
    pauses: &mut HashMap<Uuid, Pause>,
) -> Result<bool, Unavailable> {
    let count = |result| app.metrics.deliveries.with_label_values(&[name, result]).inc();
    match result {
        Ok(()) => {
            count("taken");
            pauses.remove(&event.environment);
            let name = name.to_owned();
            let noted = app.writer.ask(move |engine| engine.store().delivered(&name, &event)).await?;
            noted.map_err(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "a delivery could not be noted");
                Unavailable
            })?;
            Ok(true)
        }
        Err(error) => {
            count("failed");
            let before = pauses.get(&event.environment).map(|pause| pause.length * 2);
            let length = before.unwrap_or(FIRST_PAUSE).min(LAST_PAUSE);
            tracing::warn!(%error, destination = name, event = %event.event.id(), again_in = ?length, "not delivered");
            pauses.insert(event.environment, Pause { length, since: Stopwatch::start() });
            Ok(false)
        }
    }
}
