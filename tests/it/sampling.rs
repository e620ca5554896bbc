//! Sampling rules: what an upsert decides, its limits, and stores that conflict or fail.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test panics to fail"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use overdue::id::{EnvironmentKey, OrganizationId, ProjectId};
use overdue::sampling::{
    self, Condition, IncidentSampling, MemorySamplingStore, RuleSet, SampleRate, SamplingChange,
    SamplingCommitError, SamplingError, SamplingLimits, SamplingPolicy, SamplingRefusal, SamplingRequest,
    SamplingStore, Upserted,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const ORGANIZATION: OrganizationId = OrganizationId::new(1);
const LIMITS: SamplingLimits = SamplingLimits { per_project: 3, per_organization: 5 };

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_725_271_200, 0).unwrap() + TimeDelta::hours(hour)
}

/// A request for the traces of one environment from hour 0 to hour 1.
fn request(environment: &str, projects: &[u64]) -> SamplingRequest {
    SamplingRequest {
        organization: ORGANIZATION,
        projects: projects.iter().copied().map(ProjectId::new).collect(),
        condition: Condition::new(json!({"op": "eq", "name": "event.environment", "value": environment})),
        start: at(0),
        end: at(1),
        max_samples: 100,
        rate: SampleRate::new(0.5).unwrap(),
    }
}

fn upsert(
    store: &MemorySamplingStore,
    request: &SamplingRequest,
    hour: i64,
) -> Result<Upserted, SamplingRefusal> {
    sampling::upsert(store, request, &LIMITS, at(hour)).map_err(|error| match error {
        SamplingError::Refused(refusal) => refusal,
        error => panic!("{error}"),
    })
}

/// The number of the rule that a request creates.
fn created(store: &MemorySamplingStore, request: &SamplingRequest, hour: i64) -> u32 {
    match upsert(store, request, hour) {
        Ok(Upserted::Created(rule)) => rule.number().get(),
        other => panic!("not created: {other:?}"),
    }
}

#[test]
fn a_live_rule_for_the_same_is_extended() {
    let store = MemorySamplingStore::new();
    assert_eq!(created(&store, &request("prod", &[1]), 0), 1);

    let later = SamplingRequest { start: at(1), end: at(4), max_samples: 50, ..request("prod", &[1]) };
    let Ok(Upserted::Extended(rule)) = upsert(&store, &later, 0) else { panic!() };
    assert_eq!((rule.number().get(), rule.start(), rule.end(), rule.max_samples()), (1, at(0), at(4), 100));

    let more = SamplingRequest {
        start: at(-1),
        max_samples: 700,
        rate: SampleRate::ALL,
        condition: Condition::new(json!({"value": "prod", "name": "event.environment", "op": "eq"})),
        ..request("prod", &[1])
    };
    let Ok(Upserted::Extended(rule)) = upsert(&store, &more, 0) else { panic!() };
    assert_eq!(
        (rule.start(), rule.end(), rule.max_samples(), rule.rate()),
        (at(-1), at(4), 700, SampleRate::ALL)
    );

    let before = store.load(ORGANIZATION).unwrap();
    assert_eq!(upsert(&store, &request("prod", &[1]), 0), Ok(Upserted::Unchanged(rule)));
    assert_eq!(store.load(ORGANIZATION).unwrap(), before, "nothing is written");
}

#[test]
fn other_projects_or_conditions_have_rules_of_their_own() {
    let store = MemorySamplingStore::new();
    assert_eq!(created(&store, &request("prod", &[1]), 0), 1);
    assert_eq!(created(&store, &request("prod", &[2]), 0), 2);
    assert_eq!(created(&store, &request("prod", &[2, 3]), 0), 3);
    assert_eq!(created(&store, &request("dev", &[1]), 0), 4);
    assert_eq!(created(&store, &request("prod", &[]), 0), 5);
    let elsewhere = SamplingRequest { organization: OrganizationId::new(2), ..request("prod", &[1]) };
    assert_eq!(created(&store, &elsewhere, 0), 1, "each organization counts for itself");
}

#[test]
fn expired_rules_leave_their_numbers_to_others() {
    let store = MemorySamplingStore::new();
    let until = |environment, hour| SamplingRequest { end: at(hour), ..request(environment, &[1]) };
    assert_eq!(created(&store, &until("a", 9), 0), 1);
    assert_eq!(created(&store, &until("b", 2), 0), 2);
    assert_eq!(created(&store, &until("c", 3), 0), 3);

    let rules = store.load(ORGANIZATION).unwrap();
    let numbers =
        |change: &SamplingChange| -> Vec<u32> { change.retire.iter().map(|number| number.get()).collect() };
    let change = rules.upsert(&until("d", 9), &LIMITS, at(3)).unwrap().change.unwrap();
    assert_eq!(change.put.as_ref().unwrap().number().get(), 2);
    assert_eq!(numbers(&change), [3], "b is replaced, so that only c is to be deleted");
    let change = rules.upsert(&until("a", 10), &LIMITS, at(3)).unwrap().change.unwrap();
    assert_eq!(numbers(&change), [2, 3]);

    assert_eq!(created(&store, &until("d", 9), 2), 2, "b ends at that instant");
    assert_eq!(store.load(ORGANIZATION).unwrap().rules().len(), 3);
    assert_eq!(created(&store, &until("c", 9), 3), 3, "a rule that has expired is not extended");

    assert_eq!(sampling::retire(&store, ORGANIZATION, at(8)).unwrap(), 0);
    assert_eq!(sampling::retire(&store, ORGANIZATION, at(9)).unwrap(), 3);
    assert_eq!(store.load(ORGANIZATION).unwrap().rules(), []);
}

#[test]
fn a_project_has_so_many_rules_and_those_for_all_count() {
    let store = MemorySamplingStore::new();
    created(&store, &request("all", &[]), 0);
    created(&store, &request("a", &[1]), 0);
    created(&store, &SamplingRequest { start: at(5), end: at(6), ..request("b", &[1, 2]) }, 0);
    let full = Err(SamplingRefusal::ProjectLimit { limit: 3 });
    assert_eq!(upsert(&store, &request("c", &[1]), 0), full);
    assert_eq!(upsert(&store, &request("c", &[2, 1]), 0), full);
    assert_eq!(upsert(&store, &request("c", &[]), 0), full, "it would be one too many in project 1");
    assert!(matches!(upsert(&store, &request("a", &[1]), 0), Ok(Upserted::Unchanged(_))));
    created(&store, &request("c", &[2]), 0);
    let next = SamplingRequest { end: at(2), ..request("d", &[1]) };
    assert_eq!(created(&store, &next, 1), 1, "an hour later all but one have expired");
}

#[test]
fn rules_for_all_are_limited_where_no_project_has_its_own() {
    let store = MemorySamplingStore::new();
    for environment in ["a", "b", "c"] {
        created(&store, &request(environment, &[]), 0);
    }
    let full = Err(SamplingRefusal::ProjectLimit { limit: 3 });
    assert_eq!(upsert(&store, &request("d", &[]), 0), full);
    assert_eq!(upsert(&store, &request("d", &[1]), 0), full);
}

#[test]
fn an_organization_has_so_many_rules() {
    let store = MemorySamplingStore::new();
    for project in 1..=5 {
        created(&store, &request("prod", &[project]), 0);
    }
    assert_eq!(
        upsert(&store, &request("prod", &[6]), 0),
        Err(SamplingRefusal::OrganizationLimit { limit: 5 })
    );
    created(&store, &SamplingRequest { end: at(2), ..request("prod", &[6]) }, 1);
}

#[test]
fn a_period_without_time_is_refused() {
    let store = MemorySamplingStore::new();
    let empty = Err(SamplingRefusal::EmptyPeriod);
    assert_eq!(upsert(&store, &SamplingRequest { end: at(0), ..request("prod", &[1]) }, -1), empty);
    assert_eq!(upsert(&store, &request("prod", &[1]), 1), empty);
}

#[test]
fn a_sampler_is_told_what_applies_now_and_here() {
    let store = MemorySamplingStore::new();
    created(&store, &request("here", &[1, 2]), 0);
    created(&store, &request("everywhere", &[]), 0);
    created(&store, &request("elsewhere", &[2]), 0);
    created(&store, &SamplingRequest { start: at(1), end: at(2), ..request("later", &[1]) }, 0);
    let rules = store.load(ORGANIZATION).unwrap();
    let told = |project, hour| -> Vec<u32> {
        rules.applying_to(ProjectId::new(project), at(hour)).map(|rule| rule.number().get()).collect()
    };
    assert_eq!(told(1, 0), [1, 2]);
    assert_eq!(told(2, 0), [1, 2, 3]);
    assert_eq!(told(3, 0), [2]);
    assert_eq!(told(1, 1), [4]);
    assert_eq!(told(1, -1), [] as [u32; 0]);
}

#[test]
fn a_saved_store_is_the_same_store() {
    let store = MemorySamplingStore::new();
    created(&store, &request("a", &[1]), 0);
    created(&store, &request("b", &[]), 0);
    let saved = serde_json::to_string(&store).unwrap();
    let read: MemorySamplingStore = serde_json::from_str(&saved).unwrap();
    assert_eq!(read.load(ORGANIZATION).unwrap(), store.load(ORGANIZATION).unwrap());
    assert!(matches!(upsert(&read, &request("a", &[1]), 0), Ok(Upserted::Unchanged(_))));
}

#[test]
fn nothing_is_asked_for_unless_the_policy_says_so() {
    assert_eq!(SamplingPolicy::default(), SamplingPolicy::Off);
    let policy = SamplingPolicy::OnIncident(IncidentSampling::default());
    let text = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<SamplingPolicy>(&text).unwrap(), policy);
}

#[test]
fn an_incident_asks_for_the_traces_of_its_monitor_and_environment() {
    let environment: EnvironmentKey =
        serde_json::from_value(json!({"monitor": {"project": 7, "slug": "job"}, "name": "dev"})).unwrap();
    assert_eq!(SamplingPolicy::Off.request_for_incident(ORGANIZATION, &environment, at(0)), None);

    let sampling = IncidentSampling::default();
    let request = |sampling, opened_at| {
        SamplingPolicy::OnIncident(sampling)
            .request_for_incident(ORGANIZATION, &environment, opened_at)
            .unwrap()
    };
    let expected = SamplingRequest {
        organization: ORGANIZATION,
        projects: BTreeSet::from([ProjectId::new(7)]),
        condition: Condition::of_monitor("job", "dev"),
        start: at(0),
        end: at(6),
        max_samples: 1000,
        rate: SampleRate::ALL,
    };
    assert_eq!(request(sampling, at(0)), expected);
    assert_eq!(request(sampling, DateTime::<Utc>::MAX_UTC).end, DateTime::<Utc>::MAX_UTC);
    assert_eq!(
        request(IncidentSampling { period: TimeDelta::MAX, ..sampling }, at(0)).end,
        DateTime::<Utc>::MAX_UTC
    );
}

#[test]
fn a_change_of_an_older_version_is_a_conflict() {
    let store = MemorySamplingStore::new();
    let rules = store.load(ORGANIZATION).unwrap();
    let change =
        |environment| rules.upsert(&request(environment, &[1]), &LIMITS, at(0)).unwrap().change.unwrap();
    store.commit(&change("a")).unwrap();
    assert!(matches!(store.commit(&change("b")), Err(SamplingCommitError::Conflict)));
    assert_eq!(store.load(ORGANIZATION).unwrap().rules().len(), 1);
}

#[derive(Debug, thiserror::Error)]
#[error("the disk is full")]
struct DiskFull;

/// Answers the first commits with conflicts, and the next ones with failures.
#[derive(Default)]
struct FaultyStore {
    rules: MemorySamplingStore,
    conflicts: usize,
    failures: usize,
    commits: AtomicUsize,
}

impl SamplingStore for FaultyStore {
    type Error = DiskFull;

    fn load(&self, organization: OrganizationId) -> Result<RuleSet, DiskFull> {
        Ok(self.rules.load(organization).unwrap())
    }

    fn commit(&self, change: &SamplingChange) -> Result<(), SamplingCommitError<DiskFull>> {
        let commit = self.commits.fetch_add(1, Ordering::Relaxed);
        if commit < self.conflicts {
            let rival = SamplingRequest {
                max_samples: 101 + u32::try_from(commit).unwrap(),
                ..request("prod", &[1])
            };
            upsert(&self.rules, &rival, 0).unwrap();
        } else if commit < self.conflicts + self.failures {
            return Err(SamplingCommitError::Store(DiskFull));
        }
        self.rules.commit(change).map_err(|error| match error {
            SamplingCommitError::Conflict => SamplingCommitError::Conflict,
            SamplingCommitError::Store(never) => match never {},
        })
    }
}

#[test]
fn after_a_conflict_the_decision_is_made_anew() {
    let store = FaultyStore { conflicts: 3, ..FaultyStore::default() };
    let longer = SamplingRequest { end: at(2), ..request("prod", &[1]) };
    let Ok(Upserted::Extended(rule)) = sampling::upsert(&store, &longer, &LIMITS, at(0)) else { panic!() };
    assert_eq!((rule.number().get(), rule.end(), rule.max_samples()), (1, at(2), 103));
    assert_eq!(store.load(ORGANIZATION).unwrap().rules(), [rule]);
}

#[test]
fn conflicts_without_end_are_an_error_and_so_is_a_store_that_fails() {
    // Through every kind of pointer, without knowing the type of the store.
    let store: Box<dyn SamplingStore<Error = DiskFull> + Send + Sync> =
        Box::new(FaultyStore { conflicts: usize::MAX, ..FaultyStore::default() });
    let longer = SamplingRequest { end: at(2), ..request("prod", &[1]) };
    let error = sampling::upsert(&Arc::new(store), &longer, &LIMITS, at(0)).unwrap_err();
    assert!(matches!(error, SamplingError::Contended { organization: ORGANIZATION, attempts: 16 }));

    let store = FaultyStore { failures: 1, ..FaultyStore::default() };
    let error = sampling::upsert(&&store, &longer, &LIMITS, at(0)).unwrap_err();
    assert!(matches!(error, SamplingError::Store(DiskFull)));
    assert_eq!(store.load(ORGANIZATION).unwrap().rules(), [], "nothing was written");
}

#[test]
fn workers_at_once_make_one_rule() {
    let store = MemorySamplingStore::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| upsert(&store, &request("prod", &[1]), 0).unwrap());
        }
    });
    assert_eq!(store.load(ORGANIZATION).unwrap().rules().len(), 1);
}

/// JSON with few keys and values, so that equal trees occur.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        "[a-b]{0,2}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The same tree with every list, and the order of every object, reversed.
fn turned(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().rev().map(turned).collect(),
        Value::Object(map) => map.iter().rev().map(|(key, value)| (key.clone(), turned(value))).collect(),
        scalar => scalar.clone(),
    }
}

/// Compares by search: whether the items of two lists can be paired.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            let mut left: Vec<&Value> = b.iter().collect();
            let paired = a.iter().all(|item| {
                let place = left.iter().position(|other| same(item, other));
                place.map(|place| left.swap_remove(place)).is_some()
            });
            paired && left.is_empty()
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (a, b) => a == b,
    }
}

#[derive(Clone, Debug)]
struct Step {
    environment: u8,
    projects: BTreeSet<u64>,
    start: i64,
    hours: i64,
    wait: i64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..4_u8, proptest::collection::btree_set(1..4_u64, 0..3), -2..3_i64, 0..6_i64, 0..3_i64);
    let step = step.prop_map(|(environment, projects, start, hours, wait)| Step {
        environment,
        projects,
        start,
        hours,
        wait,
    });
    proptest::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn conditions_are_equal_when_they_say_the_same(a in tree(), b in tree()) {
        let (one, other) = (Condition::new(a.clone()), Condition::new(b.clone()));
        prop_assert_eq!(one == other, same(&a, &b));
        prop_assert_eq!(&one, &Condition::new(turned(&a)));
        let read: Condition = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
        prop_assert_eq!(read.as_value(), &a);
        prop_assert_eq!(&read, &one);
    }

    /// For any requests, numbers are unique and the smallest, limits hold, and no request is forgotten.
    #[test]
    fn what_holds_after_every_upsert(steps in steps()) {
        let store = MemorySamplingStore::new();
        let mut wishes = Vec::<(SamplingRequest, u32)>::new();
        let mut now = 0;
        for step in steps {
            now += step.wait;
            let before = store.load(ORGANIZATION).unwrap();
            let taken: BTreeSet<u32> =
                before.rules().iter().filter(|rule| rule.end() > at(now)).map(|rule| rule.number().get()).collect();
            let projects: Vec<u64> = step.projects.into_iter().collect();
            let request = SamplingRequest {
                start: at(now + step.start),
                end: at(now + step.start + step.hours),
                ..request(&step.environment.to_string(), &projects)
            };
            match upsert(&store, &request, now) {
                Ok(upserted) => {
                    let number = upserted.rule().number().get();
                    if let Upserted::Created(_) = upserted {
                        prop_assert_eq!(Some(number), (1..).find(|number| !taken.contains(number)));
                    } else {
                        prop_assert!(taken.contains(&number));
                    }
                    wishes.push((request, number));
                }
                Err(SamplingRefusal::EmptyPeriod) => {
                    prop_assert!(step.hours == 0 || step.start + step.hours <= 0);
                }
                Err(_) => prop_assert!(taken.len() >= 3, "a limit was reached with {:?}", taken),
            }

            let rules = store.load(ORGANIZATION).unwrap();
            let live: Vec<_> = rules.rules().iter().filter(|rule| rule.end() > at(now)).collect();
            prop_assert!(live.len() <= 5);
            let numbers: BTreeMap<u32, _> = live.iter().map(|rule| (rule.number().get(), *rule)).collect();
            prop_assert_eq!(numbers.len(), live.len(), "each number once");
            let subjects: BTreeSet<_> = live.iter().map(|rule| (rule.condition().id(), rule.projects())).collect();
            prop_assert_eq!(subjects.len(), live.len(), "each subject once");
            for project in (1..5).map(ProjectId::new) {
                let concern = |rule: &&&_| rules_concern(rule, project);
                prop_assert!(live.iter().filter(concern).count() <= 3);
            }
            wishes.retain(|(wish, _)| wish.end > at(now));
            for (wish, number) in &wishes {
                let rule = numbers[number];
                prop_assert_eq!(rule.condition(), &wish.condition);
                prop_assert!(rule.start() <= wish.start && wish.end <= rule.end());
            }
        }
    }
}

fn rules_concern(rule: &sampling::SamplingRule, project: ProjectId) -> bool {
    rule.projects().is_empty() || rule.projects().contains(&project)
}
