//! The rules in an asynchronous host: no `Store`, no `Engine`, a database behind `await`.
//!
//! ```sh
//! cargo run --example async_host
//! ```
//!
//! Four workers read the same stream of check-ins at once, as they may when messages are delivered more than
//! once, and a ticker works beside them. A commit on rows that have changed in the meantime is a conflict: the
//! worker loads and decides again. In the end the rows and the events are those of a single worker.

#![expect(clippy::arithmetic_side_effects, reason = "the tally counts to a hundred")]

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use overdue::admission::{AdmitAll, ValidCheckin};
use overdue::clock::{Clock, PartitionId, Tick};
use overdue::event::Rejection;
use overdue::id::{
    EnvironmentId, EnvironmentKey, IncidentId, MonitorKey, OrganizationId, ProjectId, RunId, Version,
};
use overdue::outcome::{DueOutcome, Outcome};
use overdue::row::{Environment, Incident, Monitor, Organization, Run, RunStatus};
use overdue::rules::{self, Decision};
use overdue::store::{MonitorChange, Put, PutRun, Query, RunLookup, RunQuery, Snapshot, Transition};
use overdue::wire::Message;
use overdue::{Event, Policy};
use tokio::sync::{Mutex, mpsc};
use tokio::task::{JoinSet, yield_now};

// ---- the database ----

/// Tables by key. A lock stands for a transaction, and `yield_now` for a round trip to the server.
#[derive(Default)]
struct Database {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default, PartialEq)]
struct Tables {
    organizations: HashMap<OrganizationId, Organization>,
    monitors: HashMap<MonitorKey, Arc<Monitor>>,
    environments: HashMap<EnvironmentId, Environment>,
    runs: HashMap<RunId, Run>,
    incidents: HashMap<IncidentId, Arc<Incident>>,
    /// The events to send.
    outbox: Vec<Event>,
}

/// The rows have changed since they were read.
struct Conflict;

impl Database {
    /// One read transaction: everything in it stood there at one moment.
    async fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Snapshot {
        yield_now().await;
        let tables = self.tables.lock().await;
        let monitor = tables.monitors.get(&key.monitor).cloned();
        let id = EnvironmentId::of(key);
        let environment = tables.environments.get(&id).cloned().map(Box::new);
        let run = match query.run() {
            RunQuery::None => None,
            RunQuery::Id(run) => tables.run(id, run),
            RunQuery::Anonymous(message) => {
                tables.run_of_message(id, message).or_else(|| tables.newest_open(id))
            }
        };
        let here = run.as_ref().and_then(RunLookup::own);
        // Only now that these rows are known can the query say which past runs matter. Mostly none does.
        let window = monitor.as_ref().zip(environment.as_ref());
        let window = window.and_then(|(monitor, environment)| query.history(monitor, environment, here));
        let mut history = Vec::new();
        if let Some(window) = window {
            history.extend(tables.runs_of(id).map(Run::summary).filter(|run| window.matches(run)));
            history.sort_by_key(|run| std::cmp::Reverse(run.order()));
            history.truncate(window.count as usize);
        }
        let organization = query
            .organization()
            .filter(|_| monitor.is_none())
            .map(|id| tables.organizations.get(&id).cloned().unwrap_or_else(|| Organization::new(id)));
        Snapshot { organization, monitor, environment, run, history }
    }

    /// One write transaction: all of it, or nothing and a conflict.
    async fn commit(&self, transition: Transition) -> Result<(), Conflict> {
        yield_now().await;
        let mut tables = self.tables.lock().await;
        // Without `..`: a release that adds a kind of row will not compile until it is stored.
        let Transition { organization, monitor, environments, runs, incidents, events } = transition;
        let current = tables.monitor_version(monitor.key()) == monitor.expects()
            && organization.iter().all(|put| tables.organization_version(put.row.id()) == put.replaces)
            && environments.iter().all(|put| tables.environment_version(put.row.id()) == put.replaces)
            && runs.iter().all(|put| !matches!(put, PutRun::New(run) if tables.runs.contains_key(&run.id())));
        if !current {
            return Err(Conflict);
        }
        if let Some(Put { row, .. }) = organization {
            tables.organizations.insert(row.id(), row);
        }
        match monitor {
            MonitorChange::Keep(_) => {}
            MonitorChange::Put(Put { row, .. }) => drop(tables.monitors.insert(row.key().clone(), row)),
            MonitorChange::Remove(row) => tables.remove(row.key()),
        }
        tables.environments.extend(environments.into_iter().map(|put| (put.row.id(), *put.row)));
        tables.runs.extend(runs.into_iter().map(|put| match put {
            PutRun::New(run) | PutRun::Changed(run) => (run.id(), *run),
        }));
        tables.incidents.extend(incidents.into_iter().map(|incident| (incident.id(), incident)));
        tables.outbox.extend(events);
        Ok(())
    }

    /// The environments whose run is missed by this time: in a real database an index, read in pages.
    async fn misses_due(&self, time: DateTime<Utc>) -> Vec<EnvironmentKey> {
        yield_now().await;
        let tables = self.tables.lock().await;
        let due = tables.environments.values().filter(|row| row.due_at().is_some_and(|at| at <= time));
        due.map(|row| row.key().clone()).collect()
    }

    /// The runs that have taken too long by this time: another index.
    async fn timeouts_due(&self, time: DateTime<Utc>) -> Vec<(EnvironmentKey, RunId)> {
        yield_now().await;
        let tables = self.tables.lock().await;
        let due = tables.runs.values().filter(|run| run.due_at().is_some_and(|at| at <= time));
        due.filter_map(|run| Some((tables.key(run.environment())?, run.id()))).collect()
    }
}

impl Tables {
    fn run(&self, environment: EnvironmentId, id: RunId) -> Option<RunLookup> {
        let run = self.runs.get(&id)?;
        match run.environment() == environment {
            true => Some(RunLookup::Own(Box::new(run.clone()))),
            false => self.key(run.environment()).map(RunLookup::Foreign),
        }
    }

    /// Returns the run of this environment that a message without a run id started or finished.
    fn run_of_message(&self, environment: EnvironmentId, message: RunId) -> Option<RunLookup> {
        let mut runs = self.runs_of(environment);
        let run = runs.find(|run| run.id() == message || run.closed_by() == Some(message))?;
        Some(RunLookup::Own(Box::new(run.clone())))
    }

    fn newest_open(&self, environment: EnvironmentId) -> Option<RunLookup> {
        let open = self.runs_of(environment).filter(|run| run.status() == RunStatus::InProgress);
        open.max_by_key(|run| run.summary().order()).map(|run| RunLookup::Own(Box::new(run.clone())))
    }

    fn runs_of(&self, environment: EnvironmentId) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(move |run| run.environment() == environment)
    }

    fn key(&self, environment: EnvironmentId) -> Option<EnvironmentKey> {
        self.environments.get(&environment).map(|row| row.key().clone())
    }

    fn organization_version(&self, id: OrganizationId) -> Version {
        self.organizations.get(&id).map_or(Version::NEW, Organization::version)
    }

    fn monitor_version(&self, key: &MonitorKey) -> Version {
        self.monitors.get(key).map_or(Version::NEW, |row| row.version())
    }

    fn environment_version(&self, id: EnvironmentId) -> Version {
        self.environments.get(&id).map_or(Version::NEW, Environment::version)
    }

    fn remove(&mut self, monitor: &MonitorKey) {
        self.monitors.remove(monitor);
        let gone = self.environments.extract_if(|_, row| row.key().monitor == *monitor);
        let gone: Vec<EnvironmentId> = gone.map(|(id, _)| id).collect();
        self.runs.retain(|_, run| !gone.contains(&run.environment()));
        self.incidents.retain(|_, incident| !gone.contains(&incident.environment()));
    }
}

// ---- the host ----

#[derive(Default)]
struct Host {
    database: Database,
    policy: Policy,
    clock: Mutex<Clock>,
    /// The sink of rejected check-ins: no transition holds them.
    rejections: Mutex<Vec<Event>>,
    tally: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    commits: u32,
    conflicts: u32,
    nothing_new: u32,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commits, conflicts, nothing_new } = self;
        write!(f, "{commits:>2} commits, {conflicts:>2} conflicts, {nothing_new:>2} times nothing new")
    }
}

impl Host {
    /// Loads, decides and commits until there is no conflict. This loop is all that an engine is.
    async fn settle<T>(
        &self,
        key: &EnvironmentKey,
        query: Query<'_>,
        decide: impl Fn(Snapshot) -> Decision<T>,
    ) -> T {
        loop {
            let Decision { transition, outcome } = decide(self.database.load(key, &query).await);
            let Some(transition) = transition else {
                self.tally.lock().await.nothing_new += 1;
                return outcome;
            };
            let committed = self.database.commit(transition).await;
            let mut tally = self.tally.lock().await;
            match committed {
                Ok(()) => {
                    tally.commits += 1;
                    return outcome;
                }
                // Each conflict means that another commit succeeded, so this ends.
                Err(Conflict) => tally.conflicts += 1,
            }
        }
    }

    async fn process_checkin(&self, message: &Message) -> Outcome {
        let outcome = match ValidCheckin::admit(message, &AdmitAll, &self.policy) {
            Ok(valid) => {
                let decide = |snapshot| rules::process_checkin(snapshot, &valid, &self.policy);
                self.settle(&valid.key(), Query::checkin(&valid, &self.policy), decide).await
            }
            Err(answer) => *answer,
        };
        if let Outcome::Rejected(rejected) = &outcome {
            let rejection = Rejection::new(message.clone(), rejected.errors.clone());
            self.rejections.lock().await.push(Event::Rejected(rejection));
        }
        outcome
    }

    async fn tick(&self, tick: Tick) -> Vec<DueOutcome> {
        let mut outcomes = Vec::new();
        for key in self.database.misses_due(tick.time()).await {
            let decide = |snapshot| rules::check_missed(snapshot, &key, tick, &self.policy);
            outcomes.push(self.settle(&key, Query::miss(&self.policy), decide).await);
        }
        for (key, run) in self.database.timeouts_due(tick.time()).await {
            let decide = |snapshot| rules::check_timeout(snapshot, &key, tick, &self.policy);
            outcomes.push(self.settle(&key, Query::run_of(run, &self.policy), decide).await);
        }
        outcomes
    }

    /// Handles the whole stream. Sends the ticker the minutes that all workers have reached.
    async fn work(&self, partition: PartitionId, stream: &[Message], ticks: mpsc::UnboundedSender<Tick>) {
        for message in stream {
            self.process_checkin(message).await;
            for tick in self.clock.lock().await.observe(partition, message.received_at) {
                let _ = ticks.send(tick);
            }
        }
    }
}

// ---- the stream ----

/// An hourly job fails twice in a row, which opens an incident, and recovers. In staging it ran once.
const STREAM: [(&str, &str, u32, &str); 10] = [
    ("2024-09-02T10:00:01Z", "staging", 0, "ok"),
    ("2024-09-02T10:00:02Z", "production", 1, "in_progress"),
    ("2024-09-02T10:04:30Z", "production", 1, "ok"),
    ("2024-09-02T11:00:02Z", "production", 2, "in_progress"),
    ("2024-09-02T11:02:50Z", "production", 2, "error"),
    ("2024-09-02T12:00:01Z", "production", 3, "in_progress"),
    ("2024-09-02T12:10:01Z", "production", 3, "in_progress"),
    ("2024-09-02T12:20:40Z", "production", 3, "error"),
    ("2024-09-02T13:00:02Z", "production", 4, "in_progress"),
    ("2024-09-02T13:04:10Z", "production", 4, "ok"),
];

fn message(at: &str, environment: &str, run: u32, status: &str) -> Result<Message, Box<dyn Error>> {
    let payload = format!(
        r#"{{
            "check_in_id": "{run:032x}", "monitor_slug": "import", "environment": "{environment}", "status": "{status}",
            "monitor_config": {{
                "schedule": {{"type": "crontab", "value": "0 * * * *"}},
                "checkin_margin": 5, "failure_issue_threshold": 2
            }}
        }}"#
    );
    let (organization, project) = (OrganizationId::new(1), ProjectId::new(1));
    Ok(Message { organization, project, received_at: at.parse()?, body: payload.into_bytes().into() })
}

async fn run(workers: u64, stream: &Arc<[Message]>) -> Result<Arc<Host>, Box<dyn Error>> {
    let host = Arc::new(Host::default());
    let (ticks, mut ticked) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for partition in (0..workers).map(PartitionId::new) {
        // All of them before the first message: the clock waits for the partitions that it knows.
        host.clock.lock().await.register(partition);
    }
    for partition in (0..workers).map(PartitionId::new) {
        let (host, stream, ticks) = (Arc::clone(&host), Arc::clone(stream), ticks.clone());
        tasks.spawn(async move { host.work(partition, &stream, ticks).await });
    }
    drop(ticks);
    let ticker = Arc::clone(&host);
    tasks.spawn(async move {
        while let Some(tick) = ticked.recv().await {
            ticker.tick(tick).await;
        }
    });
    while let Some(done) = tasks.join_next().await {
        done?;
    }
    Ok(host)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let stream = STREAM.map(|(at, environment, run, status)| message(at, environment, run, status));
    let stream: Arc<[Message]> = stream.into_iter().collect::<Result<_, _>>()?;
    let (one, four) = (run(1, &stream).await?, run(4, &stream).await?);
    println!("one worker:   {}", one.tally.lock().await);
    println!("four workers: {}", four.tally.lock().await);
    let (rejected, repeated) = (one.rejections.lock().await.len(), four.rejections.lock().await.len());
    println!("rejected: {rejected} with one worker, {repeated} results delivered again with four");

    let (mut one, mut four) = (one.database.tables.lock().await, four.database.tables.lock().await);
    for event in &four.outbox {
        match event {
            Event::IncidentOpened(alert) => println!("  {} opened: {}", alert.environment, alert.reason()),
            Event::IncidentResolved(recovery) => println!("  {} resolved", recovery.environment),
            _ => {}
        }
    }
    // The order of events is promised within one environment, not between two.
    one.outbox.sort_by_key(Event::id);
    four.outbox.sort_by_key(Event::id);
    if *one != *four {
        return Err("four workers came to another result than one".into());
    }
    println!(
        "the same {} runs, {} incidents and {} events",
        four.runs.len(),
        four.incidents.len(),
        four.outbox.len()
    );
    Ok(())
}
