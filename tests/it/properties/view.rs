//! What a reader can see of a store, and what must hold for its rows.

use std::collections::BTreeMap;

use overdue::id::EventId;
use overdue::testkit::strategies::places;
use overdue::{Event, MemoryStore};
use serde_json::Value;

/// Every row, whole, in a fixed order.
pub(super) fn rows(store: &MemoryStore) -> Value {
    let mut rows = serde_json::to_value(store).unwrap();
    for (table, key) in [("organizations", "/id"), ("monitors", "/row/key")] {
        let rows = rows[table].as_array_mut().unwrap();
        rows.sort_by_key(|row| row.pointer(key).unwrap().to_string());
    }
    rows
}

/// The rows without these fields, at any depth.
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

/// The rows without their versions, which no reader depends on.
pub(super) fn seen(store: &MemoryStore) -> Value {
    rows_without(store, &["version"])
}

pub(super) fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(Event::id).collect()
}

/// The ids of the events of each environment, in order.
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
        Event::Reference(told) => format!("{}/{}", told.monitor.key(), told.environment),
        Event::SamplingRequested { request, .. } => format!("{:?}", request.condition),
        Event::Rejected(_) => "refused".into(),
        other => panic!("{other:?}"),
    }
}

/// Checks what the trait cannot read: resolved incidents, and the numbers of rows.
pub(super) fn check_incidents(store: &MemoryStore) {
    for key in places() {
        let rows = store.environments(&key.monitor);
        let Some(environment) = rows.iter().find(|row| *row.name() == key.name) else { continue };
        let incidents = store.incidents(&key);
        let open: Vec<_> = incidents.iter().filter(|incident| incident.resolution().is_none()).collect();
        assert!(open.len() <= 1, "I1: {key} has {} open incidents", open.len());
        assert_eq!(open.first().copied(), environment.incident(), "I1, I2: {key}");
        assert_eq!(incidents.len(), environment.incidents() as usize, "{key}");
        assert_eq!(store.runs(&key).len(), environment.runs() as usize, "{key}");
        for incident in incidents {
            assert!(incident.started_at() <= incident.last_failure());
            let end = incident.resolution().map(|resolution| resolution.at);
            assert!(end.is_none_or(|end| end >= incident.last_failure()), "an incident ends after it began");
        }
    }
}
