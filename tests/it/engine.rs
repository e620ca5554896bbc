//! The engine around the rules: its parts, and what it does on conflicts and when stores fail.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::convert::Infallible;
use std::error::Error as _;
use std::sync::Arc;

use overdue::admission::{Admission, AdmitAll, RateKey, RateLimiter};
use overdue::config::MonitorConfig;
use overdue::id::{EnvironmentKey, MonitorKey};
use overdue::outcome::{Outcome, TickEffect};
use overdue::rules::Edit;
use overdue::schedule::Unit;
use overdue::store::{CommitError, Due, DueQuery, MonitorSnapshot, Query, Snapshot, Transition};
use overdue::testkit::{Fault, FaultyStore, Nth};
use overdue::{AdminError, Engine, Error, EventSink, MemoryStore, Policy, Schedule, Store, Tick, Zone};

use crate::fixture::{
    Fixture, ORGANIZATION, RecordedEngine, Time, Told, at, checkin, hourly, message, monitor, named, place,
    run_id, tick, zone,
};

const fn is_shared<T: Send + Sync>() {}

#[test]
fn an_engine_is_shared_by_threads_when_its_store_is() {
    is_shared::<Engine<MemoryStore>>();
    is_shared::<Engine<&MemoryStore>>();
    is_shared::<Engine<Arc<MemoryStore>>>();
    is_shared::<Engine<Box<dyn Store<Error = Infallible> + Send + Sync>>>();
    is_shared::<Error<Infallible>>();
}

#[test]
fn stores_and_sinks_need_no_type() {
    let store: Box<dyn Store<Error = Infallible>> = Box::new(MemoryStore::new());
    let told = Told::default();
    let sink: Arc<dyn EventSink + Send + Sync> = Arc::new(Arc::clone(&told));
    let gate: Box<dyn Admission + Send + Sync> = Box::new(Arc::new(RateLimiter::<RateKey>::default()));
    let engine = Engine::new(store, Policy::default()).with_sink(sink).with_admission(gate);
    engine.create_monitor(ORGANIZATION, &monitor("job"), &hourly(1, 1)).unwrap();
    engine.process_checkin(&message("10:00", checkin("job", 1, "error"))).unwrap();
    assert_eq!(told.lock().unwrap().len(), 2);
}

/// A store in which every commit is a conflict.
struct Busy(MemoryStore);

impl Store for Busy {
    type Error = Infallible;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Infallible> {
        self.0.load(key, query)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Infallible> {
        self.0.load_monitor(key)
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Infallible> {
        self.0.due(query)
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        let busy = transition.environments.iter().any(|put| put.row.name().as_str() == "busy");
        if busy { Err(CommitError::Conflict) } else { self.0.commit(transition) }
    }
}

/// A job with a run in progress in production, and one in an environment in which every commit is a conflict.
fn busy() -> RecordedEngine<Busy> {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "in_progress");
    fixture.send("10:00", checkin("job", 2, "in_progress").with_environment(named("busy")));
    let saved = serde_json::to_value(fixture.store()).unwrap();
    RecordedEngine::new(Busy(serde_json::from_value(saved).unwrap()), Policy::default())
}

#[test]
fn who_is_always_too_slow_gives_up_and_says_so() {
    let engine = busy();
    let busy = checkin("job", 2, "ok").with_environment(named("busy"));
    let error = engine.process_checkin(&message("10:05", busy)).unwrap_err();
    assert_eq!(error, Error::Contended { subject: "7/job/busy".into(), attempts: 32 });
    assert_eq!(error.to_string(), "gave up on 7/job/busy after 32 conflicting commits");
    assert!(engine.sink().lock().unwrap().is_empty());

    let edit =
        engine.edit_monitor(&monitor("job"), &Edit::EnvironmentMuted(named("busy"), true), at("10:05"));
    let Err(AdminError::Failed(error)) = edit else { panic!("{edit:?}") };
    assert_eq!(error, Error::Contended { subject: "7/job".into(), attempts: 32 });
}

#[test]
fn a_tick_goes_on_past_what_is_contended() {
    let engine = busy();
    let error = engine.tick(tick("11:05")).unwrap_err();
    assert_eq!(error, Error::Contended { subject: "7/job/busy".into(), attempts: 32 });
    let environments = engine.store().0.environments(&monitor("job"));
    let production = environments.iter().find(|row| row.name().as_str() == "production").unwrap();
    assert!(production.incident().is_some(), "the others were judged");
    let runs = engine.store().0.runs(&place("job", "production"));
    let statuses: Vec<_> = runs.iter().map(|run| run.status().as_str()).collect();
    assert_eq!(statuses, ["timeout", "missed"]);
    assert_eq!(engine.sink().lock().unwrap().len(), 3);
}

#[test]
fn a_store_that_fails_is_an_error_and_nothing_else() {
    for nth in 0..2 {
        let store = MemoryStore::new();
        Engine::new(&store, Policy::default())
            .create_monitor(ORGANIZATION, &monitor("job"), &hourly(1, 1))
            .unwrap();
        let store = FaultyStore::new(store, Fault::Unwritten, Nth::Call(nth));
        let engine = RecordedEngine::new(store, Policy::default());
        let send = || engine.process_checkin(&message("10:00", checkin("job", 1, "error")));
        let error = send().unwrap_err();
        assert_eq!(error.to_string(), "the store failed");
        assert_eq!(error.source().unwrap().to_string(), "the store fails on purpose");
        assert!(engine.store().store().environments(&monitor("job")).is_empty(), "nothing was written");
        assert!(engine.sink().lock().unwrap().is_empty(), "and nobody told");
        assert!(matches!(send(), Ok(Outcome::Accepted(_))));
    }
}

#[test]
fn misses_and_timeouts_are_checked_apart_or_together() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "in_progress");
    let missed = fixture.engine.check_missed(tick("11:05")).unwrap();
    assert_eq!(missed.tick, tick("11:05"));
    assert!(matches!(missed.outcomes[..], [ref one] if matches!(one.effect, TickEffect::Missed(_))));
    assert_eq!(fixture.run(1).status().as_str(), "in_progress");
    let timeouts = fixture.engine.check_timeouts(tick("11:05")).unwrap();
    assert!(matches!(timeouts.outcomes[..], [ref one] if matches!(one.effect, TickEffect::TimedOut(_))));
    assert_eq!(fixture.engine.tick(tick("11:05")).unwrap().outcomes, []);
}

/// More entries than fit into a page of the list, all of them due.
#[test]
fn a_tick_handles_all_that_is_due() {
    let fixture = Fixture::with(&hourly(1, 1));
    for run in 1..=8_300 {
        fixture.accepted("10:00", run, "in_progress");
    }
    let outcomes = fixture.engine.tick(tick("10:10")).unwrap().outcomes;
    assert_eq!(outcomes.len(), 8_300);
    let order: Vec<_> = outcomes
        .iter()
        .map(|outcome| match &outcome.effect {
            TickEffect::TimedOut(failed) => failed.run,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(order.into_iter().eq((1..=8_300).map(run_id)), "in order of creation");
}

/// The schedules of crontabs end with the year 2100, those of intervals with time itself.
#[test]
fn a_tick_past_the_end_of_a_schedule_leaves_nothing_due() {
    for late in ["2101-01-01T00:00:00Z", "2200-01-01T00:00:00Z", "9999-01-01T00:00:00Z"] {
        let fixture = Fixture::with(&hourly(1, 1));
        fixture.accepted("10:00", 1, "ok");
        assert!(matches!(fixture.tick(late)[..], [TickEffect::Missed(_)]), "one miss");
        assert_eq!(fixture.engine.next_deadline(), Ok(None), "{late}");
    }
}

/// Otherwise the missed run would be missed again, under an id that exists.
#[test]
fn a_schedule_that_has_ended_does_not_begin_again() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "ok");
    fixture.tick("2200-01-01T00:00:00Z");
    fixture.accepted("10:30", 2, "ok");
    assert_eq!(fixture.environment().deadline(), None);
    assert_eq!(fixture.tick("11:05"), []);

    let config =
        fixture.monitor().config().with_schedule(Schedule::crontab("30 * * * *", Zone::UTC).unwrap());
    fixture.edit("10:40", &Edit::Config(config));
    assert_eq!(fixture.environment().deadline(), None, "nor does one that ended before the newest tick");
    let days = Schedule::every(1.try_into().unwrap(), Unit::Day, Zone::UTC).unwrap();
    let config = fixture.monitor().config().with_schedule(days);
    fixture.edit("10:41", &Edit::Config(config));
    let next = fixture.environment().deadline().map(|deadline| deadline.expected());
    assert!(next > Some(at("2199-12-31T00:00:00Z")), "one that has not ended is awaited at once: {next:?}");
}

#[test]
fn months_are_counted_to_the_last_day_of_all() {
    let months = Schedule::every(1.try_into().unwrap(), Unit::Month, zone("Europe/Berlin")).unwrap();
    let fixture = Fixture::with(&MonitorConfig::new(months));
    fixture.accepted("10:00", 1, "ok");
    let last = Tick::at(Time::MAX_UTC);
    assert_eq!(fixture.engine.tick(last).unwrap().outcomes.len(), 1);
    assert_eq!(fixture.engine.next_deadline(), Ok(None));
}

#[test]
fn the_next_deadline_is_the_earlier_of_both_kinds() {
    let fixture = Fixture::with(&hourly(1, 1));
    assert_eq!(fixture.engine.next_deadline(), Ok(None));
    fixture.accepted("10:30", 1, "ok");
    assert_eq!(fixture.engine.next_deadline(), Ok(Some(at("11:05"))));
    fixture.accepted("10:40", 2, "in_progress");
    assert_eq!(fixture.engine.next_deadline(), Ok(Some(at("10:50"))));
    fixture.tick("10:50");
    assert_eq!(fixture.engine.next_deadline(), Ok(Some(at("11:05"))));
}

#[test]
fn an_engine_shows_its_parts() {
    let mut policy = Policy::sentry_2024();
    policy.limits.monitors = Some(3);
    let engine = Engine::new(MemoryStore::new(), policy.clone()).with_admission(AdmitAll);
    assert_eq!(*engine.policy(), policy);
    assert!(engine.store().monitors().is_empty());
}
