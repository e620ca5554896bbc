//! The order in which things came to be, and how they look in a trace.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, SecondsFormat, Utc};
use overdue::MemoryStore;
use overdue::event::{Event, Occurrence};
use overdue::id::{EnvironmentId, EnvironmentKey, IncidentId, RunId};
use overdue::rejection::RejectionReason;
use overdue::row::{Environment, Run, RunStatus};
use overdue::store::Transition;
use serde_json::{Value, json};

use super::Fallible;

#[derive(Default)]
pub(super) struct Ledger {
    /// With their order of creation.
    environments: HashMap<EnvironmentId, (usize, EnvironmentKey)>,
    /// In order of creation.
    incidents: Vec<(IncidentId, EnvironmentKey)>,
    /// With their order of creation and how they were last shown.
    runs: HashMap<RunId, (usize, Value)>,
    /// Runs that were made by messages with the all-zero id.
    generated: HashSet<RunId>,
}

impl Ledger {
    /// A message with the all-zero id was about this run: if it is new, the message made it.
    pub(super) fn expect_generated(&mut self, run: RunId) {
        if !self.runs.contains_key(&run) {
            self.generated.insert(run);
        }
    }

    pub(super) fn creation_of_environment(&self, commit: &Transition) -> Option<usize> {
        let environment = commit.environments.first()?;
        self.environments.get(&environment.row.id()).map(|(number, _)| *number)
    }

    pub(super) fn creation_of_run(&self, commit: &Transition) -> Option<(Option<DateTime<Utc>>, usize)> {
        let run = commit.runs.first()?.run();
        self.runs.get(&run.id()).map(|(number, _)| (run.timeout_at(), *number))
    }

    /// Takes down what an op has committed, and shows what it did and how everything stands.
    pub(super) fn outcome(&mut self, rows: &MemoryStore, errors: &[Value], commits: &[Transition]) -> Value {
        let mut checkins: Vec<(usize, Value)> = Vec::new();
        let mut events = Vec::new();
        for commit in commits {
            self.enter(commit);
            checkins.extend(commit.runs.iter().filter_map(|put| self.see(put.run())));
            events.extend(commit.events.iter().filter_map(show_event));
        }
        checkins.sort_by_key(|(number, _)| *number);
        let checkins: Vec<_> = checkins.into_iter().map(|(_, checkin)| checkin).collect();
        json!({
            "errors": errors,
            "events": events,
            "environments": show_environments(rows),
            "checkins": checkins,
            "incidents": self.show_incidents(rows),
        })
    }

    fn enter(&mut self, commit: &Transition) {
        for put in &commit.environments {
            let number = self.environments.len();
            self.environments.entry(put.row.id()).or_insert((number, put.row.key().clone()));
        }
        for incident in &commit.incidents {
            if self.incidents.iter().all(|(id, _)| *id != incident.id()) {
                let key = self.environments[&incident.environment()].1.clone();
                self.incidents.push((incident.id(), key));
            }
        }
    }

    /// A run that was written, if it looks different from before.
    fn see(&mut self, run: &Run) -> Option<(usize, Value)> {
        let shown = self.show_run(run);
        let number = self.runs.len();
        let (number, before) = self.runs.entry(run.id()).or_insert((number, Value::Null));
        if *before == shown {
            return None;
        }
        before.clone_from(&shown);
        Some((*number, shown))
    }

    fn show_run(&self, run: &Run) -> Value {
        let (_, key) = &self.environments[&run.environment()];
        let generated = self.generated.contains(&run.id());
        let named = !generated && run.status() != RunStatus::Missed;
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

    fn show_incidents(&self, rows: &MemoryStore) -> Vec<Value> {
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

fn show_environments(rows: &MemoryStore) -> Vec<Value> {
    let mut shown: Vec<(EnvironmentKey, Value)> = Vec::new();
    for monitor in rows.monitors() {
        for environment in rows.environments(monitor.key()) {
            let key = EnvironmentKey { monitor: monitor.key().clone(), name: environment.name().clone() };
            let deadline = environment.deadline();
            let value = json!({
                "project_id": key.monitor.project.get(),
                "slug": key.monitor.slug,
                "environment": key.name,
                "status": show_status(&environment),
                "muted": environment.is_muted(),
                "last_checkin": environment.last_checkin().map(show_time),
                "next_checkin": deadline.map(|deadline| show_time(deadline.expected())),
                "next_checkin_latest": deadline.map(|deadline| show_time(deadline.closes())),
            });
            shown.push((key, value));
        }
    }
    shown.sort_by(|(a, _), (b, _)| a.cmp(b));
    shown.into_iter().map(|(_, value)| value).collect()
}

/// The health of an environment, whether it is disabled or not.
fn show_status(environment: &Environment) -> &'static str {
    match environment.failing() {
        Some(failing) => failing.status(),
        None => environment.health().status().as_str(),
    }
}

fn show_event(event: &Event) -> Option<Value> {
    let show = |occurrence: &Occurrence| {
        json!({
            "kind": "incident_occurrence",
            "project_id": occurrence.monitor.key().project.get(),
            "slug": occurrence.monitor.key().slug,
            "environment": occurrence.environment,
            "checkin_statuses": occurrence.failing.iter().map(|run| run.status).collect::<Vec<_>>(),
            "incident_index": occurrence.incident.number(),
        })
    };
    match event {
        Event::IncidentOccurrence(occurrence) => Some(show(occurrence)),
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
pub(super) fn show_error(error: &RejectionReason) -> Fallible<Value> {
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
