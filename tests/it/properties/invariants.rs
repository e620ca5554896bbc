//! Breaks each invariant, and shows that the checker reports it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};

use overdue::id::{EnvironmentKey, MonitorKey};
use overdue::outcome::TickEffect;
use overdue::policy::{Quirk, Quirks};
use overdue::rules::Edit;
use overdue::store::{CommitError, Due, DueKind, DueQuery, MonitorSnapshot, Query, Snapshot, Transition};
use overdue::testkit::history::{Answer, Step};
use overdue::testkit::invariants::{Invariant, InvariantError, Invariants, Violation, Witness};
use overdue::testkit::strategies::{Pace, histories};
use overdue::{Event, MemoryStore, Policy, Store};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::fixture::{RecordedEngine, at, checkin, hourly, keeping, message, monitor, named, tick};

/// An engine that is checked after every step.
struct Watched<S> {
    engine: RecordedEngine<S>,
    invariants: Invariants,
}

impl<S: Store<Error = Infallible>> Watched<S> {
    fn over(store: S, policy: &Policy) -> Self {
        let engine = RecordedEngine::new(store, policy.clone());
        engine.create_monitor(crate::fixture::ORGANIZATION, &monitor("job"), &hourly(1, 1)).unwrap();
        Self { engine, invariants: Invariants::new(policy.clone()) }
    }

    fn take(&mut self, step: &Step) -> (Answer, Vec<Event>) {
        let answer = step.take(&self.engine).unwrap();
        (answer, std::mem::take(&mut *self.engine.sink().lock().unwrap()))
    }

    fn look(&mut self, step: &Step, answer: &Answer, events: &[Event]) -> Result<(), Violation> {
        self.invariants.after(step, answer, self.engine.store(), events).map_err(violation)
    }

    /// Takes a step that must pass.
    fn sound(&mut self, step: Step) {
        let (answer, events) = self.take(&step);
        self.look(&step, &answer, &events).unwrap();
        self.invariants.audit(self.engine.store()).unwrap();
    }

    /// Takes a step that must break an invariant.
    fn broken(&mut self, step: Step) -> Violation {
        let (answer, events) = self.take(&step);
        self.look(&step, &answer, &events).unwrap_err()
    }
}

fn watched() -> Watched<MemoryStore> {
    Watched::over(MemoryStore::new(), &Policy::default())
}

fn violation(error: InvariantError<Infallible>) -> Violation {
    match error {
        InvariantError::Violated(violation) => violation,
        InvariantError::Store(never) => match never {},
    }
}

fn sent(received: &str, run: u128, status: &str) -> Step {
    Step::Checkin(message(received, checkin("job", run, status)))
}

fn ticked(time: &str) -> Step {
    Step::Tick(tick(time))
}

fn edited(time: &str, edit: Edit) -> Step {
    Step::Edit { monitor: monitor("job"), edit, at: at(time) }
}

/// Returns the store with the rows of a wrong host.
fn rewritten(store: &MemoryStore, rewrite: impl FnOnce(&mut Value)) -> MemoryStore {
    let mut rows = serde_json::to_value(store).unwrap();
    let before = rows.clone();
    rewrite(&mut rows);
    assert_ne!(rows, before);
    serde_json::from_value(rows).unwrap()
}

fn environment(rows: &mut Value) -> &mut Value {
    &mut rows["monitors"][0]["environments"][0]
}

#[track_caller]
fn names(violation: &Violation, invariant: Invariant) {
    assert_eq!(violation.invariant(), invariant, "{violation}");
    let number = format!("{invariant:?}: ");
    assert!(violation.to_string().starts_with(&number), "{violation}");
}

/// The invariants that random histories break under a policy, one by one.
fn found(policy: Policy) -> impl Iterator<Item = Invariant> {
    let mut runner = TestRunner::deterministic();
    let histories = histories(Pace::Plausible);
    (0..5_000).filter_map(move |_| {
        let history = histories.new_tree(&mut runner).unwrap().current();
        let engine = RecordedEngine::new(MemoryStore::new(), policy.clone());
        let mut invariants = Invariants::new(policy.clone());
        history.begin(&engine).unwrap();
        let broken = history.steps.iter().find_map(|step| {
            let answer = step.take(&engine).unwrap();
            let events = std::mem::take(&mut *engine.sink().lock().unwrap());
            invariants.after(step, &answer, engine.store(), &events).err()
        });
        broken.map(|broken| violation(broken).invariant())
    })
}

/// The reference profile breaks the invariants that its quirks name.
#[test]
fn quirks_are_named_by_the_invariant_they_break() {
    use Invariant::{I1, I2, I4, I6, I9, I10};
    let quirks = [
        (Quirk::IncidentEndsBeforeItBegan, I1),
        (Quirk::MutedResolutionsSent, I1),
        (Quirk::LateOkLeavesErrorStatus, I2),
        (Quirk::LateInProgressJudgesAgain, I4),
        (Quirk::StaleHeartbeatsApply, I4),
        (Quirk::HeartbeatRevivesTimeout, I4),
        (Quirk::AnonymousMessagesRepeat, I4),
        (Quirk::MarginOnLocalClock, I6),
        (Quirk::RepeatedHourForgotten, I6),
        (Quirk::DisabledMonitorsTimeOut, I9),
        (Quirk::RefusalsLeaveChanges, I10),
    ];
    for (quirk, invariant) in quirks {
        let policy = keeping(Quirks::NONE.with(quirk));
        assert!(found(policy).any(|broken| broken == invariant), "{quirk:?} breaks no {invariant:?}");
    }
}

#[test]
fn i1_an_incident_that_opens_twice() {
    let mut job = watched();
    job.sound(sent("09:00", 1, "ok"));
    let step = sent("10:00", 2, "error");
    let (answer, events) = job.take(&step);
    let again = job.look(&step, &answer, &[&events[..], &events[..1]].concat());
    names(&again.unwrap_err(), Invariant::I4);

    // Another incident, in the same environment.
    let mut other = watched();
    other.sound(sent("08:00", 9, "ok"));
    let (_, others) = other.take(&sent("09:00", 10, "error"));
    let mut job = watched();
    let twice = job.look(&step, &answer, &[&events[..], &others[..]].concat());
    names(&twice.unwrap_err(), Invariant::I1);
}

#[test]
fn i1_an_incident_that_the_rows_have_skipped() {
    let mut job = watched();
    job.sound(sent("09:00", 1, "ok"));
    let store = rewritten(job.engine.store(), |rows| environment(rows)["row"]["incidents"] = 3.into());
    let step = sent("09:30", 1, "in_progress");
    let (answer, events) = job.take(&step);
    let skipped = job.invariants.after(&step, &answer, &store, &events).map_err(violation);
    names(&skipped.unwrap_err(), Invariant::I1);
}

#[test]
fn i2_an_incident_that_an_environment_has_lost() {
    let mut job = watched();
    job.sound(sent("09:00", 1, "error"));
    let store = rewritten(job.engine.store(), |rows| environment(rows)["row"]["health"] = "ok".into());
    let step = sent("09:30", 1, "in_progress");
    let (answer, events) = job.take(&step);
    let lost = job.invariants.after(&step, &answer, &store, &events).map_err(violation);
    names(&lost.unwrap_err(), Invariant::I2);
}

/// Leaves a run out of the history at every second load.
#[derive(Default)]
struct Moody {
    store: MemoryStore,
    asked: AtomicU32,
}

impl Store for Moody {
    type Error = Infallible;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Infallible> {
        let mut snapshot = self.store.load(key, query)?;
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            snapshot.history.pop();
        }
        Ok(snapshot)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Infallible> {
        self.store.load_monitor(key)
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Infallible> {
        self.store.due(query)
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        self.store.commit(transition)
    }
}

#[test]
fn i3_a_store_that_says_one_thing_and_then_another() {
    let mut job = Watched::over(Moody::default(), &Policy::default());
    job.sound(edited("08:00", Edit::Config(hourly(2, 1))));
    names(&job.broken(sent("09:00", 1, "error")), Invariant::I3);
}

#[test]
fn i5_a_result_that_changes() {
    let mut job = watched();
    job.sound(sent("09:00", 1, "ok"));
    for (status, timeout) in [("timeout", Value::Null), ("in_progress", "2024-09-02T10:00:00Z".into())] {
        let store = rewritten(job.engine.store(), |rows| {
            let run = &mut environment(rows)["runs"][0];
            run["status"] = status.into();
            run["timeout_at"] = timeout;
        });
        names(&violation(job.invariants.audit(&store).unwrap_err()), Invariant::I5);
    }
    let store = rewritten(job.engine.store(), |rows| environment(rows)["runs"] = Value::Array(Vec::new()));
    names(&violation(job.invariants.audit(&store).unwrap_err()), Invariant::I5);
}

#[test]
fn i6_a_deadline_between_minutes_or_behind() {
    for (field, time) in [("closes", "2024-09-02T10:05:01Z"), ("expected", "2024-09-02T09:00:00Z")] {
        let mut job = watched();
        job.sound(sent("09:00", 1, "ok"));
        let store = rewritten(job.engine.store(), |rows| {
            environment(rows)["row"]["expectation"]["next"]["deadline"][field] = time.into();
        });
        let step = sent("09:30", 1, "in_progress");
        let (answer, events) = job.take(&step);
        let behind = job.invariants.after(&step, &answer, &store, &events).map_err(violation);
        names(&behind.unwrap_err(), Invariant::I6);
    }
}

/// Hides one kind of deadline.
struct Silent(MemoryStore, DueKind);

impl Store for Silent {
    type Error = Infallible;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Infallible> {
        self.0.load(key, query)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Infallible> {
        self.0.load_monitor(key)
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Infallible> {
        if query.kind == self.1 { Ok(Vec::new()) } else { self.0.due(query) }
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        self.0.commit(transition)
    }
}

#[test]
fn i7_a_deadline_that_nobody_lists() {
    // The rows show it as soon as a tick concerns them.
    let mut job = Watched::over(Silent(MemoryStore::new(), DueKind::Timeout), &Policy::default());
    job.sound(sent("09:00", 1, "in_progress"));
    names(&job.broken(ticked("10:05")), Invariant::I7);

    // Otherwise the check of all rows shows it.
    for kind in [DueKind::Miss, DueKind::Timeout] {
        let mut job = Watched::over(Silent(MemoryStore::new(), kind), &Policy::default());
        job.sound(sent("09:00", 1, if kind == DueKind::Miss { "ok" } else { "in_progress" }));
        let idle = ticked(if kind == DueKind::Miss { "10:05" } else { "09:10" });
        let (answer, events) = job.take(&idle);
        job.look(&idle, &answer, &events).unwrap();
        names(&violation(job.invariants.audit(job.engine.store()).unwrap_err()), Invariant::I7);
    }

    // The list of a store shows it, even if the ticker has not read it.
    let mut job = watched();
    job.sound(sent("09:00", 1, "in_progress"));
    let idle = Answer::Tick(watched().engine.tick(tick("10:05")).unwrap());
    names(&job.look(&ticked("10:05"), &idle, &[]).unwrap_err(), Invariant::I7);
}

#[test]
fn i8_a_tick_that_judges_twice_or_too_early() {
    let mut job = watched();
    job.sound(sent("09:00", 1, "ok"));
    let mut early = job.invariants.clone();
    let step = ticked("10:05");
    let (Answer::Tick(mut report), events) = job.take(&step) else { panic!("it is a tick") };
    report.tick = tick("10:04");
    let too_early = early.after(&step, &Answer::Tick(report.clone()), job.engine.store(), &events);
    names(&violation(too_early.unwrap_err()), Invariant::I8);
    report.tick = tick("10:05");
    report.outcomes.extend(report.outcomes.clone());
    names(&job.look(&step, &Answer::Tick(report), &events).unwrap_err(), Invariant::I8);
}

#[test]
fn i9_a_mute_that_does_not_silence() {
    for edit in [Edit::Muted(true), Edit::EnvironmentMuted(named("production"), true)] {
        let mut loud = watched();
        loud.sound(sent("09:00", 1, "ok"));
        let (_, mut events) = loud.take(&sent("10:00", 2, "error"));
        let mut job = watched();
        job.sound(sent("09:00", 1, "ok"));
        job.sound(edited("09:30", edit.clone()));
        let step = sent("10:00", 2, "error");
        let (answer, silence) = job.take(&step);
        assert!(silence.is_empty());
        if let (Edit::Muted(_), Event::IncidentOpened(told)) = (edit, &mut events[0]) {
            told.monitor = job.engine.store().monitors()[0].clone();
        }
        names(&job.look(&step, &answer, &events).unwrap_err(), Invariant::I9);
    }
}

#[test]
fn i9_a_mute_that_changes_health() {
    let mut job = watched();
    job.sound(sent("09:00", 1, "ok"));
    let step = edited("09:30", Edit::Muted(true));
    let (answer, events) = job.take(&step);
    let store = rewritten(job.engine.store(), |rows| environment(rows)["row"]["health"] = "active".into());
    let changed = job.invariants.after(&step, &answer, &store, &events).map_err(violation);
    names(&changed.unwrap_err(), Invariant::I9);
}

/// Loses the runs of a transition, or its environments with their runs: a store refuses a run without its
/// environment.
struct Half(MemoryStore, fn(&mut Transition));

impl Store for Half {
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
        let mut transition = transition.clone();
        self.1(&mut transition);
        self.0.commit(&transition)
    }
}

#[test]
fn i10_a_store_that_writes_half() {
    let halves: [fn(&mut Transition); 2] = [
        |transition| transition.runs.clear(),
        |transition| {
            transition.environments.clear();
            transition.runs.clear();
        },
    ];
    for half in halves {
        let mut job = Watched::over(Half(MemoryStore::new(), half), &Policy::default());
        names(&job.broken(sent("09:00", 1, "ok")), Invariant::I10);
    }
}

#[test]
fn i10_a_refusal_that_is_told_as_something_else() {
    let mut job = watched();
    job.sound(sent("09:00", 1, "ok"));
    let step = sent("09:30", 1, "ok");
    let (answer, events) = job.take(&step);
    names(&job.look(&step, &answer, &[]).unwrap_err(), Invariant::I10);
    names(&job.look(&step, &answer, &[&events[..], &events[..]].concat()).unwrap_err(), Invariant::I10);
    job.look(&step, &answer, &events).unwrap();
}

#[test]
fn i12_a_step_that_touches_its_neighbour() {
    let mut job = watched();
    let elsewhere = |received, run, status| {
        let checkin = checkin("job", run, status).with_environment(named("dev"));
        Step::Checkin(message(received, checkin))
    };
    job.sound(sent("09:00", 1, "ok"));
    job.sound(elsewhere("09:00", 2, "ok"));
    let step = elsewhere("09:30", 3, "in_progress");
    let (answer, events) = job.take(&step);
    let store = rewritten(job.engine.store(), |rows| environment(rows)["row"]["muted"] = true.into());
    let touched = job.invariants.clone().after(&step, &answer, &store, &events).map_err(violation);
    names(&touched.unwrap_err(), Invariant::I12);
    job.look(&step, &answer, &events).unwrap();
    names(&violation(job.invariants.audit(&store).unwrap_err()), Invariant::I12);
}

#[test]
fn i12_a_step_that_asks_for_too_much() {
    let mut job = Watched::over(Witness::over(MemoryStore::new()), &Policy::default());
    job.engine.store().take();
    let taken = sent("09:00", 1, "ok").take(&job.engine).unwrap();
    let calls = job.engine.store().take();
    Invariants::cost(&taken, &calls).unwrap();
    job.sound(sent("09:10", 1, "in_progress"));
    job.engine.store().take();
    let ticked = ticked("10:05").take(&job.engine).unwrap();
    let of_tick = job.engine.store().take();
    Invariants::cost(&ticked, &of_tick).unwrap();
    assert!(
        matches!(&ticked, Answer::Tick(report) if matches!(report.outcomes[0].effect, TickEffect::Missed(_)))
    );

    let mut twice = calls.clone();
    twice.loads.extend(calls.loads.clone());
    let mut again = calls.clone();
    again.commits.extend(calls.commits.clone());
    let mut all = of_tick.clone();
    all.listed += 1;
    let mut full = of_tick.clone();
    full.commits[0].environments.clear();
    for (answer, calls) in
        [(&taken, &twice), (&taken, &again), (&taken, &of_tick), (&ticked, &all), (&ticked, &full)]
    {
        names(&Invariants::cost(answer, calls).unwrap_err(), Invariant::I12);
    }
}
