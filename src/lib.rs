//! Did my scheduled job run, on time, to the end?
pub mod checkin;
pub mod config;
pub mod config_update;
pub mod field_errors;
mod guid;
pub mod id;
mod json;
pub mod key;
pub mod millis;
pub mod owner;
pub mod payload;
pub mod policy;
pub mod schedule;
