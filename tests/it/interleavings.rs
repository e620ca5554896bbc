//! Every interleaving of two workers, a ticker and a courier over one environment, with conflicts, crashes
//! and messages delivered twice. The search is exhaustive, up to a number of crashes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "these are tests"
)]

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use overdue::admission::{AdmitAll, ValidCheckin};
use overdue::config::MonitorConfig;
use overdue::id::RunId;
use overdue::row::RunStatus;
use overdue::store::{Due, DueKind, Query, Snapshot, Transition};
use overdue::{Engine, MemoryStore, Message, Policy, Tick, rules};
use stateright::{Checker, Model, Property};

use crate::fixture::{ORGANIZATION, checkin, hourly, message, monitor, tick};
use rows::{Conflict, Rows, Told};

/// What is sent, to which worker, and when ticks come.
struct Night {
    policy: Policy,
    config: MonitorConfig,
    messages: Vec<Message>,
    /// The messages that each worker receives, in order. One that both receive is delivered twice.
    inboxes: [Vec<usize>; 2],
    ticks: Vec<Tick>,
    crashes: u8,
}

#[derive(Clone, Debug, PartialEq)]
struct State {
    rows: Rows,
    workers: [Worker; 2],
    ticker: Ticker,
    /// How much of the outbox is marked as delivered.
    delivered: usize,
    heard: BTreeSet<Told>,
    log: Log,
}

/// Works through its inbox. A message leaves it once it is acknowledged.
#[derive(Clone, Debug, Default, PartialEq)]
struct Worker {
    done: usize,
    read: Option<Box<Snapshot>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Ticker {
    done: usize,
    round: Option<Round>,
}

/// A tick in progress: first missed runs, then timeouts, each listed once.
#[derive(Clone, Debug, PartialEq)]
struct Round {
    kind: DueKind,
    list: Vec<Due>,
    read: Option<Box<Snapshot>>,
    /// Whether only the ticker has written since the tick began.
    alone: bool,
}

/// What has happened so far.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
struct Log {
    crashes: u8,
    conflicted: bool,
    repeated: bool,
    heard_twice: bool,
    /// The messages that were committed, or answered without a write.
    processed: BTreeSet<usize>,
    results: BTreeMap<RunId, RunStatus>,
    breach: Option<Breach>,
}

/// What only a step can break; everything else is checked on a state.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Breach {
    RepeatWrote,
    TickLeftSomethingDue,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Action {
    Worker(usize, Move),
    Ticker(Move),
    Deliver(Move),
}

/// The moves of a process that reads and writes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Move {
    Read,
    /// Writes, and finishes.
    Write,
    /// Forgets what was read.
    CrashBefore,
    /// Writes, and forgets having done so.
    CrashAfter,
}

impl Hash for State {
    /// Hashes the debug output of the rows, as they cannot be hashed otherwise.
    fn hash<H: Hasher>(&self, state: &mut H) {
        format!("{:?}{:?}{:?}", self.rows, self.workers, self.ticker).hash(state);
        (self.delivered, &self.heard, &self.log).hash(state);
    }
}

impl Night {
    fn valid(&self, message: usize) -> ValidCheckin<'_> {
        ValidCheckin::admit(&self.messages[message], &AdmitAll, &self.policy).unwrap()
    }

    fn read(&self, state: &mut State, worker: usize) {
        let valid = self.valid(self.inboxes[worker][state.workers[worker].done]);
        let snapshot = state.rows.load(&Query::checkin(&valid, &self.policy));
        state.workers[worker].read = Some(Box::new(snapshot));
    }

    /// Decides on what was read, and commits. Returns whether that was the end of it.
    fn write(&self, state: &mut State, worker: usize) -> bool {
        let message = self.inboxes[worker][state.workers[worker].done];
        let snapshot = state.workers[worker].read.take().unwrap();
        let transition = rules::process_checkin(*snapshot, &self.valid(message), &self.policy).transition;
        let wrote = transition.is_some();
        if !self.commit(state, transition) {
            return false;
        }
        if wrote && let Some(round) = &mut state.ticker.round {
            round.alone = false;
        }
        if !state.log.processed.insert(message) {
            state.log.repeated = true;
            if wrote {
                state.log.breach = Some(Breach::RepeatWrote);
            }
        }
        true
    }

    fn commit(&self, state: &mut State, transition: Option<Transition>) -> bool {
        match transition.map(|transition| state.rows.commit(&transition)) {
            Some(Err(Conflict)) => {
                state.log.conflicted = true;
                false
            }
            Some(Ok(())) | None => true,
        }
    }

    /// The ticker's next read: a list, or the subject of the first entry of its list.
    fn read_due(&self, state: &mut State) {
        let tick = self.ticks[state.ticker.done];
        let Some(round) = &mut state.ticker.round else {
            let list = state.rows.due(DueKind::Miss, tick);
            let round = Round { kind: DueKind::Miss, list, read: None, alone: true };
            return state.ticker.round = Some(round);
        };
        match round.list.first() {
            Some(due) => {
                let query =
                    due.run.map_or(Query::miss(&self.policy), |run| Query::run_of(run.id, &self.policy));
                round.read = Some(Box::new(state.rows.load(&query)));
            }
            None if round.kind == DueKind::Miss => {
                round.kind = DueKind::Timeout;
                round.list = state.rows.due(DueKind::Timeout, tick);
            }
            None => {
                let left = [DueKind::Miss, DueKind::Timeout].map(|kind| state.rows.due(kind, tick));
                if round.alone && left.iter().any(|list| !list.is_empty()) {
                    state.log.breach = Some(Breach::TickLeftSomethingDue);
                }
                state.ticker = Ticker { done: state.ticker.done + 1, round: None };
            }
        }
    }

    fn write_due(&self, state: &mut State) -> bool {
        let tick = self.ticks[state.ticker.done];
        let round = state.ticker.round.as_mut().unwrap();
        let (snapshot, due) = (round.read.take().unwrap(), round.list[0].clone());
        let decision = match round.kind {
            DueKind::Miss => rules::check_missed(*snapshot, &due.key, tick, &self.policy),
            DueKind::Timeout => rules::check_timeout(*snapshot, &due.key, tick, &self.policy),
        };
        if !self.commit(state, decision.transition) {
            return false;
        }
        state.ticker.round.as_mut().unwrap().list.remove(0);
        true
    }
}

impl Model for Night {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let engine = Engine::new(MemoryStore::new(), self.policy.clone());
        let monitor = engine.create_monitor(ORGANIZATION, &monitor("job"), &self.config).unwrap();
        vec![State {
            rows: Rows::of(monitor),
            workers: Default::default(),
            ticker: Ticker::default(),
            delivered: 0,
            heard: BTreeSet::new(),
            log: Log::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let crash = state.log.crashes < self.crashes;
        let moves = |read: bool| {
            let moves: &[Move] = match (read, crash) {
                (false, _) => &[Move::Read],
                (true, false) => &[Move::Write],
                (true, true) => &[Move::Write, Move::CrashBefore, Move::CrashAfter],
            };
            moves.iter().copied()
        };
        for (number, worker) in state.workers.iter().enumerate() {
            if worker.done < self.inboxes[number].len() {
                actions.extend(moves(worker.read.is_some()).map(|step| Action::Worker(number, step)));
            }
        }
        if state.ticker.done < self.ticks.len() {
            let read = state.ticker.round.as_ref().is_some_and(|round| round.read.is_some());
            actions.extend(moves(read).map(Action::Ticker));
        }
        if state.delivered < state.rows.outbox.len() {
            actions.extend(moves(true).filter(|step| *step != Move::CrashBefore).map(Action::Deliver));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        let (Action::Worker(_, step) | Action::Ticker(step) | Action::Deliver(step)) = action;
        state.log.crashes += u8::from(matches!(step, Move::CrashBefore | Move::CrashAfter));
        match action {
            Action::Worker(worker, Move::Read) => self.read(&mut state, worker),
            Action::Worker(worker, Move::Write) => {
                if self.write(&mut state, worker) {
                    state.workers[worker].done += 1;
                }
            }
            Action::Worker(worker, Move::CrashBefore) => state.workers[worker].read = None,
            Action::Worker(worker, Move::CrashAfter) => drop(self.write(&mut state, worker)),
            Action::Ticker(Move::Read) => self.read_due(&mut state),
            Action::Ticker(Move::Write) => drop(self.write_due(&mut state)),
            Action::Ticker(Move::CrashBefore) => state.ticker.round = None,
            Action::Ticker(Move::CrashAfter) => {
                self.write_due(&mut state);
                state.ticker.round = None;
            }
            Action::Deliver(step) => {
                state.log.heard_twice |= !state.heard.insert(state.rows.outbox[state.delivered]);
                state.delivered += usize::from(step == Move::Write);
            }
        }
        for run in state.rows.runs.values().filter(|run| run.status().is_result()) {
            state.log.results.entry(run.id()).or_insert(run.status());
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("I1: one incident at most is open, and what is told alternates", |_, state| {
                one_incident_at_most(state)
            }),
            Property::always("I4: a message again writes nothing", |_, state: &State| {
                state.log.breach != Some(Breach::RepeatWrote)
            }),
            Property::always("I4: nothing stands in the outbox twice", |_, state: &State| {
                state.rows.outbox.iter().collect::<BTreeSet<_>>().len() == state.rows.outbox.len()
            }),
            Property::always("I5: what a job has reported is final", |_, state: &State| {
                let status = |id| state.rows.runs.get(id).map(|run| run.status());
                state.log.results.iter().all(|(id, result)| status(id) == Some(*result))
            }),
            Property::always("I7: a tick leaves nothing due", |_, state: &State| {
                state.log.breach != Some(Breach::TickLeftSomethingDue)
            }),
            Property::always("I7: in the end nothing is due", |night: &Night, state| {
                !night.is_over(state) || night.settles(state)
            }),
            Property::always("I10: everything or nothing", |_, state: &State| {
                everything_or_nothing(&state.rows)
            }),
            Property::sometimes("an incident opens", |_, state| {
                told(state, |told| matches!(told, Told::Opened(_)))
            }),
            Property::sometimes("an incident is resolved", |_, state| {
                told(state, |told| matches!(told, Told::Resolved(_)))
            }),
            Property::sometimes("a commit conflicts", |_, state: &State| state.log.conflicted),
            Property::sometimes("a message is processed twice", |_, state: &State| state.log.repeated),
            Property::sometimes("an event is heard twice", |_, state: &State| state.log.heard_twice),
            Property::sometimes("somebody crashes", |_, state: &State| state.log.crashes > 0),
            Property::sometimes("all is done, and told", |night: &Night, state| {
                night.is_over(state)
                    && !state.rows.outbox.is_empty()
                    && state.heard.len() == state.rows.outbox.len()
            }),
        ]
    }
}

impl Night {
    fn is_over(&self, state: &State) -> bool {
        let idle = |(worker, inbox): (&Worker, &Vec<usize>)| worker.done == inbox.len();
        state.workers.iter().zip(&self.inboxes).all(idle) && state.ticker.done == self.ticks.len()
    }

    /// The next tick handles what arrived after the last tick had passed it.
    fn settles(&self, state: &State) -> bool {
        let last = *self.ticks.last().unwrap();
        let mut after = state.clone();
        after.ticker = Ticker { done: self.ticks.len() - 1, round: None };
        while after.ticker.done < self.ticks.len() {
            self.read_due(&mut after);
            if after.ticker.round.as_ref().is_some_and(|round| round.read.is_some()) {
                assert!(self.write_due(&mut after), "nobody else writes");
            }
        }
        [DueKind::Miss, DueKind::Timeout].into_iter().all(|kind| after.rows.due(kind, last).is_empty())
    }
}

fn told(state: &State, of: impl Fn(&Told) -> bool) -> bool {
    state.rows.outbox.iter().any(of)
}

fn one_incident_at_most(state: &State) -> bool {
    let turns = state.rows.outbox.iter().filter(|told| !matches!(told, Told::Occurrence(_)));
    let alternate = turns.enumerate().all(|(turn, told)| matches!(told, Told::Opened(_)) == (turn % 2 == 0));
    alternate && open(&state.rows) <= 1
}

fn open(rows: &Rows) -> usize {
    rows.incidents.values().filter(|incident| incident.resolution().is_none()).count()
}

/// What the environment says of its runs and incidents matches the rows.
fn everything_or_nothing(rows: &Rows) -> bool {
    let Some(environment) = &rows.environment else {
        return rows.runs.is_empty() && rows.incidents.is_empty();
    };
    let incident = environment.incident();
    environment.runs() as usize == rows.runs.len()
        && environment.incidents() as usize == rows.incidents.len()
        && incident.map(|incident| incident.number())
            == rows.incidents.values().find(is_open).map(|open| open.number())
        && incident.is_none_or(|incident| rows.incidents.get(&incident.number()) == Some(incident))
        && rows.monitor.environments() == 1
        && environment.last_ok().is_none_or(|ok| rows.runs.contains_key(&ok.id))
}

fn is_open(incident: &&std::sync::Arc<overdue::row::Incident>) -> bool {
    incident.resolution().is_none()
}

/// Checks every reachable state, and prints their number.
fn explore(night: Night, least: usize) {
    let checker = night.checker().threads(2).spawn_bfs().join();
    println!("{} states, reached in {} ways", checker.unique_state_count(), checker.state_count());
    checker.assert_properties();
    assert!(checker.unique_state_count() > least, "only {} states", checker.unique_state_count());
}

/// A run that hangs and reports late, one that fails, one that succeeds, and an hour without a run.
fn named_runs(inboxes: [&[usize]; 2], crashes: u8) -> Night {
    Night {
        policy: Policy::default(),
        config: hourly(1, 1),
        messages: vec![
            message("10:00", checkin("job", 1, "in_progress")),
            message("10:12", checkin("job", 1, "ok")),
            message("10:30", checkin("job", 2, "error")),
            message("11:02", checkin("job", 3, "ok")),
        ],
        inboxes: inboxes.map(<[usize]>::to_vec),
        ticks: vec![tick("10:10"), tick("12:05")],
        crashes,
    }
}

/// The same with messages without a run id.
fn anonymous_runs(inboxes: [&[usize]; 2], crashes: u8) -> Night {
    Night {
        messages: vec![
            message("10:00", checkin("job", 0, "in_progress")),
            message("10:05", checkin("job", 0, "error")),
            message("10:30", checkin("job", 0, "in_progress")),
            message("10:35", checkin("job", 0, "ok")),
        ],
        ..named_runs(inboxes, crashes)
    }
}

/// With thresholds, decisions read what others write.
fn runs_that_count_together(inboxes: [&[usize]; 2], crashes: u8) -> Night {
    Night {
        config: hourly(2, 2),
        messages: vec![
            message("10:00", checkin("job", 1, "error")),
            message("12:10", checkin("job", 3, "ok")),
            message("10:20", checkin("job", 2, "in_progress")),
            message("12:20", checkin("job", 4, "ok")),
        ],
        ticks: vec![tick("11:05"), tick("12:05")],
        ..named_runs(inboxes, crashes)
    }
}

#[test]
fn of_named_runs() {
    explore(named_runs([&[0, 3], &[2, 0]], 1), 5_000);
}

#[test]
fn of_anonymous_runs() {
    explore(anonymous_runs([&[0, 1], &[3, 1]], 1), 5_000);
}

#[test]
fn of_runs_that_count_together() {
    explore(runs_that_count_together([&[0, 1], &[3, 0]], 1), 5_000);
}

/// More messages and more crashes: `cargo test --release --test it interleavings -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn further() {
    let nights = [named_runs, anonymous_runs, runs_that_count_together];
    for night in nights {
        explore(night([&[0, 1, 3], &[2, 0, 1]], 1), 100_000);
        explore(night([&[0, 1], &[2, 3, 0]], 2), 100_000);
    }
}
