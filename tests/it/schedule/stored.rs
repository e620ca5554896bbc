//! Schedules as values: how they are written, stored, compared and rejected.

use std::collections::HashSet;
use std::num::NonZeroU32;

use overdue::schedule::{Schedule, ScheduleKind, Unit, reference};

use super::{time, zone};
use overdue::Zone;

fn crontab(text: &str) -> Schedule {
    Schedule::crontab(text, zone("Europe/Berlin")).unwrap()
}

#[test]
fn schedules_round_trip() {
    let two_hours = Schedule::every(NonZeroU32::new(2).unwrap(), Unit::Hour, Zone::UTC).unwrap();
    for (schedule, stored) in [
        (crontab("0 2 * * *"), r#"{"type":"crontab","value":"0 2 * * *","timezone":"Europe/Berlin"}"#),
        (crontab("@daily"), r#"{"type":"crontab","value":"@daily","timezone":"Europe/Berlin"}"#),
        (two_hours, r#"{"type":"interval","value":2,"unit":"hour","timezone":"UTC"}"#),
    ] {
        assert_eq!(serde_json::to_string(&schedule).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Schedule>(stored).unwrap(), schedule);
        let value: serde_json::Value = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::from_value::<Schedule>(value).unwrap(), schedule);
    }
}

#[test]
fn bad_data_fails_to_decode() {
    for stored in [
        r#"{"type":"crontab","value":"0 2 * *","timezone":"UTC"}"#,
        r#"{"type":"crontab","value":"0 2 * * *","timezone":"Mars/Olympus"}"#,
        r#"{"type":"crontab","value":"0 2 * * *"}"#,
        r#"{"type":"interval","value":0,"unit":"hour","timezone":"UTC"}"#,
        r#"{"type":"interval","value":101,"unit":"year","timezone":"UTC"}"#,
        r#"{"type":"interval","value":1,"unit":"fortnight","timezone":"UTC"}"#,
        r#"{"type":"sundial","timezone":"UTC"}"#,
    ] {
        assert!(serde_json::from_str::<Schedule>(stored).is_err(), "{stored}");
    }
}

#[test]
fn schedules_are_written_as_they_are_read() {
    assert_eq!(crontab(" 0\t2 *  * mon ").to_string(), "0 2 * * mon");
    assert_eq!(crontab(" @hourly").kind(), ScheduleKind::Crontab("@hourly"));
    let every = |count| Schedule::every(NonZeroU32::new(count).unwrap(), Unit::Week, Zone::UTC).unwrap();
    assert_eq!(every(1).to_string(), "every week");
    assert_eq!(every(3).to_string(), "every 3 weeks");
    assert_eq!(format!("{:?}", every(3)), r#"Schedule("every 3 weeks" in UTC)"#);
}

#[test]
fn equal_schedules_hash_alike() {
    let schedules = [
        crontab("0 2 * * *"),
        crontab("0  2 * * *"),
        crontab("0 2 * * *").in_zone(Zone::UTC),
        Schedule::every(NonZeroU32::MIN, Unit::Day, Zone::UTC).unwrap(),
    ];
    assert_eq!(HashSet::from(schedules.clone()).len(), 3);
    assert_eq!(schedules[0], schedules[1]);
    assert_ne!(schedules[0], schedules[2]);
}

#[test]
fn another_zone_means_other_instants() {
    let berlin = crontab("0 2 * * *");
    let tokyo = berlin.in_zone(zone("Asia/Tokyo"));
    assert_eq!((berlin.zone(), tokyo.zone()), (zone("Europe/Berlin"), zone("Asia/Tokyo")));
    let from = time("2025-05-17T12:00:00Z");
    assert_eq!(berlin.next(from), Some(time("2025-05-18T00:00:00Z")));
    assert_eq!(tokyo.next(from), Some(time("2025-05-17T17:00:00Z")));
}

#[test]
fn schedules_cross_threads() {
    const fn assert_shared<T: Send + Sync + 'static>() {}
    assert_shared::<Schedule>();
}

#[test]
fn errors_name_the_field_and_say_why() {
    for (text, expected) in [
        ("* * * *", "a crontab has five fields, this one has 4"),
        ("@reboot", "`@reboot` is none of @hourly, @daily, @weekly, @monthly, @yearly and @annually"),
        ("60 * * * *", "minute: 60 is not between 0 and 59"),
        ("* 22-2 * * *", "hour: the range 22-2 runs backwards"),
        ("* * 15W * *", "day of month: `15W` is not a value"),
        ("* * * */0 *", "month: `0` is not a step"),
        ("* * * * MON#6", "day of week: `6` does not count weekdays from #1 to #5"),
        ("0 0 31 2 *", "day of month: day 31 never occurs in February"),
        ("0 0 31 4,6 *", "day of month: day 31 never occurs in April and June"),
    ] {
        assert_eq!(reference::crontab(text, Zone::UTC).unwrap_err().to_string(), expected);
        let by_default = Schedule::crontab(text, Zone::UTC).map_err(|error| error.to_string());
        let forgiven = ["* 22-2 * * *", "* * 15W * *"].contains(&text);
        assert_eq!(by_default.err().as_deref(), (!forgiven).then_some(expected));
    }
}

/// February has no 31st, but it has a last day, and a last working day.
#[test]
fn a_day_that_never_comes_may_stand_beside_one_that_does() {
    let from = time("2025-01-31T12:00:00Z");
    for text in ["0 0 31,L 2 *", "0 0 31,LW 2 *"] {
        let next = crontab(text).in_zone(Zone::UTC).next(from);
        assert_eq!(next, Some(time("2025-02-28T00:00:00Z")), "{text}");
    }
}

#[test]
fn a_crontab_ends_with_2100_and_after_fifty_years() {
    let yearly = crontab("0 0 1 1 *").in_zone(Zone::UTC);
    assert_eq!(yearly.next(time("2099-06-01T00:00:00Z")), Some(time("2100-01-01T00:00:00Z")));
    assert_eq!(yearly.next(time("2100-01-01T00:00:00Z")), None);
    assert_eq!(yearly.next(time("1950-01-01T00:00:00Z")), Some(time("1970-01-01T00:00:00Z")));
    assert_eq!(yearly.next(time("1900-01-01T00:00:00Z")), None);
    let start = time("1970-01-01T00:00:00Z");
    assert_eq!(yearly.previous(start, start), None);
    // The first of the month, if it is the third Monday.
    let never = crontab("0 0 */31 * 1#3");
    assert_eq!(never.next(start), None);
}
