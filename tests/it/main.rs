//! The integration tests: one binary, a module a subject.

mod administration;
mod clock;
mod edits;
mod error_log;
mod properties;
mod quirks;
mod rate_limiter;
mod sampling;
mod schedule;
mod store;
mod traces;
mod vectors;
mod wire;
mod world;

/// Traces are played as the example plays them.
#[path = "../../examples/replay/playback/mod.rs"]
mod playback;
