use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{InvalidRow, ensure};
use crate::id::{EnvironmentId, IncidentId};
use crate::row::{Incident, Resolution, RunSummary};

/// An [`Incident`] as columns.
///
/// ```
/// use overdue::row::{Incident, IncidentParts, InvalidRow};
///
/// fn read_back(incident: Incident) -> Result<Incident, InvalidRow> {
///     IncidentParts::from(incident).try_into()
/// }
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store has a column for each")]
pub struct IncidentParts {
    /// The incident's id.
    pub id: IncidentId,
    /// The environment that it belongs to.
    pub environment: EnvironmentId,
    /// The incident's index in its environment, from 0.
    pub number: u32,
    /// The first failed run, as it stood when the incident opened.
    pub first: RunSummary,
    /// The newest start of a failed run under it. Never earlier than the first run.
    pub last_failure: DateTime<Utc>,
    /// Whether an alert was sent.
    pub announced: bool,
    /// How it was resolved; `None` while it is open.
    pub resolution: Option<Resolution>,
}

/// # Errors
/// [`InvalidRow`] names a column that contradicts another.
impl TryFrom<IncidentParts> for Incident {
    type Error = InvalidRow;

    fn try_from(parts: IncidentParts) -> Result<Self, InvalidRow> {
        let IncidentParts { id, environment, number, first, last_failure, announced, resolution } = parts;
        ensure(last_failure >= first.started_at, "last_failure", "must not be earlier than the first run")?;
        Ok(Incident { id, environment, number, first, last_failure, announced, resolution })
    }
}

impl From<Incident> for IncidentParts {
    fn from(row: Incident) -> Self {
        let Incident { id, environment, number, first, last_failure, announced, resolution } = row;
        Self { id, environment, number, first, last_failure, announced, resolution }
    }
}
