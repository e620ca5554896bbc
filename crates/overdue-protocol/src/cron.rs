//! `/api/{project}/cron/{slug}/{key}/`: one check-in by plain curl.
//!
//! ```sh
//! curl "$URL?status=in_progress"
//! curl "$URL?status=ok&schedule=0+2+*+*+*"
//! curl "$URL" --json '{"status": "error", "environment": "dev"}'
//! ```
//!
//! Defaults: the status is ok, and the run is the newest open one, or else a new one. Without a
//! `monitor_config`, the query may contain `schedule`, `timezone`, `checkin_margin` and `max_runtime`.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::Rejection;
use super::body::Unpacked;
use super::envelope::CHECKIN;
use super::host::{Host, Receipt, Unavailable};
use super::project;
use super::schedule::schedule_json;

type Address = (String, String, String);

pub(crate) async fn ping<H: Host>(
    State(host): State<H>,
    Path(address): Path<Address>,
    RawQuery(query): RawQuery,
) -> Result<(StatusCode, HeaderMap, Json<H::Receipt>), Rejection> {
    take(&host, address, query.as_deref(), Map::new()).await
}

pub(crate) async fn receive<H: Host>(
    State(host): State<H>,
    Path(address): Path<Address>,
    RawQuery(query): RawQuery,
    Unpacked(body): Unpacked,
) -> Result<(StatusCode, HeaderMap, Json<H::Receipt>), Rejection> {
    let fields = match body.trim_ascii() {
        [] => Map::new(),
        body => serde_json::from_slice(body)
            .map_err(|error| Rejection::Malformed(format!("the body is not a JSON object: {error}")))?,
    };
    take(&host, address, query.as_deref(), fields).await
}

async fn take<H: Host>(
    host: &H,
    (project, slug, key): Address,
    query: Option<&str>,
    mut fields: Map<String, Value>,
) -> Result<(StatusCode, HeaderMap, Json<H::Receipt>), Rejection> {
    let project = project::parse(&project)?;
    if !host.key().opens(&key) {
        return Err(Rejection::KeyWrong);
    }
    complete(&mut fields, slug, query.unwrap_or_default());
    let checkin = serde_json::to_vec(&fields).map_err(|error| Rejection::Malformed(error.to_string()))?;
    if checkin.len() > CHECKIN {
        return Err(Rejection::TooLarge(format!("a check-in has up to {CHECKIN} bytes")));
    }
    let receipt = host.accept(project, vec![checkin]).await?.pop().ok_or(Unavailable)?;
    let mut headers = HeaderMap::new();
    let status = receipt.status();
    if status == StatusCode::TOO_MANY_REQUESTS {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("60"));
    }
    Ok((status, headers, Json(receipt)))
}

/// Adds to a check-in the fields from its address and query, and the defaults.
fn complete(fields: &mut Map<String, Value>, slug: String, query: &str) {
    let mut config = Map::new();
    for (name, value) in form(query) {
        match name.as_str() {
            "duration" => drop(fields.insert(name, number(value))),
            "schedule" => drop(config.insert(name, schedule_json(&value))),
            "timezone" => drop(config.insert(name, value.into())),
            "checkin_margin" | "max_runtime" => drop(config.insert(name, number(value))),
            "status" | "check_in_id" | "environment" | "release" => drop(fields.insert(name, value.into())),
            // Unknown fields are ignored in a payload too.
            _ => {}
        }
    }
    if !config.is_empty() {
        fields.entry("monitor_config").or_insert(config.into());
    }
    fields.insert("monitor_slug".to_owned(), slug.into());
    fields.entry("status").or_insert("ok".into());
    fields.entry("check_in_id").or_insert(json!(Uuid::nil()));
}

fn form(query: &str) -> Vec<(String, String)> {
    axum::extract::Query::try_from_uri(&format!("/?{query}").parse().unwrap_or_default())
        .map(|axum::extract::Query(fields)| fields)
        .unwrap_or_default()
}

/// Returns a number if the text is one. Otherwise returns the text, for the engine to report the error.
fn number(text: String) -> Value {
    serde_json::from_str(&text).ok().filter(Value::is_number).unwrap_or(text.into())
}
