//! Crates that know crontabs, beside ours: how often each is right, and what it costs.
//!
//! `cargo bench -p overdue-rivals` prints the table of the README. Right is what the recorded times say
//! (`tests/vectors/schedule`): those of CronSim, which follows Debian's cron. Some questions send some crates
//! into an endless loop, so that each is put to a process of its own.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench")]
#![expect(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a bench")]

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};
use flate2::read::GzDecoder;
use serde::Deserialize;

type Time = DateTime<Utc>;

const SHORT: &str = "0 2 * * *";
const LONG: &str = "*/5 8-18 1,15 1-6 MON-FRI";
const ZONE: Tz = Tz::Europe__Berlin;

/// A crate, and how it is used.
struct Entrant {
    package: &'static str,
    options: &'static str,
    /// A crontab in the form that the crate takes.
    text: fn(&str, Tz) -> String,
    parse: fn(&str, Tz) -> Option<Box<dyn Crontab>>,
}

/// What a crate makes of a crontab.
trait Crontab {
    fn next(&self, after: Time) -> Option<Time>;
}

struct Ours(overdue::Schedule);
struct Croner(croner::Cron, Tz);
struct Cronexpr(cronexpr::Crontab);
struct Cron(cron::Schedule, Tz);

static ENTRANTS: [Entrant; 4] = [
    Entrant {
        package: "overdue",
        options: "none",
        text: |fields, _| fields.to_owned(),
        parse: |text, zone| {
            let zone = zone.name().parse().ok()?;
            Some(Box::new(Ours(overdue::Schedule::crontab(text, zone).ok()?)))
        },
    },
    Entrant {
        package: "croner",
        options: "no seconds, no years, `sloppy_ranges`; `dom_and_dow` where a day field starts with `*`",
        text: |fields, _| fields.to_owned(),
        parse: |text, zone| {
            let days = text.split_whitespace().skip(2).step_by(2);
            let both = days.into_iter().any(|field| field.starts_with('*'));
            let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed);
            let parser = parser.sloppy_ranges(true).dom_and_dow(both).build();
            Some(Box::new(Croner(parser.parse(text).ok()?, zone)))
        },
    },
    Entrant {
        package: "cronexpr",
        options: "the zone as sixth field",
        text: |fields, zone| format!("{fields} {zone}"),
        parse: |text, _| Some(Box::new(Cronexpr(cronexpr::parse_crontab(text).ok()?))),
    },
    Entrant {
        package: "cron",
        options: "as it is: a `0` for the seconds put before",
        text: |fields, _| format!("0 {fields}"),
        parse: |text, zone| Some(Box::new(Cron(cron::Schedule::try_from(text).ok()?, zone))),
    },
];

impl Crontab for Ours {
    fn next(&self, after: Time) -> Option<Time> {
        self.0.next(after)
    }
}

impl Crontab for Croner {
    fn next(&self, after: Time) -> Option<Time> {
        let next = self.0.find_next_occurrence(&after.with_timezone(&self.1), false);
        next.ok().map(|next| next.to_utc())
    }
}

impl Crontab for Cronexpr {
    fn next(&self, after: Time) -> Option<Time> {
        let after = cronexpr::MakeTimestamp::from_second(after.timestamp()).ok()?;
        DateTime::from_timestamp(self.0.find_next(after).ok()?.timestamp().as_second(), 0)
    }
}

impl Crontab for Cron {
    fn next(&self, after: Time) -> Option<Time> {
        self.0.after(&after.with_timezone(&self.1)).next().map(|next| next.to_utc())
    }
}

impl Entrant {
    fn crontab(&self, fields: &str, zone: Tz) -> Option<Box<dyn Crontab>> {
        (self.parse)(&(self.text)(fields, zone), zone)
    }

    /// The package with the version that is measured.
    fn title(&self) -> String {
        let lock = include_str!("../../Cargo.lock");
        let entry = lock.split(&format!("name = \"{}\"\nversion = \"", self.package)).nth(1).unwrap();
        format!("`{}` {}", self.package, entry.split('"').next().unwrap())
    }
}

/// A crontab and the times that follow.
#[derive(Deserialize)]
struct Line {
    expr: String,
    tz: String,
    from: Time,
    next: Vec<Time>,
}

impl Line {
    /// At most one day field is restricted, and the zone is one of the two whose clock never changes.
    fn is_plain(&self) -> bool {
        let fields: Vec<_> = self.expr.split_whitespace().collect();
        (fields[2] == "*" || fields[4] == "*") && ["UTC", "Asia/Kolkata"].contains(&self.tz.as_str())
    }

    /// Whether a crate finds the listed times, all of them and in order.
    fn suits(&self, entrant: &Entrant) -> bool {
        // The lists end with 2099, and in Casablanca where two editions of its zone part.
        let end =
            if self.tz == "Africa/Casablanca" { "2026-09-19T00:00:00Z" } else { "2100-01-01T00:00:00Z" };
        let end: Time = end.parse().unwrap();
        let crontab = entrant.crontab(&self.expr, self.tz.parse().unwrap());
        let mut at = self.from;
        let times = std::iter::from_fn(|| {
            at = crontab.as_ref()?.next(at).filter(|next| *next < end)?;
            Some(at)
        });
        times.take(10).eq(self.next.iter().copied())
    }
}

/// How a crate did on a line.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Mark {
    Right,
    Wrong,
    /// It took more than half a second.
    Unanswered,
}

/// Examines a crate, in processes that can be stopped.
fn examine(entrant: usize, lines: usize) -> Vec<Mark> {
    let mut marks = Vec::new();
    while marks.len() < lines {
        let mut pupil = Command::new(std::env::current_exe().unwrap());
        pupil.env("EXAMINE", format!("{entrant} {}", marks.len())).stdout(Stdio::piped());
        let mut pupil = pupil.spawn().unwrap();
        let (sender, answers) = mpsc::channel();
        let answered = BufReader::new(pupil.stdout.take().unwrap()).lines();
        std::thread::spawn(move || answered.map_while(Result::ok).try_for_each(|answer| sender.send(answer)));
        // To start takes longer, for the vectors are read.
        let mut patience = Duration::from_secs(20);
        while let Ok(answer) = answers.recv_timeout(patience) {
            match answer.as_str() {
                "ready" => {}
                "true" => marks.push(Mark::Right),
                _ => marks.push(Mark::Wrong),
            }
            patience = Duration::from_millis(500);
        }
        if marks.len() < lines {
            marks.push(Mark::Unanswered);
        }
        pupil.kill().unwrap();
        pupil.wait().unwrap();
    }
    marks
}

/// What such a process does.
fn be_examined(paper: &str, lines: &[Line]) {
    let (entrant, skip) = paper.split_once(' ').unwrap();
    let (entrant, skip): (usize, usize) = (entrant.parse().unwrap(), skip.parse().unwrap());
    println!("ready");
    lines.iter().skip(skip).for_each(|line| println!("{}", line.suits(&ENTRANTS[entrant])));
}

/// An operation of each crate; it is told how often it was done before.
type Operations = [Box<dyn Fn(u32)>; ENTRANTS.len()];

fn parse(fields: &str) -> Operations {
    ENTRANTS.each_ref().map(|entrant| -> Box<dyn Fn(u32)> {
        let text = (entrant.text)(fields, ZONE);
        Box::new(move |_| {
            black_box((entrant.parse)(black_box(&text), ZONE));
        })
    })
}

fn next(fields: &str, asked: fn(u32) -> Time) -> Operations {
    ENTRANTS.each_ref().map(|entrant| -> Box<dyn Fn(u32)> {
        let crontab = entrant.crontab(fields, ZONE).unwrap();
        Box::new(move |turn| {
            black_box(crontab.next(black_box(asked(turn))));
        })
    })
}

fn start() -> Time {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_750_000_000)
}

/// Never twice in a row between the same two runs.
fn scattered(turn: u32) -> Time {
    start() + TimeDelta::hours(i64::from(turn) * 173 % 9_000)
}

/// What each crate takes: the median of many runs in which they take turns.
fn medians(operations: &Operations) -> [Duration; ENTRANTS.len()] {
    const RUNS: usize = 41;
    const TIMES: u32 = 2_000;
    let mut runs = ENTRANTS.each_ref().map(|_| Vec::new());
    for _ in 0..RUNS {
        for (operation, runs) in operations.iter().zip(&mut runs) {
            let start = Instant::now();
            (0..TIMES).for_each(operation);
            runs.push(start.elapsed() / TIMES);
        }
    }
    runs.map(|mut runs| {
        runs.sort();
        runs[RUNS / 2]
    })
}

/// The recorded crontabs of this repository.
fn recorded() -> Vec<Line> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/schedule/crontab.jsonl.gz");
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn main() {
    let lines = recorded();
    if let Ok(paper) = std::env::var("EXAMINE") {
        return be_examined(&paper, &lines);
    }
    let plain = lines.iter().filter(|line| line.is_plain()).count();
    let costs =
        [parse(SHORT), parse(LONG), next(SHORT, scattered), next(LONG, scattered), next(SHORT, |_| start())];
    let costs = costs.each_ref().map(medians);

    println!("Short is `{SHORT}`, long is `{LONG}`, both in {ZONE}.\n");
    print!("| | right, of {} | right, of the {plain} plain ones ", lines.len());
    println!("| parse short | parse long | next, short | next, long | next again |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut notes = Vec::new();
    for (index, entrant) in ENTRANTS.iter().enumerate() {
        let marks = examine(index, lines.len());
        let count = |what| marks.iter().filter(|mark| **mark == what).count();
        let marked = lines.iter().zip(&marks).filter(|(line, mark)| line.is_plain() && **mark == Mark::Right);
        let share = |right: usize, of: usize| format!("{:.1} %", 100.0 * right as f64 / of as f64);
        let shares = [share(count(Mark::Right), lines.len()), share(marked.count(), plain)];
        let costs = costs.map(|costs| format!(" {} ns |", costs[index].as_nanos())).concat();
        println!("| {} | {} |{costs}", entrant.title(), shares.join(" | "));
        notes.push(format!("{}: {}", entrant.title(), entrant.options));
        if count(Mark::Unanswered) > 0 {
            notes.push(format!("no answer within half a second to {} lines", count(Mark::Unanswered)));
        }
    }
    println!("\n{}", notes.join("; "));
}
