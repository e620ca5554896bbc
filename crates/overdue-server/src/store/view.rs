//! What the pages and the API show.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use overdue::Message;
use overdue::id::{EnvironmentId, EnvironmentKey, MonitorId, MonitorKey};
use overdue::rejection::{LogEntry, LogScope};
use overdue::row::{Environment, EnvironmentStatus, Incident, Monitor, Run, RunStatus};
use rusqlite::{Connection, params};

use super::read::{all, document, key};
use super::{SqliteStore, StoreError};

/// An environment with its newest runs, or a monitor without environments.
#[derive(Clone, Debug)]
pub struct Tile {
    pub monitor: Arc<Monitor>,
    pub environment: Option<Environment>,
    /// Oldest first.
    pub strip: Vec<RunLine>,
}

/// A run, as needed for a picture.
#[derive(Clone, Copy, Debug)]
pub struct RunLine {
    pub status: RunStatus,
    pub started_at: DateTime<Utc>,
    /// In milliseconds.
    pub duration: Option<u32>,
}

impl From<&Run> for RunLine {
    fn from(run: &Run) -> Self {
        let duration = run.duration().map(|duration| duration.get());
        Self { status: run.status(), started_at: run.started_at(), duration }
    }
}

/// An incident and its environment.
#[derive(Clone, Debug)]
pub struct IncidentLine {
    pub key: EnvironmentKey,
    pub incident: Incident,
}

/// Everything to show about one monitor.
#[derive(Clone, Debug)]
pub struct MonitorView {
    pub monitor: Arc<Monitor>,
    /// Each with its newest runs, newest first.
    pub environments: Vec<(Environment, Vec<Run>)>,
    /// Newest first.
    pub incidents: Vec<IncidentLine>,
    /// Newest first.
    pub rejections: Vec<LogEntry<Message>>,
}

impl SqliteStore {
    /// Every environment, with the newest `runs` of each.
    pub fn tiles(&self, runs: u32) -> Result<Vec<Tile>, StoreError> {
        let connection = self.connection();
        // One transaction, so that all tiles show the same moment.
        let transaction = connection.unchecked_transaction()?;
        let mut select = transaction.prepare_cached(
            "SELECT monitors.row, environments.row FROM monitors
             LEFT JOIN environments ON environments.project = monitors.project AND environments.slug = monitors.slug
             ORDER BY monitors.project, monitors.slug, name",
        )?;
        let mut rows = select.query([])?;
        let mut tiles: Vec<Tile> = Vec::new();
        while let Some(row) = rows.next()? {
            let monitor = Arc::new(document(row, 0)?);
            let environment: Option<Environment> = match row.get_ref(1)? {
                rusqlite::types::ValueRef::Null => None,
                _ => Some(document(row, 1)?),
            };
            let strip = match &environment {
                Some(environment) => strip(&transaction, environment.id(), runs)?,
                None => Vec::new(),
            };
            tiles.push(Tile { monitor, environment, strip });
        }
        Ok(tiles)
    }

    /// The status of every environment.
    pub fn statuses(&self) -> Result<Vec<EnvironmentStatus>, StoreError> {
        let rows: Vec<Environment> = all(&self.connection(), "SELECT row FROM environments", [])?;
        Ok(rows.iter().map(Environment::status).collect())
    }

    /// The newest incidents of all environments, newest first.
    pub fn newest_incidents(&self, count: u32) -> Result<Vec<IncidentLine>, StoreError> {
        let select = "SELECT project, slug, name, incidents.row
            FROM incidents JOIN environments ON environments.id = incidents.environment
            ORDER BY incidents.started_at DESC LIMIT ?";
        incidents(&self.connection(), select, [count])
    }

    /// A monitor, with the newest `runs` of each environment.
    pub fn monitor(&self, wanted: &MonitorKey, runs: u32) -> Result<Option<MonitorView>, StoreError> {
        let rejections = self.rejections(LogScope::Monitor(MonitorId::of(wanted)))?;
        let connection = self.connection();
        let transaction = connection.unchecked_transaction()?;
        let of_monitor = params![wanted.project.get(), wanted.slug.as_str()];
        let select = "SELECT row FROM monitors WHERE project = ? AND slug = ?";
        let Some(monitor) = all::<Arc<Monitor>>(&transaction, select, of_monitor)?.pop() else {
            return Ok(None);
        };
        let select = "SELECT row FROM environments WHERE project = ? AND slug = ? ORDER BY name";
        let mut environments = Vec::new();
        for environment in all::<Environment>(&transaction, select, of_monitor)? {
            let select =
                "SELECT row FROM runs WHERE environment = ? ORDER BY started_at DESC, number DESC LIMIT ?";
            let runs = all(&transaction, select, params![environment.id().as_uuid(), runs])?;
            environments.push((environment, runs));
        }
        let select = "SELECT project, slug, name, incidents.row
            FROM environments JOIN incidents ON incidents.environment = environments.id
            WHERE project = ? AND slug = ? ORDER BY incidents.started_at DESC LIMIT 50";
        let incidents = incidents(&transaction, select, of_monitor)?;
        Ok(Some(MonitorView { monitor, environments, incidents, rejections }))
    }
}

fn strip(connection: &Connection, environment: EnvironmentId, runs: u32) -> Result<Vec<RunLine>, StoreError> {
    let select = "SELECT row FROM runs WHERE environment = ? ORDER BY started_at DESC, number DESC LIMIT ?";
    let newest_first: Vec<Run> = all(connection, select, params![environment.as_uuid(), runs])?;
    Ok(newest_first.iter().rev().map(RunLine::from).collect())
}

fn incidents(
    connection: &Connection,
    select: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<IncidentLine>, StoreError> {
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query(parameters)?;
    let mut incidents = Vec::new();
    while let Some(row) = rows.next()? {
        incidents.push(IncidentLine { key: key(row, 0)?, incident: document(row, 3)? });
    }
    Ok(incidents)
}
