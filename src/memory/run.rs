//! A run as it lies in memory: small, because there are many, and what few of them have set aside.

use chrono::{DateTime, Utc};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::checkin::Millis;
use crate::id::{CheckinId, EnvironmentId};
use crate::row::{Run, RunStatus, RunSummary};

use super::resident::NONE;

/// One run, and the lists that it is on. It fills two lines of a processor's cache, and shares none with another.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct StoredRun {
    pub(super) environment: u32,
    pub(super) links: RunLinks,
    id: CheckinId,
    number: u32,
    status: RunStatus,
    started_at: DateTime<Utc>,
    expected_at: Option<DateTime<Utc>>,
    timeout_at: Option<DateTime<Utc>>,
    duration: Option<Millis>,
    updated_at: DateTime<Utc>,
    trace_id: Option<Uuid>,
    rare: Option<Box<Rare>>,
}

/// The lists that a run is on.
#[derive(Debug)]
pub(super) struct RunLinks {
    /// The run of the environment that started before it. That may be gone: see `Tables::older`.
    pub(super) older: u32,
    /// Its neighbours among those of the environment that are in progress, while it is.
    pub(super) open: Open,
    /// Its position among those that are due in the same minute.
    pub(super) due: u32,
}

/// The runs before and after one on a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) before: u32,
    pub(super) next: u32,
}

#[derive(Debug)]
struct Rare {
    closed_by: Option<CheckinId>,
    release: Option<SmolStr>,
}

impl StoredRun {
    pub(super) fn new(row: &Run, environment: u32, older: u32) -> Self {
        let Run {
            id,
            environment: _,
            number,
            status,
            started_at,
            expected_at,
            timeout_at,
            duration,
            updated_at,
            closed_by,
            trace_id,
            release,
        } = row;
        let is_rare = closed_by.is_some() || release.is_some();
        Self {
            environment,
            links: RunLinks { older, open: Open { before: NONE, next: NONE }, due: NONE },
            id: *id,
            number: *number,
            status: *status,
            started_at: *started_at,
            expected_at: *expected_at,
            timeout_at: *timeout_at,
            duration: *duration,
            updated_at: *updated_at,
            trace_id: *trace_id,
            rare: is_rare.then(|| Box::new(Rare { closed_by: *closed_by, release: release.clone() })),
        }
    }

    /// The row. Its environment is known to whoever has found it.
    pub(super) fn row(&self, environment: EnvironmentId) -> Run {
        let rare = self.rare.as_deref();
        Run {
            id: self.id,
            environment,
            number: self.number,
            status: self.status,
            started_at: self.started_at,
            expected_at: self.expected_at,
            timeout_at: self.timeout_at,
            duration: self.duration,
            updated_at: self.updated_at,
            closed_by: rare.and_then(|rare| rare.closed_by),
            trace_id: self.trace_id,
            release: rare.and_then(|rare| rare.release.clone()),
        }
    }

    /// Takes over a row of the same id. Until it is put on them again, the run is on no list of what is open or due.
    pub(super) fn put(&mut self, row: &Run) {
        *self = Self::new(row, self.environment, self.links.older);
    }

    pub(super) const fn id(&self) -> CheckinId {
        self.id
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    pub(super) const fn status(&self) -> RunStatus {
        self.status
    }

    pub(super) const fn started_at(&self) -> DateTime<Utc> {
        self.started_at
    }

    pub(super) fn closed_by(&self) -> Option<CheckinId> {
        self.rare.as_ref()?.closed_by
    }

    pub(super) const fn summary(&self) -> RunSummary {
        RunSummary { id: self.id, number: self.number, status: self.status, started_at: self.started_at }
    }

    /// As [`RunSummary::order`].
    pub(super) const fn order(&self) -> (DateTime<Utc>, u32) {
        (self.started_at, self.number)
    }

    /// As [`Run::due_at`].
    pub(super) fn due_at(&self) -> Option<DateTime<Utc>> {
        self.timeout_at.filter(|_| self.status == RunStatus::InProgress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_fills_two_lines() {
        assert_eq!(size_of::<Option<StoredRun>>(), 128);
    }
}
