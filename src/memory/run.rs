//! A run in memory: small, because there are many; rare fields are out of line.

use chrono::{DateTime, Utc};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::id::{EnvironmentId, RunId};
use crate::row::{Phase, Reported, Run, RunDuration, RunState, RunStatus, RunSummary};

use super::environment::NONE;

/// One run, and the lists that contain it. It fills two cache lines, and shares none with another run.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct StoredRun {
    pub(super) environment: u32,
    pub(super) links: RunLinks,
    id: RunId,
    number: u32,
    /// `None` if it was missed.
    phase: Option<Phase>,
    started_at: DateTime<Utc>,
    expected_at: Option<DateTime<Utc>>,
    duration: Option<RunDuration>,
    updated_at: DateTime<Utc>,
    trace_id: Option<Uuid>,
    cold: Option<Box<Cold>>,
}

/// The lists that contain a run.
#[derive(Debug)]
pub(super) struct RunLinks {
    /// The run of the environment that started before it. That one may be gone: see `Tables::older`.
    pub(super) older: u32,
    /// Its neighbours among the environment's runs in progress, while it is one.
    pub(super) open: Open,
    /// Its position among the runs that are due in the same minute.
    pub(super) due: u32,
}

/// The runs before and after one on a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) before: u32,
    pub(super) next: u32,
}

#[derive(Debug)]
struct Cold {
    closed_by: Option<RunId>,
    release: Option<SmolStr>,
}

impl StoredRun {
    pub(super) fn new(row: &Run, environment: u32, older: u32) -> Self {
        let Run { id, environment: _, number, started_at, expected_at, state } = row;
        let links = RunLinks { older, open: Open { before: NONE, next: NONE }, due: NONE };
        let (id, number, started_at, expected_at) = (*id, *number, *started_at, *expected_at);
        match state {
            RunState::Missed => Self {
                environment,
                links,
                id,
                number,
                phase: None,
                started_at,
                expected_at,
                duration: None,
                updated_at: started_at,
                trace_id: None,
                cold: None,
            },
            RunState::Reported(Reported { phase, duration, updated_at, closed_by, trace_id, release }) => {
                Self {
                    environment,
                    links,
                    id,
                    number,
                    phase: Some(*phase),
                    started_at,
                    expected_at,
                    duration: *duration,
                    updated_at: *updated_at,
                    trace_id: *trace_id,
                    cold: (closed_by.is_some() || release.is_some())
                        .then(|| Box::new(Cold { closed_by: *closed_by, release: release.clone() })),
                }
            }
        }
    }

    /// Returns the row, given the environment that the caller found it by.
    pub(super) fn row(&self, environment: EnvironmentId) -> Run {
        let state = self.phase.map_or(RunState::Missed, |phase| {
            let cold = self.cold.as_deref();
            RunState::Reported(Reported {
                phase,
                duration: self.duration,
                updated_at: self.updated_at,
                closed_by: cold.and_then(|cold| cold.closed_by),
                trace_id: self.trace_id,
                release: cold.and_then(|cold| cold.release.clone()),
            })
        });
        Run {
            id: self.id,
            environment,
            number: self.number,
            started_at: self.started_at,
            expected_at: self.expected_at,
            state,
        }
    }

    /// Replaces the row with one of the same id. The run is then on no list of what is open or due until it
    /// is added again.
    pub(super) fn put(&mut self, row: &Run) {
        *self = Self::new(row, self.environment, self.links.older);
    }

    pub(super) const fn id(&self) -> RunId {
        self.id
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    pub(super) const fn status(&self) -> RunStatus {
        match self.phase {
            Some(phase) => phase.status(),
            None => RunStatus::Missed,
        }
    }

    pub(super) const fn started_at(&self) -> DateTime<Utc> {
        self.started_at
    }

    pub(super) fn closed_by(&self) -> Option<RunId> {
        self.cold.as_ref()?.closed_by
    }

    pub(super) const fn summary(&self) -> RunSummary {
        RunSummary { id: self.id, number: self.number, status: self.status(), started_at: self.started_at }
    }

    /// As [`RunSummary::order`].
    pub(super) const fn order(&self) -> (DateTime<Utc>, u32) {
        (self.started_at, self.number)
    }

    /// As [`Run::due_at`].
    pub(super) const fn due_at(&self) -> Option<DateTime<Utc>> {
        match self.phase {
            Some(phase) => phase.due_at(),
            None => None,
        }
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
