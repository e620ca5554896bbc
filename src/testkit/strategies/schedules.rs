//! Times, schedules and configurations.

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::select;

use crate::Schedule;
use crate::config::{Margin, MaxRuntime, MonitorConfig};
use crate::schedule::{Unit, Zone};

const ZONES: [&str; 5] = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];

const CRONTABS: [&str; 8] = [
    "* * * * *",
    "*/10 * * * *",
    "0 * * * *",
    "30 2 * * *",
    "15 1,2,3 * * *",
    "@daily",
    "0 9 L * *",
    "0 0 29 2 1",
];

fn zones() -> impl Strategy<Value = Zone> {
    select(ZONES.to_vec()).prop_map(|name| name.parse().unwrap_or_default())
}

/// Crontabs and intervals, from every minute to every twenty years, in zones that change their clocks by an
/// hour, by half an hour and not at all.
///
/// ```
/// use overdue::testkit::strategies::{any_time, schedules};
/// use proptest::prelude::*;
///
/// proptest!(|(schedule in schedules(), at in any_time())| {
///     prop_assert!(schedule.next(at).is_none_or(|next| next > at));
/// });
/// ```
pub fn schedules() -> impl Strategy<Value = Schedule> {
    let units = [Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];
    let interval = (1_u32..=20, select(units.to_vec()), zones());
    let interval = interval.prop_map(|(count, unit, zone)| {
        Schedule::every(NonZeroU32::new(count).unwrap(), unit, zone).unwrap()
    });
    let crontab = (select(CRONTABS.to_vec()), zones());
    let crontab = crontab.prop_map(|(text, zone)| Schedule::crontab(text, zone).unwrap());
    prop_oneof![2 => crontab, 1 => interval]
}

/// Configurations of monitors: margins of up to 70 minutes, runs of up to 90, thresholds of up to 4.
///
/// ```
/// use overdue::testkit::strategies::configs;
/// use proptest::prelude::*;
///
/// proptest!(|(config in configs())| {
///     prop_assert!(config.margin().get() <= 70);
/// });
/// ```
pub fn configs() -> impl Strategy<Value = MonitorConfig> {
    let numbers = (1_u32..=70, 1_u32..=90, 1_u32..=4, 1_u32..=4);
    (schedules(), numbers).prop_map(|(schedule, (margin, runtime, failures, successes))| {
        MonitorConfig::builder()
            .schedule(schedule)
            .margin(Margin::new(margin).unwrap())
            .max_runtime(MaxRuntime::new(runtime).unwrap())
            .failure_threshold(failures)
            .recovery_threshold(successes)
            .build()
            .unwrap()
    })
}

/// Any date chrono can hold, the first and the last among them.
///
/// ```
/// use overdue::Tick;
/// use overdue::testkit::strategies::any_time;
/// use proptest::prelude::*;
///
/// proptest!(|(at in any_time())| {
///     prop_assert!(Tick::at(at).time() <= at);
/// });
/// ```
pub fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let second = first.timestamp()..=last.timestamp();
    let anywhere = (second, 0_u32..1_000_000_000).prop_map(move |(seconds, nanoseconds)| {
        DateTime::from_timestamp(seconds, nanoseconds).unwrap_or(last)
    });
    let near = |end: DateTime<Utc>, sign: i64| {
        (0_i64..200_000).prop_map(move |seconds| end + TimeDelta::seconds(sign * seconds))
    };
    prop_oneof![
        2 => anywhere,
        1 => near(first, 1),
        1 => near(last, -1),
        3 => near(plain_day(), 1),
        1 => Just(first),
        1 => Just(last),
    ]
}

/// Some hours before clocks change in one of the zones, or on a plain day.
pub(super) fn starts() -> impl Strategy<Value = DateTime<Utc>> {
    let eves =
        ["2024-03-30T20:00:00Z", "2024-10-26T20:00:00Z", "2024-11-02T22:00:00Z", "2025-04-05T10:00:00Z"];
    let eves = eves.map(|text| text.parse().unwrap());
    select([vec![plain_day()], eves.to_vec()].concat())
}

fn plain_day() -> DateTime<Utc> {
    "2024-09-02T09:00:00Z".parse().unwrap()
}
