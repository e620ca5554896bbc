//! A trace: what was sent, and what the recorded system made of it.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(crate) struct Trace {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) limits: TraceLimits,
    pub(crate) ops: Vec<Op>,
    /// The recorded outcomes, one for each op.
    #[serde(default)]
    pub(crate) expect: Vec<Value>,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub(crate) struct TraceLimits {
    pub(crate) max_monitors: Option<u32>,
    pub(crate) max_environments_per_monitor: Option<u32>,
    pub(crate) rate_limit: Option<NonZeroU32>,
}

/// One op. A flat structure rather than an enum, so that payloads keep their text to the letter.
#[derive(Clone, Deserialize)]
pub(crate) struct Op {
    pub(crate) op: OpKind,
    pub(crate) at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(crate) project_id: u64,
    #[serde(default)]
    pub(crate) slug: String,
    pub(crate) environment: Option<String>,
    pub(crate) payload: Option<Box<RawValue>>,
    pub(crate) config: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) muted: bool,
    #[serde(default)]
    pub(crate) disabled: bool,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OpKind {
    Checkin,
    Tick,
    Mute,
    Disable,
    CreateMonitor,
}
