//! `POST /api/{project}/envelope/`: what Sentry's SDKs send.
//!
//! An envelope is a line of JSON, followed by items. Each item is a line of JSON with its type and length,
//! and then its content. Check-ins are items of type `check_in`. All other items are accepted and dropped, so
//! that an SDK that also reports crashes keeps working.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use overdue::id::ProjectId;
use serde::{Deserialize, Serialize};

use super::answer::Rejection;
use super::body::Unpacked;
use super::host::{Host, Receipt};
use super::key::Key;
use super::project;

/// The largest check-in in bytes, and the most check-ins in one envelope.
pub(super) const CHECKIN: usize = 100 << 10;
const CHECKINS: usize = 1000;

/// The first line.
#[derive(Debug, Default, Deserialize)]
struct Head {
    event_id: Option<String>,
    dsn: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ItemHead<'a> {
    #[serde(borrow, rename = "type")]
    kind: std::borrow::Cow<'a, str>,
    length: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Login {
    sentry_key: Option<String>,
}

/// The answer to an SDK, which reads only the status. Users see the rest with `debug=True`.
#[derive(Debug, Serialize)]
pub(crate) struct Taken<R> {
    id: Option<String>,
    checkins: Vec<R>,
}

pub(crate) async fn receive<H: Host>(
    State(host): State<H>,
    Path(project): Path<String>,
    Query(login): Query<Login>,
    headers: HeaderMap,
    Unpacked(body): Unpacked,
) -> Result<(StatusCode, Json<Taken<H::Receipt>>), Rejection> {
    let project = project::parse(&project)?;
    let login = login.sentry_key.as_deref().or_else(|| key_of(&headers));
    // A wrong key is reported before any other error.
    if let Some(key) = login {
        check(host.key(), key)?;
    }
    let (head, checkins) = parse(&body).map_err(Rejection::Malformed)?;
    if login.is_none() {
        let dsn = head.dsn.as_deref().ok_or(Rejection::KeyMissing)?;
        check(host.key(), key_of_dsn(dsn, project)?)?;
    }
    if checkins.len() > CHECKINS || checkins.iter().any(|checkin| checkin.len() > CHECKIN) {
        let error = format!("an envelope holds up to {CHECKINS} check-ins of up to {CHECKIN} bytes");
        return Err(Rejection::TooLarge(error));
    }
    let checkins: Vec<_> = checkins.into_iter().map(<[u8]>::to_vec).collect();
    let checkins = if checkins.is_empty() { Vec::new() } else { host.accept(project, checkins).await? };
    let rejected = checkins.iter().any(|receipt| receipt.status().is_client_error());
    let status = if rejected { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok((status, Json(Taken { id: head.event_id, checkins })))
}

fn check(key: &Key, offered: &str) -> Result<(), Rejection> {
    if key.opens(offered) { Ok(()) } else { Err(Rejection::KeyWrong) }
}

/// Returns the key in `X-Sentry-Auth: Sentry sentry_version=7, sentry_key=..`.
fn key_of(headers: &HeaderMap) -> Option<&str> {
    let fields = headers.get("x-sentry-auth")?.to_str().ok()?;
    let fields = fields.strip_prefix("Sentry ").unwrap_or(fields);
    fields.split(',').find_map(|field| field.trim().strip_prefix("sentry_key="))
}

/// Returns the key in `https://KEY@host/1`.
fn key_of_dsn(dsn: &str, project: ProjectId) -> Result<&str, Rejection> {
    let (_, rest) = dsn.split_once("://").ok_or(Rejection::KeyMissing)?;
    let (login, place) = rest.split_once('@').ok_or(Rejection::KeyMissing)?;
    if place.rsplit_once('/').is_none_or(|(_, named)| named != project.to_string()) {
        return Err(Rejection::Malformed("the DSN of the envelope is for another project".to_owned()));
    }
    // Old DSNs have a secret after the key.
    Ok(login.split(':').next().unwrap_or(login))
}

/// Finds the check-ins of an envelope.
fn parse(body: &[u8]) -> Result<(Head, Vec<&[u8]>), String> {
    let (head, mut rest) = line(body);
    let head = serde_json::from_slice(head).map_err(|error| format!("the envelope has no head: {error}"))?;
    let mut checkins = Vec::new();
    while !rest.is_empty() {
        let (item, after) = line(rest);
        if item.trim_ascii().is_empty() {
            rest = after;
            continue;
        }
        let item: ItemHead<'_> =
            serde_json::from_slice(item).map_err(|error| format!("an item has no head: {error}"))?;
        let payload = match item.length {
            None => {
                let (payload, after) = line(after);
                rest = after;
                payload
            }
            Some(length) => {
                let (payload, after) =
                    after.split_at_checked(length).ok_or("an item is shorter than its head says")?;
                rest = match after {
                    [] => after,
                    [b'\n', rest @ ..] => rest,
                    _ => return Err("an item is longer than its head says".to_owned()),
                };
                payload
            }
        };
        if item.kind == "check_in" {
            checkins.push(payload);
        }
    }
    Ok((head, checkins))
}

/// Returns the first line, and what comes after it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let (line, rest) = bytes.split_at(end);
            (line, rest.get(1..).unwrap_or_default())
        }
        None => (bytes, &[]),
    }
}
