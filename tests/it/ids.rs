//! Golden bytes: an id that changes makes receivers take old events for new ones. The values were computed
//! independently, as the UUIDv5 of the parts that `id.rs` names, each behind its length in eight bytes.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use std::num::NonZeroU32;

use overdue::batch::ProcessingKey;
use overdue::id::{EnvironmentId, MonitorId, ProjectId};
use overdue::outcome::Verdict;
use overdue::policy::{IncidentMode, Quirk};
use overdue::sampling::{IncidentSampling, SamplingPolicy};
use overdue::{Event, Policy};

use crate::world::{World, checkin, hourly, monitor, place};

#[test]
fn monitors_and_environments() {
    let monitor = MonitorId::of(&monitor("job"));
    assert_eq!(monitor.to_string(), "c016f0dc-6b20-509f-973f-06c821ced7b8");
    let environment = EnvironmentId::of(&place("job", "production"));
    assert_eq!(environment.to_string(), "f683fb7a-4335-5f45-8ba2-5d19f75e4812");

    let world = World::with(&hourly(1, 1));
    world.accepted("10:00", 1, "ok");
    assert_eq!((world.monitor().id(), world.environment().id()), (monitor, environment));
}

fn missed(world: &World) -> String {
    match &world.tick("11:05")[..] {
        [Verdict::Missed(run)] => run.checkin.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn misses() {
    let world = World::with(&hourly(1, 1));
    world.accepted("10:00", 1, "ok");
    assert_eq!(missed(&world), "6a1dcd6e-bd25-5598-bbcd-ec787e8f85ff");

    // Where a quirk may miss one slot twice, the version of the environment tells the two apart.
    let mut policy = Policy::default();
    policy.quirks = policy.quirks.with(Quirk::RepeatedHourForgotten);
    let world = World::new(policy);
    world.create("job", &hourly(1, 1)).unwrap();
    world.accepted("10:00", 1, "ok");
    assert_eq!(world.environment().version().number(), 1);
    assert_eq!(missed(&world), "123e53ef-3197-5764-9c85-b5ec318a04e1");
}

#[test]
fn messages_without_a_name() {
    let world = World::with(&hourly(1, 1));
    let run = world.accepted("2024-09-02T10:00:00.000000500Z", 0, "in_progress").checkin;
    assert_eq!(run.to_string(), "77349caa-0eac-5517-83ce-57698233109d");
    let world = World::with(&hourly(1, 1));
    let run = world.accepted("1969-12-31T23:59:59Z", 0, "ok").checkin;
    assert_eq!(
        run.to_string(),
        "64f82520-f6c2-512c-8d1e-c1332e7d721b",
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
    let world = World::new(policy);
    world.create("job", &hourly(1, 1)).unwrap();
    world.accepted("10:00", 1, "error");
    world.accepted("11:00", 2, "ok");
    world.accepted("12:00", 3, "error");
    let incidents = world.store().incidents(&place("job", "production"));
    let incidents: Vec<_> = incidents.iter().map(|incident| incident.id().to_string()).collect();
    assert_eq!(incidents, ["b92c076a-3a93-53cb-8112-2d66ce5889ac", "397cf124-6c82-5a8c-9297-f06bbe123cad"]);
    let expected = [
        ("sampling_requested", "83055094-51eb-5a97-8d30-685cc7323e4c"),
        ("incident_opened", "17bc80cd-1552-5731-b149-67e3eb418f9d"),
        ("incident_occurrence", "deb60a17-7738-5323-a34c-6ac28edfba7a"),
        ("incident_resolved", "d6bd2fda-a5f9-56f9-b688-ca315bb4f3da"),
    ];
    assert_eq!(
        kinds_and_ids(&world.told()[..4]),
        expected.map(|(kind, id)| (kind.to_owned(), id.to_owned()))
    );
}

#[test]
fn failures_without_incidents() {
    let mut policy = Policy::default();
    policy.incidents = IncidentMode::Legacy;
    let world = World::new(policy);
    world.create("job", &hourly(1, 1)).unwrap();
    world.accepted("10:00", 1, "error");
    assert_eq!(
        kinds_and_ids(&world.told()),
        [("failure".to_owned(), "ec49344f-5736-541a-81fd-c61d7067606d".to_owned())]
    );
}

#[test]
fn refusals() {
    let world = World::new(Policy::default());
    world.refused("10:00", b"no JSON".to_vec());
    world.refused("10:00", b"no JSON".to_vec());
    world.refused("10:00", checkin("job", 1, "ok"));
    let ids: Vec<_> = world.told().iter().map(|event| event.id().to_string()).collect();
    assert_eq!(ids[0], "a0141210-3d83-580e-b1ea-4d707019d6f6");
    assert_eq!(ids[1], ids[0], "the same message is refused under the same id");
    assert_ne!(ids[2], ids[0]);
}

#[test]
fn partitions() {
    let partition = |slug, environment, count| {
        ProcessingKey::new(ProjectId::new(1), slug, environment).partition(NonZeroU32::new(count).unwrap())
    };
    let nightly = |count| partition("nightly-backup", "production", count);
    assert_eq!([1, 2, 64, u32::MAX].map(nightly), [0, 0, 48, 2_309_980_465]);
    // The parts do not run together.
    assert_eq!([partition("a", "bc", 1_000), partition("ab", "c", 1_000)], [278, 541]);
}
