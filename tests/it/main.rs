//! The integration tests: one binary, a module a subject.

mod administration;
mod admission;
mod batch;
mod clock;
mod engine;
mod error_log;
mod events;
mod ids;
mod legacy;
mod memory;
mod outcomes;
mod properties;
mod rate_limiter;
mod sampling;
mod schedule;
mod store;
mod wire;
mod world;
