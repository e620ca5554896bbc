//! An environment as it lies in memory: small, because there are many, and what few of them have set aside.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::id::{CheckinId, EnvironmentId};
use crate::key::{EnvironmentKey, EnvironmentName, PRODUCTION};
use crate::row::{
    Deadline, Environment, Failure, Health, Incident, Monitor, RunStatus, RunSummary, Version, boxed,
};

/// Nothing: the end of a list.
pub(super) const NONE: u32 = u32::MAX;

/// One environment, and where its rows are.
#[derive(Debug)]
pub(super) struct Resident {
    pub(super) monitor: Arc<Monitor>,
    pub(super) links: Links,
    id: EnvironmentId,
    version: Version,
    last_checkin: Option<DateTime<Utc>>,
    reference: Option<DateTime<Utc>>,
    last_result: Option<DateTime<Utc>>,
    last_ok: Option<Success>,
    deadline: Option<Deadline>,
    runs: u32,
    condition: Condition,
    muted: bool,
    disabled: bool,
    dormant: bool,
    rare: Option<Box<Rare>>,
}

/// The lists that an environment is on, and those that begin with it.
#[derive(Debug)]
pub(super) struct Links {
    /// The monitor's next environment: of the first one its newest, of others the one that came before them.
    pub(super) sibling: u32,
    /// Its newest run.
    pub(super) newest: u32,
    /// The second, counted from 1970, in which the newest of its runs started, or a later one.
    begun: u32,
    /// One of its runs in progress.
    pub(super) open: u32,
    /// Its position among those that are due in the same minute.
    pub(super) due: u32,
}

/// [`Health`] while no incident is open.
#[derive(Clone, Copy, Debug)]
enum Condition {
    Active,
    Ok,
    Failed(Failure),
    Stranded,
}

/// [`RunSummary`] of a run that is known to have gone well.
#[derive(Clone, Copy, Debug)]
struct Success {
    id: CheckinId,
    number: u32,
    started_at: DateTime<Utc>,
}

/// What a healthy environment called production has nothing of.
#[derive(Debug, Default)]
struct Rare {
    /// None: production.
    name: Option<EnvironmentName>,
    /// The open one. While there is one, the condition says nothing.
    incident: Option<Arc<Incident>>,
    unnamed_at: Option<DateTime<Utc>>,
    /// Those that are kept, of so many that there were.
    incidents: Vec<Arc<Incident>>,
    count: u32,
}

impl Links {
    /// Whether a run that starts then is known to be newer than all others.
    pub(super) fn is_later(&self, start: DateTime<Utc>) -> bool {
        second(start) > self.begun
    }

    /// Takes down a new run, the newest of all.
    pub(super) fn begin(&mut self, run: u32, start: DateTime<Utc>) {
        self.newest = run;
        self.begun = self.begun.max(second(start));
    }
}

/// The second since 1970 that an instant lies in; the nearest there is.
fn second(at: DateTime<Utc>) -> u32 {
    u32::try_from(at.timestamp().max(0)).unwrap_or(u32::MAX)
}

impl Resident {
    pub(super) fn new(row: &Environment, monitor: &Arc<Monitor>, sibling: u32) -> Self {
        let mut resident = Self {
            monitor: Arc::clone(monitor),
            links: Links { sibling, newest: NONE, begun: 0, open: NONE, due: NONE },
            id: row.id,
            version: row.version,
            last_checkin: None,
            reference: None,
            last_result: None,
            last_ok: None,
            deadline: None,
            runs: 0,
            condition: Condition::Active,
            muted: false,
            disabled: false,
            dormant: false,
            rare: None,
        };
        if row.key.name != PRODUCTION {
            resident.rare().name = Some(row.key.name.clone());
        }
        resident.put(row);
        resident
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Takes over a row of the same name.
    pub(super) fn put(&mut self, row: &Environment) {
        let Environment {
            id,
            key: _,
            health,
            muted,
            disabled,
            dormant,
            last_checkin,
            deadline,
            reference,
            last_result,
            last_ok,
            unnamed_at,
            runs,
            incidents,
            version,
        } = row;
        let (condition, incident) = match health {
            Health::Active => (Condition::Active, None),
            Health::Ok => (Condition::Ok, None),
            Health::Error(incident) => (self.condition, Some(incident)),
            Health::Failed(failure) => (Condition::Failed(*failure), None),
            Health::Stranded => (Condition::Stranded, None),
        };
        if self.rare.is_some() || incident.is_some() || unnamed_at.is_some() || *incidents > 0 {
            let rare = self.rare();
            rare.incident = incident.cloned();
            rare.unnamed_at = *unnamed_at;
            rare.count = *incidents;
        }
        self.id = *id;
        self.version = *version;
        self.last_checkin = *last_checkin;
        self.reference = *reference;
        self.last_result = *last_result;
        self.last_ok = last_ok.map(|RunSummary { id, number, status: _, started_at }| Success {
            id,
            number,
            started_at,
        });
        self.deadline = *deadline;
        self.runs = *runs;
        self.condition = condition;
        self.muted = *muted;
        self.disabled = *disabled;
        self.dormant = *dormant;
    }

    /// The row.
    pub(super) fn row(&self) -> Environment {
        *self.row_as(self.key())
    }

    /// The row, for somebody who knows its key already.
    pub(super) fn row_as(&self, key: EnvironmentKey) -> Box<Environment> {
        let rare = self.rare.as_deref();
        let health = match (rare.and_then(|rare| rare.incident.as_ref()), self.condition) {
            (Some(incident), _) => Health::Error(Arc::clone(incident)),
            (None, Condition::Active) => Health::Active,
            (None, Condition::Ok) => Health::Ok,
            (None, Condition::Failed(failure)) => Health::Failed(failure),
            (None, Condition::Stranded) => Health::Stranded,
        };
        boxed(|| Environment {
            id: self.id,
            key,
            health,
            muted: self.muted,
            disabled: self.disabled,
            dormant: self.dormant,
            last_checkin: self.last_checkin,
            deadline: self.deadline,
            reference: self.reference,
            last_result: self.last_result,
            last_ok: self.last_ok.map(|Success { id, number, started_at }| RunSummary {
                id,
                number,
                status: RunStatus::Ok,
                started_at,
            }),
            unnamed_at: rare.and_then(|rare| rare.unnamed_at),
            runs: self.runs,
            incidents: rare.map_or(0, |rare| rare.count),
            version: self.version,
        })
    }

    pub(super) fn key(&self) -> EnvironmentKey {
        EnvironmentKey { monitor: self.monitor.key.clone(), name: self.name().clone() }
    }

    pub(super) fn is_called(&self, name: &EnvironmentName) -> bool {
        match self.rare.as_deref().and_then(|rare| rare.name.as_ref()) {
            Some(own) => own == name,
            None => name.is_production(),
        }
    }

    pub(super) fn name(&self) -> &EnvironmentName {
        self.rare.as_deref().and_then(|rare| rare.name.as_ref()).unwrap_or(&PRODUCTION)
    }

    pub(super) const fn id(&self) -> EnvironmentId {
        self.id
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    /// As [`Environment::due_at`].
    pub(super) fn due_at(&self) -> Option<DateTime<Utc>> {
        self.deadline.filter(|_| !self.disabled && !self.dormant).map(|deadline| deadline.latest)
    }

    pub(super) fn incidents(&self) -> &[Arc<Incident>] {
        self.rare.as_deref().map_or(&[], |rare| rare.incidents.as_slice())
    }

    pub(super) fn put_incident(&mut self, incident: &Arc<Incident>) {
        let incidents = &mut self.rare().incidents;
        match incidents.iter_mut().rfind(|stored| stored.id == incident.id) {
            Some(stored) => *stored = Arc::clone(incident),
            None => incidents.push(Arc::clone(incident)),
        }
    }

    pub(super) fn prune_incidents(&mut self, before: DateTime<Utc>) {
        if let Some(rare) = &mut self.rare {
            rare.incidents.retain(|incident| incident.resolution.is_none_or(|end| end.at >= before));
        }
    }
}
