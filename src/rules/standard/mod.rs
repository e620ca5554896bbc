//! The rules of this crate.

mod health;
mod run;
mod timeline;

pub(super) use health::{mark_failed, mark_ok, missed, reads, timed_out};
pub(super) use run::apply;
pub(super) use timeline::edited;
