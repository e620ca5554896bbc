//! What every part of the server shares.

use std::ops::Deref;
use std::sync::Arc;

use overdue::id::OrganizationId;

use crate::front::Key;
use crate::metrics::Metrics;
use crate::readers::Readers;
use crate::writer::Writer;

/// One team, one machine: all projects belong to one organization.
pub(crate) const ORGANIZATION: OrganizationId = OrganizationId::new(1);

#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) metrics: Metrics,
    pub(crate) key: Key,
    /// Where clients reach the server: `http://127.0.0.1:8080`.
    pub(crate) address: String,
}

impl From<Parts> for App {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
