//! The integration tests: one binary, a module a subject.

mod clock;
mod edits;
mod error_log;
mod rate_limiter;
mod sampling;
mod schedule;
mod wire;
