//! What the server remembers about itself.

use rusqlite::OptionalExtension;

use super::{SqliteStore, StoreError};

impl SqliteStore {
    /// The setting of this name, made and kept at first use.
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
