//! Old rows are deleted, and what the thresholds need stays.

use chrono::{DateTime, TimeDelta, Utc};
use overdue::id::{OrganizationId, ProjectId};
use overdue::{Engine, Message, Policy};
use overdue_cluster::servers::Server;
use serde_json::json;
use tempfile::TempDir;

use super::fixture::{self, RUNTIME};
use super::store::Postgres;

#[test]
fn old_rows_go_but_for_those_that_are_needed() {
    if !fixture::installed() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let server = Server::postgres(directory.path(), &["fsync=off"]).unwrap();
    let engine = Engine::new(Postgres::create(&server, "retention"), Policy::default());
    let start: DateTime<Utc> = "2024-09-02T10:00:00Z".parse().unwrap();
    // A job fails on two of ten days, and recovers; the run of the last day does not finish.
    for (day, status) in
        (0_i64..).zip(["ok", "error", "ok", "ok", "error", "ok", "ok", "ok", "ok", "in_progress"])
    {
        let body = json!({
            "check_in_id": format!("{:032x}", day + 1),
            "monitor_slug": "job",
            "status": status,
            "monitor_config": {
                "schedule": {"type": "interval", "value": 1, "unit": "day"},
                "recovery_threshold": 1 + usize::from(day > 5) * 2,
            },
        });
        let (organization, project) = (OrganizationId::new(1), ProjectId::new(1));
        let body = serde_json::to_vec(&body).unwrap();
        engine
            .process_checkin(&Message::new(organization, project, start + TimeDelta::days(day), body))
            .unwrap();
    }
    let count = |sql: &str| fixture::number(&server, &sql.replace("FROM ", "FROM retention."));
    let database = &engine.store().0;
    assert_eq!(count("SELECT count(*) FROM runs"), 10);
    assert_eq!(count("SELECT count(*) FROM incidents"), 2);

    // The first three days: all their runs, and the incident that was resolved by then.
    let gone = RUNTIME.block_on(database.prune(0, start + TimeDelta::days(3))).unwrap();
    assert_eq!((gone, count("SELECT count(*) FROM runs")), (4, 7));
    assert_eq!(count("SELECT count(*) FROM incidents"), 1);

    // All of it is old: three results stay, which the threshold needs, and the run in progress.
    RUNTIME.block_on(database.prune(0, start + TimeDelta::days(100))).unwrap();
    assert_eq!(count("SELECT count(*) FROM runs"), 4);
    assert_eq!(count("SELECT count(*) FROM runs WHERE status = 'in_progress'"), 1);
    assert_eq!(count("SELECT count(*) FROM incidents"), 0);
    // Events expire by the clock of the database, and only after they are published.
    let pending = RUNTIME.block_on(database.pending(0)).unwrap();
    let (far, events) = ("2100-01-01T00:00:00Z".parse().unwrap(), count("SELECT count(*) FROM events"));
    RUNTIME.block_on(database.prune(0, far)).unwrap();
    assert!(events > 1 && count("SELECT count(*) FROM events") == events);
    RUNTIME.block_on(database.told(&pending[..1])).unwrap();
    RUNTIME.block_on(database.prune(0, far)).unwrap();
    assert_eq!(count("SELECT count(*) FROM events"), events - 1);
}
