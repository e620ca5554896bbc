//! Decides the messages of a partition, batch by batch, in order. Acknowledges a batch only after its
//! decisions are committed.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_nats::jetstream;
use futures_util::StreamExt;
use overdue::clock::Tick;
use overdue::store::{DueKind, DueQuery};
use overdue::{Event, Message, Policy};
use tokio::sync::watch;

use super::database::{Database, Lease};
use super::stream::{self, Entry, Stream};
use super::task::{Delivery, Task};
use super::wave::settle;

/// The most messages that share a transaction.
const BATCH: usize = 256;

/// The most due environments or runs that share a transaction.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(511);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One partition, and what is needed to process it.
#[derive(Clone, Debug)]
pub struct Processor {
    pub lease: Lease,
    /// The last message that was decided; at the start, by the previous owner.
    pub done: u64,
    pub database: Database,
    pub stream: Stream,
    pub policy: Arc<Policy>,
}

impl Processor {
    /// Processes batches until it is stopped, the lease is lost or something fails. The next owner of the
    /// partition gets what is not acknowledged by then.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), Failure> {
        let messages = self.stream.take_over(self.lease).await?;
        // What the previous owner did not publish.
        self.tell().await?;
        let mut batches = messages.ready_chunks(BATCH);
        loop {
            let batch = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                batch = batches.next() => batch.ok_or("the stream has ended")?,
            };
            let batch: Vec<jetstream::Message> = batch.into_iter().collect::<Result<_, _>>()?;
            self.work(&batch).await?;
            acknowledge(&batch).await?;
        }
    }

    /// Processes a batch.
    async fn work(&mut self, batch: &[jetstream::Message]) -> Result<(), Failure> {
        let mut checkins = Vec::new();
        let mut events = 0;
        for message in batch {
            let sequence = stream::sequence(message)?;
            match stream::entry(message) {
                Some(Entry::Checkin(checkin)) => checkins.push((*checkin, sequence)),
                Some(Entry::Pulse(tick)) => {
                    events += self.settle(std::mem::take(&mut checkins)).await?;
                    events += self.tick(tick).await?;
                }
                None => {
                    tracing::error!(subject = %message.subject, "a message in the stream is none of ours");
                }
            }
        }
        events += self.settle(checkins).await?;
        if events > 0 {
            self.tell().await?;
        }
        Ok(())
    }

    /// Decides check-ins, each with its position in the stream.
    async fn settle(&mut self, checkins: Vec<(Message, u64)>) -> Result<usize, Failure> {
        let Some(&(_, last)) = checkins.last() else { return Ok(0) };
        let done = self.done.max(last);
        let (mut tasks, mut rejections): (Vec<Task>, Vec<Event>) = (Vec::new(), Vec::new());
        for (message, sequence) in checkins {
            let delivery = if sequence <= self.done { Delivery::Again } else { Delivery::First };
            match Task::checkin(message, delivery, &self.policy) {
                Ok(task) => tasks.push(task),
                Err(rejection) => rejections.extend(rejection.map(|rejection| *rejection)),
            }
        }
        let events = settle(&self.database, (self.lease, done), &self.policy, &tasks, rejections).await?;
        self.done = done;
        Ok(events)
    }

    /// Handles all that is due in the partition, page by page: missed runs first, then timeouts.
    pub async fn tick(&self, tick: Tick) -> Result<usize, Failure> {
        let mut events = 0;
        for kind in [DueKind::Miss, DueKind::Timeout] {
            let mut query = DueQuery { kind, until: Some(tick.time()), after: None, limit: PAGE };
            loop {
                let page = self.database.due(self.lease.partition, &query).await?;
                let tasks: Vec<Task> = page.iter().map(|due| Task::due(due, tick)).collect();
                if !tasks.is_empty() {
                    events +=
                        settle(&self.database, (self.lease, 0), &self.policy, &tasks, Vec::new()).await?;
                    tracing::info!(partition = self.lease.partition, %tick, due = tasks.len(), "ticked");
                }
                if page.len() < PAGE.get() {
                    break;
                }
                query.after = page.last().cloned();
            }
        }
        Ok(events)
    }

    /// Empties the outbox.
    async fn tell(&self) -> Result<(), Failure> {
        loop {
            let pending = self.database.pending(self.lease.partition).await?;
            if pending.is_empty() {
                return Ok(());
            }
            self.stream.tell(pending.iter().map(|pending| &pending.event)).await?;
            self.database.told(&pending).await?;
        }
    }
}

/// Acknowledges a batch. Returns once the stream has recorded it, so that the next owner of the partition
/// gets none of it again.
async fn acknowledge(batch: &[jetstream::Message]) -> Result<(), Failure> {
    if let Some((last, others)) = batch.split_last() {
        for message in others {
            message.ack().await?;
        }
        last.double_ack().await?;
    }
    Ok(())
}
