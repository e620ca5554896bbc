//! Edits of a monitor that race with its check-ins.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use chrono_tz::Tz;
use overdue::config::{MaxRuntime, MonitorConfig};
use overdue::event::NoSink;
use overdue::id::{CheckinId, OrganizationId, ProjectId};
use overdue::key::{EnvironmentKey, EnvironmentName, MonitorKey};
use overdue::row::RunStatus;
use overdue::rules::{self, Edit};
use overdue::store::CommitError;
use overdue::{Engine, MemoryStore, Message, Policy, Schedule, Store};

const RUN: &str = "5f2ab0c0-8d2d-4ab2-b2a1-d34fd4e53fbc";

fn message(at: &str, status: &str) -> Message {
    let body = format!(r#"{{"check_in_id": "{RUN}", "monitor_slug": "job", "status": "{status}"}}"#);
    Message {
        organization: OrganizationId::new(1),
        project: ProjectId::new(1),
        received_at: at.parse().unwrap(),
        body: body.into_bytes().into(),
    }
}

/// An edit rewrites the runs in progress. One that finishes in the meantime must stay finished (I5), whether or
/// not the edit also moves the deadline of its environment: here a quirk, or the end of a schedule, keeps it.
#[test]
fn a_run_that_finishes_during_an_edit_stays_finished() {
    for (policy, schedule, began) in [
        (Policy::default(), "0 2 * * *", "2024-09-02T02:00:00Z"),
        (Policy::sentry_2024(), "0 2 * * *", "2024-09-02T02:00:00Z"),
        (Policy::default(), "0 2 31 12 *", "2100-12-31T12:00:00Z"),
    ] {
        let engine = Engine::new(MemoryStore::new(), NoSink, policy);
        let key = MonitorKey { project: ProjectId::new(1), slug: "job".parse().unwrap() };
        let config = MonitorConfig::builder(Schedule::crontab(schedule, Tz::UTC).unwrap()).build();
        engine.create_monitor(OrganizationId::new(1), &key, &config).unwrap();
        engine.process_checkin(&message(began, "in_progress")).unwrap();

        let snapshot = engine.store().load_monitor(&key).unwrap().unwrap();
        let patient = config.to_builder().max_runtime(MaxRuntime::new(60).unwrap()).build();
        let edit = Edit::Config(patient);
        let decision = rules::edit_monitor(&snapshot, &edit, began.parse().unwrap(), engine.policy());

        engine.process_checkin(&message(began, "ok")).unwrap();
        let committed = engine.store().commit(&decision.transition.unwrap());
        assert_eq!(committed, Err(CommitError::Conflict), "{schedule}");
        let environment = EnvironmentKey { monitor: key, name: EnvironmentName::production() };
        let runs = engine.store().runs(&environment);
        let stored: Vec<(CheckinId, RunStatus)> = runs.iter().map(|run| (run.id(), run.status())).collect();
        assert_eq!(stored, [(RUN.parse().unwrap(), RunStatus::Ok)], "{schedule}");
    }
}
