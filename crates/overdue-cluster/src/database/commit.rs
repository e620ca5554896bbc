//! Writes decisions: one statement for each kind of row, whatever the number of rows.

use std::sync::Arc;

use overdue::Event;
use overdue::id::{EnvironmentId, MonitorId, Version};
use overdue::row::{Environment, Incident, Monitor, Organization, Run};
use overdue::store::{MonitorChange, Put, PutRun, Transition};
use serde::Serialize;
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

use super::time_text::TimeText;
use super::{DatabaseError, Partitions, Statement};

const ORGANIZATIONS: &str = "
    WITH new AS (
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::json[]) AS new (id, replaces, version, row)
    ), added AS (
        INSERT INTO organizations (id, version, row) SELECT id, version, row FROM new WHERE replaces = 0
        ON CONFLICT DO NOTHING RETURNING id
    ), changed AS (
        UPDATE organizations AS old SET version = new.version, row = new.row
        FROM new WHERE old.id = new.id AND old.version = new.replaces RETURNING old.id
    )
    SELECT must((SELECT count(*) FROM added) + (SELECT count(*) FROM changed) = cardinality($1))";

/// The lock delays an edit until this transaction is over. Otherwise neither would see what the other writes.
const MONITORS_KEPT: &str = "
    WITH kept AS (
        SELECT 1 FROM unnest($1::uuid[], $2::bigint[]) AS wanted (id, version)
        JOIN monitors ON monitors.id = wanted.id AND monitors.version = wanted.version
        FOR SHARE OF monitors
    )
    SELECT must((SELECT count(*) FROM kept) = cardinality($1))";

const MONITORS: &str = "
    WITH new AS (
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::json[])
            AS new (id, replaces, version, organization, thresholds, row)
    ), added AS (
        INSERT INTO monitors (id, organization, thresholds, version, row)
        SELECT id, organization, thresholds, version, row FROM new WHERE replaces = 0
        ON CONFLICT DO NOTHING RETURNING id
    ), changed AS (
        UPDATE monitors AS old
        SET organization = new.organization, thresholds = new.thresholds, version = new.version, row = new.row
        FROM new WHERE old.id = new.id AND old.version = new.replaces RETURNING old.id
    )
    SELECT must((SELECT count(*) FROM added) + (SELECT count(*) FROM changed) = cardinality($1))";

const MONITORS_REMOVED: &str = "
    WITH gone AS (
        DELETE FROM monitors USING unnest($1::uuid[], $2::bigint[]) AS old (id, version)
        WHERE monitors.id = old.id AND monitors.version = old.version RETURNING monitors.id
    ), environments_gone AS (
        DELETE FROM environments WHERE monitor IN (SELECT id FROM gone) RETURNING id
    ), runs_gone AS (
        DELETE FROM runs WHERE environment IN (SELECT id FROM environments_gone)
    ), incidents_gone AS (
        DELETE FROM incidents WHERE environment IN (SELECT id FROM environments_gone)
    )
    SELECT must((SELECT count(*) FROM gone) = cardinality($1))";

const ENVIRONMENTS: &str = "
    WITH new AS (
        SELECT * FROM unnest(
            $1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::int[], $6::bigint[], $7::text[], $8::bytea[],
            $9::text[], $10::json[]
        ) AS new (id, replaces, version, monitor, partition, project, slug, name, due_at, row)
    ), added AS (
        INSERT INTO environments (id, monitor, partition, project, slug, name, version, due_at, row)
        SELECT id, monitor, partition, project, slug, name, version, due_at, row FROM new WHERE replaces = 0
        ON CONFLICT DO NOTHING RETURNING id
    ), changed AS (
        UPDATE environments AS old SET version = new.version, due_at = new.due_at, row = new.row
        FROM new WHERE old.id = new.id AND old.version = new.replaces RETURNING old.id
    )
    SELECT must((SELECT count(*) FROM added) + (SELECT count(*) FROM changed) = cardinality($1))";

const RUNS_NEW: &str = "
    WITH added AS (
        INSERT INTO runs (id, environment, partition, number, status, started_at, due_at, closed_by, row)
        SELECT * FROM unnest(
            $1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::json[]
        )
        ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT must((SELECT count(*) FROM added) = cardinality($1))";

/// If retention has deleted the run meanwhile, this is a conflict: decide again without it.
const RUNS_CHANGED: &str = "
    WITH changed AS (
        UPDATE runs AS old
        SET status = new.status, started_at = new.started_at, due_at = new.due_at, closed_by = new.closed_by,
            row = new.row
        FROM unnest(
            $1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::json[]
        ) AS new (id, environment, partition, number, status, started_at, due_at, closed_by, row)
        WHERE old.id = new.id RETURNING old.id
    )
    SELECT must((SELECT count(*) FROM changed) = cardinality($1))";

const INCIDENTS: &str = "
    INSERT INTO incidents (id, environment, started_at, resolved_at, row)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::json[])
    ON CONFLICT (id) DO UPDATE
    SET started_at = excluded.started_at, resolved_at = excluded.resolved_at, row = excluded.row";

/// A repeated event has the same id, and is published once.
const EVENTS: &str = "
    INSERT INTO events (id, partition, event)
    SELECT id, partition, event
    FROM unnest($1::uuid[], $2::int[], $3::json[]) WITH ORDINALITY AS new (id, partition, event, place)
    ORDER BY place
    ON CONFLICT DO NOTHING";

/// Returns the statements that write these transitions, and the events `beside` them. No two transitions may
/// write the same row.
pub(super) fn statements<'a>(
    transitions: &'a [Transition],
    beside: &'a [Event],
    partition: u32,
    partitions: Partitions,
) -> Result<Vec<Statement<'a>>, DatabaseError> {
    let mut rows = Rows { partitions, ..Rows::default() };
    for transition in transitions {
        rows.add(transition)?;
    }
    let partition = i32::try_from(partition)?;
    rows.events.extend(beside.iter().map(|event| (event, partition)));
    rows.statements()
}

/// The rows of many transitions, by kind.
#[derive(Default)]
struct Rows<'a> {
    partitions: Partitions,
    organizations: Vec<&'a Put<Organization>>,
    kept: Vec<(Uuid, i64)>,
    monitors: Vec<&'a Put<Arc<Monitor>>>,
    removed: Vec<(Uuid, i64)>,
    environments: Vec<(&'a Put<Box<Environment>>, i32)>,
    runs_new: Vec<(&'a Run, i32)>,
    runs_changed: Vec<(&'a Run, i32)>,
    incidents: Vec<&'a Incident>,
    events: Vec<(&'a Event, i32)>,
}

impl<'a> Rows<'a> {
    fn add(&mut self, transition: &'a Transition) -> Result<(), DatabaseError> {
        // Without `..`, so that a new kind of row stops this from compiling.
        let Transition { organization, monitor, environments, runs, incidents, events } = transition;
        self.organizations.extend(organization);
        let id = *MonitorId::of(monitor.key()).as_uuid();
        match monitor {
            MonitorChange::Keep(row) => self.kept.push((id, number(row.version())?)),
            MonitorChange::Put(put) => self.monitors.push(put),
            MonitorChange::Remove(row) => self.removed.push((id, number(row.version())?)),
        }
        // A transition that writes a run, an incident or an event also writes its environment.
        let mut first = 0;
        let mut of: Vec<(EnvironmentId, i32)> = Vec::with_capacity(environments.len());
        for put in environments {
            let partition = i32::try_from(self.partitions.of(put.row.key()))?;
            if of.is_empty() {
                first = partition;
            }
            of.push((put.row.id(), partition));
            self.environments.push((put, partition));
        }
        let partition =
            |environment| of.iter().find(|(id, _)| *id == environment).map_or(first, |(_, at)| *at);
        for put in runs {
            match put {
                PutRun::New(run) => self.runs_new.push((run, partition(run.environment()))),
                PutRun::Changed(run) => self.runs_changed.push((run, partition(run.environment()))),
            }
        }
        self.incidents.extend(incidents.iter().map(|incident| &**incident));
        self.events.extend(events.iter().map(|event| (event, first)));
        Ok(())
    }

    fn statements(&self) -> Result<Vec<Statement<'a>>, DatabaseError> {
        let mut statements = Vec::new();
        let mut add = |rows: usize, statement: Statement<'a>| {
            if rows > 0 {
                statements.push(statement);
            }
        };
        add(self.organizations.len(), organizations(&self.organizations)?);
        add(self.kept.len(), versions(MONITORS_KEPT, &self.kept));
        add(self.monitors.len(), monitors(&self.monitors)?);
        add(self.removed.len(), versions(MONITORS_REMOVED, &self.removed));
        add(self.environments.len(), environments(&self.environments)?);
        add(self.runs_new.len(), runs(RUNS_NEW, &self.runs_new));
        add(self.runs_changed.len(), runs(RUNS_CHANGED, &self.runs_changed));
        add(self.incidents.len(), incidents(&self.incidents));
        add(self.events.len(), events(&self.events));
        Ok(statements)
    }
}

fn organizations<'a>(puts: &[&'a Put<Organization>]) -> Result<Statement<'a>, DatabaseError> {
    let id: Vec<i64> = puts.iter().map(|put| i64::try_from(put.row.id().get())).collect::<Result<_, _>>()?;
    let replaces: Vec<i64> = puts.iter().map(|put| number(put.replaces)).collect::<Result<_, _>>()?;
    let version: Vec<i64> = puts.iter().map(|put| number(put.row.version())).collect::<Result<_, _>>()?;
    let row = documents(puts.iter().map(|put| &put.row));
    let columns = vec![column(id), column(replaces), column(version), column(row)];
    Ok(Statement { sql: ORGANIZATIONS, columns })
}

fn monitors<'a>(puts: &[&'a Put<Arc<Monitor>>]) -> Result<Statement<'a>, DatabaseError> {
    let id: Vec<Uuid> = puts.iter().map(|put| *put.row.id().as_uuid()).collect();
    let replaces: Vec<i64> = puts.iter().map(|put| number(put.replaces)).collect::<Result<_, _>>()?;
    let version: Vec<i64> = puts.iter().map(|put| number(put.row.version())).collect::<Result<_, _>>()?;
    let organization = |put: &&Put<Arc<Monitor>>| i64::try_from(put.row.organization().get());
    let organization: Vec<i64> = puts.iter().map(organization).collect::<Result<_, _>>()?;
    let config = puts.iter().map(|put| put.row.config());
    let thresholds =
        config.map(|config| config.failure_threshold().max(config.recovery_threshold()).get().into());
    let thresholds: Vec<i64> = thresholds.collect();
    let row = documents(puts.iter().map(|put| &put.row));
    let columns = vec![
        column(id),
        column(replaces),
        column(version),
        column(organization),
        column(thresholds),
        column(row),
    ];
    Ok(Statement { sql: MONITORS, columns })
}

fn versions<'a>(sql: &'static str, rows: &[(Uuid, i64)]) -> Statement<'a> {
    let (id, version): (Vec<Uuid>, Vec<i64>) = rows.iter().copied().unzip();
    Statement { sql, columns: vec![column(id), column(version)] }
}

fn environments<'a>(puts: &[(&'a Put<Box<Environment>>, i32)]) -> Result<Statement<'a>, DatabaseError> {
    let rows = || puts.iter().map(|(put, _)| &put.row);
    let key = || rows().map(|row| &row.key().monitor);
    let id: Vec<Uuid> = rows().map(|row| *row.id().as_uuid()).collect();
    let replaces: Vec<i64> = puts.iter().map(|(put, _)| number(put.replaces)).collect::<Result<_, _>>()?;
    let version: Vec<i64> = rows().map(|row| number(row.version())).collect::<Result<_, _>>()?;
    let monitor: Vec<Uuid> = key().map(|key| *MonitorId::of(key).as_uuid()).collect();
    let partition: Vec<i32> = puts.iter().map(|(_, partition)| *partition).collect();
    let project: Vec<i64> = key().map(|key| i64::try_from(key.project.get())).collect::<Result<_, _>>()?;
    let slug: Vec<&str> = key().map(|key| key.slug.as_str()).collect();
    let name: Vec<&[u8]> = rows().map(|row| row.name().as_str().as_bytes()).collect();
    let due_at: Vec<Option<String>> =
        rows().map(|row| row.due_at().map(|at| TimeText(at).into_text())).collect();
    let columns = vec![
        column(id),
        column(replaces),
        column(version),
        column(monitor),
        column(partition),
        column(project),
        column(slug),
        column(name),
        column(due_at),
        column(documents(puts.iter().map(|(put, _)| &put.row))),
    ];
    Ok(Statement { sql: ENVIRONMENTS, columns })
}

fn runs<'a>(sql: &'static str, runs: &[(&'a Run, i32)]) -> Statement<'a> {
    let rows = || runs.iter().map(|(run, _)| *run);
    let id: Vec<Uuid> = rows().map(|run| *run.id().as_uuid()).collect();
    let environment: Vec<Uuid> = rows().map(|run| *run.environment().as_uuid()).collect();
    let partition: Vec<i32> = runs.iter().map(|(_, partition)| *partition).collect();
    let number: Vec<i64> = rows().map(|run| run.number().into()).collect();
    let status: Vec<&str> = rows().map(|run| run.status().as_str()).collect();
    let started_at: Vec<String> = rows().map(|run| TimeText(run.started_at()).into_text()).collect();
    let due_at: Vec<Option<String>> =
        rows().map(|run| run.due_at().map(|at| TimeText(at).into_text())).collect();
    let closed_by: Vec<Option<Uuid>> = rows().map(|run| run.closed_by().map(|id| *id.as_uuid())).collect();
    let columns = vec![
        column(id),
        column(environment),
        column(partition),
        column(number),
        column(status),
        column(started_at),
        column(due_at),
        column(closed_by),
        column(documents(rows())),
    ];
    Statement { sql, columns }
}

fn incidents<'a>(incidents: &[&'a Incident]) -> Statement<'a> {
    let rows = || incidents.iter().copied();
    let id: Vec<Uuid> = rows().map(|row| *row.id().as_uuid()).collect();
    let environment: Vec<Uuid> = rows().map(|row| *row.environment().as_uuid()).collect();
    let started_at: Vec<String> = rows().map(|row| TimeText(row.started_at()).into_text()).collect();
    let resolved_at: Vec<Option<String>> =
        rows().map(|row| row.resolution().map(|end| TimeText(end.at).into_text())).collect();
    let columns = vec![
        column(id),
        column(environment),
        column(started_at),
        column(resolved_at),
        column(documents(rows())),
    ];
    Statement { sql: INCIDENTS, columns }
}

fn events<'a>(events: &[(&'a Event, i32)]) -> Statement<'a> {
    let id: Vec<Uuid> = events.iter().map(|(event, _)| *event.id().as_uuid()).collect();
    let partition: Vec<i32> = events.iter().map(|(_, partition)| *partition).collect();
    let event = documents(events.iter().map(|(event, _)| *event));
    Statement { sql: EVENTS, columns: vec![column(id), column(partition), column(event)] }
}

fn documents<'a, T: Serialize>(rows: impl Iterator<Item = &'a T>) -> Vec<Json<&'a T>> {
    rows.map(Json).collect()
}

fn column<'a>(values: impl ToSql + Sync + Send + 'a) -> Box<dyn ToSql + Sync + Send + 'a> {
    Box::new(values)
}

fn number(version: Version) -> Result<i64, DatabaseError> {
    Ok(i64::try_from(version.number())?)
}
