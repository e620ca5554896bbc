//! Lists what is due.

use std::cmp::Ordering;

use overdue::row::{Environment, Run};
use overdue::store::{Due, DueKind, DueQuery, DueRun};

use super::{CAP, ReferenceStore, Tables};
use crate::store::flaw::Flaw;

impl ReferenceStore {
    pub(super) fn entries(&self, tables: &Tables, kind: DueKind) -> Vec<Due> {
        let mut list = match kind {
            DueKind::Miss => self.misses(tables),
            DueKind::Timeout => self.timeouts(tables),
        };
        if self.has(Flaw::RemovedMonitorsStayDue) {
            let is_miss = kind == DueKind::Miss;
            list.extend(tables.past.removed.iter().filter(|due| due.run.is_none() == is_miss).cloned());
        }
        if self.has(Flaw::DeadlinesStayWhereTheyWere) {
            for due in &mut list {
                due.at = tables.past.deadlines[&(due.key.clone(), due.run.map(|run| run.id))];
            }
        }
        list
    }

    pub(super) fn misses(&self, tables: &Tables) -> Vec<Due> {
        let watched =
            tables.environments.values().filter(|row| tables.monitors.contains_key(&row.key().monitor));
        let at = |row: &Environment| match self.has(Flaw::UnwatchedEnvironmentsAreListed) {
            true => row.deadline().map(|deadline| deadline.closes()),
            false => row.due_at(),
        };
        watched.filter_map(|row| Some(Due { at: at(row)?, key: row.key().clone(), run: None })).collect()
    }

    pub(super) fn timeouts(&self, tables: &Tables) -> Vec<Due> {
        let due = |run: &Run| {
            let finished = self.has(Flaw::FinishedRunsAreListed);
            let at = if finished { run.timeout_at()? } else { run.due_at()? };
            let key = tables.keys.get(&run.environment())?.clone();
            let is_watched = tables.environments.get(&key).is_some_and(|row| row.watch().is_on());
            let listed = is_watched || !self.has(Flaw::UnwatchedRunsAreNotListed);
            listed.then(|| Due { at, key, run: Some(DueRun { number: run.number(), id: run.id() }) })
        };
        tables.runs.values().filter_map(due).collect()
    }

    /// As `Due::order`.
    pub(super) fn order(&self, one: &Due, other: &Due) -> Ordering {
        let (a, b) = (&one.key, &other.key);
        match self.flaw {
            Some(Flaw::DeadlinesAreText) => one.at.to_rfc3339().cmp(&other.at.to_rfc3339()),
            Some(Flaw::NamesAreCollated) => {
                one.at.cmp(&other.at).then(a.monitor.cmp(&b.monitor)).then_with(|| {
                    let [a, b] = [a, b].map(|key| key.name.as_str().to_lowercase());
                    a.cmp(&b)
                })
            }
            Some(Flaw::ProjectsAreCollated) => {
                let [a, b] = [a, b].map(|key| key.monitor.project.to_string());
                one.at.cmp(&other.at).then(a.cmp(&b))
            }
            Some(Flaw::TimeoutTiesAreById) => {
                let id = |due: &Due| due.run.map(|run| run.id);
                one.at.cmp(&other.at).then(a.cmp(b)).then(id(one).cmp(&id(other)))
            }
            _ => Ordering::Equal,
        }
        .then_with(|| one.order().cmp(&other.order()))
    }

    pub(super) fn list(&self, tables: &Tables, query: &DueQuery) -> Vec<Due> {
        let DueQuery { kind, until, after, limit } = query;
        let mut list = self.entries(tables, *kind);
        list.sort_by(|one, other| self.order(one, other));
        if let Some(after) = after {
            let from = |due: &Due| {
                let order = self.order(due, after);
                order == Ordering::Greater
                    || (order == Ordering::Equal && self.has(Flaw::CursorsAreListedAgain))
            };
            let is_there = list.contains(after);
            list.retain(|due| from(due) || (self.has(Flaw::CursorsMustBeThere) && !is_there));
            list.retain(|due| !self.has(Flaw::NewcomersAreNotListed) || tables.past.listed.contains(due));
        }
        if let Some(until) = until {
            let before = self.has(Flaw::ListsEndBefore);
            list.retain(|due| due.at < *until || (due.at == *until && !before));
        }
        match self.flaw {
            Some(Flaw::ListsAreUnlimited) => {}
            Some(Flaw::ListsAreCapped) => list.truncate(limit.get().min(CAP)),
            _ => list.truncate(limit.get()),
        }
        list
    }
}
