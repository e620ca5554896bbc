//! Rows as plain columns, for stores that keep them in columns.

mod environment;
mod incident;
mod monitor;
mod run;

pub use environment::EnvironmentParts;
pub(super) use environment::StoredEnvironment;
pub use incident::IncidentParts;
pub use monitor::{MonitorParts, OrganizationParts};
pub use run::RunParts;

/// The columns of a row contradict each other.
///
/// ```
/// # use overdue::row::RunParts;
/// # fn demo(mut parts: RunParts) {
/// parts.status = overdue::row::RunStatus::InProgress;
/// parts.timeout_at = None;
/// let error = overdue::row::Run::try_from(parts).unwrap_err();
/// assert_eq!(error.to_string(), "timeout_at must be set of a run in progress");
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{column} {problem}")]
#[non_exhaustive]
pub struct InvalidRow {
    /// The column that contradicts another.
    pub column: &'static str,
    problem: &'static str,
}

impl InvalidRow {
    pub(super) const fn new(column: &'static str, problem: &'static str) -> Self {
        Self { column, problem }
    }
}

/// Returns an error unless the condition holds.
pub(super) const fn ensure(
    holds: bool,
    column: &'static str,
    problem: &'static str,
) -> Result<(), InvalidRow> {
    if holds { Ok(()) } else { Err(InvalidRow::new(column, problem)) }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::id::{EnvironmentKey, EnvironmentName, IncidentId, MonitorKey, ProjectId, RunId};
    use crate::row::{Environment, Health, Incident, Run, RunDuration, RunStatus};

    const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn key(name: &str) -> EnvironmentKey {
        let monitor = MonitorKey { project: ProjectId::new(1), slug: "job".parse().unwrap() };
        EnvironmentKey { monitor, name: name.parse::<EnvironmentName>().unwrap() }
    }

    fn run(status: RunStatus) -> RunParts {
        let timed = matches!(status, RunStatus::InProgress | RunStatus::Unknown);
        RunParts {
            id: RunId::from_uuid(Uuid::from_u128(1)),
            environment: Environment::new(key("dev")).id,
            number: 0,
            status,
            started_at: AT,
            expected_at: None,
            timeout_at: timed.then_some(AT),
            duration: None,
            updated_at: AT,
            closed_by: None,
            trace_id: None,
            release: None,
        }
    }

    fn column<T>(row: Result<T, InvalidRow>) -> Option<&'static str> {
        row.err().map(|error| error.column)
    }

    #[test]
    fn columns_become_a_run_and_come_back() {
        use RunStatus::{Error, InProgress, Missed, Ok, Timeout, Unknown};
        for status in [InProgress, Ok, Error, Missed, Timeout, Unknown] {
            let parts = run(status);
            let row = Run::try_from(parts.clone()).unwrap();
            assert_eq!(row.status(), status);
            assert_eq!(RunParts::from(row), parts);
        }
    }

    #[test]
    fn columns_that_contradict_the_status_of_a_run_are_named() {
        let column = |parts| column(Run::try_from(parts));
        for status in [RunStatus::InProgress, RunStatus::Unknown] {
            assert_eq!(column(RunParts { timeout_at: None, ..run(status) }), Some("timeout_at"));
        }
        for status in [RunStatus::Ok, RunStatus::Error, RunStatus::Missed] {
            assert_eq!(column(RunParts { timeout_at: Some(AT), ..run(status) }), Some("timeout_at"));
        }
        let id = RunId::from_uuid(Uuid::from_u128(2));
        let missed = || run(RunStatus::Missed);
        assert_eq!(column(RunParts { duration: Some(RunDuration::MAX), ..missed() }), Some("duration"));
        assert_eq!(column(RunParts { closed_by: Some(id), ..missed() }), Some("closed_by"));
        assert_eq!(column(RunParts { trace_id: Some(Uuid::nil()), ..missed() }), Some("trace_id"));
        assert_eq!(column(RunParts { release: Some("1".into()), ..missed() }), Some("release"));
        let later = AT.checked_add_signed(TimeDelta::seconds(1)).unwrap();
        assert_eq!(column(RunParts { updated_at: later, ..missed() }), Some("updated_at"));
    }

    #[test]
    fn columns_that_contradict_each_other_are_named() {
        let row = Environment::new(key("dev"));
        let first = Run::try_from(run(RunStatus::Error)).unwrap().summary();
        let incident = Incident {
            id: IncidentId::of(row.id, first.id, 0),
            environment: row.id,
            number: 0,
            first,
            last_failure: AT,
            announced: false,
            resolution: None,
        };
        let failing = |incident: Incident, name: &str| EnvironmentParts {
            health: Health::Error(incident.into()),
            ..Environment::new(key(name)).into()
        };
        let column_of = |parts| column(Environment::try_from(parts));
        assert_eq!(column_of(failing(incident.clone(), "dev")), None);
        assert_eq!(column_of(failing(incident.clone(), "stage")), Some("health"), "of another environment");
        assert_eq!(column_of(EnvironmentParts { last_ok: Some(first), ..row.into() }), Some("last_ok"));

        let earlier = AT.checked_sub_signed(TimeDelta::seconds(1)).unwrap();
        let parts = IncidentParts { last_failure: earlier, ..incident.into() };
        assert_eq!(column(Incident::try_from(parts)), Some("last_failure"));
    }
}
