//! The main paths, for `.ci/instructions` to count how many instructions they take.
//!
//! `instructions PATH TURNS` goes a path so often and ends at once. What comes before is the same for any number of
//! turns, so the difference between two numbers is the path's alone. Without arguments it lists the paths, each with
//! how many turns make a good measurement; twice as many are possible.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a bench")]

use std::hint::black_box;
use std::process::exit;

use chrono::{DateTime, TimeDelta, Utc};
use overdue::checkin::{Checkin, CheckinStatus};
use overdue::config::MonitorConfig;
use overdue::id::{MonitorKey, OrganizationId, ProjectId, RunId, Slug};
use overdue::wire::{Body, Message};
use overdue::{Engine, MemoryStore, Outcome, Policy, Schedule, Tick};
use uuid::Uuid;

const ORGANIZATION: OrganizationId = OrganizationId::new(1);
const PROJECT: ProjectId = ProjectId::new(1);

/// Monitors, each with one environment.
const MONITORS: usize = 1_000;

/// One turn of a path; they are numbered.
type Turn = Box<dyn FnMut(usize)>;

/// A path, a good number of turns, and what has to be there before.
type Path = (&'static str, usize, fn(usize) -> Turn);

const PATHS: [Path; 12] = [
    ("ok_checkin", 5_000, ok_checkin),
    ("checkin_pair", 5_000, checkin_pair),
    ("payload_to_outcome", 5_000, payload_to_outcome),
    ("one_of_1000_environments", 2_000, one_of_1000_environments),
    ("one_of_1000_open_runs", 2_000, one_of_1000_open_runs),
    ("next_deadline", 5_000, |_| next_deadline()),
    ("tick_with_nothing_due", 5_000, |_| tick_with_nothing_due()),
    ("tick_with_1000_due", 10, |_| tick_with_1000_due()),
    ("schedule_next", 5_000, |_| schedule_next()),
    ("schedule_next_again", 5_000, |_| schedule_next_again()),
    ("schedule_parse", 2_000, |_| schedule_parse("0 2 * * *")),
    ("schedule_parse_lists", 500, |_| schedule_parse("*/5 8-18 1,15 1-6 MON-FRI")),
];

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [name, turns] = arguments.as_slice() else {
        PATHS.iter().for_each(|(name, turns, _)| println!("{name} {turns}"));
        return;
    };
    let (_, most, path) = PATHS.iter().find(|(path, ..)| path == name).unwrap();
    let mut turn = path(2 * most);
    (0..turns.parse().unwrap()).for_each(&mut turn);
    // Nothing is tidied up, which would cost more after more turns.
    exit(0);
}

/// One check-in of any monitor, every one a run of its own.
fn ok_checkin(most: usize) -> Turn {
    let (engine, slugs) = fleet("*/5 * * * *");
    let messages: Vec<_> = (0..most)
        .map(|turn| message(turn, checkin(&slugs[scatter(turn)], turn, CheckinStatus::Ok)))
        .collect();
    Box::new(move |turn| accepted(&engine, &messages[turn]))
}

/// A run begins and ends.
fn checkin_pair(most: usize) -> Turn {
    let (engine, slugs) = fleet("*/5 * * * *");
    let messages: Vec<_> = (0..most)
        .map(|turn| {
            [CheckinStatus::InProgress, CheckinStatus::Ok]
                .map(|status| message(turn, checkin(&slugs[scatter(turn)], turn, status)))
        })
        .collect();
    Box::new(move |turn| messages[turn].iter().for_each(|message| accepted(&engine, message)))
}

/// The same as [`ok_checkin`], as bytes off the wire.
fn payload_to_outcome(most: usize) -> Turn {
    let (engine, slugs) = fleet("*/5 * * * *");
    // Messages without their bodies, which are parsed when they are set.
    let mut messages: Vec<_> = (0..most)
        .map(|turn| {
            let (id, slug) = (id(turn).as_uuid().simple().to_string(), slugs[scatter(turn)].as_str());
            let json = format!(
                r#"{{"check_in_id":"{id}","monitor_slug":"{slug}","status":"ok","duration":12.345,"environment":"production","release":"backup@1.4.2","contexts":{{"trace":{{"trace_id":"{id}","span_id":"cb34fd91f9fe5a01","op":"cron"}}}}}}"#
            );
            (message(turn, Vec::new()), json.into_bytes())
        })
        .collect();
    Box::new(move |turn| {
        let (message, json) = &mut messages[turn];
        message.body = std::mem::take(json).into();
        accepted(&engine, message);
    })
}

/// One check-in of any environment of a monitor that has many.
fn one_of_1000_environments(most: usize) -> Turn {
    let (engine, slugs) = fleet("*/5 * * * *");
    let elsewhere = |number: usize, turn: usize| {
        let name = format!("preview-{number}").parse().unwrap();
        message(turn, checkin(&slugs[0], turn, CheckinStatus::Ok).with_environment(name))
    };
    (0..1_000).for_each(|number| accepted(&engine, &elsewhere(number, number)));
    let messages: Vec<_> = (0..most).map(|turn| elsewhere(scatter(turn), 1_000 + turn)).collect();
    Box::new(move |turn| accepted(&engine, &messages[turn]))
}

/// Of many runs of a job that are in progress at once, the one that began first ends, and another one begins.
fn one_of_1000_open_runs(most: usize) -> Turn {
    let (engine, slugs) = fleet("*/5 * * * *");
    let one = |turn, status| message(turn, checkin(&slugs[0], turn, status));
    (0..1_000).for_each(|turn| accepted(&engine, &one(turn, CheckinStatus::InProgress)));
    let messages: Vec<_> = (0..most)
        .map(|turn| [one(turn, CheckinStatus::Ok), one(1_000 + turn, CheckinStatus::InProgress)])
        .collect();
    Box::new(move |turn| messages[turn].iter().for_each(|message| accepted(&engine, message)))
}

/// When all monitors are due in one minute.
fn next_deadline() -> Turn {
    let (engine, _) = fleet("0 0 1 1 *");
    Box::new(move |_| assert!(black_box(&engine).next_deadline().unwrap().is_some()))
}

fn tick_with_nothing_due() -> Turn {
    let (engine, _) = fleet("0 0 1 1 *");
    Box::new(move |_| assert!(engine.tick(black_box(Tick::at(start()))).unwrap().outcomes.is_empty()))
}

/// Every monitor is missed again, under the incident that its first miss opened.
fn tick_with_1000_due() -> Turn {
    let (engine, _) = fleet("*/5 * * * *");
    Box::new(move |turn| {
        let minutes = 6 + 5 * i64::try_from(turn).unwrap();
        let report = engine.tick(black_box(Tick::at(start() + TimeDelta::minutes(minutes)))).unwrap();
        assert_eq!(report.outcomes.len(), MONITORS);
    })
}

/// From any time of a year, so that clocks change and days are short and long.
fn schedule_next() -> Turn {
    let daily = Schedule::crontab("30 2 * * *", "Europe/Berlin".parse().unwrap()).unwrap();
    Box::new(move |turn| {
        let after = start() + TimeDelta::minutes(i64::try_from(turn * 7_919 % 525_600).unwrap());
        black_box(black_box(&daily).next(after).unwrap());
    })
}

/// From any time between two runs, when the later one is known.
fn schedule_next_again() -> Turn {
    let daily = Schedule::crontab("30 2 * * *", "Europe/Berlin".parse().unwrap()).unwrap();
    let known = daily.next(start());
    let times: Vec<_> = (0..1_800).map(|second| start() + TimeDelta::seconds(second)).collect();
    Box::new(move |turn| {
        let after = &times[turn % times.len()];
        assert_eq!(black_box(&daily).next(*black_box(after)), known);
    })
}

fn schedule_parse(crontab: &'static str) -> Turn {
    let zone = "Europe/Berlin".parse().unwrap();
    Box::new(move |_| {
        black_box(Schedule::crontab(black_box(crontab), zone).unwrap());
    })
}

/// Monitors that have checked in once.
fn fleet(crontab: &str) -> (Engine<MemoryStore>, Vec<Slug>) {
    let engine = Engine::new(MemoryStore::new(), Policy::default());
    let config = MonitorConfig::new(Schedule::crontab(crontab, "Europe/Berlin".parse().unwrap()).unwrap());
    let slugs: Vec<Slug> = (0..MONITORS).map(|number| format!("job-{number}").parse().unwrap()).collect();
    for (number, slug) in slugs.iter().enumerate() {
        let key = MonitorKey { project: PROJECT, slug: slug.clone() };
        engine.create_monitor(ORGANIZATION, &key, &config).unwrap();
        let first = checkin(slug, (1 << 40) + number, CheckinStatus::Ok);
        accepted(&engine, &Message::new(ORGANIZATION, PROJECT, start(), first));
    }
    (engine, slugs)
}

fn accepted(engine: &Engine<MemoryStore>, message: &Message) {
    let outcome = black_box(engine.process_checkin(black_box(message)).unwrap());
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

fn message(turn: usize, body: impl Into<Body>) -> Message {
    let at = start() + TimeDelta::milliseconds(i64::try_from(turn).unwrap() + 1);
    Message::new(ORGANIZATION, PROJECT, at, body)
}

fn checkin(slug: &Slug, turn: usize, status: CheckinStatus) -> Checkin {
    Checkin::new(slug.clone(), id(turn), status)
}

fn id(turn: usize) -> RunId {
    RunId::from_uuid(Uuid::from_u128(
        (turn as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
    ))
}

/// Any monitor, and in every measurement the same.
fn scatter(turn: usize) -> usize {
    turn.wrapping_add(1).wrapping_mul(0x9e37_79b9) % MONITORS
}

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}
