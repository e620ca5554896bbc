//! The recorded traces: the reference profile reproduces them, and the standard profile keeps its promises on
//! them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "these are tests"
)]

mod checker;
mod promises;
mod record;
mod repeats;
mod seen;

use overdue::Policy;
use serde_json::Value;

use crate::playback::{Op, Player, Trace, TraceLimits};
use crate::vectors;

const FILES: [&str; 4] = ["scenarios", "random", "crashes", "more"];

/// The traces of one file.
fn traces(file: &str) -> Vec<Trace> {
    vectors::lines(&format!("traces/{file}.jsonl"), &format!("traces/{file}.jsonl.gz"))
}

/// The traces of all files.
fn all_traces() -> impl Iterator<Item = Trace> {
    FILES.into_iter().flat_map(traces)
}

fn play(policy: &Policy, limits: TraceLimits, ops: &[Op]) -> Vec<Value> {
    Player::new(policy, limits).play(ops).unwrap()
}
