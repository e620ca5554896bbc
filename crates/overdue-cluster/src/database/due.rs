//! What is due in a partition.

use deadpool_postgres::Object;
use overdue::id::RunId;
use overdue::store::{Due, DueKind, DueQuery, DueRun};
use tokio_postgres::Row;

use super::time_text::{FIRST, LAST, TimeText};
use super::{DatabaseError, load, parsed};

/// In the order of the index.
const MISSES: &str = "
    SELECT due_at, project, slug, name, NULL::bigint, NULL::uuid FROM environments
    WHERE partition = $1 AND due_at >= $2 AND due_at <= $3
        AND (due_at, project, slug, name, -1::bigint) > ($2, $4, $5, $6, $7)
    ORDER BY due_at, project, slug, name LIMIT $8";

/// In order of time by the index; those within one minute are sorted.
const TIMEOUTS: &str = "
    SELECT runs.due_at, project, slug, name, number, runs.id
    FROM runs JOIN environments ON environments.id = runs.environment
    WHERE runs.partition = $1 AND runs.due_at >= $2 AND runs.due_at <= $3
        AND (runs.due_at, project, slug, name, number) > ($2, $4, $5, $6, $7)
    ORDER BY runs.due_at, project, slug, name, number LIMIT $8";

/// A page, in the order of lists in every store.
pub(super) async fn due(
    client: &Object,
    partition: u32,
    query: &DueQuery,
) -> Result<Vec<Due>, DatabaseError> {
    let sql = match query.kind {
        DueKind::Miss => MISSES,
        DueKind::Timeout => TIMEOUTS,
    };
    let statement = client.prepare_cached(sql).await?;
    let text = |at: Option<chrono::DateTime<chrono::Utc>>, end: &str| {
        at.map_or_else(|| end.to_owned(), |at| TimeText(at).into_text())
    };
    let after = query.after.as_ref();
    let (from, until) = (text(after.map(|after| after.at), FIRST), text(query.until, LAST));
    let project = after.map_or(Ok(0), |after| i64::try_from(after.key.monitor.project.get()))?;
    let slug = after.map(|after| after.key.monitor.slug.as_str()).unwrap_or_default();
    let name = after.map(|after| after.key.name.as_str().as_bytes()).unwrap_or_default();
    let number = after.and_then(|after| after.run).map_or(-1, |run| i64::from(run.number));
    let limit = i64::try_from(query.limit.get()).unwrap_or(i64::MAX);
    let partition = i32::try_from(partition)?;
    let rows = client
        .query(&statement, &[&partition, &from, &until, &project, &slug, &name, &number, &limit])
        .await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &Row) -> Result<Due, DatabaseError> {
    let run = row.try_get::<_, Option<i64>>(4)?.zip(row.try_get::<_, Option<uuid::Uuid>>(5)?);
    let run = run.map(|(number, id)| {
        Ok::<_, DatabaseError>(DueRun { number: u32::try_from(number)?, id: RunId::from_uuid(id) })
    });
    Ok(Due {
        at: parsed(row, 0, |at| at.parse::<TimeText>())?.0,
        key: load::key(row, 1)?,
        run: run.transpose()?,
    })
}
