//! From bytes to an outcome: every check-in passes through here.

use axum::http::StatusCode;
use chrono::TimeDelta;
use overdue::id::ProjectId;
use overdue::rejection::RejectionKind as Kind;
use overdue::{Error, Message, Outcome};
use overdue_protocol::{Host, Key, Receipt, Unavailable};
use serde::Serialize;

use crate::app::{App, ORGANIZATION};
use crate::time;

/// The outcome of a check-in.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Kept(Outcome);

impl Host for App {
    type Receipt = Kept;

    fn key(&self) -> &Key {
        &self.key
    }

    async fn accept(&self, project: ProjectId, checkins: Vec<Vec<u8>>) -> Result<Vec<Kept>, Unavailable> {
        let received_at = time::now();
        // Check-ins without a run id are distinguished by the time at which they were received.
        let times = (0..).map(move |nth| received_at + TimeDelta::nanoseconds(nth));
        let asked = self.writer.ask(move |engine| {
            let process = |(at, body)| engine.process_checkin(&Message::new(ORGANIZATION, project, at, body));
            times.zip(checkins).map(process).collect::<Result<Vec<_>, Error<_>>>()
        });
        let outcomes = asked.await.and_then(|outcomes| {
            outcomes.map_err(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "a check-in was not processed");
                Unavailable
            })
        });
        let count = |outcome| self.metrics.checkins.with_label_values(&[outcome]).inc();
        match &outcomes {
            Err(Unavailable) => count("failed"),
            Ok(outcomes) => outcomes.iter().for_each(|outcome| {
                tracing::debug!(?outcome, %project, "a check-in");
                count(match outcome {
                    Outcome::Accepted(_) => "accepted",
                    Outcome::Rejected(_) => "rejected",
                    _ => "ignored",
                });
            }),
        }
        Ok(outcomes?.into_iter().map(Kept).collect())
    }
}

impl Receipt for Kept {
    fn status(&self) -> StatusCode {
        let Self(Outcome::Rejected(rejected)) = self else { return StatusCode::ACCEPTED };
        match rejected.errors.first().map(|error| error.kind()) {
            Some(Kind::MonitorNotFound) => StatusCode::NOT_FOUND,
            Some(Kind::MonitorEnvironmentRatelimited) => StatusCode::TOO_MANY_REQUESTS,
            Some(
                Kind::CheckinFinished | Kind::CheckinEnvironmentMismatch | Kind::CheckinGuidProjectMismatch,
            ) => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
