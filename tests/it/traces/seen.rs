//! An outcome as a reader sees it.

use chrono::{DateTime, Utc};
use overdue::row::{EnvironmentStatus, RunStatus};
use serde::Deserialize;
use serde_json::Value;

pub(super) type Time = DateTime<Utc>;

#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub(super) struct Outcome {
    pub(super) errors: Vec<Value>,
    pub(super) events: Vec<Event>,
    pub(super) environments: Vec<Environment>,
    /// Only those that the op created or changed.
    pub(super) checkins: Vec<Run>,
    pub(super) incidents: Vec<Incident>,
}

/// An environment.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq)]
pub(super) struct Place {
    pub(super) project_id: u64,
    pub(super) slug: String,
    pub(super) environment: String,
}

impl Place {
    pub(super) fn monitor(&self) -> (u64, String) {
        (self.project_id, self.slug.clone())
    }
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq)]
pub(super) struct Event {
    pub(super) kind: EventKind,
    #[serde(flatten)]
    pub(super) place: Place,
    /// Only for occurrences.
    #[serde(default)]
    pub(super) checkin_statuses: Vec<RunStatus>,
    pub(super) incident_index: usize,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum EventKind {
    IncidentOccurrence,
    IncidentResolved,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Environment {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) status: EnvironmentStatus,
    pub(super) muted: bool,
    pub(super) last_checkin: Option<Time>,
    pub(super) next_checkin: Option<Time>,
    pub(super) next_checkin_latest: Option<Time>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Run {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) check_in_id: Option<String>,
    pub(super) status: RunStatus,
    pub(super) date_added: Time,
    pub(super) expected_time: Option<Time>,
    pub(super) timeout_at: Option<Time>,
    pub(super) duration_ms: Option<u64>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Incident {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) starting_timestamp: Time,
    pub(super) starting_status: RunStatus,
    pub(super) resolving_timestamp: Option<Time>,
}

impl Incident {
    pub(super) const fn is_open(&self) -> bool {
        self.resolving_timestamp.is_none()
    }
}

impl Outcome {
    pub(super) fn environment(&self, place: &Place) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.place == *place)
    }

    /// The incidents of one environment, in order of creation.
    pub(super) fn incidents_of(&self, place: &Place) -> Vec<&Incident> {
        self.incidents.iter().filter(|incident| incident.place == *place).collect()
    }
}
