//! The rules for clock changes once more, minute by minute and dialect by dialect.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, TimeDelta};
use overdue::schedule::{Dialect, Schedule};
use proptest::prelude::*;
use proptest::sample::select;

use super::{Clock, Time, zone};

/// Zones that change their clocks by an hour, by half an hour, by a day, and at midnight.
const ZONES: [&str; 14] = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
];

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// Minute and hour of a crontab, each as text and as values.
#[derive(Clone, Debug)]
struct Job {
    minute: (String, Vec<i64>),
    hour: (String, Vec<i64>),
}

fn part(size: i64) -> impl Strategy<Value = (String, Vec<i64>)> {
    let list = prop::collection::btree_set(0..size, 1..4).prop_map(|values| {
        let text: Vec<String> = values.iter().map(i64::to_string).collect();
        (text.join(","), values.into_iter().collect())
    });
    prop_oneof![
        2 => Just(("*".to_owned(), (0..size).collect())),
        2 => (1..size).prop_map(move |step| {
            let values = (0..size).step_by(usize::try_from(step).unwrap());
            (format!("*/{step}"), values.collect())
        }),
        2 => (0..size, 1..size).prop_map(move |(start, length)| {
            let end = (start + length).min(size - 1);
            (format!("{start}-{end}"), (start..=end).collect())
        }),
        1 => (0..4_i64, 1..4_i64).prop_map(|(start, length)| {
            (format!("{start}-{}", start + length), (start..=start + length).collect())
        }),
        3 => list,
    ]
}

fn job() -> impl Strategy<Value = Job> {
    (part(60), part(24)).prop_map(|(minute, hour)| Job { minute, hour })
}

impl Job {
    /// Local minutes count from 1970.
    fn matches(&self, local: i64) -> bool {
        self.minute.1.contains(&local.rem_euclid(HOUR)) && self.lists_hour(local)
    }

    fn lists_hour(&self, local: i64) -> bool {
        self.hour.1.contains(&local.rem_euclid(DAY).div_euclid(HOUR))
    }

    fn text(&self, dialect: Dialect) -> String {
        let seconds = if dialect == Dialect::CRON_RS { "0 " } else { "" };
        format!("{seconds}{} {} * * *", self.minute.0, self.hour.0)
    }
}

fn offset(clock: &Clock, minute: i64) -> i64 {
    clock.offset(DateTime::from_timestamp(minute * 60, 0).unwrap()).num_minutes()
}

/// The minute of a clock change after a time, and how far ahead of UTC the clock was before and after.
fn change(clock: &Clock, after: Time) -> Option<(i64, i64, i64)> {
    let start = after.timestamp().div_euclid(60);
    let day =
        (0..400).map(|day| start + day * DAY).find(|day| offset(clock, *day) != offset(clock, day + DAY))?;
    let at = (day..=day + DAY).find(|minute| offset(clock, *minute) != offset(clock, minute - 1))?;
    Some((at, offset(clock, at - 1), offset(clock, at)))
}

/// The runs from a day and a half before a change to a day and a half after it, by the table of the rules.
fn expected(dialect: Dialect, job: &Job, (at, before, after): (i64, i64, i64)) -> Vec<i64> {
    let applies = match dialect.name() {
        "cron" | "cronsim" => !job.minute.0.starts_with('*') && !job.hour.0.starts_with('*'),
        "croner" => job.minute.1.len() == 1 && job.hour.1.len() == 1,
        _ => true,
    };
    let every_hour = (0..24).all(|hour| job.hour.1.contains(&hour));
    let size = (after - before).abs();
    let short = size < HOUR;
    let mut runs = BTreeSet::new();
    let mut done_until = i64::MIN;
    // What the clock skips, as minutes by the clock before and after.
    let lost: Vec<i64> = (at + before..at + after).filter(|local| job.matches(*local)).collect();
    if let (Some(first), true) = (lost.first(), applies) {
        let midnight = (at + before).rem_euclid(DAY) == 0;
        let at_end = |runs: &mut BTreeSet<i64>| {
            runs.insert(at);
        };
        let each = |runs: &mut BTreeSet<i64>| runs.extend(lost.iter().map(|local| local - before));
        let mut first_moved = |runs: &mut BTreeSet<i64>| {
            runs.insert(first - before);
            done_until = first - before;
        };
        let month = DateTime::from_timestamp(at * 60, 0).unwrap().month();
        match dialect.name() {
            "celery" => first_moved(&mut runs),
            "apscheduler" if !midnight && !job.lists_hour(at + before - 1) => first_moved(&mut runs),
            "cron-npm" if month >= 7 => first_moved(&mut runs),
            "cron" | "cronsim" | "croner" | "cron-npm" => at_end(&mut runs),
            "croniter" if !every_hour => at_end(&mut runs),
            "laravel" | "cron-parser" if !every_hour && !short => each(&mut runs),
            "node-schedule" if !every_hour && !short && !midnight => each(&mut runs),
            _ => {}
        }
    }
    for minute in at - 36 * HOUR..at + 36 * HOUR {
        let local = minute + if minute < at { before } else { after };
        let first_pass = minute < at && local >= at + after;
        let second_pass = minute >= at && local < at + before;
        let repeats = match dialect.name() {
            _ if !applies => true,
            "celery" | "cron" | "cronsim" | "croner" => !second_pass,
            "cron-npm" => !second_pass || job.lists_hour(at + before),
            "node-schedule" => !second_pass || every_hour || short,
            "cron-parser" if (at + after).rem_euclid(DAY) == 0 => !first_pass || every_hour,
            "cron-parser" => !second_pass || every_hour,
            "node-cron" if before > 0 => !first_pass,
            "node-cron" => !second_pass,
            _ => true,
        };
        let done = minute >= at && minute <= done_until;
        if job.matches(local) && repeats && !done {
            runs.insert(minute);
        }
    }
    runs.into_iter().filter(|run| (at - 36 * HOUR..at + 36 * HOUR).contains(run)).collect()
}

fn minutes(job: &Schedule, start: i64, end: i64) -> Vec<i64> {
    let from = DateTime::from_timestamp((start - 1) * 60, 0).unwrap();
    std::iter::successors(job.next(from), |run| job.next(*run))
        .map(|run| run.timestamp().div_euclid(60))
        .take_while(|run| *run < end)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Next finds the runs of the table around a clock change, and previous the same ones back.
    #[test]
    fn runs_around_clock_changes_are_those_of_the_table(
        job in job(),
        dialect in select(Dialect::ALL.to_vec()),
        name in select(ZONES.to_vec()),
        year in prop_oneof![3 => 2024..2031, 1 => select(vec![1975, 1983, 1996, 2007, 2011, 2011, 2017, 2040, 2060, 2099])],
        day in 0..300_i64,
    ) {
        let zone = zone(name);
        let start: Time = format!("{year}-01-01T00:00:00Z").parse().unwrap();
        let Some(change) = change(&Clock::of(zone), start + TimeDelta::days(day)) else { return Ok(()) };
        let text = job.text(dialect);
        let Ok(schedule) = Schedule::in_dialect(&text, dialect, zone) else { return Ok(()) };
        let (from, until) = (change.0 - 36 * HOUR, change.0 + 36 * HOUR);
        let expected = expected(dialect, &job, change);
        prop_assert_eq!(minutes(&schedule, from, until), expected.clone(), "{} in {} by {}", text, name, dialect);
        for pair in expected.windows(2).rev().step_by(expected.len().div_ceil(20)) {
            let before = DateTime::from_timestamp(pair[1] * 60, 0).unwrap();
            let previous = DateTime::from_timestamp(pair[0] * 60, 0);
            prop_assert_eq!(schedule.previous(before, before), previous, "{} in {} by {}", text, name, dialect);
        }
    }
}
