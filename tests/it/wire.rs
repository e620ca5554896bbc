//! From untrusted bytes to typed messages: what the reference system was recorded to accept and reject, where
//! the standard profile departs from it, and what no input may do.
//!
//! `wire.jsonl` holds what the recorded traces show about single values: a slug, an id or an environment and
//! what it `is` (null if rejected), or the fields of a payload or a configuration and the names of the
//! invalid ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::fixture::zone;
use overdue::Zone;
use overdue::checkin::{Checkin, CheckinStatus, RunRef};
use overdue::config::{ConfigUpdate, Margin, MaxRuntime, MonitorConfig, Threshold};
use overdue::field_errors::{FieldError, FieldErrors};
use overdue::id::{EnvironmentName, Owner, Slug};
use overdue::policy::{Quirk, Quirks};
use overdue::row::RunDuration;
use overdue::schedule::{Dialect, Schedule, Unit};
use overdue::wire::{Payload, PayloadError, reference};
use proptest::prelude::*;
use serde_json::{Value, json};

const PROFILES: [Quirks; 2] = [Quirks::NONE, Quirks::SENTRY_2024];

/// The recorded values of one kind: each line holds what was sent under that name, and the result.
fn recorded(kind: &'static str) -> impl Iterator<Item = Value> {
    let mut lines = include_str!("../vectors/wire.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(move |line| line.get(kind).is_some())
        .peekable();
    assert!(lines.peek().is_some(), "nothing is recorded of {kind}");
    lines
}

/// The errors as the vectors give them: which fields, without the reasons.
fn names(errors: &FieldErrors) -> Value {
    fn hush(value: Value) -> Value {
        match value {
            Value::Object(map) => map.into_iter().map(|(name, inner)| (name, hush(inner))).collect(),
            _ => Value::Null,
        }
    }
    hush(serde_json::to_value(errors).unwrap())
}

/// `None` is a configuration that is swallowed.
fn config(value: &Value, quirks: Quirks) -> Result<Option<ConfigUpdate>, FieldErrors> {
    let json = value.to_string();
    let config = reference::config(json.as_bytes(), quirks);
    if quirks == Quirks::NONE {
        assert_eq!(config, ConfigUpdate::from_json(json.as_bytes()).map(Some), "{json}");
    }
    config
}

fn update(value: &Value, quirks: Quirks) -> ConfigUpdate {
    config(value, quirks).unwrap().unwrap()
}

fn config_error_names(value: &Value, quirks: Quirks) -> Value {
    match config(value, quirks) {
        Ok(Some(_)) => Value::Null,
        Ok(None) => json!("unusable"),
        Err(errors) => names(&errors),
    }
}

fn payload(json: &str) -> Payload {
    Payload::parse(json).unwrap()
}

/// Returns the check-in of a payload, or all its errors.
fn checkin(payload: &Payload, quirks: Quirks) -> Result<Checkin, FieldErrors> {
    let checkin = reference::checkin(payload, quirks);
    if quirks == Quirks::NONE {
        assert_eq!(checkin, payload.checkin(), "{payload:?}");
    }
    checkin
}

/// The paths of the invalid fields.
fn faults(message: Value, quirks: Quirks) -> Vec<String> {
    match checkin(&payload(&message.to_string()), quirks) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|(path, _)| path).collect(),
    }
}

#[test]
fn slugs_are_made_as_recorded() {
    for line in recorded("slug") {
        let slug: Slug = line["slug"].as_str().unwrap().parse().unwrap();
        assert_eq!(line["is"], slug.as_str(), "{line}");
    }
}

#[test]
fn ids_are_read_as_recorded() {
    for line in recorded("guid") {
        let run = line["guid"].as_str().unwrap().parse::<RunRef>().map(|run| run.to_string()).ok();
        assert_eq!(line["is"], json!(run), "{line}");
    }
}

#[test]
fn environments_are_named_as_recorded() {
    for line in recorded("environment") {
        let id = "00000001-0000-4000-8000-000000000001";
        let sent = json!({
            "check_in_id": id, "monitor_slug": "job", "status": "ok", "environment": line["environment"],
        });
        let payload = payload(&sent.to_string());
        let checkin = checkin(&payload, Quirks::SENTRY_2024);
        let name = checkin.as_ref().map(Checkin::environment).map_err(names);
        assert!(name.is_ok() || name == Err(json!({"environment": null})), "{line}: {name:?}");
        assert_eq!(line["is"], json!(name.ok()), "{line}");
    }
}

#[test]
fn fields_are_judged_as_recorded() {
    for line in recorded("fields") {
        let payload = payload(&line["fields"].to_string());
        let fields = reference::fields(&payload, Quirks::SENTRY_2024);
        let errors = fields.as_ref().err().map_or(Value::Null, names);
        assert_eq!(line["errors"], errors, "{line}");
        if let Some(millis) = line.get("duration_ms") {
            assert_eq!(*millis, json!(fields.unwrap().duration), "{line}");
        }
    }
}

#[test]
fn configs_are_judged_as_recorded() {
    for line in recorded("config") {
        assert_eq!(line["errors"], config_error_names(&line["config"], Quirks::SENTRY_2024), "{line}");
    }
}

/// Crontabs among the recorded ones that the standard profile reads, and the reference rejects.
const FORGIVEN: [&str; 7] =
    ["@midnight", "@DAILY", "5-1 * * * *", "* * * * MON-SUN", "0 0 ? * *", "0 0 1W * *", "0 0 * * sat-sun"];

/// In all that is recorded, three quirks make a difference for a line each, beside the crontabs above.
#[test]
fn configs_are_judged_alike_in_both_profiles_but_for_three_quirks() {
    let idle = json!({"schedule": {"type": "crontab", "value": "0 0 31 2 1"}});
    let hidden = json!({
        "schedule": {"type": "crontab", "value": "bad"}, "checkin_margin": -1, "max_runtime": 0,
    });
    let quirk_of = |config: &Value| match config {
        config if *config == idle => Some(Quirk::IdleDaysRefused),
        config if *config == hidden => Some(Quirk::ScheduleFaultsWait),
        config if config["timezone"] == "utc" => Some(Quirk::ZoneNamesExact),
        _ => None,
    };
    let mut apart = 0;
    for line in recorded("config") {
        let names = |quirks| config_error_names(&line["config"], quirks);
        let value = &line["config"]["schedule"]["value"];
        if value.as_str().is_some_and(|value| FORGIVEN.contains(&value)) {
            assert_eq!(names(Quirks::NONE), Value::Null, "{line}");
            assert_eq!(names(Quirks::SENTRY_2024), line["errors"], "{line}");
            continue;
        }
        match quirk_of(&line["config"]) {
            None => assert_eq!(names(Quirks::NONE), names(Quirks::SENTRY_2024), "{line}"),
            Some(quirk) => {
                apart += 1;
                assert_eq!(names(Quirks::NONE.with(quirk)), line["errors"], "{line}");
                assert_eq!(names(Quirks::SENTRY_2024.without(quirk)), names(Quirks::NONE), "{line}");
            }
        }
    }
    assert_eq!(apart, 3);
    assert_eq!(config_error_names(&idle, Quirks::NONE), Value::Null);
    let all_at_once = json!({"checkin_margin": null, "max_runtime": null, "schedule": null});
    assert_eq!(config_error_names(&hidden, Quirks::NONE), all_at_once);
}

/// What crashed the reference system is rejected in both profiles, and the field is named.
#[test]
fn missing_and_mistyped_fields_are_named() {
    let id = "00000001-0000-4000-8000-000000000001";
    for quirks in PROFILES {
        let fault = |message| faults(message, quirks);
        assert_eq!(fault(json!({"check_in_id": id, "monitor_slug": "job"})), ["status"]);
        assert_eq!(fault(json!({"monitor_slug": "job", "status": "ok"})), ["check_in_id"]);
        assert_eq!(fault(json!({"check_in_id": id, "status": "ok"})), ["monitor_slug"]);
        for wrong in [json!(null), json!(5), json!([])] {
            assert_eq!(
                fault(json!({"check_in_id": wrong, "monitor_slug": "job", "status": "ok"})),
                ["check_in_id"]
            );
            assert_eq!(
                fault(json!({"check_in_id": id, "monitor_slug": wrong, "status": "ok"})),
                ["monitor_slug"]
            );
        }
        let with = |field: &str, value: Value| {
            let mut message = json!({"check_in_id": id, "monitor_slug": "job", "status": "ok"});
            message[field] = value;
            faults(message, quirks)
        };
        assert!(with("contexts", json!(null)).is_empty());
        assert_eq!(with("contexts", json!({"trace": []})), ["contexts.trace.non_field_errors"]);
        assert_eq!(with("environment", json!(5)), ["environment"]);
        assert_eq!(with("environment", json!("a/b")), ["environment"]);
        assert_eq!(with("release", json!(5)), ["release"]);
        assert!(with("release", json!(null)).is_empty());
        for wrong in [json!([1]), json!("abc"), json!({})] {
            assert_eq!(with("duration", wrong), ["duration"]);
        }
    }
}

#[test]
fn everything_wrong_is_named_at_once() {
    let message = json!({
        "check_in_id": "hello", "monitor_slug": "!", "status": "done", "duration": -1, "environment": 5, "release": [],
        "contexts": {"trace": {"trace_id": "x"}}, "monitor_config": {"schedule": null, "max_runtime": 0},
    });
    let names = [
        "check_in_id",
        "contexts.trace.trace_id",
        "duration",
        "environment",
        "monitor_config.max_runtime",
        "monitor_config.schedule",
        "monitor_slug",
        "release",
        "status",
    ];
    assert_eq!(faults(message, Quirks::NONE), names);

    // An invalid environment name is not hidden by other errors, and does not hide them.
    assert_eq!(
        faults(json!({"environment": "a/b", "monitor_slug": "a", "check_in_id": "x"}), Quirks::NONE),
        ["check_in_id", "environment", "status"]
    );
}

#[test]
fn blank_environments_are_production_unless_the_quirk_is_kept() {
    for blank in ["", "   "] {
        let payload = payload(&json!({"status": "ok", "environment": blank}).to_string());
        let fields = payload.fields().unwrap();
        assert_eq!(fields.environment_name(), Ok(EnvironmentName::production()));
        let quirks = Quirks::NONE.with(Quirk::EnvironmentNamesUntrimmed);
        let errors = reference::fields(&payload, quirks).unwrap_err();
        assert_eq!(errors.problem("environment"), Some(&FieldError::Blank));
        assert_eq!(payload.environment_as_given().as_deref(), Some(blank));
    }
}

#[test]
fn configs_that_can_never_work_are_refused_or_swallowed() {
    let kept = Quirks::NONE.with(Quirk::UnusableConfigsSwallow);
    let crontab = json!({"type": "crontab", "value": "0 * * * *"});
    for (value, fault) in [
        (json!({"schedule": ""}), "schedule"),
        (json!({"schedule": {}}), "schedule"),
        (json!({"schedule": [], "schedule_type": "interval"}), "schedule"),
        (json!({"schedule": {"type": "interval", "value": 8000, "unit": "year"}}), "schedule"),
        (json!({"schedule": [1e30 as u64, "day"], "schedule_type": "interval"}), "schedule"),
        (json!({"schedule": crontab, "checkin_margin": 5_000_000_000_u64}), "checkin_margin"),
        (json!({"schedule": crontab, "checkin_margin": 52_560_001}), "checkin_margin"),
        (json!({"schedule": crontab, "checkin_margin": "1".repeat(50)}), "checkin_margin"),
    ] {
        assert_eq!(config_error_names(&value, Quirks::NONE), json!({ fault: null }), "{value}");
        assert_eq!(config(&value, kept), Ok(None), "{value}");
        // An error that the reference sees is reported and not swallowed.
        let mut value = value;
        value["max_runtime"] = json!(0);
        assert_eq!(config_error_names(&value, kept), json!({"max_runtime": null}), "{value}");
    }
    let longest =
        json!({"schedule": [100, "year"], "schedule_type": "interval", "checkin_margin": 52_560_000});
    assert!(config(&longest, Quirks::NONE).is_ok());
}

#[test]
fn a_type_that_says_nothing_leaves_it_to_the_one_beside() {
    for nothing in [json!(null), json!("")] {
        let schedule = json!({"type": nothing, "value": 2, "unit": "hour"});
        let beside = json!({"schedule": schedule, "schedule_type": "interval"});
        assert!(config(&beside, Quirks::NONE).is_ok(), "{beside}");
        let alone = json!({"schedule": schedule});
        assert_eq!(config_error_names(&alone, Quirks::NONE), json!({"schedule_type": null}));
    }
}

#[test]
fn no_config_is_no_fault() {
    for quirks in PROFILES {
        let id = r#""check_in_id":"00000001-0000-4000-8000-000000000001""#;
        let with = |sent: &str| payload(&format!(r#"{{{id},"monitor_slug":"job","status":"ok"{sent}}}"#));
        for sent in ["", r#","monitor_config":null"#, r#","monitor_config": { } "#] {
            let payload = with(sent);
            assert_eq!(payload.config(), Ok(None), "{sent}");
            assert_eq!(checkin(&payload, quirks).unwrap().config(), Ok(None), "{sent}");
        }
        for sent in [r#","monitor_config":"x""#, r#","monitor_config":[]"#, r#","monitor_config":7"#] {
            let payload = with(sent);
            let errors = FieldErrors::one("non_field_errors", FieldError::NotAnObject);
            assert_eq!(payload.config(), Err(errors.clone()), "{sent}");
            assert_eq!(checkin(&payload, quirks).unwrap().config(), Err(&errors), "{sent}");
        }
    }
}

#[test]
fn an_update_changes_what_it_names() {
    let full = json!({
        "schedule": {"type": "crontab", "value": "0 12 * * *"}, "timezone": "Asia/Kolkata", "checkin_margin": 0,
        "max_runtime": "5", "failure_issue_threshold": 2.0, "recovery_threshold": 3e0, "owner": "team:7",
    });
    let full = update(&full, Quirks::NONE);
    assert_eq!(full.owner(), Some(Owner::Team(7)));
    let made = full.create();
    assert_eq!(made.schedule().zone(), zone("Asia/Kolkata"));
    assert_eq!((made.margin().get(), made.max_runtime().get()), (1, 5));
    assert_eq!((made.failure_threshold().get(), made.recovery_threshold().get()), (2, 3));

    let apply = |value: Value, quirks| update(&value, quirks).apply(&made);
    let hourly = json!({"type": "interval", "value": 1, "unit": "hour"});
    let new = apply(json!({"schedule": hourly}), Quirks::NONE);
    let schedule = Schedule::every(1.try_into().unwrap(), Unit::Hour, zone("Asia/Kolkata")).unwrap();
    assert_eq!(new, made.with_schedule(schedule));

    let nothing = json!({
        "schedule": hourly, "checkin_margin": null, "max_runtime": "", "failure_issue_threshold": null,
        "recovery_threshold": "", "owner": null,
    });
    let new = apply(nothing, Quirks::NONE);
    assert_eq!((new.margin(), new.max_runtime()), (Margin::DEFAULT, MaxRuntime::DEFAULT));
    assert_eq!((new.failure_threshold(), new.recovery_threshold()), (Threshold::MIN, Threshold::MIN));

    let blank = json!({"schedule": hourly, "timezone": ""});
    assert_eq!(apply(blank.clone(), Quirks::NONE).schedule().zone(), Zone::UTC);
    assert_eq!(apply(blank.clone(), Quirks::SENTRY_2024).schedule().zone(), zone("Asia/Kolkata"));
    assert_eq!(update(&blank, Quirks::SENTRY_2024).create().schedule().zone(), Zone::UTC);
}

#[test]
fn an_owner_never_blocks() {
    for owner in [json!("nonsense"), json!(null), json!(5), json!(["user:1"]), json!("user:x")] {
        let value = json!({"schedule": {"type": "crontab", "value": "* * * * *"}, "owner": owner});
        assert_eq!(update(&value, Quirks::NONE).owner(), None, "{owner}");
    }
}

#[test]
fn zones_are_named_exactly_or_in_any_case() {
    let exact = ["Europe/Kyiv", "Etc/GMT+5", "EST5EDT", ""].map(|zone| (zone, true, true));
    let any_case = ["utc", "europe/kyiv"].map(|zone| (zone, true, false));
    let neither = ["Factory", " UTC", " ", "UTC\0"].map(|zone| (zone, false, false));
    for (zone, standard, reference) in exact.into_iter().chain(any_case).chain(neither) {
        let value = json!({"schedule": {"type": "crontab", "value": "* * * * *"}, "timezone": zone});
        assert_eq!(config(&value, Quirks::NONE).is_ok(), standard, "{zone:?}");
        assert_eq!(config(&value, Quirks::SENTRY_2024).is_ok(), reference, "{zone:?}");
    }
}

#[test]
fn an_unknown_zone_is_answered_with_the_nearest() {
    let value = json!({"schedule": {"type": "crontab", "value": "* * * * *"}, "timezone": "Europe/Berln"});
    let errors = config(&value, Quirks::NONE).unwrap_err();
    let answer = "`Europe/Berln` is not an IANA time zone; did you mean `Europe/Berlin`?";
    assert_eq!(errors.problem("timezone").unwrap().to_string(), answer);
}

#[test]
fn numbers_in_configs() {
    for (value, fine) in [
        (json!(5), true),
        (json!("5"), true),
        (json!(" 5 "), true),
        (json!("50"), true),
        (json!("5.0"), true),
        (json!("5."), true),
        (json!(2.0), true),
        (json!(2.5), false),
        (json!("2.5"), false),
        (json!("0"), false),
        (json!(" "), false),
        (json!("."), false),
        (json!("x"), false),
        (json!(true), false),
        (json!([]), false),
        (json!(1e300), false),
        (json!(-1), false),
        (json!(721), false),
    ] {
        let config =
            json!({"schedule": {"type": "crontab", "value": "* * * * *"}, "recovery_threshold": value});
        let expected = if fine { Value::Null } else { json!({"recovery_threshold": null}) };
        assert_eq!(config_error_names(&config, Quirks::NONE), expected, "{value}");
    }
}

#[test]
fn a_wrong_config_travels_with_its_checkin() {
    let sent = r#"{"check_in_id":"00000000000000000000000000000000","monitor_slug":"job","status":"ok",
        "monitor_config":{"extra":[1,2],"schedule":{"type":"decade"}}}"#;
    let checkin: Checkin = serde_json::from_str(sent).unwrap();
    assert_eq!(checkin.run(), RunRef::Anonymous);
    assert_eq!(names(checkin.config().unwrap_err()), json!({"schedule_type": null}));
    let stored = serde_json::to_string(&checkin).unwrap();
    assert!(stored.contains(r#"{"extra":[1,2],"schedule":{"type":"decade"}}"#), "{stored}");
    assert_eq!(serde_json::from_str::<Checkin>(&stored).unwrap(), checkin);
    // Every way into serde_json gives the same check-in.
    assert_eq!(serde_json::from_reader::<_, Checkin>(sent.as_bytes()).unwrap(), checkin);
    assert_eq!(serde_json::from_value::<Checkin>(serde_json::from_str(sent).unwrap()).unwrap(), checkin);
}

#[test]
fn only_objects_are_messages() {
    for bytes in
        [&b""[..], b"{", b"{}x", b"{\"a\":}", b"\xff", b"{\"a\":\"\xff\"}", b"nul", b"{\"a\":NaN}", b"{a:1}"]
    {
        let malformed = Payload::parse(bytes).unwrap_err();
        assert!(matches!(malformed.error, PayloadError::NotJson { .. }), "{bytes:?}: {malformed:?}");
        assert_eq!(malformed.bytes, bytes);
    }
    for bytes in [&b"null"[..], b"[]", b"5", b"\"{}\"", b"true"] {
        let malformed = Payload::parse(bytes).unwrap_err();
        assert_eq!(malformed.error, PayloadError::NotAnObject);
        assert_eq!(malformed.bytes, bytes);
    }
}

#[test]
fn the_last_of_two_fields_counts() {
    let payload = payload(r#"{"status":"bogus","status":"ok","\ud800":1,"stat\u0075s":"error"}"#);
    assert_eq!(payload.fields().unwrap().status, CheckinStatus::Error);
}

#[test]
fn depth_and_length_are_no_trouble() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let long = format!("\"{}\"", "a\\u0300".repeat(100_000));
    let number = "9".repeat(100_000);
    for value in [&deep, &long, &number] {
        for field in
            ["check_in_id", "monitor_slug", "status", "duration", "environment", "release", "contexts"]
        {
            all_ways(format!(r#"{{"{field}":{value}}}"#).as_bytes());
        }
        all_ways(format!(r#"{{"contexts":{{"trace":{value}}}}}"#).as_bytes());
        for field in ["schedule", "schedule_type", "timezone", "checkin_margin", "max_runtime", "owner"] {
            all_ways(
                format!(r#"{{"monitor_config":{{"schedule":"* * * * *","{field}":{value}}}}}"#).as_bytes(),
            );
        }
        all_ways(
            format!(r#"{{"monitor_config":{{"schedule":[{value},{value}],"schedule_type":"interval"}}}}"#)
                .as_bytes(),
        );
    }
}

/// Everything that can be done with bytes: none of it may panic, and what is rejected is named.
fn all_ways(bytes: &[u8]) {
    let Ok(payload) = Payload::parse(bytes) else { return };
    let _ = (payload.slug(), payload.run(), payload.environment_as_given(), payload.config());
    if let Ok(fields) = payload.fields() {
        let _ = fields.environment_name();
    }
    for quirks in PROFILES {
        let _ = reference::fields(&payload, quirks);
        match checkin(&payload, quirks) {
            Err(errors) => {
                assert!(errors.iter().next().is_some());
                let json = serde_json::to_string(&errors).unwrap();
                assert_eq!(serde_json::from_str::<FieldErrors>(&json).unwrap(), errors);
            }
            Ok(checkin) if quirks == Quirks::NONE => {
                let json = serde_json::to_vec(&checkin).unwrap();
                assert_eq!(serde_json::from_slice::<Checkin>(&json).unwrap(), checkin);
            }
            Ok(_) => {}
        }
    }
}

/// Any JSON, often nearly valid.
fn json_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<Option<bool>>().prop_map(|value| json!(value).to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| json!(value).to_string()),
        (0..1000_i64).prop_map(|value| value.to_string()),
        any::<String>().prop_map(|text| json!(text).to_string()),
        prop::sample::select(vec![
            "-0",
            "-0.0",
            "1e400",
            "-1e400",
            "1E5",
            "2.0e0",
            r#""\ud800""#,
            r#""\u0000""#,
            r#""""#,
            r#"" ""#,
            r#""a/b""#,
            r#""ok""#,
            r#""error""#,
            r#""in_progress""#,
            r#""day""#,
            r#""5""#,
            r#""UTC""#,
            r#""crontab""#,
            r#""interval""#,
            r#""* * * * *""#,
            r#""00000000-0000-0000-0000-000000000000""#,
            r#""5f2ab0c08d2d4ab2b2a1d34fd4e53fbc""#,
            r#"{"type":"interval","value":3,"unit":"week"}"#,
            r#"{"type":"crontab","value":"0 4 * * *"}"#,
            r#"{"trace":{"trace_id":"5f2ab0c08d2d4ab2b2a1d34fd4e53fbc"}}"#,
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let name = prop::sample::select(vec!["type", "value", "unit", "trace", "trace_id", "x"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(", "))),
            prop::collection::vec((name, inner), 0..4).prop_map(object),
        ]
    })
}

fn object(fields: Vec<(&'static str, String)>) -> String {
    let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn config_json() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "schedule",
        "schedule",
        "schedule_type",
        "timezone",
        "checkin_margin",
        "max_runtime",
        "failure_issue_threshold",
        "recovery_threshold",
        "owner",
    ]);
    prop::collection::vec((name, json_value()), 0..8).prop_map(object)
}

fn message() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "check_in_id",
        "monitor_slug",
        "duration",
        "environment",
        "release",
        "contexts",
        "x",
    ]);
    let sane = r#""check_in_id":"5f2ab0c08d2d4ab2b2a1d34fd4e53fbc","monitor_slug":"job","status":"ok""#;
    (prop::collection::vec((name, json_value()), 0..4), config_json(), any::<bool>()).prop_map(
        move |(fields, config, with_config)| {
            let fields =
                fields.into_iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect::<String>();
            let config = if with_config { format!(",\"monitor_config\":{config}") } else { String::new() };
            format!("{{{sane}{fields}{config}}}")
        },
    )
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        all_ways(&bytes);
    }

    #[test]
    fn no_field_panics(text in message(), status in json_value()) {
        all_ways(text.as_bytes());
        all_ways(text.replace("\"ok\"", &status).as_bytes());
    }

    #[test]
    fn what_is_written_is_read(
        id in any::<u128>(),
        slug in "[a-z0-9]{1,50}",
        millis in prop::option::of(0..=i32::MAX.unsigned_abs()),
        environment in "[^/\n\r\x0c]{0,64}",
        release in any::<String>(),
        trace_id in prop::option::of(any::<u128>()),
        margin in prop::option::of(1..=52_560_000_u32),
        owner in prop::option::of(any::<u64>()),
        config in any::<bool>(),
    ) {
        let run = RunRef::from(uuid::Uuid::from_u128(id));
        let mut checkin = Checkin::new(slug.parse().unwrap(), run, CheckinStatus::Error)
            .with_environment(environment.parse().unwrap())
            .with_release(&release);
        if let Some(millis) = millis {
            checkin = checkin.with_duration(RunDuration::new(millis).unwrap());
        }
        if let Some(trace_id) = trace_id {
            checkin = checkin.with_trace_id(uuid::Uuid::from_u128(trace_id));
        }
        if config {
            let mut config = MonitorConfig::builder().crontab("5 4 * * *").zone("Europe/Paris");
            if let Some(margin) = margin {
                config = config.margin(margin);
            }
            if let Some(owner) = owner {
                config = config.owner(Owner::User(owner));
            }
            checkin = checkin.with_config(config.update().unwrap());
        }
        let json = serde_json::to_string(&checkin).unwrap();
        prop_assert_eq!(serde_json::from_str::<Checkin>(&json).unwrap(), checkin);
    }
}

/// Ours alone: the reference knows no dialects, and passes over the key.
#[test]
fn a_config_may_name_the_dialect_of_its_crontab() {
    let json =
        |dialect: Value| json!({"schedule": {"type": "crontab", "value": "0 0 13 * 5", "dialect": dialect}});
    let celery = update(&json(json!("celery")), Quirks::NONE);
    let schedule = celery.create().schedule().clone();
    assert_eq!(schedule, Schedule::in_dialect("0 0 13 * 5", Dialect::CELERY, Zone::UTC).unwrap());
    let sent = serde_json::to_value(&celery).unwrap();
    assert_eq!(sent, json(json!("celery")), "it is written as it is read");
    assert_eq!(update(&sent, Quirks::NONE), celery);

    for dialect in [json!("Celery"), json!(1), json!(null), json!("")] {
        assert_eq!(config_error_names(&json(dialect.clone()), Quirks::NONE), json!({"schedule": null}));
        let reference = update(&json(dialect), Quirks::SENTRY_2024);
        assert_eq!(reference.create().schedule().dialect(), Dialect::CRON);
    }
    let error = config(&json(json!("Celery")), Quirks::NONE).unwrap_err();
    let expected = json!({"schedule": "`Celery` is not a dialect; did you mean `celery`?"});
    assert_eq!(serde_json::to_value(error).unwrap(), expected);
}
