//! Rows to test a store with. They are made by hand, to take every shape that a row can take.

use std::sync::Arc;

use crate::schedule::Zone;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::Uuid;

use crate::admission::{AdmitAll, ValidCheckin};
use crate::checkin::{Checkin, CheckinStatus};
use crate::config::MonitorConfig;
use crate::id::{
    EnvironmentId, EnvironmentKey, EnvironmentName, IncidentId, MonitorKey, OrganizationId, ProjectId, RunId,
};
use crate::policy::Policy;
use crate::row::{Deadline, Expectation, Incident, RunParts, RunStatus, RunSummary};
use crate::schedule::Schedule;
use crate::wire::Message;

pub(super) type Time = DateTime<Utc>;

pub(super) const ORGANIZATION: OrganizationId = OrganizationId::new(1);
pub(super) const PROJECT: ProjectId = ProjectId::new(7);

/// Texts that change in a store that trims or folds them, or is not safe with quotes and control characters.
pub(super) const TEXTS: [&str; 12] = [
    "Ünïcödé",
    "日本語 🦀",
    "cafe\u{301}",
    "İıŞş",
    " padded ",
    "line\n",
    "tab\there",
    "nul\0nul",
    "'; DROP TABLE runs; --",
    "100% \\_ \"?\"",
    "null",
    "0",
];

/// A time of day on 2 September 2024, or a whole RFC 3339 time.
pub(super) fn at(text: &str) -> Time {
    let whole = match text.len() {
        5 => format!("2024-09-02T{text}:00Z"),
        8 => format!("2024-09-02T{text}Z"),
        _ => text.to_owned(),
    };
    whole.parse().unwrap()
}

/// Times before the epoch, to the nanosecond, and up to the first and the last of all, in order.
pub(super) fn far_times() -> Vec<Time> {
    let between = [
        "-0044-03-15T12:00:00Z",
        "0001-01-01T00:00:00Z",
        "1677-09-21T00:12:43.145224192Z",
        "1969-12-31T23:59:59.999999999Z",
        "1970-01-01T00:00:00Z",
        "2024-09-02T10:00:00.123456788Z",
        "2024-09-02T10:00:00.123456789Z",
        "2038-01-19T03:14:08Z",
        "2262-04-11T23:47:16.854775808Z",
        "9999-12-31T23:59:59.999999999Z",
        "+10000-01-01T00:00:00Z",
    ];
    let between = between.into_iter().map(at);
    [Time::MIN_UTC].into_iter().chain(between).chain([Time::MAX_UTC]).collect()
}

pub(super) fn monitor(slug: &str) -> MonitorKey {
    MonitorKey { project: PROJECT, slug: slug.parse().unwrap() }
}

pub(super) fn environment(monitor: &MonitorKey, name: &str) -> EnvironmentKey {
    // As it stands in a row: under a quirk, padding is kept.
    EnvironmentKey { monitor: monitor.clone(), name: EnvironmentName::exactly(name).unwrap() }
}

pub(super) fn place(slug: &str, name: &str) -> EnvironmentKey {
    environment(&monitor(slug), name)
}

/// The monitor `job` in production, which most tests use.
pub(super) fn job() -> EnvironmentKey {
    place("job", "production")
}

pub(super) fn dev() -> EnvironmentKey {
    place("job", "dev")
}

/// The same monitor and environment in another project.
pub(super) fn foreign() -> EnvironmentKey {
    environment(&MonitorKey { project: ProjectId::new(99), slug: monitor("job").slug }, "production")
}

pub(super) fn hourly() -> MonitorConfig {
    MonitorConfig::new(Schedule::crontab("0 * * * *", Zone::UTC).unwrap())
}

/// With both thresholds at this count.
pub(super) fn looking_back(count: u32) -> MonitorConfig {
    hourly().to_builder().failure_threshold(count).recovery_threshold(count).build().unwrap()
}

pub(super) fn run_id(number: u128) -> RunId {
    RunId::from_uuid(Uuid::from_u128(number))
}

/// A bare run; its environment and number are given when it is put. In progress or unknown, it times out ten
/// minutes after its start.
pub(super) fn run(number: u128, started: &str, status: RunStatus) -> RunParts {
    run_at(number, at(started), status)
}

pub(super) fn run_at(number: u128, started_at: Time, status: RunStatus) -> RunParts {
    let mut run = RunParts {
        id: run_id(number),
        environment: EnvironmentId::from_uuid(Uuid::nil()),
        number: 0,
        status,
        started_at,
        expected_at: None,
        timeout_at: None,
        duration: None,
        updated_at: started_at,
        closed_by: None,
        trace_id: None,
        release: None,
    };
    run.set_status(status);
    run
}

impl RunParts {
    /// What windows and alerts need of it.
    pub(super) const fn summary(&self) -> RunSummary {
        let Self { id, number, status, started_at, .. } = *self;
        RunSummary { id, number, status, started_at }
    }

    /// Gives the run this status, and a timeout or none, as the status demands.
    pub(super) fn set_status(&mut self, status: RunStatus) {
        let later = || self.started_at.trunc_subsecs(0).checked_add_signed(TimeDelta::minutes(10));
        self.status = status;
        self.timeout_at = match status {
            RunStatus::InProgress | RunStatus::Unknown => {
                self.timeout_at.or_else(later).or(Some(Time::MAX_UTC))
            }
            RunStatus::Timeout => self.timeout_at,
            RunStatus::Ok | RunStatus::Error | RunStatus::Missed => None,
        };
    }
}

/// Expects a run whose margin closes then, five minutes after its time.
pub(super) fn due(closes: Time) -> Expectation {
    let before = |minutes| closes.checked_sub_signed(TimeDelta::minutes(minutes)).unwrap_or(Time::MIN_UTC);
    Expectation::Next { since: before(65), deadline: Deadline { expected: before(5), closes } }
}

/// The environment's incident with this number, open since this run.
pub(super) fn incident(key: &EnvironmentKey, number: u32, first: RunSummary) -> Arc<Incident> {
    let environment = EnvironmentId::of(key);
    Arc::new(Incident {
        id: IncidentId::of(environment, first.id, number),
        environment,
        number,
        first,
        last_failure: first.started_at,
        announced: true,
        resolution: None,
    })
}

/// A check-in of this run; of none if the number is zero.
pub(super) fn valid(
    key: &EnvironmentKey,
    run: u128,
    received: &str,
    status: CheckinStatus,
) -> ValidCheckin<'static> {
    valid_under(&Policy::default(), key, run, received, status)
}

/// The same, admitted under this policy.
pub(super) fn valid_under(
    policy: &Policy,
    key: &EnvironmentKey,
    run: u128,
    received: &str,
    status: CheckinStatus,
) -> ValidCheckin<'static> {
    let checkin = Checkin::new(key.monitor.slug.clone(), Uuid::from_u128(run), status);
    let checkin = checkin.with_environment(key.name.clone());
    let message = Message::new(ORGANIZATION, key.monitor.project, at(received), checkin);
    ValidCheckin::admit(&message, &AdmitAll, policy).unwrap().into_owned()
}
