//! Looks rows up.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use overdue::id::{EnvironmentId, EnvironmentKey, MonitorKey, OrganizationId};
use overdue::row::{Environment, Monitor, Organization, Run, RunStatus, RunSummary};
use overdue::store::{HistoryQuery, RunLookup, RunQuery};
use serde_json::Value;

use super::{CAP, ReferenceStore, Tables, reread};
use crate::store::flaw::Flaw;

impl ReferenceStore {
    pub(super) fn organization(&self, tables: &Tables, id: OrganizationId) -> Organization {
        let row = tables.organizations.get(&id).cloned().unwrap_or_else(|| Organization::new(id));
        if self.has(Flaw::OrganizationsHaveOneMonitor) && row.monitors() > 1 {
            return reread(&row, |json| json["monitors"] = 1.into());
        }
        row
    }

    pub(super) fn monitor<'s>(&self, tables: &'s Tables, key: &MonitorKey) -> Option<&'s Arc<Monitor>> {
        let any = || tables.monitors.values().find(|row| row.key().slug == key.slug);
        tables.monitors.get(key).or_else(|| if self.has(Flaw::AnyProjectWillDo) { any() } else { None })
    }

    pub(super) fn read_monitor(&self, row: &Arc<Monitor>) -> Arc<Monitor> {
        if self.has(Flaw::DeletingIsDisabled) {
            return reread(row, |json| {
                if json["status"] == "deleting" {
                    json["status"] = "disabled".into();
                }
            });
        }
        Arc::clone(row)
    }

    pub(super) fn place(&self, tables: &Tables, key: &EnvironmentKey) -> Option<EnvironmentKey> {
        if self.has(Flaw::NamesAreFolded) {
            let folded = |key: &EnvironmentKey| key.name.as_str().to_lowercase();
            let same = |other: &&EnvironmentKey| other.monitor == key.monitor && folded(other) == folded(key);
            return tables.environments.keys().find(same).cloned();
        }
        tables.environments.contains_key(key).then(|| key.clone())
    }

    pub(super) fn read_environment(&self, row: &Environment) -> Environment {
        match self.flaw {
            Some(Flaw::StrandedIsForgotten) => reread(row, |json| {
                if json["failing"] == "stranded" {
                    json["failing"] = Value::Null;
                }
            }),
            Some(Flaw::CountsEndAtHalf) => {
                reread(row, |json| json["runs"] = row.runs().min(i32::MAX.unsigned_abs()).into())
            }
            Some(Flaw::MillisecondsAreEnough) if row.last_checkin().is_some() => reread(row, |json| {
                let cut = row.last_checkin().map(|at| at.trunc_subsecs(3));
                json["last_checkin"] = serde_json::to_value(cut).unwrap();
            }),
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "this is the flaw"
            )]
            Some(Flaw::VersionsAreFloating) => {
                reread(row, |json| json["version"] = (row.version().number() as f64 as i64).into())
            }
            _ => row.clone(),
        }
    }

    pub(super) fn read_run(&self, row: &Run) -> Run {
        if self.has(Flaw::TraceIdsAreForgotten) {
            return reread(row, |json| json["trace_id"] = Value::Null);
        }
        row.clone()
    }

    pub(super) fn runs_of<'s>(&self, tables: &'s Tables, id: EnvironmentId) -> impl Iterator<Item = &'s Run> {
        tables.runs.values().filter(move |run| run.environment() == id)
    }

    pub(super) fn find(
        &self,
        tables: &Tables,
        here: Option<&Environment>,
        query: RunQuery,
    ) -> Option<RunLookup> {
        let found = |run: &Run| match here {
            Some(here) if run.environment() == here.id() => {
                Some(RunLookup::Own(Box::new(self.read_run(run))))
            }
            None if self.has(Flaw::NowhereFindsNothing) => None,
            _ if self.has(Flaw::ElsewhereIsNowhere) => None,
            _ => Some(RunLookup::Foreign(tables.keys.get(&run.environment())?.clone())),
        };
        let is_open = |run: &&Run| match run.status() {
            RunStatus::InProgress => true,
            RunStatus::Timeout => self.has(Flaw::TimedOutRunsAreOpen),
            _ => false,
        };
        let newest_open = || {
            let open = self.runs_of(tables, here?.id()).filter(is_open);
            let order = |run: &&Run| match self.has(Flaw::NewestIsTheLastCreated) {
                true => (DateTime::<Utc>::MIN_UTC, run.number()),
                false => run.summary().order(),
            };
            open.max_by_key(order).and_then(found)
        };
        let closed = |id, run: &&Run| run.closed_by() == Some(id);
        let anonymous = |id| {
            let started = tables.runs.get(&id).filter(|_| !self.has(Flaw::StartingMessagesAreForgotten));
            let closed = tables.runs.values().find(|run| closed(id, run));
            let closed = closed.filter(|_| !self.has(Flaw::ClosingMessagesAreForgotten));
            let is_here = |run: &&Run| here.is_some_and(|here| run.environment() == here.id());
            let anywhere = self.has(Flaw::ClosingMessagesFindEverywhere);
            started.filter(is_here).or_else(|| closed.filter(|run| anywhere || is_here(run))).and_then(found)
        };
        match query {
            RunQuery::None if self.has(Flaw::RunsAreReadUnasked) => newest_open(),
            RunQuery::None => None,
            RunQuery::Id(id) if self.has(Flaw::IdsFindWhatTheyClosed) => {
                tables.runs.values().find(|run| run.id() == id || closed(id, run)).and_then(found)
            }
            RunQuery::Id(id) => tables.runs.get(&id).and_then(found),
            RunQuery::Anonymous(id) => anonymous(id).or_else(newest_open),
        }
    }

    pub(super) fn history(
        &self,
        tables: &Tables,
        here: &Environment,
        query: HistoryQuery,
    ) -> Vec<RunSummary> {
        let HistoryQuery { count, until, mut judged } = query;
        let mut limit = count as usize;
        let is_here = |run: &&Run| match self.has(Flaw::HistoryIsOfTheMonitor) {
            true => tables.keys.get(&run.environment()).is_some_and(|key| key.monitor == here.key().monitor),
            false => run.environment() == here.id(),
        };
        let mut runs: Vec<_> = tables.runs.values().filter(is_here).map(Run::summary).collect();
        match self.flaw {
            Some(Flaw::HistoryIsAsItBegan) => {
                runs.iter_mut().for_each(|run| *run = tables.past.begun[&run.id]);
            }
            Some(Flaw::HistoryIsInMilliseconds) => {
                runs.iter_mut().for_each(|run| run.started_at = run.started_at.trunc_subsecs(3));
            }
            Some(Flaw::HistoryIsAlwaysJudged) => judged = true,
            Some(Flaw::HistoryIsUnlimited) => limit = usize::MAX,
            Some(Flaw::HistoryIsCapped) => limit = limit.min(CAP),
            _ => {}
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.order()));
        if self.has(Flaw::HistoryTiesAreOldestFirst) {
            runs.sort_by_key(|run| (std::cmp::Reverse(run.started_at), run.number));
        }
        if self.has(Flaw::HistoryIsLimitedAndThenJudged) {
            runs.truncate(limit);
        }
        let before = |run: &RunSummary| Some(run.started_at) != until || !self.has(Flaw::HistoryEndsBefore);
        let query = HistoryQuery { count, until, judged };
        runs.into_iter().filter(|run| query.matches(run) && before(run)).take(limit).collect()
    }
}
