//! Events that only the rules of the reference emit.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{EnvironmentName, EventId, MonitorId};
use crate::row::reference::Failure as RunFailure;
use crate::row::{Monitor, RunSummary};

/// A failure, in the mode without incidents.
///
/// ```
/// use overdue::event::reference::Failure;
///
/// fn subject(failure: &Failure) -> String {
///     format!("{}: {}", failure.monitor.name(), failure.reason.as_str())
/// }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// The event's id; a repeat has the same one.
    pub id: EventId,
    /// The monitor at the time of the event.
    pub monitor: Arc<Monitor>,
    /// The environment.
    pub environment: EnvironmentName,
    /// The kind of failure.
    pub reason: Reason,
    /// The failed run.
    pub run: RunSummary,
    /// The trace that the run reported.
    pub trace_id: Option<Uuid>,
}

/// The kind of a failure, in the terms that the reference system had before it knew incidents.
///
/// ```
/// use overdue::event::reference::Reason;
/// use overdue::row::reference::Failure;
///
/// assert_eq!(Reason::from(Failure::Timeout).as_str(), "duration");
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a closed chapter")]
pub enum Reason {
    /// The run was missed.
    MissedCheckin,
    /// The run timed out.
    Duration,
    /// The run failed.
    Unknown,
}

impl From<RunFailure> for Reason {
    fn from(failure: RunFailure) -> Self {
        match failure {
            RunFailure::Error => Self::Unknown,
            RunFailure::Missed => Self::MissedCheckin,
            RunFailure::Timeout => Self::Duration,
        }
    }
}

impl Reason {
    /// The reason as the reference system spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissedCheckin => "missed_checkin",
            Self::Duration => "duration",
            Self::Unknown => "unknown",
        }
    }
}

impl Failure {
    /// Returns what groups failures into one issue: the monitor and the reason.
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
