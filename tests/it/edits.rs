//! Edits of a monitor that race with its check-ins, or come between them.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use overdue::admission::{AdmitAll, ValidCheckin};
use overdue::config::{ConfigUpdate, MonitorConfig};
use overdue::id::{EnvironmentKey, EnvironmentName, MonitorKey, OrganizationId, ProjectId, RunId};
use overdue::row::RunStatus;
use overdue::rules::{self, Edit};
use overdue::store::{CommitError, Query};
use overdue::{Engine, MemoryStore, Message, Policy, Schedule, Store, Zone};

use crate::fixture::{Fixture, at, checkin, hourly, named};

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

/// An edit rewrites the runs in progress. A run that finishes meanwhile must stay finished (I5), whether or
/// not the edit also moves the deadline of its environment: here a quirk, or the end of a schedule, keeps it.
#[test]
fn a_run_that_finishes_during_an_edit_stays_finished() {
    for (policy, schedule, began) in [
        (Policy::default(), "0 2 * * *", "2024-09-02T02:00:00Z"),
        (Policy::sentry_2024(), "0 2 * * *", "2024-09-02T02:00:00Z"),
        (Policy::default(), "0 2 31 12 *", "2100-12-31T12:00:00Z"),
    ] {
        let engine = Engine::new(MemoryStore::new(), policy);
        let key = MonitorKey { project: ProjectId::new(1), slug: "job".parse().unwrap() };
        let config = MonitorConfig::new(Schedule::crontab(schedule, Zone::UTC).unwrap());
        engine.create_monitor(OrganizationId::new(1), &key, &config).unwrap();
        engine.process_checkin(&message(began, "in_progress")).unwrap();

        let snapshot = engine.store().load_monitor(&key).unwrap().unwrap();
        let patient = config.to_builder().max_runtime(60).build().unwrap();
        let edit = Edit::Config(patient);
        let decision = rules::edit_monitor(&snapshot, &edit, began.parse().unwrap(), engine.policy());

        engine.process_checkin(&message(began, "ok")).unwrap();
        let committed = engine.store().commit(&decision.transition.unwrap());
        assert_eq!(committed, Err(CommitError::Conflict), "{schedule}");
        let environment = EnvironmentKey { monitor: key, name: EnvironmentName::production() };
        let runs = engine.store().runs(&environment);
        let stored: Vec<(RunId, RunStatus)> = runs.iter().map(|run| (run.id(), run.status())).collect();
        assert_eq!(stored, [(RUN.parse().unwrap(), RunStatus::Ok)], "{schedule}");
    }
}

/// Reference times never go back, even if the newest of them took no search of the calendar.
#[test]
fn an_edit_dated_before_the_newest_checkin_awaits_no_run_before_it() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("09:05", 1, "ok");
    fixture.accepted("09:45", 2, "ok");
    fixture.edit("09:30", &Edit::Config(every_minute(5)));
    assert_eq!(fixture.deadline(), Some((at("09:46"), at("09:51"))));
}

/// A check-in of one environment changes the schedule of all. Another environment, which still expects a run
/// of the old schedule, must not take it for one of the new schedule when the margin is edited.
#[test]
fn a_deadline_of_an_old_schedule_outlives_no_checkin() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("09:05", 1, "ok");
    let update = ConfigUpdate::new(every_minute(5).schedule().clone());
    let elsewhere = checkin("job", 2, "ok").with_environment(named("dev")).with_config(update);
    fixture.send("09:06", elsewhere);
    fixture.edit("09:07", &Edit::Config(every_minute(3)));
    assert_eq!(fixture.deadline(), Some((at("10:00"), at("10:03"))));
    fixture.accepted("09:08", 3, "ok");
    assert_eq!(fixture.deadline(), Some((at("09:09"), at("09:12"))));
}

fn every_minute(margin: u32) -> MonitorConfig {
    let schedule = Schedule::crontab("* * * * *", Zone::UTC).unwrap();
    hourly(1, 1).to_builder().schedule(schedule).margin(margin).build().unwrap()
}

/// A monitor is removed and created again while a decision about the first one is made, and everything else
/// is unchanged. The decision must not apply to the second one.
#[test]
fn a_monitor_made_again_is_another() {
    let fixture = Fixture::new(Policy::default());
    let update = ConfigUpdate::new(hourly(1, 1).schedule().clone());
    let first = checkin("job", 1, "ok").with_config(update);
    fixture.send("10:00", first.clone());
    let late = crate::fixture::message("10:30", checkin("job", 2, "error"));
    let valid = ValidCheckin::admit(&late, &AdmitAll, fixture.engine.policy()).unwrap();
    let snapshot =
        fixture.store().load(&valid.key(), &Query::checkin(&valid, fixture.engine.policy())).unwrap();
    let read = snapshot.environment.as_ref().unwrap().version();
    let decided = rules::process_checkin(snapshot, &valid, fixture.engine.policy()).transition.unwrap();

    for _ in 0..3 {
        fixture.engine.remove_monitor(fixture.monitor().key()).unwrap();
        fixture.send("10:10", first.clone());
        assert_eq!(fixture.environment().version(), read);
        assert_eq!(fixture.store().commit(&decided), Err(CommitError::Conflict));
    }
}

/// The same if edits have moved the first one's version past that of the organization.
#[test]
fn an_edited_monitor_made_again_is_another() {
    let fixture = Fixture::with(&hourly(1, 1));
    for muted in [true, false, true, false] {
        fixture.edit("10:00", &Edit::Muted(muted));
    }
    let edited = fixture.monitor().version();
    fixture.engine.remove_monitor(fixture.monitor().key()).unwrap();
    fixture.create("job", &hourly(1, 1)).unwrap();
    assert!(fixture.monitor().version() > edited);
}
