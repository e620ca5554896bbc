//! The integration tests: one binary, a module a subject.

mod administration;
mod clock;
mod error_log;
mod outcomes;
mod properties;
mod rate_limiter;
mod sampling;
mod schedule;
mod store;
mod wire;
mod world;
