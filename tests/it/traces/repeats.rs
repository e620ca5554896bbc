//! Repeated and inserted ops have no effect.

use chrono::TimeDelta;
use overdue::Policy;
use serde_json::{Value, json};

use super::{all_traces, play};
use crate::playback::{Op, OpKind, Trace, TraceLimits};

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// Plays a trace with inserted ops, one after each op for which `after` returns one. Inserted ops must change
/// nothing and emit nothing, and all other outcomes must stay the same, except their alerting.
fn assert_unnoticed(trace: &Trace, mut after: impl FnMut(usize, &[Value]) -> Option<Op>) -> usize {
    let policy = Policy::default();
    // Every check-in counts against the rate limit.
    let limits = TraceLimits { rate_limit: None, ..trace.limits };
    let expected = play(&policy, limits, &trace.ops);
    let mut ops: Vec<Op> = Vec::new();
    let mut inserted = Vec::new();
    // An op without a time uses that of the previous op of the trace, ignoring inserted ones.
    let mut now = None;
    for (index, op) in trace.ops.iter().enumerate() {
        now = op.at.or(now);
        ops.push(Op { at: now, ..op.clone() });
        inserted.push(false);
        if let Some(op) = after(index, &expected) {
            ops.push(op);
            inserted.push(true);
        }
    }
    let mut before = Value::Null;
    let mut expected = expected.into_iter();
    for (index, (outcome, inserted)) in play(&policy, limits, &ops).into_iter().zip(&inserted).enumerate() {
        let place = || format!("{}, op {index} with those put in", trace.name);
        if *inserted {
            for field in ["environments", "incidents"] {
                assert_eq!(outcome[field], before[field], "{}, {field}", place());
            }
            assert_eq!(outcome["checkins"], json!([]), "{}", place());
            assert_eq!(outcome["events"], json!([]), "{}", place());
        } else {
            assert_eq!(Some(&outcome), expected.next().as_ref(), "{}", place());
            before = outcome;
        }
    }
    inserted.into_iter().filter(|inserted| *inserted).count()
}

/// I3.
#[test]
fn the_same_trace_gives_the_same_bytes() {
    for trace in all_traces() {
        for policy in [Policy::default(), Policy::sentry_2024()] {
            let play = || serde_json::to_vec(&play(&policy, trace.limits, &trace.ops)).unwrap();
            assert_eq!(play(), play(), "{}", trace.name);
        }
    }
}

/// I4.
#[test]
fn a_checkin_delivered_twice_changes_nothing() {
    let mut repeated = 0;
    for trace in all_traces() {
        repeated += assert_unnoticed(&trace, |index, _| {
            let op = &trace.ops[index];
            (op.op == OpKind::Checkin).then(|| op.clone())
        });
    }
    assert!(repeated > 8_000);
}

/// I4. Only accepted check-ins: one that was rejected at first may be accepted later.
#[test]
fn an_old_checkin_delivered_again_changes_nothing() {
    let mut dice = Dice(20_240_902);
    let mut repeated = 0;
    for trace in all_traces() {
        let mut taken: Vec<&Op> = Vec::new();
        repeated += assert_unnoticed(&trace, |index, outcomes| {
            let op = &trace.ops[index];
            if op.op == OpKind::Checkin && outcomes[index]["errors"] == json!([]) {
                taken.push(op);
            }
            (!taken.is_empty()).then(|| taken[dice.roll(taken.len())].clone())
        });
    }
    assert!(repeated > 8_000);
}

/// I8.
#[test]
fn a_tick_repeated_changes_nothing() {
    for trace in all_traces() {
        assert_unnoticed(&trace, |index, _| {
            let op = &trace.ops[index];
            (op.op == OpKind::Tick).then(|| op.clone())
        });
    }
}

/// I8.
#[test]
fn a_tick_that_comes_late_changes_nothing() {
    let mut dice = Dice(1);
    for trace in all_traces() {
        assert_unnoticed(&trace, |index, _| {
            let op = &trace.ops[index];
            let earlier = TimeDelta::minutes([1, 5, 60, 1_440][dice.roll(4)]);
            let at = op.at.map(|at| at - earlier);
            (op.op == OpKind::Tick).then(|| Op { at, ..op.clone() })
        });
    }
}

/// I9.
#[test]
fn muting_silences_and_changes_nothing_else() {
    let policy = Policy::default();
    let mut muted_traces = 0;
    let mut silenced = 0;
    for trace in all_traces() {
        let loud: Vec<Op> = trace.ops.iter().filter(|op| op.op != OpKind::Mute).cloned().collect();
        muted_traces += usize::from(loud.len() < trace.ops.len());
        let muted = play(&policy, trace.limits, &trace.ops);
        let heard = trace.ops.iter().zip(muted).filter(|(op, _)| op.op != OpKind::Mute);
        for ((op, outcome), loud) in heard.zip(play(&policy, trace.limits, &loud)) {
            let at = || format!("{}, at {:?}", trace.name, op.at);
            for field in ["errors", "checkins", "incidents"] {
                assert_eq!(outcome[field], loud[field], "{}, {field}", at());
            }
            assert_eq!(without_marks(&outcome), without_marks(&loud), "{}", at());
            let mut left = loud["events"].as_array().unwrap().clone();
            let total = left.len();
            for event in outcome["events"].as_array().unwrap() {
                let same = left.iter().position(|loud| loud == event);
                left.remove(same.unwrap_or_else(|| panic!("{}: only when muted: {event}", at())));
            }
            silenced += left.len();
            assert!(left.len() <= total);
        }
    }
    assert!(muted_traces > 20 && silenced > 20, "{muted_traces} muted traces, {silenced} events silenced");
}

/// The environments, without the fields that say that they are muted.
fn without_marks(outcome: &Value) -> Vec<Value> {
    let mut environments = outcome["environments"].as_array().unwrap().clone();
    for environment in &mut environments {
        environment["muted"].take();
    }
    environments
}
