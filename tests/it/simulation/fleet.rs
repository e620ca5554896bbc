//! The jobs: when they run, how each run ends, and what they send.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::TimeDelta;
use overdue::checkin::CheckinStatus;
use overdue::config::{ConfigUpdate, MonitorConfig};
use overdue::id::{EnvironmentKey, MonitorKey, ProjectId};
use overdue::schedule::Unit;
use overdue::{Checkin, Message, Schedule, Zone};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use uuid::Uuid;

use crate::fixture::{ORGANIZATION, Time, named, zone};

pub(super) struct Fleet {
    jobs: Vec<Job>,
    /// Which job runs next, and when.
    runs: BinaryHeap<Reverse<(Time, usize)>>,
    /// What running jobs have still to send.
    to_send: BinaryHeap<Reverse<(Time, usize, u128, Last)>>,
    ids: u128,
}

struct Job {
    key: EnvironmentKey,
    update: ConfigUpdate,
    /// Whether its configuration has been sent.
    known: bool,
    /// It fails until then.
    broken_until: Time,
}

/// The last message of a run.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Last {
    Beat,
    Ok,
    Error,
}

impl Fleet {
    /// Makes a number of monitors in two environments each, all due for the first time within a day.
    pub(super) fn new(monitors: usize, start: Time, random: &mut StdRng) -> Self {
        let mut fleet =
            Self { jobs: Vec::new(), runs: BinaryHeap::new(), to_send: BinaryHeap::new(), ids: 0 };
        for number in 0..monitors {
            let project = ProjectId::new(number as u64 % 7);
            let monitor = MonitorKey { project, slug: format!("job-{number}").parse().unwrap() };
            let update = any_update(random);
            for name in ["production", "staging"] {
                let key = EnvironmentKey { monitor: monitor.clone(), name: named(name) };
                let first = start + TimeDelta::seconds(random.random_range(0..86_400));
                fleet.runs.push(Reverse((first, fleet.jobs.len())));
                fleet.jobs.push(Job { key, update: update.clone(), known: false, broken_until: start });
            }
        }
        fleet
    }

    pub(super) fn any(&self, random: &mut StdRng) -> &EnvironmentKey {
        &self.jobs.choose(random).unwrap().key
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &EnvironmentKey> {
        self.jobs.iter().map(|job| &job.key)
    }

    /// What is sent until then, in order.
    pub(super) fn until(&mut self, now: Time, random: &mut StdRng) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(&Reverse((at, number))) = self.runs.peek().filter(|Reverse((at, _))| *at <= now) {
            self.runs.pop();
            messages.extend(self.start(at, number, random));
            if let Some(next) = self.jobs[number].update.create().schedule().next(at) {
                self.runs.push(Reverse((next + TimeDelta::seconds(random.random_range(0..50)), number)));
            }
        }
        while let Some(&Reverse((at, number, id, last))) =
            self.to_send.peek().filter(|Reverse((at, ..))| *at <= now)
        {
            self.to_send.pop();
            let status = match last {
                Last::Beat => CheckinStatus::InProgress,
                Last::Ok => CheckinStatus::Ok,
                Last::Error => CheckinStatus::Error,
            };
            messages.push(self.message(at, number, id, status));
        }
        messages
    }

    fn start(&mut self, at: Time, number: usize, random: &mut StdRng) -> Option<Message> {
        let job = &mut self.jobs[number];
        if random.random_bool(0.01) {
            job.broken_until = at + TimeDelta::hours(random.random_range(1..200));
        }
        let broken = at < job.broken_until;
        self.ids += 1;
        // Some jobs never send a run id.
        let id = if number.is_multiple_of(10) { 0 } else { self.ids };
        let end = if broken && random.random_bool(0.7) { Last::Error } else { Last::Ok };
        match random.random_range(0..20) {
            // The host is down, or the job was skipped.
            0 => None,
            1..3 if broken => None,
            // It starts, and reports nothing more.
            3 if broken || random.random_bool(0.1) => {
                Some(self.message(at, number, id, CheckinStatus::InProgress))
            }
            4..12 => {
                let took = TimeDelta::seconds(random.random_range(1..3_600));
                if random.random_bool(0.2) {
                    self.to_send.push(Reverse((at + took / 2, number, id, Last::Beat)));
                }
                self.to_send.push(Reverse((at + took, number, id, end)));
                Some(self.message(at, number, id, CheckinStatus::InProgress))
            }
            _ if end == Last::Error => Some(self.message(at, number, id, CheckinStatus::Error)),
            _ => Some(self.message(at, number, id, CheckinStatus::Ok)),
        }
    }

    fn message(&mut self, received_at: Time, number: usize, id: u128, status: CheckinStatus) -> Message {
        let job = &mut self.jobs[number];
        let slug = job.key.monitor.slug.clone();
        let mut checkin =
            Checkin::new(slug, Uuid::from_u128(id), status).with_environment(job.key.name.clone());
        if !std::mem::replace(&mut job.known, true) {
            checkin = checkin.with_config(job.update.clone());
        }
        Message::new(ORGANIZATION, job.key.monitor.project, received_at, checkin)
    }
}

/// Usually daily, so that months pass.
pub(super) fn any_update(random: &mut StdRng) -> ConfigUpdate {
    let zones = [Zone::UTC, zone("Europe/Berlin"), zone("America/New_York"), zone("Australia/Lord_Howe")];
    let zone = *zones.choose(random).unwrap();
    let (minute, hour) = (random.random_range(0..60), random.random_range(0..24));
    let every = |count: u32, unit| Schedule::every(count.try_into().unwrap(), unit, zone);
    let schedule = match random.random_range(0..20) {
        0 => every(random.random_range(3..10), Unit::Hour),
        1 => every(2, Unit::Day),
        2 => Schedule::crontab(&format!("{minute} * * * *"), zone),
        3..6 => Schedule::crontab(&format!("{minute} {hour} * * 1"), zone),
        6..9 => Schedule::crontab(&format!("{minute} */6 * * *"), zone),
        _ => Schedule::crontab(&format!("{minute} {hour} * * *"), zone),
    };
    let threshold = |random: &mut StdRng| *[1, 1, 2, 3].choose(random).unwrap();
    MonitorConfig::builder()
        .schedule(schedule.unwrap())
        .margin(random.random_range(1..30_u32))
        .max_runtime(random.random_range(5..60_u32))
        .failure_threshold(threshold(random))
        .recovery_threshold(threshold(random))
        .update()
        .unwrap()
}
