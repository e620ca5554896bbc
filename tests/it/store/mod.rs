//! The promises of a store: our own keeps them, and broken ones are detected.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "these are tests"
)]

mod broken;
mod faulty;
mod flaw;
mod reference_store;

use std::convert::Infallible;
use std::sync::{Arc, Weak};

use overdue::testkit::invariants::Witness;
use overdue::testkit::store_tests;
use overdue::{MemoryStore, Store};

use reference_store::ReferenceStore;

store_tests!(memory, || (MemoryStore::new(), ()));
// Uses the default methods of the trait.
store_tests!(witnessed, || (Witness::over(MemoryStore::new()), ()));
store_tests!(in_the_reference_store, || (ReferenceStore::new(None), ()));
store_tests!(borrowed, || {
    let store: &'static MemoryStore = Box::leak(Box::default());
    (store, ())
});
store_tests!(boxed, || (Box::new(MemoryStore::new()), ()));
store_tests!(erased, || {
    let store: Box<dyn Store<Error = Infallible> + Send + Sync> = Box::new(MemoryStore::new());
    (store, ())
});
store_tests!(shared, || {
    let store = Arc::new(MemoryStore::new());
    let guard = Outlives(Arc::downgrade(&store));
    (store, guard)
});

/// What must outlive a store, as its directory does.
struct Outlives(Weak<MemoryStore>);

impl Drop for Outlives {
    fn drop(&mut self) {
        assert_eq!(self.0.strong_count(), 0, "the store is still there");
    }
}
