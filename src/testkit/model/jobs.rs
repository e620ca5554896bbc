//! Jobs, the places they run in, and what can be found by looking through the runs.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::MonitorConfig;
use crate::id::{
    EnvironmentId, EnvironmentKey, EnvironmentName, IncidentId, MonitorKey, OrganizationId, Owner, Version,
};
use crate::row::{
    Deadline, Environment, Expectation, Health, Incident, Monitor, MonitorStatus, Resolution, RunParts,
    RunStatus, RunSummary, Watch,
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
    /// Whether it was ever healthy.
    pub(super) was_well: bool,
    /// All runs, in order of creation.
    pub(super) runs: Vec<RunParts>,
    pub(super) outages: Vec<Outage>,
    /// The newest time that a deadline was computed from.
    pub(super) since: Option<Time>,
    /// When the next run is expected, and when it is missed.
    pub(super) deadline: Option<(Time, Time)>,
    /// When messages without a run id were received.
    pub(super) anonymous: Vec<Time>,
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

    /// The row, without its version.
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
            since: None,
            deadline: None,
            anonymous: Vec::new(),
        }
    }

    pub(super) fn id(&self) -> EnvironmentId {
        EnvironmentId::of(&self.key)
    }

    /// The start of the newest reported run.
    pub(super) fn last_checkin(&self) -> Option<Time> {
        let reported = self.runs.iter().filter(|run| run.status != RunStatus::Missed);
        reported.map(|run| run.started_at).max()
    }

    /// The start of the newest run with a result.
    pub(super) fn last_result(&self) -> Option<Time> {
        let finished = self.runs.iter().filter(|run| matches!(run.status, RunStatus::Ok | RunStatus::Error));
        finished.map(|run| run.started_at).max()
    }

    /// The newest run that succeeded.
    pub(super) fn last_ok(&self) -> Option<RunSummary> {
        let well = self.runs.iter().filter(|run| run.status == RunStatus::Ok);
        well.max_by_key(|run| (run.started_at, run.number)).map(summary)
    }

    /// The newest run in progress.
    pub(super) fn newest_open(&self) -> Option<usize> {
        let open = (0..self.runs.len()).filter(|nth| self.runs[*nth].status == RunStatus::InProgress);
        open.max_by_key(|nth| (self.runs[*nth].started_at, self.runs[*nth].number))
    }

    /// The newest runs that succeeded or failed and started no later than `until`, newest first.
    pub(super) fn newest(&self, count: u32, until: Time) -> Vec<RunSummary> {
        let judged = |run: &&RunParts| !matches!(run.status, RunStatus::InProgress | RunStatus::Unknown);
        let mut runs: Vec<RunSummary> = self.runs.iter().filter(judged).map(summary).collect();
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

    /// Expects the next run after `from`, or after the last such time, if that is later.
    pub(super) fn expect(&mut self, config: &MonitorConfig, from: Time) {
        let from = self.since.map_or(from, |before| before.max(from));
        self.since = Some(from);
        self.deadline = config.schedule().next(from).and_then(|next| {
            let latest = next.checked_add_signed(config.margin().duration())?;
            Some((next, latest))
        });
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.deadline.map(|(next, latest)| Deadline { expected: next, closes: latest })
    }

    /// What it waits for, without the time that this was computed from.
    fn expectation(&self) -> Expectation {
        match (self.deadline(), self.since) {
            (Some(deadline), _) => Expectation::Next { since: Time::MIN_UTC, deadline },
            (None, Some(_)) => Expectation::Ended { since: Time::MIN_UTC },
            (None, None) => Expectation::None,
        }
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

    /// The row, without its version and the time that its deadline was computed from.
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
            failing: None,
            muted: self.muted,
            watch: match (self.disabled, job.is_active()) {
                (false, true) => Watch::On,
                (true, true) => Watch::EnvironmentDisabled,
                (false, false) => Watch::MonitorDisabled,
                (true, false) => Watch::BothDisabled,
            },
            last_checkin: self.last_checkin(),
            expectation: self.expectation(),
            last_result: self.last_result(),
            last_ok: self.last_ok(),
            anonymous_at: self.anonymous.iter().max().copied(),
            runs: u32::try_from(self.runs.len()).unwrap(),
            incidents: u32::try_from(self.outages.len()).unwrap(),
            version: Version::NEW,
        }
    }
}

/// What windows and alerts need of a run.
pub(super) fn summary(run: &RunParts) -> RunSummary {
    RunSummary { id: run.id, number: run.number, status: run.status, started_at: run.started_at }
}

impl Outage {
    pub(super) fn last_failure(&self) -> Time {
        self.failures.iter().max().copied().unwrap_or(self.first.started_at)
    }
}

/// When a run times out that was heard of at `heard`: its maximum runtime after that minute.
pub(super) fn timeout(heard: Time, config: &MonitorConfig) -> Time {
    let minute = TimeDelta::seconds(60);
    let begun = TimeDelta::seconds(heard.timestamp().rem_euclid(minute.num_seconds()))
        + TimeDelta::nanoseconds(i64::from(heard.timestamp_subsec_nanos()));
    (heard - begun).checked_add_signed(config.max_runtime().duration()).unwrap_or(Time::MAX_UTC)
}
