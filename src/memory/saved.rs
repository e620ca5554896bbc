//! The rows alone, as they are serialised.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{EnvironmentKey, IncidentId, MonitorKey, OrganizationId, RunId};
use crate::row::{Environment, Incident, Monitor, Organization, Run};

use super::environment::StoredEnvironment;
use super::tables::Tables;

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct SavedStore {
    organizations: Vec<Organization>,
    monitors: Vec<SavedMonitor>,
}

#[derive(Debug, Deserialize, Serialize)]
struct SavedMonitor {
    row: Arc<Monitor>,
    environments: Vec<SavedEnvironment>,
}

#[derive(Debug, Deserialize, Serialize)]
struct SavedEnvironment {
    row: Environment,
    runs: Vec<Run>,
    incidents: Vec<Arc<Incident>>,
}

impl From<&Tables> for SavedStore {
    fn from(tables: &Tables) -> Self {
        let environment = |environment: &StoredEnvironment| SavedEnvironment {
            row: environment.row(),
            runs: tables.runs_in_order(environment),
            incidents: environment.incidents().to_vec(),
        };
        let monitor = |row: &Arc<Monitor>| SavedMonitor {
            row: Arc::clone(row),
            environments: tables.environments(&row.key).into_iter().map(environment).collect(),
        };
        Self {
            organizations: tables.organizations().cloned().collect(),
            monitors: tables.monitors().map(monitor).collect(),
        }
    }
}

/// Why data cannot have been saved by a store.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidSave {
    #[error("organization {0} is there twice")]
    Organization(OrganizationId),
    #[error("monitor {0} is there twice")]
    Monitor(MonitorKey),
    #[error("environment {0} is there twice, or under another monitor")]
    Environment(EnvironmentKey),
    #[error("run {0} is there twice, or in another environment")]
    Run(RunId),
    #[error("incident {0} is there twice, or in another environment")]
    Incident(IncidentId),
}

impl TryFrom<SavedStore> for Tables {
    type Error = InvalidSave;

    fn try_from(stored: SavedStore) -> Result<Self, InvalidSave> {
        let mut tables = Tables::default();
        for organization in stored.organizations {
            if tables.organizations.contains_key(&organization.id) {
                return Err(InvalidSave::Organization(organization.id));
            }
            tables.put_organization(organization);
        }
        for SavedMonitor { row, environments } in stored.monitors {
            if tables.monitors.contains_key(&row.key) {
                return Err(InvalidSave::Monitor(row.key.clone()));
            }
            tables.put_monitor(&row);
            for environment in environments {
                tables.restore(&row.key, environment)?;
            }
        }
        Ok(tables)
    }
}

impl Tables {
    fn restore(&mut self, monitor: &MonitorKey, stored: SavedEnvironment) -> Result<(), InvalidSave> {
        let SavedEnvironment { row, runs, incidents } = stored;
        if row.key.monitor != *monitor || self.environment(&row.key).is_some() {
            return Err(InvalidSave::Environment(row.key));
        }
        self.insert_environment(&row);
        for run in runs {
            if run.environment != row.id || self.number_of(&run.id).is_some() {
                return Err(InvalidSave::Run(run.id));
            }
            self.insert_run(monitor, &run);
        }
        for (nth, incident) in incidents.iter().enumerate() {
            if incident.environment != row.id
                || incidents.iter().take(nth).any(|other| other.id == incident.id)
            {
                return Err(InvalidSave::Incident(incident.id));
            }
            self.put_incident(monitor, incident);
        }
        Ok(())
    }
}
