//! The status page: every environment, the most urgent first.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use overdue::Message;
use overdue::rejection::LogEntry;
use overdue::row::{Environment, EnvironmentStatus, Monitor, MonitorStatus, RunStatus};

use crate::app::App;
use crate::store::{IncidentLine, RunLine, Tile};

use super::layout::monitor_address;
use super::strip::strip;
use super::words::{span, when};

pub(super) struct Status {
    pub(super) tiles: Vec<Tile>,
    pub(super) incidents: Vec<IncidentLine>,
    pub(super) rejections: Vec<LogEntry<Message>>,
    pub(super) now: DateTime<Utc>,
}

/// The state of an environment, the most urgent first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Urgency {
    Down,
    /// The newest run failed, but too few in a row for an incident; or the next one is late.
    Shaky,
    /// An incident is open, but muted.
    Muted,
    Well,
    /// No check-in yet.
    Waiting,
    Off,
}

impl Urgency {
    pub(super) fn of(
        monitor: &Monitor,
        environment: Option<&Environment>,
        newest: Option<&RunLine>,
        now: DateTime<Utc>,
    ) -> Self {
        let Some(environment) = environment else {
            return if monitor.status() == MonitorStatus::Active { Self::Waiting } else { Self::Off };
        };
        let muted = monitor.is_muted() || environment.is_muted();
        // A run rarely reports in the very second it is due: it is late once half the margin has passed.
        let late = environment.deadline().is_some_and(|deadline| {
            let (expected, closes) = (deadline.expected(), deadline.closes());
            now > expected + ((closes - expected) / 2).max(TimeDelta::minutes(1))
        });
        let failing = newest.is_some_and(|run| run.status.is_failure());
        match environment.status() {
            EnvironmentStatus::Disabled => Self::Off,
            EnvironmentStatus::Error if muted => Self::Muted,
            EnvironmentStatus::Error => Self::Down,
            _ if (late || failing) && !muted => Self::Shaky,
            EnvironmentStatus::Ok => Self::Well,
            EnvironmentStatus::Active => Self::Waiting,
        }
    }

    const ALL: [Self; 6] = [Self::Down, Self::Shaky, Self::Muted, Self::Well, Self::Waiting, Self::Off];

    /// The name in style sheets and in the filter.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Shaky => "shaky",
            Self::Muted => "muted",
            Self::Well => "well",
            Self::Waiting => "waiting",
            Self::Off => "off",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Shaky => "Late or failing",
            Self::Muted => "Down, muted",
            Self::Well => "Well",
            Self::Waiting => "Not heard of yet",
            Self::Off => "Disabled",
        }
    }
}

/// The part that is kept up to date.
pub(super) fn live(status: &Status) -> Markup {
    let now = status.now;
    let mut rows: Vec<(Urgency, &Tile)> = status
        .tiles
        .iter()
        .map(|tile| (Urgency::of(&tile.monitor, tile.environment.as_ref(), tile.strip.last(), now), tile))
        .collect();
    rows.sort_by_key(|(urgency, tile)| {
        let environment = tile.environment.as_ref();
        // The newest incidents first; then the environments in order of their next run.
        let incident = environment.and_then(|environment| environment.incident());
        let next =
            environment.and_then(|environment| environment.deadline()).map(|deadline| deadline.expected());
        (*urgency, Reverse(incident.map(|incident| incident.started_at())), next.is_none(), next)
    });
    let mut projects: Vec<_> = status.tiles.iter().map(|tile| tile.monitor.key().project).collect();
    projects.dedup();
    let several = projects.len() > 1;
    html! {
        section.summary aria-label="Summary" {
            @for urgency in Urgency::ALL {
                @let count = rows.iter().filter(|(of, _)| *of == urgency).count();
                @if count > 0 || matches!(urgency, Urgency::Down | Urgency::Well) {
                    button.count.(urgency.class()) type="button" data-only=(urgency.class()) {
                        b { (count) } " " (urgency.title())
                    }
                }
            }
            input #filter type="search" placeholder="Filter by name" aria-label="Filter by name";
        }
        @if rows.is_empty() {
            section.card.empty {
                h2 { "Nothing is watched yet" }
                p { "Create a monitor, or let a job check in: see below." }
            }
        }
        @for urgency in Urgency::ALL {
            @let group: Vec<&Tile> = rows.iter().filter(|(of, _)| *of == urgency).map(|(_, tile)| *tile).collect();
            @if !group.is_empty() {
                section.group.(urgency.class()) data-group=(urgency.class()) {
                    h2 { (urgency.title()) " " small { (group.len()) } }
                    ul.tiles { @for tile in group { (row(tile, urgency, several, now)) } }
                }
            }
        }
        (incidents(&status.incidents, now))
        (rejections(&status.rejections, now))
    }
}

fn row(tile: &Tile, urgency: Urgency, several: bool, now: DateTime<Utc>) -> Markup {
    let monitor = &tile.monitor;
    html! {
        li.tile.(urgency.class()) data-name=(monitor.name().to_lowercase()) {
            span.dot aria-hidden="true" {}
            div.who {
                a href=(monitor_address(monitor.key())) { (monitor.name()) }
                @if let Some(environment) = &tile.environment { " " span.tag { (environment.name()) } }
                @if monitor.is_muted() || tile.environment.as_ref().is_some_and(|row| row.is_muted()) {
                    " " span.tag { "muted" }
                }
                p.note {
                    (note(tile, now))
                    @if several { " · project " (monitor.key().project) }
                }
            }
            (strip(&tile.strip, super::STRIP as usize))
            div.next { (next(tile.environment.as_ref(), now)) }
        }
    }
}

/// Explains the state.
fn note(tile: &Tile, now: DateTime<Utc>) -> Markup {
    let Some(environment) = &tile.environment else {
        return html! { (tile.monitor.config().schedule()) };
    };
    let newest = tile.strip.last();
    html! {
        @if let Some(incident) = environment.incident() {
            (word(incident.first().status)) " " (when(incident.started_at(), now))
        } @else if let Some(run) = newest {
            (word(run.status)) " " (when(run.started_at, now))
        } @else {
            "no runs yet"
        }
        " · " span.whole { (tile.monitor.config().schedule()) }
    }
}

/// The status in the past tense.
pub(super) const fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::InProgress => "started",
        RunStatus::Ok => "went well",
        RunStatus::Error => "failed",
        RunStatus::Missed => "missed",
        RunStatus::Timeout => "timed out, started",
        RunStatus::Unknown => "not known, started",
    }
}

/// When the next run is expected.
pub(super) fn next(environment: Option<&Environment>, now: DateTime<Utc>) -> Markup {
    let Some(environment) = environment.filter(|environment| environment.watch().is_on()) else {
        return html! { "not watched" };
    };
    html! {
        @match environment.deadline() {
            None => "nothing expected",
            Some(deadline) if deadline.expected() < now => {
                "due " (when(deadline.expected(), now)) br;
                small { (span((deadline.closes() - now).max(TimeDelta::zero()))) " of margin left" }
            }
            Some(deadline) if deadline.expected() - now < TimeDelta::minutes(1) => { "due " (when(deadline.expected(), now)) }
            Some(deadline) => { "next " (when(deadline.expected(), now)) }
        }
    }
}

/// Open and past incidents.
pub(super) fn incidents(incidents: &[IncidentLine], now: DateTime<Utc>) -> Markup {
    html! {
        section.card {
            h2 { "Incidents" }
            @if incidents.is_empty() { p.note { "There have been none." } }
            ul.lines {
                @for IncidentLine { key, incident } in incidents {
                    li {
                        @match incident.resolution() {
                            None => span.pill.down { "open" },
                            Some(_) => span.pill.well { "resolved" },
                        }
                        div {
                            a href=(monitor_address(&key.monitor)) { (key.monitor.slug) } " " span.tag { (key.name) }
                            p.note {
                                (word(incident.first().status)) " " (when(incident.started_at(), now))
                                @if let Some(end) = incident.resolution() {
                                    ", lasted " (span(end.at - incident.started_at()))
                                }
                                @if !incident.is_announced() { ", nobody was told" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Why check-ins were rejected.
pub(super) fn rejections(rejections: &[LogEntry<Message>], now: DateTime<Utc>) -> Markup {
    html! {
        @if !rejections.is_empty() {
            section.card {
                h2 { "Rejected check-ins" }
                ul.lines {
                    @for entry in rejections {
                        li {
                            span.pill.shaky { "rejected" }
                            div {
                                @match entry.checkin.monitor() {
                                    Some(key) => { a href=(monitor_address(&key)) { (key.slug) } }
                                    None => { "unnamed, project " (entry.checkin.project) }
                                }
                                p.note {
                                    @for error in &entry.errors { (error) "; " }
                                    (when(entry.at, now))
                                }
                                details {
                                    summary { "what was sent" }
                                    pre { (String::from_utf8_lossy(&entry.checkin.body.bytes())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Shows how a job checks in.
pub(super) fn how_to(app: &App) -> Markup {
    html! {
        section.card {
            details {
                summary { h2 { "How a job checks in" } }
                p { "By curl, in a crontab:" }
                pre { (crate::banner::crontab_line(app)) }
                p { "With an SDK of Sentry's, by this DSN:" }
                pre { (app.key.dsn(&app.address, 1)) }
            }
        }
    }
}
