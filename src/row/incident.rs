//! The incident row: an outage, from its first failed run to the run that resolved it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::RunSummary;
use super::parts::IncidentParts;
use crate::id::{EnvironmentId, IncidentId, RunId};

/// An outage of one environment.
///
/// ```
/// use overdue::row::Incident;
///
/// fn line(incident: &Incident) -> String {
///     match incident.resolution() {
///         Some(end) => format!("{} to {}", incident.started_at(), end.at),
///         None => format!("since {}", incident.started_at()),
///     }
/// }
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "IncidentParts")]
pub struct Incident {
    pub(crate) id: IncidentId,
    pub(crate) environment: EnvironmentId,
    pub(crate) number: u32,
    pub(crate) first: RunSummary,
    pub(crate) last_failure: DateTime<Utc>,
    pub(crate) announced: bool,
    pub(crate) resolution: Option<Resolution>,
}

/// How an incident was resolved.
///
/// ```
/// use overdue::row::{Incident, Resolution};
///
/// fn lasted(incident: &Incident, Resolution { at, .. }: Resolution) -> chrono::TimeDelta {
///     at - incident.started_at()
/// }
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "what ended it, and when")]
pub struct Resolution {
    /// The run that resolved it.
    #[serde(alias = "checkin")]
    pub run: RunId,
    /// When its result arrived.
    pub at: DateTime<Utc>,
}

impl Incident {
    /// The incident's id.
    pub const fn id(&self) -> IncidentId {
        self.id
    }

    /// The environment that it belongs to.
    pub const fn environment(&self) -> EnvironmentId {
        self.environment
    }

    /// The incident's index in its environment, from 0.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The first failed run, as it stood when the incident opened.
    pub const fn first(&self) -> RunSummary {
        self.first
    }

    /// When the outage began: when its first failed run started.
    pub const fn started_at(&self) -> DateTime<Utc> {
        self.first.started_at
    }

    /// The newest start of a failed run under it.
    pub const fn last_failure(&self) -> DateTime<Utc> {
        self.last_failure
    }

    /// Whether an alert was sent: `false` if it was muted from beginning to end.
    pub const fn is_announced(&self) -> bool {
        self.announced
    }

    /// How it was resolved; `None` while it is open.
    pub const fn resolution(&self) -> Option<Resolution> {
        self.resolution
    }
}
