//! The pages: rendered here, with one style sheet, and refreshed by one small script.

mod form;
mod layout;
mod monitor;
mod status;
mod strip;
mod words;

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use overdue::id::MonitorKey;

use crate::app::App;
use crate::time;

use super::answer::Rejection;
use super::api;
use super::edit::{self, Change};

use form::Fields;

/// The number of runs in a strip.
const STRIP: u32 = 30;

/// The number of runs of each environment on a monitor's page.
const RUNS: u32 = 60;

/// The number of incidents and rejections that are listed.
const LINES: u32 = 20;

/// A page or an error, for people.
type Page = Result<Response, Problem>;

/// A rejection, as a page.
pub(super) struct Problem(Rejection);

impl<E: Into<Rejection>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let page = layout::problem(self.0.status(), &self.0.to_string());
        (self.0.status(), layout::HEADERS, page).into_response()
    }
}

fn page(markup: Markup) -> Response {
    (layout::HEADERS, markup).into_response()
}

async fn status_parts(app: &App) -> Result<Markup, Rejection> {
    let (tiles, incidents, rejections) = app
        .readers
        .read(|store| {
            Ok((store.tiles(STRIP)?, store.newest_incidents(LINES)?, store.newest_rejections(LINES)?))
        })
        .await?;
    Ok(status::live(&status::Status { tiles, incidents, rejections, now: time::now() }))
}

pub(super) async fn status(State(app): State<App>) -> Page {
    Ok(page(layout::frame("Scheduled jobs", "/fragment", status_parts(&app).await?, status::how_to(&app))))
}

pub(super) async fn status_fragment(State(app): State<App>, headers: HeaderMap) -> Page {
    fresh(&app, &headers, status_parts(&app)).await
}

/// Answers with the part, or with the fact that it has not changed. Times are shown in minutes, so that a
/// part stays the same for some seconds while nothing is written.
async fn fresh(
    app: &App,
    headers: &HeaderMap,
    part: impl Future<Output = Result<Markup, Rejection>>,
) -> Page {
    let tag = format!("\"{}-{}\"", app.writer.commits(), time::now().timestamp() / 15);
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known == tag.as_str()) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok((layout::HEADERS, [(ETAG, tag)], part.await?).into_response())
}

/// A part of a page, for the script.
#[derive(serde::Deserialize)]
pub(super) struct Part {
    fragment: Option<String>,
}

pub(super) async fn monitor(
    State(app): State<App>,
    Path(address): Path<(String, String)>,
    Query(part): Query<Part>,
    headers: HeaderMap,
) -> Page {
    let key = api::key(address)?;
    if part.fragment.is_some() {
        return fresh(&app, &headers, async { Ok(monitor::live(&view(&app, &key).await?, time::now())) })
            .await;
    }
    Ok(page(monitor_page(&app, &key, None).await?))
}

async fn view(app: &App, key: &MonitorKey) -> Result<crate::store::MonitorView, Rejection> {
    let key = key.clone();
    let view = app.readers.read(move |store| store.monitor(&key, RUNS)).await?;
    view.ok_or_else(|| Rejection::NotFound("there is no such monitor".to_owned()))
}

/// Renders the page of a monitor. `rejected` holds the fields of a rejected change, and why it was rejected.
async fn monitor_page(
    app: &App,
    key: &MonitorKey,
    rejected: Option<(Fields, String)>,
) -> Result<Markup, Rejection> {
    let view = view(app, key).await?;
    let live = monitor::live(&view, time::now());
    let rest = monitor::rest(app, &view, rejected);
    let fragment = format!("{}?fragment", layout::monitor_address(key));
    Ok(layout::frame(view.monitor.name(), &fragment, live, rest))
}

pub(super) async fn edit(
    State(app): State<App>,
    Path(address): Path<(String, String)>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Page {
    let key = api::key(address)?;
    let back = layout::monitor_address(&key);
    let environment = || form.get("environment").map(String::as_str).unwrap_or_default();
    let change = match form.get("action").map(String::as_str) {
        Some("save") => {
            let fields = Fields::sent(&form);
            return Ok(match fields.change().apply(&app, key.clone()).await {
                Ok(_) => Redirect::to(&back).into_response(),
                Err(error @ Rejection::Malformed(_)) => {
                    let page = monitor_page(&app, &key, Some((fields, error.to_string()))).await?;
                    (error.status(), layout::HEADERS, page).into_response()
                }
                Err(error) => return Err(error.into()),
            });
        }
        Some("remove") => {
            edit::remove(&app, key).await?;
            return Ok(Redirect::to("/").into_response());
        }
        Some(action) => form::action(action, environment())?,
        None => Change::default(),
    };
    change.apply(&app, key).await?;
    Ok(Redirect::to(&back).into_response())
}

pub(super) async fn new() -> Response {
    page(form::new_page(&Fields::default(), "1", None))
}

pub(super) async fn create(State(app): State<App>, Form(form): Form<BTreeMap<String, String>>) -> Page {
    let fields = Fields::sent(&form);
    let project = form.get("project").map(String::as_str).unwrap_or_default().trim();
    let created = async {
        let key = api::key((project.to_owned(), fields.name.clone()))?;
        fields.change().create(&app, key).await
    };
    Ok(match created.await {
        Ok(monitor) => Redirect::to(&layout::monitor_address(monitor.key())).into_response(),
        Err(error @ Rejection::Unavailable(_)) => return Err(error.into()),
        Err(error) => {
            let page = form::new_page(&fields, project, Some(&error.to_string()));
            (error.status(), layout::HEADERS, page).into_response()
        }
    })
}

pub(super) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

pub(super) async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("script.js"))
}
