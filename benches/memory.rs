//! What environments and their runs weigh in the embedded store: `cargo bench --bench memory`.
//!
//! An allocator counts. Each environment has a monitor of its own, with a crontab, and has checked in; what a run
//! weighs is what the next check-ins add. The last lines read `bytes WHAT SIZE VALUE`.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a bench")]

use chrono::{DateTime, TimeDelta};
use overdue::checkin::{Checkin, CheckinStatus};
use overdue::config::MonitorConfig;
use overdue::id::{MonitorKey, OrganizationId, ProjectId, RunId, Slug};
use overdue::wire::Message;
use overdue::{Engine, MemoryStore, Policy, Schedule};
use peak_alloc::PeakAlloc;
use uuid::Uuid;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const ORGANIZATION: OrganizationId = OrganizationId::new(1);
const PROJECT: ProjectId = ProjectId::new(1);

/// So many check-ins follow the first one of each environment.
const MORE: usize = 4;

fn weigh(size: usize) {
    let engine = Engine::new(MemoryStore::new(), Policy::default());
    let slug = |number: usize| -> Slug { format!("nightly-job-{number}").parse().unwrap() };
    let before = MEMORY.current_usage();
    for number in 0..size {
        let key = MonitorKey { project: PROJECT, slug: slug(number) };
        // Parsed for each, as if it came along with its first check-in: the store shares it.
        let schedule = Schedule::crontab("*/5 * * * *", "Europe/Berlin".parse().unwrap()).unwrap();
        let config = MonitorConfig::new(schedule);
        engine.create_monitor(ORGANIZATION, &key, &config).unwrap();
    }
    let check_in = |round: usize| {
        for number in 0..size {
            let id = Uuid::from_u128(
                (round * size + number + 1) as u128 * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835,
            );
            let checkin = Checkin::new(slug(number), RunId::from_uuid(id), CheckinStatus::Ok);
            let received_at =
                DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(5 * round as i64);
            engine.process_checkin(&Message::new(ORGANIZATION, PROJECT, received_at, checkin)).unwrap();
        }
    };
    check_in(0);
    let first = MEMORY.current_usage() - before;
    (1..=MORE).for_each(check_in);
    let all = MEMORY.current_usage() - before;
    let run = (all - first) / (MORE * size);
    println!("bytes environment {size} {}", first / size - run);
    println!("bytes run {size} {run}");
}

fn main() {
    weigh(100_000);
    weigh(1_000_000);
}
