//! Jobs, the places they run in, and what can be found by looking through the runs.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::MonitorConfig;
use crate::id::{EnvironmentId, IncidentId, OrganizationId};
use crate::key::{EnvironmentKey, EnvironmentName, MonitorKey};
use crate::policy::Quirks;
use crate::row::{
    Deadline, Environment, Health, Incident, Monitor, MonitorStatus, Owner, Resolution, Run, RunStatus,
    RunSummary, Version,
};

pub(super) type Time = DateTime<Utc>;

/// A monitor.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) organization: OrganizationId,
    pub(super) key: MonitorKey,
    pub(super) name: String,
    pub(super) config: MonitorConfig,
    pub(super) owner: Option<Owner>,
    pub(super) status: MonitorStatus,
    pub(super) muted: bool,
    pub(super) places: Vec<Place>,
}

/// An environment.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) key: EnvironmentKey,
    pub(super) muted: bool,
    pub(super) disabled: bool,
    /// Whether it was ever found well, or has ever recovered.
    pub(super) was_well: bool,
    /// All runs, in order of creation.
    pub(super) runs: Vec<Run>,
    pub(super) outages: Vec<Outage>,
    /// The newest time that a deadline was reckoned from.
    pub(super) reckoned: Option<Time>,
    /// When the next run is expected, and when it is missed.
    pub(super) deadline: Option<(Time, Time)>,
    /// When all-zero messages were received.
    pub(super) unnamed: Vec<Time>,
}

/// An incident.
#[derive(Clone, Debug)]
pub(super) struct Outage {
    pub(super) first: RunSummary,
    /// When its failing runs started.
    pub(super) failures: Vec<Time>,
    pub(super) announced: bool,
    pub(super) end: Option<Resolution>,
}

impl Job {
    pub(super) fn new(organization: OrganizationId, key: MonitorKey, config: MonitorConfig) -> Self {
        let name = key.slug.to_string();
        let (owner, status, muted) = (None, MonitorStatus::Active, false);
        Self { organization, key, name, config, owner, status, muted, places: Vec::new() }
    }

    pub(super) fn is_active(&self) -> bool {
        self.status == MonitorStatus::Active
    }

    /// The place of this name.
    pub(super) fn place(&self, name: &EnvironmentName) -> Option<usize> {
        self.places.iter().position(|place| place.key.name == *name)
    }

    /// The row, but for its counters.
    pub(super) fn row(&self) -> Monitor {
        Monitor {
            organization: self.organization,
            key: self.key.clone(),
            name: self.name.as_str().into(),
            config: self.config.clone(),
            owner: self.owner,
            status: self.status,
            muted: self.muted,
            environments: u32::try_from(self.places.len()).unwrap(),
            version: Version::NEW,
        }
    }
}

impl Place {
    pub(super) fn new(monitor: &MonitorKey, name: EnvironmentName) -> Self {
        Self {
            key: EnvironmentKey { monitor: monitor.clone(), name },
            muted: false,
            disabled: false,
            was_well: false,
            runs: Vec::new(),
            outages: Vec::new(),
            reckoned: None,
            deadline: None,
            unnamed: Vec::new(),
        }
    }

    pub(super) fn id(&self) -> EnvironmentId {
        EnvironmentId::of(&self.key)
    }

    /// When the newest run started that somebody reported.
    pub(super) fn last_checkin(&self) -> Option<Time> {
        let reported = self.runs.iter().filter(|run| run.status != RunStatus::Missed);
        reported.map(|run| run.started_at).max()
    }

    /// When the newest run started that has a result.
    pub(super) fn last_result(&self) -> Option<Time> {
        let finished = self.runs.iter().filter(|run| matches!(run.status, RunStatus::Ok | RunStatus::Error));
        finished.map(|run| run.started_at).max()
    }

    /// The newest run that went well.
    pub(super) fn last_ok(&self) -> Option<RunSummary> {
        let well = self.runs.iter().filter(|run| run.status == RunStatus::Ok);
        well.max_by_key(|run| (run.started_at, run.number)).map(Run::summary)
    }

    /// The newest run in progress.
    pub(super) fn newest_open(&self) -> Option<usize> {
        let open = (0..self.runs.len()).filter(|nth| self.runs[*nth].status == RunStatus::InProgress);
        open.max_by_key(|nth| (self.runs[*nth].started_at, self.runs[*nth].number))
    }

    /// The newest runs that went well or failed and that started no later than this, newest first.
    pub(super) fn newest(&self, count: u32, until: Time) -> Vec<RunSummary> {
        let judged = |run: &&Run| !matches!(run.status, RunStatus::InProgress | RunStatus::Unknown);
        let mut runs: Vec<RunSummary> = self.runs.iter().filter(judged).map(Run::summary).collect();
        runs.retain(|run| run.started_at <= until);
        runs.sort_by_key(|run| (run.started_at, run.number));
        runs.reverse();
        runs.truncate(count as usize);
        runs
    }

    /// The open incident.
    pub(super) fn outage(&mut self) -> Option<&mut Outage> {
        self.outages.iter_mut().find(|outage| outage.end.is_none())
    }

    /// Awaits the next run after `from`, or after whatever was reckoned from before, if that is later.
    pub(super) fn expect(&mut self, config: &MonitorConfig, from: Time) {
        let from = self.reckoned.map_or(from, |before| before.max(from));
        self.reckoned = Some(from);
        self.deadline = config.schedule().next(from, Quirks::NONE).and_then(|next| {
            let latest = next.checked_add_signed(config.margin().duration())?;
            Some((next, latest))
        });
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.deadline.map(|(next, latest)| Deadline { next, latest })
    }

    /// One of its incidents, as a row.
    pub(super) fn incident(&self, number: usize) -> Arc<Incident> {
        let outage = &self.outages[number];
        let number = u32::try_from(number).unwrap();
        Arc::new(Incident {
            id: IncidentId::of(self.id(), outage.first.id, number),
            environment: self.id(),
            number,
            first: outage.first,
            last_failure: outage.last_failure(),
            announced: outage.announced,
            resolution: outage.end,
        })
    }

    /// The row, but for its counters, and for what deadlines are reckoned from.
    pub(super) fn row(&self, job: &Job) -> Environment {
        let open = (0..self.outages.len()).find(|nth| self.outages[*nth].end.is_none());
        Environment {
            id: self.id(),
            key: self.key.clone(),
            health: match open {
                Some(number) => Health::Error(self.incident(number)),
                None if self.was_well => Health::Ok,
                None => Health::Active,
            },
            muted: self.muted,
            disabled: self.disabled,
            dormant: !job.is_active(),
            last_checkin: self.last_checkin(),
            deadline: self.deadline(),
            reference: None,
            last_result: self.last_result(),
            last_ok: self.last_ok(),
            unnamed_at: self.unnamed.iter().max().copied(),
            runs: u32::try_from(self.runs.len()).unwrap(),
            incidents: u32::try_from(self.outages.len()).unwrap(),
            version: Version::NEW,
        }
    }
}

impl Outage {
    pub(super) fn last_failure(&self) -> Time {
        self.failures.iter().max().copied().unwrap_or(self.first.started_at)
    }
}

/// When a run times out that was heard of at `heard`: so long after that minute, if time goes on so long.
pub(super) fn timeout(heard: Time, config: &MonitorConfig) -> Time {
    let minute = TimeDelta::seconds(60);
    let begun = TimeDelta::seconds(heard.timestamp().rem_euclid(minute.num_seconds()))
        + TimeDelta::nanoseconds(i64::from(heard.timestamp_subsec_nanos()));
    (heard - begun).checked_add_signed(config.max_runtime().duration()).unwrap_or(Time::MAX_UTC)
}
