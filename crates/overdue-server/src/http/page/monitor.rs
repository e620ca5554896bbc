//! The page of one monitor.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use overdue::row::{Environment, Monitor, MonitorStatus, Run};

use crate::app::App;
use crate::store::{MonitorView, RunLine};

use super::form::{self, Fields};
use super::status::{self, Urgency};
use super::strip::strip;
use super::words::{duration, when};
use super::{RUNS, layout};

/// The part that is kept up to date.
pub(super) fn live(view: &MonitorView, now: DateTime<Utc>) -> Markup {
    let monitor = &view.monitor;
    html! {
        section.head {
            h1 { (monitor.name()) }
            p.note {
                code { (monitor.key()) } " · " (monitor.config().schedule()) " · " (monitor.config().schedule().zone())
                @if let Some(owner) = monitor.owner() { " · " (owner) }
                @if monitor.is_muted() { " " span.tag { "muted" } }
                @if monitor.status() != MonitorStatus::Active { " " span.tag { "disabled" } }
            }
        }
        @if view.environments.is_empty() {
            section.card { p { "No check-in has been heard of this monitor yet." } }
        }
        @for (environment, runs) in &view.environments { (one(monitor, environment, runs, now)) }
        (status::incidents(&view.incidents, now))
        (status::rejections(&view.rejections, now))
    }
}

fn one(monitor: &Monitor, environment: &Environment, runs: &[Run], now: DateTime<Utc>) -> Markup {
    let lines: Vec<RunLine> = runs.iter().rev().map(RunLine::from).collect();
    let urgency = Urgency::of(monitor, Some(environment), lines.last(), now);
    html! {
        section.card.environment data-environment=(environment.name()) {
            h2 {
                span.dot.(urgency.class()) aria-hidden="true" {}
                (environment.name()) " " span.pill.(urgency.class()) { (urgency.title()) }
                @if environment.is_muted() { " " span.tag { "muted" } }
            }
            p.note {
                (status::next(Some(environment), now)) " · " (environment.runs()) " runs · "
                (environment.incidents()) @if environment.incidents() == 1 { " incident" } @else { " incidents" }
                @if let Some(run) = environment.last_ok() { " · last went well " (when(run.started_at, now)) }
            }
            (strip(&lines, RUNS as usize))
            form.buttons method="post" action=(layout::monitor_address(monitor.key())) {
                input type="hidden" name="environment" value=(environment.name());
                (form::switch(environment.is_muted(), ("unmute-environment", "Unmute"), ("mute-environment", "Mute")))
                @let off = !environment.watch().is_on() && monitor.status() == MonitorStatus::Active;
                (form::switch(off, ("enable-environment", "Enable"), ("disable-environment", "Disable")))
            }
            details {
                summary { "Newest runs" }
                div.scroll { table {
                    thead { tr { th { "started" } th { "status" } th { "took" } th { "expected" } th { "release" } th { "id" } } }
                    tbody { @for run in runs {
                        tr {
                            td { (when(run.started_at(), now)) }
                            td { span.pill.(run.status()) { (run.status().as_str().replace('_', " ")) } }
                            td { (run.duration().map(|took| duration(took.get())).unwrap_or_default()) }
                            td { @if let Some(expected) = run.expected_at() { (when(expected, now)) } }
                            td { (run.release().unwrap_or_default()) }
                            td { code { (run.id()) } }
                        }
                    } }
                } }
            }
        }
    }
}

/// The actions, which must not change while somebody types.
pub(super) fn rest(app: &App, view: &MonitorView, rejected: Option<(Fields, String)>) -> Markup {
    let monitor = &view.monitor;
    let address = layout::monitor_address(monitor.key());
    let (fields, problem) = match rejected {
        Some((fields, problem)) => (fields, Some(problem)),
        None => (Fields::of(monitor), None),
    };
    html! {
        section.card {
            form.buttons method="post" action=(address) {
                (form::switch(monitor.is_muted(), ("unmute", "Unmute monitor"), ("mute", "Mute monitor")))
                @let off = monitor.status() != MonitorStatus::Active;
                (form::switch(off, ("enable", "Enable monitor"), ("disable", "Disable monitor")))
            }
            details open[problem.is_some()] {
                summary { "Edit" }
                form #edit method="post" action=(address) {
                    (form::fields(&fields, problem.as_deref()))
                    button.primary type="submit" name="action" value="save" { "Save" }
                }
            }
            details {
                summary { "Check in" }
                p { "In a crontab:" }
                pre { (crate::banner::ping_line(app, monitor.key())) }
            }
            details {
                summary { "Remove" }
                form method="post" action=(address) {
                    p { "The monitor goes with all its runs and incidents. A check-in that brings a configuration brings it back." }
                    button.danger type="submit" name="action" value="remove" { "Remove for ever" }
                }
            }
        }
    }
}
