//! Commits: everything of a transition or nothing.

use std::sync::Arc;

use overdue::Event;
use overdue::id::{EnvironmentId, MonitorId, MonitorKey, Version};
use overdue::row::{Environment, Incident, Monitor, Organization, Run};
use overdue::store::{CommitError, MonitorChange, Put, PutRun, Transition};
use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;
use super::time_text::TimeText;

impl From<StoreError> for CommitError<StoreError> {
    fn from(error: StoreError) -> Self {
        CommitError::Store(error)
    }
}

/// Applies a transition in a savepoint, which a conflict or an error rolls back.
pub(super) fn commit(
    connection: &mut Connection,
    transition: &Transition,
) -> Result<(), CommitError<StoreError>> {
    let savepoint = connection.savepoint().map_err(StoreError::from)?;
    if !apply(&savepoint, transition)? {
        return Err(CommitError::Conflict);
    }
    Ok(savepoint.commit().map_err(StoreError::from)?)
}

/// Writes row by row. Returns `false` at the first row that is not as the transition expects; what was
/// written before is then rolled back.
fn apply(connection: &Connection, transition: &Transition) -> Result<bool, StoreError> {
    // Without `..`, so that a new kind of row stops this from compiling.
    let Transition { organization, monitor, environments, runs, incidents, events } = transition;
    if let Some(put) = organization
        && !put_organization(connection, put)?
    {
        return Ok(false);
    }
    let stands = match monitor {
        MonitorChange::Keep(row) => monitor_version(connection, row.key())? == row.version(),
        MonitorChange::Put(put) => put_monitor(connection, put)?,
        MonitorChange::Remove(row) => {
            let stands = monitor_version(connection, row.key())? == row.version();
            remove_monitor(connection, row.key())?;
            stands
        }
    };
    if !stands {
        return Ok(false);
    }
    for put in environments {
        if !put_environment(connection, put)? {
            return Ok(false);
        }
    }
    for put in runs {
        if !put_run(connection, put)? {
            return Ok(false);
        }
    }
    for incident in incidents {
        put_incident(connection, incident)?;
    }
    for event in events {
        put_event(connection, event)?;
    }
    Ok(true)
}

fn put_organization(connection: &Connection, put: &Put<Organization>) -> Result<bool, StoreError> {
    let Put { row, replaces } = put;
    let put = match *replaces {
        Version::NEW => {
            "INSERT INTO organizations (id, version, row) VALUES (?2, ?3, ?4) ON CONFLICT DO NOTHING"
        }
        _ => "UPDATE organizations SET version = ?3, row = ?4 WHERE id = ?2 AND version = ?1",
    };
    let (id, version) = (row.id().get(), row.version().number());
    let json = serde_json::to_string(row)?;
    Ok(connection.prepare_cached(put)?.execute(params![replaces.number(), id, version, json])? == 1)
}

fn monitor_version(connection: &Connection, key: &MonitorKey) -> Result<Version, StoreError> {
    let mut select = connection.prepare_cached("SELECT version FROM monitors WHERE id = ?")?;
    let version = select.query_row([MonitorId::of(key).as_uuid()], |row| row.get(0)).optional()?;
    Ok(version.map_or(Version::NEW, Version::from_number))
}

fn put_monitor(connection: &Connection, put: &Put<Arc<Monitor>>) -> Result<bool, StoreError> {
    let Put { row, replaces } = put;
    let put = match *replaces {
        Version::NEW => {
            "INSERT INTO monitors (id, version, project, slug, row) VALUES (?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO NOTHING"
        }
        _ => {
            "UPDATE monitors SET version = ?3, project = ?4, slug = ?5, row = ?6 WHERE id = ?2 AND version = ?1"
        }
    };
    let MonitorKey { project, slug } = row.key();
    let changed = connection.prepare_cached(put)?.execute(params![
        replaces.number(),
        row.id().as_uuid(),
        row.version().number(),
        project.get(),
        slug.as_str(),
        serde_json::to_string(row)?,
    ])?;
    Ok(changed == 1)
}

fn put_environment(connection: &Connection, put: &Put<Box<Environment>>) -> Result<bool, StoreError> {
    let Put { row, replaces } = put;
    let put = match *replaces {
        Version::NEW => {
            "INSERT INTO environments (id, version, project, slug, name, due_at, row)
             VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING"
        }
        _ => {
            "UPDATE environments SET version = ?3, project = ?4, slug = ?5, name = ?6, due_at = ?7, row = ?8
             WHERE id = ?2 AND version = ?1"
        }
    };
    let MonitorKey { project, slug } = &row.key().monitor;
    let changed = connection.prepare_cached(put)?.execute(params![
        replaces.number(),
        row.id().as_uuid(),
        row.version().number(),
        project.get(),
        slug.as_str(),
        row.name().as_str(),
        row.due_at().map(TimeText),
        serde_json::to_string(row)?,
    ])?;
    Ok(changed == 1)
}

fn put_run(connection: &Connection, put: &PutRun) -> Result<bool, StoreError> {
    let sql = match put {
        PutRun::New(_) => {
            "INSERT INTO runs (id, environment, number, status, started_at, due_at, closed_by, row)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING"
        }
        // If retention has removed the run meanwhile, this is a conflict: decide again without it.
        PutRun::Changed(_) => {
            "UPDATE runs SET environment = ?2, number = ?3, status = ?4, started_at = ?5, due_at = ?6,
             closed_by = ?7, row = ?8 WHERE id = ?1"
        }
    };
    let row: &Run = put.run();
    let changed = connection.prepare_cached(sql)?.execute(params![
        row.id().as_uuid(),
        row.environment().as_uuid(),
        row.number(),
        row.status().as_str(),
        TimeText(row.started_at()),
        row.due_at().map(TimeText),
        row.closed_by().map(|id| *id.as_uuid()),
        serde_json::to_string(row)?,
    ])?;
    Ok(changed == 1)
}

fn put_incident(connection: &Connection, row: &Incident) -> Result<(), StoreError> {
    let put = "INSERT INTO incidents (id, environment, number, started_at, resolved_at, row)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (id) DO UPDATE SET started_at = ?4, resolved_at = ?5, row = ?6";
    connection.prepare_cached(put)?.execute(params![
        row.id().as_uuid(),
        row.environment().as_uuid(),
        row.number(),
        TimeText(row.started_at()),
        row.resolution().map(|end| TimeText(end.at)),
        serde_json::to_string(row)?,
    ])?;
    Ok(())
}

/// Appends an event to the log, and to the outbox of every destination. A repeat has the same id, and is
/// delivered once.
fn put_event(connection: &Connection, event: &Event) -> Result<(), StoreError> {
    // Events without an environment keep their order among each other.
    let environment =
        event.environment().map_or_else(Default::default, |key| *EnvironmentId::of(&key).as_uuid());
    let append = "INSERT INTO events (id, environment, at, event)
        VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ'), ?) ON CONFLICT DO NOTHING";
    let id = event.id();
    let values = params![id.as_uuid(), environment, serde_json::to_string(event)?];
    if connection.prepare_cached(append)?.execute(values)? == 1 {
        let tell =
            "INSERT INTO outbox (destination, environment, sequence) SELECT name, ?1, ?2 FROM destinations";
        connection.prepare_cached(tell)?.execute(params![environment, connection.last_insert_rowid()])?;
    }
    Ok(())
}

fn remove_monitor(connection: &Connection, key: &MonitorKey) -> Result<(), StoreError> {
    let (monitor, of_monitor) = (MonitorId::of(key), params![key.project.get(), key.slug.as_str()]);
    for table in ["runs", "incidents"] {
        let delete = format!(
            "DELETE FROM {table} WHERE environment IN (SELECT id FROM environments WHERE project = ? AND slug = ?)"
        );
        connection.execute(&delete, of_monitor)?;
    }
    connection.execute("DELETE FROM environments WHERE project = ? AND slug = ?", of_monitor)?;
    connection.execute("DELETE FROM refusals WHERE owner = ?", [monitor.as_uuid()])?;
    connection.execute("DELETE FROM monitors WHERE id = ?", [monitor.as_uuid()])?;
    Ok(())
}
