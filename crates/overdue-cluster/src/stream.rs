//! The stream: check-ins and pulses of the clock, in partitions, kept by JetStream until a worker is done
//! with them; and events on their way out.
//!
//! The stream is the clock. It sets the time of every message on arrival, so that within a partition times
//! follow the order, and a pulse comes after all check-ins of an earlier time. An imported message brings a
//! time of its own, which is used as it is.

use std::borrow::Borrow;
use std::num::NonZeroU32;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::context::{Context, ContextBuilder, PublishAckFuture};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, stream};
use async_nats::{ConnectOptions, HeaderMap, ServerAddr};
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::{StreamExt, TryStreamExt};
use overdue::clock::Tick;
use overdue::id::{OrganizationId, ProjectId};
use overdue::{Event, Message};

use super::database::Lease;
use super::partition::Partitions;

/// One team: all projects belong to one organization.
pub const ORGANIZATION: OrganizationId = OrganizationId::new(1);

const CHECKINS: &str = "overdue-checkins";
const EVENTS: &str = "overdue-events";

/// The project of a check-in. A message without it is a pulse.
const PROJECT: &str = "Overdue-Project";
/// The time of an imported message.
const AT: &str = "Overdue-At";

/// How long the stream may take to acknowledge a message.
const PATIENCE: Duration = Duration::from_secs(5);

/// Within this time, a second pulse of the same moment or a second copy of an event is dropped.
const TWINS: Duration = Duration::from_secs(120);

/// How long events are kept for listeners.
const EVENTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The most messages sent ahead: by the stream to a worker, or to the stream before it has acknowledged the
/// first.
const AHEAD: usize = 1024;

/// The most messages that may wait for an acknowledgement by the stream.
const INFLIGHT: usize = 65_536;

/// Messages that are neither acknowledged nor lost with their worker come again after this time. Those of a
/// lost worker do not wait for it: its successor begins with them.
const ACK_WAIT: Duration = Duration::from_secs(300);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a worker reads.
#[derive(Clone, Debug)]
pub enum Entry {
    Checkin(Box<Message>),
    /// Everything before it has been read.
    Pulse(Tick),
}

#[derive(Clone, Debug)]
pub struct Stream {
    context: Context,
    partitions: Partitions,
    name: String,
}

impl Stream {
    /// Connects to the stream, which must exist.
    pub async fn open(url: &str) -> Result<Self, Failure> {
        let context = connect(url).await?;
        let checkins = context.get_stream(CHECKINS).await;
        let checkins = checkins
            .map_err(|error| format!("there is no stream, run `overdue-cluster migrate`: {error}"))?;
        let count = u32::try_from(checkins.cached_info().config.subjects.len())?;
        let count = NonZeroU32::new(count).ok_or("the stream has no partitions")?;
        let name = format!("{CHECKINS} of {}", checkins.cached_info().created);
        Ok(Self { context, partitions: Partitions::new(count), name })
    }

    /// The identity of the stream. A new stream has another name: its messages are counted from the first.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Creates the stream with these partitions. A stream that exists keeps its own.
    pub async fn create(url: &str, partitions: Partitions, replicas: usize) -> Result<(), Failure> {
        let context = connect(url).await?;
        context
            .get_or_create_stream(Config {
                name: CHECKINS.to_owned(),
                description: Some(
                    "Check-ins, and pulses of the clock, that no worker is done with.".to_owned(),
                ),
                subjects: partitions.all().map(subject).collect(),
                // Only acknowledged messages are removed. When the disk is full, new ones are refused.
                retention: RetentionPolicy::WorkQueue,
                discard: DiscardPolicy::New,
                storage: StorageType::File,
                num_replicas: replicas,
                duplicate_window: TWINS,
                ..Config::default()
            })
            .await?;
        context
            .get_or_create_stream(Config {
                name: EVENTS.to_owned(),
                description: Some("What happened, for listeners.".to_owned()),
                subjects: vec!["overdue.events.*".to_owned()],
                max_age: EVENTS_KEPT,
                storage: StorageType::File,
                num_replicas: replicas,
                duplicate_window: TWINS,
                ..Config::default()
            })
            .await?;
        Ok(())
    }

    pub const fn partitions(&self) -> Partitions {
        self.partitions
    }

    /// The number of messages that no worker is done with.
    pub async fn backlog(&self) -> Result<u64, Failure> {
        Ok(self.context.get_stream(CHECKINS).await?.cached_info().state.messages)
    }

    /// Puts check-ins of one project into the stream, in order. Returns once they are safe there.
    pub async fn publish(&self, project: ProjectId, checkins: Vec<Vec<u8>>) -> Result<(), Failure> {
        // The stream sets the time of each on arrival.
        let message = |checkin| Message::new(ORGANIZATION, project, DateTime::UNIX_EPOCH, checkin);
        self.publish_all(checkins.into_iter().map(|checkin| (message(checkin), None))).await
    }

    /// Puts check-ins of an earlier time into the stream, as if they had been received then.
    #[allow(dead_code, reason = "tests and measurements do it")]
    pub async fn import(&self, messages: &[Message]) -> Result<(), Failure> {
        self.publish_all(messages.iter().map(|message| (message, Some(message.received_at)))).await
    }

    async fn publish_all(
        &self,
        messages: impl Iterator<Item = (impl Borrow<Message>, Option<DateTime<Utc>>)>,
    ) -> Result<(), Failure> {
        let mut sent = Vec::new();
        for (message, at) in messages {
            let message = message.borrow();
            let subject = subject(self.partitions.of_message(message));
            let bytes = message.body.bytes().into_owned();
            let headers = headers(Some(message.project), at);
            let publish = PublishMessage::build().headers(headers).payload(bytes.into());
            sent.push(self.context.send_publish(subject, publish).await?);
            if sent.len() == AHEAD {
                acknowledged(std::mem::take(&mut sent)).await?;
            }
        }
        acknowledged(sent).await
    }

    /// Sends a pulse through every partition. The stream drops all but the first pulse of a moment.
    pub async fn pulse(&self, moment: i64) -> Result<(), Failure> {
        self.pulses(&moment.to_string(), None).await
    }

    /// Sends a pulse with another time, behind what is imported.
    #[allow(dead_code, reason = "tests do it")]
    pub async fn import_pulse(&self, at: DateTime<Utc>) -> Result<(), Failure> {
        self.pulses(&at.to_rfc3339(), Some(at)).await
    }

    async fn pulses(&self, moment: &str, at: Option<DateTime<Utc>>) -> Result<(), Failure> {
        let mut sent = Vec::new();
        for partition in self.partitions.all() {
            let pulse = PublishMessage::build()
                .headers(headers(None, at))
                .message_id(format!("{moment}/{partition}"));
            sent.push(self.context.send_publish(subject(partition), pulse).await?);
        }
        acknowledged(sent).await
    }

    /// Becomes the only consumer of a partition, starting with the first unacknowledged message. The previous
    /// consumer gets no more: the stream allows one consumer of a partition.
    ///
    /// The messages end where one is missing. A message that is lost with a broken connection comes again,
    /// but after later ones; a new consumer begins with it.
    pub async fn take_over(
        &self,
        lease: Lease,
    ) -> Result<
        impl futures_util::Stream<Item = Result<jetstream::Message, Failure>> + Send + Unpin + use<>,
        Failure,
    > {
        let checkins = self.context.get_stream_no_info(CHECKINS).await?;
        let mine = format!("partition-{}-", lease.partition);
        let names: Vec<String> = checkins.consumer_names().try_collect().await?;
        for name in names.iter().filter(|name| name.starts_with(&mine)) {
            match checkins.delete_consumer(name).await {
                Err(error) if !is_gone(&error) => return Err(error.into()),
                _ => {}
            }
        }
        let name = format!("{mine}{}", lease.number);
        let consumer: PullConsumer = checkins
            .create_consumer(pull::Config {
                durable_name: Some(name),
                filter_subject: subject(lease.partition),
                ack_policy: AckPolicy::Explicit,
                ack_wait: ACK_WAIT,
                max_ack_pending: i64::try_from(4 * AHEAD)?,
                ..pull::Config::default()
            })
            .await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(AHEAD)
            .expires(Duration::from_secs(5))
            .heartbeat(Duration::from_secs(1))
            .messages()
            .await?;
        let mut last = 0;
        Ok(messages.map(move |message| {
            let message = message?;
            let number = message.info()?.consumer_sequence;
            if number != last + 1 {
                return Err(format!("messages are missing between {last} and {number}").into());
            }
            last = number;
            Ok(message)
        }))
    }

    /// Publishes events, in order. Returns once they are safe. An event that was published before is dropped.
    pub async fn tell(&self, events: impl Iterator<Item = &Event>) -> Result<(), Failure> {
        let mut sent = Vec::new();
        for event in events {
            let id = event.id().as_uuid().to_string();
            let told = PublishMessage::build().message_id(id).payload(serde_json::to_vec(event)?.into());
            sent.push(self.context.send_publish(format!("overdue.events.{}", event.kind()), told).await?);
        }
        acknowledged(sent).await
    }

    /// The events from a point in the stream on.
    pub async fn listen(
        &self,
        deliver_policy: DeliverPolicy,
    ) -> Result<impl futures_util::Stream<Item = Result<Event, Failure>> + Send + Unpin + use<>, Failure>
    {
        let events = self.context.get_stream_no_info(EVENTS).await?;
        let config = pull::OrderedConfig { deliver_policy, ..pull::OrderedConfig::default() };
        let messages = events.create_consumer(config).await?.messages().await?;
        Ok(Box::pin(messages.map(|message| Ok(serde_json::from_slice(&message?.payload)?))))
    }
}

/// Returns a message's position in the stream.
pub fn sequence(message: &jetstream::Message) -> Result<u64, Failure> {
    Ok(message.info()?.stream_sequence)
}

/// Returns the content of a message, or `None` if it is not one of ours.
pub fn entry(message: &jetstream::Message) -> Option<Entry> {
    let header = |name| message.headers.as_ref().and_then(|headers| headers.get(name));
    let at = match header(AT) {
        Some(at) => at.as_str().parse().ok()?,
        None => message.info().ok()?.published,
    };
    Some(match header(PROJECT) {
        Some(project) => {
            let project = ProjectId::new(project.as_str().parse().ok()?);
            Entry::Checkin(Box::new(Message::new(ORGANIZATION, project, at, message.payload.to_vec())))
        }
        None => Entry::Pulse(Tick::at(at)),
    })
}

fn headers(project: Option<ProjectId>, at: Option<DateTime<Utc>>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(project) = project {
        headers.insert(PROJECT, project.to_string());
    }
    if let Some(at) = at {
        headers.insert(AT, at.to_rfc3339_opts(SecondsFormat::Nanos, true));
    }
    headers
}

fn subject(partition: u32) -> String {
    format!("overdue.checkins.{partition}")
}

async fn connect(url: &str) -> Result<Context, Failure> {
    let servers: Vec<ServerAddr> = url.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let client = ConnectOptions::new().name("overdue").connect(servers).await;
    let client = client.map_err(|error| format!("cannot reach NATS at {url}: {error}"))?;
    // A caller that publishes several messages holds some places while it waits for more, so nothing may
    // wait: if all places are taken, the stream does not keep up, and publishing fails.
    let context = ContextBuilder::new().timeout(PATIENCE).ack_timeout(PATIENCE);
    Ok(context.max_ack_inflight(INFLIGHT).backpressure_on_inflight(false).build(client))
}

async fn acknowledged(sent: Vec<PublishAckFuture>) -> Result<(), Failure> {
    for ack in sent {
        ack.await?;
    }
    Ok(())
}

fn is_gone(error: &stream::ConsumerError) -> bool {
    matches!(error.kind(), stream::ConsumerErrorKind::JetStream(error) if error.code() == 404)
}
