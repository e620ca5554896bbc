//! The API: the same as the pages, in JSON. Rows are as the crate serialises them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use overdue::Message;
use overdue::id::{MonitorKey, Slug};
use overdue::rejection::LogEntry;
use overdue::row::{Environment, Incident, Monitor, Run};
use overdue_protocol::body::Unpacked;
use overdue_protocol::project;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::store::{IncidentLine, MonitorView, Tile};

use super::answer::Rejection;
use super::edit::{self, Change};

/// The number of runs of each environment, and of incidents and rejections, that are listed.
const RUNS: u32 = 100;
const LINES: u32 = 100;

pub(super) async fn monitors(State(app): State<App>) -> Result<Json<Vec<Value>>, Rejection> {
    let tiles = app.readers.read(|store| store.tiles(0)).await?;
    let mut monitors: Vec<(MonitorKey, Value)> = Vec::new();
    for Tile { monitor, environment, .. } in tiles {
        if monitors.last().is_none_or(|(key, _)| key != monitor.key()) {
            monitors.push((monitor.key().clone(), json!({ "monitor": monitor, "environments": [] })));
        }
        if let (Some((_, last)), Some(environment)) = (monitors.last_mut(), environment)
            && let Some(Value::Array(environments)) = last.get_mut("environments")
        {
            environments.push(shown(&environment, &[]));
        }
    }
    Ok(Json(monitors.into_iter().map(|(_, monitor)| monitor).collect()))
}

pub(super) async fn monitor(
    State(app): State<App>,
    Path(address): Path<(String, String)>,
) -> Result<Json<Value>, Rejection> {
    let key = key(address)?;
    let view = app.readers.read(move |store| store.monitor(&key, RUNS)).await?;
    let MonitorView { monitor, environments, incidents, rejections } =
        view.ok_or_else(|| Rejection::NotFound("there is no such monitor".to_owned()))?;
    let environments: Vec<Value> =
        environments.iter().map(|(environment, runs)| shown(environment, runs)).collect();
    let incidents: Vec<ShownIncident> = incidents.into_iter().map(ShownIncident::from).collect();
    Ok(Json(json!({
        "monitor": monitor, "environments": environments, "incidents": incidents, "refusals": rejections,
    })))
}

/// An environment, its status in one word, and its newest runs.
fn shown(environment: &Environment, runs: &[Run]) -> Value {
    json!({ "environment": environment, "status": environment.status(), "runs": runs })
}

pub(super) async fn create(
    State(app): State<App>,
    Unpacked(body): Unpacked,
) -> Result<(StatusCode, Json<Arc<Monitor>>), Rejection> {
    let mut fields: Map<String, Value> = json_of(&body)?;
    let mut text = |name| match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => Err(Rejection::Malformed(format!("a new monitor needs a {name}"))),
    };
    let key = key((text("project")?, text("slug")?))?;
    let change: Change =
        serde_json::from_value(fields.into()).map_err(|error| Rejection::Malformed(error.to_string()))?;
    Ok((StatusCode::CREATED, Json(change.create(&app, key).await?)))
}

pub(super) async fn edit(
    State(app): State<App>,
    Path(address): Path<(String, String)>,
    Unpacked(body): Unpacked,
) -> Result<Json<Arc<Monitor>>, Rejection> {
    let change: Change = json_of(&body)?;
    Ok(Json(change.apply(&app, key(address)?).await?))
}

pub(super) async fn remove(
    State(app): State<App>,
    Path(address): Path<(String, String)>,
) -> Result<StatusCode, Rejection> {
    edit::remove(&app, key(address)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize)]
pub(super) struct ShownIncident {
    environment: overdue::id::EnvironmentKey,
    incident: Incident,
}

impl From<IncidentLine> for ShownIncident {
    fn from(IncidentLine { key, incident }: IncidentLine) -> Self {
        Self { environment: key, incident }
    }
}

pub(super) async fn incidents(State(app): State<App>) -> Result<Json<Vec<ShownIncident>>, Rejection> {
    let incidents = app.readers.read(|store| store.newest_incidents(LINES)).await?;
    Ok(Json(incidents.into_iter().map(ShownIncident::from).collect()))
}

pub(super) async fn rejections(State(app): State<App>) -> Result<Json<Vec<LogEntry<Message>>>, Rejection> {
    Ok(Json(app.readers.read(|store| store.newest_rejections(LINES)).await?))
}

/// Parses the monitor in an address.
pub(super) fn key((project, slug): (String, String)) -> Result<MonitorKey, Rejection> {
    let slug = Slug::normalize(&slug).map_err(|error| Rejection::Malformed(error.to_string()))?;
    Ok(MonitorKey { project: project::parse(&project)?, slug })
}

fn json_of<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Rejection> {
    serde_json::from_slice(body).map_err(|error| Rejection::Malformed(error.to_string()))
}
