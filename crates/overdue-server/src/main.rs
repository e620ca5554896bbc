//! A check-in server: it speaks the protocol of Sentry's SDKs and curl, keeps its state in SQLite, and serves
//! a status page.
//!
//! ```sh
//! cargo run --release -p overdue-server
//! ```
//!
//! Where to find what: `overdue-protocol` takes check-ins, `http` stores them and serves pages, `writer` is
//! the one thread that writes, with group commit, `clock` ticks, `delivery` reports incidents, and only
//! `store` knows SQL. `README.md` beside this file says more.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "it counts what fits into memory, and adds minutes to the present"
)]

mod app;
mod banner;
mod clock;
mod delivery;
mod demo;
mod http;
mod metrics;
mod options;
mod readers;
mod writer;

use std::io::{IsTerminal, Write, stderr, stdout};
use std::thread::JoinHandle;
use std::time::Duration;

use clap::Parser;
use overdue::admission::RateLimiter;
use overdue_protocol::Key;
use overdue_protocol::time;
use overdue_server::store;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::app::{App, State};
use crate::delivery::{Stdout, Webhook};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::readers::Readers;
use crate::store::SqliteStore;
use crate::writer::Writer;

/// Why the server did not start, or stopped.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    start_log();
    // This comes first, so that a second server on the same address touches nothing.
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    // Before anybody learns that there is a server to stop.
    let stop = overdue_protocol::stop();
    let db = options.db();
    let (app, writer) = open(&options, &listener)?;
    writeln!(stdout(), "{}", banner::banner(&app, &db))?;
    if !options.listen.ip().is_loopback() {
        tracing::warn!("anybody who reaches {} can see and edit all monitors", options.listen);
    }

    let mut tasks = JoinSet::new();
    if options.demo {
        demo::furnish(&app).await?;
        tasks.spawn(demo::run(app.clone()));
    }
    tell_destinations(&app, &options).await?;
    tasks.spawn(clock::run(app.clone(), options.retention()));
    tasks.spawn(delivery::run(app.clone(), Stdout));
    for url in &options.webhook {
        tasks.spawn(delivery::run(app.clone(), Webhook::new(url)));
    }

    let router = http::router(app.clone());
    // No task should end by itself. If one does, it has failed.
    let broken = tokio::select! {
        () = overdue_protocol::serve(listener, router, stop) => false,
        _ = tasks.join_next() => true,
        () = end(&writer) => true,
    };
    tasks.shutdown().await;
    // Dropping the last sender ends the thread, after it has written everything.
    drop(app);
    let ended = tokio::time::timeout(Duration::from_secs(5), end(&writer)).await.is_ok();
    if broken || !ended || writer.join().is_err() {
        return Err("a part of the server has failed".into());
    }
    tracing::info!("stopped");
    Ok(())
}

/// Logs to standard error what `RUST_LOG` asks for: a level, or `target=level` pairs separated by commas.
fn start_log() {
    let asked = std::env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    let targets = asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal());
    tracing_subscriber::registry().with(lines).with(targets).init();
}

/// Opens the database and starts the thread that writes.
fn open(options: &Options, listener: &TcpListener) -> Result<(App, JoinHandle<()>), Failure> {
    let db = options.db();
    let store = SqliteStore::open(&db).map_err(|error| format!("cannot open {}: {error}", db.display()))?;
    let key = match &options.key {
        Some(key) => key.clone(),
        None => {
            let new = Key::random()?;
            store.setting("key", || new)?
        }
    };
    let readers = Readers::open(&db)?;
    let metrics = Metrics::new()?;
    let limiter = options.rate_limit().map(RateLimiter::new);
    let (writer, thread) = Writer::start(store, options.policy(), limiter, metrics.clone())?;
    let address = format!("http://{}", listener.local_addr()?);
    Ok((State { writer, readers, metrics, key: Key::new(&key), address }.into(), thread))
}

/// Stores which destinations receive events from now on.
async fn tell_destinations(app: &App, options: &Options) -> Result<(), Failure> {
    let mut names = vec!["stdout".to_owned()];
    names.extend(options.webhook.iter().cloned());
    let set = app
        .writer
        .ask(move |engine| engine.store().set_destinations(names.iter().map(String::as_str)))
        .await?;
    match set? {
        0 => {}
        orphans => {
            tracing::warn!(events = orphans, "a destination that is not named any more has not heard all");
        }
    }
    Ok(())
}

/// Waits for the thread that writes.
async fn end(writer: &JoinHandle<()>) {
    while !writer.is_finished() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
