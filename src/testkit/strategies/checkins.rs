//! What jobs send.

use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use crate::Checkin;
use crate::checkin::CheckinStatus;
use crate::config::ConfigUpdate;
use crate::id::Owner;
use crate::row::RunDuration;
use crate::wire::Body;

use super::{ENVIRONMENTS, SLUGS, configs, environment_name, one_of_few};

/// The three statuses that a job can send.
///
/// ```
/// use overdue::testkit::strategies::statuses;
/// use proptest::prelude::*;
///
/// proptest!(|(status in statuses())| {
///     prop_assert_eq!(status.as_str().parse(), Ok(status));
/// });
/// ```
pub fn statuses() -> impl Strategy<Value = CheckinStatus> {
    select(vec![CheckinStatus::InProgress, CheckinStatus::Ok, CheckinStatus::Error])
}

/// Check-ins of any of the [places](super::places). There are few ids, so they repeat, also across
/// environments; every third check-in names no run.
///
/// ```
/// use overdue::Checkin;
/// use overdue::testkit::strategies::checkins;
/// use proptest::prelude::*;
///
/// proptest!(|(checkin in checkins())| {
///     let sent = serde_json::to_string(&checkin).unwrap();
///     prop_assert_eq!(serde_json::from_str::<Checkin>(&sent).unwrap(), checkin);
/// });
/// ```
pub fn checkins() -> impl Strategy<Value = Checkin> {
    let ids = prop_oneof![3 => Just(0_u128), 5 => 1_u128..=5];
    let durations = prop_oneof![4 => Just(None), 1 => (0_u32..=7_200_000).prop_map(Some)];
    let updates = prop_oneof![7 => Just(None), 1 => config_updates().prop_map(Some)];
    let parts = (one_of_few(SLUGS), one_of_few(ENVIRONMENTS), ids, statuses(), durations, updates);
    parts.prop_map(|(slug, environment, id, status, duration, update)| {
        let mut checkin = Checkin::new(slug.parse().unwrap(), Uuid::from_u128(id), status)
            .with_environment(environment_name(environment));
        if let Some(duration) = duration {
            checkin = checkin.with_duration(RunDuration::new(duration).unwrap());
        }
        if let Some(update) = update {
            checkin = checkin.with_config(update);
        }
        checkin
    })
}

/// [Check-ins](checkins) as they reach the engine: made in code, off the wire, and off the wire with a fault.
///
/// ```
/// use overdue::testkit::strategies::bodies;
/// use proptest::prelude::*;
///
/// proptest!(|(body in bodies())| {
///     prop_assert!(serde_json::from_slice::<serde_json::Value>(&body.bytes()).is_ok());
/// });
/// ```
pub fn bodies() -> impl Strategy<Value = Body> {
    let raw = |checkin: Checkin| Body::from(serde_json::to_vec(&checkin).unwrap());
    prop_oneof![
        4 => checkins().prop_map(Body::from),
        4 => checkins().prop_map(raw),
        1 => checkins().prop_flat_map(spoilt),
    ]
}

/// A check-in with a fault.
fn spoilt(checkin: Checkin) -> impl Strategy<Value = Body> {
    let faults = [
        ("status", r#""done""#),
        ("check_in_id", r#""nobody""#),
        ("environment", r#""a/b""#),
        ("monitor_slug", "null"),
        ("duration", "-1"),
        ("monitor_config", r#"{"schedule":{"type":"crontab","value":"0 0 31 2 *"}}"#),
    ];
    select(faults.to_vec()).prop_map(move |(field, wrong)| {
        let mut sent = serde_json::to_value(&checkin).unwrap();
        sent[field] = serde_json::from_str(wrong).unwrap();
        Body::from(serde_json::to_vec(&sent).unwrap())
    })
}

/// Configurations that check-ins bring: the schedule alone, or everything.
///
/// ```
/// use overdue::testkit::strategies::{config_updates, configs};
/// use proptest::prelude::*;
///
/// proptest!(|(update in config_updates(), present in configs())| {
///     prop_assert_eq!(update.apply(&present).schedule().zone(), update.create().schedule().zone());
/// });
/// ```
pub fn config_updates() -> impl Strategy<Value = ConfigUpdate> {
    (configs(), any::<bool>()).prop_map(|(config, whole)| {
        if !whole {
            return ConfigUpdate::new(config.schedule().clone());
        }
        ConfigUpdate { owner: Some(Owner::Team(3)), ..config.into() }
    })
}
