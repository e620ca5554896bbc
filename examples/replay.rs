//! Replays check-ins and ticks against a policy and prints what would have happened.
//!
//! ```text
//! replay [--policy standard|sentry-2024] [--check] FILE...
//! ```
//!
//! A file holds traces, one JSON object a line: `{"name", "limits", "ops": [...]}`, and for `--check` the
//! recorded outcomes, `"expect": [...]`; `-` is standard input. One line a trace is written,
//! `{"name": ..., "expect": [...]}`. With `--check` the first difference of each differing trace and the
//! totals are printed instead, and the exit code is 1 if there is any. A trace is compared up to the first op
//! at which the recorded system crashed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::num::NonZeroU32;
use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, Utc};
use overdue::admission::RateKey;
use overdue::admission::RateLimiter;
use overdue::checkin::Payload;
use overdue::checkin::{Body, Message};
use overdue::clock::Tick;
use overdue::config::{ConfigError, ConfigUpdate};
use overdue::event::NoSink;
use overdue::event::{Event, Occurrence};
use overdue::id::{CheckinId, EnvironmentId, IncidentId, OrganizationId, ProjectId};
use overdue::key::{EnvironmentKey, EnvironmentName, MonitorKey, Slug};
use overdue::outcome::Outcome;
use overdue::refusal::ProcessingError;
use overdue::row::MonitorStatus;
use overdue::row::Run;
use overdue::rules::{Edit, EditRefused};
use overdue::store::{CommitError, Due, DueQuery, MonitorSnapshot};
use overdue::store::{MonitorChange, Transition};
use overdue::store::{Query, Snapshot};
use overdue::{AdminError, Engine, MemoryStore, Policy, Store};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const USAGE: &str = "usage: replay [--policy standard|sentry-2024] [--check] FILE... (- is standard input)";
const ORGANIZATION: OrganizationId = OrganizationId::new(1);

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(|arguments| arguments.run()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("replay: {error}");
            ExitCode::from(2)
        }
    }
}

struct Arguments {
    policy: Policy,
    check: bool,
    files: Vec<String>,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Fallible<Self> {
        let mut arguments = Self { policy: Policy::default(), check: false, files: Vec::new() };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--check" => arguments.check = true,
                "--policy" => arguments.policy = policy(&words.next().unwrap_or_default())?,
                "--help" => {
                    println!("{USAGE}");
                    std::process::exit(0);
                }
                word if word.starts_with("--") => {
                    return Err(format!("unknown option {word}; {USAGE}").into());
                }
                _ => arguments.files.push(word),
            }
        }
        if arguments.files.is_empty() { Err(USAGE.into()) } else { Ok(arguments) }
    }

    fn run(&self) -> Fallible<ExitCode> {
        let mut totals = Totals::default();
        let mut out = BufWriter::new(std::io::stdout().lock());
        for file in &self.files {
            let reader: Box<dyn BufRead> = match file.as_str() {
                "-" => Box::new(std::io::stdin().lock()),
                path => Box::new(BufReader::new(
                    std::fs::File::open(path).map_err(|error| format!("{path}: {error}"))?,
                )),
            };
            for (number, line) in reader
                .lines()
                .enumerate()
                .filter(|(_, line)| !matches!(line, Ok(line) if line.trim().is_empty()))
            {
                let place = |error| format!("{file}, line {}: {error}", number + 1);
                let trace: Trace = serde_json::from_str(&line?).map_err(|error| place(error.to_string()))?;
                let outcomes = Replay::new(&self.policy, &trace.limits)
                    .run(&trace.ops)
                    .map_err(|error| place(error.to_string()))?;
                if self.check {
                    totals.compare(&trace, &outcomes, &mut out)?;
                } else {
                    writeln!(out, "{}", json!({"name": trace.name, "expect": outcomes}))?;
                }
            }
        }
        if self.check {
            writeln!(out, "{} of {} traces equal, {} ops compared", totals.equal, totals.traces, totals.ops)?;
        }
        out.flush()?;
        Ok(if totals.equal == totals.traces { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn policy(name: &str) -> Fallible<Policy> {
    match name {
        "standard" => Ok(Policy::default()),
        "sentry-2024" => Ok(Policy::sentry_2024()),
        _ => Err(format!("unknown policy {name:?}: standard or sentry-2024").into()),
    }
}

#[derive(Deserialize)]
struct Trace {
    name: String,
    #[serde(default)]
    limits: TraceLimits,
    ops: Vec<Op>,
    #[serde(default)]
    expect: Vec<Value>,
}

#[derive(Default, Deserialize)]
struct TraceLimits {
    max_monitors: Option<u32>,
    max_environments_per_monitor: Option<u32>,
    rate_limit: Option<NonZeroU32>,
}

/// One op. A flat structure rather than an enum, so that payloads keep their text to the letter.
#[derive(Deserialize)]
struct Op {
    op: OpKind,
    at: Option<DateTime<Utc>>,
    #[serde(default)]
    project_id: u64,
    #[serde(default)]
    slug: String,
    environment: Option<String>,
    payload: Option<Box<RawValue>>,
    config: Option<Box<RawValue>>,
    #[serde(default)]
    muted: bool,
    #[serde(default)]
    disabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OpKind {
    Checkin,
    Tick,
    Mute,
    Disable,
    CreateMonitor,
}

/// A memory store that remembers what was committed.
#[derive(Default)]
struct Recorder {
    rows: MemoryStore,
    log: RefCell<Vec<Transition>>,
}

impl Store for Recorder {
    type Error = <MemoryStore as Store>::Error;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Self::Error> {
        self.rows.load(key, query)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Self::Error> {
        self.rows.load_monitor(key)
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Self::Error> {
        self.rows.due(query)
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Self::Error>> {
        self.rows.commit(transition)?;
        self.log.borrow_mut().push(transition.clone());
        Ok(())
    }
}

/// One trace on its way, and the order in which things came to be.
struct Replay {
    engine: Engine<Recorder, NoSink, Option<RateLimiter<RateKey>>>,
    /// The time of the op before, for ops that have none.
    now: DateTime<Utc>,
    environments: HashMap<EnvironmentId, (usize, EnvironmentKey)>,
    incidents: Vec<(IncidentId, EnvironmentKey)>,
    /// The runs by id, with their order of creation and how they were last shown.
    runs: HashMap<CheckinId, (usize, Value)>,
    /// Runs that were made by messages with the all-zero id.
    generated: Vec<CheckinId>,
}

impl Replay {
    fn new(policy: &Policy, limits: &TraceLimits) -> Self {
        let mut policy = policy.clone();
        policy.limits.monitors = limits.max_monitors;
        policy.limits.environments = limits.max_environments_per_monitor;
        let limiter = limits.rate_limit.map(RateLimiter::new);
        Self {
            engine: Engine::new(Recorder::default(), NoSink, policy).with_admission(limiter),
            now: DateTime::UNIX_EPOCH,
            environments: HashMap::new(),
            incidents: Vec::new(),
            runs: HashMap::new(),
            generated: Vec::new(),
        }
    }

    fn run(mut self, ops: &[Op]) -> Fallible<Vec<Value>> {
        ops.iter().map(|op| self.step(op)).collect()
    }

    fn step(&mut self, op: &Op) -> Fallible<Value> {
        self.now = op.at.unwrap_or(self.now);
        let mut errors = Vec::new();
        let mut commits = Vec::new();
        match op.op {
            OpKind::Checkin => {
                errors = self.checkin(op)?;
                commits = self.engine.store().log.take();
            }
            OpKind::Tick => {
                let tick = Tick::at(self.now);
                self.engine.check_missed(tick)?;
                let mut misses = self.engine.store().log.take();
                misses.sort_by_key(|commit| self.creation_of_environment(commit));
                self.engine.check_timeouts(tick)?;
                let mut timeouts = self.engine.store().log.take();
                timeouts.sort_by_key(|commit| self.creation_of_run(commit));
                commits.append(&mut misses);
                commits.append(&mut timeouts);
            }
            OpKind::CreateMonitor => {
                let config = op.config.as_ref().ok_or("a create_monitor without a config")?;
                errors = self.create(&self.monitor(op)?, config.get())?;
                self.engine.store().log.take();
            }
            OpKind::Mute | OpKind::Disable => {
                match self.engine.edit_monitor(&self.monitor(op)?, &edit(op)?, self.now) {
                    Ok(_) | Err(AdminError::Refused(_)) => {}
                    Err(error) => return Err(error.into()),
                }
                self.engine.store().log.take();
            }
        }
        Ok(self.outcome(errors, &commits))
    }

    fn monitor(&self, op: &Op) -> Fallible<MonitorKey> {
        Ok(MonitorKey { project: ProjectId::new(op.project_id), slug: Slug::normalize(&op.slug)? })
    }

    fn checkin(&mut self, op: &Op) -> Fallible<Vec<Value>> {
        let payload = op.payload.as_ref().ok_or("a checkin without a payload")?.get().as_bytes();
        let unnamed = Payload::from_json(payload)
            .is_ok_and(|payload| payload.run().is_ok_and(|run| run == overdue::checkin::RunRef::Newest));
        let message = Message {
            organization: ORGANIZATION,
            project: ProjectId::new(op.project_id),
            received_at: self.now,
            body: Body::Json(payload.to_vec()),
        };
        match self.engine.process_checkin(&message)? {
            Outcome::Accepted(accepted) => {
                if unnamed && !self.runs.contains_key(&accepted.checkin) {
                    self.generated.push(accepted.checkin);
                }
                Ok(Vec::new())
            }
            Outcome::Refused(refused) => refused.errors.iter().map(show_error).collect(),
            _ => Ok(Vec::new()),
        }
    }

    fn create(&self, key: &MonitorKey, config: &str) -> Fallible<Vec<Value>> {
        let config = match ConfigUpdate::from_json(config.as_bytes(), self.engine.policy().quirks) {
            Ok(update) => update.create(),
            Err(ConfigError::Invalid(errors)) => {
                return Ok(vec![show_error(&ProcessingError::MonitorInvalidConfig { errors })?]);
            }
            Err(_) => return Ok(Vec::new()),
        };
        match self.engine.create_monitor(ORGANIZATION, key, &config) {
            Err(AdminError::Refused(EditRefused::MonitorLimit { limit })) => {
                Ok(vec![show_error(&ProcessingError::MonitorLimitExceeded { limit })?])
            }
            other => other.map(|_| Vec::new()).map_err(Into::into),
        }
    }

    fn creation_of_environment(&self, commit: &Transition) -> Option<usize> {
        let environment = commit.environments.first()?;
        self.environments.get(&environment.row.id()).map(|(number, _)| *number)
    }

    fn creation_of_run(&self, commit: &Transition) -> Option<(Option<DateTime<Utc>>, usize)> {
        let run = commit.runs.first()?.run();
        self.runs.get(&run.id()).map(|(number, _)| (run.timeout_at(), *number))
    }

    fn outcome(&mut self, errors: Vec<Value>, commits: &[Transition]) -> Value {
        let mut checkins: Vec<(usize, Value)> = Vec::new();
        let mut events = Vec::new();
        for commit in commits {
            let monitor = match &commit.monitor {
                MonitorChange::Keep { key, .. } | MonitorChange::Remove { key, .. } => key,
                MonitorChange::Put(put) => put.row.key(),
            };
            for put in &commit.environments {
                let key = EnvironmentKey { monitor: monitor.clone(), name: put.row.name().clone() };
                let number = self.environments.len();
                self.environments.entry(put.row.id()).or_insert((number, key));
            }
            checkins.extend(commit.runs.iter().filter_map(|put| self.see_run(put.run())));
            for incident in &commit.incidents {
                if self.incidents.iter().all(|(id, _)| *id != incident.id()) {
                    let key = self.key(&incident.environment());
                    self.incidents.push((incident.id(), key));
                }
            }
            events.extend(commit.events.iter().filter_map(show_event));
        }
        checkins.sort_by_key(|(number, _)| *number);
        let checkins: Vec<_> = checkins.into_iter().map(|(_, checkin)| checkin).collect();
        json!({
            "errors": errors,
            "events": events,
            "environments": self.show_environments(),
            "checkins": checkins,
            "incidents": self.show_incidents(),
        })
    }

    fn key(&self, id: &EnvironmentId) -> EnvironmentKey {
        self.environments[id].1.clone()
    }

    /// A run that was written, if it looks different from before.
    fn see_run(&mut self, run: &Run) -> Option<(usize, Value)> {
        let shown = self.show_run(run);
        let number = self.runs.len();
        match self.runs.get_mut(&run.id()) {
            Some((_, before)) if *before == shown => None,
            Some((number, before)) => {
                *before = shown.clone();
                Some((*number, shown))
            }
            None => {
                self.runs.insert(run.id(), (number, shown.clone()));
                Some((number, shown))
            }
        }
    }

    fn show_run(&self, run: &Run) -> Value {
        let key = self.key(&run.environment());
        let generated = self.generated.contains(&run.id());
        let named = !generated && run.status() != overdue::row::RunStatus::Missed;
        let mut shown = json!({
            "project_id": key.monitor.project.get(),
            "slug": key.monitor.slug,
            "environment": key.name,
            "check_in_id": named.then(|| run.id()),
            "status": run.status(),
            "date_added": show_time(run.started_at()),
            "expected_time": run.expected_at().map(show_time),
            "timeout_at": run.timeout_at().map(show_time),
            "duration_ms": run.duration(),
        });
        if generated {
            shown["generated"] = json!(true);
        }
        shown
    }

    fn show_environments(&self) -> Vec<Value> {
        let rows = &self.engine.store().rows;
        let mut shown: Vec<(EnvironmentKey, Value)> = Vec::new();
        for monitor in rows.monitors() {
            for environment in rows.environments(monitor.key()) {
                let key = EnvironmentKey { monitor: monitor.key().clone(), name: environment.name().clone() };
                let value = json!({
                    "project_id": key.monitor.project.get(),
                    "slug": key.monitor.slug,
                    "environment": key.name,
                    // Health, whether the monitor is disabled or not.
                    "status": environment.health().status(),
                    "muted": environment.is_muted(),
                    "last_checkin": environment.last_checkin().map(show_time),
                    "next_checkin": environment.deadline().map(|deadline| show_time(deadline.next())),
                    "next_checkin_latest": environment.deadline().map(|deadline| show_time(deadline.latest())),
                });
                shown.push((key, value));
            }
        }
        shown.sort_by(|(a, _), (b, _)| a.cmp(b));
        shown.into_iter().map(|(_, value)| value).collect()
    }

    fn show_incidents(&self) -> Vec<Value> {
        let rows = &self.engine.store().rows;
        let incident = |(id, key): &(IncidentId, EnvironmentKey)| {
            let incidents = rows.incidents(key);
            let incident = incidents.iter().find(|incident| incident.id() == *id)?;
            Some(json!({
                "project_id": key.monitor.project.get(),
                "slug": key.monitor.slug,
                "environment": key.name,
                "starting_timestamp": show_time(incident.started_at()),
                "starting_status": incident.first().status,
                "resolving_timestamp": incident.resolution().map(|resolution| show_time(resolution.at)),
            }))
        };
        self.incidents.iter().filter_map(incident).collect()
    }
}

fn edit(op: &Op) -> Fallible<Edit> {
    Ok(match (&op.op, &op.environment) {
        (OpKind::Disable, _) if op.disabled => Edit::Status(MonitorStatus::Disabled),
        (OpKind::Disable, _) => Edit::Status(MonitorStatus::Active),
        (_, Some(name)) => Edit::EnvironmentMuted(EnvironmentName::try_from(name.clone())?, op.muted),
        (_, None) => Edit::Muted(op.muted),
    })
}

fn show_event(event: &Event) -> Option<Value> {
    let show = |kind: &str, occurrence: &Occurrence| {
        json!({
            "kind": kind,
            "project_id": occurrence.monitor.key().project.get(),
            "slug": occurrence.monitor.key().slug,
            "environment": occurrence.environment,
            "checkin_statuses": occurrence.failing.iter().map(|run| run.status).collect::<Vec<_>>(),
            "incident_index": occurrence.incident.number(),
        })
    };
    match event {
        Event::IncidentOccurrence(occurrence) => Some(show("incident_occurrence", occurrence)),
        Event::IncidentResolved(recovery) => Some(json!({
            "kind": "incident_resolved",
            "project_id": recovery.monitor.key().project.get(),
            "slug": recovery.monitor.key().slug,
            "environment": recovery.environment,
            "incident_index": recovery.incident.number(),
        })),
        _ => None,
    }
}

/// A processing error with the fields that traces record.
fn show_error(error: &ProcessingError) -> Fallible<Value> {
    let mut shown = serde_json::to_value(error)?;
    if let Value::Object(fields) = &mut shown {
        let recorded = ["type", "existingEnvironment", "guid", "duration", "errors"];
        fields.retain(|field, _| recorded.contains(&field.as_str()));
    }
    Ok(shown)
}

/// RFC 3339 in UTC, with six digits of microseconds when they are not all zero.
fn show_time(at: DateTime<Utc>) -> String {
    let whole = at.timestamp_subsec_micros() == 0;
    at.to_rfc3339_opts(if whole { SecondsFormat::Secs } else { SecondsFormat::Micros }, true)
}

#[derive(Default)]
struct Totals {
    traces: usize,
    equal: usize,
    ops: usize,
}

impl Totals {
    fn compare(&mut self, trace: &Trace, outcomes: &[Value], out: &mut impl Write) -> Fallible<()> {
        self.traces += 1;
        if trace.expect.len() != trace.ops.len() {
            writeln!(out, "{}: {} ops and {} outcomes", trace.name, trace.ops.len(), trace.expect.len())?;
            return Ok(());
        }
        for (index, (recorded, outcome)) in trace.expect.iter().zip(outcomes).enumerate() {
            if recorded.get("reference_crashes").is_some() {
                break;
            }
            self.ops += 1;
            for field in ["errors", "events", "environments", "checkins", "incidents"] {
                let (recorded, outcome) = (without_texts(&recorded[field]), without_texts(&outcome[field]));
                if recorded != outcome {
                    writeln!(out, "{}, op {index}, {field}:", trace.name)?;
                    writeln!(out, "  recorded {recorded}\n  outcome  {outcome}")?;
                    return Ok(());
                }
            }
        }
        self.equal += 1;
        Ok(())
    }
}

/// Of the `errors` of validations the names of the fields are compared, not the texts.
fn without_texts(value: &Value) -> Value {
    fn blank(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), blank(value))).collect()
            }
            _ => Value::Null,
        }
    }
    match value {
        Value::Array(items) => items.iter().map(without_texts).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let value = if name == "errors" { blank(value) } else { value.clone() };
                (name.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}
