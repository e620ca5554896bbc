//! What the engine costs beside the unavoidable, in one run: `cargo bench --bench floor`.
//!
//! It ends with a line `ratio WHAT SIZE VALUE` for each figure: the time of [`Unavoidable`] divided by the time of the
//! engine, or, where there is no floor, the figure itself in nanoseconds. Both take the same check-ins in turn, some
//! thousands each time, and the medians are compared, so that what disturbs one disturbs the other. Arguments are the
//! sizes, 100,000 and 1,000,000 environments unless given.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a bench"
)]

mod unavoidable;

use std::hint::black_box;
use std::iter;
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use overdue::checkin::{Checkin, CheckinStatus};
use overdue::config::MonitorConfig;
use overdue::id::{MonitorKey, OrganizationId, ProjectId, RunId, Slug};
use overdue::wire::Message;
use overdue::{Engine, MemoryStore, Outcome, Policy, Schedule, Tick};
use uuid::Uuid;

use unavoidable::{Key, Kind, Note, Unavoidable};

type Fleet = Engine<MemoryStore>;

const ORGANIZATION: OrganizationId = OrganizationId::new(1);
const PROJECT: ProjectId = ProjectId::new(1);

/// So often each measurement is made.
const ROUNDS: usize = 15;
/// In so many turns, floor and engine one after the other.
const TURNS: usize = 50;
/// Of so many check-ins, few enough that reading them is not what takes the time.
const CHECKINS: usize = 2_000;

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn slug(number: usize) -> String {
    format!("nightly-job-{number}")
}

fn key(number: usize) -> MonitorKey {
    MonitorKey { project: PROJECT, slug: slug(number).parse().unwrap() }
}

fn hasty() -> Schedule {
    Schedule::crontab("*/5 * * * *", "Europe/Berlin".parse().unwrap()).unwrap()
}

/// Scattered, and the same in every run.
fn scatter(number: u64) -> u64 {
    (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

fn id(number: u64) -> u128 {
    (u128::from(scatter(number ^ 0x5eed)) << 64) | u128::from(number + 1)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn time(work: impl FnOnce()) -> Duration {
    let before = Instant::now();
    work();
    before.elapsed()
}

/// Nanoseconds for each of so many.
fn each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e9 / count as f64
}

fn monitors(size: usize, schedule: &Schedule) -> Fleet {
    let engine = Engine::new(MemoryStore::new(), Policy::default());
    let config = MonitorConfig::new(schedule.clone());
    for number in 0..size {
        engine.create_monitor(ORGANIZATION, &key(number), &config).unwrap();
    }
    engine
}

/// Check-ins at random, so fast that each environment checks in about every five minutes, as its crontab says.
struct Traffic {
    size: usize,
    slugs: Vec<Slug>,
    sent: u64,
}

impl Traffic {
    fn new(size: usize) -> Self {
        Self { size, slugs: (0..size).map(|number| slug(number).parse().unwrap()).collect(), sent: 0 }
    }

    /// The first check-in of each.
    fn greetings(&mut self) -> Vec<Note> {
        (0..self.size).map(|number| self.note(number, Kind::Ran)).collect()
    }

    fn single(&mut self, count: usize) -> Vec<Note> {
        (0..count).map(|_| self.note(scatter(self.sent) as usize % self.size, Kind::Ran)).collect()
    }

    /// Each run begins, and ends some thousand messages later.
    fn pairs(&mut self, count: usize) -> Vec<Note> {
        let mut notes = Vec::with_capacity(count);
        while notes.len() < count {
            let begun: Vec<_> =
                (0..1_000).map(|_| self.note(scatter(self.sent) as usize % self.size, Kind::Began)).collect();
            notes.extend(&begun);
            for begun in begun {
                self.sent += 1;
                notes.push(Note { at: self.now(), kind: Kind::Ended, ..begun });
            }
        }
        notes
    }

    fn now(&self) -> u64 {
        self.sent * 300_000_000 / self.size as u64
    }

    fn note(&mut self, number: usize, kind: Kind) -> Note {
        self.sent += 1;
        Note {
            number,
            key: Key::new(PROJECT.get(), self.slugs[number].as_str()),
            id: id(self.sent),
            at: self.now(),
            kind,
        }
    }

    fn messages(&self, notes: &[Note]) -> Vec<Message> {
        notes.iter().map(|note| self.message(note)).collect()
    }

    fn message(&self, note: &Note) -> Message {
        let id = RunId::from_uuid(Uuid::from_u128(note.id));
        let status = match note.kind {
            Kind::Began => CheckinStatus::InProgress,
            Kind::Ran | Kind::Ended => CheckinStatus::Ok,
        };
        // As decoded: the text is its own.
        let slug: Slug = self.slugs[note.number].as_str().parse().unwrap();
        Message {
            organization: ORGANIZATION,
            project: PROJECT,
            received_at: start() + TimeDelta::microseconds(note.at as i64),
            body: Checkin::new(slug, id, status).into(),
        }
    }
}

fn deliver(engine: &Fleet, messages: &[Message]) {
    messages.iter().for_each(|message| accepted(engine, message));
}

fn accepted(engine: &Fleet, message: &Message) {
    let outcome = engine.process_checkin(black_box(message)).unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

/// Single check-ins, and pairs, beside the floor.
fn checkins(size: usize) {
    let (engine, mut floor, mut traffic) =
        (monitors(size, &hasty()), Unavoidable::default(), Traffic::new(size));
    for slug in &traffic.slugs {
        floor.add(Key::new(PROJECT.get(), slug.as_str()));
    }
    let greetings = traffic.greetings();
    deliver(&engine, &traffic.messages(&greetings));
    greetings.iter().for_each(|note| floor.take(note));
    type Kind = fn(&mut Traffic, usize) -> Vec<Note>;
    for (name, notes) in [("checkin", Traffic::single as Kind), ("pair", Traffic::pairs as Kind)] {
        let (mut floors, mut engines) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let mut spent = (Duration::ZERO, Duration::ZERO);
            for _ in 0..TURNS {
                let notes = notes(&mut traffic, CHECKINS);
                let messages = traffic.messages(&notes);
                spent.0 += time(|| notes.iter().for_each(|note| floor.take(black_box(note))));
                spent.1 += time(|| deliver(&engine, &messages));
            }
            floors.push(spent.0);
            engines.push(spent.1);
            floor.prune();
            engine.store().prune(start() + TimeDelta::days(1_000));
        }
        black_box(floor.sum());
        let (floor, engine) = (median(floors), median(engines));
        println!(
            "      {name} {size} floor {:.0} ns, engine {:.0} ns",
            each(floor, TURNS * CHECKINS),
            each(engine, TURNS * CHECKINS)
        );
        println!("ratio {name} {size} {:.3}", floor.as_secs_f64() / engine.as_secs_f64());
    }
}

/// Nothing has a floor from here on: a line for each figure, in nanoseconds.
fn figure(what: &str, size: usize, nanoseconds: f64) {
    println!("ratio {what} {size} {nanoseconds:.1}");
}

/// The median of as many measurements of some work, for each time that it is done.
fn often(count: usize, mut work: impl FnMut()) -> f64 {
    let mut round = || time(|| (0..count).for_each(|_| work()));
    each(median((0..ROUNDS).map(|_| round()).collect()), count)
}

/// A fleet that runs once a year, and has checked in, but for some that run every five minutes.
fn yearly(size: usize, hasty: usize) -> Fleet {
    let engine =
        monitors(size - hasty, &Schedule::crontab("0 0 1 1 *", "Europe/Berlin".parse().unwrap()).unwrap());
    let config = MonitorConfig::new(self::hasty());
    for number in size - hasty..size {
        engine.create_monitor(ORGANIZATION, &key(number), &config).unwrap();
    }
    let mut traffic = Traffic::new(size);
    let greetings = traffic.greetings();
    for note in &greetings {
        deliver(&engine, &[traffic.message(&Note { at: 0, ..*note })]);
    }
    engine
}

/// Nothing is due yet, and everything is at once.
fn idle(size: usize) {
    let engine = yearly(size, 0);
    let tick = Tick::at(start() + TimeDelta::minutes(1));
    figure(
        "tick-idle",
        size,
        often(100_000, || assert!(engine.tick(black_box(tick)).unwrap().outcomes.is_empty())),
    );
    figure(
        "next-deadline",
        size,
        often(100_000, || assert!(black_box(&engine).next_deadline().unwrap().is_some())),
    );
}

/// For each of so many environments that are due in one minute. They are missed again and again, under the incidents that
/// they opened.
fn busy_tick(what: &str, size: usize, due: usize) {
    let engine = yearly(size, due);
    let mut now = start() + TimeDelta::minutes(1);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        now += TimeDelta::minutes(5);
        let mut missed = 0;
        times.push(time(|| missed = engine.tick(Tick::at(now)).unwrap().outcomes.len()));
        assert_eq!(missed, due);
        engine.store().prune(now);
    }
    figure(what, size, each(median(times), due));
}

fn schedules() {
    let crontab = |text: &str| Schedule::crontab(text, "Europe/Berlin".parse().unwrap()).unwrap();
    let daily = crontab("0 2 * * *");
    let next = |schedule: &Schedule, at| black_box(schedule).next(black_box(at)).unwrap();
    // From one answer to the next, so that none of them still stands.
    let mut at = start();
    let search = often(10_000, || at = next(&daily, if at.year() > 2090 { start() } else { at }));
    figure("schedule-next", 1, search);
    let stands = start();
    figure("schedule-stands", 1, often(1_000_000, || _ = next(&daily, stands)));
    for text in ["0 2 * * *", "*/5 8-18 1,15 1-6 MON-FRI"] {
        figure("schedule-parse", text.len(), often(10_000, || _ = crontab(black_box(text))));
    }
}

/// From the bytes of a message without configuration to its outcome.
fn payloads(size: usize) {
    let engine = monitors(size, &hasty());
    let mut traffic = Traffic::new(size);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let mut spent = Duration::ZERO;
        for _ in 0..TURNS {
            let notes = traffic.single(CHECKINS);
            let payload = |note: &Note| {
                let payload = format!(
                    r#"{{"check_in_id":"{:032x}","monitor_slug":"{}","status":"ok","duration":12.345,"environment":"production","release":"backup@1.4.2","contexts":{{"trace":{{"trace_id":"8f431b7aa08441bbbd5a0100fd91f9fe"}}}}}}"#,
                    note.id,
                    slug(note.number),
                );
                (traffic.message(note).received_at, payload.into_bytes())
            };
            let payloads: Vec<_> = notes.iter().map(payload).collect();
            let mut messages = Vec::with_capacity(payloads.len());
            spent += time(|| {
                for (at, payload) in payloads {
                    let message = Message::new(ORGANIZATION, PROJECT, at, payload);
                    accepted(&engine, &message);
                    // Freed after the measurement.
                    messages.push(message);
                }
            });
        }
        times.push(spent);
        engine.store().prune(start() + TimeDelta::days(1_000));
    }
    figure("payload", size, each(median(times), TURNS * CHECKINS));
}

/// How many times faster two engines are on two cores, each with a fleet of its own, than one.
fn partitions(size: usize) {
    let work = |fleet: &(Fleet, Vec<Message>)| deliver(&fleet.0, &fleet.1);
    let mut ratios = Vec::new();
    for round in 0..5_u64 {
        let fleet = |part: u64| {
            let mut traffic = Traffic::new(size);
            traffic.sent = (round * 2 + part) << 32;
            let notes = traffic.single(TURNS * CHECKINS);
            (monitors(size, &hasty()), traffic.messages(&notes))
        };
        let fleets = [fleet(0), fleet(1), fleet(2)];
        let one = time(|| work(&fleets[0]));
        let two = time(|| {
            std::thread::scope(|scope| fleets[1..].iter().for_each(|fleet| _ = scope.spawn(|| work(fleet))));
        });
        ratios.push(Duration::from_secs_f64(2.0 * one.as_secs_f64() / two.as_secs_f64()));
    }
    println!("ratio partitions {size} {:.2}", median(ratios).as_secs_f64());
}

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|size| size.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![100_000, 1_000_000] } else { sizes };
    for size in &sizes {
        checkins(*size);
    }
    for size in iter::once(&10_000).chain(&sizes) {
        idle(*size);
    }
    for size in &sizes {
        busy_tick("tick-due", *size, 10_000);
    }
    busy_tick("tick-all", 100_000, 100_000);
    schedules();
    payloads(1_000);
    partitions(100_000);
}
