//! Changes to monitors, as received by the API and made by the forms.

use std::collections::BTreeMap;
use std::sync::Arc;

use overdue::config::ConfigUpdate;
use overdue::field_errors::FieldErrors;
use overdue::id::{EnvironmentName, MonitorKey, Owner};
use overdue::row::{Monitor, MonitorStatus};
use overdue::rules::{Edit, EditError};
use overdue::store::MonitorSnapshot;
use overdue::{AdminError, Error, Store};
use overdue_protocol::Unavailable;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::app::{App, ORGANIZATION};
use crate::store::StoreError;
use crate::time;
use crate::writer::ServerEngine;

use super::answer::Rejection;

/// What to change in a monitor. Fields that are not named stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    /// `null` removes the owner.
    #[serde(default, deserialize_with = "given")]
    pub(crate) owner: Option<Option<Owner>>,
    pub(crate) muted: Option<bool>,
    pub(crate) status: Option<MonitorStatus>,
    /// As in the `monitor_config` of a check-in.
    pub(crate) config: Option<Value>,
    #[serde(default)]
    pub(crate) environments: BTreeMap<EnvironmentName, EnvironmentChange>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnvironmentChange {
    pub(crate) muted: Option<bool>,
    pub(crate) enabled: Option<bool>,
}

/// Distinguishes `null` from a missing field.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Owner>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Change {
    /// Changes the monitor. Everything or nothing.
    pub(crate) async fn apply(self, app: &App, key: MonitorKey) -> Result<Arc<Monitor>, Rejection> {
        ask(app, move |engine| self.apply_at(engine, &key)).await
    }

    /// Creates the monitor. Everything or nothing.
    pub(crate) async fn create(mut self, app: &App, key: MonitorKey) -> Result<Arc<Monitor>, Rejection> {
        let config = self.config.take().ok_or_else(|| malformed("a new monitor needs a config"))?;
        if !self.environments.is_empty() {
            return Err(malformed("environments come with their first check-in"));
        }
        ask(app, move |engine| {
            let config = read(&config)?;
            engine.create_monitor(ORGANIZATION, &key, &config.create())?;
            self.owner = self.owner.or(config.owner().map(Some));
            self.apply_at(engine, &key)
        })
        .await
    }

    fn apply_at(self, engine: &ServerEngine, key: &MonitorKey) -> Result<Arc<Monitor>, Rejected> {
        let loaded = engine.store().load_monitor(key);
        let loaded = loaded.map_err(|error| AdminError::Failed(Error::Store(error)))?;
        let snapshot = loaded.ok_or(EditError::NoMonitor)?;
        let mut monitor = Arc::clone(&snapshot.monitor);
        for edit in self.edits(&snapshot)? {
            monitor = engine.edit_monitor(key, &edit, time::now())?;
        }
        Ok(monitor)
    }

    /// Returns the edits that make up this change, after checking that all are possible.
    fn edits(self, snapshot: &MonitorSnapshot) -> Result<Vec<Edit>, Rejected> {
        let mut edits = Vec::new();
        let mut owner = self.owner;
        if let Some(config) = &self.config {
            let update = read(config)?;
            edits.push(Edit::Config(update.apply(snapshot.monitor.config())));
            owner = owner.or(update.owner().map(Some));
        }
        edits.extend(self.name.map(|name| Edit::Name(name.trim().to_owned())));
        edits.extend(owner.map(Edit::Owner));
        edits.extend(self.muted.map(Edit::Muted));
        edits.extend(self.status.map(Edit::Status));
        for (name, EnvironmentChange { muted, enabled }) in self.environments {
            if snapshot.environments.iter().all(|environment| *environment.name() != name) {
                return Err(EditError::NoEnvironment(name).into());
            }
            edits.extend(muted.map(|muted| Edit::EnvironmentMuted(name.clone(), muted)));
            edits.extend(enabled.map(|enabled| Edit::EnvironmentEnabled(name.clone(), enabled)));
        }
        Ok(edits)
    }
}

/// Removes a monitor and all that belongs to it.
pub(crate) async fn remove(app: &App, key: MonitorKey) -> Result<(), Rejection> {
    ask(app, move |engine| Ok(engine.remove_monitor(&key)?)).await
}

/// Why a change was not made.
#[derive(Debug)]
enum Rejected {
    Admin(AdminError<StoreError>),
    Config(FieldErrors),
}

impl From<AdminError<StoreError>> for Rejected {
    fn from(error: AdminError<StoreError>) -> Self {
        Self::Admin(error)
    }
}

impl From<EditError> for Rejected {
    fn from(error: EditError) -> Self {
        Self::Admin(error.into())
    }
}

impl From<Rejected> for Rejection {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Config(errors) => malformed(&errors.to_string()),
            Rejected::Admin(AdminError::Rejected(error)) => match error {
                EditError::NoMonitor | EditError::NoEnvironment(_) => Self::NotFound(error.to_string()),
                _ => Self::Conflict(error.to_string()),
            },
            Rejected::Admin(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a change was not made");
                Unavailable.into()
            }
        }
    }
}

fn malformed(text: &str) -> Rejection {
    Rejection::Malformed(text.to_owned())
}

async fn ask<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&ServerEngine) -> Result<T, Rejected> + Send + 'static,
) -> Result<T, Rejection> {
    Ok(app.writer.ask(work).await??)
}

fn read(config: &Value) -> Result<ConfigUpdate, Rejected> {
    ConfigUpdate::from_json(config.to_string().as_bytes()).map_err(Rejected::Config)
}
