//! Intervals of the standard profile around clock changes.

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use overdue::schedule::{Schedule, ScheduleError, Unit, Zone};
use proptest::prelude::*;

use super::{Time, any_zone, time, zone};

fn every(count: u32, unit: Unit, zone: Zone) -> Schedule {
    Schedule::every(NonZeroU32::new(count).unwrap(), unit, zone).unwrap()
}

#[track_caller]
fn assert_next(schedule: &Schedule, after: &str, expected: &str) {
    assert_eq!(schedule.next(time(after)), Some(time(expected)), "{schedule} after {after}");
}

#[track_caller]
fn assert_previous(schedule: &Schedule, start: &str, before: &str, expected: Option<&str>) {
    let previous = schedule.previous(time(start), time(before));
    assert_eq!(previous, expected.map(time), "{schedule} from {start} before {before}");
}

#[test]
fn hours_are_exact_when_the_clock_is_set() {
    let hours = every(2, Unit::Hour, zone("America/New_York"));
    assert_next(&hours, "2025-03-09T06:10:30Z", "2025-03-09T08:10:00Z");
    assert_next(&hours, "2025-11-02T05:10:30Z", "2025-11-02T07:10:00Z");
    assert_previous(&hours, "2025-11-02T05:10:30Z", "2025-11-02T09:10:00Z", Some("2025-11-02T07:10:00Z"));
}

#[test]
fn days_keep_the_time_of_day() {
    let days = every(1, Unit::Day, zone("America/New_York"));
    // 12:00 in winter, 12:00 in summer.
    assert_next(&days, "2025-03-08T17:00:00Z", "2025-03-09T16:00:00Z");
    assert_next(&days, "2025-11-01T16:00:00Z", "2025-11-02T17:00:00Z");
    assert_previous(&days, "2025-03-01T17:00:00Z", "2025-03-10T00:00:00Z", Some("2025-03-09T16:00:00Z"));
    let weeks = every(2, Unit::Week, zone("Europe/Berlin"));
    assert_next(&weeks, "2025-03-24T08:30:00Z", "2025-04-07T07:30:00Z");
}

#[test]
fn a_skipped_time_of_day_becomes_the_end_of_the_gap() {
    let days = every(1, Unit::Day, zone("America/New_York"));
    assert_next(&days, "2025-03-08T07:30:00Z", "2025-03-09T07:00:00Z");
    assert_previous(&days, "2025-03-08T07:30:00Z", "2025-03-09T07:01:00Z", Some("2025-03-09T07:00:00Z"));
    assert_previous(&days, "2025-03-08T07:30:00Z", "2025-03-09T07:00:00Z", Some("2025-03-08T07:30:00Z"));
    // 30 December 2011 did not exist in Samoa: half a minute later it was the 31st.
    let days = every(1, Unit::Day, zone("Pacific/Apia"));
    assert_next(&days, "2011-12-30T09:59:30Z", "2011-12-30T10:00:00Z");
}

#[test]
fn a_repeated_time_of_day_means_its_first_pass() {
    let days = every(1, Unit::Day, zone("America/New_York"));
    assert_next(&days, "2025-11-01T05:30:00Z", "2025-11-02T05:30:00Z");
    // From either pass to the same time of the next day.
    assert_next(&days, "2025-11-02T05:30:00Z", "2025-11-03T06:30:00Z");
    assert_next(&days, "2025-11-02T06:30:00Z", "2025-11-03T06:30:00Z");
    // A start is an instant, and may be in the second pass.
    assert_previous(&days, "2025-11-02T06:30:00Z", "2025-11-03T06:30:00Z", Some("2025-11-02T06:30:00Z"));
    assert_previous(&days, "2025-11-02T06:30:00Z", "2025-11-02T06:30:00Z", None);
}

#[test]
fn months_and_years_skip_dates_that_do_not_exist() {
    let months = every(1, Unit::Month, Zone::UTC);
    assert_next(&months, "2025-01-31T10:00:00Z", "2025-03-31T10:00:00Z");
    assert_previous(&months, "2025-01-31T10:00:00Z", "2025-03-31T10:00:00Z", Some("2025-01-31T10:00:00Z"));
    let years = every(1, Unit::Year, zone("Asia/Kolkata"));
    assert_next(&years, "2024-02-29T10:00:00Z", "2028-02-29T10:00:00Z");
    assert_next(&every(100, Unit::Year, Zone::UTC), "2000-02-29T10:00:00Z", "2400-02-29T10:00:00Z");
}

#[test]
fn there_is_nothing_before_the_start() {
    let hours = every(1, Unit::Hour, Zone::UTC);
    assert_previous(&hours, "2025-01-01T00:00:30Z", "2025-01-01T00:00:30Z", None);
    assert_previous(&hours, "2025-01-01T00:00:30Z", "2025-01-01T00:00:31Z", Some("2025-01-01T00:00:00Z"));
    assert_previous(&hours, "2025-01-01T00:00:30Z", "2024-01-01T00:00:00Z", None);
}

#[test]
fn intervals_of_more_than_a_century_are_refused() {
    for (unit, most) in [
        (Unit::Minute, 52_596_000),
        (Unit::Hour, 876_600),
        (Unit::Day, 36_525),
        (Unit::Week, 5_217),
        (Unit::Month, 1_200),
        (Unit::Year, 100),
    ] {
        let build = |count| Schedule::every(NonZeroU32::new(count).unwrap(), unit, Zone::UTC);
        assert!(build(most).is_ok(), "{unit}");
        let count = NonZeroU32::new(most + 1).unwrap();
        assert_eq!(build(most + 1), Err(ScheduleError::TooLong { count, unit }));
    }
}

fn unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(vec![Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Since 1840, including all the odd clocks of the past.
    #[test]
    fn next_is_later_and_previous_agrees(
        zone in any_zone(),
        unit in unit(),
        count in 1..40_u32,
        seconds in -4_102_444_800_i64..4_102_444_800,
    ) {
        let schedule = every(count, unit, zone);
        let start: Time = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap();
        let next = schedule.next(start).unwrap();
        prop_assert!(next > start && next.second() == 0);
        let later = next + TimeDelta::minutes(1);
        prop_assert_eq!(schedule.previous(start, later), Some(next));
        let first = schedule.previous(start, next);
        prop_assert_eq!(first, Some(start - TimeDelta::seconds(i64::from(start.second()))));
    }
}
