//! The embedded store: saved, read back and pruned.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "these are tests"
)]

use chrono::TimeDelta;
use overdue::outcome::{Alerting, HealthEffect, Outcome};
use overdue::{MemoryStore, Message, Policy};
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use crate::fixture::{
    Fixture, ORGANIZATION, RecordedEngine, Time, at, checkin, hourly, message, monitor, named, place,
};

/// The same fixture, saved and read back.
fn restored(fixture: &Fixture) -> Fixture {
    let saved = serde_json::to_vec(fixture.store()).unwrap();
    let store: MemoryStore = serde_json::from_slice(&saved).unwrap();
    Fixture { engine: RecordedEngine::new(store, fixture.engine.policy().clone()) }
}

#[test]
fn an_incident_goes_on_where_it_was_saved() {
    let fixture = Fixture::with(&hourly(2, 2));
    fixture.accepted("10:00", 1, "error");
    let fixture = restored(&fixture);
    assert!(matches!(
        fixture.judged("11:00", 2, "error"),
        HealthEffect::Opened { alerting: Alerting::Sent, .. }
    ));
    let incident = fixture.environment().incident().unwrap().id();

    let fixture = restored(&fixture);
    assert!(matches!(fixture.judged("12:00", 3, "ok"), HealthEffect::Recovering { successes: 1, .. }));
    fixture.accepted("12:10", 4, "in_progress");
    let fixture = restored(&fixture);
    assert_eq!(fixture.engine.next_deadline(), Ok(Some(at("12:20"))), "what is due is found again");
    assert_eq!(fixture.tick("12:20").len(), 1);
    fixture.accepted("13:00", 5, "ok");
    let resolved = fixture.judged("14:00", 6, "ok");
    assert_eq!(resolved, HealthEffect::Resolved { incident, alerting: Alerting::Sent });
    assert_eq!(fixture.store().incidents(&place("job", "production")).len(), 1);
}

#[test]
fn an_anonymous_message_is_known_after_a_restart() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "in_progress");
    fixture.accepted("10:05", 0, "ok");
    let fixture = restored(&fixture);
    assert!(matches!(fixture.send("10:05", checkin("job", 0, "ok")), Outcome::Ignored(_)));
    assert_eq!(fixture.store().runs(&place("job", "production")).len(), 1);
}

#[test]
fn a_store_that_cannot_be_is_not_read() {
    for saved in ["", "[]", r#"{"organizations": []}"#, r#"{"organizations": [], "monitors": [{}]}"#] {
        assert!(serde_json::from_str::<MemoryStore>(saved).is_err(), "{saved}");
    }
}

/// Returns a row with one value replaced.
fn with(row: &Value, place: &str, value: impl ToString) -> Value {
    let mut row = row.clone();
    *row.pointer_mut(place).unwrap() = value.to_string().into();
    row
}

/// If the row were accepted, one of the two would be lost.
#[test]
fn a_row_that_was_saved_twice_is_told() {
    const ENVIRONMENT: &str = "/monitors/0/environments/0";
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "error");
    let saved = serde_json::to_value(fixture.store()).unwrap();
    let told = |list: &str, edit: fn(&mut Vec<Value>)| {
        let mut saved = saved.clone();
        edit(saved.pointer_mut(list).unwrap().as_array_mut().unwrap());
        serde_json::from_value::<MemoryStore>(saved).unwrap_err().to_string()
    };
    let twice = |list: &str| told(list, |rows| rows.push(rows[0].clone()));
    let elsewhere = |list: &str| told(list, |rows| rows[0]["environment"] = Uuid::nil().to_string().into());
    let (runs, incidents) = (&format!("{ENVIRONMENT}/runs"), &format!("{ENVIRONMENT}/incidents"));

    assert_eq!(twice("/organizations"), "organization 1 is there twice");
    assert_eq!(twice("/monitors"), "monitor 7/job is there twice");
    let environments = "/monitors/0/environments";
    let environment = "environment 7/job/production is there twice, or under another monitor";
    assert_eq!(twice(environments), environment);
    let renumbered = told(environments, |rows| rows.push(with(&rows[0], "/row/id", Uuid::nil())));
    let renamed = told(environments, |rows| rows.push(with(&rows[0], "/row/key/name", "stage")));
    assert_eq!([renumbered, renamed], ["id must be that of the key"; 2]);
    let strange = told("/monitors", |rows| {
        let row = rows[0].pointer_mut("/row/key/slug").unwrap();
        *row = "other".into();
    });
    assert_eq!(strange, "environment 7/job/production is there twice, or under another monitor");
    let run = "run 00000000-0000-0000-0000-000000000001 is there twice, or in another environment";
    assert_eq!((twice(runs), elsewhere(runs)), (run.to_owned(), run.to_owned()));
    let id = fixture.environment().incident().unwrap().id();
    let incident = format!("incident {id} is there twice, or in another environment");
    assert_eq!((twice(incidents), elsewhere(incidents)), (incident.clone(), incident));
}

/// The runs that are left, by number.
fn left(fixture: &Fixture) -> Vec<u128> {
    let runs = fixture.store().runs(&place("job", "production"));
    runs.iter().map(|run| run.id().as_uuid().as_u128()).collect()
}

#[test]
fn pruning_takes_what_is_old_and_finished() {
    let fixture = Fixture::with(&hourly(1, 1));
    for (received, run) in [("10:00", 1), ("11:00", 2), ("12:00", 3), ("13:00", 4)] {
        fixture.accepted(received, run, "ok");
    }
    assert_eq!(fixture.store().prune(at("12:00")), 2, "what started at the date stays");
    assert_eq!(left(&fixture), [3, 4]);
    assert_eq!(fixture.store().prune(at("12:00")), 0);
    fixture.accepted("14:00", 5, "ok");
    assert_eq!(fixture.store().prune(at("13:30")), 2, "each time from where it stopped");
    assert_eq!(left(&fixture), [5]);
    assert_eq!(fixture.environment().runs(), 5, "they have been, all the same");
}

#[test]
fn pruning_keeps_runs_in_progress() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "in_progress");
    fixture.accepted("10:01", 2, "ok");
    fixture.accepted("10:02", 3, "ok");
    assert_eq!(fixture.store().prune(at("20:00")), 1);
    assert_eq!(left(&fixture), [1, 3]);
    assert_eq!(fixture.engine.next_deadline(), Ok(Some(at("10:10"))));
    assert!(matches!(fixture.send("10:05", checkin("job", 1, "ok")), Outcome::Accepted(_)));
}

#[test]
fn pruning_keeps_what_thresholds_look_at() {
    let fixture = Fixture::with(&hourly(3, 2));
    for (received, run, status) in
        [("10:00", 1, "ok"), ("11:00", 2, "error"), ("11:30", 3, "in_progress"), ("12:00", 4, "error")]
    {
        fixture.accepted(received, run, status);
    }
    assert_eq!(fixture.store().prune(at("20:00")), 0, "three that were judged, and one that is open");
    assert_eq!(left(&fixture), [1, 2, 3, 4]);
    assert!(matches!(
        fixture.judged("13:00", 5, "error"),
        HealthEffect::BelowThreshold { .. } | HealthEffect::Opened { .. }
    ));
    assert_eq!(fixture.store().prune(at("20:00")), 1);
    assert_eq!(left(&fixture), [2, 3, 4, 5]);
    assert!(fixture.judged("14:00", 6, "error") != HealthEffect::Healthy);
    assert!(fixture.environment().incident().is_some());
}

#[test]
fn pruning_takes_incidents_that_ended_before() {
    let fixture = Fixture::with(&hourly(1, 1));
    for (received, run, status) in [
        ("10:00", 1, "error"),
        ("11:00", 2, "ok"),
        ("12:00", 3, "error"),
        ("13:00", 4, "ok"),
        ("14:00", 5, "error"),
    ] {
        fixture.accepted(received, run, status);
    }
    let numbers = || {
        let incidents = fixture.store().incidents(&place("job", "production"));
        incidents.iter().map(|incident| incident.number()).collect::<Vec<_>>()
    };
    fixture.store().prune(at("11:00"));
    assert_eq!(numbers(), [0, 1, 2], "the first ended at the date");
    fixture.store().prune(at("12:00"));
    assert_eq!(numbers(), [1, 2]);
    fixture.store().prune(at("20:00"));
    assert_eq!(numbers(), [2], "the open one stays");
    assert_eq!(fixture.environment().incidents(), 3);
}

#[test]
fn pruned_ids_are_free_and_pruned_rows_forgotten() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "in_progress");
    fixture.accepted("10:01", 0, "ok");
    fixture.accepted("11:00", 2, "ok");
    fixture.store().prune(at("11:00"));
    assert_eq!(left(&fixture), [2]);
    assert!(matches!(fixture.send("12:00", checkin("job", 1, "ok")), Outcome::Accepted(_)));
    let restored = restored(&fixture);
    assert_eq!(left(&restored), [2, 1]);
}

#[test]
fn a_message_whose_run_was_pruned_is_not_taken_for_that_of_another() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "in_progress");
    fixture.accepted("10:01", 0, "ok");
    fixture.accepted("11:00", 2, "ok");
    assert_eq!(fixture.store().prune(at("11:00")), 1);
    fixture.accepted("12:00", 3, "ok");
    fixture.accepted("10:01", 0, "ok");
    assert_eq!(
        fixture.store().runs(&place("job", "production")).len(),
        3,
        "the message began a run of its own"
    );
}

#[test]
fn rows_are_shown_in_order() {
    let fixture = Fixture::with(&hourly(1, 1));
    for slug in ["b", "a"] {
        fixture.engine.create_monitor(ORGANIZATION, &monitor(slug), &hourly(1, 1)).unwrap();
    }
    let slugs: Vec<_> = fixture.store().monitors().iter().map(|row| row.key().slug.to_string()).collect();
    assert_eq!(slugs, ["a", "b", "job"]);
    fixture.send("10:00", checkin("job", 1, "ok").with_environment(named("staging")));
    fixture.send("09:00", checkin("job", 2, "ok").with_environment(named("dev")));
    let names: Vec<_> =
        fixture.store().environments(&monitor("job")).iter().map(|row| row.name().to_string()).collect();
    assert_eq!(names, ["staging", "dev"], "in order of creation");
    fixture.accepted("12:00", 3, "ok");
    fixture.accepted("11:00", 4, "ok");
    fixture.accepted("12:00", 5, "ok");
    assert_eq!(left(&fixture), [4, 3, 5], "by start, then by creation");
    assert!(fixture.store().runs(&place("job", "nowhere")).is_empty());
    assert!(fixture.store().environments(&monitor("nobody")).is_empty());
    assert!(fixture.store().incidents(&place("nobody", "production")).is_empty());
}

#[test]
fn a_monitor_that_went_leaves_its_place_to_others() {
    let fixture = Fixture::with(&hourly(1, 1));
    for round in 0..3_u128 {
        fixture.accepted("10:00", round + 1, "in_progress");
        fixture.engine.remove_monitor(&monitor("job")).unwrap();
        assert!(fixture.store().runs(&place("job", "production")).is_empty());
        let other = format!("job-{round}");
        fixture.create(&other, &hourly(1, 1)).unwrap();
        fixture.send("10:00", checkin(&other, round + 10, "ok"));
        fixture.create("job", &hourly(1, 1)).unwrap();
    }
    fixture.accepted("11:00", 9, "ok");
    assert_eq!(left(&fixture), [9]);
    assert_eq!(fixture.store().monitors().len(), 4);
    assert_eq!(restored(&fixture).store().monitors(), fixture.store().monitors());
}

/// The runs of three jobs in a simple model: by job, in order of start and then of creation.
#[derive(Clone, Debug)]
enum Step {
    Report { job: usize, minute: u16, status: &'static str },
    Prune { minute: u16 },
}

/// A run in the model: its start, its number and its status.
type Kept = (Time, u128, &'static str);

fn steps(count: usize, minutes: u16) -> impl Strategy<Value = Vec<Step>> {
    let statuses = prop_oneof![6 => Just("ok"), 3 => Just("error"), 1 => Just("in_progress")];
    let report = (0..3_usize, 0..minutes, statuses);
    let report = report.prop_map(|(job, minute, status)| Step::Report { job, minute, status });
    let prune = (0..minutes).prop_map(|minute| Step::Prune { minute });
    prop::collection::vec(prop_oneof![count as u32 / 12 => report, 1 => prune], 0..count)
}

/// Takes the steps with the store and with the model, which must have the same runs after each prune.
fn keeps_what_the_model_keeps(steps: &[Step], window: u32) {
    const JOBS: [&str; 3] = ["a", "b", "c"];
    let fixture = Fixture::new(Policy::default());
    JOBS.iter().for_each(|job| drop(fixture.create(job, &hourly(window, 1)).unwrap()));
    let mut model: [Vec<Kept>; 3] = Default::default();
    let when = |minute: u16| at("00:00") + TimeDelta::minutes(minute.into());
    for (number, step) in (1..).zip(steps) {
        match *step {
            Step::Report { job, minute, status } => {
                let message = Message {
                    received_at: when(minute),
                    ..message("00:00", checkin(JOBS[job], number, status))
                };
                assert!(matches!(fixture.engine.process_checkin(&message), Ok(Outcome::Accepted(_))));
                model[job].push((when(minute), number, status));
                model[job].sort_unstable();
            }
            Step::Prune { minute } => {
                let mut gone = 0;
                for runs in &mut model {
                    let judged = runs.iter().rev().filter(|(.., status)| *status != "in_progress");
                    let looked_at = judged.take(window as usize).last().copied();
                    let before = runs.len();
                    runs.retain(|run| {
                        run.0 >= when(minute) || run.2 == "in_progress" || Some(*run) >= looked_at
                    });
                    gone += before - runs.len();
                }
                assert_eq!(fixture.store().prune(when(minute)), gone);
                for (job, runs) in JOBS.iter().zip(&model) {
                    let left = fixture.store().runs(&place(job, "production"));
                    let left: Vec<_> = left.iter().map(|run| run.id().as_uuid().as_u128()).collect();
                    assert_eq!(left, runs.iter().map(|(_, number, _)| *number).collect::<Vec<_>>());
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn runs_stay_in_order_whatever_is_pruned_between(steps in steps(120, 90), window in 1..4_u32) {
        keeps_what_the_model_keeps(&steps, window);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    /// Enough runs to fill several chunks.
    #[test]
    fn many_runs_stay_in_order_whatever_is_pruned_between(steps in steps(6_000, 600), window in 1..4_u32) {
        keeps_what_the_model_keeps(&steps, window);
    }
}
