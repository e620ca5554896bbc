//! Where decisions are made: a partition's messages, batch by batch, in order. What a batch causes is committed, and only
//! then is the batch acknowledged.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_nats::jetstream;
use futures_util::StreamExt;
use overdue::clock::Tick;
use overdue::store::{DueKind, DueQuery};
use overdue::{Event, Message, Policy};
use tokio::sync::watch;

use super::database::{Claim, Database};
use super::stream::{self, Entry, Stream};
use super::task::{Delivery, Task};
use super::wave::settle;

/// How many messages share a transaction at most.
const BATCH: usize = 256;

/// How many environments or runs that are due share one.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(511);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One partition, and all that is needed to work on it.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) claim: Claim,
    /// The last message that was decided, by an owner before to begin with.
    pub(crate) done: u64,
    pub(crate) database: Database,
    pub(crate) stream: Stream,
    pub(crate) policy: Arc<Policy>,
}

impl Desk {
    /// Works until it is told to stop, the claim is lost or something fails. What is not acknowledged then is the next
    /// owner's to do.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), Failure> {
        let messages = self.stream.take_over(self.claim).await?;
        // What an owner before had no time to tell.
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

    /// Does what a batch says.
    async fn work(&mut self, batch: &[jetstream::Message]) -> Result<(), Failure> {
        let mut checkins = Vec::new();
        let mut events = 0;
        for message in batch {
            let sequence = stream::sequence(message)?;
            match stream::entry(message) {
                Some(Entry::Checkin(checkin)) => checkins.push((checkin, sequence)),
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

    /// Decides check-ins, each with its place in the stream.
    async fn settle(&mut self, checkins: Vec<(Message, u64)>) -> Result<usize, Failure> {
        let Some(&(_, last)) = checkins.last() else { return Ok(0) };
        let done = self.done.max(last);
        let (mut tasks, mut refusals): (Vec<Task>, Vec<Event>) = (Vec::new(), Vec::new());
        for (message, sequence) in checkins {
            let delivery = if sequence <= self.done { Delivery::Again } else { Delivery::First };
            match Task::checkin(message, delivery, &self.policy) {
                Ok(task) => tasks.push(task),
                Err(refusal) => refusals.push(*refusal),
            }
        }
        let events = settle(&self.database, (self.claim, done), &self.policy, &tasks, refusals).await?;
        self.done = done;
        Ok(events)
    }

    /// Handles all that is due in the partition, page by page: misses first, then timeouts.
    pub(crate) async fn tick(&self, tick: Tick) -> Result<usize, Failure> {
        let mut events = 0;
        for kind in [DueKind::Miss, DueKind::Timeout] {
            let mut query = DueQuery { kind, until: Some(tick.time()), after: None, limit: PAGE };
            loop {
                let page = self.database.due(self.claim.partition, &query).await?;
                let tasks: Vec<Task> = page.iter().map(|due| Task::due(due, tick)).collect();
                if !tasks.is_empty() {
                    events +=
                        settle(&self.database, (self.claim, 0), &self.policy, &tasks, Vec::new()).await?;
                    tracing::info!(partition = self.claim.partition, %tick, due = tasks.len(), "ticked");
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
            let pending = self.database.pending(self.claim.partition).await?;
            if pending.is_empty() {
                return Ok(());
            }
            self.stream.tell(pending.iter().map(|pending| &pending.event)).await?;
            self.database.told(&pending).await?;
        }
    }
}

/// Done once the stream has taken note: who has the partition next gets none of these again.
async fn acknowledge(batch: &[jetstream::Message]) -> Result<(), Failure> {
    if let Some((last, others)) = batch.split_last() {
        for message in others {
            message.ack().await?;
        }
        last.double_ack().await?;
    }
    Ok(())
}
