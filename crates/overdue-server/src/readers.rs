//! A few connections that only read, next to the one that writes.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use overdue_protocol::Unavailable;
use tokio::sync::Semaphore;

use crate::store::{SqliteStore, StoreError};

const CONNECTIONS: usize = 4;

#[derive(Clone, Debug)]
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<SqliteStore>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let stores = (0..CONNECTIONS).map(|_| SqliteStore::open_to_read(path));
        let idle = Arc::new(Mutex::new(stores.collect::<Result<_, _>>()?));
        Ok(Self { idle, permits: Arc::new(Semaphore::new(CONNECTIONS)) })
    }

    /// Reads on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&SqliteStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let _permit = self.permits.acquire().await.map_err(|_| Unavailable)?;
        let idle = Arc::clone(&self.idle);
        let stores = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = tokio::task::spawn_blocking({
            let store = stores().pop().ok_or(Unavailable)?;
            move || (read(&store), store)
        });
        let (result, store) = reading.await.map_err(|_| Unavailable)?;
        stores().push(store);
        result.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "the database could not be read");
            Unavailable
        })
    }
}
