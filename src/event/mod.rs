//! What the engine reports to the host: incidents, occurrences and rejections.

pub mod reference;
mod sink;

pub use sink::{EventSink, NoSink};

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{EnvironmentKey, EnvironmentName, EventId, MonitorId};
use crate::policy::SamplingRequest;
use crate::rejection::{LogEntry, LogScope, RejectionReason};
use crate::row::{Incident, Monitor, Resolution, RunStatus, RunSummary};
use crate::wire::Message;

/// Something that happened.
///
/// The id of an event is derived from its cause. An event that arrives twice, from an outbox and a sink or
/// from two workers, has the same [`Event::id`].
///
/// ```
/// use overdue::Event;
///
/// fn line(event: &Event) -> Option<String> {
///     Some(match event {
///         Event::IncidentOpened(alert) => {
///             format!("{} in {} fails: {}", alert.monitor.name(), alert.environment, alert.reason())
///         }
///         Event::IncidentResolved(recovery) => format!("{} has recovered", recovery.monitor.name()),
///         Event::Rejected(rejection) => format!("{:?}", rejection.errors),
///         _ => return None,
///     })
/// }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// An incident is announced: page somebody. Sent once for each incident. If the incident opened under a
    /// mute, it is sent with the first failure after the mute ended.
    IncidentOpened(Occurrence),
    /// One failed run of an announced incident. The runs that opened it are sent one by one.
    IncidentOccurrence(Occurrence),
    /// An announced incident was resolved.
    IncidentResolved(Recovery),
    /// An event that only the rules of the reference emit.
    #[serde(rename = "failure")]
    Reference(reference::Failure),
    /// An incident opened, and the policy requests traces of its job: see
    /// [`SamplingPolicy`](crate::policy::SamplingPolicy).
    SamplingRequested {
        /// The event's id; a repeat has the same one.
        id: EventId,
        /// The rule to create or extend.
        request: SamplingRequest,
    },
    /// A check-in was rejected, and why: show it to the owner of the job. No run was started or changed. If its
    /// monitor found no seat, the monitor is now disabled. Otherwise the standard profile writes nothing.
    #[serde(alias = "refused")]
    Rejected(Rejection),
}

impl Event {
    /// The event's id; a repeat has the same one.
    pub const fn id(&self) -> EventId {
        match self {
            Self::IncidentOpened(occurrence) | Self::IncidentOccurrence(occurrence) => occurrence.id,
            Self::IncidentResolved(recovery) => recovery.id,
            Self::Reference(failure) => failure.id,
            Self::SamplingRequested { id, .. } => *id,
            Self::Rejected(rejection) => rejection.id,
        }
    }

    /// The event's kind, as it serialises: `incident_opened`.
    ///
    /// ```
    /// # fn count(event: &overdue::Event) {
    /// println!("events_total{{kind={:?}}} 1", event.kind());
    /// # }
    /// ```
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::IncidentOpened(_) => "incident_opened",
            Self::IncidentOccurrence(_) => "incident_occurrence",
            Self::IncidentResolved(_) => "incident_resolved",
            Self::Reference(_) => "failure",
            Self::SamplingRequested { .. } => "sampling_requested",
            Self::Rejected(_) => "rejected",
        }
    }

    /// The environment of the event: an outbox keeps the events of one environment in order. `None` for a
    /// sampling request and a rejection, which may be sent in any order.
    ///
    /// ```
    /// use overdue::Event;
    /// use overdue::id::EnvironmentKey;
    ///
    /// /// What may be sent at once: the first event of each environment.
    /// fn heads(outbox: &[Event]) -> Vec<&Event> {
    ///     let mut begun: Vec<EnvironmentKey> = Vec::new();
    ///     let first = |event: &&Event| match event.environment() {
    ///         Some(key) if begun.contains(&key) => false,
    ///         key => {
    ///             begun.extend(key);
    ///             true
    ///         }
    ///     };
    ///     outbox.iter().filter(first).collect()
    /// }
    /// ```
    pub fn environment(&self) -> Option<EnvironmentKey> {
        let (monitor, name) = match self {
            Self::IncidentOpened(event) | Self::IncidentOccurrence(event) => {
                (&event.monitor, &event.environment)
            }
            Self::IncidentResolved(event) => (&event.monitor, &event.environment),
            Self::Reference(event) => (&event.monitor, &event.environment),
            Self::SamplingRequested { .. } | Self::Rejected(_) => return None,
        };
        Some(EnvironmentKey { monitor: monitor.key().clone(), name: name.clone() })
    }
}

/// A failed run under an incident, with what an alert needs to say about it.
///
/// ```
/// use overdue::event::Occurrence;
///
/// fn subject(occurrence: &Occurrence) -> String {
///     let number = occurrence.incident.number();
///     format!("[{}] {} (incident {number})", occurrence.environment, occurrence.monitor.name())
/// }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Occurrence {
    /// The event's id; a repeat has the same one.
    pub id: EventId,
    /// The monitor at the time of the event.
    pub monitor: Arc<Monitor>,
    /// The environment.
    pub environment: EnvironmentName,
    /// The incident.
    pub incident: Arc<Incident>,
    /// The failed run.
    pub run: RunSummary,
    /// The failed runs that led here, oldest first: those of the window when an incident opens, and later the
    /// run alone.
    pub failing: Arc<[RunSummary]>,
    /// The newest run that succeeded.
    pub last_ok: Option<RunSummary>,
    /// The trace of the run that caused the event.
    pub trace_id: Option<Uuid>,
}

impl Occurrence {
    /// The failures counted by kind, in the order they first occur: "2 missed runs and 1 timed-out run".
    ///
    /// ```
    /// # fn show(occurrence: &overdue::event::Occurrence) {
    /// println!("{}: {}", occurrence.monitor.name(), occurrence.reason());
    /// # }
    /// ```
    pub fn reason(&self) -> Reason<'_> {
        Reason(&self.failing)
    }
}

/// Displays failed runs counted by kind.
///
/// ```
/// # fn show(occurrence: &overdue::event::Occurrence) {
/// assert_eq!(occurrence.reason().to_string(), "2 missed runs and 1 timed-out run");
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reason<'a>(&'a [RunSummary]);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: Vec<(RunStatus, usize)> = Vec::new();
        for run in self.0 {
            match kinds.iter_mut().find(|(status, _)| *status == run.status) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => kinds.push((run.status, 1)),
            }
        }
        let last = kinds.len().saturating_sub(1);
        for (index, (status, count)) in kinds.into_iter().enumerate() {
            match index {
                0 => {}
                _ if index == last => f.write_str(" and ")?,
                _ => f.write_str(", ")?,
            }
            let kind = match status {
                RunStatus::InProgress => "unfinished",
                RunStatus::Ok => "successful",
                RunStatus::Error => "failed",
                RunStatus::Missed => "missed",
                RunStatus::Timeout => "timed-out",
                RunStatus::Unknown => "unknown",
            };
            let runs = if count == 1 { "run" } else { "runs" };
            write!(f, "{count} {kind} {runs}")?;
        }
        Ok(())
    }
}

/// The resolution of an incident.
///
/// ```
/// use overdue::event::Recovery;
///
/// fn minutes_down(recovery: &Recovery) -> i64 {
///     (recovery.resolution.at - recovery.incident.started_at()).num_minutes()
/// }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Recovery {
    /// The event's id; a repeat has the same one.
    pub id: EventId,
    /// The monitor at the time of the event.
    pub monitor: Arc<Monitor>,
    /// The environment.
    pub environment: EnvironmentName,
    /// The resolved incident.
    pub incident: Arc<Incident>,
    /// How it was resolved.
    pub resolution: Resolution,
}

/// A check-in that was rejected.
///
/// ```
/// use overdue::Event;
///
/// # use overdue::{Engine, MemoryStore, Message, Policy};
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// # let (sink, told) = std::sync::mpsc::channel();
/// # let engine = Engine::new(MemoryStore::new(), Policy::default()).with_sink(sink);
/// engine.process_checkin(&Message { body: b"hello".to_vec().into(), ..message })?;
/// let Event::Rejected(rejection) = told.recv()? else { panic!("not rejected") };
/// assert_eq!(rejection.errors[0].kind().as_str(), "checkin_validation_failed");
/// assert_eq!(*rejection.message.body.bytes(), *b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rejection {
    /// The event's id; a repeat has the same one.
    pub id: EventId,
    /// When the check-in was received.
    pub received_at: DateTime<Utc>,
    /// Every reason for the rejection.
    pub errors: Vec<RejectionReason>,
    /// The check-in itself.
    pub message: Message,
}

impl Rejection {
    /// Makes the rejection of a message for these reasons. An asynchronous host sends it to its own sink.
    pub fn new(message: Message, errors: Vec<RejectionReason>) -> Self {
        let Message { project, received_at, .. } = message;
        Self {
            id: EventId::of_rejection(project, received_at, &message.body.bytes()),
            received_at,
            errors,
            message,
        }
    }

    /// The [log](crate::rejection::RejectionLog) to file it in: the monitor's, or the project's if the
    /// monitor does not exist.
    pub fn owner(&self) -> LogScope {
        let unknown = self.errors.contains(&RejectionReason::MonitorNotFound);
        match self.message.monitor().filter(|_| !unknown) {
            Some(key) => LogScope::Monitor(MonitorId::of(&key)),
            None => LogScope::Project(self.message.project),
        }
    }

    /// Its entry in that log.
    pub fn entry(&self) -> LogEntry<Message> {
        LogEntry {
            id: self.id,
            at: self.received_at,
            errors: self.errors.clone(),
            checkin: self.message.clone(),
        }
    }
}
