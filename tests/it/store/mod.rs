//! What a store promises, told so that any store can be held to it.
#![expect(clippy::unwrap_used, reason = "these are tests")]

pub(crate) mod doubles;
