//! No policy panics or gets stuck, on any input at any date (I11).

use overdue::id::{EnvironmentKey, OrganizationId, ProjectId, RunId};
use overdue::policy::{IncidentSampling, Limits, Profile, Quirk, Quirks, SamplingPolicy};
use overdue::testkit::history::History;
use overdue::testkit::strategies::{Pace, any_time, histories, places};
use overdue::wire::Body;
use overdue::{MemoryStore, Message, Policy, Tick};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use uuid::Uuid;

use super::view::rows;
use crate::fixture::{PROJECT, RecordedEngine, Time};

fn policies() -> impl Strategy<Value = Policy> {
    let quirks = prop_oneof![
        Just(Quirks::NONE),
        Just(Quirks::SENTRY_2024),
        select(Quirk::ALL.to_vec()).prop_map(|quirk| Quirks::NONE.with(quirk)),
        select(Quirk::ALL.to_vec()).prop_map(|quirk| Quirks::SENTRY_2024.without(quirk)),
        proptest::sample::subsequence(Quirk::ALL.to_vec(), 0..=Quirk::ALL.len())
            .prop_map(|quirks| quirks.into_iter().collect()),
    ];
    let quirks = (quirks, any::<bool>()).prop_map(|(quirks, without_incidents)| match without_incidents {
        true => quirks.with(Quirk::NoIncidents),
        false => quirks,
    });
    let profile = prop_oneof![1 => Just(Profile::Standard), 5 => quirks.prop_map(Profile::Reference)];
    let limit = || prop_oneof![2 => Just(None), 1 => (0_u32..3).prop_map(Some)];
    let sampling = select(vec![SamplingPolicy::Off, SamplingPolicy::OnIncident(IncidentSampling::default())]);
    (profile, limit(), limit(), sampling).prop_map(|(profile, monitors, environments, sampling)| {
        let mut policy = Policy::default();
        policy.profile = profile;
        policy.limits = Limits { monitors, environments };
        policy.sampling = sampling;
        policy
    })
}

fn engine(policy: Policy) -> RecordedEngine<MemoryStore> {
    RecordedEngine::new(MemoryStore::new(), policy)
}

/// Plays a history whose monitors may be rejected, and judges a run again after each step.
fn play(engine: &RecordedEngine<MemoryStore>, history: &History, again: &[(Time, bool)]) {
    for (key, config) in &history.monitors {
        let _ = engine.create_monitor(OrganizationId::new(1), key, config);
    }
    for (index, step) in history.steps.iter().enumerate() {
        step.take(engine).unwrap();
        let (at, failed) = again[index % again.len()];
        for key in places() {
            if let Some(run) = some_run(engine, &key, index) {
                let judged =
                    if failed { engine.mark_failed(&key, run, at) } else { engine.mark_ok(&key, run, at) };
                assert!(judged.unwrap().is_some());
            }
        }
    }
}

fn some_run(engine: &RecordedEngine<MemoryStore>, key: &EnvironmentKey, index: usize) -> Option<RunId> {
    let runs = engine.store().runs(key);
    runs.get(index.checked_rem(runs.len())?).map(|run| run.id())
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any::<u128>().prop_map(|id| json!(Uuid::from_u128(id).to_string())),
        select(vec![
            "ok",
            "error",
            "in_progress",
            "job",
            "production",
            "crontab",
            "interval",
            "* * * * *",
            "day"
        ])
        .prop_map(Value::from),
    ]
}

fn json_values() -> impl Strategy<Value = Value> {
    scalars().prop_recursive(3, 16, 4, |inner| {
        let names =
            select(vec!["type", "value", "unit", "trace", "trace_id", "schedule", "timezone", "owner", "x"]);
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((names, inner), 0..4)
                .prop_map(|fields| fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

/// A message with any JSON in up to three of its fields.
fn payloads() -> impl Strategy<Value = Vec<u8>> {
    let fields = select(vec![
        "check_in_id",
        "monitor_slug",
        "status",
        "duration",
        "environment",
        "release",
        "contexts",
        "monitor_config",
    ]);
    let config = json!({"schedule": {"type": "crontab", "value": "* * * * *"}, "max_runtime": 1});
    vec((fields, json_values()), 0..=3).prop_map(move |wrong| {
        let mut sent = json!({
            "check_in_id": "00000000-0000-0000-0000-000000000001", "monitor_slug": "job", "status": "error",
            "monitor_config": config,
        });
        for (field, value) in wrong {
            sent[field] = value;
        }
        sent.to_string().into_bytes()
    })
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let cut = (payloads(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, at, byte)| {
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    });
    prop_oneof![vec(any::<u8>(), 0..200), payloads(), cut]
}

proptest! {
    #[test]
    fn no_policy_panics_at_any_date(
        policy in policies(),
        history in histories(Pace::Arbitrary),
        again in vec((any_time(), any::<bool>()), 1..4),
    ) {
        play(&engine(policy), &history, &again);
    }

    #[test]
    fn no_policy_panics_on_a_plausible_history(
        policy in policies(),
        history in histories(Pace::Plausible),
        again in vec((any_time(), any::<bool>()), 1..4),
    ) {
        play(&engine(policy), &history, &again);
    }

    #[test]
    fn no_payload_panics(policy in policies(), sent in vec((bytes(), any_time()), 1..8), tick in any_time()) {
        let engine = engine(policy);
        for (bytes, received_at) in sent {
            let body = Body::from(bytes);
            let message = Message { organization: OrganizationId::new(1), project: PROJECT, received_at, body };
            engine.process_checkin(&message).unwrap();
        }
        engine.tick(Tick::at(tick)).unwrap();
    }

    /// What is stored can be read back, whatever its dates.
    #[test]
    fn every_store_can_be_saved(policy in policies(), history in histories(Pace::Arbitrary)) {
        let engine = engine(policy);
        play(&engine, &history, &[(Time::MAX_UTC, true)]);
        let saved = serde_json::to_vec(engine.store()).unwrap();
        let restored: MemoryStore = serde_json::from_slice(&saved).unwrap();
        prop_assert_eq!(rows(&restored), rows(engine.store()));
    }

    #[test]
    fn any_id_will_do(id in any::<u128>(), project in any::<u64>(), organization in any::<u64>()) {
        let engine = engine(Policy::default());
        let id = Uuid::from_u128(id).to_string();
        let config = json!({"schedule": {"type": "crontab", "value": "* * * * *"}});
        let sent = json!({"check_in_id": id, "monitor_slug": "job", "status": "ok", "monitor_config": config});
        let message = Message {
            organization: OrganizationId::new(organization),
            project: ProjectId::new(project),
            received_at: crate::fixture::at("09:00"),
            body: sent.to_string().into_bytes().into(),
        };
        engine.process_checkin(&message).unwrap();
        prop_assert_eq!(engine.store().monitors().len(), 1);
    }
}
