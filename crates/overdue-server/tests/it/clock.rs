//! A server that was down for long catches up with one tick, and deletes what is too old.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use overdue::checkin::{Checkin, CheckinStatus};
use overdue::config::ConfigUpdate;
use overdue::id::{OrganizationId, ProjectId, RunId};
use overdue::{Engine, Message, Policy, Schedule, Zone};
use overdue_server::store::SqliteStore;
use tempfile::TempDir;
use uuid::Uuid;

use super::fixture::{Server, eventually};
use super::receiver::Receiver;

#[expect(clippy::disallowed_methods, reason = "the server lives in the present")]
fn days_ago(days: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}

#[test]
fn after_three_days_of_silence() {
    let directory = Arc::new(TempDir::new().unwrap());
    let store = SqliteStore::open(&directory.path().join("overdue.db")).unwrap();
    let engine = Engine::new(store, Policy::default());
    let schedule = Schedule::crontab("*/10 * * * *", Zone::UTC).unwrap();
    let report = |slug: &str, run: u128, days, status| {
        let checkin = Checkin::new(slug.parse().unwrap(), RunId::from_uuid(Uuid::from_u128(run)), status);
        let checkin = checkin.with_config(ConfigUpdate::new(schedule.clone()));
        let (organization, project) = (OrganizationId::new(1), ProjectId::new(1));
        engine.process_checkin(&Message::new(organization, project, days_ago(days), checkin)).unwrap();
    };
    for (number, days) in [(1, 50), (2, 45), (3, 40), (4, 3)] {
        report("ended", number, days, CheckinStatus::Ok);
    }
    report("hangs", 5, 3, CheckinStatus::InProgress);
    drop(engine);

    let receiver = Receiver::start(0);
    let server = Server::start_in(directory, &["--webhook", &receiver.url, "--retention", "30"]);
    // It ticks with the next whole minute: one miss each, for 430 expected runs; and the run that hangs.
    let runs = |slug: &str, status: &str| {
        let view = server.json(&format!("/api/monitors/1/{slug}"));
        let runs = view["environments"][0]["runs"].as_array().unwrap();
        runs.iter().filter(|run| run["status"] == status).count()
    };
    eventually("it ticks", || (runs("hangs", "timeout") == 1).then_some(()));
    assert_eq!((runs("ended", "missed"), runs("hangs", "missed")), (1, 1));
    let due = "SELECT count(*) FROM environments WHERE due_at <= strftime('%Y-%m-%dT%H:%M:%fZ')";
    assert_eq!(server.count(due), 0);
    eventually("both incidents are told", || {
        (receiver.told().iter().filter(|(kind, _)| kind == "incident_opened").count() == 2).then_some(())
    });
    // Rows older than 30 days are deleted.
    eventually("it prunes", || (runs("ended", "ok") == 1).then_some(()));
}
