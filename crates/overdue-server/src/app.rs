//! The state that all parts of the server share.

use std::ops::Deref;
use std::sync::Arc;

use overdue::id::OrganizationId;
use overdue_protocol::Key;

use crate::metrics::Metrics;
use crate::readers::Readers;
use crate::writer::Writer;

/// One team, one machine: all projects belong to one organization.
pub(crate) const ORGANIZATION: OrganizationId = OrganizationId::new(1);

#[derive(Clone, Debug)]
pub(crate) struct App(Arc<State>);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) metrics: Metrics,
    pub(crate) key: Key,
    /// Where clients reach the server: `http://127.0.0.1:8080`.
    pub(crate) address: String,
}

impl From<State> for App {
    fn from(state: State) -> Self {
        Self(Arc::new(state))
    }
}

impl Deref for App {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}
