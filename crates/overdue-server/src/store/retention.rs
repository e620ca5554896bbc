//! Deletes old rows.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use overdue::id::MonitorKey;
use overdue::rejection::RejectionLog;
use overdue::row::Monitor;
use rusqlite::params;

use super::read::all;
use super::time_text::TimeText;
use super::{SqliteStore, StoreError};

impl SqliteStore {
    /// Every monitor, to prune one by one.
    pub fn monitor_keys(&self) -> Result<Vec<MonitorKey>, StoreError> {
        let monitors: Vec<Arc<Monitor>> = all(&self.connection(), "SELECT row FROM monitors", [])?;
        Ok(monitors.iter().map(|monitor| monitor.key().clone()).collect())
    }

    /// Deletes a monitor's finished runs that started before a date, and its incidents that were resolved
    /// before it. Returns the number of runs deleted. The newest runs of an environment stay while its
    /// thresholds need them.
    pub fn prune_monitor(&self, key: &MonitorKey, before: DateTime<Utc>) -> Result<usize, StoreError> {
        let mut connection = self.connection();
        let savepoint = connection.savepoint()?;
        let (before, of_monitor) = (TimeText(before), params![key.project.get(), key.slug.as_str()]);
        let select = "SELECT row FROM monitors WHERE project = ? AND slug = ?";
        let Some(monitor) = all::<Monitor>(&savepoint, select, of_monitor)?.pop() else { return Ok(0) };
        let config = monitor.config();
        let window = config.failure_threshold().max(config.recovery_threshold()).get();
        let mut runs = savepoint.prepare_cached(
            "DELETE FROM runs WHERE environment = ?1 AND status <> 'in_progress' AND started_at < min(?2, (
                 SELECT started_at FROM runs
                 WHERE environment = ?1 AND status IN ('ok', 'error', 'missed', 'timeout')
                 ORDER BY started_at DESC, number DESC LIMIT 1 OFFSET ?3))",
        )?;
        let mut incidents =
            savepoint.prepare_cached("DELETE FROM incidents WHERE environment = ? AND resolved_at < ?")?;
        let mut environments =
            savepoint.prepare_cached("SELECT id FROM environments WHERE project = ? AND slug = ?")?;
        let mut gone = 0_usize;
        for environment in environments.query_map(of_monitor, |row| row.get::<_, uuid::Uuid>(0))? {
            let environment = environment?;
            gone =
                gone.saturating_add(runs.execute(params![environment, before, window.saturating_sub(1)])?);
            incidents.execute(params![environment, before])?;
        }
        drop((runs, incidents, environments));
        savepoint.commit()?;
        Ok(gone)
    }

    /// Deletes old rejections, and old events, delivered or not.
    pub fn prune_logs(&self, now: DateTime<Utc>, before: DateTime<Utc>) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let savepoint = connection.savepoint()?;
        let kept = RejectionLog::<()>::KEPT;
        let bounds = [now.checked_sub_signed(kept), now.checked_add_signed(kept)]
            .map(|bound| TimeText(bound.unwrap_or(now)));
        savepoint.execute("DELETE FROM refusals WHERE at NOT BETWEEN ? AND ?", bounds)?;
        let old = "SELECT sequence FROM events WHERE at < ?";
        savepoint.execute(&format!("DELETE FROM outbox WHERE sequence IN ({old})"), [TimeText(before)])?;
        savepoint.execute("DELETE FROM events WHERE at < ?", [TimeText(before)])?;
        Ok(savepoint.commit()?)
    }
}
