//! An environment in memory: small, because there are many; rare fields are out of line.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::id::{EnvironmentId, EnvironmentKey, EnvironmentName, PRODUCTION, RunId, Version};
use crate::row::reference::Failing;
use crate::row::{Environment, Expectation, Health, Incident, Monitor, RunStatus, RunSummary, Watch, boxed};

/// No row: the end of a list.
pub(super) const NONE: u32 = u32::MAX;

/// One environment, and the numbers of its rows.
#[derive(Debug)]
pub(super) struct StoredEnvironment {
    pub(super) monitor: Arc<Monitor>,
    pub(super) links: Links,
    id: EnvironmentId,
    version: Version,
    last_checkin: Option<DateTime<Utc>>,
    last_result: Option<DateTime<Utc>>,
    last_ok: Option<Success>,
    expectation: Expectation,
    runs: u32,
    condition: Condition,
    muted: bool,
    watch: Watch,
    cold: Option<Box<Cold>>,
}

/// The lists that contain the environment, and those that start with it.
#[derive(Debug)]
pub(super) struct Links {
    /// The monitor's next environment. The first one links to the newest, each of the others to the one
    /// created before it.
    pub(super) sibling: u32,
    /// Its newest run.
    pub(super) newest: u32,
    /// The second, counted from 1970, of its newest start of a run, or a later one.
    begun: u32,
    /// One of its runs in progress.
    pub(super) open: u32,
    /// Its position among the environments that are due in the same minute.
    pub(super) due: u32,
}

/// [`Health`] while no incident is open.
#[derive(Clone, Copy, Debug)]
enum Condition {
    Active,
    Ok,
}

/// [`RunSummary`] of a run that succeeded.
#[derive(Clone, Copy, Debug)]
struct Success {
    id: RunId,
    number: u32,
    started_at: DateTime<Utc>,
}

/// Fields that are unset in a healthy production environment, kept out of line.
#[derive(Debug, Default)]
struct Cold {
    /// `None` for production.
    name: Option<EnvironmentName>,
    /// The open incident. While there is one, the condition is ignored.
    incident: Option<Arc<Incident>>,
    failing: Option<Failing>,
    anonymous_at: Option<DateTime<Utc>>,
    /// Incidents not yet pruned; `count` is the total ever opened.
    incidents: Vec<Arc<Incident>>,
    count: u32,
}

impl Links {
    /// Whether a run with this start is certainly newer than all others.
    pub(super) fn is_later(&self, start: DateTime<Utc>) -> bool {
        second(start) > self.begun
    }

    /// Records a new run, the newest of all.
    pub(super) fn begin(&mut self, run: u32, start: DateTime<Utc>) {
        self.newest = run;
        self.begun = self.begun.max(second(start));
    }
}

/// Returns the second since 1970 that contains an instant, or the nearest that fits.
fn second(at: DateTime<Utc>) -> u32 {
    u32::try_from(at.timestamp().max(0)).unwrap_or(u32::MAX)
}

impl StoredEnvironment {
    pub(super) fn new(row: &Environment, monitor: &Arc<Monitor>, sibling: u32) -> Self {
        let mut stored = Self {
            monitor: Arc::clone(monitor),
            links: Links { sibling, newest: NONE, begun: 0, open: NONE, due: NONE },
            id: row.id,
            version: row.version,
            last_checkin: None,
            last_result: None,
            last_ok: None,
            expectation: Expectation::None,
            runs: 0,
            condition: Condition::Active,
            muted: false,
            watch: Watch::On,
            cold: None,
        };
        if row.key.name != PRODUCTION {
            stored.cold().name = Some(row.key.name.clone());
        }
        stored.put(row);
        stored
    }

    fn cold(&mut self) -> &mut Cold {
        self.cold.get_or_insert_default()
    }

    /// Replaces the row with one of the same name.
    pub(super) fn put(&mut self, row: &Environment) {
        let Environment {
            id,
            key: _,
            health,
            failing,
            muted,
            watch,
            last_checkin,
            expectation,
            last_result,
            last_ok,
            anonymous_at,
            runs,
            incidents,
            version,
        } = row;
        let (condition, incident) = match health {
            Health::Active => (Condition::Active, None),
            Health::Ok => (Condition::Ok, None),
            Health::Error(incident) => (self.condition, Some(incident)),
        };
        let cold = incident.is_some() || failing.is_some() || anonymous_at.is_some() || *incidents > 0;
        if self.cold.is_some() || cold {
            let cold = self.cold();
            cold.failing = *failing;
            cold.incident = incident.cloned();
            cold.anonymous_at = *anonymous_at;
            cold.count = *incidents;
        }
        self.id = *id;
        self.version = *version;
        self.last_checkin = *last_checkin;
        self.last_result = *last_result;
        self.last_ok = last_ok.map(|RunSummary { id, number, status: _, started_at }| Success {
            id,
            number,
            started_at,
        });
        self.expectation = *expectation;
        self.runs = *runs;
        self.condition = condition;
        self.muted = *muted;
        self.watch = *watch;
    }

    /// The row.
    pub(super) fn row(&self) -> Environment {
        *self.row_as(self.key())
    }

    /// Returns the row, for a caller that knows its key.
    pub(super) fn row_as(&self, key: EnvironmentKey) -> Box<Environment> {
        let cold = self.cold.as_deref();
        let health = match (cold.and_then(|cold| cold.incident.as_ref()), self.condition) {
            (Some(incident), _) => Health::Error(Arc::clone(incident)),
            (None, Condition::Active) => Health::Active,
            (None, Condition::Ok) => Health::Ok,
        };
        boxed(|| Environment {
            id: self.id,
            key,
            health,
            failing: cold.and_then(|cold| cold.failing),
            muted: self.muted,
            watch: self.watch,
            last_checkin: self.last_checkin,
            expectation: self.expectation,
            last_result: self.last_result,
            last_ok: self.last_ok.map(|Success { id, number, started_at }| RunSummary {
                id,
                number,
                status: RunStatus::Ok,
                started_at,
            }),
            anonymous_at: cold.and_then(|cold| cold.anonymous_at),
            runs: self.runs,
            incidents: cold.map_or(0, |cold| cold.count),
            version: self.version,
        })
    }

    pub(super) fn key(&self) -> EnvironmentKey {
        EnvironmentKey { monitor: self.monitor.key.clone(), name: self.name().clone() }
    }

    pub(super) fn is_called(&self, name: &EnvironmentName) -> bool {
        match self.cold.as_deref().and_then(|cold| cold.name.as_ref()) {
            Some(own) => own == name,
            None => name.is_production(),
        }
    }

    pub(super) fn name(&self) -> &EnvironmentName {
        self.cold.as_deref().and_then(|cold| cold.name.as_ref()).unwrap_or(&PRODUCTION)
    }

    pub(super) const fn id(&self) -> EnvironmentId {
        self.id
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    /// As [`Environment::due_at`].
    pub(super) fn due_at(&self) -> Option<DateTime<Utc>> {
        self.expectation.deadline().filter(|_| self.watch.is_on()).map(|deadline| deadline.closes)
    }

    pub(super) fn incidents(&self) -> &[Arc<Incident>] {
        self.cold.as_deref().map_or(&[], |cold| cold.incidents.as_slice())
    }

    pub(super) fn put_incident(&mut self, incident: &Arc<Incident>) {
        let incidents = &mut self.cold().incidents;
        match incidents.iter_mut().rfind(|stored| stored.id == incident.id) {
            Some(stored) => *stored = Arc::clone(incident),
            None => incidents.push(Arc::clone(incident)),
        }
    }

    pub(super) fn prune_incidents(&mut self, before: DateTime<Utc>) {
        if let Some(cold) = &mut self.cold {
            cold.incidents.retain(|incident| incident.resolution.is_none_or(|end| end.at >= before));
        }
    }
}
