//! The recorded times.

use std::collections::BTreeSet;

use overdue::policy::{Quirk, Quirks};
use overdue::schedule::{Schedule, Unit, Zone, reference};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Time, time, zone};
use crate::vectors;

#[derive(Debug, Deserialize)]
struct CrontabLine {
    expr: String,
    tz: Zone,
    from: Time,
    next: Option<Vec<Time>>,
    prev: Option<Vec<Time>>,
    strict_next: Option<Vec<Time>>,
    strict_prev: Option<Vec<Time>>,
    why: Option<String>,
}

#[derive(Debug, Deserialize)]
struct IntervalLine {
    interval: std::num::NonZeroU32,
    unit: Unit,
    tz: Zone,
    start: Time,
    from: Time,
    next: Option<Time>,
    prev: Option<Time>,
}

#[derive(Debug, Deserialize)]
struct InvalidLine {
    expr: String,
}

/// A crontab that the reference rejects and the default reads, and one that both read alike.
#[derive(Debug, Deserialize)]
struct ForgivenLine {
    expr: String,
    means: Option<String>,
    why: String,
}

/// Runs after and before a time by CronSim 2.6, computed anew for each.
#[derive(Debug, Deserialize)]
struct CronSimLine {
    expr: String,
    tz: Zone,
    from: Time,
    next: Answer,
    prev: Answer,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Time(Time),
    NeverEnds(#[expect(dead_code, reason = "read for its type")] String),
}

fn read(name: &str) -> String {
    vectors::read(name, &format!("schedule/{name}.gz"))
}

fn lines<T: DeserializeOwned>(name: &str) -> Vec<T> {
    vectors::lines(name, &format!("schedule/{name}.gz"))
}

fn upcoming(schedule: &Schedule, from: Time) -> impl Iterator<Item = Time> {
    std::iter::successors(schedule.next(from), |time| schedule.next(*time))
}

fn past(schedule: &Schedule, from: Time) -> impl Iterator<Item = Time> {
    std::iter::successors(schedule.previous(from, from), |time| schedule.previous(*time, *time))
}

/// The lists of the vectors end with 1971 and 2099, and in Casablanca before 19 September 2026, when the clock
/// there began to follow another rule than IANA 2025b had foreseen.
fn recorded(zone: Zone, when: &Time) -> bool {
    let end =
        if zone.name() == "Africa/Casablanca" { "2026-09-19T00:00:00Z" } else { "2100-01-01T00:00:00Z" };
    *when >= time("1971-01-01T00:00:00Z") && *when < time(end)
}

/// The times of a schedule equal a list, except where the list was cut.
fn assert_times(actual: impl Iterator<Item = Time>, expected: &[Time], most: usize, line: &CrontabLine) {
    let actual: Vec<Time> = actual.take(most).take_while(|time| recorded(line.tz, time)).collect();
    assert_eq!(actual, expected, "{line:?}");
}

#[test]
fn crontabs_run_as_recorded() {
    for line in lines::<CrontabLine>("crontab.jsonl") {
        let schedule = Schedule::crontab(&line.expr, line.tz).unwrap();
        assert_times(upcoming(&schedule, line.from), line.next.as_ref().unwrap(), 10, &line);
        assert_times(past(&schedule, line.from), line.prev.as_ref().unwrap(), 5, &line);
    }
}

#[test]
fn crontabs_run_by_the_rule_where_cronsim_departs_from_it() {
    for line in lines::<CrontabLine>("crontab_quirks.jsonl") {
        let schedule = Schedule::crontab(&line.expr, line.tz).unwrap();
        assert_times(upcoming(&schedule, line.from), line.strict_next.as_ref().unwrap(), 10, &line);
        assert_times(past(&schedule, line.from), line.strict_prev.as_ref().unwrap(), 5, &line);
    }
}

#[test]
fn the_quirk_gives_the_times_of_cronsim() {
    for line in lines::<CrontabLine>("crontab_quirks.jsonl") {
        let (Some(next), Some(prev)) = (&line.next, &line.prev) else {
            assert_eq!(line.why.as_deref(), Some("cronsim_does_not_terminate"));
            continue;
        };
        let schedule = Schedule::crontab(&line.expr, line.tz).unwrap();
        let quirks = Quirks::NONE.with(Quirk::RepeatedHourForgotten);
        assert_eq!(reference::next(&schedule, line.from, quirks), next.first().copied(), "{line:?}");
        assert_eq!(
            reference::previous(&schedule, line.from, line.from, quirks),
            prev.first().copied(),
            "{line:?}"
        );
    }
}

#[test]
fn the_quirk_walks_like_cronsim_around_clock_changes() {
    let quirks = Quirks::NONE.with(Quirk::RepeatedHourForgotten);
    let lines = lines::<CronSimLine>("crontab_cronsim_2_6.jsonl");
    for line in lines.into_iter().filter(|line| recorded(line.tz, &line.from)) {
        let schedule = Schedule::crontab(&line.expr, line.tz).unwrap();
        let next = reference::next(&schedule, line.from, quirks);
        let previous = reference::previous(&schedule, line.from, line.from, quirks);
        // Where the reference would never answer, the rule does.
        match line.next {
            Answer::Time(time) => assert_eq!(next, Some(time), "next: {line:?}"),
            Answer::NeverEnds(_) => assert_eq!(next, schedule.next(line.from), "{line:?}"),
        }
        match line.prev {
            Answer::Time(time) => assert_eq!(previous, Some(time), "previous: {line:?}"),
            Answer::NeverEnds(_) => {
                assert_eq!(previous, schedule.previous(line.from, line.from), "{line:?}");
            }
        }
    }
}

#[test]
fn invalid_crontabs_are_refused() {
    for InvalidLine { expr } in lines("crontab_invalid.jsonl") {
        assert!(reference::crontab(&expr, Zone::UTC).is_err(), "{expr:?}");
    }
}

/// Which of them the default reads, and why.
#[test]
fn the_default_reads_what_all_schedulers_take_alike() {
    let forgiven: Vec<ForgivenLine> = lines("crontab_forgiven.jsonl");
    let listed: BTreeSet<&str> = forgiven.iter().map(|line| &*line.expr).collect();
    // Our own list belongs to our own copy.
    let invalid = vectors::lines::<InvalidLine>("", "schedule/crontab_invalid.jsonl.gz");
    let read = invalid.iter().filter(|line| Schedule::crontab(&line.expr, Zone::UTC).is_ok());
    let read: BTreeSet<&str> = read.map(|line| &*line.expr).collect();
    assert_eq!(read, listed);
    for ForgivenLine { expr, means, why } in &forgiven {
        assert!(!why.is_empty(), "{expr}");
        let Some(means) = means else { continue };
        let from = time("2026-11-01T00:00:00Z");
        let berlin = zone("Europe/Berlin");
        let (found, expected) =
            (Schedule::crontab(expr, berlin).unwrap(), reference::crontab(means, berlin).unwrap());
        assert_eq!(found.dialect(), expected.dialect());
        let expected = upcoming(&expected.in_zone(found.zone()), from).take(50).collect::<Vec<_>>();
        assert_eq!(upcoming(&found, from).take(50).collect::<Vec<_>>(), expected, "{expr} and {means}");
    }
}

#[test]
fn days_counted_from_the_end_and_nearest_working_days_are_read() {
    for (text, expected) in [
        ("0 0 L-3 * *", ["2026-11-27", "2026-12-28", "2027-01-28"]),
        ("0 0 15W * *", ["2026-11-16", "2026-12-15", "2027-01-15"]),
        ("0 0 31W * *", ["2026-12-31", "2027-01-29", "2027-03-31"]),
        ("0 0 * * FRIL", ["2026-11-27", "2026-12-25", "2027-01-29"]),
        ("0 0 1, 15 * *", ["2026-11-15", "2026-12-01", "2026-12-15"]),
    ] {
        let schedule = Schedule::crontab(text, Zone::UTC).unwrap();
        let days = upcoming(&schedule, time("2026-11-01T00:00:00Z")).take(3);
        assert_eq!(days.map(|day| day.format("%F").to_string()).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn nicknames_stand_for_five_fields() {
    let nicknames: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&read("crontab_nicknames.json")).unwrap();
    assert_eq!(nicknames.len(), 6);
    for (nickname, fields) in nicknames {
        let from = time("2025-05-17T12:34:56Z");
        let times = |text: &str| {
            let schedule = Schedule::crontab(text, zone("Europe/Berlin")).unwrap();
            upcoming(&schedule, from).take(5).collect::<Vec<_>>()
        };
        assert_eq!(times(&nickname), times(&fields), "{nickname}");
    }
}

#[test]
fn intervals_on_the_local_clock_run_as_recorded() {
    let quirks = Quirks::NONE.with(Quirk::IntervalsOnLocalClock);
    for line in lines::<IntervalLine>("interval.jsonl") {
        let schedule = Schedule::every(line.interval, line.unit, line.tz).unwrap();
        assert_eq!(reference::next(&schedule, line.from, quirks), line.next, "next: {line:?}");
        assert_eq!(
            reference::previous(&schedule, line.start, line.from, quirks),
            line.prev,
            "previous: {line:?}"
        );
    }
}
