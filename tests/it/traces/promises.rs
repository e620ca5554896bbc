//! The standard profile keeps its promises on every op of every trace; the reference system did not.

use std::collections::BTreeMap;

use overdue::Policy;
use overdue::policy::{Quirk, Quirks};
use serde_json::{Value, json};

use super::checker::{Promise, violations};
use super::{all_traces, play, traces};
use crate::fixture::keeping;
use crate::playback::Player;

#[test]
fn the_standard_profile_breaks_no_promise() {
    let policy = Policy::default();
    for trace in all_traces() {
        let outcomes = play(&policy, trace.limits, &trace.ops);
        let violations = violations(&trace.ops, &outcomes);
        assert!(violations.is_empty(), "{}: {violations:#?}", trace.name);
    }
}

/// The promises that the reference system keeps too.
const KEPT_BY_ALL: [Promise; 4] =
    [Promise::OneOpenIncident, Promise::ResultsAreFinal, Promise::TicksNeverGoBack, Promise::MutedIsSilent];

/// Shows that the checker can fail.
#[test]
fn the_reference_system_breaks_them_by_the_thousand() {
    let mut counts: BTreeMap<Promise, usize> = BTreeMap::new();
    for trace in all_traces() {
        for violation in violations(&trace.ops, &trace.expect) {
            *counts.entry(violation.promise).or_default() += 1;
        }
    }
    assert!(counts.values().sum::<usize>() > 1_000, "{counts:?}");
    for promise in Promise::ALL {
        assert!(counts.contains_key(&promise) || KEPT_BY_ALL.contains(&promise), "{promise:?}: {counts:?}");
    }
}

/// Shows the same for promises that even the reference system keeps: an outcome of this scenario is forged.
#[track_caller]
fn assert_told(promise: Promise, scenario: &str, forge: impl FnOnce(&mut [Value])) {
    let trace = traces("scenarios").into_iter().find(|trace| trace.name == scenario).unwrap();
    let mut outcomes = play(&Policy::default(), trace.limits, &trace.ops);
    assert!(violations(&trace.ops, &outcomes).is_empty());
    forge(&mut outcomes);
    let violations = violations(&trace.ops, &outcomes);
    assert!(violations.iter().any(|violation| violation.promise == promise), "{violations:?}");
}

fn push(list: &mut Value, item: Value) {
    list.as_array_mut().unwrap().push(item);
}

#[test]
fn an_incident_that_opens_again_is_told() {
    assert_told(Promise::OneOpenIncident, "ok-recovers-error", |outcomes| {
        let last = outcomes.last_mut().unwrap();
        last["incidents"][0]["resolving_timestamp"] = Value::Null;
    });
    assert_told(Promise::OneOpenIncident, "missed-basic", |outcomes| {
        let last = outcomes.last_mut().unwrap();
        let incident = last["incidents"][0].clone();
        push(&mut last["incidents"], incident);
    });
}

#[test]
fn a_result_that_changes_is_told() {
    assert_told(Promise::ResultsAreFinal, "second-close-is-an-error", |outcomes| {
        let finished = |outcome: &Value| outcome["checkins"][0]["status"] == "ok";
        let mut run = outcomes.iter().find(|outcome| finished(outcome)).unwrap()["checkins"][0].clone();
        run["status"] = json!("timeout");
        push(&mut outcomes.last_mut().unwrap()["checkins"], run);
    });
}

#[test]
fn a_tick_that_goes_back_is_told() {
    assert_told(Promise::TicksNeverGoBack, "missed-tick-repeated", |outcomes| {
        let miss = outcomes.iter().position(|outcome| outcome["checkins"][0]["status"] == "missed").unwrap();
        let mut run = outcomes[miss]["checkins"][0].clone();
        run["date_added"] = json!("2024-01-01T00:00:00Z");
        push(&mut outcomes[miss + 1]["checkins"], run);
    });
}

#[test]
fn an_event_of_a_muted_environment_is_told() {
    assert_told(Promise::MutedIsSilent, "muted-monitor-error-is-silent", |outcomes| {
        let failed = outcomes.iter_mut().find(|outcome| outcome["incidents"] != json!([])).unwrap();
        let event = json!({
            "kind": "incident_occurrence", "project_id": 1, "slug": "job", "environment": "production",
            "checkin_statuses": ["error"], "incident_index": 0,
        });
        push(&mut failed["events"], event);
    });
}

/// A host that migrates drops the quirks one by one. Whichever are kept, every op has an answer.
#[test]
fn every_quirk_can_be_kept_or_dropped_alone() {
    let traces: Vec<_> = all_traces().collect();
    for (number, quirk) in Quirk::ALL.into_iter().enumerate() {
        for quirks in [Quirks::NONE.with(quirk), Quirks::SENTRY_2024.without(quirk)] {
            let policy = keeping(quirks);
            for trace in traces.iter().skip(number % 8).step_by(8) {
                let outcomes = Player::new(&policy, trace.limits).play(&trace.ops);
                assert!(outcomes.is_ok(), "{}, {quirk:?}, {outcomes:?}", trace.name);
            }
        }
    }
}
