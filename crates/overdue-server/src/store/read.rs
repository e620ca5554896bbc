//! Looks rows up: what a decision reads, and what is due.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use overdue::id::{
    EnvironmentId, EnvironmentKey, EnvironmentName, MonitorId, MonitorKey, OrganizationId, ProjectId, RunId,
    Slug,
};
use overdue::row::{Environment, Monitor, Organization, Run, RunStatus, RunSummary};
use overdue::store::{
    Due, DueKind, DueQuery, DueRun, HistoryQuery, MonitorSnapshot, Query, RunLookup, RunQuery, Snapshot,
};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row, named_params, params};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::StoreError;
use super::time_text::{FIRST, LAST, TimeText};

/// Reads what a [`Query`] asks for. If another process writes in between, the rows it changed have new
/// versions, and the commit that follows is a conflict.
pub(super) fn load(
    connection: &Connection,
    key: &EnvironmentKey,
    query: &Query<'_>,
) -> Result<Snapshot, StoreError> {
    let id = EnvironmentId::of(key);
    let monitor: Option<Arc<Monitor>> =
        first(connection, "SELECT row FROM monitors WHERE id = ?", [MonitorId::of(&key.monitor).as_uuid()])?;
    let environment: Option<Box<Environment>> =
        first(connection, "SELECT row FROM environments WHERE id = ?", [id.as_uuid()])?;
    let run = match query.run() {
        RunQuery::None => None,
        RunQuery::Id(run) => find(connection, id, run)?,
        RunQuery::Anonymous(message) => match find_told_by(connection, id, message)? {
            None => newest_open(connection, id)?,
            found => found,
        },
    };
    let here = run.as_ref().and_then(RunLookup::own);
    // The query needs these rows to say which past runs matter. Usually none do.
    let window = monitor.as_deref().zip(environment.as_ref());
    let window = window.and_then(|(monitor, environment)| query.history(monitor, environment, here));
    let history = window.map_or(Ok(Vec::new()), |window| history(connection, id, window))?;
    let organization = match query.organization().filter(|_| monitor.is_none()) {
        Some(id) => Some(organization(connection, id)?),
        None => None,
    };
    Ok(Snapshot { organization, monitor, environment, run, history })
}

pub(super) fn load_monitor(
    connection: &Connection,
    key: &MonitorKey,
) -> Result<Option<MonitorSnapshot>, StoreError> {
    let id = MonitorId::of(key);
    let monitor: Option<Arc<Monitor>> =
        first(connection, "SELECT row FROM monitors WHERE id = ?", [id.as_uuid()])?;
    let Some(monitor) = monitor else { return Ok(None) };
    let of_monitor = params![key.project.get(), key.slug.as_str()];
    Ok(Some(MonitorSnapshot {
        organization: organization(connection, monitor.organization())?,
        monitor,
        environments: all(
            connection,
            "SELECT row FROM environments WHERE project = ? AND slug = ? ORDER BY name",
            of_monitor,
        )?,
        open_runs: all(
            connection,
            "SELECT runs.row FROM environments JOIN runs ON runs.environment = environments.id
             WHERE project = ? AND slug = ? AND runs.status = 'in_progress'",
            of_monitor,
        )?,
    }))
}

fn organization(connection: &Connection, id: OrganizationId) -> Result<Organization, StoreError> {
    let row = first(connection, "SELECT row FROM organizations WHERE id = ?", [id.get()])?;
    Ok(row.unwrap_or_else(|| Organization::new(id)))
}

/// The run with this id, in any environment.
fn find(connection: &Connection, here: EnvironmentId, id: RunId) -> Result<Option<RunLookup>, StoreError> {
    let run: Option<Box<Run>> = first(connection, "SELECT row FROM runs WHERE id = ?", [id.as_uuid()])?;
    match run {
        Some(run) if run.environment() == here => Ok(Some(RunLookup::Own(run))),
        Some(run) => {
            let sql = "SELECT project, slug, name FROM environments WHERE id = ?";
            let mut select = connection.prepare_cached(sql)?;
            let owner = select.query_row([run.environment().as_uuid()], |row| key(row, 0)).optional()?;
            Ok(owner.map(RunLookup::Foreign))
        }
        None => Ok(None),
    }
}

/// The run of this environment that the message with this id started or closed.
fn find_told_by(
    connection: &Connection,
    environment: EnvironmentId,
    message: RunId,
) -> Result<Option<RunLookup>, StoreError> {
    // The plus keeps SQLite from scanning all runs of the environment instead.
    let told_by = "SELECT row FROM runs WHERE +environment = ?1 AND (id = ?2 OR closed_by = ?2)";
    Ok(first(connection, told_by, params![environment.as_uuid(), message.as_uuid()])?.map(RunLookup::Own))
}

fn newest_open(connection: &Connection, environment: EnvironmentId) -> Result<Option<RunLookup>, StoreError> {
    let newest = "SELECT row FROM runs WHERE environment = ? AND status = 'in_progress'
        ORDER BY started_at DESC, number DESC LIMIT 1";
    Ok(first(connection, newest, [environment.as_uuid()])?.map(RunLookup::Own))
}

fn history(
    connection: &Connection,
    environment: EnvironmentId,
    window: HistoryQuery,
) -> Result<Vec<RunSummary>, StoreError> {
    let sql = "SELECT id, number, status, started_at FROM runs
        WHERE environment = :environment AND started_at <= :until
            AND (NOT :judged OR status IN ('ok', 'error', 'missed', 'timeout'))
        ORDER BY started_at DESC, number DESC LIMIT :count";
    let mut select = connection.prepare_cached(sql)?;
    let runs = select.query_map(
        named_params! {
            ":environment": environment.as_uuid(),
            ":until": bound(window.until, LAST),
            ":judged": window.judged,
            ":count": window.count,
        },
        |row| {
            Ok(RunSummary {
                id: RunId::from_uuid(row.get(0)?),
                number: row.get(1)?,
                status: parsed(row, 2, |status| status.parse::<RunStatus>())?,
                started_at: row.get::<_, TimeText>(3)?.0,
            })
        },
    )?;
    Ok(runs.collect::<Result<_, _>>()?)
}

/// A page of what is due. The index of misses has the order of the list. Timeouts are in order of time, and
/// those within one minute are sorted.
pub(super) fn due(connection: &Connection, query: &DueQuery) -> Result<Vec<Due>, StoreError> {
    let sql = match query.kind {
        DueKind::Miss => {
            "SELECT due_at, project, slug, name, NULL, NULL FROM environments
             WHERE due_at BETWEEN :from AND :until
                 AND (due_at, project, slug, name, -1) > (:from, :project, :slug, :name, :number)
             ORDER BY due_at, project, slug, name LIMIT :limit"
        }
        DueKind::Timeout => {
            "SELECT runs.due_at, project, slug, name, number, runs.id
             FROM runs JOIN environments ON environments.id = runs.environment
             WHERE runs.due_at BETWEEN :from AND :until
                 AND (runs.due_at, project, slug, name, number) > (:from, :project, :slug, :name, :number)
             ORDER BY runs.due_at, project, slug, name, number LIMIT :limit"
        }
    };
    let after = query.after.as_ref();
    let mut select = connection.prepare_cached(sql)?;
    let page = select.query_map(
        named_params! {
            ":from": bound(after.map(|after| after.at), FIRST),
            ":until": bound(query.until, LAST),
            ":project": after.map(|after| after.key.monitor.project.get()).unwrap_or_default(),
            ":slug": after.map(|after| after.key.monitor.slug.as_str()).unwrap_or_default(),
            ":name": after.map(|after| after.key.name.as_str()).unwrap_or_default(),
            ":number": after.and_then(|after| after.run).map_or(-1, |run| i64::from(run.number)),
            ":limit": i64::try_from(query.limit.get()).unwrap_or(i64::MAX),
        },
        |row| {
            let run = row.get::<_, Option<u32>>(4)?.zip(row.get::<_, Option<Uuid>>(5)?);
            Ok(Due {
                at: row.get::<_, TimeText>(0)?.0,
                key: key(row, 1)?,
                run: run.map(|(number, id)| DueRun { number, id: RunId::from_uuid(id) }),
            })
        },
    )?;
    Ok(page.collect::<Result<_, _>>()?)
}

pub(super) fn next_due(connection: &Connection, kind: DueKind) -> Result<Option<DateTime<Utc>>, StoreError> {
    let sql = match kind {
        DueKind::Miss => "SELECT min(due_at) FROM environments WHERE due_at IS NOT NULL",
        DueKind::Timeout => "SELECT min(due_at) FROM runs WHERE due_at IS NOT NULL",
    };
    let first = |row: &Row<'_>| row.get::<_, Option<TimeText>>(0);
    Ok(connection.prepare_cached(sql)?.query_row([], first)?.map(|first| first.0))
}

/// The bound of a range: a time, or an end beyond all times.
fn bound(at: Option<DateTime<Utc>>, end: &str) -> String {
    at.map_or_else(|| end.to_owned(), |at| TimeText(at).into_text())
}

/// Reads the key of an environment from three columns, starting with this one.
pub(super) fn key(row: &Row<'_>, first: usize) -> rusqlite::Result<EnvironmentKey> {
    let [slug, name] = [first.saturating_add(1), first.saturating_add(2)];
    let project = ProjectId::new(row.get(first)?);
    let monitor = MonitorKey { project, slug: parsed(row, slug, Slug::try_from)? };
    Ok(EnvironmentKey { monitor, name: parsed(row, name, EnvironmentName::try_from)? })
}

/// A column of text, parsed.
fn parsed<T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(String) -> Result<T, E>,
) -> rusqlite::Result<T> {
    parse(row.get(column)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

/// The document in the first column of the first row.
pub(super) fn first<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Option<T>, StoreError> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(parameters)?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(document(row, 0)?))
}

/// The documents in the first column of every row.
pub(super) fn all<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Vec<T>, StoreError> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(parameters)?;
    let mut documents = Vec::new();
    while let Some(row) = rows.next()? {
        documents.push(document(row, 0)?);
    }
    Ok(documents)
}

/// A column that holds a row as JSON.
pub(super) fn document<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, StoreError> {
    Ok(serde_json::from_str(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)?)
}
