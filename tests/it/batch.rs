//! Groups of check-ins that are independent of each other.

use std::num::NonZeroU32;

use overdue::Message;
use overdue::batch::{ProcessingKey, groups};
use overdue::id::ProjectId;
use overdue::outcome::{Outcome, RunChange};
use overdue::testkit::{Fault, FaultyStore, Nth};

use crate::fixture::{Fixture, PROJECT, RecordedEngine, checkin, hourly, message, named};

fn raw(json: &str) -> ProcessingKey {
    ProcessingKey::of(&message("10:00", json.as_bytes().to_vec()))
}

#[test]
fn a_key_is_what_a_check_in_is_processed_under() {
    let key = |slug, environment| ProcessingKey::new(PROJECT, slug, environment);
    let typed = checkin("job", 1, "ok");
    assert_eq!(ProcessingKey::of(&message("10:00", typed.clone())), key("job", "production"));
    let dev = typed.with_environment(named("dev"));
    assert_eq!(ProcessingKey::of(&message("10:00", dev)), key("job", "dev"));
    // The spelling in the message does not matter.
    assert_eq!(raw(r#"{"monitor_slug": "My Job", "environment": " dev "}"#), key("my-job", "dev"));
    for none in [r#"{"monitor_slug": "job"}"#, r#"{"monitor_slug": "job", "environment": ""}"#] {
        assert_eq!(raw(none), key("job", "production"));
    }
    let elsewhere = Message { project: ProjectId::new(8), ..message("10:00", checkin("job", 1, "ok")) };
    assert_ne!(ProcessingKey::of(&elsewhere), key("job", "production"));
}

/// The key of a message that will be rejected is made of what can be read of it.
#[test]
fn every_message_has_a_key() {
    let key = |slug, environment| ProcessingKey::new(PROJECT, slug, environment);
    assert_eq!(raw("no JSON"), key("", "production"));
    assert_eq!(raw("{}"), key("", "production"));
    assert_eq!(raw(r#"{"monitor_slug": "job", "environment": "a/b"}"#), key("job", "a/b"));
    assert_eq!(raw(r#"{"monitor_slug": 5, "environment": 5}"#), key("", "production"));
}

#[test]
fn keys_are_stored_and_spread() {
    let key = ProcessingKey::new(PROJECT, "job", "dev");
    let stored = serde_json::to_string(&key).unwrap();
    assert_eq!(serde_json::from_str::<ProcessingKey>(&stored).unwrap(), key);

    let partitions = NonZeroU32::new(16).unwrap();
    let mut spread = [0_u32; 16];
    for number in 0..1_600 {
        let key = ProcessingKey::new(PROJECT, &format!("job-{number}"), "production");
        spread[key.partition(partitions) as usize] += 1;
    }
    assert!(spread.iter().all(|count| (50..200).contains(count)), "{spread:?}");
}

#[test]
fn groups_come_as_first_named_and_keep_their_order() {
    let send = |slug: &str, run, environment: &str| {
        message("10:00", checkin(slug, run, "ok").with_environment(named(environment)))
    };
    let messages = [
        send("b", 1, "dev"),
        send("a", 2, "dev"),
        send("b", 3, "production"),
        send("b", 4, "dev"),
        send("a", 5, "dev"),
    ];
    let positions: Vec<Vec<usize>> = groups(&messages)
        .into_iter()
        .map(|(_, group)| group.into_iter().map(|(position, _)| position).collect())
        .collect();
    assert_eq!(positions, [vec![0, 3], vec![1, 4], vec![2]]);
    assert!(groups(&[]).is_empty());
}

#[test]
fn answers_come_in_the_order_of_the_input() {
    let fixture = Fixture::with(&hourly(1, 1));
    let other = checkin("job", 2, "in_progress").with_environment(named("dev"));
    let messages = [
        message("10:00", checkin("job", 1, "in_progress")),
        message("10:00", other),
        message("10:01", b"no JSON".to_vec()),
        message("10:05", checkin("job", 1, "ok")),
    ];
    let answers = fixture.engine.process_batch(&messages);
    let changes: Vec<_> = answers
        .into_iter()
        .map(|answer| match answer.unwrap() {
            Outcome::Accepted(accepted) => Some(accepted.change),
            Outcome::Rejected(_) => None,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        changes,
        [Some(RunChange::Started), Some(RunChange::Started), None, Some(RunChange::Finished)]
    );
}

#[test]
fn a_check_in_that_fails_does_not_stop_the_next() {
    let fixture = Fixture::with(&hourly(1, 1));
    let store = serde_json::from_value(serde_json::to_value(fixture.store()).unwrap()).unwrap();
    let store = FaultyStore::<overdue::MemoryStore>::new(store, Fault::Unwritten, Nth::Call(0));
    let engine = RecordedEngine::new(store, overdue::Policy::default());
    let messages = [1, 2].map(|run| message("10:00", checkin("job", run, "ok")));
    let answers = engine.process_batch(&messages);
    assert!(answers[0].is_err() && answers[1].is_ok());
}
