//! What alerts say, and when sampling is requested.
#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex, mpsc};

use chrono::TimeDelta;
use overdue::event::{NoSink, Occurrence, Recovery, Rejection};
use overdue::id::Owner;
use overdue::row::{RunDuration, RunStatus};
use overdue::rules::Edit;
use overdue::sampling::{
    Condition, IncidentSampling, MemorySamplingStore, SampleRate, SamplingLimits, SamplingPolicy,
    SamplingSink, SamplingStore, Upserted,
};
use overdue::wire::Body;
use overdue::{Engine, Event, EventSink, MemoryStore, Policy};
use uuid::Uuid;

use crate::fixture::{
    Fixture, ORGANIZATION, PROJECT, Told, at, checkin, hourly, message, monitor, named, place, run_id,
};

fn opened(event: Event) -> Occurrence {
    match event {
        Event::IncidentOpened(occurrence) => occurrence,
        other => panic!("{other:?}"),
    }
}

fn occurrence(event: Event) -> Occurrence {
    match event {
        Event::IncidentOccurrence(occurrence) => occurrence,
        other => panic!("{other:?}"),
    }
}

fn resolved(event: Event) -> Recovery {
    match event {
        Event::IncidentResolved(recovery) => recovery,
        other => panic!("{other:?}"),
    }
}

/// The reason in the alert that these runs cause; `timeout` and `missed` come from the clock.
fn reason(runs: &[&str]) -> String {
    let threshold = u32::try_from(runs.len()).unwrap();
    let fixture = Fixture::with(&hourly(threshold, 1));
    for (hour, run) in (10_u32..).zip(runs) {
        let number = u128::from(hour);
        match *run {
            "missed" => drop(fixture.tick(&format!("{hour}:05"))),
            "timeout" => {
                fixture.accepted(&format!("{hour}:00"), number, "in_progress");
                fixture.tick(&format!("{hour}:10"));
            }
            status => drop(fixture.accepted(&format!("{hour}:00"), number, status)),
        }
    }
    opened(fixture.told().remove(0)).reason().to_string()
}

#[test]
fn an_alert_counts_the_failures_by_kind() {
    assert_eq!(reason(&["error"]), "1 failed run");
    assert_eq!(reason(&["error", "missed"]), "1 failed run and 1 missed run");
    assert_eq!(reason(&["timeout", "missed", "missed"]), "1 timed-out run and 2 missed runs");
    assert_eq!(reason(&["error", "timeout", "missed"]), "1 failed run, 1 timed-out run and 1 missed run");
    assert_eq!(reason(&["error", "missed", "error", "error"]), "3 failed runs and 1 missed run");
    assert_eq!(reason(&["timeout", "timeout"]), "2 timed-out runs");
    assert_eq!(reason(&["error", "error", "error", "error"]), "4 failed runs");
}

#[test]
fn an_alert_carries_what_it_takes_to_understand_it() {
    let fixture = Fixture::with(&hourly(2, 1));
    fixture.edit("09:00", &Edit::Owner(Some(Owner::Team(3))));
    fixture.accepted("10:00", 1, "ok");
    fixture.accepted("11:00", 2, "error");
    assert_eq!(fixture.told(), [], "one of two failures");
    fixture.send("12:00", checkin("job", 3, "error").with_trace_id(Uuid::from_u128(9)));

    let told = fixture.told();
    assert_eq!(told.len(), 3);
    let alert = opened(told[0].clone());
    assert_eq!(alert.monitor, fixture.monitor());
    assert_eq!(alert.monitor.owner(), Some(Owner::Team(3)));
    assert_eq!(alert.environment, named("production"));
    assert_eq!(
        alert.failing.iter().map(|run| run.id).collect::<Vec<_>>(),
        [run_id(2), run_id(3)],
        "oldest first"
    );
    assert_eq!(alert.last_ok.map(|run| (run.id, run.started_at)), Some((run_id(1), at("10:00"))));
    assert_eq!(alert.trace_id, Some(Uuid::from_u128(9)));
    assert_eq!(alert.run.id, run_id(3), "the run that brought it about");
    assert_eq!((alert.incident.started_at(), alert.incident.first().id), (at("11:00"), run_id(2)));
    assert!(alert.incident.is_announced());
    assert_eq!(alert.incident.resolution(), None);

    // Then the runs one by one, each with the whole list.
    let each = told[1..].iter().cloned().map(occurrence).collect::<Vec<_>>();
    assert_eq!(each.iter().map(|told| told.run.id).collect::<Vec<_>>(), [run_id(2), run_id(3)]);
    assert!(each.iter().all(|told| told.failing == alert.failing && told.incident == alert.incident));
    let ids: HashSet<_> = told.iter().map(Event::id).collect();
    assert_eq!(ids.len(), 3);

    // A further failure is reported alone.
    fixture.tick("13:05");
    let next = occurrence(fixture.told().remove(0));
    assert_eq!(next.failing.iter().map(|run| run.status).collect::<Vec<_>>(), [RunStatus::Missed]);
    assert_eq!(next.reason().to_string(), "1 missed run");
    assert_eq!(next.last_ok.map(|run| run.id), Some(run_id(1)));
    assert_eq!(next.trace_id, None);
    assert_eq!(next.incident.id(), alert.incident.id());
    assert_eq!(next.incident.last_failure(), at("13:00"));

    fixture.accepted("14:00", 4, "ok");
    let end = resolved(fixture.told().remove(0));
    assert_eq!(end.incident.id(), alert.incident.id());
    assert_eq!((end.resolution.run, end.resolution.at), (run_id(4), at("14:00")));
    assert_eq!(end.incident.resolution(), Some(end.resolution));
}

#[test]
fn an_incident_under_a_mute_is_announced_when_the_mute_is_lifted() {
    let fixture = Fixture::with(&hourly(2, 1));
    fixture.accepted("09:00", 9, "ok");
    fixture.edit("09:30", &Edit::EnvironmentMuted(named("production"), true));
    for (received, run) in [("10:00", 1), ("11:00", 2), ("12:00", 3)] {
        fixture.accepted(received, run, "error");
    }
    assert_eq!(fixture.told(), []);
    assert!(!fixture.environment().incident().unwrap().is_announced());

    fixture.edit("12:30", &Edit::EnvironmentMuted(named("production"), false));
    assert_eq!(fixture.told(), [], "with the next failure, not before");
    fixture.accepted("13:00", 4, "error");
    let [first, second] = fixture.told().try_into().unwrap();
    let (first, second) = (opened(first), occurrence(second));
    assert_eq!((first.run.id, second.run.id), (run_id(4), run_id(4)));
    assert_eq!(first.incident.started_at(), at("10:00"), "it began long ago");
    assert_ne!(first.id, second.id);

    fixture.accepted("14:00", 5, "error");
    occurrence(fixture.told().remove(0));
    fixture.accepted("15:00", 6, "ok");
    resolved(fixture.told().remove(0));
}

#[test]
fn events_are_stored_and_read_back() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "error");
    fixture.accepted("11:00", 2, "ok");
    fixture.rejected("12:00", checkin("nobody", 3, "ok").with_duration(RunDuration::new(1_005).unwrap()));
    fixture.rejected("12:00", b"\xff not JSON".to_vec());
    let told = fixture.told();
    assert_eq!(told.len(), 5);
    for event in &told[..4] {
        let stored = serde_json::to_string(event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&stored).unwrap(), *event);
    }
    let Event::Rejected(rejection) = &told[4] else { panic!("{told:?}") };
    let stored = serde_json::to_string(rejection).unwrap();
    let read: Rejection = serde_json::from_str(&stored).unwrap();
    assert_eq!(read.id, rejection.id);
    assert_eq!(
        read.message.body,
        Body::from("\u{fffd} not JSON".as_bytes().to_vec()),
        "what is no text cannot be stored as it was"
    );
    let stored = serde_json::to_value(&told[0]).unwrap();
    assert_eq!(stored["kind"], "incident_opened");
}

/// The standard profile, and a sampling policy.
fn sampled(sampling: SamplingPolicy) -> Policy {
    let mut policy = Policy::default();
    policy.sampling = sampling;
    policy
}

#[test]
fn sampling_is_asked_for_once_an_incident_if_the_policy_says_so() {
    let sampling = IncidentSampling { rate: SampleRate::ALL, max_samples: 50, period: TimeDelta::hours(2) };
    let fixture = Fixture::new(sampled(SamplingPolicy::OnIncident(sampling)));
    fixture.create("job", &hourly(1, 1)).unwrap();
    fixture.accepted("10:00", 1, "error");
    fixture.accepted("11:00", 2, "error");
    let requests = |fixture: &Fixture| -> Vec<_> {
        let request = |event| match event {
            Event::SamplingRequested { request, .. } => Some(request),
            _ => None,
        };
        fixture.told().into_iter().filter_map(request).collect()
    };
    let [request] = requests(&fixture).try_into().unwrap();
    assert_eq!(request.organization, ORGANIZATION);
    assert_eq!(request.projects, [PROJECT].into());
    assert_eq!(request.condition, Condition::of_monitor("job", "production"));
    assert_eq!((request.start, request.end), (at("10:00"), at("12:00")));
    assert_eq!((request.max_samples, request.rate), (50, SampleRate::ALL));

    // Samples alert nobody: a mute does not stop them.
    fixture.accepted("12:00", 3, "ok");
    fixture.edit("12:01", &Edit::Muted(true));
    fixture.accepted("13:00", 4, "error");
    assert_eq!(requests(&fixture).len(), 1);
}

#[test]
fn nobody_asks_for_samples_unless_told_to() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "error");
    assert!(fixture.told().iter().all(|event| !matches!(event, Event::SamplingRequested { .. })));
}

#[test]
fn a_sampling_sink_keeps_the_rules() {
    let rules = Arc::new(MemorySamplingStore::new());
    let reports: Arc<Mutex<Vec<Upserted>>> = Arc::default();
    let told = Told::default();
    let report = {
        let reports = Arc::clone(&reports);
        move |_: &_, result: Result<Upserted, _>| reports.lock().unwrap().push(result.unwrap())
    };
    let sampling = SamplingSink::new(Arc::clone(&rules), SamplingLimits::default(), report);
    let policy = sampled(SamplingPolicy::OnIncident(IncidentSampling::default()));
    let engine = Engine::new(MemoryStore::new(), policy).with_sink((sampling, Arc::clone(&told)));
    engine.create_monitor(ORGANIZATION, &monitor("job"), &hourly(1, 1)).unwrap();
    for (received, run, status) in [("10:00", 1, "error"), ("11:00", 2, "ok"), ("12:00", 3, "error")] {
        engine.process_checkin(&message(received, checkin("job", run, status))).unwrap();
    }

    assert!(matches!(&reports.lock().unwrap()[..], [Upserted::Created(_), Upserted::Extended(_)]));
    let stored = rules.load(ORGANIZATION).unwrap();
    let [rule] = stored.rules() else { panic!("{stored:?}") };
    assert_eq!((rule.start(), rule.end()), (at("10:00"), at("18:00")), "the second incident extends it");
    assert!(told.lock().unwrap().iter().any(|event| matches!(event, Event::IncidentOpened(_))), "both hear");
}

#[test]
fn whatever_takes_events_is_a_sink() {
    let story = |sink: Arc<dyn EventSink + Send + Sync>| {
        let engine =
            Engine::new(MemoryStore::new(), Policy::default()).on_event(move |event| sink.emit(event));
        engine.create_monitor(ORGANIZATION, &monitor("job"), &hourly(1, 1)).unwrap();
        engine.process_checkin(&message("10:00", checkin("job", 1, "error"))).unwrap();
    };
    story(Arc::new(NoSink));
    let (sender, receiver) = mpsc::channel();
    story(Arc::new(sender));
    assert_eq!(receiver.try_iter().count(), 2);
    let (sender, receiver) = mpsc::sync_channel(2);
    let boxed: Box<dyn EventSink + Send + Sync> = Box::new(sender);
    let boxed = Arc::new(boxed);
    story(Arc::clone(&boxed) as Arc<dyn EventSink + Send + Sync>);
    assert_eq!(receiver.try_iter().count(), 2);
    drop(receiver);
    story(boxed);
    let (one, other) = (Told::default(), Told::default());
    story(Arc::new((Arc::clone(&one), Arc::clone(&other))));
    assert_eq!(*one.lock().unwrap(), *other.lock().unwrap());
    assert_eq!(one.lock().unwrap().len(), 2);
}

/// What an outbox needs: the kind as it is serialised, and the environment of the event.
#[test]
fn an_event_says_what_it_is_and_whose() {
    let told = Told::default();
    let mut policy = Policy::default();
    policy.sampling = SamplingPolicy::OnIncident(IncidentSampling::default());
    let engine = Engine::new(MemoryStore::new(), policy).with_sink(Arc::clone(&told));
    engine.create_monitor(ORGANIZATION, &monitor("job"), &hourly(1, 1)).unwrap();
    for (received, run, status) in [("10:00", 1, "error"), ("11:00", 2, "ok"), ("11:01", 2, "ok")] {
        let checkin = checkin("job", run, status).with_environment(named("dev"));
        engine.process_checkin(&message(received, checkin)).unwrap();
    }
    let told = told.lock().unwrap();
    let kinds: Vec<_> = told.iter().map(Event::kind).collect();
    assert_eq!(
        kinds,
        ["sampling_requested", "incident_opened", "incident_occurrence", "incident_resolved", "rejected"]
    );
    for event in told.iter() {
        assert_eq!(serde_json::to_value(event).unwrap()["kind"], event.kind());
        let has_one = !matches!(event.kind(), "sampling_requested" | "rejected");
        assert_eq!(event.environment(), has_one.then(|| place("job", "dev")));
    }
}
