//! From bytes to an outcome: where every check-in comes through.

use chrono::TimeDelta;
use overdue::id::ProjectId;
use overdue::{Error, Message, Outcome};

use crate::app::{App, ORGANIZATION};
use crate::time;
use crate::writer::Unavailable;

use super::answer::Rejection;

/// The project of an address.
pub(crate) fn project(text: &str) -> Result<ProjectId, Rejection> {
    // SQLite's integers have a sign.
    let number = text.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok());
    number.map(ProjectId::new).ok_or_else(|| Rejection::NotFound("a project is a number".to_owned()))
}

/// Takes check-ins of one project, in order. Once it answers, they are on the disk.
pub(crate) async fn take(
    app: &App,
    project: ProjectId,
    checkins: Vec<Vec<u8>>,
) -> Result<Vec<Outcome>, Unavailable> {
    if checkins.is_empty() {
        return Ok(Vec::new());
    }
    let received_at = time::now();
    // Check-ins that name no run are told apart by when they were received.
    let times = (0..).map(move |nth| received_at + TimeDelta::nanoseconds(nth));
    let asked = app.writer.ask(move |desk| {
        let process = |(at, body)| desk.process_checkin(&Message::new(ORGANIZATION, project, at, body));
        times.zip(checkins).map(process).collect::<Result<Vec<_>, Error<_>>>()
    });
    let outcomes = asked.await.and_then(|outcomes| {
        outcomes.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "a check-in was not processed");
            Unavailable
        })
    });
    let count = |outcome| app.metrics.checkins.with_label_values(&[outcome]).inc();
    match &outcomes {
        Err(Unavailable) => count("failed"),
        Ok(outcomes) => outcomes.iter().for_each(|outcome| {
            tracing::debug!(?outcome, %project, "a check-in");
            count(match outcome {
                Outcome::Accepted(_) => "accepted",
                Outcome::Refused(_) => "refused",
                _ => "ignored",
            });
        }),
    }
    outcomes
}
