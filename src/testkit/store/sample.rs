//! Rows to try a store with. They are made by hand, so that they take every shape that a row can take.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::admission::AdmitAll;
use crate::checkin::{Arrival, Checkin, Message, ReportedStatus};
use crate::config::{MonitorConfig, Threshold};
use crate::id::{CheckinId, EnvironmentId, IncidentId, OrganizationId, ProjectId};
use crate::key::{EnvironmentKey, EnvironmentName, MonitorKey};
use crate::policy::Quirks;
use crate::row::{Deadline, Incident, Run, RunStatus};
use crate::schedule::Schedule;

pub(super) type Time = DateTime<Utc>;

pub(super) const ORGANIZATION: OrganizationId = OrganizationId::new(1);
pub(super) const PROJECT: ProjectId = ProjectId::new(7);

/// Names that a store which trims, folds, or minds quotes and control characters would change.
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

/// Times before the epoch, of a nanosecond's precision, and as far away as times go; in order.
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
    // As under the quirk that keeps what pads a name.
    EnvironmentKey { monitor: monitor.clone(), name: EnvironmentName::parse(name, Quirks::ALL).unwrap() }
}

pub(super) fn place(slug: &str, name: &str) -> EnvironmentKey {
    environment(&monitor(slug), name)
}

/// The monitor `job` in production, where most proofs take place.
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
    MonitorConfig::builder(Schedule::crontab("0 * * * *", Tz::UTC).unwrap()).build()
}

/// Looks at so many runs before it opens or resolves an incident.
pub(super) fn looking_back(count: u32) -> MonitorConfig {
    let threshold = Threshold::new(count).unwrap();
    hourly().to_builder().failure_threshold(threshold).recovery_threshold(threshold).build()
}

pub(super) fn run_id(number: u128) -> CheckinId {
    CheckinId::from_uuid(Uuid::from_u128(number))
}

/// A bare run; its environment and number are given when it is put. In progress it times out ten minutes later.
pub(super) fn run(number: u128, started: &str, status: RunStatus) -> Run {
    run_at(number, at(started), status)
}

pub(super) fn run_at(number: u128, started_at: Time, status: RunStatus) -> Run {
    let minute = || started_at.trunc_subsecs(0).checked_add_signed(TimeDelta::minutes(10));
    Run {
        id: run_id(number),
        environment: EnvironmentId::from_uuid(Uuid::nil()),
        number: 0,
        status,
        started_at,
        expected_at: None,
        timeout_at: if status == RunStatus::InProgress { minute() } else { None },
        duration: None,
        updated_at: started_at,
        closed_by: None,
        trace_id: None,
        release: None,
    }
}

/// A deadline that is missed then.
pub(super) fn due(latest: Time) -> Option<Deadline> {
    let next = latest.checked_sub_signed(TimeDelta::minutes(5)).unwrap_or(Time::MIN_UTC);
    Some(Deadline { next, latest })
}

/// The environment's incident with this number, open since this run.
pub(super) fn incident(key: &EnvironmentKey, number: u32, first: &Run) -> Arc<Incident> {
    let environment = EnvironmentId::of(key);
    Arc::new(Incident {
        id: IncidentId::of(environment, first.id, number),
        environment,
        number,
        first: first.summary(),
        last_failure: first.started_at,
        announced: true,
        resolution: None,
    })
}

/// A check-in of this run; of none when it is zero.
pub(super) fn arrival(
    key: &EnvironmentKey,
    run: u128,
    received: &str,
    status: ReportedStatus,
) -> Arrival<'static> {
    let checkin = Checkin::new(key.monitor.slug.clone(), Uuid::from_u128(run), status);
    let checkin = checkin.with_environment(key.name.clone());
    let message = Message::new(ORGANIZATION, key.monitor.project, at(received), checkin);
    Arrival::receive(&message, &AdmitAll, Quirks::NONE).unwrap().into_owned()
}
