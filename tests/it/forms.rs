//! Later releases read what a release writes. `tests/vectors/forms` holds one file for each release, with one
//! line for each shape that a row, an event or another stored value takes. A changed form needs a new
//! release: keep the old file, and add one with `OVERDUE_FORMS=write cargo test --test it forms`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use overdue::clock::{Clock, PartitionId};
use overdue::config::ConfigUpdate;
use overdue::id::{EnvironmentKey, MonitorKey, Owner};
use overdue::policy::{IncidentSampling, Quirk, Quirks, SamplingPolicy};
use overdue::rejection::{RejectionLog, RejectionReason};
use overdue::row::{Environment, Incident, Monitor, MonitorStatus, Organization, Run, RunDuration};
use overdue::rules::Edit;
use overdue::sampling::{self, MemorySamplingStore, SamplingLimits};
use overdue::schedule::{Dialect, Unit};
use overdue::wire::Body;
use overdue::{Event, MemoryStore, Message, Policy, Schedule, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{Fixture, at, checkin, hourly, keeping, message, named, zone};

/// This release.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Everything that is stored, or sent to where it may be stored, and how to read it back.
const TYPES: [(&str, Reread); 16] = [
    ("clock", reread::<Clock>),
    ("environment", reread::<Environment>),
    ("environment_key", reread::<EnvironmentKey>),
    ("error_log", reread::<RejectionLog<Message>>),
    ("event", reread::<Event>),
    ("incident", reread::<Incident>),
    ("memory_store", reread::<MemoryStore>),
    ("message", reread::<Message>),
    ("monitor", reread::<Monitor>),
    ("monitor_key", reread::<MonitorKey>),
    ("organization", reread::<Organization>),
    ("policy", reread::<Policy>),
    ("processing_error", reread::<RejectionReason>),
    ("run", reread::<Run>),
    ("sampling_store", reread::<MemorySamplingStore>),
    ("schedule", reread::<Schedule>),
];

/// Reads a form, and writes the result.
type Reread = fn(&Value) -> Value;

fn reread<T: DeserializeOwned + Serialize>(form: &Value) -> Value {
    let read = serde_json::from_str::<T>(&form.to_string()).unwrap_or_else(|error| panic!("{error}: {form}"));
    serde_json::to_value(read).unwrap()
}

fn directory() -> PathBuf {
    Path::new("tests/vectors/forms").to_owned()
}

fn lines(path: &Path) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| match serde_json::from_str(line).unwrap() {
            Value::Object(line) if line.len() == 1 => line.into_iter().next().unwrap(),
            other => panic!("{other}"),
        })
        .collect()
}

#[test]
fn every_release_is_read() {
    let mut releases = 0;
    for file in std::fs::read_dir(directory()).unwrap() {
        let path = file.unwrap().path();
        for (name, form) in lines(&path) {
            let (_, reread) = TYPES.iter().find(|(known, _)| *known == name).unwrap();
            let again = reread(&form);
            // An old form is written in today's form, which is read again.
            assert_eq!(reread(&again), again, "{name} of {path:?}");
        }
        releases += 1;
    }
    assert!(releases > 0);
}

/// Every name and number on file is what is written today.
#[test]
fn this_release_writes_what_is_on_file() {
    let path = directory().join(format!("{RELEASE}.jsonl"));
    let forms = Forms::of_today();
    if std::env::var_os("OVERDUE_FORMS").is_some_and(|wish| wish == "write") {
        let text: String =
            forms.0.iter().map(|(shape, form)| format!("{}\n", json!({shape.name: form}))).collect();
        return std::fs::write(path, text).unwrap();
    }
    let on_file: Vec<_> = lines(&path);
    assert_eq!(on_file.len(), forms.0.len(), "shapes on file, and today");
    for ((name, form), (shape, today)) in on_file.into_iter().zip(&forms.0) {
        assert_eq!((name.as_str(), &form), (shape.name, today));
    }
}

#[test]
fn every_type_is_on_file() {
    let forms = Forms::of_today();
    for (name, reread) in TYPES {
        let mut shapes = forms.0.iter().filter(|(shape, _)| shape.name == name).peekable();
        assert!(shapes.peek().is_some(), "no {name}");
        for (_, form) in shapes {
            assert_eq!(reread(form), *form, "what is written is read alike");
        }
    }
    let events = forms.0.keys().filter(|shape| shape.name == "event");
    assert!(events.count() >= 6, "one of each kind of event");
}

/// The names in a value, at any depth, and the words of its variants: one value for each shape is enough.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
struct Shape {
    name: &'static str,
    outline: String,
}

/// Keeps names and variants, and makes all other texts and numbers the same.
fn outline(form: &Value) -> String {
    match form {
        Value::Object(map) => {
            let tags = ["status", "health", "kind", "type", "unit", "reason", "watch"];
            let entries = map.iter().map(|(name, value)| match value {
                Value::String(word) if tags.contains(&name.as_str()) => format!("{name}={word}"),
                value => format!("{name}:{}", outline(value)),
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let kinds: BTreeSet<_> = items.iter().map(outline).collect();
            format!("[{}]", Vec::from_iter(kinds).join(","))
        }
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "text".into(),
    }
}

#[derive(Default)]
struct Forms(BTreeMap<Shape, Value>);

impl Forms {
    fn of_today() -> Self {
        let mut forms = Self::default();
        for policy in policies() {
            forms.add("policy", &policy);
            let mut diary =
                Diary { fixture: Fixture::new(policy), forms: &mut forms, log: RejectionLog::new() };
            diary.write();
        }
        for error in refusals() {
            forms.add("processing_error", &error);
        }
        let mut clock = Clock::new();
        forms.add("clock", &clock);
        clock.register(PartitionId::new(1));
        let _ = clock.observe(PartitionId::new(2), at("10:00"));
        forms.add("clock", &clock);
        let _ = clock.observe(PartitionId::new(1), at("10:01"));
        forms.add("clock", &clock);
        let yearly = Schedule::every(NonZeroU32::MIN, Unit::Year, zone("Asia/Kolkata")).unwrap();
        forms.add("schedule", &yearly);
        let of_celery = Schedule::in_dialect("0 2 * * *", Dialect::CELERY, zone("Asia/Kolkata"));
        forms.add("schedule", &of_celery.unwrap());
        forms
    }

    fn add(&mut self, name: &'static str, value: &impl Serialize) {
        let form = serde_json::to_value(value).unwrap();
        self.0.entry(Shape { name, outline: outline(&form) }).or_insert(form);
    }
}

/// The standard profile with everything that can be sampled; the reference; and the mode without incidents.
fn policies() -> [Policy; 4] {
    let mut asking = Policy::default();
    asking.sampling = SamplingPolicy::OnIncident(IncidentSampling::default());
    asking.limits.monitors = Some(500);
    let legacy = Quirks::NONE.with(Quirk::NoIncidents).with(Quirk::DisabledMonitorsTimeOut);
    [Policy::default(), asking, Policy::sentry_2024(), keeping(legacy)]
}

/// The reasons that need more of a host than this diary has.
fn refusals() -> [RejectionReason; 9] {
    [
        RejectionReason::CheckinInvalidDuration { duration: TimeDelta::MAX },
        RejectionReason::CheckinInvalidGuid,
        RejectionReason::MonitorDisabledNoQuota,
        RejectionReason::MonitorInvalidEnvironment { reason: "it has a slash".into() },
        RejectionReason::MonitorLimitExceeded { limit: 500 },
        RejectionReason::MonitorOverQuota,
        RejectionReason::MonitorEnvironmentLimitExceeded { limit: 3 },
        RejectionReason::MonitorEnvironmentRatelimited,
        RejectionReason::OrganizationKillswitchEnabled,
    ]
}

/// Two days on which everything happens, and all that was stored on the way.
struct Diary<'a> {
    fixture: Fixture,
    forms: &'a mut Forms,
    log: RejectionLog<Message>,
}

impl Diary<'_> {
    fn write(&mut self) {
        self.fixture.create("job", &hourly(2, 2)).unwrap();
        let full = checkin("job", 1, "in_progress").with_release("1.2.3").with_trace_id(Uuid::from_u128(77));
        let long = checkin("job", 1, "ok").with_duration(RunDuration::new(61_001).unwrap());
        let update = ConfigUpdate::new(Schedule::crontab("*/5 2 * * 1#2", zone("Europe/Berlin")).unwrap());
        self.send("2024-09-02T10:00:00.000000001Z", full);
        self.send("10:01", long);
        self.send("10:02", checkin("job", 0, "in_progress"));
        self.send("10:03", checkin("job", 0, "error"));
        self.tick("11:30");
        self.send("11:40", checkin("job", 4, "in_progress").with_environment(named("dev")));
        self.edit("11:41", Edit::EnvironmentMuted(named("dev"), true));
        self.tick("12:30");
        self.send("12:40", checkin("job", 5, "ok"));
        self.send("12:41", checkin("job", 6, "ok"));
        self.send("12:42", checkin("job", 7, "in_progress"));
        self.send("12:43", checkin("job", 6, "error"));
        self.send("12:43", checkin("job", 6, "ok").with_environment(named("dev")));
        self.send("12:43", checkin("missing", 9, "ok"));
        self.send("12:43", b"no JSON".to_vec());
        self.send(
            "12:43",
            br#"{"check_in_id": "", "monitor_slug": "job", "status": "done", "duration": -1}"#.to_vec(),
        );
        self.send(
            "12:43",
            br#"{"check_in_id": "1", "monitor_slug": "job", "status": "done", "duration": -1}"#.to_vec(),
        );
        self.edit("12:44", Edit::Owner(Some(Owner::Team(7))));
        self.edit("12:44", Edit::Muted(true));
        self.edit("12:44", Edit::EnvironmentEnabled(named("dev"), false));
        self.edit("12:45", Edit::Status(MonitorStatus::Disabled));
        self.tick("13:00");
        self.send("13:01", checkin("job", 8, "ok"));
        self.edit("13:02", Edit::Status(MonitorStatus::Active));
        self.edit("13:03", Edit::Owner(Some(Owner::User(1))));
        self.send("2024-09-03T09:00:00Z", checkin("job", 10, "error"));
        self.send("2024-09-03T08:00:00Z", checkin("job", 11, "ok"));
        self.edit("2024-09-03T10:00:00Z", Edit::Status(MonitorStatus::Deleting));
        self.forms.add("error_log", &self.log);
        self.forms.add("memory_store", self.fixture.store());
        // Another monitor sorts after that one: a saved store has its monitors in no particular order.
        self.send("2024-09-03T11:00:00Z", checkin("other", 12, "ok").with_config(update));
    }

    fn send(&mut self, received: &str, body: impl Into<Body>) {
        let message = message(received, body);
        self.forms.add("message", &message);
        self.fixture.engine.process_checkin(&message).unwrap();
        self.keep();
    }

    fn tick(&mut self, when: &str) {
        self.fixture.tick(when);
        self.keep();
    }

    fn edit(&mut self, when: &str, edit: Edit) {
        self.fixture.edit(when, &edit);
        self.keep();
    }

    fn keep(&mut self) {
        let Self { fixture, forms, log } = self;
        let store = fixture.store();
        for monitor in store.monitors() {
            forms.add("monitor", &*monitor);
            forms.add("monitor_key", monitor.key());
            forms.add("schedule", monitor.config().schedule());
            let snapshot = store.load_monitor(monitor.key()).unwrap().unwrap();
            forms.add("organization", &snapshot.organization);
            for environment in snapshot.environments {
                forms.add("environment_key", environment.key());
                store.runs(environment.key()).iter().for_each(|run| forms.add("run", run));
                let incidents = store.incidents(environment.key());
                incidents.iter().for_each(|incident| forms.add("incident", &**incident));
                forms.add("environment", &environment);
            }
        }
        for event in fixture.told() {
            match &event {
                Event::Rejected(refusal) => {
                    refusal.errors.iter().for_each(|error| forms.add("processing_error", error));
                    log.record(refusal.owner(), refusal.entry());
                }
                Event::SamplingRequested { request, .. } => {
                    let rules = MemorySamplingStore::new();
                    forms.add("sampling_store", &rules);
                    sampling::upsert(&rules, request, &SamplingLimits::default(), request.start).unwrap();
                    forms.add("sampling_store", &rules);
                }
                _ => {}
            }
            forms.add("event", &event);
        }
    }
}
