//! The server's store keeps what every store promises.

use tempfile::TempDir;

use crate::store::conformance::conformance;

#[path = "../../../examples/server/store/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the rest of the server uses the rest")]
mod sqlite;

use sqlite::SqliteStore;

/// A store in a directory that goes with the test.
fn store() -> SqliteStore {
    let directory = TempDir::new().unwrap().keep();
    SqliteStore::open(&directory.join("overdue.db")).unwrap()
}

conformance!(promises, store);
