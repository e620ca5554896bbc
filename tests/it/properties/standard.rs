//! Properties of the standard profile (DESIGN.md, section 2).

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use overdue::outcome::Outcome;
use overdue::rules::Edit;
use overdue::store::{DueKind, DueQuery};
use overdue::testkit::Journal;
use overdue::testkit::history::{Answer, History, Step};
use overdue::testkit::invariants::{Invariants, Witness};
use overdue::testkit::strategies::{Pace, histories};
use overdue::{MemoryStore, Policy, Store, Tick};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::view::{check_incidents, ids, ids_by_environment, rows, rows_without, seen};
use crate::fixture::{RecordedEngine, Time};

type Fixture = RecordedEngine<Journal<MemoryStore>>;

fn fixture() -> Fixture {
    RecordedEngine::new(Journal::default(), Policy::default())
}

fn store(fixture: &Fixture) -> &MemoryStore {
    fixture.store().store()
}

fn told(fixture: &Fixture) -> Vec<overdue::Event> {
    std::mem::take(&mut *fixture.sink().lock().unwrap())
}

fn is_anything_due(store: &impl Store, tick: Tick) -> bool {
    [DueKind::Miss, DueKind::Timeout].into_iter().any(|kind| {
        let query = DueQuery { kind, until: Some(tick.time()), after: None, limit: NonZeroUsize::MIN };
        !store.due(&query).unwrap().is_empty()
    })
}

fn times(steps: &[Step]) -> impl Iterator<Item = Time> {
    steps.iter().map(Step::at)
}

/// Plays a history, and checks the invariants after every step.
fn hold(history: &History) {
    let fixture = RecordedEngine::new(Witness::over(MemoryStore::new()), Policy::default());
    let mut invariants = Invariants::new(Policy::default());
    history.begin(&fixture).unwrap();
    fixture.store().take();
    for step in &history.steps {
        let answer = step.take(&fixture).unwrap();
        let (calls, events) = (fixture.store().take(), std::mem::take(&mut *fixture.sink().lock().unwrap()));
        let store = fixture.store().store();
        let held = invariants.after(step, &answer, store, &events).and_then(|()| invariants.audit(store));
        if let Err(broken) = held.and_then(|()| Ok(Invariants::cost(&answer, &calls)?)) {
            panic!("{broken}, after {step:?}, which was answered {answer:?}");
        }
        check_incidents(store);
    }
}

proptest! {
    #[test]
    fn invariants_hold_after_every_step(history in histories(Pace::Plausible)) {
        hold(&history);
    }

    /// The same at any date that chrono can hold (I11).
    #[test]
    fn invariants_hold_at_any_date(history in histories(Pace::Arbitrary)) {
        hold(&history);
    }

    #[test]
    fn a_refusal_changes_nothing(history in histories(Pace::Plausible)) {
        let fixture = fixture();
        history.begin(&fixture).unwrap();
        for step in &history.steps {
            let before = rows(store(&fixture));
            if let Answer::Checkin(Outcome::Rejected(_) | Outcome::Ignored(_)) = step.take(&fixture).unwrap() {
                prop_assert_eq!(rows(store(&fixture)), before);
            }
        }
    }

    /// I4: not a byte changes, whether the message is redelivered at once or at the very end.
    #[test]
    fn a_message_delivered_again_changes_nothing(history in histories(Pace::Plausible)) {
        let fixture = fixture();
        history.begin(&fixture).unwrap();
        let mut known = Vec::new();
        for step in &history.steps {
            let answer = step.take(&fixture).unwrap();
            // A rejected message may be accepted once there is a monitor.
            if let (Step::Checkin(message), Answer::Checkin(Outcome::Accepted(_) | Outcome::Ignored(_))) = (step, answer) {
                known.push(message);
                let (before, events) = (rows(store(&fixture)), fixture.store().events());
                fixture.process_checkin(message).unwrap();
                prop_assert_eq!(rows(store(&fixture)), before, "at once: {:?}", message);
                prop_assert_eq!(fixture.store().events(), events);
            }
        }
        let before = rows(store(&fixture));
        for message in known {
            fixture.process_checkin(message).unwrap();
            prop_assert_eq!(&rows(store(&fixture)), &before, "at the end: {:?}", message);
        }
    }

    /// I7, I8: one tick handles all that is due, however long there was no tick.
    #[test]
    fn a_tick_leaves_nothing_due(history in histories(Pace::Plausible), gap in 0_i64..2_000_000) {
        let fixture = fixture();
        history.play(&fixture).unwrap();
        let late = Tick::at(times(&history.steps).max().unwrap() + chrono::TimeDelta::seconds(gap));
        fixture.tick(late).unwrap();
        prop_assert!(!is_anything_due(store(&fixture), late));
        prop_assert!(fixture.next_deadline().unwrap().is_none_or(|next| next > late.time()));
    }

    #[test]
    fn a_tick_leaves_nothing_due_at_any_date(history in histories(Pace::Arbitrary)) {
        let fixture = fixture();
        history.begin(&fixture).unwrap();
        for step in &history.steps {
            step.take(&fixture).unwrap();
            if let Step::Tick(tick) = step {
                prop_assert!(!is_anything_due(store(&fixture), *tick));
                prop_assert!(fixture.next_deadline().unwrap().is_none_or(|next| next > tick.time()));
            }
        }
    }

    /// I8: a repeated or late tick changes nothing.
    #[test]
    fn a_tick_twice_is_a_tick_once(history in histories(Pace::Plausible), age in 0_i64..10_000) {
        let fixture = fixture();
        history.begin(&fixture).unwrap();
        for step in &history.steps {
            step.take(&fixture).unwrap();
            if let Step::Tick(tick) = step {
                let (before, events) = (rows(store(&fixture)), ids(&fixture.store().events()));
                let earlier = Tick::at(tick.time() - chrono::TimeDelta::seconds(age));
                for again in [*tick, earlier] {
                    let report = fixture.tick(again).unwrap();
                    prop_assert!(report.outcomes.is_empty(), "{:?}", report);
                }
                prop_assert_eq!(rows(store(&fixture)), before);
                prop_assert_eq!(ids(&fixture.store().events()), events);
            }
        }
    }

    /// Two workers that tick at once have the same effect and emit the same events as one.
    #[test]
    fn two_workers_tick_as_one(history in histories(Pace::Plausible)) {
        let (alone, shared) = (fixture(), fixture());
        history.begin(&alone).unwrap();
        history.begin(&shared).unwrap();
        for step in &history.steps {
            step.take(&alone).unwrap();
            match step {
                Step::Tick(tick) => std::thread::scope(|scope| {
                    for worker in 0..2 {
                        let shared = &shared;
                        std::thread::Builder::new().name(format!("worker {worker}"))
                            .spawn_scoped(scope, move || shared.tick(*tick).unwrap()).unwrap();
                    }
                }),
                _ => { step.take(&shared).unwrap(); }
            }
        }
        prop_assert_eq!(rows(store(&shared)), rows(store(&alone)));
        prop_assert_eq!(ids_by_environment(&shared.store().events()), ids_by_environment(&alone.store().events()));
    }

    /// I9: muting changes nothing but which events are sent.
    #[test]
    fn muting_changes_nothing_but_what_is_told(history in histories(Pace::Plausible)) {
        let (muted, loud) = (fixture(), fixture());
        history.play(&muted).unwrap();
        let mut unmuted = history;
        unmuted.steps.retain(|step| !matches!(step, Step::Edit { edit: Edit::Muted(_) | Edit::EnvironmentMuted(..), .. }));
        unmuted.play(&loud).unwrap();
        let silent = ["version", "muted", "announced"];
        prop_assert_eq!(rows_without(store(&muted), &silent), rows_without(store(&loud), &silent));
        prop_assert!(told(&muted).len() <= told(&loud).len());
    }

    /// A store that is saved and read back half-way continues as before.
    #[test]
    fn a_store_resumes_where_it_was_saved(history in histories(Pace::Plausible), at in any::<prop::sample::Index>()) {
        let fixture = fixture();
        history.begin(&fixture).unwrap();
        let at = at.index(history.steps.len());
        let (past, future) = history.steps.split_at(at);
        for step in past {
            step.take(&fixture).unwrap();
        }
        let saved = serde_json::to_vec(store(&fixture)).unwrap();
        let restored: MemoryStore = serde_json::from_slice(&saved).unwrap();
        prop_assert_eq!(rows(&restored), rows(store(&fixture)));
        let resumed = RecordedEngine::new(Journal::over(restored), Policy::default());
        told(&fixture);
        for step in future {
            prop_assert_eq!(step.take(&resumed).unwrap(), step.take(&fixture).unwrap());
        }
        prop_assert_eq!(rows(store(&resumed)), rows(store(&fixture)));
        prop_assert_eq!(told(&resumed), told(&fixture));
        prop_assert_eq!(seen(store(&resumed)), seen(store(&fixture)));
    }

    /// Decisions do not need what is pruned, as long as it is not referred to again.
    #[test]
    fn a_pruned_store_decides_alike(history in histories(Pace::Plausible), at in any::<prop::sample::Index>()) {
        let (whole, pruned) = (fixture(), fixture());
        let at = at.index(history.steps.len());
        let (past, future) = history.steps.split_at(at);
        for fixture in [&whole, &pruned] {
            history.begin(fixture).unwrap();
            past.iter().for_each(|step| { step.take(fixture).unwrap(); });
        }
        let before = times(past).max().unwrap_or_default();
        store(&pruned).prune(before);
        for step in future.iter().filter(|step| looks_ahead(step, before)) {
            prop_assert_eq!(step.take(&pruned).unwrap(), step.take(&whole).unwrap());
        }
        prop_assert_eq!(told(&pruned), told(&whole));
    }
}

/// Whether a step concerns no earlier run. Greater thresholds would, and so would runs that started long ago
/// or have an id.
fn looks_ahead(step: &Step, before: Time) -> bool {
    match step {
        Step::Checkin(message) => {
            let sent = String::from_utf8_lossy(&message.body.bytes()).into_owned();
            let anonymous = sent.contains(r#""check_in_id":"00000000-0000-0000-0000-000000000000""#);
            let plain = !sent.contains("duration") && !sent.contains("monitor_config");
            message.received_at > before && anonymous && plain
        }
        Step::Edit { edit, .. } => !matches!(edit, Edit::Config(_)),
        Step::Tick(_) => true,
    }
}

/// The histories produce every outcome of a check-in or a tick. Otherwise the rest would prove little.
#[test]
fn histories_reach_everything() {
    let mut runner = TestRunner::deterministic();
    let histories = histories(Pace::Plausible);
    let mut reached = BTreeSet::new();
    for _ in 0..600 {
        let history = histories.new_tree(&mut runner).unwrap().current();
        let fixture = fixture();
        for answer in history.play(&fixture).unwrap() {
            note(&answer, &mut reached);
        }
        reached.extend(
            told(&fixture).iter().flat_map(|event| words(&serde_json::to_value(event).unwrap(), "kind")),
        );
    }
    let expected = [
        // Outcomes, and why one was ignored.
        "accepted",
        "ignored",
        "rejected",
        "already_finished",
        "already_timed_out",
        "stale",
        "stale_anonymous",
        // What happened to a run.
        "started",
        "heartbeat",
        "single",
        "finished",
        "finished_late",
        "unchanged",
        // Effects of a check-in.
        "healthy",
        "first_ok",
        "no_effect",
        "newer_seen",
        "newer_finished",
        "below_threshold",
        "opened",
        "continued",
        "recovering",
        "older_than_failure",
        "resolved",
        // Whether an alert was sent.
        "sent",
        "monitor_muted",
        "environment_muted",
        "never_announced",
        // Effects of a tick.
        "missed",
        "timed_out",
        "unknown",
        // Events.
        "incident_opened",
        "incident_occurrence",
        "incident_resolved",
        // Why one was rejected.
        "checkin_environment_mismatch",
        "checkin_finished",
        "checkin_guid_project_mismatch",
        "checkin_invalid_guid",
        "checkin_validation_failed",
        "monitor_disabled",
        "monitor_invalid_config",
        "monitor_invalid_environment",
        "monitor_not_found",
    ];
    let missing: Vec<_> = expected.into_iter().filter(|word| !reached.contains(*word)).collect();
    assert!(missing.is_empty(), "never reached: {missing:?}");
}

fn note(answer: &Answer, reached: &mut BTreeSet<String>) {
    let answer = match answer {
        Answer::Checkin(outcome) => serde_json::to_value(outcome).unwrap(),
        Answer::Tick(report) => serde_json::to_value(report).unwrap(),
        Answer::Edit(_) => return,
    };
    for tag in ["outcome", "reason", "change", "effect", "alerting", "type"] {
        reached.extend(words(&answer, tag));
    }
}

/// The texts under this name, at any depth.
fn words(value: &Value, name: &str) -> Vec<String> {
    match value {
        Value::Object(map) => {
            let here = map.get(name).and_then(Value::as_str).map(str::to_owned);
            here.into_iter().chain(map.values().flat_map(|value| words(value, name))).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| words(item, name)).collect(),
        _ => Vec::new(),
    }
}
