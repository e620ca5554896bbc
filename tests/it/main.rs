//! The integration tests: one binary, a module a subject.

mod clock;
mod error_log;
mod quirks;
mod rate_limiter;
mod sampling;
mod schedule;
mod traces;
mod vectors;
mod wire;

/// Traces are played as the example plays them.
#[path = "../../examples/replay/playback/mod.rs"]
mod playback;
