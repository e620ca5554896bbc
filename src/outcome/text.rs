//! Outcomes in words, for logs and status pages.

use std::fmt::{Display, Formatter, Result};

use super::{Alerting, Effect, HealthEffect, Ignored, reference};

/// One clause, lower case, without a full stop: "1 of 3 failures".
impl Display for HealthEffect {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Healthy => f.write_str("healthy"),
            Self::FirstOk => f.write_str("healthy, by its first success"),
            Self::NoEffect => f.write_str("says nothing about health"),
            Self::NewerSeen { last_checkin } => {
                write!(f, "a newer run has been seen, started at {last_checkin}")
            }
            Self::NewerFinished { last_result } => {
                write!(f, "a newer run has finished, started at {last_result}")
            }
            Self::BelowThreshold { failures, threshold } => write!(f, "{failures} of {threshold} failures"),
            Self::Opened { alerting, .. } => write!(f, "an incident opens, {alerting}"),
            Self::Continued { alerting, .. } => write!(f, "the incident goes on, {alerting}"),
            Self::Recovering { successes, threshold, .. } => {
                write!(f, "{successes} of {threshold} successes")
            }
            Self::OlderThanFailure { last_failure, .. } => {
                write!(f, "arrived before the newest failure, which started at {last_failure}")
            }
            Self::Resolved { alerting, .. } => write!(f, "the incident is over, {alerting}"),
        }
    }
}

impl Display for Effect {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Health(effect) => effect.fmt(f),
            Self::Reference(effect) => effect.fmt(f),
        }
    }
}

impl Display for reference::Effect {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Failed { alerting } => write!(f, "failed, {alerting}"),
            Self::Recovered => f.write_str("healthy again"),
            Self::Stranded => f.write_str("failing, without an incident"),
            Self::TickStopped => f.write_str("the tick stopped, as there is no expected time before it"),
        }
    }
}

impl Display for Alerting {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Sent => "and somebody is told",
            Self::MonitorMuted => "but the monitor is muted",
            Self::EnvironmentMuted => "but the environment is muted",
            Self::NeverAnnounced => "but nobody was ever told of it",
        })
    }
}

/// One clause, lower case, without a full stop: "the run has already finished".
impl Display for Ignored {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::AlreadyFinished { .. } => f.write_str("the run has already finished"),
            Self::AlreadyTimedOut { .. } => f.write_str("the run has already timed out"),
            Self::Stale { updated_at, .. } => {
                write!(f, "a message at least as new has been seen, received at {updated_at}")
            }
            Self::StaleAnonymous { anonymous_at } => {
                write!(f, "an all-zero message at least as new has been seen, received at {anonymous_at}")
            }
            Self::NotFound => f.write_str("there is no such run any more"),
            Self::NotDue { due_at: Some(due_at) } => write!(f, "it is not due before {due_at}"),
            Self::NotDue { due_at: None } => f.write_str("it is not due"),
            Self::Disabled => f.write_str("it is disabled"),
        }
    }
}
