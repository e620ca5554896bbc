//! The jobs, and what they say, a minute at a time.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use overdue::checkin::{Checkin, CheckinStatus};
use overdue::config::MonitorConfig;
use overdue::id::{MonitorKey, OrganizationId, ProjectId, RunId};
use overdue::row::RunDuration;
use overdue::wire::Body;
use overdue::{Message, Schedule};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::job::{DAY, Job, MINUTE_MS, Trouble};
use super::pace::Pace;
use super::{Failure, Options};

const ZONES: [&str; 10] = [
    "UTC",
    "UTC",
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Australia/Sydney",
];

const VERBS: [&str; 12] = [
    "backup", "sync", "send", "import", "export", "rotate", "rebuild", "purge", "verify", "refresh", "bill",
    "scan",
];
const NOUNS: [&str; 12] = [
    "orders",
    "invoices",
    "search-index",
    "sessions",
    "postgres",
    "catalogue",
    "mail-queue",
    "exchange-rates",
    "logs",
    "certificates",
    "thumbnails",
    "customers",
];

/// Half of the jobs say when a run starts, and all say how it ends.
const MESSAGES_PER_RUN: f64 = 1.5;

/// How long before midnight the last runs of all crontabs end.
const EVE: TimeDelta = TimeDelta::seconds(30);

/// The jobs of a day. Messages are made for the minute at hand only, so that a day of them takes no memory.
pub(crate) struct Fleet {
    pub(crate) jobs: Vec<Job>,
    rotas: Vec<Rota>,
    /// What is to happen in each minute of the day.
    calendar: Vec<Vec<Entry>>,
    said: Vec<Said>,
    midnight: DateTime<Utc>,
    random: StdRng,
    as_json: bool,
    /// What has befallen jobs so far.
    pub(crate) troubles: Vec<Trouble>,
}

/// A crontab and the jobs that run by it, so that its times are looked up once for all of them.
struct Rota {
    schedule: Schedule,
    jobs: Vec<usize>,
}

enum Entry {
    Rota(usize),
    Start(usize),
    Say(Said),
}

/// What a job says of a run, so many milliseconds after midnight.
struct Said {
    at: u32,
    job: usize,
    run: u128,
    status: CheckinStatus,
    took: Option<u32>,
}

impl Fleet {
    /// Makes up the jobs. Each is introduced with its configuration and with a check-in from before midnight, after
    /// which it is healthy and its next run is awaited.
    pub(crate) fn new(
        options: &Options,
        midnight: DateTime<Utc>,
        mut introduce: impl FnMut(&Job, &MonitorConfig, &Message) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let runs = options.checkins as f64 / MESSAGES_PER_RUN;
        let paces = Pace::of_fleet(options.monitors, runs).map_err(|(least, most)| {
            let (least, most) = (least * MESSAGES_PER_RUN, most * MESSAGES_PER_RUN);
            format!("so many monitors send between {least:.0} and {most:.0} check-ins a day")
        })?;
        let mut fleet = Self {
            jobs: Vec::new(),
            rotas: Vec::new(),
            calendar: (0..DAY).map(|_| Vec::new()).collect(),
            said: Vec::new(),
            midnight,
            random: StdRng::seed_from_u64(options.seed),
            as_json: options.json,
            troubles: Vec::new(),
        };
        let mut known = HashMap::new();
        for (number, pace) in paces.enumerate() {
            let random = &mut fleet.random;
            let job = job(number, pace, random)?;
            let schedule = pace.schedule(ZONES[random.random_range(0..ZONES.len())].parse()?, random)?;
            let last_run = random.random();
            let before = match pace {
                Pace::After(interval) => {
                    let first = random.random_range(0..interval);
                    fleet.enter(first, Entry::Start(number));
                    TimeDelta::minutes(i64::from(interval - first))
                }
                _ => {
                    let rota = known.entry((schedule.to_string(), schedule.zone())).or_insert_with(|| {
                        fleet.rotas.push(Rota { schedule: schedule.clone(), jobs: Vec::new() });
                        fleet.rotas.len() - 1
                    });
                    fleet.rotas[*rota].jobs.push(number);
                    EVE
                }
            };
            let checkin = Checkin::new(job.key.slug.clone(), id(last_run), CheckinStatus::Ok);
            let last = Message::new(job.organization, job.key.project, midnight - before, checkin);
            introduce(&job, &job.config(schedule)?, &last)?;
            fleet.jobs.push(job);
        }
        (0..fleet.rotas.len()).for_each(|rota| fleet.enter_next(rota, midnight - EVE));
        Ok(fleet)
    }

    /// What the jobs say in a minute, in order.
    pub(crate) fn minute(&mut self, minute: u32, messages: &mut Vec<Message>) -> Result<(), Failure> {
        // Whatever starts now may have something to say within the same minute.
        while let Some(entry) = self.calendar[minute as usize].pop() {
            match entry {
                Entry::Rota(rota) => {
                    self.enter_next(rota, self.midnight + TimeDelta::minutes(minute.into()));
                    for place in 0..self.rotas[rota].jobs.len() {
                        let job = self.rotas[rota].jobs[place];
                        if self.jobs[job].free_from <= minute {
                            self.start(job, minute);
                        }
                    }
                }
                Entry::Start(job) => self.start(job, minute),
                Entry::Say(said) => self.said.push(said),
            }
        }
        self.said.sort_unstable_by_key(|said| (said.at, said.run));
        for said in self.said.drain(..) {
            let job = &mut self.jobs[said.job];
            job.deserves.hear(said.status, job.threshold);
            let mut checkin = Checkin::new(job.key.slug.clone(), id(said.run), said.status);
            if let Some(took) = said.took {
                checkin = checkin.with_duration(RunDuration::new(took)?);
            }
            let mut body = Body::from(checkin);
            if self.as_json {
                body = Body::from(body.bytes().into_owned());
            }
            let at = self.midnight + TimeDelta::milliseconds(said.at.into());
            messages.push(Message::new(job.organization, job.key.project, at, body));
        }
        Ok(())
    }

    /// A job is due.
    fn start(&mut self, number: usize, minute: u32) {
        let (job, random) = (&mut self.jobs[number], &mut self.random);
        let trouble = job.strike(minute, random);
        self.troubles.extend(trouble);
        let (pace, says_start, free_from) = (job.pace, job.says_start, job.free_from);
        let begin = minute * MINUTE_MS + job.delay(random);
        let (takes, end) = job.run(minute, random);
        let run = random.random();
        // A job that counts from its last run is not called by anybody else.
        let next = match (trouble, pace) {
            (Some(Trouble::ComesLate), _) => Some(free_from - 1),
            (Some(Trouble::StaysAway | Trouble::Hangs), Pace::After(_)) => Some(free_from),
            (None | Some(Trouble::Fails), Pace::After(interval)) => Some(minute + interval),
            _ => None,
        };
        if let Some(next) = next {
            self.enter(next, Entry::Start(number));
        }
        if matches!(trouble, Some(Trouble::StaysAway | Trouble::ComesLate)) {
            return;
        }
        if says_start {
            self.say(Said { at: begin, job: number, run, status: CheckinStatus::InProgress, took: None });
        }
        if trouble != Some(Trouble::Hangs) {
            self.say(Said { at: begin + takes, job: number, run, status: end, took: Some(takes) });
        }
    }

    fn say(&mut self, said: Said) {
        self.enter(said.at / MINUTE_MS, Entry::Say(said));
    }

    /// The next time of a crontab.
    fn enter_next(&mut self, rota: usize, after: DateTime<Utc>) {
        let Some(next) = self.rotas[rota].schedule.next(after) else { return };
        if let Ok(minute) = u32::try_from((next - self.midnight).num_minutes()) {
            self.enter(minute, Entry::Rota(rota));
        }
    }

    /// What comes after the day is of no concern.
    fn enter(&mut self, minute: u32, entry: Entry) {
        if let Some(entries) = self.calendar.get_mut(minute as usize) {
            entries.push(entry);
        }
    }
}

fn job(number: usize, pace: Pace, random: &mut StdRng) -> Result<Job, Failure> {
    let [verb, noun] = [VERBS, NOUNS].map(|words| words[random.random_range(0..words.len())]);
    let slug = format!("{verb}-{noun}-{number}").parse()?;
    // Twenty-five jobs a project, four projects an organization.
    let key = MonitorKey { project: ProjectId::new(number as u64 / 25), slug };
    Ok(Job::new(OrganizationId::new(number as u64 / 100), key, pace, random))
}

fn id(run: u128) -> RunId {
    RunId::from_uuid(Uuid::from_u128(run))
}
