//! Timelines in plain text, played with a quirk kept and dropped.
//!
//! A line is a step and, after `=>`, what is seen then: the same for both, or `kept: ... | dropped: ...`.
//! Long lines are broken before `=>` and `|`.
//!
//! ```text
//! 10:00 a ok                       => status ok, next 11:00
//! 10:05 b error {"duration": 2.5}  => status error, 1 alert
//! 11:01 tick                       => kept: missed 11:00 | dropped: no run
//! ```
//!
//! Steps are `tick`, `mute`, `unmute`, `disable`, `enable`, and check-ins: the letter of a run (or `-` for
//! none), its status, and what else the payload holds (`project_id` goes into the envelope). Times are UTC;
//! those of another day start with their date.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Timelike, Utc};
use overdue::Policy;
use overdue::policy::{Quirk, Quirks};
use serde_json::{Value, json};

use crate::fixture::keeping;
use crate::playback::{Player, TraceLimits};

/// Which side of a script to check.
#[derive(Clone, Copy)]
enum Tells {
    Kept,
    Dropped,
}

/// The start of a timeline: its day, monitor and limits.
pub(super) struct Timeline {
    day: NaiveDate,
    config: Option<Value>,
    limits: TraceLimits,
    alongside: Quirks,
}

/// On 1 January 2025, without a monitor.
pub(super) fn nothing() -> Timeline {
    Timeline {
        day: NaiveDate::from_ymd_opt(2025, 1, 1).unwrap(),
        config: None,
        limits: TraceLimits::default(),
        alongside: Quirks::NONE,
    }
}

/// On 1 January 2025, with a monitor with this crontab.
pub(super) fn crontab(text: &str) -> Timeline {
    let config = json!({"schedule": {"type": "crontab", "value": text}});
    Timeline { config: Some(config), ..nothing() }
}

/// On 1 January 2025, with a monitor with this interval.
pub(super) fn every(value: u32, unit: &str) -> Timeline {
    let config = json!({"schedule": {"type": "interval", "value": value, "unit": unit}});
    Timeline { config: Some(config), ..nothing() }
}

impl Timeline {
    /// Sets another field in the configuration of the monitor.
    pub(super) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.config.as_mut().unwrap()[field] = value.into();
        self
    }

    /// Starts on another day, in this zone.
    pub(super) fn on(self, day: &str, zone: &str) -> Self {
        let day = day.parse().unwrap();
        Self { day, ..self }.with("timezone", zone)
    }

    pub(super) fn rate_limit(mut self, limit: u32) -> Self {
        self.limits.rate_limit = Some(limit.try_into().unwrap());
        self
    }

    /// Also keeps another quirk, without which this one does not show.
    pub(super) fn alongside(mut self, quirk: Quirk) -> Self {
        self.alongside = self.alongside.with(quirk);
        self
    }

    /// Checks the script with the quirk kept and dropped, in the profiles and as their only difference. The
    /// script must distinguish the two.
    #[track_caller]
    pub(super) fn shows(&self, quirk: Quirk, script: &str) {
        for quirks in [Quirks::SENTRY_2024, self.alongside].map(|quirks| quirks.with(quirk)) {
            self.assert_tells(&keeping(quirks), Tells::Kept, Tells::Dropped, script);
        }
        self.assert_tells(&Policy::default(), Tells::Dropped, Tells::Kept, script);
        for quirks in [Quirks::NONE, self.alongside, Quirks::SENTRY_2024.without(quirk)] {
            self.assert_tells(&keeping(quirks), Tells::Dropped, Tells::Kept, script);
        }
    }

    #[track_caller]
    fn assert_tells(&self, policy: &Policy, this: Tells, not_that: Tells, script: &str) {
        let profile = policy.profile;
        if let Err(unseen) = self.play(policy, this, script) {
            panic!("{unseen}\nunder {profile:?}");
        }
        assert!(self.play(policy, not_that, script).is_err(), "both alike under {profile:?}: {script}");
    }

    /// Plays the script. Returns the first line that does not match as an error.
    fn play(&self, policy: &Policy, tells: Tells, script: &str) -> Result<(), String> {
        let mut player = Player::new(policy, self.limits);
        let mut step = |op: Value| player.step(&serde_json::from_value(op).unwrap()).unwrap();
        if let Some(config) = &self.config {
            let op = json!({"op": "create_monitor", "project_id": 1, "slug": "job", "config": config});
            assert_eq!(step(op)["errors"], json!([]), "{config}");
        }
        for line in lines(script) {
            let (what, told) = line.split_once("=>").unwrap_or((&line, ""));
            let seen = self.facts(&step(self.op(what.trim())));
            let told = match (told.split_once('|'), tells) {
                (None, _) => told.trim(),
                (Some((kept, _)), Tells::Kept) => kept.trim().strip_prefix("kept: ").unwrap(),
                (Some((_, dropped)), Tells::Dropped) => dropped.trim().strip_prefix("dropped: ").unwrap(),
            };
            if !told.split(", ").all(|fact| fact.is_empty() || seen.contains(fact)) {
                return Err(format!("{line}\nseen: {seen:?}"));
            }
        }
        Ok(())
    }

    /// Converts a step to an op of a trace.
    fn op(&self, step: &str) -> Value {
        let (time, what) = step.split_once(' ').unwrap();
        let seconds = if time.matches(':').count() == 1 { ":00" } else { "" };
        let at = format!("{}T{time}{seconds}Z", self.day);
        match what.trim() {
            "tick" => json!({"op": "tick", "at": at}),
            edit @ ("mute" | "unmute") => json!({
                "op": "mute", "at": at, "project_id": 1, "slug": "job", "environment": "production",
                "muted": edit == "mute",
            }),
            edit @ ("disable" | "enable") => json!({
                "op": "disable", "at": at, "project_id": 1, "slug": "job", "disabled": edit == "disable",
            }),
            checkin => {
                let (checkin, more) = match checkin.find('{') {
                    Some(start) => checkin.split_at(start),
                    None => (checkin, "{}"),
                };
                let (run, status) = checkin.trim().split_once(' ').unwrap();
                let mut payload: Value = serde_json::from_str(more).unwrap();
                let project = payload["project_id"].take();
                payload["check_in_id"] = json!(id(run));
                payload["monitor_slug"] = json!("job");
                payload["status"] = json!(status.trim());
                let project = project.as_u64().unwrap_or(1);
                json!({"op": "checkin", "at": at, "project_id": project, "payload": payload})
            }
        }
    }

    /// Everything that an outcome shows, fact by fact.
    fn facts(&self, outcome: &Value) -> BTreeSet<String> {
        let mut facts = BTreeSet::new();
        let list = |field: &str| outcome[field].as_array().unwrap();
        let mut tell = |fact: String| facts.insert(fact);

        for error in list("errors") {
            tell(format!("refused {}", error["type"].as_str().unwrap()));
            if let Some(errors) = error["errors"].as_object() {
                tell(format!("faults {}", errors.keys().cloned().collect::<Vec<_>>().join("+")));
            }
            if let Some(name) = error["existingEnvironment"].as_str() {
                tell(format!("reveals {name}"));
            }
        }
        if list("errors").is_empty() {
            tell("not refused".into());
        }

        for run in list("checkins") {
            let status = run["status"].as_str().unwrap();
            let name = match run["check_in_id"].as_str() {
                Some(id) => letter(id),
                None if status == "missed" => {
                    tell(format!("missed {}", self.time(&run["date_added"])));
                    continue;
                }
                None => "anonymous".into(),
            };
            tell(format!("{name} {status}"));
            if !run["timeout_at"].is_null() {
                tell(format!("{name} until {}", self.time(&run["timeout_at"])));
            }
            if !run["duration_ms"].is_null() {
                tell(format!("{name} took {} ms", run["duration_ms"]));
            }
        }
        if list("checkins").is_empty() {
            tell("no run".into());
        }

        let count = |kind| list("events").iter().filter(|event| event["kind"] == kind).count();
        tell(match count("incident_occurrence") {
            0 => "silent".into(),
            1 => "1 alert".into(),
            alerts => format!("{alerts} alerts"),
        });
        tell(if count("incident_resolved") == 0 { "no recovery" } else { "recovery" }.into());

        let names: Vec<_> = list("environments").iter().map(|row| row["environment"].to_string()).collect();
        tell(format!("in {}", names.join(" and ")));
        if let Some(row) = list("environments").iter().find(|row| row["environment"] == "production") {
            tell(format!("status {}", row["status"].as_str().unwrap()));
            tell(format!("last {}", self.time(&row["last_checkin"])));
            tell(format!("next {}", self.time(&row["next_checkin"])));
            tell(format!("latest {}", self.time(&row["next_checkin_latest"])));
        }
        tell(match list("incidents").last() {
            None => "no incident".into(),
            Some(incident) if incident["resolving_timestamp"].is_null() => {
                format!("incident since {}", self.time(&incident["starting_timestamp"]))
            }
            Some(incident) => {
                let [start, end] = ["starting_timestamp", "resolving_timestamp"].map(|it| &incident[it]);
                format!("incident from {} to {}", self.time(start), self.time(end))
            }
        });
        facts
    }

    /// A time as it is written in a script.
    fn time(&self, value: &Value) -> String {
        let Some(text) = value.as_str() else { return "never".into() };
        let time: DateTime<Utc> = text.parse().unwrap();
        let local: NaiveDateTime = time.naive_utc();
        let clock = local.format(if local.second() == 0 { "%H:%M" } else { "%H:%M:%S" });
        match local.date() {
            day if day == self.day => clock.to_string(),
            day => format!("{} {clock}", day.format("%m-%d")),
        }
    }
}

/// The lines of a script. One that starts with `=>` or `|` continues the line before.
fn lines(script: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match lines.last_mut() {
            Some(last) if line.starts_with(['=', '|']) => *last = format!("{last} {line}"),
            _ => lines.push(line.into()),
        }
    }
    lines
}

/// The id of the run with this letter.
fn id(run: &str) -> String {
    match run {
        "-" => "00000000-0000-0000-0000-000000000000".into(),
        letter => format!("{:08x}-0000-4000-8000-000000000000", u32::from(letter.chars().next().unwrap())),
    }
}

fn letter(id: &str) -> String {
    let code = u32::from_str_radix(&id[..8], 16).unwrap();
    char::from_u32(code).unwrap().into()
}
