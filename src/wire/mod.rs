//! Messages as JSON, both ways.
//!
//! A [`Message`] is parsed once, when it is made. The typed [`Checkin`](crate::checkin::Checkin) and
//! [`ConfigUpdate`](crate::config::ConfigUpdate) serialise as the JSON that jobs send.

pub mod reference;

mod checkin;
mod config;
mod duration;
mod json;
mod message;
mod payload;

pub use message::{Body, Message};
pub use payload::{Fields, Malformed, Payload, PayloadError};
pub(crate) use payload::{Swallowed, checkin, environment_name};
