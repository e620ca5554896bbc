//! Looks rows up: what decisions read, for many of them at once.

use std::sync::Arc;

use deadpool_postgres::Object;
use futures_util::future::try_join_all;
use overdue::id::{
    EnvironmentId, EnvironmentKey, EnvironmentName, MonitorId, MonitorKey, OrganizationId, ProjectId, RunId,
    Slug,
};
use overdue::row::{Environment, Monitor, Organization, Run, RunSummary};
use overdue::store::{HistoryQuery, MonitorSnapshot, Query, RunLookup, RunQuery, Snapshot};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

use super::time_text::{LAST, TimeText};
use super::{DatabaseError, parsed};

/// An environment, and what a decision about it reads.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    pub key: EnvironmentKey,
    pub query: Query<'a>,
}

const LOAD: &str = "
    SELECT monitors.row, environments.row, organizations.row, run.row, owner.project, owner.slug, owner.name
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::uuid[]) WITH ORDINALITY
        AS wanted (monitor, environment, organization, by_id, told_by, place)
    LEFT JOIN monitors ON monitors.id = wanted.monitor
    LEFT JOIN environments ON environments.id = wanted.environment
    LEFT JOIN organizations ON organizations.id = wanted.organization
    LEFT JOIN LATERAL (
        (SELECT row, environment, 1 AS choice FROM runs WHERE id = wanted.by_id)
        UNION ALL
        (SELECT row, environment, 2 FROM runs
            WHERE id = wanted.told_by AND environment = wanted.environment)
        UNION ALL
        (SELECT row, environment, 3 FROM runs
            WHERE closed_by = wanted.told_by AND environment = wanted.environment)
        UNION ALL
        (SELECT row, environment, 4 FROM runs
            WHERE wanted.told_by IS NOT NULL AND environment = wanted.environment AND status = 'in_progress'
            ORDER BY started_at DESC, number DESC LIMIT 1)
        ORDER BY choice LIMIT 1
    ) AS run ON true
    LEFT JOIN environments AS owner ON owner.id = run.environment AND owner.id <> wanted.environment
    ORDER BY place";

const HISTORY: &str = "
    SELECT id, number, status, started_at FROM runs
    WHERE environment = $1 AND started_at <= $2
        AND (NOT $3 OR status IN ('ok', 'error', 'missed', 'timeout'))
    ORDER BY started_at DESC, number DESC LIMIT $4";

/// Reads what the queries ask for, in their order: one statement for all of them, and one more for each that
/// asks for past runs, all sent at once. Usually none does.
pub(super) async fn load(client: &Object, subjects: &[Subject<'_>]) -> Result<Vec<Snapshot>, DatabaseError> {
    let column =
        |id: fn(&EnvironmentKey) -> Uuid| -> Vec<Uuid> { subjects.iter().map(|of| id(&of.key)).collect() };
    let monitors = column(|key| *MonitorId::of(&key.monitor).as_uuid());
    let environments = column(|key| *EnvironmentId::of(key).as_uuid());
    let organization =
        |of: &Subject<'_>| of.query.organization().map(|id| i64::try_from(id.get())).transpose();
    let organizations: Vec<Option<i64>> = subjects.iter().map(organization).collect::<Result<_, _>>()?;
    let runs = || subjects.iter().map(|of| of.query.run());
    let by_id: Vec<Option<Uuid>> =
        runs().map(|run| if let RunQuery::Id(id) = run { Some(*id.as_uuid()) } else { None }).collect();
    let told_by: Vec<Option<Uuid>> = runs()
        .map(|run| if let RunQuery::Anonymous(id) = run { Some(*id.as_uuid()) } else { None })
        .collect();
    let columns: [&(dyn ToSql + Sync); 5] = [&monitors, &environments, &organizations, &by_id, &told_by];
    let statement = client.prepare_cached(LOAD).await?;
    let rows = client.query(&statement, &columns).await?;
    let mut snapshots = Vec::with_capacity(subjects.len());
    for (row, of) in rows.iter().zip(subjects) {
        snapshots.push(snapshot(row, of)?);
    }
    fill_in_history(client, subjects, &mut snapshots).await?;
    Ok(snapshots)
}

fn snapshot(row: &Row, Subject { key, query }: &Subject<'_>) -> Result<Snapshot, DatabaseError> {
    let monitor: Option<Arc<Monitor>> = document(row, 0)?;
    let run: Option<Box<Run>> = document(row, 3)?;
    let run = match run {
        Some(run) if run.environment() == EnvironmentId::of(key) => Some(RunLookup::Own(run)),
        // A run without an environment is being removed with it.
        Some(_) => owner(row)?.map(RunLookup::Foreign),
        None => None,
    };
    let organization = match query.organization().filter(|_| monitor.is_none()) {
        Some(id) => Some(document(row, 2)?.unwrap_or_else(|| Organization::new(id))),
        None => None,
    };
    Ok(Snapshot { organization, monitor, environment: document(row, 1)?, run, history: Vec::new() })
}

fn owner(row: &Row) -> Result<Option<EnvironmentKey>, DatabaseError> {
    match row.try_get::<_, Option<i64>>(4)? {
        Some(_) => key(row, 4).map(Some),
        None => Ok(None),
    }
}

/// A query needs these rows to say which past runs matter.
async fn fill_in_history(
    client: &Object,
    subjects: &[Subject<'_>],
    snapshots: &mut [Snapshot],
) -> Result<(), DatabaseError> {
    let windows: Vec<(usize, EnvironmentId, HistoryQuery)> = subjects
        .iter()
        .zip(&*snapshots)
        .enumerate()
        .filter_map(|(place, (of, snapshot))| {
            let here = snapshot.run.as_ref().and_then(RunLookup::own);
            let (monitor, environment) = snapshot.monitor.as_deref().zip(snapshot.environment.as_ref())?;
            Some((place, environment.id(), of.query.history(monitor, environment, here)?))
        })
        .collect();
    if windows.is_empty() {
        return Ok(());
    }
    let statement = &client.prepare_cached(HISTORY).await?;
    let histories = windows.iter().map(|&(place, environment, window)| async move {
        let until = window.until.map_or_else(|| LAST.to_owned(), |until| TimeText(until).into_text());
        let (environment, count) = (environment.as_uuid(), i64::from(window.count));
        let rows = client.query(statement, &[environment, &until, &window.judged, &count]).await?;
        let history: Result<_, _> = rows.iter().map(summary).collect();
        Ok::<(usize, Vec<RunSummary>), DatabaseError>((place, history?))
    });
    for (place, history) in try_join_all(histories).await? {
        if let Some(snapshot) = snapshots.get_mut(place) {
            snapshot.history = history;
        }
    }
    Ok(())
}

fn summary(row: &Row) -> Result<RunSummary, DatabaseError> {
    Ok(RunSummary {
        id: RunId::from_uuid(row.try_get(0)?),
        number: u32::try_from(row.try_get::<_, i64>(1)?)?,
        status: parsed(row, 2, |status| status.parse())?,
        started_at: parsed(row, 3, |at| at.parse::<TimeText>())?.0,
    })
}

/// Reads a monitor whole.
pub(super) async fn monitor(
    client: &Object,
    key: &MonitorKey,
) -> Result<Option<MonitorSnapshot>, DatabaseError> {
    // One statement, so that everything is of the same moment.
    let select = "
        SELECT monitors.row, environments.row, run.row, organizations.row
        FROM monitors
        LEFT JOIN organizations ON organizations.id = monitors.organization
        LEFT JOIN environments ON environments.monitor = monitors.id
        LEFT JOIN runs AS run ON run.environment = environments.id AND run.status = 'in_progress'
        WHERE monitors.id = $1 ORDER BY environments.name, run.started_at, run.number";
    let statement = client.prepare_cached(select).await?;
    let rows = client.query(&statement, &[MonitorId::of(key).as_uuid()]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let Some(monitor) = document::<Arc<Monitor>>(first, 0)? else { return Ok(None) };
    let organization: OrganizationId = monitor.organization();
    let organization = document(first, 3)?.unwrap_or_else(|| Organization::new(organization));
    let (mut environments, mut open_runs) = (Vec::<Environment>::new(), Vec::new());
    for row in &rows {
        let environment: Option<Environment> = document(row, 1)?;
        if let Some(environment) = environment
            && environments.last().is_none_or(|last| last.id() != environment.id())
        {
            environments.push(environment);
        }
        open_runs.extend(document::<Run>(row, 2)?);
    }
    Ok(Some(MonitorSnapshot { organization, monitor, environments, open_runs }))
}

/// Reads the key of an environment from three columns, starting with this one.
pub(super) fn key(row: &Row, first: usize) -> Result<EnvironmentKey, DatabaseError> {
    let [slug, name] = [first.saturating_add(1), first.saturating_add(2)];
    let project = ProjectId::new(u64::try_from(row.try_get::<_, i64>(first)?)?);
    let monitor = MonitorKey { project, slug: parsed(row, slug, Slug::try_from)? };
    let name =
        String::from_utf8(row.try_get(name)?).map_err(|error| DatabaseError::Row(error.to_string()))?;
    let name = EnvironmentName::try_from(name).map_err(|error| DatabaseError::Row(error.to_string()))?;
    Ok(EnvironmentKey { monitor, name })
}

/// A column that holds a row as JSON.
fn document<T: DeserializeOwned>(row: &Row, column: usize) -> Result<Option<T>, DatabaseError> {
    Ok(row.try_get::<_, Option<Json<T>>>(column)?.map(|Json(document)| document))
}
