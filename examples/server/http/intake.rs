//! From bytes to an outcome: where every check-in comes through.

use axum::http::StatusCode;
use chrono::TimeDelta;
use overdue::id::ProjectId;
use overdue::refusal::ProcessingErrorKind as Kind;
use overdue::{Error, Message, Outcome};

use crate::app::{App, ORGANIZATION};
use crate::front::{Keeper, Key, Receipt, Unavailable};
use crate::time;

impl Keeper for App {
    type Receipt = Outcome;

    fn key(&self) -> &Key {
        &self.key
    }

    async fn keep(&self, project: ProjectId, checkins: Vec<Vec<u8>>) -> Result<Vec<Outcome>, Unavailable> {
        let received_at = time::now();
        // Check-ins that name no run are told apart by when they were received.
        let times = (0..).map(move |nth| received_at + TimeDelta::nanoseconds(nth));
        let asked = self.writer.ask(move |desk| {
            let process = |(at, body)| desk.process_checkin(&Message::new(ORGANIZATION, project, at, body));
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
                    Outcome::Refused(_) => "refused",
                    _ => "ignored",
                });
            }),
        }
        outcomes
    }
}

impl Receipt for Outcome {
    fn status(&self) -> StatusCode {
        let Self::Refused(refused) = self else { return StatusCode::ACCEPTED };
        match refused.errors.first().map(|error| error.kind()) {
            Some(Kind::MonitorNotFound) => StatusCode::NOT_FOUND,
            Some(Kind::MonitorEnvironmentRatelimited) => StatusCode::TOO_MANY_REQUESTS,
            Some(
                Kind::CheckinFinished | Kind::CheckinEnvironmentMismatch | Kind::CheckinGuidProjectMismatch,
            ) => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
