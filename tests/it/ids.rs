//! Golden bytes: if an id changes, receivers take old events for new ones. The values were computed
//! independently, as the UUIDv5 of the parts that `id.rs` names, each after its length in two bytes.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use std::num::NonZeroU32;

use overdue::batch::ProcessingKey;
use overdue::id::{EnvironmentId, MonitorId, ProjectId};
use overdue::outcome::TickEffect;
use overdue::policy::{Quirk, Quirks};
use overdue::sampling::{IncidentSampling, SamplingPolicy};
use overdue::{Event, Policy};

use crate::fixture::{Fixture, checkin, hourly, keeping, monitor, place};

#[test]
fn monitors_and_environments() {
    let monitor = MonitorId::of(&monitor("job"));
    assert_eq!(monitor.to_string(), "a9d82df7-9442-59eb-9bc3-52095b2ff0fc");
    let environment = EnvironmentId::of(&place("job", "production"));
    assert_eq!(environment.to_string(), "43c2ee1b-650b-5197-b7c7-ddf9819e2e9f");

    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "ok");
    assert_eq!((fixture.monitor().id(), fixture.environment().id()), (monitor, environment));
}

fn missed(fixture: &Fixture) -> String {
    match &fixture.tick("11:05")[..] {
        [TickEffect::Missed(failed)] => failed.run.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn misses() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "ok");
    assert_eq!(missed(&fixture), "d6d6e635-cfdf-5e84-9d66-3c6fbd089df9");

    // If a quirk may miss an expected time twice, the version of the environment distinguishes the two.
    let fixture = Fixture::new(keeping(Quirks::NONE.with(Quirk::RepeatedHourForgotten)));
    fixture.create("job", &hourly(1, 1)).unwrap();
    fixture.accepted("10:00", 1, "ok");
    assert_eq!(fixture.environment().version().number(), 1);
    assert_eq!(missed(&fixture), "636f777b-7509-5b65-853c-02bdc5e13f12");
}

#[test]
fn messages_without_a_name() {
    let fixture = Fixture::with(&hourly(1, 1));
    let run = fixture.accepted("2024-09-02T10:00:00.000000500Z", 0, "in_progress").run;
    assert_eq!(run.to_string(), "52f7ae0a-dd26-5f1e-b7c7-39382d69865d");
    let fixture = Fixture::with(&hourly(1, 1));
    let run = fixture.accepted("1969-12-31T23:59:59Z", 0, "ok").run;
    assert_eq!(
        run.to_string(),
        "86b43998-298b-5a0f-b976-b7d3d41b4c56",
        "before 1970 seconds count down from -1"
    );
}

fn kinds_and_ids(events: &[Event]) -> Vec<(String, String)> {
    let kind = |event| serde_json::to_value(event).unwrap()["kind"].as_str().unwrap().to_owned();
    events.iter().map(|event| (kind(event), event.id().to_string())).collect()
}

#[test]
fn incidents_and_events() {
    let mut policy = Policy::default();
    policy.sampling = SamplingPolicy::OnIncident(IncidentSampling::default());
    let fixture = Fixture::new(policy);
    fixture.create("job", &hourly(1, 1)).unwrap();
    fixture.accepted("10:00", 1, "error");
    fixture.accepted("11:00", 2, "ok");
    fixture.accepted("12:00", 3, "error");
    let incidents = fixture.store().incidents(&place("job", "production"));
    let incidents: Vec<_> = incidents.iter().map(|incident| incident.id().to_string()).collect();
    assert_eq!(incidents, ["e1afbedf-b00a-5a2f-b216-8215ca1865ea", "0a936573-13b1-516c-9a6e-d26710ac8470"]);
    let expected = [
        ("sampling_requested", "bbd88b3e-3b11-59d2-82f9-ea06adc8ca83"),
        ("incident_opened", "75c6f2cb-4f00-5af0-8e3d-11923b62937d"),
        ("incident_occurrence", "ba0f480a-e779-5866-bfa2-1b33a8b4d951"),
        ("incident_resolved", "243be8d7-9661-51af-ad03-c008ce1475f0"),
    ];
    assert_eq!(
        kinds_and_ids(&fixture.told()[..4]),
        expected.map(|(kind, id)| (kind.to_owned(), id.to_owned()))
    );
}

#[test]
fn failures_without_incidents() {
    let fixture = Fixture::new(keeping(Quirks::NONE.with(Quirk::NoIncidents)));
    fixture.create("job", &hourly(1, 1)).unwrap();
    fixture.accepted("10:00", 1, "error");
    assert_eq!(
        kinds_and_ids(&fixture.told()),
        [("failure".to_owned(), "e2dcfea1-2f71-5cfe-9db7-3c9ad7bdc4d0".to_owned())]
    );
}

#[test]
fn refusals() {
    let fixture = Fixture::new(Policy::default());
    fixture.rejected("10:00", b"no JSON".to_vec());
    fixture.rejected("10:00", b"no JSON".to_vec());
    fixture.rejected("10:00", checkin("job", 1, "ok"));
    let ids: Vec<_> = fixture.told().iter().map(|event| event.id().to_string()).collect();
    assert_eq!(ids[0], "8b03c825-35d1-5954-84e0-342a9155b39c");
    assert_eq!(ids[1], ids[0], "the same message is refused under the same id");
    assert_ne!(ids[2], ids[0]);
}

#[test]
fn partitions() {
    let partition = |slug, environment, count| {
        ProcessingKey::new(ProjectId::new(1), slug, environment).partition(NonZeroU32::new(count).unwrap())
    };
    let nightly = |count| partition("nightly-backup", "production", count);
    assert_eq!([1, 2, 64, u32::MAX].map(nightly), [0, 1, 15, 2_208_551_638]);
    // The parts do not run together.
    assert_eq!([partition("a", "bc", 1_000), partition("ab", "c", 1_000)], [543, 272]);
}
