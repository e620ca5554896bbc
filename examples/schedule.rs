//! Explains a crontab or an interval, and previews its runs. Try
//!
//! ```sh
//! cargo run --example schedule -- "30 2 * * *" --tz America/New_York --from 2025-03-07T00:00:00Z
//! ```

#![expect(clippy::arithmetic_side_effects, reason = "the preview is for dates that a person can read")]

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::num::NonZeroU32;
use std::process::ExitCode;

use chrono::{DateTime, Datelike, NaiveDateTime, SecondsFormat, TimeDelta, Utc};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use overdue::policy::Quirks;
use overdue::schedule::{
    Dialect, Field, ParseDialectError, ParseZoneError, Schedule, ScheduleError, ScheduleKind, Unit, Zone,
    reference,
};
use serde::{Deserialize, Serialize};

const HELP: &str = "\
Explains a crontab or an interval, and previews its runs.

usage: schedule <SCHEDULE> [--dialect NAME] [--tz ZONE] [--from TIME] [--start TIME] [--next N] [--prev N]
                [--policy POLICY]
       schedule --json-lines [--policy POLICY]

  <SCHEDULE>       a crontab (\"30 2 * * *\", \"@daily\") or an interval (\"every 2 hours\")
  --dialect NAME   the scheduler that reads the crontab: cron (if not given), celery, robfig, node-cron, croner,
                   cron-npm, laravel, fugit, apscheduler, node-schedule, cron-parser, croniter, cronsim or cron-rs
  --tz ZONE        an IANA time zone; UTC if not given
  --from TIME      where to look from, as 2025-03-09T12:00:00Z; now if not given
  --start TIME     where an interval counts from when looking back; --from if not given
  --next N         how many runs to come (10)
  --prev N         how many runs gone by (5)
  --policy POLICY  standard (if not given), or sentry-2024 for the times of the reference system
  --json-lines     answer each line of standard input,
                   {\"expr\",\"tz\",\"from\"} or {\"interval\",\"unit\",\"tz\",\"start\",\"from\"}, with one line,
                   {\"valid\":true,\"next\":[10 times],\"prev\":[5 times]} or {\"valid\":false,\"error\"};
                   an interval has at most one time in each list; with a \"dialect\" beside its \"expr\", next are the
                   scheduler's own starts, to the second
  --help           this text
";

type Time = DateTime<Utc>;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("schedule: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let Some(options) = Options::parse(arguments)? else {
        print!("{HELP}");
        return Ok(());
    };
    if options.json_lines {
        return answer_lines(options.quirks).or_else(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(error.to_string()),
        });
    }
    let text = options.words.join(" ");
    if text.trim().is_empty() {
        return Err("no schedule given; --help tells how".to_owned());
    }
    let schedule = read_schedule(&text, options.dialect, options.zone, options.quirks)?;
    let from = options.from.unwrap_or_else(now);
    if !(1..=9_999).contains(&from.year()) {
        return Err(format!("{from} is not a date to look from"));
    }
    let preview = Preview {
        past: past(&schedule, options.start.unwrap_or(from), from, options.prev, options.quirks),
        upcoming: upcoming(&schedule, from, options.next, options.quirks),
        from,
        schedule: &schedule,
    };
    let page = format!("{}\n{}", explain(&schedule), preview.table());
    match io::stdout().write_all(page.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}

struct Options {
    words: Vec<String>,
    dialect: Dialect,
    zone: Zone,
    from: Option<Time>,
    start: Option<Time>,
    next: usize,
    prev: usize,
    quirks: Quirks,
    json_lines: bool,
}

impl Options {
    /// `None` asks for help.
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            words: Vec::new(),
            dialect: Dialect::CRON,
            zone: Zone::UTC,
            from: None,
            start: None,
            next: 10,
            prev: 5,
            quirks: Quirks::NONE,
            json_lines: false,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--dialect" => options.dialect = read_dialect(&value()?)?,
                "--tz" => options.zone = read_zone(&value()?)?,
                "--from" => options.from = Some(read_time(&value()?)?),
                "--start" => options.start = Some(read_time(&value()?)?),
                "--next" => options.next = read_count(&value()?)?,
                "--prev" => options.prev = read_count(&value()?)?,
                "--policy" => options.quirks = read_policy(&value()?)?,
                "--json-lines" => options.json_lines = true,
                unknown if unknown.starts_with("--") => {
                    return Err(format!("unknown option {unknown}; --help lists all"));
                }
                word => options.words.push(word.to_owned()),
            }
        }
        Ok(Some(options))
    }
}

fn read_zone(name: &str) -> Result<Zone, String> {
    name.parse().map_err(|error: ParseZoneError| error.to_string())
}

fn read_dialect(name: &str) -> Result<Dialect, String> {
    name.parse().map_err(|error: ParseDialectError| error.to_string())
}

fn read_time(text: &str) -> Result<Time, String> {
    text.parse().map_err(|error| format!("`{text}` is not a time like 2025-03-09T12:00:00Z: {error}"))
}

fn read_count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number of runs"))
}

fn read_policy(name: &str) -> Result<Quirks, String> {
    match name {
        "standard" => Ok(Quirks::NONE),
        "sentry-2024" => Ok(Quirks::SENTRY_2024),
        _ => Err(format!("`{name}` is neither standard nor sentry-2024")),
    }
}

fn read_schedule(text: &str, dialect: Dialect, zone: Zone, quirks: Quirks) -> Result<Schedule, String> {
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["every", interval @ ..] => read_interval(interval, zone),
        _ => read_crontab(text, dialect, zone, quirks).map_err(|error| error.to_string()),
    }
}

fn read_crontab(text: &str, dialect: Dialect, zone: Zone, quirks: Quirks) -> Result<Schedule, ScheduleError> {
    if quirks == Quirks::NONE {
        Schedule::in_dialect(text, dialect, zone)
    } else {
        reference::crontab(text, zone)
    }
}

fn read_interval(words: &[&str], zone: Zone) -> Result<Schedule, String> {
    let (count, unit) = match words {
        [unit] => ("1", *unit),
        [count, unit] => (*count, *unit),
        _ => return Err("an interval is written like `every 2 hours`".to_owned()),
    };
    let count = count.parse().map_err(|_| format!("`{count}` is not a number from 1 on"))?;
    let unit = [Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year]
        .into_iter()
        .find(|known| known.to_string() == unit.strip_suffix('s').unwrap_or(unit))
        .ok_or_else(|| format!("`{unit}` is none of minutes, hours, days, weeks, months and years"))?;
    Schedule::every(count, unit, zone).map_err(|error| error.to_string())
}

#[expect(clippy::disallowed_methods, reason = "somebody has to ask the clock, and it is not the library")]
fn now() -> Time {
    Utc::now()
}

fn upcoming(schedule: &Schedule, from: Time, most: usize, quirks: Quirks) -> Vec<Time> {
    let next = |time: &Time| match schedule.dialect() {
        dialect if dialect == Dialect::CRON => reference::next(schedule, *time, quirks),
        _ => schedule.next_run(*time),
    };
    std::iter::successors(next(&from), next).take(most).collect()
}

/// Newest first.
fn past(schedule: &Schedule, start: Time, from: Time, most: usize, quirks: Quirks) -> Vec<Time> {
    let previous = |time: &Time| reference::previous(schedule, start, *time, quirks);
    std::iter::successors(previous(&from), previous).take(most).collect()
}

// ---- one line in, one line out ----

#[derive(Deserialize)]
struct Question {
    expr: Option<String>,
    dialect: Option<String>,
    interval: Option<NonZeroU32>,
    unit: Option<Unit>,
    tz: Option<String>,
    start: Option<String>,
    from: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Runs { valid: bool, next: Vec<String>, prev: Vec<String> },
    Invalid { valid: bool, error: String },
}

fn answer_lines(quirks: Quirks) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().split(b'\n') {
        let answer = answer(&line?, quirks).unwrap_or_else(|error| Answer::Invalid { valid: false, error });
        writeln!(output, "{}", serde_json::to_string(&answer)?)?;
    }
    Ok(())
}

fn answer(line: &[u8], quirks: Quirks) -> Result<Answer, String> {
    let question: Question = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let zone = question.tz.as_deref().map_or(Ok(Zone::UTC), read_zone)?;
    let from = question.from.as_deref().map(read_time).transpose()?.unwrap_or_else(now);
    let start = question.start.as_deref().map_or(Ok(from), read_time)?;
    let dialect = question.dialect.as_deref().map_or(Ok(Dialect::CRON), read_dialect)?;
    let schedule = match (question.expr, question.interval, question.unit) {
        (Some(expr), None, None) => read_crontab(&expr, dialect, zone, quirks),
        (None, Some(interval), Some(unit)) => Schedule::every(interval, unit, zone),
        _ => return Err("either `expr`, or `interval` and `unit`".to_owned()),
    }
    .map_err(|error| error.to_string())?;
    let (next, prev) = match schedule.kind() {
        ScheduleKind::Crontab(_) => (10, 5),
        ScheduleKind::Interval { .. } => (1, 1),
    };
    let written = |times: Vec<Time>| times.into_iter().map(written).collect();
    Ok(Answer::Runs {
        valid: true,
        next: written(upcoming(&schedule, from, next, quirks)),
        prev: written(past(&schedule, start, from, prev, quirks)),
    })
}

fn written(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

// ---- for people ----

fn explain(schedule: &Schedule) -> String {
    let mut text = format!("{schedule} in {}\n\n", schedule.zone());
    let ScheduleKind::Crontab(crontab) = schedule.kind() else {
        text.push_str("  Counts from the last check-in.\n");
        return text;
    };
    if !is_plain(schedule) {
        let _ = writeln!(text, "  Runs as the dialect `{}` reads it.", schedule.dialect());
        return text;
    }
    let fields = fields(crontab);
    for (field, members) in Field::ALL.iter().zip(&fields) {
        let members = if *members == "*" { "any" } else { members };
        let _ = writeln!(text, "  {:<14}{members}", field.to_string());
    }
    let free = |index: usize| fields.get(index).is_some_and(|field| field.starts_with('*'));
    let days = match (fields.get(2), fields.get(4)) {
        (Some(&"*"), Some(&"*")) => "Runs every day of these months.",
        (Some(_), Some(&"*")) | (Some(&"*"), Some(_)) => "Runs on the days listed.",
        _ if free(2) || free(4) => "A day must match both day fields, as one of them starts with `*`.",
        _ => "A day must match either day field.",
    };
    let clock = match follows_the_clock(&fields) {
        true => {
            "Runs whenever the clock shows a matching time: a skipped hour drops runs, a repeated one repeats them."
        }
        false => {
            "Runs once for each matching time: in the first pass of a repeated hour, after a gap if skipped."
        }
    };
    let _ = writeln!(text, "\n  {days}\n  {clock}");
    text
}

/// Whether the rules of Debian's cron are all there is to say of a crontab.
fn is_plain(schedule: &Schedule) -> bool {
    let text = schedule.to_string();
    schedule.dialect() == Dialect::CRON && reference::crontab(&text, schedule.zone()).is_ok()
}

fn fields(crontab: &str) -> Vec<&str> {
    match crontab {
        "@hourly" => "0 * * * *",
        "@daily" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        fields => fields,
    }
    .split(' ')
    .collect()
}

/// Whether the job runs whenever the clock shows a matching time, and not once for each.
fn follows_the_clock(fields: &[&str]) -> bool {
    fields.iter().take(2).any(|field| field.starts_with('*'))
}

struct Preview<'a> {
    schedule: &'a Schedule,
    from: Time,
    /// Newest first.
    past: Vec<Time>,
    upcoming: Vec<Time>,
}

impl Preview<'_> {
    fn table(&self) -> String {
        let mut text = String::new();
        if self.past.is_empty() && self.upcoming.is_empty() {
            text.push_str("  No runs.\n");
        }
        let now = std::iter::once((self.from, "  <- from here"));
        let past = self.past.iter().rev().map(|time| (*time, ""));
        let rows = past.chain(now).chain(self.upcoming.iter().map(|time| (*time, "")));
        let mut last = None;
        let zone = self.schedule.zone();
        for (time, mark) in rows {
            let change = last.and_then(|last| Change::between(zone, last, time));
            if let Some(change) = &change {
                let _ = writeln!(text, "  -- {} --", self.tell(change));
            }
            let local = time.with_timezone(&zone.offset_at(time));
            let remark = self.remark(time).filter(|_| mark.is_empty());
            let remark = remark.map_or_else(|| mark.to_owned(), |remark| format!("  ({remark})"));
            let _ = writeln!(
                text,
                "  {} {}  {}{remark}",
                local.format("%a %Y-%m-%d %H:%M:%S %:z"),
                abbreviation(zone, time),
                written(time)
            );
            last = Some(time);
        }
        text
    }

    /// What the change does to the runs near it.
    fn tell(&self, change: &Change) -> String {
        let clock = |time: NaiveDateTime| time.format("%H:%M").to_string();
        let day = change.shown_before.format("%Y-%m-%d");
        let (from, to) = (clock(change.shown_before), clock(change.shown_after));
        let (verb, start, end) = match change.skips() {
            true => ("forward", change.shown_before, change.shown_after),
            false => ("back", change.shown_after, change.shown_before),
        };
        let mut text = format!("{day}: the clock is set {verb} from {from} to {to}");
        let ScheduleKind::Crontab(crontab) = self.schedule.kind() else { return text };
        if !is_plain(self.schedule) {
            return text;
        }
        let count = match self.plain_runs(start, end).len() {
            0 => return text,
            1 => "1 run".to_owned(),
            runs => format!("{runs} runs"),
        };
        let _ = match (change.skips(), follows_the_clock(&fields(crontab))) {
            (true, true) => write!(text, ", {count} dropped"),
            (true, false) => write!(text, ", {count} skipped, made up for at {to}"),
            (false, true) => write!(text, ", {count} repeated"),
            (false, false) => write!(text, ", {count} not repeated"),
        };
        text
    }

    /// What is odd about a single run.
    fn remark(&self, run: Time) -> Option<String> {
        let zone = self.schedule.zone();
        let local = shown(zone, run);
        let day = TimeDelta::days(1);
        for (near, pass) in [(run + day, "first"), (run - day, "second")] {
            let other = (local - zone.offset_at(near)).and_utc();
            if other != run && shown(zone, other) == local {
                return Some(format!("{pass} pass of a repeated hour"));
            }
        }
        let change = Change::between(zone, run - TimeDelta::minutes(1), run)?;
        if !is_plain(self.schedule) {
            return None;
        }
        let from = self.plain_runs(change.shown_before, change.shown_after);
        let own = !self.plain_runs(local, local + TimeDelta::minutes(1)).is_empty();
        from.first()
            .filter(|_| change.skips() && !own)
            .map(|time| format!("moved from {}", time.format("%H:%M")))
    }

    /// The runs that there would be on a clock that is never set.
    fn plain_runs(&self, start: NaiveDateTime, end: NaiveDateTime) -> Vec<Time> {
        let mut runs = upcoming(
            &self.schedule.in_zone(Zone::UTC),
            start.and_utc() - TimeDelta::minutes(1),
            24 * 60,
            Quirks::NONE,
        );
        runs.retain(|run| *run < end.and_utc());
        runs
    }
}

/// What the zone's clock shows.
fn shown(zone: Zone, time: Time) -> NaiveDateTime {
    time.naive_utc() + zone.offset_at(time)
}

/// How the zone's clock is called at the time, `EST` or `EDT`.
fn abbreviation(zone: Zone, time: Time) -> String {
    let zone = TimeZone::get(zone.name()).unwrap_or(TimeZone::UTC);
    let time = Timestamp::from_second(time.timestamp()).unwrap_or_default();
    zone.to_offset_info(time).abbreviation().to_owned()
}

/// A moment at which a clock is set.
struct Change {
    shown_before: NaiveDateTime,
    shown_after: NaiveDateTime,
}

impl Change {
    /// The change between two times, if the offsets there tell that there is one.
    fn between(zone: Zone, start: Time, end: Time) -> Option<Self> {
        let offset = |time: Time| zone.offset_at(time);
        let (before, after) = (offset(start), offset(end));
        if before == after {
            return None;
        }
        let (mut start, mut end) = (start, end);
        while end - start > TimeDelta::seconds(1) {
            let middle = start + (end - start) / 2;
            if offset(middle) == before { start = middle } else { end = middle }
        }
        let at = DateTime::from_timestamp(end.timestamp(), 0)?;
        Some(Self { shown_before: at.naive_utc() + before, shown_after: at.naive_utc() + offset(at) })
    }

    fn skips(&self) -> bool {
        self.shown_before < self.shown_after
    }
}
