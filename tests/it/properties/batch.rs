//! A batch equals its check-ins one by one, and so do its groups side by side.

use std::collections::HashSet;

use overdue::batch::{ProcessingKey, groups};
use overdue::testkit::history::{History, Step};
use overdue::testkit::strategies::{Pace, histories};
use overdue::{MemoryStore, Message, Policy};
use proptest::prelude::*;

use super::view::{ids_by_environment, seen};
use crate::fixture::RecordedEngine;

fn engine(history: &History) -> RecordedEngine<MemoryStore> {
    let engine = RecordedEngine::new(MemoryStore::new(), Policy::default());
    history.begin(&engine).unwrap();
    engine
}

fn messages(history: &History) -> Vec<Message> {
    let message = |step: &Step| match step {
        Step::Checkin(message) => Some(message.clone()),
        _ => None,
    };
    history.steps.iter().filter_map(message).collect()
}

/// Groups are independent of each other if they share no run and none configures the monitor of another. So a
/// run stays in the first group that names it, and the configurations are removed.
fn independent(mut messages: Vec<Message>) -> Vec<Message> {
    let mut owners = std::collections::HashMap::new();
    messages.retain(|message| {
        let sent = String::from_utf8_lossy(&message.body.bytes()).into_owned();
        let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
        let key = ProcessingKey::of(message);
        let owner = owners.entry(sent["check_in_id"].to_string()).or_insert_with(|| key.clone());
        let anonymous = sent["check_in_id"] == "00000000-0000-0000-0000-000000000000";
        sent.get("monitor_config").is_none() && (anonymous || *owner == key)
    });
    messages
}

proptest! {
    #[test]
    fn a_batch_is_its_items_one_by_one(history in histories(Pace::Plausible)) {
        let messages = messages(&history);
        let (whole, single) = (engine(&history), engine(&history));
        let answers = whole.process_batch(&messages);
        let one_by_one: Vec<_> = messages.iter().map(|message| single.process_checkin(message)).collect();
        prop_assert_eq!(answers, one_by_one);
        prop_assert_eq!(seen(whole.store()), seen(single.store()));
        let told = |engine: &RecordedEngine<MemoryStore>| engine.sink().lock().unwrap().clone();
        prop_assert_eq!(told(&whole), told(&single));
    }

    #[test]
    fn groups_may_go_side_by_side(history in histories(Pace::Plausible)) {
        let messages = independent(messages(&history));
        let (single, threads) = (engine(&history), engine(&history));
        single.process_batch(&messages);
        std::thread::scope(|scope| {
            for (_, group) in groups(&messages) {
                let threads = &threads;
                scope.spawn(move || threads.process_batch(group.iter().map(|(_, message)| *message)));
            }
        });
        prop_assert_eq!(by_name(&threads), by_name(&single));
        let told = |engine: &RecordedEngine<MemoryStore>| ids_by_environment(&engine.sink().lock().unwrap());
        prop_assert_eq!(told(&threads).into_keys().collect::<Vec<_>>(), told(&single).into_keys().collect::<Vec<_>>());
        let sorted = |engine| told(engine).into_values().map(|mut ids| { ids.sort(); ids }).collect::<Vec<_>>();
        prop_assert_eq!(sorted(&threads), sorted(&single));
    }

    #[test]
    fn groups_keep_every_message_in_order(history in histories(Pace::Plausible), partitions in 1_u32..64) {
        let messages = messages(&history);
        let groups = groups(&messages);
        let keys: HashSet<_> = groups.iter().map(|(key, _)| key).collect();
        prop_assert_eq!(keys.len(), groups.len());
        let mut positions = Vec::new();
        for (key, group) in &groups {
            prop_assert!(group.is_sorted_by_key(|(position, _)| *position));
            for (position, message) in group {
                prop_assert_eq!(&messages[*position], *message);
                prop_assert_eq!(&ProcessingKey::of(message), key);
            }
            let partitions = partitions.try_into().unwrap();
            prop_assert!(key.partition(partitions) < partitions.get());
            positions.extend(group.iter().map(|(position, _)| *position));
        }
        positions.sort_unstable();
        prop_assert!(positions.into_iter().eq(0..messages.len()));
    }
}

/// What a reader sees, regardless of the order of creation: groups are created in their own order.
fn by_name(engine: &RecordedEngine<MemoryStore>) -> serde_json::Value {
    let mut rows = seen(engine.store());
    for monitor in rows["monitors"].as_array_mut().unwrap() {
        let environments = monitor["environments"].as_array_mut().unwrap();
        environments.sort_by_key(|environment| environment.pointer("/row/key/name").unwrap().to_string());
    }
    rows
}
