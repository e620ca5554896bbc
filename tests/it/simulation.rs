//! One seed drives a fleet of jobs for months: messages are lost, repeated and delayed, workers interrupt
//! each other and die, the store fails, clocks stop. The invariants are checked after every step.
//!
//! Long runs, and seeds that failed: `OVERDUE_SEED=7 OVERDUE_STEPS=10000000 cargo test --release --test it
//! simulation::by_hand -- --ignored --nocapture`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "these are tests"
)]

mod fleet;
mod receiver;
mod storm;

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;

use chrono::TimeDelta;
use overdue::batch::ProcessingKey;
use overdue::clock::{Clock, PartitionId};
use overdue::row::MonitorStatus;
use overdue::rules::Edit;
use overdue::testkit::history::Step;
use overdue::testkit::invariants::Invariants;
use overdue::{Message, Policy, Tick};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::fixture::{RecordedEngine, Time, at};
use fleet::Fleet;
use receiver::Receiver;
use storm::{Fault, Storm};

const PARTITIONS: u32 = 4;

struct Simulation {
    random: StdRng,
    now: Time,
    fleet: Fleet,
    /// Delayed messages: when each arrives, and its number among all that were ever delayed.
    delayed: BinaryHeap<Reverse<(Time, usize)>>,
    late: Vec<Message>,
    /// Messages that have arrived, processed in order.
    queues: Vec<VecDeque<Message>>,
    clock: Clock,
    /// A partition whose clock stands still until then.
    stopped: (u64, Time),
    engine: RecordedEngine<Storm>,
    invariants: Rc<RefCell<Invariants>>,
    receiver: Receiver,
    tally: Tally,
}

/// Counts what has happened, so that a quiet run does not pass for a good one.
#[derive(Debug, Default)]
struct Tally {
    steps: u64,
    lost: u64,
    repeated: u64,
    delayed: u64,
    failed: u64,
    unanswered: u64,
    died: u64,
    overtaken: Rc<Cell<u64>>,
    stops: u64,
    edits: u64,
}

impl Simulation {
    fn new(seed: u64, monitors: usize) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let now = at("2024-09-02T00:00:00Z") + TimeDelta::days(random.random_range(0..60));
        let mut clock = Clock::new();
        (0..u64::from(PARTITIONS)).for_each(|partition| clock.register(PartitionId::new(partition)));
        Self {
            fleet: Fleet::new(monitors, now, &mut random),
            random,
            now,
            delayed: BinaryHeap::new(),
            late: Vec::new(),
            queues: vec![VecDeque::new(); PARTITIONS as usize],
            clock,
            stopped: (0, now),
            engine: RecordedEngine::new(Storm::default(), Policy::default()),
            invariants: Rc::new(RefCell::new(Invariants::new(Policy::default()))),
            receiver: Receiver::default(),
            tally: Tally::default(),
        }
    }

    /// Lives through one minute.
    fn minute(&mut self) {
        self.now += TimeDelta::minutes(1);
        for message in self.fleet.until(self.now, &mut self.random) {
            self.send(message);
        }
        while let Some(&Reverse((_, number))) = self.delayed.peek().filter(|Reverse((at, _))| *at <= self.now)
        {
            self.delayed.pop();
            self.arrive(self.late[number].clone());
        }
        if self.random.random_bool(0.02) {
            self.edit();
        }
        for queue in 0..self.queues.len() {
            while let Some(message) = self.queues[queue].pop_front() {
                self.work(queue, message);
            }
        }
        self.let_time_pass();
    }

    /// Loses a message, sends it twice, delays it, or sends it once.
    fn send(&mut self, message: Message) {
        let late = |random: &mut StdRng| TimeDelta::seconds(random.random_range(0..7_200));
        match self.random.random_range(0..100) {
            0 => self.tally.lost += 1,
            1..4 => {
                self.tally.repeated += 1;
                let again = self.now + late(&mut self.random);
                self.delay(message.clone(), again);
                self.arrive(message);
            }
            4..8 => {
                self.tally.delayed += 1;
                let valid = self.now + late(&mut self.random);
                self.delay(message, valid);
            }
            _ => self.arrive(message),
        }
    }

    fn delay(&mut self, message: Message, until: Time) {
        self.delayed.push(Reverse((until, self.late.len())));
        self.late.push(message);
    }

    fn arrive(&mut self, message: Message) {
        let partition = ProcessingKey::of(&message).partition(PARTITIONS.try_into().unwrap());
        self.queues[partition as usize].push_back(message);
    }

    /// A worker processes a message, and may be interrupted.
    fn work(&mut self, queue: usize, message: Message) {
        let step = Step::Checkin(message.clone());
        match self.random.random_range(0..100) {
            0 => self.fail(Fault::Unwritten),
            1 => self.fail(Fault::Unanswered),
            2..6 => self.be_overtaken(queue, &message),
            _ => {}
        }
        let dies = self.random.random_bool(0.01);
        if !self.take(&step) {
            return self.queues[queue].push_back(message);
        }
        if dies {
            // Committed, but not acknowledged.
            self.tally.died += 1;
            self.queues[queue].push_back(message);
        }
    }

    fn fail(&mut self, fault: Fault) {
        let count =
            if fault == Fault::Unwritten { &mut self.tally.failed } else { &mut self.tally.unanswered };
        *count += 1;
        self.engine.store().strike(fault);
    }

    /// Another worker handles the next message of the partition, or the same one, between load and commit.
    fn be_overtaken(&mut self, queue: usize, message: &Message) {
        let next = if self.random.random_bool(0.5) { self.queues[queue].pop_front() } else { None };
        let step = Step::Checkin(next.unwrap_or_else(|| message.clone()));
        let (invariants, overtaken) = (Rc::clone(&self.invariants), Rc::clone(&self.tally.overtaken));
        self.engine.store().let_in(step, move |storm, step| {
            let rival = RecordedEngine::new(storm, Policy::default());
            let answer = step.take(&rival).unwrap();
            let told = std::mem::take(&mut *rival.sink().lock().unwrap());
            invariants.borrow_mut().after(step, &answer, storm.rows(), &told).unwrap();
            overtaken.set(overtaken.get() + 1);
        });
    }

    /// Takes a step and checks the result. Returns `false` if the store failed.
    fn take(&mut self, step: &Step) -> bool {
        self.tally.steps += 1;
        let answer = step.take(&self.engine);
        let storm = self.engine.store();
        if let Some(Step::Checkin(unheard)) = storm.calm() {
            self.arrive(unheard);
        }
        let storm = self.engine.store();
        let told = std::mem::take(&mut *self.engine.sink().lock().unwrap());
        let mut invariants = self.invariants.borrow_mut();
        match &answer {
            Ok(answer) => invariants.after(step, answer, storm.rows(), &told).unwrap(),
            // It may be written or not, and there was no answer.
            Err(_) => {
                storm.touched().iter().for_each(|monitor| invariants.meet(monitor, storm.rows()).unwrap());
            }
        }
        self.receiver.deliver(&storm.take_outbox(), &mut self.random);
        answer.is_ok()
    }

    /// Moves the clock to what all partitions have reached, unless one of them has stopped.
    fn let_time_pass(&mut self) {
        if self.now >= self.stopped.1 && self.random.random_bool(0.0005) {
            self.tally.stops += 1;
            let until = self.now + TimeDelta::minutes(self.random.random_range(10..3_000));
            self.stopped = (self.random.random_range(0..u64::from(PARTITIONS)), until);
        }
        for partition in 0..u64::from(PARTITIONS) {
            if self.now >= self.stopped.1 || partition != self.stopped.0 {
                let mut ticks = self.clock.observe(PartitionId::new(partition), self.now);
                // A ticker that is behind may skip to the newest minute: it has the same effect as the
                // others.
                if self.random.random_bool(0.5) {
                    ticks.newest().into_iter().for_each(|tick| self.tick(tick));
                } else {
                    ticks.by_ref().for_each(|tick| self.tick(tick));
                }
            }
        }
    }

    /// Ticks. A tick may fail half-way and be repeated, or be made twice.
    fn tick(&mut self, tick: Tick) {
        match self.random.random_range(0..100) {
            0 => self.fail(Fault::Unwritten),
            1 => self.fail(Fault::Unanswered),
            _ => {}
        }
        let step = Step::Tick(tick);
        while !self.take(&step) {}
        if self.random.random_bool(0.02) {
            self.take(&step);
        }
    }

    /// Edits a monitor.
    fn edit(&mut self) {
        self.tally.edits += 1;
        let place = self.fleet.any(&mut self.random).clone();
        let on = self.random.random_bool(0.5);
        let status = if on { MonitorStatus::Active } else { MonitorStatus::Disabled };
        let edit = match self.random.random_range(0..5) {
            0 => Edit::Muted(on),
            1 => Edit::EnvironmentMuted(place.name, on),
            2 => Edit::Status(status),
            3 => Edit::EnvironmentEnabled(place.name, on),
            _ => Edit::Config(fleet::any_update(&mut self.random).create()),
        };
        self.take(&Step::Edit { monitor: place.monitor, edit, at: self.now });
    }

    /// Checks what must hold in the end: every row ever seen, and every alert.
    fn audit(&mut self) {
        let store = self.engine.store().rows();
        self.invariants.borrow().audit(store).unwrap();
        for place in self.fleet.places() {
            let rows = store.environments(&place.monitor);
            let row = rows.iter().find(|row| row.name() == &place.name);
            let announced = row.and_then(|row| row.incident()).filter(|incident| incident.is_announced());
            let paged = self.receiver.open(place);
            assert_eq!(paged, announced.map(|incident| incident.id()), "I1: {place}");
        }
    }

    /// Takes `steps` steps.
    fn run(mut self, steps: u64) -> (Tally, Receiver) {
        let mut audited = self.now;
        while self.tally.steps < steps {
            self.minute();
            if self.now - audited >= TimeDelta::days(7) {
                self.audit();
                audited = self.now;
            }
        }
        self.audit();
        (self.tally, self.receiver)
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Half a million steps of each of two seeds, side by side.
#[test]
fn months_of_two_thousand_environments() {
    std::thread::scope(|scope| {
        for seed in [1, 2] {
            let run = move || {
                let (tally, receiver) = Simulation::new(seed, 1_000).run(500_000);
                println!(
                    "seed {seed}: {tally:?}, {} opened, {} resolved",
                    receiver.opened, receiver.resolved
                );
                let happened =
                    [tally.lost, tally.repeated, tally.delayed, tally.failed, tally.unanswered, tally.died];
                assert!(happened.iter().all(|count| *count > 50) && tally.overtaken.get() > 50, "{tally:?}");
                assert!(tally.stops > 5 && tally.edits > 50, "{tally:?}");
                assert!(receiver.opened > 200 && receiver.resolved > 200, "hardly anybody was paged");
            };
            std::thread::Builder::new().name(format!("seed {seed}")).spawn_scoped(scope, run).unwrap();
        }
    });
}

#[test]
#[ignore = "takes as long as it is told to"]
fn by_hand() {
    let (seed, steps) = (number("OVERDUE_SEED", 1), number("OVERDUE_STEPS", 10_000_000));
    let (tally, receiver) = Simulation::new(seed, 2_000).run(steps);
    println!("seed {seed}: {tally:?}, {} opened, {} resolved", receiver.opened, receiver.resolved);
}
