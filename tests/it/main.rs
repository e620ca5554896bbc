//! The integration tests: one binary, a module a subject.

mod administration;
mod admission;
mod clock;
mod error_log;
mod events;
mod ids;
mod legacy;
mod outcomes;
mod properties;
mod rate_limiter;
mod sampling;
mod schedule;
mod store;
mod wire;
mod world;
