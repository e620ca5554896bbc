//! Dialects: the recorded runs of the schedulers themselves, names, and what no text may do.

use std::fmt::Write as _;

use overdue::schedule::{Dialect, ParseDialectError, Schedule, ScheduleError, Zone};
use proptest::prelude::*;
use proptest::sample::select;
use serde::Deserialize;

use super::{Time, time, zone};
use crate::vectors;

/// What a scheduler did.
#[derive(Debug, Deserialize)]
struct Line {
    expr: String,
    tz: Zone,
    from: Time,
    until: Option<Time>,
    #[serde(default)]
    runs: Vec<Time>,
    valid: Option<bool>,
    #[serde(default)]
    fault: bool,
    expect: Option<Expect>,
}

/// What to expect where a scheduler is wrong.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expect {
    Runs(Vec<Time>),
    Refusal(#[expect(dead_code, reason = "read for its type")] String),
}

/// Lists of which fugit passes over the star.
const LEFT_OUT: [(&str, &str); 1] = [("fugit", "0 0 13 * *,5")];

/// The first runs, to the second.
fn runs(schedule: &Schedule, from: Time) -> impl Iterator<Item = Time> {
    std::iter::successors(schedule.next_run(from), |run| schedule.next_run(*run))
}

/// What is wrong with a line.
fn complaint(dialect: Dialect, line: &Line) -> Option<String> {
    let expected = match &line.expect {
        Some(Expect::Runs(runs)) => Some(runs),
        Some(Expect::Refusal(_)) => None,
        None => (line.valid != Some(false)).then_some(&line.runs),
    };
    let found = match Schedule::in_dialect(&line.expr, dialect, line.tz) {
        Err(_) => None,
        Ok(schedule) => Some(match line.until {
            Some(until) => runs(&schedule, line.from).take_while(|run| *run <= until).collect::<Vec<_>>(),
            None => runs(&schedule, line.from).take(5).collect(),
        }),
    };
    // To refuse what never runs is as good as to have no runs.
    let never = line.until.is_none() && expected.is_none_or(Vec::is_empty);
    let same = if never { found.as_ref().is_none_or(Vec::is_empty) } else { found.as_ref() == expected };
    (!same).then(|| format!("{dialect}: {line:?}\n  found {found:?}\n"))
}

#[test]
fn crontabs_run_as_their_schedulers_run_them() {
    let mut complaints = String::new();
    let mut faults = 0;
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::CRON) {
        let lines: Vec<Line> = vectors::lines(
            &format!("dialects/{dialect}.jsonl"),
            &format!("schedule/dialects/{dialect}.jsonl.gz"),
        );
        assert!(lines.len() > 400, "{dialect}");
        for line in lines {
            assert_eq!(line.fault, line.expect.is_some(), "{line:?}");
            faults += usize::from(line.fault);
            if !LEFT_OUT.contains(&(dialect.name(), &line.expr)) {
                let _ = write!(complaints, "{}", complaint(dialect, &line).unwrap_or_default());
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
    assert!(faults > 100, "{faults}");
}

#[test]
fn a_dialect_is_known_by_its_name() {
    for dialect in Dialect::ALL {
        assert_eq!(dialect.to_string().parse(), Ok(dialect));
        let stored = serde_json::to_string(&dialect).unwrap();
        assert_eq!(stored, format!("\"{dialect}\""));
        assert_eq!(serde_json::from_str::<Dialect>(&stored).unwrap(), dialect);
    }
    for (name, nearest) in [
        ("Celery", Dialect::CELERY),
        ("kron", Dialect::CRON),
        ("cron_rs", Dialect::CRON_RS),
        ("nodecron", Dialect::NODE_CRON),
        ("", Dialect::CRON),
        (&"x".repeat(100_000), Dialect::CRON),
    ] {
        let error: ParseDialectError = name.parse::<Dialect>().unwrap_err();
        assert_eq!((&*error.name, error.nearest), (name, nearest));
    }
}

#[test]
fn schedules_of_a_dialect_are_stored_with_its_name() {
    let schedule = Schedule::in_dialect("30 2 * * *", Dialect::CELERY, zone("Europe/Berlin")).unwrap();
    assert!(schedule.to_string() == "30 2 * * *", "{schedule}");
    let stored = r#"{"type":"crontab","value":"30 2 * * *","timezone":"Europe/Berlin","dialect":"celery"}"#;
    assert_eq!(serde_json::to_string(&schedule).unwrap(), stored);
    assert_eq!(serde_json::from_str::<Schedule>(stored).unwrap(), schedule);
    let old = r#"{"type":"crontab","value":"30 2 * * *","timezone":"Europe/Berlin"}"#;
    let read: Schedule = serde_json::from_str(old).unwrap();
    assert_eq!(read.dialect(), Dialect::CRON);
    assert_ne!(read, schedule);
    let unknown = r#"{"type":"crontab","value":"30 2 * * *","timezone":"UTC","dialect":"anacron"}"#;
    let error = serde_json::from_str::<Schedule>(unknown).unwrap_err().to_string();
    assert!(error.contains("`anacron` is not a dialect; did you mean `cron`?"), "{error}");
}

#[test]
fn a_zone_in_the_text_goes_before_any_other() {
    for (dialect, text) in
        [(Dialect::ROBFIG, "CRON_TZ=Asia/Tokyo 0 2 * * *"), (Dialect::FUGIT, "0 2 * * * Asia/Tokyo")]
    {
        let schedule = Schedule::in_dialect(text, dialect, zone("Europe/Berlin")).unwrap();
        assert_eq!(schedule.zone(), zone("Asia/Tokyo"));
        assert_eq!(schedule.in_zone(Zone::UTC), schedule);
        let next = schedule.next(time("2026-11-01T00:00:00Z"));
        assert_eq!(next, Some(time("2026-11-01T17:00:00Z")));
    }
}

/// However often a job starts in a minute, it is judged once; the minute is that in which it starts.
#[test]
fn a_minute_with_several_runs_is_one_slot() {
    let from = time("2026-11-01T00:00:10Z");
    let often = Schedule::in_dialect("*/20 * * * * *", Dialect::NODE_CRON, Zone::UTC).unwrap();
    let runs: Vec<Time> = runs(&often, from).take(3).collect();
    assert_eq!(
        runs,
        [time("2026-11-01T00:00:20Z"), time("2026-11-01T00:00:40Z"), time("2026-11-01T00:01:00Z")]
    );
    assert_eq!(often.next(from), Some(time("2026-11-01T00:01:00Z")));
    assert_eq!(often.previous(from, from), Some(time("2026-11-01T00:00:00Z")));
    let late = Schedule::in_dialect("50 30 2 * * *", Dialect::NODE_CRON, Zone::UTC).unwrap();
    assert_eq!(late.next_run(from), Some(time("2026-11-01T02:30:50Z")));
    assert_eq!(late.next(from), Some(time("2026-11-01T02:30:00Z")));
    assert_eq!(late.previous(from, time("2026-11-01T03:00:00Z")), Some(time("2026-11-01T02:30:00Z")));
}

#[test]
fn every_so_often_counts_from_where_one_looks() {
    let from = time("2026-11-01T00:00:10Z");
    let every = |text| Schedule::in_dialect(text, Dialect::ROBFIG, Zone::UTC).unwrap();
    assert_eq!(every("@every 90s").next_run(from), Some(time("2026-11-01T00:01:40Z")));
    assert_eq!(every("@every 90s").next(from), Some(time("2026-11-01T00:02:00Z")));
    assert_eq!(every("@every 1h30m").next(from), Some(time("2026-11-01T01:30:00Z")));
    let previous = every("@every 1h30m").previous(from, time("2026-11-01T05:00:00Z"));
    assert_eq!(previous, Some(time("2026-11-01T04:30:00Z")));
}

#[test]
fn errors_say_why() {
    for (dialect, text, expected) in [
        (Dialect::CRON_RS, "0 2 * * *", "cron-rs takes no crontab of 5 fields"),
        (Dialect::CRONSIM, "@daily", "cronsim does not know `@daily`"),
        (Dialect::CRONER, "60 * * * * *", "second: 60 is not between 0 and 59"),
        (Dialect::CRONER, "0 0 0 1 1 * never", "year: `never` is not a value"),
        (Dialect::APSCHEDULER, "0 0 * * 7", "day of week: 7 is not between 0 and 6"),
        (Dialect::ROBFIG, "0 0 * * FRI-MON", "day of week: the range FRI-MON runs backwards"),
    ] {
        let error: ScheduleError = Schedule::in_dialect(text, dialect, Zone::UTC).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

fn field() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        6 => (0..61_u32).prop_map(|number| number.to_string()),
        1 => select(vec!["MON", "fri", "Sun", "sat", "jan", "DEC", "tues", "January"]).prop_map(str::to_owned),
        1 => select(vec!["L", "LW", "L-3", "15W", "5L", "L5", "5#2", "5#L", "?", "-1", "+5", "", "FRIL"])
            .prop_map(str::to_owned),
    ];
    let member =
        (prop_oneof![3 => Just("*".to_owned()), 5 => value.clone()], prop::option::weighted(0.2, value))
            .prop_map(|(start, end)| end.map_or_else(|| start.clone(), |end| format!("{start}-{end}")));
    let member = (member, prop::option::weighted(0.3, 0..70_u32))
        .prop_map(|(base, step)| step.map_or_else(|| base.clone(), |step| format!("{base}/{step}")));
    prop::collection::vec(member, 1..3).prop_map(|members| members.join(","))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::collection::vec(prop_oneof![1 => Just("*".to_owned()), 1 => field()], 4..9)
            .prop_map(|fields| fields.join(" ")),
        1 => "[-*/,#?LW0-9A-Za-z@=+~. ]{0,40}",
        1 => "@(every )?[0-9a-z.]{0,30}",
        1 => "\\PC{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// No text hangs or panics, in any dialect; slots lie on their side of the time and are whole minutes, and looking back
    /// finds what looking forward found.
    #[test]
    fn any_text_is_read_or_refused(
        text in text(),
        dialect in select(Dialect::ALL.to_vec()),
        name in select(vec!["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia"]),
        second in -3_000_000_000_i64..8_000_000_000,
    ) {
        let Ok(schedule) = Schedule::in_dialect(&text, dialect, zone(name)) else { return Ok(()) };
        let again = Schedule::in_dialect(&schedule.to_string(), dialect, zone(name)).unwrap();
        prop_assert_eq!(&again, &schedule);
        let from = Time::from_timestamp(second, 0).unwrap();
        let (run, next) = (schedule.next_run(from), schedule.next(from));
        prop_assert!(run.is_none_or(|run| run > from));
        prop_assert!(next.is_none_or(|next| next > from && next.timestamp() % 60 == 0));
        if let Some(next) = next {
            let within = next + chrono::TimeDelta::seconds(1);
            prop_assert_eq!(again.previous(from, within), Some(next), "{} {}", text, dialect);
            prop_assert!(again.previous(from, next).is_none_or(|previous| previous < next));
        }
    }

    /// The ends of all time are as far away as any other place.
    #[test]
    fn no_time_is_out_of_reach(
        text in text(),
        dialect in select(Dialect::ALL.to_vec()),
        from in select(vec![Time::MIN_UTC, Time::MAX_UTC, time("2199-12-31T23:59:59Z")]),
    ) {
        let Ok(schedule) = Schedule::in_dialect(&text, dialect, zone("Europe/Berlin")) else { return Ok(()) };
        prop_assert!(schedule.next(from).is_none_or(|next| next > from));
        prop_assert!(schedule.next_run(from).is_none_or(|run| run > from));
        prop_assert!(schedule.previous(from, from).is_none_or(|previous| previous < from));
    }
}
