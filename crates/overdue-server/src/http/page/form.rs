//! Forms: what people change, and the result.

use std::collections::BTreeMap;

use maud::{Markup, html};
use overdue::id::{EnvironmentName, Owner};
use overdue::row::{Monitor, MonitorStatus};
use overdue_protocol::schedule::schedule_json;
use serde_json::{Map, Value, json};

use crate::http::answer::Rejection;
use crate::http::edit::{Change, EnvironmentChange};

use super::layout::frame;

/// The fields of the form, as they are shown and sent.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) name: String,
    schedule: String,
    timezone: String,
    owner: String,
    numbers: [String; 4],
}

/// The fields that hold numbers: the name in messages, the label, and the explanation.
const NUMBERS: [(&str, &str, &str); 4] = [
    ("checkin_margin", "Margin", "minutes a run may be late"),
    ("max_runtime", "Longest run", "minutes a run may take"),
    ("failure_issue_threshold", "Failures", "in a row that open an incident"),
    ("recovery_threshold", "Successes", "in a row that end one"),
];

impl Default for Fields {
    fn default() -> Self {
        Self {
            name: String::new(),
            schedule: "0 2 * * *".into(),
            timezone: "UTC".into(),
            owner: String::new(),
            numbers: ["1", "30", "1", "1"].map(String::from),
        }
    }
}

impl Fields {
    pub(super) fn of(monitor: &Monitor) -> Self {
        let config = monitor.config();
        let numbers = [
            config.margin().get(),
            config.max_runtime().get(),
            config.failure_threshold().get(),
            config.recovery_threshold().get(),
        ];
        Self {
            name: monitor.name().to_owned(),
            schedule: config.schedule().to_string(),
            timezone: config.schedule().zone().name().to_owned(),
            owner: monitor.owner().map(|owner| owner.to_string()).unwrap_or_default(),
            numbers: numbers.map(|number| number.to_string()),
        }
    }

    pub(super) fn sent(form: &BTreeMap<String, String>) -> Self {
        let field = |name: &str| form.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
        Self {
            name: field("name"),
            schedule: field("schedule"),
            timezone: field("timezone"),
            owner: field("owner"),
            numbers: NUMBERS.map(|(name, ..)| field(name)),
        }
    }

    /// Returns the change. The engine checks whether it is valid.
    pub(super) fn change(&self) -> Change {
        let mut config = Map::new();
        config.insert("schedule".into(), schedule_json(&self.schedule));
        config.insert("timezone".into(), json!(self.timezone));
        for ((name, ..), text) in NUMBERS.iter().zip(&self.numbers) {
            let number = text.parse::<u32>().map_or_else(|_| json!(text), Value::from);
            config.insert((*name).into(), number);
        }
        // An owner that does not parse leaves the stored one.
        let owner = match self.owner.as_str() {
            "" => Some(None),
            text => text.parse::<Owner>().ok().map(Some),
        };
        Change { name: Some(self.name.clone()), owner, config: Some(config.into()), ..Change::default() }
    }
}

/// Returns the change that a button makes.
pub(super) fn action(action: &str, environment: &str) -> Result<Change, Rejection> {
    let of_monitor = |change| Ok(change);
    let of_environment = |change| {
        let name: EnvironmentName = environment
            .parse()
            .map_err(|_| Rejection::Malformed("there is no such environment".to_owned()))?;
        Ok(Change { environments: [(name, change)].into(), ..Change::default() })
    };
    let muted = |muted| of_monitor(Change { muted: Some(muted), ..Change::default() });
    let status = |status| of_monitor(Change { status: Some(status), ..Change::default() });
    let environment_muted =
        |muted| of_environment(EnvironmentChange { muted: Some(muted), ..EnvironmentChange::default() });
    let environment_enabled = |enabled| {
        of_environment(EnvironmentChange { enabled: Some(enabled), ..EnvironmentChange::default() })
    };
    match action {
        "mute" => muted(true),
        "unmute" => muted(false),
        "disable" => status(MonitorStatus::Disabled),
        "enable" => status(MonitorStatus::Active),
        "mute-environment" => environment_muted(true),
        "unmute-environment" => environment_muted(false),
        "disable-environment" => environment_enabled(false),
        "enable-environment" => environment_enabled(true),
        _ => Err(Rejection::Malformed("there is no such action".to_owned())),
    }
}

/// Renders a button for the action that is possible of two, given their values and titles.
pub(super) fn switch(is_on: bool, off: (&str, &str), on: (&str, &str)) -> Markup {
    let (value, title) = if is_on { off } else { on };
    html! { button type="submit" name="action" value=(value) { (title) } }
}

pub(super) fn fields(fields: &Fields, problem: Option<&str>) -> Markup {
    let field = |name: &str, title: &str, hint: &str, value: &str| {
        html! {
            label {
                span { (title) }
                input name=(name) value=(value) autocomplete="off";
                small { (hint) }
            }
        }
    };
    html! {
        @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
        div.fields {
            (field("name", "Name", "what people call it", &fields.name))
            (field("schedule", "Schedule", "a crontab, or “every 2 hours”", &fields.schedule))
            (field("timezone", "Time zone", "such as Europe/Berlin", &fields.timezone))
            (field("owner", "Owner", "user:ID or team:ID, or nobody", &fields.owner))
            @for ((name, title, hint), value) in NUMBERS.iter().zip(&fields.numbers) {
                (field(name, title, hint, value))
            }
        }
    }
}

pub(super) fn new_page(values: &Fields, project: &str, problem: Option<&str>) -> Markup {
    frame(
        "New monitor",
        "",
        html! {},
        html! {
            section.card {
                h1 { "New monitor" }
                form #new method="post" action="/new" {
                    (fields(values, problem))
                    label.project { span { "Project" } input name="project" value=(project) inputmode="numeric"; }
                    p.note { "Its slug is made of its name: “Nightly backup” checks in as nightly-backup." }
                    button.primary type="submit" { "Create" }
                }
            }
        },
    )
}
