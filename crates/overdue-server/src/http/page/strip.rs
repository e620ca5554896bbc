//! Recent runs as a picture: a bar for each run, oldest at the left. Its height shows the duration, its
//! colour the status.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};
use overdue::row::RunStatus;

use crate::store::RunLine;

const WIDTH: usize = 6;
const PITCH: usize = 8;
const HEIGHT: u32 = 28;
const LEAST: u32 = 8;

const STATUSES: [RunStatus; 6] = [
    RunStatus::Ok,
    RunStatus::Error,
    RunStatus::Missed,
    RunStatus::Timeout,
    RunStatus::InProgress,
    RunStatus::Unknown,
];

/// Draws a strip of bars, with the newest runs at the right.
pub(super) fn strip(runs: &[RunLine], slots: usize) -> Markup {
    let skipped = slots.saturating_sub(runs.len());
    let longest = runs.iter().filter_map(|run| run.duration).max().unwrap_or(1).max(1);
    // One path for all runs of a status keeps a page of hundreds of strips small.
    let mut paths = STATUSES.map(|status| (status, String::new(), 0_usize));
    for (slot, run) in (skipped..).zip(runs) {
        let height = match (run.status, run.duration) {
            (RunStatus::Ok | RunStatus::InProgress, Some(duration)) => {
                let share = f64::from(duration) / f64::from(longest);
                LEAST + (f64::from(HEIGHT - LEAST) * share).round() as u32
            }
            (RunStatus::Ok | RunStatus::InProgress | RunStatus::Unknown, None) => LEAST * 2,
            _ => HEIGHT,
        };
        if let Some((_, path, count)) = paths.iter_mut().find(|(status, ..)| *status == run.status) {
            let _ = match run.status {
                // Hollow: half of its outline would lie outside.
                RunStatus::Missed => {
                    write!(path, "M{} 1h{}v{}h-{}z", slot * PITCH + 1, WIDTH - 2, HEIGHT - 2, WIDTH - 2)
                }
                _ => write!(path, "M{} {}h{WIDTH}v{height}h-{WIDTH}z", slot * PITCH, HEIGHT - height),
            };
            *count += 1;
        }
    }
    let told: Vec<String> = paths
        .iter()
        .filter(|(.., count)| *count > 0)
        .map(|(status, _, count)| format!("{count} {}", status.as_str().replace('_', " ")))
        .collect();
    let label = match told.as_slice() {
        [] => "no runs yet".to_owned(),
        told => format!("the newest runs: {}", told.join(", ")),
    };
    let view = format!("0 0 {} {HEIGHT}", slots * PITCH - (PITCH - WIDTH));
    html! {
        svg.strip viewBox=(view) role="img" aria-label=(label) preserveAspectRatio="xMaxYMax meet" {
            title { (label) }
            @if skipped > 0 { (PreEscaped(empty(skipped))) }
            @for (status, path, _) in paths.iter().filter(|(.., count)| *count > 0) {
                path class=(status) d=(path) {}
            }
        }
    }
}

/// Draws the strip of an environment without runs.
fn empty(slots: usize) -> String {
    let mut path = String::new();
    for slot in 0..slots {
        let _ = write!(path, "M{} {}h{WIDTH}v2h-{WIDTH}z", slot * PITCH, HEIGHT - 2);
    }
    format!("<path class=\"none\" d=\"{path}\"/>")
}
