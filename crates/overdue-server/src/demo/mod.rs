//! A made-up fleet: days of history at once, and check-ins as time passes.

mod fleet;

use chrono::{DateTime, TimeDelta, Utc};
use overdue::checkin::{Checkin, CheckinStatus};
use overdue::config::{Margin, MaxRuntime, MonitorConfig};
use overdue::id::{MonitorKey, ProjectId, RunId};
use overdue::row::RunDuration;
use overdue::wire::Body;
use overdue::{Message, Schedule, Tick};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::app::{App, ORGANIZATION};
use crate::writer::ServerEngine;
use crate::{Failure, time};

use fleet::{FLEET, Fate, Job};

/// How far back the history goes, and the most runs of a job in it.
const HISTORY: TimeDelta = TimeDelta::days(14);
const RUNS: usize = 45;

/// The number of messages of the history that are written at once.
const CHUNK: usize = 500;

/// Fills an empty database with a history. Does nothing if there are monitors.
pub(crate) async fn furnish(app: &App) -> Result<(), Failure> {
    let known = app.readers.read(|store| store.monitor_keys()).await?;
    if !known.is_empty() {
        return Ok(());
    }
    let now = time::now();
    let mut past: Vec<Message> = Vec::new();
    for job in &FLEET {
        for slot in job.slots(now - HISTORY, now)?.into_iter().rev().take(RUNS) {
            past.extend(
                job.run(slot, now)?.messages().into_iter().filter(|message| message.received_at < now),
            );
        }
    }
    past.extend(fleet::mistakes(now).map(|(at, json)| message(1, at, json.as_bytes().to_vec())));
    past.sort_by_key(|message| message.received_at);
    for chunk in past.chunks(CHUNK) {
        let chunk = chunk.to_vec();
        app.writer
            .ask(move |engine| chunk.iter().try_for_each(|message| live_through(engine, message)))
            .await??;
    }
    app.writer
        .ask(move |engine| {
            engine.tick(Tick::at(now))?;
            for (slug, edit) in fleet::edits() {
                let key = MonitorKey { project: ProjectId::new(1), slug: slug.parse()? };
                engine.edit_monitor(&key, &edit, now)?;
            }
            Ok::<(), Failure>(())
        })
        .await??;
    Ok(())
}

/// Processes a message of the history, after the ticks that come before it.
fn live_through(engine: &ServerEngine, message: &Message) -> Result<(), Failure> {
    while let Some(due) = engine.next_deadline()?.filter(|due| *due <= message.received_at) {
        engine.tick(Tick::at(due))?;
    }
    engine.process_checkin(message)?;
    Ok(())
}

/// Runs all jobs until it is dropped.
pub(crate) async fn run(app: App) {
    let start = time::now();
    let mut jobs = JoinSet::new();
    for job in &FLEET {
        jobs.spawn(go_on(app.clone(), job, start));
    }
    while let Some(ended) = jobs.join_next().await {
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "a made-up job gave up");
        }
    }
    // The demo is optional: if no job is left, that is not a failure.
    std::future::pending::<()>().await;
}

async fn go_on(app: App, job: &'static Job, start: DateTime<Utc>) -> Result<(), Failure> {
    loop {
        let now = time::now();
        let Some(slot) = job.slots(now, now + HISTORY)?.into_iter().next() else { return Ok(()) };
        tokio::time::sleep(time::until(slot)).await;
        for message in job.run(slot, start)?.messages() {
            tokio::time::sleep(time::until(message.received_at)).await;
            app.writer.ask(move |engine| engine.process_checkin(&message).map(drop)).await??;
        }
    }
}

fn message(project: u64, at: DateTime<Utc>, body: impl Into<Body>) -> Message {
    Message::new(ORGANIZATION, ProjectId::new(project), at, body)
}

/// One run of a job, past or future.
struct Run {
    project: u64,
    checkin: Checkin,
    started: DateTime<Utc>,
    takes: TimeDelta,
    fate: Fate,
}

impl Run {
    /// The check-ins of the run, in order.
    fn messages(self) -> Vec<Message> {
        let Self { project, checkin, started, takes, fate } = self;
        let say = |at, status, duration: Option<TimeDelta>| {
            let mut said = Checkin::new(checkin.slug().clone(), checkin.run(), status)
                .with_environment(checkin.environment().clone())
                .with_release(checkin.release().unwrap_or_default());
            if let Ok(Some(config)) = checkin.config() {
                said = said.with_config(config.clone());
            }
            let duration = duration.and_then(|took| u32::try_from(took.num_milliseconds()).ok());
            if let Some(duration) = duration.and_then(|took| RunDuration::new(took).ok()) {
                said = said.with_duration(duration);
            }
            message(project, at, said)
        };
        let begin = say(started, CheckinStatus::InProgress, None);
        let end = |status| say(started + takes, status, Some(takes));
        match fate {
            Fate::Well => vec![begin, end(CheckinStatus::Ok)],
            Fate::Fails => vec![begin, end(CheckinStatus::Error)],
            Fate::Hangs => vec![begin],
            Fate::StaysAway => Vec::new(),
        }
    }
}

impl Job {
    fn schedule(&self) -> Result<Schedule, Failure> {
        Ok(Schedule::crontab(self.crontab, self.zone.parse()?)?)
    }

    /// The times at which it is due, after one time and up to another.
    fn slots(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>, Failure> {
        let schedule = self.schedule()?;
        let next = |at: &DateTime<Utc>| schedule.next(*at);
        Ok(std::iter::successors(next(&after), next).take_while(|slot| *slot <= until).collect())
    }

    /// The run due at this time, given the start of the demo.
    fn run(&self, slot: DateTime<Utc>, start: DateTime<Utc>) -> Result<Run, Failure> {
        let config = MonitorConfig::builder()
            .schedule(self.schedule()?)
            .margin(Margin::new(self.margin)?)
            .max_runtime(MaxRuntime::new(self.longest)?);
        let config = match self.owner {
            Some(owner) => config.owner(owner.parse()?),
            None => config,
        };
        let chance = self.chance(slot);
        let id = Uuid::from_u64_pair(chance, self.chance(DateTime::UNIX_EPOCH));
        let checkin = Checkin::new(self.slug.parse()?, RunId::from_uuid(id), CheckinStatus::InProgress)
            .with_environment(self.environment.parse()?)
            .with_release(self.release)
            .with_config(config.update()?);
        let wobble = 70 + i32::try_from(chance % 60).unwrap_or_default();
        let takes = TimeDelta::seconds(self.takes.into()) * wobble / 100;
        let started = slot + TimeDelta::milliseconds(300 + i64::try_from(chance % 2_900).unwrap_or_default());
        Ok(Run { project: self.project, checkin, started, takes, fate: self.fate(slot, start) })
    }
}
