//! The server's store keeps what every store promises.

use overdue::testkit::store_tests;
use tempfile::TempDir;

use overdue_server::store::SqliteStore;

store_tests!(promises, || {
    let directory = TempDir::new().unwrap();
    (SqliteStore::open(&directory.path().join("overdue.db")).unwrap(), directory)
});
