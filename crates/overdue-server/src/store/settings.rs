//! Settings of the server itself.

use rusqlite::OptionalExtension;

use super::{SqliteStore, StoreError};

impl SqliteStore {
    /// Returns the setting with this name. The first call makes and stores it.
    pub fn setting(&self, name: &str, make: impl FnOnce() -> String) -> Result<String, StoreError> {
        let connection = self.connection();
        let select = "SELECT value FROM settings WHERE name = ?";
        let known: Option<String> = connection.query_row(select, [name], |row| row.get(0)).optional()?;
        if let Some(value) = known {
            return Ok(value);
        }
        let value = make();
        connection.execute("INSERT INTO settings (name, value) VALUES (?, ?)", [name, &value])?;
        Ok(value)
    }
}
