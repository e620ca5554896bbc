//! An event in one line, for people.

use std::fmt::{Display, Formatter, Result};

use chrono::SecondsFormat::Secs;
use overdue::Event;

/// Shows an event as one line.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a>(pub &'a Event);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(Secs, true);
        match self.0 {
            Event::IncidentOpened(event) => {
                let since = time(event.incident.started_at());
                write!(
                    f,
                    "DOWN  {} ({}): {}, since {since}",
                    event.monitor.name(),
                    event.environment,
                    event.reason()
                )
            }
            Event::IncidentOccurrence(event) => {
                let (name, run) = (event.monitor.name(), event.run);
                write!(f, "run   {name} ({}): {} at {}", event.environment, run.status, time(run.started_at))
            }
            Event::IncidentResolved(event) => {
                let minutes = (event.resolution.at - event.incident.started_at()).num_minutes();
                write!(
                    f,
                    "UP    {} ({}): well again after {minutes} min",
                    event.monitor.name(),
                    event.environment
                )
            }
            Event::Reference(event) => {
                let reason = event.reason.as_str();
                write!(f, "FAIL  {} ({}): {reason}", event.monitor.name(), event.environment)
            }
            event => write!(f, "{}", event.kind()),
        }
    }
}
