//! The rows alone, as they are serialised.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::row::{Environment, Incident, Monitor, Organization, Run};

use super::resident::{NONE, Resident};
use super::tables::Tables;

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Stored {
    organizations: Vec<Organization>,
    monitors: Vec<StoredMonitor>,
}

#[derive(Debug, Deserialize, Serialize)]
struct StoredMonitor {
    row: Arc<Monitor>,
    environments: Vec<StoredEnvironment>,
}

#[derive(Debug, Deserialize, Serialize)]
struct StoredEnvironment {
    row: Environment,
    runs: Vec<Run>,
    incidents: Vec<Arc<Incident>>,
}

impl From<&Tables> for Stored {
    fn from(tables: &Tables) -> Self {
        let environment = |resident: &Resident| StoredEnvironment {
            row: resident.row(),
            runs: tables.runs_in_order(resident),
            incidents: resident.incidents().to_vec(),
        };
        let monitor = |row: &Arc<Monitor>| StoredMonitor {
            row: Arc::clone(row),
            environments: tables.environments(&row.key).into_iter().map(environment).collect(),
        };
        Self {
            organizations: tables.organizations().cloned().collect(),
            monitors: tables.monitors().map(monitor).collect(),
        }
    }
}

impl From<Stored> for Tables {
    fn from(stored: Stored) -> Self {
        let mut tables = Tables::default();
        for organization in stored.organizations {
            tables.put_organization(organization);
        }
        for StoredMonitor { row, environments } in stored.monitors {
            tables.put_monitor(&row);
            let mut newest = NONE;
            for StoredEnvironment { row, runs, incidents } in environments {
                newest = tables.put_environment(newest, &row);
                runs.iter().for_each(|run| tables.insert_run(newest, run));
                incidents.iter().for_each(|incident| tables.put_incident(newest, incident));
            }
        }
        tables
    }
}
