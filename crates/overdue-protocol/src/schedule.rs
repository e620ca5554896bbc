//! Schedules as people write them: a crontab, or "every 2 hours".

use serde_json::{Value, json};

/// Converts a schedule to its form in a `monitor_config`. Other text is passed on, for the engine to report
/// the error.
pub fn schedule_json(text: &str) -> Value {
    let words: Vec<&str> = text.split_whitespace().collect();
    let interval = |count: u64, unit: &str| {
        let unit = unit.strip_suffix('s').unwrap_or(unit);
        json!({ "type": "interval", "value": count, "unit": unit })
    };
    match words.as_slice() {
        ["every", unit] => interval(1, unit),
        ["every", count, unit] if count.parse::<u64>().is_ok() => {
            interval(count.parse().unwrap_or_default(), unit)
        }
        _ => json!({ "type": "crontab", "value": text }),
    }
}
