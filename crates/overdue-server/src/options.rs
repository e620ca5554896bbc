//! The options on the command line.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use chrono::TimeDelta;
use clap::{Parser, ValueEnum};

use overdue_protocol::Key;

/// A check-in server for scheduled jobs: it takes check-ins from Sentry's SDKs and curl, keeps them in
/// SQLite, and reports when a job is late, fails, hangs or recovers.
///
/// Incidents are printed to standard output, the log to standard error. The variable `RUST_LOG` sets the log
/// level: debug, info, warn or error.
#[derive(Clone, Debug, Parser)]
#[command(name = "server", max_term_width = 100)]
pub(crate) struct Options {
    /// The database, created if it does not exist. [default: overdue.db, with --demo overdue-demo.db]
    #[arg(long, value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,

    /// The address to listen on. Pages and API need no login: to listen beyond this machine, put a proxy with
    /// a login in front.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// The rules: the standard profile, or Sentry's of September 2024 with all its quirks.
    #[arg(long, value_enum, default_value = "standard")]
    pub(crate) policy: Profile,

    /// How long finished runs, resolved incidents and events are kept, in days.
    #[arg(long, value_name = "DAYS", default_value = "90", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) retention: u32,

    /// Where to post incidents as JSON, in addition to standard output. May be given several times.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub(crate) webhook: Vec<String>,

    /// The key that check-ins must carry: 8 to 64 letters and digits. [default: made at the first start, and
    /// kept]
    #[arg(long, value_name = "KEY", value_parser = Key::parse)]
    pub(crate) key: Option<String>,

    /// The most check-ins a minute from one job in one environment; 0 for no limit.
    #[arg(long, value_name = "NUMBER", default_value = "6")]
    pub(crate) rate_limit: u32,

    /// Fills the database with a fleet of made-up jobs, and keeps making up check-ins for them.
    #[arg(long)]
    pub(crate) demo: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Profile {
    Standard,
    #[value(name = "sentry-2024")]
    Sentry2024,
}

impl Options {
    pub(crate) fn db(&self) -> PathBuf {
        let default = if self.demo { "overdue-demo.db" } else { "overdue.db" };
        self.db.clone().unwrap_or_else(|| default.into())
    }

    pub(crate) fn policy(&self) -> overdue::Policy {
        match self.policy {
            Profile::Standard => overdue::Policy::default(),
            Profile::Sentry2024 => overdue::Policy::sentry_2024(),
        }
    }

    pub(crate) fn retention(&self) -> TimeDelta {
        TimeDelta::try_days(self.retention.into()).unwrap_or(TimeDelta::MAX)
    }

    pub(crate) fn rate_limit(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.rate_limit)
    }
}

fn url(text: &str) -> Result<String, String> {
    let parsed: axum::http::Uri = text.parse().map_err(|_| "this is no URL")?;
    match parsed.scheme_str() {
        Some("http" | "https") if parsed.host().is_some() => Ok(text.to_owned()),
        _ => Err("an http or https URL is wanted".to_owned()),
    }
}
