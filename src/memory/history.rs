//! The runs of an environment, in order of start: each links to the one before it.

use std::iter;

use chrono::{DateTime, Utc};

use crate::row::{RunStatus, RunSummary};
use crate::schedule::Schedule;
use crate::store::DueKind;

use super::environment::{NONE, StoredEnvironment};
use super::run::StoredRun;
use super::tables::Tables;

/// A run to prune, in order of environment and start.
type Old = (u32, (DateTime<Utc>, u32), u32);

impl Tables {
    /// An environment's runs and their numbers, the newest first.
    pub(super) fn runs_of(&self, stored: &StoredEnvironment) -> impl Iterator<Item = (u32, &StoredRun)> {
        let newest = stored.links.newest;
        let newest = self.runs.get(newest).map(|run| (newest, run));
        iter::successors(newest, |(_, run)| self.older(run))
    }

    /// Returns the run before another one in its environment.
    ///
    /// Pruning a run does not update the link of the run after it, which would be a cache miss. A stale link
    /// leads nowhere, or to a run that reused the number: one of another environment, or one that started
    /// later.
    fn older(&self, run: &StoredRun) -> Option<(u32, &StoredRun)> {
        let number = run.links.older;
        let older = self.runs.get(number)?;
        (older.environment == run.environment && older.order() <= run.order()).then_some((number, older))
    }

    /// Returns the newer and the older neighbour of a new run in its environment.
    ///
    /// The new run is almost always the newest. Usually the environment alone shows that, without a look at
    /// the run before it.
    pub(super) fn place(&self, stored: &StoredEnvironment, run: RunSummary) -> (u32, u32) {
        if stored.links.is_later(run.started_at) {
            return (NONE, stored.links.newest);
        }
        let mut newer = NONE;
        for (number, other) in self.runs_of(stored) {
            if other.order() <= run.order() {
                return (newer, number);
            }
            newer = number;
        }
        (newer, NONE)
    }

    /// Unlinks a run from its environment's list.
    fn unlink(&mut self, number: u32) {
        let run = must_find!(self.runs.get(number), "a run that is pruned is stored");
        let stored = must_find!(self.environments.get(run.environment), "the environment of a run is stored");
        let older = self.older(run).map_or(NONE, |(older, _)| older);
        if stored.links.newest == number {
            let environment = run.environment;
            if let Some(stored) = self.environments.get_mut(environment) {
                stored.links.newest = older;
            }
        } else if older != NONE {
            let newer = self.runs_of(stored).find(|(_, newer)| newer.links.older == number);
            let newer = newer.map_or(NONE, |(newer, _)| newer);
            if let Some(newer) = self.runs.get_mut(newer) {
                newer.links.older = older;
            }
        }
    }

    /// Removes a run from everything but its environment's list.
    pub(super) fn remove_run(&mut self, number: u32) {
        self.unlist(DueKind::Timeout, number);
        let run = must_find!(self.runs.remove(number), "a run that is removed is stored");
        let indexed = self.runs_by_id.remove(&run.id(), number);
        debug_assert!(indexed, "a run that is removed is indexed");
        if let Some(message) = run.closed_by() {
            self.runs_by_closing_id.remove(&message);
        }
    }

    pub(super) fn prune(&mut self, before: DateTime<Utc>) -> usize {
        self.environments.rows_mut().for_each(|stored| stored.prune_incidents(before));
        let mut old = self.old_runs(before);
        // Oldest first, so that no predecessor needs relinking.
        old.sort_unstable();
        let mut gone = 0_usize;
        for runs in old.chunk_by(|(one, ..), (other, ..)| one == other) {
            let looked_at = runs.first().and_then(|(environment, ..)| self.looked_at(*environment));
            for (_, order, number) in runs {
                let judged = self.runs.get(*number).is_some_and(|run| run.status().is_judged());
                if judged && looked_at.is_some_and(|oldest| *order >= oldest) {
                    self.oldest_in_chunk.note(*number, order.0);
                    continue;
                }
                self.unlink(*number);
                self.remove_run(*number);
                gone = gone.saturating_add(1);
            }
        }
        self.runs.sort_free();
        self.schedules.retain(Schedule::is_shared);
        gone
    }

    /// The finished runs that started before a date.
    fn old_runs(&mut self, before: DateTime<Utc>) -> Vec<Old> {
        let mut old = Vec::new();
        for (chunk, age) in self.runs.chunks().zip(self.oldest_in_chunk.chunks_mut()) {
            // Chunks hold runs in about the order in which they were reported, so few chunks hold old ones.
            if *age >= before {
                continue;
            }
            *age = DateTime::<Utc>::MAX_UTC;
            for (number, run) in chunk {
                if run.started_at() < before && run.status() != RunStatus::InProgress {
                    old.push((run.environment, run.order(), number));
                } else {
                    *age = run.started_at().min(*age);
                }
            }
        }
        old
    }

    /// Returns the order of the oldest run that the environment's thresholds still need.
    fn looked_at(&self, environment: u32) -> Option<(DateTime<Utc>, u32)> {
        let stored = self.environments.get(environment)?;
        let config = stored.monitor.config();
        let window = config.failure_threshold().max(config.recovery_threshold()).get() as usize;
        let judged = self.runs_of(stored).filter(|(_, run)| run.status().is_judged());
        judged.take(window).last().map(|(_, oldest)| oldest.order())
    }
}
