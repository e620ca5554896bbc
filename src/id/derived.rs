//! Ids that the engine makes: each is a UUID version 5 of its cause.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EnvironmentKey, MonitorKey, ProjectId};

/// The namespace of what has no parent. Changing it, or anything below, changes every id: the golden bytes in the tests
/// pin it.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f76_6572_6475_4521_8c5e_6465_7269_7665);

/// Derives the UUIDv5 of a cause, in the namespace of what it happened to. The parts are length-prefixed, so that no two
/// lists of parts run together into the same bytes.
///
/// Two bytes for a length, and every id of a run, an incident or an event is one block to SHA-1, where eight made it two.
/// Longer than they can say is only what stands last, a body, or what names no monitor.
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
    /// One incident: derived from the environment, its first failing check-in and its number.
    ///
    /// ```
    /// use overdue::id::IncidentId;
    ///
    /// let id: IncidentId = "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc".parse()?;
    /// assert_eq!(id.to_string(), "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    IncidentId
    /// One event: derived from its incident, its kind and its check-in. Receivers tell repeats by it.
    ///
    /// ```
    /// use overdue::id::EventId;
    ///
    /// let id: EventId = "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc".parse()?;
    /// assert_eq!(id.to_string(), "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    EventId
    /// What a sampling condition says, whatever the order of its parts.
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

    /// The id of the run that was expected at this time and missed. `again` tells one miss of a slot from
    /// the next, where a quirk allows for several.
    pub(crate) fn of_missed(environment: EnvironmentId, expected: DateTime<Utc>, again: Option<u64>) -> Self {
        Self(derive(&environment.0, "missed", &[&instant(expected), &number(again)]))
    }

    /// The id that stands for an all-zero message. `again` tells one delivery from the next, where a
    /// quirk takes them for different messages.
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
    /// The id of an environment's incident with this number, whose first failing run is `first`.
    pub(crate) fn of(environment: EnvironmentId, first: RunId, nth: u32) -> Self {
        Self(derive(&environment.0, "incident", &[first.0.as_bytes(), &nth.to_be_bytes()]))
    }
}

impl EventId {
    /// The id of what is told about a run under this cause: an incident, or a monitor.
    pub(crate) fn of(cause: &Uuid, kind: &str, checkin: RunId) -> Self {
        Self(derive(cause, "event", &[kind.as_bytes(), checkin.0.as_bytes()]))
    }
}

impl EventId {
    /// The id of the refusal of a message that was received then, and held this.
    pub(crate) fn of_refusal(project: ProjectId, received: DateTime<Utc>, body: &[u8]) -> Self {
        Self(derive(&NAMESPACE, "refused", &[&project.get().to_be_bytes(), &instant(received), body]))
    }
}

/// A number that says where the parts of a key belong, the same in every process and version.
pub(crate) fn spread(parts: &[&[u8]]) -> u128 {
    derive(&NAMESPACE, "partition", parts).as_u128()
}

/// The bytes of an instant: seconds, then nanoseconds.
fn instant(at: DateTime<Utc>) -> [u8; 12] {
    let mut bytes = [0; 12];
    let (seconds, nanoseconds) = bytes.split_at_mut(8);
    seconds.copy_from_slice(&at.timestamp().to_be_bytes());
    nanoseconds.copy_from_slice(&at.timestamp_subsec_nanos().to_be_bytes());
    bytes
}

/// The bytes of a number; `None` adds none.
fn number(number: Option<u64>) -> Vec<u8> {
    number.map_or_else(Vec::new, |number| number.to_be_bytes().to_vec())
}
