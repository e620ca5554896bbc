//! The configuration that a job brings along.

use chrono::{DateTime, TimeDelta, Utc};
use overdue::config::ConfigUpdate;
use overdue::policy::{Quirk, Quirks};
use overdue::schedule::reference;
use overdue::wire;

const AFTER: DateTime<Utc> = DateTime::from_timestamp(1_729_987_200, 0).unwrap();

/// Panics when something does not hold.
pub fn try_bytes(bytes: &[u8]) {
    for quirks in [Quirks::NONE, Quirks::SENTRY_2024] {
        let update = match wire::reference::config(bytes, quirks) {
            Ok(Some(update)) => update,
            Ok(None) => {
                assert!(quirks.keeps(Quirk::UnusableConfigsSwallow));
                continue;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        let config = update.create();
        assert_eq!(update.apply(&config), config, "applied to what it made");
        let written = serde_json::to_vec(&config).unwrap();
        assert_eq!(serde_json::from_slice::<overdue::config::MonitorConfig>(&written).unwrap(), config);
        if quirks == Quirks::NONE {
            let written = serde_json::to_vec(&update).unwrap();
            assert_eq!(ConfigUpdate::from_json(&written), Ok(update));
        }
        let schedule = config.schedule();
        let next = schedule.next(AFTER);
        assert!(next.is_none_or(|next| next > AFTER && whole_minutes(next)), "{schedule:?}: {next:?}");
        let quirks = Quirks::SENTRY_2024;
        let _ = reference::next(schedule, AFTER, quirks);
        let _ = reference::previous(schedule, AFTER, AFTER, quirks);
    }
}

fn whole_minutes(time: DateTime<Utc>) -> bool {
    time.timestamp() % TimeDelta::minutes(1).num_seconds() == 0 && time.timestamp_subsec_nanos() == 0
}
