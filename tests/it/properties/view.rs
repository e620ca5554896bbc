//! What a reader can see of a store, and what must hold of its rows.

use std::collections::{BTreeMap, HashSet};

use chrono::{TimeDelta, Timelike};
use overdue::id::{CheckinId, EnvironmentId, EventId, IncidentId};
use overdue::key::EnvironmentKey;
use overdue::outcome::Outcome;
use overdue::row::{Environment, EnvironmentStatus, Health, Incident, Run, RunStatus};
use overdue::{Event, MemoryStore};
use serde_json::Value;

use super::history::{Answer, places};

/// Every row, whole, in an order of its own.
pub(super) fn rows(store: &MemoryStore) -> Value {
    let mut rows = serde_json::to_value(store).unwrap();
    for (table, key) in [("organizations", "/id"), ("monitors", "/row/key")] {
        let rows = rows[table].as_array_mut().unwrap();
        rows.sort_by_key(|row| row.pointer(key).unwrap().to_string());
    }
    rows
}

/// The rows without these fields, wherever they stand.
pub(super) fn rows_without(store: &MemoryStore, fields: &[&str]) -> Value {
    fn strip(value: &mut Value, fields: &[&str]) {
        match value {
            Value::Object(map) => {
                map.retain(|name, _| !fields.contains(&name.as_str()));
                map.values_mut().for_each(|value| strip(value, fields));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| strip(item, fields)),
            _ => {}
        }
    }
    let mut rows = rows(store);
    strip(&mut rows, fields);
    rows
}

/// The rows but for how often they were written, which no reader goes by.
pub(super) fn seen(store: &MemoryStore) -> Value {
    rows_without(store, &["version"])
}

pub(super) fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(Event::id).collect()
}

/// What was told of each environment, in order.
pub(super) fn ids_by_environment(events: &[Event]) -> BTreeMap<String, Vec<EventId>> {
    let mut told: BTreeMap<String, Vec<EventId>> = BTreeMap::new();
    for event in events {
        told.entry(subject(event)).or_default().push(event.id());
    }
    told
}

fn subject(event: &Event) -> String {
    match event {
        Event::IncidentOpened(told) | Event::IncidentOccurrence(told) => {
            format!("{}/{}", told.monitor.key(), told.environment)
        }
        Event::IncidentResolved(told) => format!("{}/{}", told.monitor.key(), told.environment),
        Event::Failure(told) => format!("{}/{}", told.monitor.key(), told.environment),
        Event::SamplingRequested { request, .. } => format!("{:?}", request.condition),
        Event::Refused(_) => "refused".into(),
        other => panic!("{other:?}"),
    }
}

/// Holds the rows to the invariants, step after step.
#[derive(Debug, Default)]
pub(super) struct Watch {
    finished: BTreeMap<CheckinId, RunStatus>,
    announced: BTreeMap<EnvironmentId, Option<IncidentId>>,
    told: HashSet<EventId>,
}

impl Watch {
    pub(super) fn check(&mut self, store: &MemoryStore, answer: &Answer, events: &[Event]) {
        for key in places() {
            let rows = store.environments(&key.monitor);
            if let Some(environment) = rows.iter().find(|row| *row.name() == key.name) {
                self.check_environment(store, &key, environment);
            }
        }
        if let Answer::Checkin(Outcome::Refused(_)) = answer {
            assert!(matches!(events, [Event::Refused(_)]), "a refusal is told, and nothing else");
        }
        events.iter().for_each(|event| self.check_event(event));
    }

    fn check_environment(&mut self, store: &MemoryStore, key: &EnvironmentKey, environment: &Environment) {
        let incidents = store.incidents(key);
        let open: Vec<_> = incidents.iter().filter(|incident| incident.resolution().is_none()).collect();
        assert!(open.len() <= 1, "I1: {key} has {} open incidents", open.len());
        assert_eq!(open.first().copied(), environment.incident(), "I1, I2: {key}");
        let failing = environment.health().status() == EnvironmentStatus::Error;
        assert_eq!(failing, environment.incident().is_some(), "I2: {key}");
        assert!(matches!(environment.health(), Health::Active | Health::Ok | Health::Error(_)), "I2: {key}");
        assert_eq!(incidents.len(), environment.incidents() as usize, "{key}");
        incidents.iter().for_each(|incident| check_incident(incident));
        if let Some(deadline) = environment.deadline() {
            let (next, latest) = (deadline.next(), deadline.latest());
            assert!(next < latest, "I6: {key}");
            for time in [next, latest] {
                assert_eq!((time.second(), time.nanosecond()), (0, 0), "I6: {key}");
            }
        }
        let runs = store.runs(key);
        assert_eq!(runs.len(), environment.runs() as usize, "{key}");
        runs.iter().for_each(|run| self.check_run(run));
    }

    fn check_run(&mut self, run: &Run) {
        assert_eq!(run.due_at().is_some(), run.status() == RunStatus::InProgress);
        if let Some(before) = self.finished.get(&run.id()) {
            assert_eq!(*before, run.status(), "I5: {}", run.id());
        }
        if run.status().is_result() {
            self.finished.insert(run.id(), run.status());
        }
    }

    fn check_event(&mut self, event: &Event) {
        // Whoever receives an event twice tells it by its id: so two events never share one.
        if !matches!(event, Event::Refused(_)) {
            assert!(self.told.insert(event.id()), "told twice: {event:?}");
        }
        match event {
            Event::IncidentOpened(told) => {
                let open = self.announced.entry(told.incident.environment()).or_default();
                assert_eq!(open.replace(told.incident.id()), None, "I1: opened while open");
            }
            Event::IncidentOccurrence(told) => {
                let open = self.announced.get(&told.incident.environment()).copied().flatten();
                assert_eq!(open, Some(told.incident.id()), "an occurrence belongs to what was announced");
            }
            Event::IncidentResolved(told) => {
                let open = self.announced.entry(told.incident.environment()).or_default();
                assert_eq!(open.take(), Some(told.incident.id()), "I1: resolved what was announced");
            }
            _ => {}
        }
    }
}

fn check_incident(incident: &Incident) {
    assert!(incident.started_at() <= incident.last_failure());
    if let Some(resolution) = incident.resolution() {
        assert!(incident.started_at() <= resolution.at, "an incident ends after it began");
        assert!(resolution.at.signed_duration_since(incident.last_failure()) >= TimeDelta::zero());
    }
}
