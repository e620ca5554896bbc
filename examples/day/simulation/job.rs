//! One job: how it runs, what goes wrong with it, and what it deserves for that.

use overdue::Schedule;
use overdue::checkin::CheckinStatus;
use overdue::config::MonitorConfig;
use overdue::field_errors::FieldErrors;
use overdue::id::{MonitorKey, OrganizationId};
use rand::Rng;
use rand::rngs::StdRng;

use super::pace::Pace;

/// Minutes of a day.
pub(crate) const DAY: u32 = 1440;

pub(crate) const MINUTE_MS: u32 = 60_000;

/// Longer than the day: for good.
const FOR_GOOD: u32 = 2 * DAY;

#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) organization: OrganizationId,
    pub(crate) key: MonitorKey,
    pub(crate) pace: Pace,
    /// Says when it starts, too.
    pub(crate) says_start: bool,
    /// In minutes.
    margin: u32,
    max_runtime: u32,
    /// How long a run takes, and how late it may begin without being missed, in milliseconds.
    takes: u32,
    slack: u32,
    /// So many failures in a row open an incident. Only jobs that fail now and then have more than one.
    pub(crate) threshold: u32,
    trouble: Option<(Trouble, u32)>,
    /// The minute from which its crontab can start it again, and the one until which it fails.
    pub(crate) free_from: u32,
    failing_until: u32,
    pub(crate) deserves: Deserts,
}

/// What befalls a job, once a day at most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trouble {
    /// Its runs fail for a while.
    Fails,
    /// It does not run for a while.
    StaysAway,
    /// One run begins only after it was missed.
    ComesLate,
    /// One run never ends, and as long as it hangs there is no other.
    Hangs,
}

/// What a job deserves to be thought of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Deserts {
    /// Incidents so far.
    pub(crate) incidents: u32,
    /// Whether the last of them is still open.
    pub(crate) open: bool,
    /// Runs in a row that failed.
    errors: u32,
}

impl Deserts {
    pub(crate) fn hear(&mut self, status: CheckinStatus, threshold: u32) {
        match status {
            CheckinStatus::InProgress => {}
            CheckinStatus::Ok => *self = Self { incidents: self.incidents, ..Self::default() },
            CheckinStatus::Error => {
                self.errors += 1;
                if self.errors >= threshold {
                    self.noticed();
                }
            }
        }
    }

    fn noticed(&mut self) {
        self.incidents += u32::from(!self.open);
        self.open = true;
    }
}

impl Job {
    pub(crate) fn new(
        organization: OrganizationId,
        key: MonitorKey,
        pace: Pace,
        random: &mut StdRng,
    ) -> Self {
        let interval = pace.interval();
        let says_start = random.random_bool(0.5);
        // A run is over before the next is due, even one that takes a third longer than usual and begins late.
        let takes = random.random_range(400..(interval * MINUTE_MS / 2).clamp(2_000, 45 * MINUTE_MS));
        let takes = if random.random_bool(0.7) { takes / 10 + 100 } else { takes };
        let least = if matches!(pace, Pace::After(_)) { 2 } else { 1 };
        let slack = (interval * MINUTE_MS / 5).min(least * 50_000);
        // The first word of a run that says only how it ended comes when it ends.
        let waits = if says_start { 0 } else { minutes(slack + takes / 3 * 4) };
        let margin = least + waits + random.random_range(0..=(interval / 12).min(10));
        let threshold = if random.random_bool(0.1) { random.random_range(2..=3) } else { 1 };
        let mut job = Self {
            organization,
            key,
            pace,
            says_start,
            margin,
            max_runtime: minutes(takes / 3 * 4) + random.random_range(5..=30),
            takes,
            slack,
            threshold,
            trouble: None,
            free_from: 0,
            failing_until: 0,
            deserves: Deserts::default(),
        };
        job.trouble = job.draw_trouble(random);
        job
    }

    fn draw_trouble(&self, random: &mut StdRng) -> Option<(Trouble, u32)> {
        let trouble = match random.random_range(0..1000) {
            0..15 => Trouble::Fails,
            15..25 if self.threshold == 1 => Trouble::StaysAway,
            25..33 if self.threshold == 1 => Trouble::ComesLate,
            33..43 if self.threshold == 1 && self.says_start => Trouble::Hangs,
            _ => return None,
        };
        let runs_often = self.pace.interval() < DAY;
        Some((trouble, if runs_often { random.random_range(0..DAY) } else { 0 }))
    }

    pub(crate) fn config(&self, schedule: Schedule) -> Result<MonitorConfig, FieldErrors> {
        MonitorConfig::builder()
            .schedule(schedule)
            .margin(self.margin)
            .max_runtime(self.max_runtime)
            .failure_threshold(self.threshold)
            .build()
    }

    /// Whether trouble begins with the run of this minute. It waits for a run from which it can be noticed while
    /// the day lasts.
    pub(crate) fn strike(&mut self, minute: u32, random: &mut StdRng) -> Option<Trouble> {
        let (trouble, _) = self.trouble.filter(|(_, from)| *from <= minute)?;
        let noticed = match trouble {
            Trouble::Fails => 0,
            Trouble::StaysAway | Trouble::ComesLate => {
                self.margin + minutes(self.slack + self.takes / 3 * 4) + 2
            }
            Trouble::Hangs => self.max_runtime + minutes(self.slack) + 2,
        };
        if minute + noticed >= DAY {
            return None;
        }
        self.trouble = None;
        let lasts = match trouble {
            Trouble::ComesLate => random.random_range(0..30),
            _ if random.random_bool(0.1) => FOR_GOOD,
            _ => random.random_range(1..240),
        };
        let until = minute + noticed + lasts;
        match trouble {
            Trouble::Fails => self.failing_until = until,
            Trouble::StaysAway | Trouble::Hangs => self.free_from = until,
            // It runs at last, and the crontab waits for that.
            Trouble::ComesLate => self.free_from = until + 1,
        }
        if trouble != Trouble::Fails {
            self.deserves.noticed();
        }
        Some(trouble)
    }

    /// How many milliseconds after its time a run begins: almost always at once.
    pub(crate) fn delay(&self, random: &mut StdRng) -> u32 {
        let most = if random.random_bool(0.9) { self.slack.min(3_000) } else { self.slack };
        random.random_range(0..most)
    }

    /// How long a run takes, in milliseconds, and how it ends.
    pub(crate) fn run(&self, minute: u32, random: &mut StdRng) -> (u32, CheckinStatus) {
        let takes = self.takes / 3 * 2 + random.random_range(0..=self.takes / 3 * 2);
        let unlucky = self.threshold > 1 && random.random_bool(0.05);
        match unlucky || minute < self.failing_until {
            true => (takes, CheckinStatus::Error),
            false => (takes, CheckinStatus::Ok),
        }
    }
}

/// Whole minutes that hold so many milliseconds.
const fn minutes(ms: u32) -> u32 {
    ms.div_ceil(MINUTE_MS)
}
