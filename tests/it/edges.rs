//! Odd times: leap days and year ends, clock changes, days that never were, the ends of the calendar, clocks
//! that are wrong, and ticks that stop.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "these are tests"
)]

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};
use overdue::config::MonitorConfig;
use overdue::outcome::{Effect, HealthEffect, Outcome, TickEffect};
use overdue::row::RunStatus;
use overdue::schedule::Unit;
use overdue::testkit::history::{Answer, Step};
use overdue::testkit::invariants::{Invariants, Witness};
use overdue::{MemoryStore, Policy, Schedule, Tick, Zone};

use crate::fixture::{
    Fixture, ORGANIZATION, RecordedEngine, Time, at, checkin, hourly, message, monitor, place, zone,
};

fn crontab(text: &str, zone: Zone) -> Schedule {
    Schedule::crontab(text, zone).unwrap()
}

fn every(count: u32, unit: Unit, zone: Zone) -> Schedule {
    Schedule::every(NonZeroU32::new(count).unwrap(), unit, zone).unwrap()
}

/// A job whose invariants are checked after each step.
struct Life {
    engine: RecordedEngine<MemoryStore>,
    invariants: Invariants,
    runs: u128,
}

impl Life {
    /// Its first run succeeds, at this time.
    fn begin(schedule: Schedule, first: Time) -> Self {
        let engine = RecordedEngine::new(MemoryStore::new(), Policy::default());
        let config = MonitorConfig::new(schedule);
        engine.create_monitor(ORGANIZATION, &monitor("job"), &config).unwrap();
        let mut life = Self { engine, invariants: Invariants::new(Policy::default()), runs: 0 };
        life.run(first, "ok");
        life
    }

    fn take(&mut self, step: &Step) -> Answer {
        let answer = step.take(&self.engine).unwrap();
        let told = std::mem::take(&mut *self.engine.sink().lock().unwrap());
        self.invariants.after(step, &answer, self.engine.store(), &told).unwrap();
        answer
    }

    fn run(&mut self, received: Time, status: &str) -> Effect {
        self.runs += 1;
        let sent =
            overdue::Message { received_at: received, ..message("10:00", checkin("job", self.runs, status)) };
        match self.take(&Step::Checkin(sent)) {
            Answer::Checkin(Outcome::Accepted(accepted)) => accepted.health,
            other => panic!("{other:?}"),
        }
    }

    /// Ticks. Returns when the runs were expected that are missed now.
    fn tick(&mut self, when: Time) -> Vec<Time> {
        let Answer::Tick(report) = self.take(&Step::Tick(Tick::at(when))) else { unreachable!() };
        let runs = self.engine.store().runs(&place("job", "production"));
        let missed = report.outcomes.iter().filter_map(|outcome| match &outcome.effect {
            TickEffect::Missed(failed) => runs.iter().find(|run| run.id() == failed.run),
            _ => None,
        });
        missed.map(|run| run.started_at()).collect()
    }

    /// Ticks, and expects no missed run.
    fn quiet(&mut self, when: Time) {
        assert_eq!(self.tick(when), Vec::<Time>::new(), "at {when}");
    }

    fn next(&self) -> Option<Time> {
        self.engine.store().environments(&monitor("job"))[0].deadline().map(|deadline| deadline.expected())
    }

    fn incidents(&self) -> usize {
        self.engine.store().incidents(&place("job", "production")).len()
    }
}

#[test]
fn a_leap_day_comes_every_four_years() {
    let mut life = Life::begin(crontab("0 12 29 2 *", Zone::UTC), at("2024-02-29T12:00:00Z"));
    life.quiet(at("2024-03-01T00:00:00Z"));
    life.quiet(at("2025-03-01T00:00:00Z"));
    assert_eq!(life.tick(at("2028-02-29T12:01:00Z")), [at("2028-02-29T12:00:00Z")]);
    life.run(at("2096-02-29T12:00:00Z"), "ok");
    assert_eq!(life.next(), None, "2100 has no leap day, and crontabs end with it");

    let mut life = Life::begin(every(1, Unit::Year, Zone::UTC), at("2024-02-29T12:00:00Z"));
    assert_eq!(life.next(), Some(at("2028-02-29T12:00:00Z")));
    life.run(at("2096-02-29T12:00:00Z"), "ok");
    assert_eq!(life.next(), Some(at("2104-02-29T12:00:00Z")));
}

#[test]
fn a_year_ends_like_any_day() {
    for (text, last, next) in [
        ("59 23 31 12 *", "2024-12-31T23:59:00Z", "2025-12-31T23:59:00Z"),
        ("@yearly", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        ("*/5 * * * *", "2024-12-31T23:55:00Z", "2025-01-01T00:00:00Z"),
        ("0 0 * * 3", "2024-12-25T00:00:00Z", "2025-01-01T00:00:00Z"),
    ] {
        let mut life = Life::begin(crontab(text, Zone::UTC), at(last));
        assert_eq!(life.next(), Some(at(next)), "{text}");
        life.quiet(at(next));
        assert_eq!(life.tick(at(next) + TimeDelta::minutes(1)), [at(next)], "{text}");
    }
}

/// Both changes of a year in which clocks move by an hour, by half an hour, by two hours; zones with odd
/// offsets; and days that were skipped or came twice: Kwajalein, Kiritimati and Samoa moved across the date
/// line.
const CHANGES: [(&str, &str); 18] = [
    ("Europe/Berlin", "2024-03-31T01:00:00Z"),
    ("Europe/Berlin", "2024-10-27T01:00:00Z"),
    ("America/New_York", "2024-03-10T07:00:00Z"),
    ("America/New_York", "2024-11-03T06:00:00Z"),
    ("Australia/Lord_Howe", "2024-04-06T15:00:00Z"),
    ("Australia/Lord_Howe", "2024-10-05T15:30:00Z"),
    ("Pacific/Chatham", "2024-04-06T14:00:00Z"),
    ("Pacific/Chatham", "2024-09-28T14:00:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("America/Sao_Paulo", "2019-02-17T02:00:00Z"),
    ("Africa/Casablanca", "2024-03-10T02:00:00Z"),
    ("Africa/Casablanca", "2024-04-14T02:00:00Z"),
    ("Antarctica/Troll", "2024-03-31T01:00:00Z"),
    ("Antarctica/Troll", "2024-10-27T01:00:00Z"),
    ("Pacific/Kwajalein", "1993-08-21T12:00:00Z"),
    ("Pacific/Kiritimati", "1994-12-31T10:40:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Asia/Kolkata", "2024-03-31T01:00:00Z"),
];

fn schedules(zone: Zone) -> Vec<Schedule> {
    let texts = ["30 2 * * *", "0 0 * * *", "0 * * * *", "*/15 * * * *", "15 1,2,3 * * *", "0 12 L * *"];
    let intervals = [(90, Unit::Minute), (6, Unit::Hour), (1, Unit::Day), (1, Unit::Week), (1, Unit::Month)];
    let crontabs = texts.map(|text| crontab(text, zone));
    crontabs.into_iter().chain(intervals.map(|(count, unit)| every(count, unit, zone))).collect()
}

/// Three days, starting a day and a half before each change.
fn days() -> impl Iterator<Item = (Schedule, Time, Time)> {
    CHANGES.into_iter().flat_map(|(name, change)| {
        let start = at(change) - TimeDelta::minutes(36 * 60 + 7);
        schedules(zone(name)).into_iter().map(move |schedule| (schedule, start, start + TimeDelta::days(3)))
    })
}

fn minutes(start: Time, end: Time) -> impl Iterator<Item = Time> {
    std::iter::successors(Some(start), |time| Some(*time + TimeDelta::minutes(1)))
        .take_while(move |time| *time <= end)
}

#[test]
fn who_is_punctual_is_never_missed() {
    for (schedule, start, end) in days() {
        let mut life = Life::begin(schedule.clone(), start);
        for now in minutes(start, end) {
            if life.next() == Some(now) {
                life.run(now + TimeDelta::seconds(20), "ok");
            }
            life.quiet(now);
        }
        assert_eq!(life.incidents(), 0, "{schedule:?}");
    }
}

/// Every expected run is missed once, in order.
#[test]
fn who_is_silent_is_missed_once_a_slot() {
    for (schedule, start, end) in days() {
        let mut life = Life::begin(schedule.clone(), start);
        let missed: Vec<_> = minutes(start, end).flat_map(|now| life.tick(now)).collect();
        let slots = std::iter::successors(schedule.next(start), |slot| schedule.next(*slot));
        let slots: Vec<_> = slots.take_while(|slot| *slot + TimeDelta::minutes(1) <= end).collect();
        assert_eq!(missed, slots, "{schedule:?} from {start}");
        assert_eq!(life.incidents(), usize::from(!slots.is_empty()), "one outage is one incident");
    }
}

/// Seconds, minutes and days from either end of the calendar, and across all of it.
#[test]
fn the_calendar_has_two_ends() {
    let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let near = [0, 1, 59, 60, 61, 3_600, 86_400, 40_000_000].map(TimeDelta::seconds);
    let mut times: Vec<_> = near.iter().flat_map(|by| [first + *by, last - *by]).collect();
    times.push(at("10:00"));
    for schedule in schedules(zone("Australia/Lord_Howe")) {
        for &begin in &times {
            for &then in &times {
                let mut life = Life::begin(schedule.clone(), begin);
                life.tick(then);
                life.run(then, "error");
                life.tick(last);
                life.run(last, "ok");
            }
        }
    }
}

/// A host's clock is years ahead for one message. Its time is believed, and no run is missed twice because of
/// it.
#[test]
fn a_clock_jumps_ahead_and_back() {
    let mut life = Life::begin(crontab("0 * * * *", Zone::UTC), at("10:00"));
    life.run(at("2034-09-02T10:30:00Z"), "ok");
    assert_eq!(life.next(), Some(at("2034-09-02T11:00:00Z")));
    // Back in the present nothing is due, even as hours pass.
    life.quiet(at("11:01"));
    // A run that fails now started before the newest run: it is recorded, but does not affect health.
    assert!(matches!(life.run(at("11:02"), "error"), Effect::Health(HealthEffect::NewerSeen { .. })));
    assert_eq!(life.incidents(), 0);
    assert_eq!(life.tick(at("2034-09-02T11:01:00Z")), [at("2034-09-02T11:00:00Z")]);

    // A message years behind does not affect health either, and the next run is expected as before.
    let mut life = Life::begin(crontab("0 * * * *", Zone::UTC), at("10:00"));
    assert!(matches!(
        life.run(at("2014-09-02T10:30:00Z"), "error"),
        Effect::Health(HealthEffect::NewerSeen { .. })
    ));
    assert_eq!(life.next(), Some(at("11:00")));
    life.quiet(at("2014-09-02T10:31:00Z")); // ticks never go back
    assert_eq!(life.tick(at("11:01")), [at("11:00")]);
}

/// Only the clock of the ticks is ten years ahead, once: every run is missed once, and recovers.
#[test]
fn a_tick_from_the_future_is_one_miss() {
    let mut life = Life::begin(crontab("*/5 * * * *", Zone::UTC), at("10:00"));
    assert_eq!(life.tick(at("2034-09-02T10:00:00Z")), [at("10:05")]);
    assert_eq!(life.incidents(), 1);
    life.quiet(at("10:07"));
    assert!(matches!(life.run(at("10:08"), "ok"), Effect::Health(HealthEffect::Resolved { .. })));
}

/// There are no ticks for a month. Catching up costs what is due, however many environments there are and
/// however long it was. The cost is counted in calls to the store, not in seconds.
#[test]
fn catching_up_costs_what_is_due() {
    let calls = |healthy: u32, overdue: u32, silence: TimeDelta| {
        let fixture = Fixture::new(Policy::default());
        let end = at("10:00") + silence;
        let monthly = MonitorConfig::new(every(2, Unit::Month, Zone::UTC));
        for number in 0..healthy + overdue {
            let slug = format!("job-{number}");
            let config = if number < healthy { &monthly } else { &hourly(1, 1) };
            fixture.create(&slug, config).unwrap();
            fixture.send("10:00", checkin(&slug, u128::from(number) + 1, "ok"));
        }
        let engine = RecordedEngine::new(Witness::over(fixture.store()), Policy::default());
        let report = engine.tick(Tick::at(end)).unwrap();
        assert_eq!(report.outcomes.len(), overdue as usize);
        assert!(fixture.store().runs(&place(&format!("job-{healthy}"), "production")).len() <= 2);
        let calls = engine.store().take();
        (calls.loads.len(), calls.commits.len(), calls.listed, calls.lists)
    };
    let (hour, month) = (TimeDelta::minutes(65), TimeDelta::days(30));
    let once = calls(0, 10, hour);
    assert_eq!(calls(0, 10, month), once, "a month costs as much as an hour");
    assert_eq!(calls(500, 10, month), once, "and those who are well cost nothing");
    assert_eq!(once, (10, 10, 10, 2), "each is loaded, written and listed once");
    assert_eq!(calls(0, 100, month), (100, 100, 100, 2));
}

/// Timeouts catch up like missed runs.
#[test]
fn a_run_times_out_once_however_late_the_tick() {
    let mut life = Life::begin(crontab("0 0 1 1 *", Zone::UTC), at("10:00"));
    life.run(at("10:05"), "in_progress");
    life.quiet(at("2024-10-02T10:00:00Z"));
    let runs = life.engine.store().runs(&place("job", "production"));
    assert_eq!(runs.iter().filter(|run| run.status() == RunStatus::Timeout).count(), 1);
    assert_eq!(life.incidents(), 1);
    life.quiet(at("2024-11-02T10:00:00Z"));
    assert_eq!(life.incidents(), 1);
}
