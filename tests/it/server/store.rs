//! The server's store keeps what every store promises.

use overdue::testkit::store_tests;
use tempfile::TempDir;

#[path = "../../../examples/server/store/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the rest of the server uses the rest")]
pub(super) mod sqlite;

use sqlite::SqliteStore;

store_tests!(promises, || {
    let directory = TempDir::new().unwrap();
    (SqliteStore::open(&directory.path().join("overdue.db")).unwrap(), directory)
});
