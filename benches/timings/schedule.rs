//! What schedules cost: a check-in asks for one `next`, a configuration for one parse.
//!
//! A schedule remembers, so that a search is asked of one that was never asked before.
#![expect(clippy::expect_used, reason = "the inputs are written below")]

use std::hint::black_box;
use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BatchSize, Bencher, Criterion, criterion_group, criterion_main};
use overdue::Zone;
use overdue::policy::Quirks;
use overdue::schedule::{Schedule, Unit, reference};

/// Asks a new schedule each time.
fn search(b: &mut Bencher<'_>, schedule: &Schedule, ask: impl Fn(&Schedule) -> Option<DateTime<Utc>>) {
    let new = || schedule.in_zone(schedule.zone());
    b.iter_batched_ref(new, |schedule| ask(schedule), BatchSize::SmallInput);
}

fn schedules(c: &mut Criterion) {
    let from: DateTime<Utc> = "2025-05-17T12:34:56Z".parse().expect("a time");
    let zone = |name: &str| name.parse::<Zone>().expect("a zone");
    let crontab = |text: &str, name: &str| Schedule::crontab(text, zone(name)).expect("a crontab");
    let next = |schedule: &Schedule| black_box(schedule).next(black_box(from));
    let previous = |schedule: &Schedule| black_box(schedule).previous(from, black_box(from));

    for (name, text, zone) in [
        ("next in a zone", "0 2 * * *", "Europe/Berlin"),
        ("next in UTC", "0 2 * * *", "UTC"),
        ("next of every five minutes", "*/5 * * * *", "Europe/Berlin"),
        ("next of working days or the first", "30 4 1 * 1-5", "America/New_York"),
        ("next of a yearly crontab", "0 2 1 1 *", "Europe/Berlin"),
        ("next of the last Friday", "0 2 * * 5L", "Europe/Berlin"),
        ("next of a rare crontab", "0 0 29 2 */7", "America/New_York"),
    ] {
        let schedule = crontab(text, zone);
        c.bench_function(name, |b| search(b, &schedule, next));
    }

    let daily = crontab("0 2 * * *", "Europe/Berlin");
    c.bench_function("next while the last answer stands", |b| b.iter(|| next(&daily)));
    c.bench_function("next in a zone, all quirks kept", |b| {
        b.iter(|| reference::next(black_box(&daily), black_box(from), Quirks::SENTRY_2024));
    });
    c.bench_function("previous in a zone", |b| search(b, &daily, previous));
    let missed = next(&daily).expect("a run");
    let tick = missed.checked_add_signed(TimeDelta::minutes(1)).expect("a time");
    c.bench_function("what a tick missed, and the next", |b| {
        let expecting = || {
            let schedule = daily.in_zone(daily.zone());
            next(&schedule);
            schedule
        };
        let miss = |schedule: &mut Schedule| {
            let missed = schedule.previous(missed, black_box(tick))?;
            schedule.next(missed)
        };
        b.iter_batched_ref(expecting, miss, BatchSize::SmallInput);
    });

    let two_weeks =
        NonZeroU32::new(2).and_then(|count| Schedule::every(count, Unit::Week, daily.zone()).ok());
    let two_weeks = two_weeks.expect("an interval");
    c.bench_function("next of an interval", |b| b.iter(|| next(&two_weeks)));

    for (name, text) in [("parse", "0 2 * * *"), ("parse lists", "*/5 8-18 1,15 1-6 MON-FRI")] {
        c.bench_function(name, |b| {
            b.iter(|| Schedule::crontab(black_box(text), daily.zone()));
        });
    }
}

criterion_group!(benches, schedules);
criterion_main!(benches);
