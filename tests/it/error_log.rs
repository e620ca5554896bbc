//! The error log: bounded, the same in any order, and the same after saving it.

#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test panics to fail")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use overdue::id::{EventId, MonitorId, ProjectId};
use overdue::rejection::{LogEntry, LogScope, Recorded, RejectionKind, RejectionLog, RejectionReason};
use proptest::prelude::*;
use uuid::Uuid;

const PROJECT: LogScope = LogScope::Project(ProjectId::new(1));
const MONITOR: LogScope = LogScope::Monitor(MonitorId::from_uuid(Uuid::from_u128(1)));

fn id(id: u128) -> EventId {
    EventId::from_uuid(Uuid::from_u128(id))
}

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_725_271_200, 0).unwrap() + TimeDelta::hours(hour)
}

fn entry(number: u128, hour: i64) -> LogEntry<String> {
    entry_of(number, hour, vec![RejectionReason::MonitorNotFound])
}

fn entry_of(number: u128, hour: i64, errors: Vec<RejectionReason>) -> LogEntry<String> {
    LogEntry { id: id(number), at: at(hour), errors, checkin: format!("check-in {number}") }
}

fn ids<C>(log: &RejectionLog<C>, owner: LogScope) -> Vec<EventId> {
    log.entries(owner).iter().map(|entry| entry.id).collect()
}

#[test]
fn the_newest_ten_are_kept_newest_first() {
    let mut log = RejectionLog::new();
    for number in 0..10 {
        let recorded = log.record(PROJECT, entry(number, i64::try_from(number).unwrap()));
        assert_eq!(recorded, Recorded::New { pushed_out: None });
    }
    assert_eq!(log.record(PROJECT, entry(10, 10)), Recorded::New { pushed_out: Some(id(0)) });
    assert_eq!(log.record(PROJECT, entry(11, 0)), Recorded::TooOld);
    assert_eq!(log.record(PROJECT, entry(0, 0)), Recorded::TooOld, "once pushed out, it does not return");
    assert_eq!(log.record(PROJECT, entry(5, 5)), Recorded::Known);
    assert_eq!(ids(&log, PROJECT), (1..=10).rev().map(id).collect::<Vec<_>>());
    assert_eq!(
        log.record(MONITOR, entry(0, 0)),
        Recorded::New { pushed_out: None },
        "each owner has its ten"
    );
}

#[test]
fn entries_go_by_id_by_kind_and_with_their_owner() {
    let mut log = RejectionLog::new();
    let both = vec![RejectionReason::CheckinFinished, RejectionReason::MonitorDisabled];
    log.record(MONITOR, entry_of(1, 0, vec![RejectionReason::CheckinFinished]));
    log.record(MONITOR, entry_of(2, 1, both));
    log.record(MONITOR, entry_of(3, 2, vec![RejectionReason::MonitorDisabled]));
    log.record(PROJECT, entry(1, 0));

    assert_eq!(log.remove_kind(MONITOR, RejectionKind::CheckinFinished), [id(2), id(1)]);
    assert_eq!(ids(&log, MONITOR), [id(3)]);
    assert_eq!(log.remove(MONITOR, id(1)), None, "of another owner");
    assert_eq!(log.remove(PROJECT, id(1)), Some(entry(1, 0)));
    assert_eq!(log.remove_owner(MONITOR), [id(3)]);
    assert!(log.is_empty());
}

#[test]
fn seven_days_and_no_more() {
    let mut log = RejectionLog::new();
    let week = 7 * 24;
    log.record(PROJECT, entry(1, 0));
    log.record(MONITOR, entry(2, 1));
    log.record(PROJECT, entry(3, 10 * week));
    assert_eq!(log.clone().prune(at(week)), [id(3)], "a clock that went wrong");
    assert_eq!(log.prune(at(week) + TimeDelta::milliseconds(1)), [id(3), id(1)]);
    assert_eq!(ids(&log, MONITOR), [id(2)]);
    assert_eq!(log.prune(DateTime::<Utc>::MAX_UTC), [id(2)]);
    assert!(log.is_empty(), "owners go with their last entry");
    assert_eq!(log.prune(DateTime::<Utc>::MIN_UTC), []);
}

#[test]
fn what_was_tampered_with_is_bounded_again_when_read() {
    let many: Vec<_> =
        (0..30).map(|number| entry(number % 20, i64::try_from(number % 20).unwrap())).collect();
    let text = serde_json::json!({ "projects": { "1": many } }).to_string();
    let log: RejectionLog<String> = serde_json::from_str(&text).unwrap();
    assert_eq!(ids(&log, PROJECT), (10..20).rev().map(id).collect::<Vec<_>>());
}

fn entries() -> impl Strategy<Value = Vec<(bool, u128)>> {
    proptest::collection::vec((any::<bool>(), 0..40_u128), 0..60)
}

/// The same id is the same entry; times repeat and go back.
fn nth(number: u128) -> LogEntry<String> {
    entry(number, i64::try_from(number * 7 % 20).unwrap())
}

fn owner(monitor: bool) -> LogScope {
    if monitor { MONITOR } else { PROJECT }
}

fn logged(entries: &[(bool, u128)]) -> RejectionLog<String> {
    let mut log = RejectionLog::new();
    for (monitor, number) in entries {
        log.record(owner(*monitor), nth(*number));
        assert!(log.entries(owner(*monitor)).len() <= RejectionLog::<String>::PER_OWNER);
    }
    log
}

proptest! {
    #[test]
    fn it_is_the_newest_ten_of_the_set_of_entries(recorded in entries()) {
        let log = logged(&recorded);
        for monitor in [false, true] {
            let set: BTreeSet<_> = recorded
                .iter()
                .filter(|(of, _)| *of == monitor)
                .map(|(_, number)| (nth(*number).at, id(*number)))
                .collect();
            let newest: Vec<_> = set.into_iter().rev().take(10).map(|(_, id)| id).collect();
            prop_assert_eq!(ids(&log, owner(monitor)), newest);
        }
        prop_assert_eq!(log.len(), log.entries(PROJECT).len() + log.entries(MONITOR).len());
    }

    #[test]
    fn order_and_repetition_change_nothing(recorded in entries()) {
        let log = logged(&recorded);
        let mut again = recorded.clone();
        again.extend(recorded.iter().rev());
        prop_assert_eq!(&logged(&again), &log);
        again.reverse();
        prop_assert_eq!(&logged(&again), &log);
    }

    #[test]
    fn a_saved_log_is_the_same_log(recorded in entries()) {
        let log = logged(&recorded);
        let text = serde_json::to_string(&log).unwrap();
        prop_assert_eq!(serde_json::from_str::<RejectionLog<String>>(&text).unwrap(), log);
    }

    /// A host that keeps rows and follows each result has the same entries.
    #[test]
    fn the_answers_keep_a_mirror_up_to_date(recorded in entries(), now in -200..200_i64) {
        let mut log = RejectionLog::new();
        let mut rows = BTreeMap::new();
        for (monitor, number) in recorded {
            let owner = owner(monitor);
            if let Recorded::New { pushed_out } = log.record(owner, nth(number)) {
                rows.insert((owner, id(number)), nth(number));
                if let Some(oldest) = pushed_out {
                    prop_assert!(rows.remove(&(owner, oldest)).is_some());
                }
            }
        }
        let pruned = log.prune(at(now));
        let outdated = |at: DateTime<Utc>| (at - self::at(now)).abs() > TimeDelta::days(7);
        prop_assert!(rows.iter().all(|((_, id), row)| outdated(row.at) == pruned.contains(id)));
        rows.retain(|(_, id), _| !pruned.contains(id));
        prop_assert_eq!(log.len(), rows.len());
        let mut read = RejectionLog::new();
        for ((owner, _), row) in rows {
            read.record(owner, row);
        }
        prop_assert_eq!(read, log);
    }
}
