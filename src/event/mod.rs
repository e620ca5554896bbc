//! What the engine tells the host: incidents, occurrences and refusals.

mod sink;

pub use sink::{EventSink, NoSink};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::checkin::Message;
use crate::id::{ErrorId, EventId, MonitorId};
use crate::key::{EnvironmentKey, EnvironmentName};
use crate::refusal::{ErrorEntry, ErrorOwner, ProcessingError};
use crate::row::Failure;
use crate::row::Monitor;
use crate::row::{Incident, Resolution};
use crate::row::{RunStatus, RunSummary};
use crate::sampling::SamplingRequest;

/// Something that happened.
///
/// The id of an event is derived from its cause: whoever receives one twice, from an outbox and a sink or
/// from two workers, tells it by [`Event::id`].
///
/// ```
/// use overdue::Event;
///
/// fn line(event: &Event) -> Option<String> {
///     Some(match event {
///         Event::IncidentOpened(alert) => {
///             format!("{} in {} fails: {}", alert.monitor.name(), alert.environment, alert.reason())
///         }
///         Event::IncidentResolved(recovery) => format!("{} is well again", recovery.monitor.name()),
///         Event::Refused(refusal) => format!("{:?}", refusal.errors),
///         _ => return None,
///     })
/// }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// An incident is announced: page somebody. Sent once an incident; for one that opened under a mute,
    /// with the first failure after the mute was lifted.
    IncidentOpened(Occurrence),
    /// One failing run of an announced incident. The runs that opened it are sent one by one.
    IncidentOccurrence(Occurrence),
    /// An announced incident is over.
    IncidentResolved(Recovery),
    /// A failure, in the mode without incidents.
    Failure(LegacyFailure),
    /// An incident opened, and the policy asks for traces of its job: see [`sampling`](crate::sampling).
    SamplingRequested {
        /// The id to tell repeats by.
        id: EventId,
        /// The rule to create or extend.
        request: SamplingRequest,
    },
    /// A check-in was refused, with why: show it to the owner of the job. Nothing was written.
    Refused(Refusal),
}

impl Event {
    /// The id to tell repeats by.
    pub const fn id(&self) -> EventId {
        match self {
            Self::IncidentOpened(occurrence) | Self::IncidentOccurrence(occurrence) => occurrence.id,
            Self::IncidentResolved(recovery) => recovery.id,
            Self::Failure(failure) => failure.id,
            Self::SamplingRequested { id, .. } => *id,
            Self::Refused(refusal) => refusal.id,
        }
    }

    /// What kind it is, in the word it serialises with: `incident_opened`.
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
            Self::Failure(_) => "failure",
            Self::SamplingRequested { .. } => "sampling_requested",
            Self::Refused(_) => "refused",
        }
    }

    /// Whose event it is: an outbox keeps those of one environment in order. None of a sampling request and of
    /// a refusal, which have no order to keep.
    ///
    /// ```
    /// use overdue::Event;
    /// use overdue::key::EnvironmentKey;
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
            Self::Failure(event) => (&event.monitor, &event.environment),
            Self::SamplingRequested { .. } | Self::Refused(_) => return None,
        };
        Some(EnvironmentKey { monitor: monitor.key().clone(), name: name.clone() })
    }
}

/// A failing run under an incident, and what an alert needs to say about it.
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
    /// The id to tell repeats by.
    pub id: EventId,
    /// The monitor as it stood.
    pub monitor: Arc<Monitor>,
    /// In which environment.
    pub environment: EnvironmentName,
    /// The incident.
    pub incident: Arc<Incident>,
    /// The failing run.
    pub run: RunSummary,
    /// The failing runs that led here, oldest first: those of the window when an incident opens, the run
    /// itself later on.
    pub failing: Arc<[RunSummary]>,
    /// The newest run that succeeded.
    pub last_ok: Option<RunSummary>,
    /// The trace of the run that brought this about.
    pub trace_id: Option<Uuid>,
}

impl Occurrence {
    /// The failures by kind, in the order first met: "two missed, one timeout".
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

/// Counts failing runs by kind when shown.
///
/// ```
/// # fn show(occurrence: &overdue::event::Occurrence) {
/// assert_eq!(occurrence.reason().to_string(), "two missed and one timeout");
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
            match count {
                1 => f.write_str("one")?,
                2 => f.write_str("two")?,
                3 => f.write_str("three")?,
                _ => count.fmt(f)?,
            }
            f.write_str(match status {
                RunStatus::InProgress => " in progress",
                RunStatus::Ok => " ok",
                RunStatus::Error => " error",
                RunStatus::Missed => " missed",
                RunStatus::Timeout => " timeout",
                RunStatus::Unknown => " unknown",
            })?;
            if matches!(status, RunStatus::Error | RunStatus::Timeout) && count > 1 {
                f.write_str("s")?;
            }
        }
        Ok(())
    }
}

/// The end of an incident.
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
    /// The id to tell repeats by.
    pub id: EventId,
    /// The monitor as it stood.
    pub monitor: Arc<Monitor>,
    /// In which environment.
    pub environment: EnvironmentName,
    /// The incident, resolved.
    pub incident: Arc<Incident>,
    /// How it ended.
    pub resolution: Resolution,
}

/// A failure in the mode without incidents.
///
/// ```
/// use overdue::event::LegacyFailure;
///
/// fn subject(failure: &LegacyFailure) -> String {
///     format!("{}: {}", failure.monitor.name(), failure.reason.as_str())
/// }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LegacyFailure {
    /// The id to tell repeats by.
    pub id: EventId,
    /// The monitor as it stood.
    pub monitor: Arc<Monitor>,
    /// In which environment.
    pub environment: EnvironmentName,
    /// Why.
    pub reason: LegacyReason,
    /// The failing run.
    pub run: RunSummary,
    /// The trace it reported.
    pub trace_id: Option<Uuid>,
}

/// The kind of a failure, in the words of the reference system before it knew incidents.
///
/// ```
/// use overdue::event::LegacyReason;
/// use overdue::row::Failure;
///
/// assert_eq!(LegacyReason::from(Failure::Timeout).as_str(), "duration");
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a closed chapter")]
pub enum LegacyReason {
    /// The run never reported.
    MissedCheckin,
    /// The run took too long.
    Duration,
    /// The job said that it failed.
    Unknown,
}

impl From<Failure> for LegacyReason {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Error => Self::Unknown,
            Failure::Missed => Self::MissedCheckin,
            Failure::Timeout => Self::Duration,
        }
    }
}

impl LegacyReason {
    /// The reason as the reference system spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissedCheckin => "missed_checkin",
            Self::Duration => "duration",
            Self::Unknown => "unknown",
        }
    }
}

impl LegacyFailure {
    /// What groups failures into one issue: the monitor and the reason.
    pub fn fingerprint(&self) -> (&'static str, MonitorId, &'static str) {
        ("monitor", self.monitor.id(), self.reason.as_str())
    }

    /// The tags of the event: the monitor's id and slug, and the environment.
    pub fn tags(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("monitor.id", self.monitor.id().to_string()),
            ("monitor.slug", self.monitor.key().slug.to_string()),
            ("environment", self.environment.to_string()),
        ])
    }
}

/// A check-in that was refused.
///
/// ```
/// use overdue::Event;
///
/// # use overdue::{Engine, MemoryStore, Message, Policy};
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// # let (sink, told) = std::sync::mpsc::channel();
/// # let engine = Engine::new(MemoryStore::new(), sink, Policy::default());
/// engine.process_checkin(&Message { body: b"hello".to_vec().into(), ..message })?;
/// let Event::Refused(refusal) = told.recv()? else { panic!("not refused") };
/// assert_eq!(refusal.errors[0].kind().as_str(), "checkin_validation_failed");
/// assert_eq!(*refusal.message.body.bytes(), *b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The id to tell repeats by.
    pub id: EventId,
    /// When the check-in was received.
    pub received_at: DateTime<Utc>,
    /// Everything that is wrong with it.
    pub errors: Vec<ProcessingError>,
    /// The check-in itself.
    pub message: Message,
}

impl Refusal {
    /// The refusal of a message for these reasons: what an asynchronous host tells its own sink.
    pub fn new(message: Message, errors: Vec<ProcessingError>) -> Self {
        let Message { project, received_at, .. } = message;
        Self {
            id: EventId::of_refusal(project, received_at, &message.body.bytes()),
            received_at,
            errors,
            message,
        }
    }

    /// Whose [log](crate::refusal::ErrorLog) it belongs into: the monitor's, unless there is none.
    pub fn owner(&self) -> ErrorOwner {
        let unknown = self.errors.contains(&ProcessingError::MonitorNotFound);
        match self.message.monitor().filter(|_| !unknown) {
            Some(key) => ErrorOwner::Monitor(MonitorId::of(&key)),
            None => ErrorOwner::Project(self.message.project),
        }
    }

    /// Its entry in that log.
    pub fn entry(&self) -> ErrorEntry<Message> {
        ErrorEntry {
            id: ErrorId::from_uuid(*self.id.as_uuid()),
            at: self.received_at,
            errors: self.errors.clone(),
            checkin: self.message.clone(),
        }
    }
}
