//! The configuration that a job brings along.

use chrono::{DateTime, TimeDelta, Utc};
use overdue::config::ConfigUpdate;
use overdue::policy::Quirks;

const AFTER: DateTime<Utc> = DateTime::from_timestamp(1_729_987_200, 0).unwrap();

/// Panics when something does not hold.
pub fn try_bytes(bytes: &[u8]) {
    for quirks in [Quirks::NONE, Quirks::ALL] {
        let update = match ConfigUpdate::from_json(bytes, quirks) {
            Ok(update) => update,
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
            assert_eq!(ConfigUpdate::from_json(&written, quirks), Ok(update));
        }
        let schedule = config.schedule();
        let next = schedule.next(AFTER, Quirks::NONE);
        assert!(next.is_none_or(|next| next > AFTER && whole_minutes(next)), "{schedule:?}: {next:?}");
        let _ = (schedule.next(AFTER, Quirks::ALL), schedule.previous(AFTER, AFTER, Quirks::ALL));
    }
}

fn whole_minutes(time: DateTime<Utc>) -> bool {
    time.timestamp() % TimeDelta::minutes(1).num_seconds() == 0 && time.timestamp_subsec_nanos() == 0
}
