//! Times and durations in words.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

/// A time relative to now: "in 3 min", "2 h ago". The exact time shows under the pointer.
pub(super) fn when(at: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    let away = at - now;
    let length = span(away.abs());
    html! {
        time datetime=(at.to_rfc3339()) title=(at.format("%a %-d %b %Y %H:%M:%S UTC")) {
            @if away.abs() < TimeDelta::minutes(1) { "now" }
            @else if away > TimeDelta::zero() { "in " (length) }
            @else { (length) " ago" }
        }
    }
}

/// A length of time in its largest unit.
pub(super) fn span(length: TimeDelta) -> String {
    match length.num_minutes() {
        0 => format!("{} s", length.num_seconds()),
        minutes @ 1..120 => format!("{minutes} min"),
        minutes @ 120..2_880 => format!("{} h", minutes / 60),
        minutes => format!("{} d", minutes / 1_440),
    }
}

/// A duration in milliseconds.
pub(super) fn duration(milliseconds: u32) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..120_000 => format!("{:.1} s", f64::from(milliseconds) / 1_000.0),
        _ => span(TimeDelta::milliseconds(milliseconds.into())),
    }
}
