//! A nightly job checks in, stays away for a night, and recovers. Time is simulated, so it ends at once:
//!
//! ```sh
//! cargo run --example quickstart
//! ```

use std::sync::mpsc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use overdue::checkin::{Checkin, CheckinStatus, RunRef};
use overdue::config::MonitorConfig;
use overdue::id::{OrganizationId, ProjectId};
use overdue::outcome::{Effect, Outcome, TickEffect};
use overdue::row::Deadline;
use overdue::{Engine, Event, MemoryStore, Message, Policy, Tick};

/// What the job sends, and when it reaches us. On Tuesday its host is down until somebody is alerted.
const STORY: [(&str, CheckinStatus); 4] = [
    ("2024-09-02T02:00:04Z", CheckinStatus::InProgress),
    ("2024-09-02T02:11:30Z", CheckinStatus::Ok),
    ("2024-09-03T03:05:00Z", CheckinStatus::InProgress),
    ("2024-09-03T03:17:20Z", CheckinStatus::Ok),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An engine is a store, somebody to tell, and a policy.
    let (sink, told) = mpsc::channel();
    let engine = Engine::new(MemoryStore::new(), Policy::default()).with_sink(sink);
    // The job brings its own configuration: due every night at two, and at most a quarter of an hour late.
    let config =
        MonitorConfig::builder().crontab("0 2 * * *").margin(Duration::from_secs(15 * 60)).update()?;

    for (time, status) in STORY {
        let received_at: DateTime<Utc> = time.parse()?;
        // The clock ticks when a deadline passes. Here it jumps from one to the next.
        while let Some(deadline) = engine.next_deadline()?.filter(|deadline| *deadline <= received_at) {
            for outcome in engine.tick(Tick::at(deadline))?.outcomes {
                if let TickEffect::Missed(run) = outcome.effect {
                    say(deadline, "clock", "missed", &run.health, run.deadline);
                }
            }
            told.try_iter().for_each(tell);
        }
        // Then the check-in is looked at. This job keeps no ids: it always means its newest run.
        let checkin =
            Checkin::new("nightly-backup".parse()?, RunRef::Anonymous, status).with_config(config.clone());
        let (organization, project) = (OrganizationId::new(1), ProjectId::new(1));
        match engine.process_checkin(&Message::new(organization, project, received_at, checkin))? {
            Outcome::Accepted(run) => {
                say(received_at, "job", status.as_str(), &run.health, run.deadline);
            }
            refused => println!("{refused:?}"),
        }
        told.try_iter().for_each(tell);
    }
    Ok(())
}

/// Every answer says what was decided and why, and when the next run is awaited.
fn say(at: DateTime<Utc>, who: &str, what: &str, health: &Effect, deadline: Option<Deadline>) {
    let next = deadline.map(|deadline| deadline.closes().format("%a %H:%M").to_string()).unwrap_or_default();
    let why = health.to_string();
    println!("{}  {who:<5}  {what:<11}  {why:<43}  next by {next}", at.format("%a %H:%M"));
}

/// What a host would send to a pager or a chat.
fn tell(event: Event) {
    match event {
        Event::IncidentOpened(alert) => {
            println!("{:>9}  told   {}: {}", "", alert.monitor.name(), alert.reason());
        }
        Event::IncidentResolved(recovery) => {
            let (name, since) = (recovery.monitor.name(), recovery.incident.started_at());
            let outage = recovery.resolution.at.signed_duration_since(since);
            println!("{:>9}  told   {name}: well again after {} minutes", "", outage.num_minutes());
        }
        _ => {}
    }
}
