//! The clock against a naive model that keeps everything it has observed.

#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test panics to fail")]

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use overdue::clock::{Clock, PartitionId, Tick, Ticks};
use proptest::prelude::*;

fn minute(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_725_271_200 + minute * 60, 0).unwrap()
}

fn tick(m: i64) -> Tick {
    Tick::at(minute(m))
}

fn all(ticks: Ticks) -> Vec<Tick> {
    ticks.collect()
}

const A: PartitionId = PartitionId::new(1);
const B: PartitionId = PartitionId::new(2);

#[test]
fn the_first_observation_starts_the_clock_at_its_minute() {
    let mut clock = Clock::new();
    assert_eq!(clock.reached(), None);
    assert_eq!(all(clock.observe(A, minute(3))), [tick(3)]);
    assert_eq!(clock.reached(), Some(tick(3)));
}

#[test]
fn each_minute_once_and_skipped_ones_filled_in() {
    let mut clock = Clock::new();
    assert_eq!(all(clock.observe(A, minute(0))), [tick(0)]);
    assert_eq!(all(clock.observe(A, minute(0))), []);
    assert_eq!(all(clock.observe(A, minute(3))), [tick(1), tick(2), tick(3)]);
    assert_eq!(all(clock.observe(A, minute(1))), [], "time going back");
    assert_eq!(all(clock.observe(A, minute(3))), []);
    assert_eq!(all(clock.observe(A, minute(4))), [tick(4)]);
}

#[test]
fn a_silent_partition_holds_the_clock_until_it_leaves() {
    let mut clock = Clock::new();
    clock.register(A);
    clock.register(B);
    assert!(clock.observe(A, minute(5)).is_empty());
    assert_eq!(clock.slowest(), Some(B));
    assert_eq!(all(clock.deregister(B)), [tick(5)], "the clock starts where the slowest that is left is");
    assert!(clock.deregister(B).is_empty());
}

#[test]
fn a_late_partition_holds_the_clock_and_never_turns_it_back() {
    let mut clock = Clock::new();
    assert_eq!(all(clock.observe(A, minute(10))), [tick(10)]);
    assert!(clock.observe(B, minute(2)).is_empty(), "not registered: registered now");
    assert!(clock.observe(A, minute(12)).is_empty());
    assert_eq!(clock.slowest(), Some(B));
    assert!(clock.observe(B, minute(10)).is_empty());
    assert_eq!(all(clock.observe(B, minute(20))), [tick(11), tick(12)]);
}

#[test]
fn a_clock_without_partitions_stands_and_goes_on() {
    let mut clock = Clock::new();
    assert_eq!(all(clock.observe(A, minute(0))), [tick(0)]);
    assert!(clock.deregister(A).is_empty());
    assert_eq!(clock.slowest(), None);
    assert_eq!(all(clock.observe(B, minute(2))), [tick(1), tick(2)]);
}

#[test]
fn ticks_count_without_walking() {
    let mut clock = Clock::new();
    assert_eq!(clock.observe(A, minute(0)).len(), 1);
    let mut ticks = clock.observe(A, minute(1_000_000_000));
    assert_eq!(ticks.len(), 1_000_000_000);
    assert_eq!((ticks.first(), ticks.newest()), (Some(tick(1)), Some(tick(1_000_000_000))));
    assert_eq!(ticks.next(), Some(tick(1)));
    assert_eq!(ticks.next_back(), Some(tick(1_000_000_000)));
    assert_eq!(ticks.nth(1), Some(tick(3)));
    assert_eq!(ticks.len(), 1_000_000_000 - 4);
    assert_eq!(ticks.clone().last(), Some(tick(999_999_999)));
}

#[derive(Clone, Debug)]
enum Op {
    Register(u64),
    Deregister(u64),
    Observe(u64, i64),
    Save,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    // Small numbers, so that partitions meet, repeat and overtake each other.
    let partition = || 0..4_u64;
    let op = prop_oneof![
        1 => partition().prop_map(Op::Register),
        1 => partition().prop_map(Op::Deregister),
        8 => (partition(), -20..20_i64).prop_map(|(partition, minute)| Op::Observe(partition, minute)),
        1 => Just(Op::Save),
    ];
    proptest::collection::vec(op, 0..80)
}

/// Every observation since each partition was registered, and nothing computed from them.
#[derive(Default)]
struct Model {
    registered: BTreeSet<u64>,
    heard: Vec<(u64, i64)>,
    ticked: Vec<i64>,
}

impl Model {
    /// The minutes that are ticked now: from the last one up to the smallest of the partitions' maxima.
    fn due(&mut self) -> Vec<i64> {
        let newest = |partition: &u64| {
            self.heard.iter().filter(|(other, _)| other == partition).map(|(_, minute)| *minute).max()
        };
        let newest: Vec<Option<i64>> = self.registered.iter().map(newest).collect();
        if newest.is_empty() || newest.contains(&None) {
            return Vec::new();
        }
        let slowest = newest.into_iter().flatten().min().unwrap();
        let due: Vec<i64> = match self.ticked.last() {
            None => vec![slowest],
            Some(last) => (last + 1..=slowest).collect(),
        };
        self.ticked.extend(&due);
        due
    }
}

proptest! {
    #[test]
    fn the_clock_does_what_the_model_does(ops in ops()) {
        let (mut clock, mut model) = (Clock::new(), Model::default());
        for op in ops {
            let ticks = match op {
                Op::Register(id) => {
                    model.registered.insert(id);
                    clock.register(PartitionId::new(id));
                    continue;
                }
                Op::Deregister(id) => {
                    model.registered.remove(&id);
                    model.heard.retain(|(other, _)| *other != id);
                    clock.deregister(PartitionId::new(id))
                }
                Op::Observe(id, at) => {
                    model.registered.insert(id);
                    model.heard.push((id, at));
                    clock.observe(PartitionId::new(id), minute(at))
                }
                Op::Save => {
                    let saved = serde_json::to_string(&clock).unwrap();
                    let read: Clock = serde_json::from_str(&saved).unwrap();
                    prop_assert_eq!(&read, &clock);
                    clock = read;
                    continue;
                }
            };
            prop_assert_eq!(ticks.len(), ticks.clone().count() as u64);
            prop_assert_eq!(ticks.newest(), ticks.clone().last());
            prop_assert_eq!(ticks.first(), ticks.clone().next());
            let due: Vec<Tick> = model.due().into_iter().map(tick).collect();
            prop_assert_eq!(all(ticks), due);
            prop_assert_eq!(clock.reached(), model.ticked.last().copied().map(tick));
        }
        prop_assert!(model.ticked.is_sorted_by(|a, b| *b == a + 1));
    }

    #[test]
    fn no_time_panics(seconds in any::<i64>(), nanos in 0..2_000_000_000_u32) {
        if let Some(time) = DateTime::<Utc>::from_timestamp(seconds, nanos) {
            let tick = Tick::at(time);
            prop_assert_eq!(Tick::at(tick.time()), tick);
            prop_assert!(tick.time() <= time);
        }
    }
}
