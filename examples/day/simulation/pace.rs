//! How often jobs run, and how many of them do.

use std::num::NonZeroU32;

use overdue::schedule::{ScheduleError, Unit};
use overdue::{Schedule, Zone};
use rand::Rng;
use rand::rngs::StdRng;

/// How often a job runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// By a crontab, every so many minutes.
    Minutes(u32),
    /// So many minutes after it ran last.
    After(u32),
    Hourly,
    Daily,
    Workdays,
    Weekly,
}

/// A table of paces, each with its weight.
type Mix = [(u32, Pace)];

const BUSY: &Mix = &[
    (6, Pace::Minutes(1)),
    (26, Pace::Minutes(5)),
    (20, Pace::Minutes(10)),
    (30, Pace::Minutes(15)),
    (1, Pace::After(1)),
    (6, Pace::After(5)),
    (5, Pace::After(10)),
    (6, Pace::After(30)),
];

const CALM: &Mix = &[
    (30, Pace::Hourly),
    (4, Pace::After(60)),
    (2, Pace::After(360)),
    (42, Pace::Daily),
    (10, Pace::Workdays),
    (3, Pace::After(1440)),
    (9, Pace::Weekly),
];

impl Pace {
    /// The pace of every job of a fleet that runs so often in all.
    ///
    /// The paces are evenly interleaved, as jobs of all kinds are in a store. Err: the least and the most that
    /// so many jobs run.
    pub(crate) fn of_fleet(jobs: u32, runs: f64) -> Result<impl Iterator<Item = Self>, (f64, f64)> {
        let (calm, busy) = (mean(CALM) * f64::from(jobs), mean(BUSY) * f64::from(jobs));
        if !(calm..=busy).contains(&runs) {
            return Err((calm, busy));
        }
        let share = (runs - calm) / (busy - calm);
        Ok((1..=jobs).map(move |job| {
            // Multiples of the golden ratio fill the interval from 0 to 1 evenly.
            let place = (f64::from(job) * 0.618_033_988_749_895).fract();
            match place < share {
                true => pick(BUSY, place / share),
                false => pick(CALM, (place - share) / (1.0 - share)),
            }
        }))
    }

    /// Minutes from one run to the next.
    pub(crate) const fn interval(self) -> u32 {
        match self {
            Pace::Minutes(count) | Pace::After(count) => count,
            Pace::Hourly => 60,
            Pace::Daily | Pace::Workdays => 1440,
            Pace::Weekly => 7 * 1440,
        }
    }

    /// A schedule that runs at this pace: at night or on the hour rather than at any time, as people write them.
    pub(crate) fn schedule(self, zone: Zone, random: &mut StdRng) -> Result<Schedule, ScheduleError> {
        let crontab = |text: String| Schedule::crontab(&text, zone);
        let minute = match random.random_bool(0.4) {
            true => 0,
            false => random.random_range(0..12) * 5,
        };
        let hour = match random.random_bool(0.7) {
            true => random.random_range(0..6),
            false => random.random_range(6..24),
        };
        match self {
            Pace::Minutes(1) => crontab("* * * * *".to_owned()),
            Pace::Minutes(count) if random.random_bool(0.5) => crontab(format!("*/{count} * * * *")),
            Pace::Minutes(count) => crontab(format!("{}-59/{count} * * * *", random.random_range(0..count))),
            Pace::After(count) => {
                let (count, unit) = match count {
                    1440 => (1, Unit::Day),
                    60.. => (count / 60, Unit::Hour),
                    _ => (count, Unit::Minute),
                };
                Schedule::every(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN), unit, zone)
            }
            Pace::Hourly => crontab(format!("{minute} * * * *")),
            Pace::Daily => crontab(format!("{minute} {hour} * * *")),
            Pace::Workdays => crontab(format!("{minute} {hour} * * 1-5")),
            Pace::Weekly => crontab(format!("{minute} {hour} * * {}", random.random_range(0..7))),
        }
    }
}

/// Runs in a day, of a job on average.
fn mean(mix: &Mix) -> f64 {
    let runs = |pace: Pace| 1440.0 / f64::from(pace.interval());
    let sum: f64 = mix.iter().map(|(weight, pace)| f64::from(*weight) * runs(*pace)).sum();
    sum / f64::from(total(mix))
}

fn total(mix: &Mix) -> u32 {
    mix.iter().map(|(weight, _)| weight).sum()
}

/// The pace at a place between 0 and 1.
fn pick(mix: &Mix, place: f64) -> Pace {
    let mut left = place * f64::from(total(mix));
    let found = mix.iter().find(|(weight, _)| {
        left -= f64::from(*weight);
        left < 0.0
    });
    found.map_or(Pace::Daily, |(_, pace)| *pace)
}
