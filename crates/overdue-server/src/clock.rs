//! Time: sleeps until the next deadline, and ticks.
//!
//! After a downtime the server ticks once, however long it was down: each job that should have reported
//! meanwhile is missed once. The first tick comes with the first whole minute after the start, so that
//! check-ins that clients retry arrive before it.

use chrono::{DateTime, TimeDelta, Utc};
use overdue::outcome::TickEffect;
use overdue::{Error, Tick, TickReport};
use overdue_protocol::Unavailable;

use crate::app::App;
use crate::store::StoreError;
use crate::time;
use crate::writer::ServerEngine;

/// How often old rows are pruned.
const PRUNING: TimeDelta = TimeDelta::hours(1);

/// Ticks and prunes until it is dropped.
pub(crate) async fn run(app: App, retention: TimeDelta) {
    let mut prune_at = time::now();
    loop {
        // A check-in may bring a deadline nearer, though never nearer than the next minute.
        tokio::time::sleep(time::until(time::next_minute(time::now()))).await;
        let now = time::now();
        if tick(&app, now).await.is_err() {
            tracing::error!("a tick was not written; the next one catches up");
        }
        if now >= prune_at {
            prune_at = now + PRUNING;
            if prune(&app, now, retention).await.is_err() {
                tracing::error!("old rows were not pruned");
            }
        }
    }
}

/// Ticks if something is due.
async fn tick(app: &App, now: DateTime<Utc>) -> Result<(), Unavailable> {
    let ticked = app.writer.ask(move |engine| tick_if_due(engine, now)).await?;
    let (due, report) = ticked.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a tick failed");
        Unavailable
    })?;
    let lag = due.map_or(0.0, |due| (now - due).as_seconds_f64());
    app.metrics.tick_lag.set(lag);
    let Some(report) = report else { return Ok(()) };
    for outcome in &report.outcomes {
        let effect = match &outcome.effect {
            TickEffect::Missed(_) => "missed",
            TickEffect::TimedOut(_) => "timed_out",
            TickEffect::Unknown { .. } => "unknown",
            _ => "ignored",
        };
        app.metrics.ticked.with_label_values(&[effect]).inc();
        tracing::debug!(environment = %outcome.environment, effect, "was due");
    }
    tracing::info!(tick = %report.tick, due = report.outcomes.len(), lag, "ticked");
    Ok(())
}

type Ticked = (Option<DateTime<Utc>>, Option<TickReport>);

fn tick_if_due(engine: &ServerEngine, now: DateTime<Utc>) -> Result<Ticked, Error<StoreError>> {
    let due = engine.next_deadline()?.filter(|due| *due <= now);
    let report = due.map(|_| engine.tick(Tick::at(now))).transpose()?;
    Ok((due, report))
}

/// Prunes old rows, monitor by monitor, so that check-ins need not wait for all of it.
async fn prune(app: &App, now: DateTime<Utc>, retention: TimeDelta) -> Result<(), Unavailable> {
    let before = now.checked_sub_signed(retention).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let monitors = app.readers.read(|store| store.monitor_keys()).await?;
    let mut gone = 0;
    for key in monitors {
        gone += app
            .writer
            .ask(move |engine| engine.store().prune_monitor(&key, before))
            .await?
            .unwrap_or_else(note);
    }
    app.writer.ask(move |engine| engine.store().prune_logs(now, before)).await?.unwrap_or_else(note);
    if gone > 0 {
        tracing::info!(runs = gone, "pruned");
    }
    Ok(())
}

fn note<T: Default>(error: StoreError) -> T {
    tracing::error!(error = &error as &dyn std::error::Error, "old rows could not be deleted");
    T::default()
}
