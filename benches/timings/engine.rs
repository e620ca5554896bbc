//! What check-ins and ticks cost, at several sizes of the store.
//!
//! `cargo bench -p overdue-timings --bench engine`
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a bench")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use overdue::checkin::{Checkin, CheckinStatus};
use overdue::config::MonitorConfig;
use overdue::id::{MonitorKey, OrganizationId, ProjectId, RunId, Slug};
use overdue::wire::Message;
use overdue::{Engine, MemoryStore, Outcome, Policy, Schedule, Tick};
use uuid::Uuid;

type Fleet = Engine<MemoryStore>;

const ORGANIZATION: OrganizationId = OrganizationId::new(1);
const PROJECT: ProjectId = ProjectId::new(1);

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn slug(number: usize) -> Slug {
    format!("nightly-job-{number}").parse().unwrap()
}

fn message(slug: &Slug, id: u128, at: DateTime<Utc>) -> Message {
    let id = RunId::from_uuid(Uuid::from_u128(id));
    Message {
        organization: ORGANIZATION,
        project: PROJECT,
        received_at: at,
        body: Checkin::new(slug.clone(), id, CheckinStatus::Ok).into(),
    }
}

/// Monitors with a crontab in a zone, each of which has checked in once.
fn fleet(size: usize, crontab: &str) -> (Fleet, Vec<Slug>) {
    let engine = Engine::new(MemoryStore::new(), Policy::default());
    let schedule = Schedule::crontab(crontab, "Europe/Berlin".parse().unwrap()).unwrap();
    let config = MonitorConfig::new(schedule);
    let slugs: Vec<_> = (0..size).map(slug).collect();
    for (number, slug) in slugs.iter().enumerate() {
        let key = MonitorKey { project: PROJECT, slug: slug.clone() };
        engine.create_monitor(ORGANIZATION, &key, &config).unwrap();
        engine.process_checkin(&message(slug, number as u128 + 1, start())).unwrap();
    }
    (engine, slugs)
}

/// Scattered, and the same in every run.
fn scatter(number: u64) -> u64 {
    (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

fn checkins(c: &mut Criterion) {
    let mut group = c.benchmark_group("one ok check-in");
    for size in [1_000, 100_000] {
        let (engine, slugs) = fleet(size, "*/5 * * * *");
        let mut sent = 0_u64;
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter_custom(|iterations| {
                let mut spent = Duration::ZERO;
                let mut left = iterations;
                while left > 0 {
                    // Prepared and cleared away outside of the measurement.
                    let count = left.min(50_000);
                    let messages: Vec<_> = (0..count)
                        .map(|_| {
                            sent += 1;
                            let slug = &slugs[usize::try_from(scatter(sent)).unwrap() % size];
                            let at = start() + TimeDelta::milliseconds(i64::try_from(sent).unwrap());
                            message(slug, (1 << 100) + u128::from(sent), at)
                        })
                        .collect();
                    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
                    let before = Instant::now();
                    for message in &messages {
                        let outcome = engine.process_checkin(black_box(message)).unwrap();
                        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
                    }
                    spent += before.elapsed();
                    engine.store().prune(start() + TimeDelta::days(1000));
                    left -= count;
                }
                spent
            });
        });
    }
    group.finish();
}

fn idle_ticks(c: &mut Criterion) {
    let mut group = c.benchmark_group("tick with nothing due");
    for size in [1_000, 100_000] {
        let (engine, _) = fleet(size, "0 0 1 1 *");
        let tick = Tick::at(start() + TimeDelta::minutes(1));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| black_box(engine.tick(black_box(tick)).unwrap()));
        });
    }
    group.finish();
}

fn busy_ticks(c: &mut Criterion) {
    let mut group = c.benchmark_group("tick with 10k due");
    group.sample_size(10);
    for size in [10_000, 100_000] {
        let (engine, slugs) = fleet(size, "0 0 1 1 *");
        // 10,000 of them run every five minutes instead.
        let hasty = Schedule::crontab("*/5 * * * *", "Europe/Berlin".parse().unwrap()).unwrap();
        let config = MonitorConfig::new(hasty);
        for slug in slugs.iter().take(10_000) {
            let key = MonitorKey { project: PROJECT, slug: slug.clone() };
            let edit = overdue::rules::Edit::Config(config.clone());
            engine.edit_monitor(&key, &edit, start()).unwrap();
        }
        // Every five minutes all of them are missed again, under the incident that the first miss opened.
        let mut now = start() + TimeDelta::minutes(1);
        group.bench_function(BenchmarkId::new("of", size), |b| {
            b.iter_custom(|iterations| {
                let mut spent = Duration::ZERO;
                for _ in 0..iterations {
                    now += TimeDelta::minutes(5);
                    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
                    let before = Instant::now();
                    let report = black_box(engine.tick(Tick::at(now)).unwrap());
                    spent += before.elapsed();
                    assert_eq!(report.outcomes.len(), 10_000);
                    engine.store().prune(now);
                }
                spent
            });
        });
    }
    group.finish();
}

criterion_group!(benches, checkins, idle_ticks, busy_ticks);
criterion_main!(benches);
