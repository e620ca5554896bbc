//! The runs of an environment, in order of start: a ring, in which the newest knows the oldest.

use chrono::{DateTime, Utc};

use crate::row::{RunStatus, RunSummary};
use crate::schedule::Schedule;
use crate::store::DueKind;

use super::resident::NONE;
use super::tables::{StoredRun, Tables};

impl Tables {
    /// Puts a run among those of its environment.
    pub(super) fn link(&mut self, environment: u32, number: u32, run: RunSummary) {
        let Some(resident) = self.environments.get_mut(environment) else { return };
        // A run is almost always the newest.
        let (mut newer, mut older) = (NONE, resident.links.newest);
        while let Some(other) = self.runs.get(older).filter(|other| other.row.summary().order() > run.order())
        {
            newer = older;
            older = other.older;
        }
        let oldest = self.runs.get(resident.links.newest).map_or(number, |newest| newest.newer);
        if newer == NONE {
            resident.links.newest = number;
            // The newest of all comes before the oldest.
            newer = oldest;
        } else if let Some(newer) = self.runs.get_mut(newer) {
            newer.older = number;
        }
        // Where nothing is older, the newest learns that this is the oldest.
        let before = if older == NONE { resident.links.newest } else { older };
        if let Some(run) = self.runs.get_mut(number) {
            (run.newer, run.older) = (newer, older);
        }
        if let Some(before) = self.runs.get_mut(before) {
            before.newer = number;
        }
    }

    /// Takes a run out of those of its environment.
    fn unlink(&mut self, number: u32) {
        let Some(StoredRun { environment, newer, older, .. }) = self.runs.get(number) else { return };
        let (newer, older) = (*newer, *older);
        let Some(resident) = self.environments.get_mut(*environment) else { return };
        if resident.links.newest == number {
            resident.links.newest = older;
        } else if let Some(newer) = self.runs.get_mut(newer) {
            newer.older = older;
        }
        let before = if older == NONE { resident.links.newest } else { older };
        if let Some(before) = self.runs.get_mut(before) {
            before.newer = newer;
        }
    }

    /// Removes a run from everywhere but the ring of its environment.
    pub(super) fn remove_run(&mut self, number: u32) {
        self.unlist(DueKind::Timeout, number);
        let Some(StoredRun { row, .. }) = self.runs.remove(number) else { return };
        self.ids.remove(&row.id);
        if let Some(message) = row.closed_by {
            self.closings.remove(&message);
        }
    }

    pub(super) fn prune(&mut self, before: DateTime<Utc>) -> usize {
        let newest: Vec<u32> = self.monitors.values().copied().collect();
        let mut gone = 0_usize;
        for newest in newest {
            let mut next = newest;
            while let Some(resident) = self.environments.get_mut(next) {
                resident.prune_incidents(before);
                let number = next;
                next = resident.links.sibling;
                gone = gone.saturating_add(self.prune_runs(number, before));
            }
        }
        self.runs.tidy();
        self.schedules.retain(Schedule::is_shared);
        gone
    }

    /// Goes from the oldest run to the first that is young enough.
    fn prune_runs(&mut self, environment: u32, before: DateTime<Utc>) -> usize {
        let Some(resident) = self.environments.get(environment) else { return 0 };
        let newest = resident.links.newest;
        let mut next = self.runs.get(newest).map_or(NONE, |newest| newest.newer);
        if self.runs.get(next).is_none_or(|oldest| oldest.row.started_at >= before) {
            return 0;
        }
        let config = resident.monitor.config();
        let window = config.failure_threshold().max(config.recovery_threshold()).get() as usize;
        let judged = self.runs(resident).filter(|run| run.status.is_judged());
        let looked_at = judged.take(window).last().map(|oldest| oldest.summary().order());
        let mut gone = 0_usize;
        while let Some(run) = self.runs.get(next).filter(|run| run.row.started_at < before) {
            let (number, row) = (next, &run.row);
            next = if number == newest { NONE } else { run.newer };
            let is_looked_at = looked_at.is_some_and(|oldest| row.summary().order() >= oldest);
            if row.status == RunStatus::InProgress || (row.status.is_judged() && is_looked_at) {
                continue;
            }
            self.unlink(number);
            self.remove_run(number);
            gone = gone.saturating_add(1);
        }
        gone
    }
}
