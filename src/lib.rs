//! Did my scheduled job run, on time, to the end?
pub mod clock;
pub mod error_log;
pub mod id;
pub mod key;
pub mod policy;
pub mod processing_error;
pub mod rate_limiter;
pub mod sampling;
pub mod schedule;
