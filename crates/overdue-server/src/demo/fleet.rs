//! The jobs of the fleet, and their troubles.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, TimeDelta, Utc};
use overdue::row::MonitorStatus;
use overdue::rules::Edit;

/// A job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) project: u64,
    pub(super) slug: &'static str,
    pub(super) environment: &'static str,
    pub(super) crontab: &'static str,
    pub(super) zone: &'static str,
    /// In minutes.
    pub(super) margin: u32,
    pub(super) longest: u32,
    /// In seconds, more or less.
    pub(super) takes: u32,
    pub(super) owner: Option<&'static str>,
    pub(super) release: &'static str,
    /// What goes wrong between two times, in minutes from the start of the demo.
    trouble: Option<(Fate, i64, i64)>,
    /// The percentage of runs that fail without a reason.
    bad_luck: u64,
}

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Well,
    Fails,
    StaysAway,
    Hangs,
}

const fn job(slug: &'static str, crontab: &'static str, takes: u32) -> Job {
    Job {
        project: 1,
        slug,
        environment: "production",
        crontab,
        zone: "UTC",
        margin: 2,
        longest: 30,
        takes,
        owner: None,
        release: "",
        trouble: None,
        bad_luck: 0,
    }
}

impl Job {
    const fn zone(self, zone: &'static str) -> Self {
        Self { zone, ..self }
    }
    const fn at(self, environment: &'static str) -> Self {
        Self { environment, ..self }
    }
    const fn of(self, owner: &'static str, release: &'static str) -> Self {
        Self { owner: Some(owner), release, ..self }
    }
    const fn unlucky(self, bad_luck: u64) -> Self {
        Self { bad_luck, ..self }
    }
    const fn within(self, longest: u32) -> Self {
        Self { longest, ..self }
    }
    const fn fails(self, from: i64, to: i64) -> Self {
        Self { trouble: Some((Fate::Fails, from, to)), ..self }
    }
    const fn stays_away(self, from: i64, to: i64) -> Self {
        Self { trouble: Some((Fate::StaysAway, from, to)), ..self }
    }
    const fn hangs(self, from: i64, to: i64) -> Self {
        Self { trouble: Some((Fate::Hangs, from, to)), ..self }
    }
    const fn in_project(self, project: u64) -> Self {
        Self { project, ..self }
    }

    /// A number between 0 and a very large one, always the same for the same run.
    pub(super) fn chance(&self, slot: DateTime<Utc>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.project, self.slug, self.environment, slot.timestamp()).hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn fate(&self, slot: DateTime<Utc>, start: DateTime<Utc>) -> Fate {
        let minutes = (slot - start).num_minutes();
        match self.trouble {
            Some((trouble, from, to)) if (from..to).contains(&minutes) => trouble,
            _ if self.chance(slot) % 100 < self.bad_luck => Fate::Fails,
            _ => Fate::Well,
        }
    }
}

/// Jobs in trouble come first, to be visible.
pub(super) static FLEET: [Job; 40] = [
    job("send-invoices", "*/15 * * * *", 48).of("team:3", "billing@5.2.1").fails(-100, 25),
    job("replicate-orders", "*/10 * * * *", 95).of("team:7", "warehouse@118").stays_away(-35, 15),
    job("rebuild-search-index", "0 * * * *", 900).within(40).hangs(-190, 10),
    job("import-exchange-rates", "*/5 * * * *", 7).of("team:3", "rates@1.9.0").fails(-18, 4),
    job("sync-inventory", "*/5 * * * *", 33).unlucky(14),
    job("sync-inventory", "*/5 * * * *", 41).at("staging").fails(-600, 600),
    job("heartbeat", "* * * * *", 2),
    job("drain-mail-queue", "*/2 * * * *", 9),
    job("poll-carrier-status", "*/5 * * * *", 21).unlucky(4),
    job("expire-sessions", "*/10 * * * *", 4),
    job("refresh-dashboards", "*/10 * * * *", 52).hangs(-240, -170),
    job("rotate-logs", "0 * * * *", 12),
    job("rotate-logs", "0 * * * *", 14).at("staging"),
    job("hourly-rollup", "5 * * * *", 140).of("team:7", "warehouse@118"),
    job("hourly-rollup", "5 * * * *", 120).at("staging").unlucky(8),
    job("geocode-addresses", "20 * * * *", 310).stays_away(-1_400, -1_100),
    job("thumbnail-backlog", "*/15 * * * *", 180).unlucky(2),
    job("fraud-scoring", "*/15 * * * *", 66).of("user:12", "fraud@2024.11"),
    job("warm-caches", "*/30 * * * *", 25),
    job("retry-webhooks", "*/5 * * * *", 6),
    job("collect-metrics", "* * * * *", 3).at("eu-west"),
    job("collect-metrics", "* * * * *", 3).at("us-east"),
    job("collect-metrics", "* * * * *", 4).at("ap-south").unlucky(3),
    job("backup-postgres", "30 2 * * *", 2_700).zone("Europe/Berlin").within(120).of("team:1", "ops@88"),
    job("backup-object-store", "0 3 * * *", 5_400).zone("Europe/Berlin").within(180).fails(-6_000, -4_000),
    job("verify-backups", "0 6 * * *", 640).zone("Europe/Berlin").within(60).of("team:1", "ops@88"),
    job("nightly-etl", "15 1 * * *", 3_100).zone("America/New_York").within(120).unlucky(5),
    job("close-the-books", "0 5 * * 1-5", 1_200)
        .zone("America/New_York")
        .within(60)
        .of("team:3", "ledger@3.1"),
    job("weekly-report", "0 8 * * 1", 75).zone("Europe/London"),
    job("renew-certificates", "17 4 * * *", 19),
    job("purge-deleted-accounts", "40 3 * * *", 260),
    job("vacuum-database", "0 4 * * 0", 1_900).within(90),
    job("send-digests", "0 7 * * *", 420).zone("America/Los_Angeles"),
    job("update-recommendations", "0 */6 * * *", 2_200).within(60),
    job("check-dead-links", "30 */4 * * *", 800).unlucky(10),
    job("archive-tickets", "10 0 * * *", 90),
    job("legacy-export", "0 */2 * * *", 30).fails(-3_000, 3_000),
    job("old-ftp-upload", "*/30 * * * *", 15),
    job("compact-timeseries", "*/20 * * * *", 130).in_project(2),
    job("alert-rules-sync", "*/10 * * * *", 5).in_project(2).unlucky(3),
];

/// Edits that people have made.
pub(super) fn edits() -> [(&'static str, Edit); 5] {
    [
        ("legacy-export", Edit::Muted(true)),
        ("old-ftp-upload", Edit::Status(MonitorStatus::Disabled)),
        ("backup-postgres", Edit::Name("Back up PostgreSQL".into())),
        ("close-the-books", Edit::Name("Close the books".into())),
        ("sync-inventory", Edit::Name("Sync inventory".into())),
    ]
}

/// Check-ins that are rejected.
pub(super) fn mistakes(start: DateTime<Utc>) -> impl Iterator<Item = (DateTime<Utc>, &'static str)> {
    let ago = move |minutes| start - TimeDelta::minutes(minutes);
    [
        (ago(190), r#"{"check_in_id": "last", "monitor_slug": "rotate-logs", "status": "ok"}"#),
        (ago(64), r#"{"check_in_id": "8f5a2d1c3b4e4f6081726354a5b6c7d8", "monitor_slug": "nightly-bakcup", "status": "ok"}"#),
        (
            ago(12),
            r#"{"check_in_id": "9f5a2d1c3b4e4f6081726354a5b6c7d8", "monitor_slug": "end-of-february", "status": "in_progress",
                "monitor_config": {"schedule": {"type": "crontab", "value": "0 0 31 2 *"}}}"#,
        ),
    ]
    .into_iter()
}
