//! The rows of one environment, and the store's part: reads a snapshot, and writes a transition or refuses
//! it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use overdue::Tick;
use overdue::id::{EventId, RunId, Version};
use overdue::row::{Environment, Incident, Monitor, Run, RunStatus};
use overdue::store::{
    Due, DueKind, DueRun, MonitorChange, PutRun, Query, RunLookup, RunQuery, Snapshot, Transition,
};

/// The kind and id of an event in the outbox.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Told {
    Opened(EventId),
    Occurrence(EventId),
    Resolved(EventId),
}

impl Told {
    fn of(event: &overdue::Event) -> Self {
        match event {
            overdue::Event::IncidentOpened(opened) => Self::Opened(opened.id),
            overdue::Event::IncidentOccurrence(occurrence) => Self::Occurrence(occurrence.id),
            overdue::Event::IncidentResolved(recovery) => Self::Resolved(recovery.id),
            other => panic!("nobody asked for {other:?}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rows {
    pub(super) monitor: Arc<Monitor>,
    pub(super) environment: Option<Environment>,
    pub(super) runs: BTreeMap<RunId, Run>,
    /// By number.
    pub(super) incidents: BTreeMap<u32, Arc<Incident>>,
    pub(super) outbox: Vec<Told>,
}

/// Another writer was first.
#[derive(Debug)]
pub(super) struct Conflict;

impl Rows {
    pub(super) fn of(monitor: Arc<Monitor>) -> Self {
        let (environment, runs, incidents) = (None, BTreeMap::new(), BTreeMap::new());
        Self { monitor, environment, runs, incidents, outbox: Vec::new() }
    }

    pub(super) fn load(&self, query: &Query<'_>) -> Snapshot {
        let run = match query.run() {
            RunQuery::None => None,
            RunQuery::Id(id) => self.runs.get(&id),
            RunQuery::Anonymous(id) => {
                let mut runs = self.runs.values();
                runs.find(|run| run.id() == id || run.closed_by() == Some(id)).or_else(|| self.newest_open())
            }
        };
        let window = self.environment.as_ref().and_then(|row| query.history(&self.monitor, row, run));
        let history = window.map_or_else(Vec::new, |window| {
            let mut runs: Vec<_> =
                self.runs.values().map(Run::summary).filter(|run| window.matches(run)).collect();
            runs.sort_by_key(|run| Reverse(run.order()));
            runs.truncate(window.count as usize);
            runs
        });
        Snapshot {
            organization: None,
            monitor: Some(Arc::clone(&self.monitor)),
            environment: self.environment.clone().map(Box::new),
            run: run.map(|run| RunLookup::Own(Box::new(run.clone()))),
            history,
        }
    }

    fn newest_open(&self) -> Option<&Run> {
        let open = self.runs.values().filter(|run| run.status() == RunStatus::InProgress);
        open.max_by_key(|run| run.summary().order())
    }

    /// What is due, in order.
    pub(super) fn due(&self, kind: DueKind, tick: Tick) -> Vec<Due> {
        let Some(environment) = &self.environment else { return Vec::new() };
        let entry = |at, run| Due { at, key: environment.key().clone(), run };
        let mut due: Vec<_> = match kind {
            DueKind::Miss => environment.due_at().map(|at| entry(at, None)).into_iter().collect(),
            DueKind::Timeout => {
                let runs = self.runs.values().filter(|_| environment.watch().is_on());
                let id = |run: &Run| Some(DueRun { number: run.number(), id: run.id() });
                runs.filter_map(|run| Some(entry(run.due_at()?, id(run)))).collect()
            }
        };
        due.retain(|due| due.at <= tick.time());
        due.sort_by(|a, b| a.order().cmp(&b.order()));
        due
    }

    pub(super) fn commit(&mut self, transition: &Transition) -> Result<(), Conflict> {
        let Transition { organization, monitor, environments, runs, incidents, events } = transition;
        assert!(organization.is_none(), "monitors neither come nor go");
        let version = self.environment.as_ref().map_or(Version::NEW, Environment::version);
        let new = |put: &PutRun| matches!(put, PutRun::New(run) if self.runs.contains_key(&run.id()));
        if monitor.expects() != self.monitor.version()
            || environments.iter().any(|put| put.replaces != version)
            || runs.iter().any(new)
        {
            return Err(Conflict);
        }
        if let MonitorChange::Put(put) = monitor {
            self.monitor = Arc::clone(&put.row);
        }
        for put in environments {
            self.environment = Some(Environment::clone(&put.row));
        }
        self.runs.extend(runs.iter().map(|put| (put.run().id(), put.run().clone())));
        self.incidents.extend(incidents.iter().map(|incident| (incident.number(), Arc::clone(incident))));
        self.outbox.extend(events.iter().map(Told::of));
        Ok(())
    }
}
