//! Dialects: how a scheduler reads a crontab, and what it does when clocks change.
//!
//! A dialect is a value on each of a few [axes](axes), and no code of its own.

mod axes;
mod crontab;
mod days;
mod every;
mod member;
mod named;
mod read;
mod times;
mod years;

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use self::axes::Axes;
pub(super) use self::crontab::Crontab;
use super::spelling::edits;

/// How a scheduler reads crontabs, and what it does when clocks change. Parsed from its name, and stored as its name.
///
/// ```
/// use overdue::schedule::{Dialect, Schedule};
///
/// let dialect: Dialect = "celery".parse()?;
/// assert_eq!(dialect, Dialect::CELERY);
/// assert_eq!(Dialect::default(), Dialect::CRON);
///
/// // Both day fields must match: Friday the 13th.
/// let unlucky = Schedule::in_dialect("0 0 13 * 5", dialect, "UTC".parse()?)?;
/// assert_eq!(unlucky.next("2026-11-01T00:00:00Z".parse()?), Some("2026-11-13T00:00:00Z".parse()?));
/// assert_eq!(unlucky.next("2026-11-13T00:00:00Z".parse()?), Some("2027-08-13T00:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(try_from = "Cow<'_, str>", into = "&'static str")]
pub struct Dialect(&'static Axes);

/// The text names no dialect.
///
/// ```
/// use overdue::schedule::{Dialect, ParseDialectError};
///
/// let error: ParseDialectError = "croniterr".parse::<Dialect>().unwrap_err();
/// assert_eq!(error.to_string(), "`croniterr` is not a dialect; did you mean `croniter`?");
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{name}` is not a dialect; did you mean `{nearest}`?")]
#[non_exhaustive]
pub struct ParseDialectError {
    /// The text.
    pub name: Box<str>,
    /// The dialect with the most similar name.
    pub nearest: Dialect,
}

impl Dialect {
    /// Debian's cron, the default.
    pub const CRON: Self = Self(&named::CRON);
    /// Celery's beat.
    pub const CELERY: Self = Self(&named::CELERY);
    /// `robfig/cron` for Go, which runs the `CronJob`s of Kubernetes.
    pub const ROBFIG: Self = Self(&named::ROBFIG);
    /// `node-cron` for Node.js.
    pub const NODE_CRON: Self = Self(&named::NODE_CRON);
    /// `croner` for JavaScript.
    pub const CRONER: Self = Self(&named::CRONER);
    /// `cron` for Node.js, also known as kelektiv's.
    pub const CRON_NPM: Self = Self(&named::CRON_NPM);
    /// Laravel's scheduler, and `dragonmantank/cron-expression` for PHP.
    pub const LARAVEL: Self = Self(&named::LARAVEL);
    /// `fugit` for Ruby, which runs the jobs of Sidekiq.
    pub const FUGIT: Self = Self(&named::FUGIT);
    /// `APScheduler` for Python.
    pub const APSCHEDULER: Self = Self(&named::APSCHEDULER);
    /// `node-schedule` for Node.js.
    pub const NODE_SCHEDULE: Self = Self(&named::NODE_SCHEDULE);
    /// `cron-parser` for JavaScript.
    pub const CRON_PARSER: Self = Self(&named::CRON_PARSER);
    /// `croniter` for Python.
    pub const CRONITER: Self = Self(&named::CRONITER);
    /// `cronsim` for Python, which follows Debian's cron, and reads seconds besides.
    pub const CRONSIM: Self = Self(&named::CRONSIM);
    /// The crate `cron` for Rust.
    pub const CRON_RS: Self = Self(&named::CRON_RS);

    /// The default where it reads more than Debian's cron does. It has the same name.
    pub(super) const FORGIVING: Self = Self(&named::CRON_FORGIVING);

    /// Every dialect, the default first.
    pub const ALL: [Self; 14] = [
        Self::CRON,
        Self::CELERY,
        Self::ROBFIG,
        Self::NODE_CRON,
        Self::CRONER,
        Self::CRON_NPM,
        Self::LARAVEL,
        Self::FUGIT,
        Self::APSCHEDULER,
        Self::NODE_SCHEDULE,
        Self::CRON_PARSER,
        Self::CRONITER,
        Self::CRONSIM,
        Self::CRON_RS,
    ];

    /// Its name, such as `node-cron`.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    const fn axes(self) -> &'static Axes {
        self.0
    }

    pub(super) fn is_default(&self) -> bool {
        *self == Self::CRON
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self::CRON
    }
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Dialect {}

impl Hash for Dialect {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl FromStr for Dialect {
    type Err = ParseDialectError;

    fn from_str(name: &str) -> Result<Self, ParseDialectError> {
        if let Some(known) = Self::ALL.into_iter().find(|known| known.name() == name) {
            return Ok(known);
        }
        // No name has so many letters, and a longer text need not be read to its end.
        let start: String = name.chars().take(40).collect();
        let nearest = Self::ALL.into_iter().min_by_key(|known| edits(known.name(), &start));
        Err(ParseDialectError { name: name.into(), nearest: nearest.unwrap_or_default() })
    }
}

impl TryFrom<Cow<'_, str>> for Dialect {
    type Error = ParseDialectError;

    fn try_from(name: Cow<'_, str>) -> Result<Self, ParseDialectError> {
        name.parse()
    }
}

impl From<Dialect> for &'static str {
    fn from(dialect: Dialect) -> Self {
        dialect.name()
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;
    use crate::Schedule;

    /// The default has a parser and a search of its own, which are quicker.
    #[test]
    fn the_axes_of_the_default_describe_it() {
        for text in [
            "* * * * *",
            "*/7,3 1-5/2 * * *",
            "30 2 * * *",
            "0,30 1-3 1,15 * MON-FRI",
            "5/20 * L * *",
            "0 0 */2 * */2",
            "0 3 LW,13 1-6 7",
            "15 1 * * 5L,MON#2",
            "@weekly",
        ] {
            for zone in ["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago"] {
                let zone = zone.parse().unwrap();
                let quick = Schedule::crontab(text, zone).unwrap();
                let by_axes = Crontab::parse(text, Dialect::CRON).unwrap();
                let mut at: DateTime<Utc> = "2025-03-01T00:00:00Z".parse().unwrap();
                for _ in 0..400 {
                    let next = quick.next(at).unwrap();
                    assert_eq!(by_axes.next_run(&at, zone), Some(next), "{text} in {zone}");
                    at = if next.timestamp() % 5 == 0 { next } else { next + TimeDelta::minutes(17) };
                }
            }
        }
        for text in
            ["@DAILY", "@midnight", "22-2 * * * *", "* * ? * *", "0 * * * * *", "* * 15W * *", "+5 * * * *"]
        {
            assert!(crate::schedule::reference::crontab(text, crate::Zone::UTC).is_err(), "{text}");
            assert!(Crontab::parse(text, Dialect::CRON).is_err(), "{text}");
        }
    }
}
