//! Ids that the engine makes: each is a UUID version 5 of its cause.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EnvironmentKey, MonitorKey, ProjectId};

/// The namespace of what has no parent. Changing it, or anything below, changes every id; the tests pin its
/// bytes.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f76_6572_6475_4521_8c5e_6465_7269_7665);

/// Derives the UUIDv5 of a cause, in the namespace of what it happened to. The parts are length-prefixed, so
/// that no two lists of parts give the same bytes.
///
/// Two bytes hold a length. The id of a run, an incident or an event then fits one block of SHA-1; with eight
/// bytes it took two. Only a part that comes last, or that names no monitor, can be too long for two bytes.
fn derive(parent: &Uuid, kind: &str, parts: &[&[u8]]) -> Uuid {
    let mut cause = Vec::with_capacity(64);
    for part in std::iter::once(&kind.as_bytes()).chain(parts) {
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        cause.extend_from_slice(&length.to_be_bytes());
        cause.extend_from_slice(part);
    }
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    Uuid::new_v5(parent, &cause)
}

macro_rules! derived_id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with this value, for rows read back from a database.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The value, for a database.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

derived_id! {
    /// One monitor: derived from its project and slug.
    ///
    /// ```
    /// use overdue::id::{MonitorId, ProjectId, MonitorKey};
    ///
    /// let id = MonitorId::of(&MonitorKey { project: ProjectId::new(1), slug: "nightly".parse()? });
    /// assert_eq!(MonitorId::from_uuid(*id.as_uuid()), id);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    MonitorId
    /// One environment of a monitor: derived from the monitor and the environment's name.
    ///
    /// ```
    /// use overdue::id::{EnvironmentId, ProjectId, EnvironmentKey, EnvironmentName, MonitorKey};
    ///
    /// let monitor = MonitorKey { project: ProjectId::new(1), slug: "nightly".parse()? };
    /// let dev = EnvironmentKey { monitor: monitor.clone(), name: "dev".parse()? };
    /// let production = EnvironmentKey { monitor, name: EnvironmentName::production() };
    /// assert_ne!(EnvironmentId::of(&dev), EnvironmentId::of(&production));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    EnvironmentId
    /// One run. Sent by the job, or derived from the message or the tick that made the run.
    ///
    /// ```
    /// use overdue::id::RunId;
    ///
    /// let id: RunId = "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc".parse()?;
    /// assert_eq!(id.to_string(), "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    RunId
    /// One incident: derived from the environment, its first failed run and its number.
    ///
    /// ```
    /// use overdue::id::IncidentId;
    ///
    /// let id: IncidentId = "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc".parse()?;
    /// assert_eq!(id.to_string(), "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    IncidentId
    /// One event: derived from its incident, its kind and its run. Receivers recognise repeats by it.
    ///
    /// ```
    /// use overdue::id::EventId;
    ///
    /// let id: EventId = "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc".parse()?;
    /// assert_eq!(id.to_string(), "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    EventId
    /// One sampling condition, regardless of the order of its parts.
    ///
    /// ```
    /// use overdue::id::ConditionId;
    ///
    /// let id: ConditionId = "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc".parse()?;
    /// assert_eq!(id.to_string(), "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ConditionId
}

impl ConditionId {
    /// The id of a condition with this canonical text.
    pub(crate) fn of(canonical: &str) -> Self {
        Self(derive(&NAMESPACE, "sampling condition", &[canonical.as_bytes()]))
    }
}

impl MonitorId {
    /// The id of the monitor with this key.
    pub fn of(key: &MonitorKey) -> Self {
        Self(derive(&NAMESPACE, "monitor", &[&key.project.get().to_be_bytes(), key.slug.as_str().as_bytes()]))
    }
}

impl EnvironmentId {
    /// The id of the environment with this key.
    pub fn of(key: &EnvironmentKey) -> Self {
        let monitor = MonitorId::of(&key.monitor);
        Self(derive(&monitor.0, "environment", &[key.name.as_str().as_bytes()]))
    }
}

impl RunId {
    /// The id that no run has.
    pub(crate) const NIL: Self = Self(Uuid::nil());

    /// The id of the run that was expected at this time and missed. `again` distinguishes repeated misses of
    /// one expected time, where a quirk allows them.
    pub(crate) fn of_missed(environment: EnvironmentId, expected: DateTime<Utc>, again: Option<u64>) -> Self {
        Self(derive(&environment.0, "missed", &[&instant(expected), &number(again)]))
    }

    /// The id derived from a message without a run id. `again` distinguishes redeliveries, where a quirk
    /// treats them as different messages.
    pub(crate) fn of_message(
        environment: EnvironmentId,
        received: DateTime<Utc>,
        status: &str,
        again: Option<u64>,
    ) -> Self {
        let parts: [&[u8]; 3] = [&instant(received), status.as_bytes(), &number(again)];
        Self(derive(&environment.0, "message", &parts))
    }
}

impl IncidentId {
    /// The id of an environment's incident with this number, whose first failed run is `first`.
    pub(crate) fn of(environment: EnvironmentId, first: RunId, nth: u32) -> Self {
        Self(derive(&environment.0, "incident", &[first.0.as_bytes(), &nth.to_be_bytes()]))
    }
}

impl EventId {
    /// The id of an event about a run, given its cause: an incident or a monitor.
    pub(crate) fn of(cause: &Uuid, kind: &str, checkin: RunId) -> Self {
        Self(derive(cause, "event", &[kind.as_bytes(), checkin.0.as_bytes()]))
    }
}

impl EventId {
    /// The id of the rejection of a message, given when it was received and its body.
    pub(crate) fn of_rejection(project: ProjectId, received: DateTime<Utc>, body: &[u8]) -> Self {
        Self(derive(&NAMESPACE, "refused", &[&project.get().to_be_bytes(), &instant(received), body]))
    }
}

/// Returns a number that assigns the parts of a key to a partition, the same in every process and version.
pub(crate) fn spread(parts: &[&[u8]]) -> u128 {
    derive(&NAMESPACE, "partition", parts).as_u128()
}

/// Returns the bytes of an instant: seconds, then nanoseconds.
fn instant(at: DateTime<Utc>) -> [u8; 12] {
    let mut bytes = [0; 12];
    let (seconds, nanoseconds) = bytes.split_at_mut(8);
    seconds.copy_from_slice(&at.timestamp().to_be_bytes());
    nanoseconds.copy_from_slice(&at.timestamp_subsec_nanos().to_be_bytes());
    bytes
}

/// Returns the bytes of a number; `None` gives none.
fn number(number: Option<u64>) -> Vec<u8> {
    number.map_or_else(Vec::new, |number| number.to_be_bytes().to_vec())
}
