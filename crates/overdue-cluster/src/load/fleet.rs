//! Jobs that check in.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use overdue::clock::Tick;
use overdue::id::{OrganizationId, ProjectId, Version};
use overdue::store::{MonitorChange, Put, Transition};
use overdue::{Engine, MemoryStore, Message, Policy};
use overdue_cluster::database::{Database, Lease, Then};
use serde_json::json;
use uuid::Uuid;

use crate::Failure;

/// Midnight, the fourth of October 2024.
fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

/// Jobs that succeed, without a missed run within a month.
#[derive(Debug)]
pub(crate) struct Fleet {
    jobs: usize,
    sent: usize,
}

impl Fleet {
    pub(crate) const fn new(jobs: usize) -> Self {
        Self { jobs, sent: 0 }
    }

    /// A check-in of each job, with its schedule.
    pub(crate) fn first_checkins(&mut self) -> Vec<Message> {
        let schedule =
            json!({"schedule": {"type": "crontab", "value": "0 12 4 11 *"}, "timezone": "Europe/Vienna"});
        (0..self.jobs).map(|_| self.checkin(&schedule)).collect()
    }

    /// Check-ins of jobs in no particular order.
    pub(crate) fn checkins(&mut self, count: usize) -> Vec<Message> {
        (0..count).map(|_| self.checkin(&json!(null))).collect()
    }

    fn checkin(&mut self, config: &serde_json::Value) -> Message {
        // The factor is a prime, so that each job has its turn.
        let job = (self.sent * 7_919) % self.jobs;
        self.sent += 1;
        let id = Uuid::from_u128((self.sent as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let slug = format!("job-{job}");
        let body = json!({"check_in_id": id, "monitor_slug": slug, "status": "ok", "monitor_config": config});
        let at = start() + TimeDelta::milliseconds(self.sent as i64);
        Message::new(OrganizationId::new(1), ProjectId::new(1), at, body.to_string().into_bytes())
    }
}

/// The number of rows that are written at a time.
const PAGE: usize = 4_000;

/// Fills a database with environments. `due` of them are due at the second of two ticks, and none at the
/// first. Returns the ticks. The rows are those of the engine, but written all at once.
pub(crate) async fn furnish(
    database: &Database,
    lease: Lease,
    environments: usize,
    due: usize,
) -> Result<(Tick, Tick), Failure> {
    let start = start() + TimeDelta::days(1);
    let mut first = 0;
    while first < environments {
        let engine = Engine::new(MemoryStore::new(), Policy::default());
        let last = (first + PAGE).min(environments);
        for number in first..last {
            // Due in two hours, or in a month.
            let schedule = if number < due { "0 2 * * *" } else { "0 12 4 11 *" };
            let body = json!({
                "check_in_id": Uuid::from_u128(number as u128 + 1),
                "monitor_slug": format!("tick-{number}"),
                "status": "ok",
                "monitor_config": {"schedule": {"type": "crontab", "value": schedule}},
            });
            let body = body.to_string().into_bytes();
            let message = Message::new(OrganizationId::new(1), ProjectId::new(2), start, body);
            engine.process_checkin(&message)?;
        }
        let transitions: Vec<Transition> = engine
            .store()
            .monitors()
            .into_iter()
            .map(|monitor| Transition {
                organization: None,
                environments: engine
                    .store()
                    .environments(monitor.key())
                    .into_iter()
                    .map(|row| Put { row: Box::new(row), replaces: Version::NEW })
                    .collect(),
                monitor: MonitorChange::Put(Put { row: Arc::clone(&monitor), replaces: Version::NEW }),
                runs: Vec::new(),
                incidents: Vec::new(),
                events: Vec::new(),
            })
            .collect();
        database.begin().await?.write((lease, 0), &transitions, &[], Then::Commit).await?;
        first = last;
    }
    let tick = |after| Tick::at(start + after);
    Ok((tick(TimeDelta::minutes(30)), tick(TimeDelta::minutes(150))))
}
