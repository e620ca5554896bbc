//! A check-in as it reaches the engine: what the job sent, and when and for whom it was received.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::checkin::Checkin;
use crate::id::{OrganizationId, ProjectId};
use crate::payload::Payload;

/// A check-in and its envelope.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a host makes it")]
pub struct Message {
    /// Who owns the project.
    pub organization: OrganizationId,
    /// Where the check-in was sent.
    pub project: ProjectId,
    /// When it was received, by the clock of whoever received it first: also the message's own time in a
    /// backlog.
    pub received_at: DateTime<Utc>,
    /// What the job sent.
    pub body: Body,
}

/// What a job sent.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "typed or raw")]
pub enum Body {
    /// A check-in made in code, valid by its type.
    Checkin(Box<Checkin>),
    /// A payload off the wire, to be validated.
    Payload(Payload),
}

impl From<Checkin> for Body {
    fn from(checkin: Checkin) -> Self {
        Self::Checkin(Box::new(checkin))
    }
}

impl From<Payload> for Body {
    fn from(payload: Payload) -> Self {
        Self::Payload(payload)
    }
}
