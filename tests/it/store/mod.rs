//! What a store promises: our own keep it, and broken ones are told.

use std::convert::Infallible;
use std::sync::Arc;

use overdue::testkit::store_tests;
use overdue::{MemoryStore, Store};

store_tests!(memory, || (MemoryStore::new(), ()));
store_tests!(borrowed, || {
    let store: &'static MemoryStore = Box::leak(Box::default());
    (store, ())
});
store_tests!(boxed, || (Box::new(MemoryStore::new()), ()));
store_tests!(erased, || {
    let store: Box<dyn Store<Error = Infallible> + Send + Sync> = Box::new(MemoryStore::new());
    (store, ())
});
store_tests!(shared, || (Arc::new(MemoryStore::new()), ()));
