//! The bytes of a check-in: whatever they are, they are answered, and being answered twice changes nothing.

use chrono::{DateTime, Utc};
use overdue::id::{OrganizationId, ProjectId};
use overdue::outcome::Outcome;
use overdue::policy::{Profile, Quirks};
use overdue::wire::{Payload, reference};
use overdue::{Engine, MemoryStore, Message, Policy, Tick};

const RECEIVED: DateTime<Utc> = DateTime::from_timestamp(1_725_271_200, 123_456_789).unwrap();

/// Panics when something does not hold.
pub fn try_bytes(bytes: &[u8]) {
    what_is_read_is_written_alike(bytes);
    for policy in [Policy::default(), Policy::sentry_2024()] {
        process(bytes, policy);
    }
}

fn what_is_read_is_written_alike(bytes: &[u8]) {
    let Ok(payload) = Payload::parse(bytes) else { return };
    let _ = (payload.fields().map(|fields| fields.environment_name()), payload.config());
    let _ = reference::fields(&payload, Quirks::SENTRY_2024);
    let _ = reference::checkin(&payload, Quirks::SENTRY_2024);
    if let Ok(checkin) = payload.checkin() {
        let written = serde_json::to_vec(&checkin).unwrap();
        let again = Payload::parse(written.as_slice()).unwrap().checkin();
        assert_eq!(again.as_ref(), Ok(&checkin), "{}", String::from_utf8_lossy(&written));
    }
}

fn process(bytes: &[u8], policy: Policy) {
    let standard = policy.profile == Profile::Standard;
    let engine = Engine::new(MemoryStore::new(), policy);
    let message = Message::new(OrganizationId::new(1), ProjectId::new(7), RECEIVED, bytes.to_vec());
    let first = engine.process_checkin(&message).unwrap();
    let rows = || serde_json::to_string(engine.store()).unwrap();
    let before = rows();
    engine.process_checkin(&message).unwrap();
    if standard {
        assert_eq!(rows(), before, "delivered twice");
        assert!(!matches!(first, Outcome::Rejected(_)) || engine.store().monitors().is_empty(), "{first:?}");
    }
    if let Some(deadline) = engine.next_deadline().unwrap() {
        engine.tick(Tick::at(deadline)).unwrap();
        let left = engine.next_deadline().unwrap();
        assert!(
            !standard || left.is_none_or(|next| next > deadline),
            "due at {deadline}, and still at {left:?}"
        );
    }
    let saved = rows();
    let resumed: MemoryStore = serde_json::from_str(&saved).unwrap();
    assert_eq!(serde_json::to_string(&resumed).unwrap(), saved);
}
