//! The integration tests: one binary, a module a subject.

mod clock;
mod rate_limiter;
