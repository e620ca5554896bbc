//! What a store promises, told so that any store can be held to it.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests"
)]

pub(crate) mod conformance;
pub(crate) mod doubles;

use std::convert::Infallible;
use std::sync::Arc;

use overdue::{MemoryStore, Store};

use conformance::conformance;

conformance!(memory, MemoryStore::new);
conformance!(borrowed, || -> &'static MemoryStore { Box::leak(Box::default()) });
conformance!(boxed, || -> Box<dyn Store<Error = Infallible> + Send + Sync> { Box::<MemoryStore>::default() });
conformance!(shared, Arc::<MemoryStore>::default);
