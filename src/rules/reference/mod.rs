//! The rules of the reference, Sentry's cron monitoring of September 2024, with its quirks. Frozen: recorded
//! traces pin them.

mod health;
mod run;
mod timeline;

pub(super) use health::{mark_failed, mark_ok, missed, reads, timed_out};
pub(super) use run::{again, apply};
pub(super) use timeline::edited;
