//! Model against machine: random histories must give the same answers, events and rows after every step.
//!
//! Each history is made from a number, its seed. If one fails, its shortest form is shown, with the command
//! that plays it again. To play many:
//!
//! ```text
//! OVERDUE_HISTORIES=100000 cargo test --release --test it model:: -- --nocapture
//! OVERDUE_SEED=17 cargo test --test it model::
//! ```
#![expect(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use std::env;
use std::fmt::Write as _;

use overdue::testkit::history::History;
use overdue::testkit::model::Model;
use overdue::testkit::strategies::{Pace, histories};
use overdue::{MemoryStore, Policy};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::fixture::RecordedEngine;

/// The number of histories of each pace that are played by default.
const HISTORIES: u64 = 1_500;

/// How many attempts are made to shorten a failing history.
const SHRINKS: usize = 20_000;

#[test]
fn model_and_machine_agree_on_plausible_histories() {
    play(Pace::Plausible);
}

#[test]
fn model_and_machine_agree_at_any_date() {
    play(Pace::Arbitrary);
}

fn play(pace: Pace) {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match number("OVERDUE_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("OVERDUE_HISTORIES").unwrap_or(HISTORIES),
    };
    let (mut histories, mut steps) = (0, 0);
    for seed in seeds {
        match disagree(pace, seed) {
            Ok(played) => (histories, steps) = (histories + 1, steps + played),
            Err(report) => panic!("{report}"),
        }
    }
    println!("{histories} histories, {steps} steps: {pace:?}");
}

/// Plays the history of a seed. Returns its length, or the difference between model and machine in its
/// shortest form.
fn disagree(pace: Pace, seed: u64) -> Result<usize, String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut tree = histories(pace).new_tree(&mut runner).unwrap();
    let history = tree.current();
    let Err(mut difference) = compare(&history) else { return Ok(history.steps.len()) };
    let mut shortest = history;
    for _ in 0..SHRINKS {
        if !tree.simplify() {
            break;
        }
        loop {
            let history = tree.current();
            if let Err(still) = compare(&history) {
                (shortest, difference) = (history, still);
                break;
            }
            if !tree.complicate() {
                break;
            }
        }
    }
    let mut report = format!("model and machine disagree: {difference}\n");
    writeln!(report, "{shortest:#?}").unwrap();
    writeln!(report, "Play it again: OVERDUE_SEED={seed} cargo test --test it model::").unwrap();
    Err(report)
}

/// Plays a history on both.
fn compare(history: &History) -> Result<(), String> {
    let engine = RecordedEngine::new(MemoryStore::new(), Policy::default());
    let mut model = Model::of(history);
    history.begin(&engine).unwrap();
    for (nth, step) in history.steps.iter().enumerate() {
        let answer = step.take(&engine).unwrap();
        let events = std::mem::take(&mut *engine.sink().lock().unwrap());
        let compared = model.after(step, &answer, engine.store(), &events);
        compared.map_err(|difference| format!("after step {nth}, {difference}"))?;
    }
    Ok(())
}
