//! The reference profile does what the reference system did.

use overdue::Policy;

use super::{play, traces};
use crate::playback::difference;

#[track_caller]
fn assert_recorded(file: &str) {
    let policy = Policy::sentry_2024();
    let traces = traces(file);
    assert!(!traces.is_empty());
    for trace in &traces {
        assert_eq!(trace.ops.len(), trace.expect.len(), "{}", trace.name);
        if let Err(difference) = difference(trace, &play(&policy, trace.limits, &trace.ops)) {
            panic!("{}, {difference}", trace.name);
        }
    }
}

#[test]
fn scenarios_go_as_recorded() {
    assert_recorded("scenarios");
}

#[test]
fn random_traces_go_as_recorded() {
    assert_recorded("random");
}

#[test]
fn more_traces_go_as_recorded() {
    assert_recorded("more");
}

#[test]
fn crashes_go_as_recorded_up_to_the_crash() {
    assert_recorded("crashes");
}
