//! What the server prints at its start.

use overdue::id::MonitorKey;

use crate::app::App;

/// Returns where to find the page, and how to check in.
pub(crate) fn banner(app: &App, db: &std::path::Path) -> String {
    format!(
        "overdue keeps check-ins in {db}\n\n  \
         status page   {address}/\n  \
         DSN           {dsn}\n  \
         a check-in    {curl}\n",
        db = db.display(),
        address = app.address,
        dsn = app.key.dsn(&app.address, 1),
        curl = curl(app, "1", "my-first-job", "?schedule=every+hour"),
    )
}

/// Returns a line for the crontab of a new job.
pub(crate) fn crontab_line(app: &App) -> String {
    let ping = curl(app, "1", "nightly-backup", "?status=ok&schedule=0+2+*+*+*");
    format!("0 2 * * *  backup.sh && {ping}")
}

/// Returns a line for the crontab of a job that has a monitor.
pub(crate) fn ping_line(app: &App, key: &MonitorKey) -> String {
    let (project, slug) = (key.project.to_string(), key.slug.as_str());
    format!(
        "{started}; job.sh && {ok} || {error}",
        started = curl(app, &project, slug, "?status=in_progress"),
        ok = curl(app, &project, slug, "?status=ok"),
        error = curl(app, &project, slug, "?status=error"),
    )
}

fn curl(app: &App, project: &str, slug: &str, query: &str) -> String {
    format!("curl -fsS '{}/api/{project}/cron/{slug}/{}/{query}'", app.address, app.key.as_str())
}
