//! The API, and the forms of the pages.

use serde_json::{Value, json};

use super::fixture::{Server, eventually};

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}

fn send(server: &Server, method: &str, path: &str, json: &Value) -> (u16, Value) {
    let request = axum::http::Request::builder().method(method).uri(format!("{}{path}", server.address));
    let mut answer = agent().run(request.body(json.to_string()).unwrap()).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Submits a form like a browser, from a page of this origin.
fn submit(server: &Server, path: &str, origin: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let request = agent().post(format!("{}{path}", server.address)).header("origin", origin);
    let mut answer = request.send_form(fields.iter().copied()).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

#[test]
fn the_api() {
    let server = Server::start(&[]);
    let schedule = json!({ "type": "interval", "value": 2, "unit": "hour" });
    let (status, created) = send(
        &server,
        "POST",
        "/api/monitors",
        &json!({
            "project": 1, "slug": "Nightly Backup", "name": "Back up", "owner": "team:4",
            "config": { "schedule": schedule, "checkin_margin": 9 },
        }),
    );
    assert_eq!(status, 201, "{created:#}");
    assert_eq!(created["key"]["slug"], "nightly-backup");
    assert_eq!((&created["name"], &created["owner"]), (&"Back up".into(), &"team:4".into()));
    let path = "/api/monitors/1/nightly-backup";
    let again = json!({ "project": 1, "slug": "nightly-backup", "config": { "schedule": schedule } });
    assert_eq!(send(&server, "POST", "/api/monitors", &again).0, 409);

    ureq::get(format!("{}?status=ok&environment=dev", server.ping("nightly-backup"))).call().unwrap();
    let change = json!({
        "name": "", "owner": null, "muted": true, "config": { "schedule": schedule, "max_runtime": 77 },
        "environments": { "dev": { "muted": true, "enabled": false } },
    });
    let (status, changed) = send(&server, "PATCH", path, &change);
    assert_eq!(status, 200, "{changed:#}");
    assert_eq!((&changed["name"], &changed["owner"]), (&"nightly-backup".into(), &Value::Null));
    assert_eq!((&changed["config"]["max_runtime"], &changed["config"]["margin"]), (&77.into(), &9.into()));
    let view = server.json(path);
    assert_eq!(view["environments"][0]["status"], "disabled");
    assert_eq!(view["environments"][0]["environment"]["muted"], true);

    // A change that cannot be made in full is not made at all.
    let impossible = json!({ "name": "Other", "environments": { "nowhere": { "muted": true } } });
    assert_eq!(send(&server, "PATCH", path, &impossible).0, 404);
    let impossible =
        json!({ "name": "Other", "config": { "schedule": { "type": "crontab", "value": "x" } } });
    assert_eq!(send(&server, "PATCH", path, &impossible).0, 400);
    assert_eq!(send(&server, "PATCH", path, &json!({ "colour": "red" })).0, 400);
    assert_eq!(server.json(path)["monitor"]["name"], "nightly-backup");

    let listed = server.json("/api/monitors");
    assert_eq!(listed[0]["environments"][0]["environment"]["key"]["name"], "dev");
    assert_eq!(send(&server, "DELETE", path, &Value::Null).0, 204);
    assert_eq!(send(&server, "DELETE", path, &Value::Null).0, 404);
    assert_eq!(server.count("SELECT count(*) FROM runs"), 0);
}

#[test]
fn the_forms() {
    let server = Server::start(&[]);
    let home = &server.address;
    let new = [
        ("name", "Close the books"),
        ("schedule", "0 5 * * 1-5"),
        ("timezone", "America/New_York"),
        ("owner", "user:3"),
        ("checkin_margin", "10"),
        ("max_runtime", "60"),
        ("failure_issue_threshold", "2"),
        ("recovery_threshold", "1"),
        ("project", "1"),
    ];
    assert_eq!(submit(&server, "/new", home, &new).0, 303);
    let path = "/api/monitors/1/close-the-books";
    let created = server.json(path);
    assert_eq!(created["monitor"]["config"]["schedule"]["timezone"], "America/New_York");
    assert_eq!(created["monitor"]["owner"], "user:3");
    let (status, page) = submit(&server, "/new", home, &new);
    assert_eq!(status, 409);
    assert!(
        page.contains("there is a monitor of this slug already") && page.contains("0 5 * * 1-5"),
        "{page}"
    );

    let page = "/monitors/1/close-the-books";
    let mut wrong = new;
    wrong[1].1 = "0 25 * * *";
    let (status, text) = submit(&server, page, home, &[&wrong[..], &[("action", "save")]].concat());
    assert_eq!(status, 400);
    assert!(
        text.contains("0 25 * * *") && text.contains("hour"),
        "it says what is wrong, and keeps it: {text}"
    );
    let mut right = new;
    right[1].1 = "every 30 minutes";
    assert_eq!(submit(&server, page, home, &[&right[..], &[("action", "save")]].concat()).0, 303);
    assert_eq!(server.json(path)["monitor"]["config"]["schedule"]["value"], 30);

    for (action, field, expected) in [
        ("mute", "muted", json!(true)),
        ("unmute", "muted", json!(false)),
        ("disable", "status", json!("disabled")),
        ("enable", "status", json!("active")),
    ] {
        assert_eq!(submit(&server, page, home, &[("action", action)]).0, 303);
        assert_eq!(server.json(path)["monitor"][field], expected, "{action}");
    }
    assert_eq!(submit(&server, page, home, &[("action", "explode")]).0, 400);
    let elsewhere = [("action", "mute-environment"), ("environment", "nowhere")];
    assert_eq!(submit(&server, page, home, &elsewhere).0, 404);

    // A page of another site cannot do any of this.
    for foreign in ["http://evil.example", "null", &home.replace("http:", "https:").replace("127.", "128.")] {
        assert_eq!(submit(&server, page, foreign, &[("action", "remove")]).0, 403, "{foreign}");
    }
    assert_eq!(submit(&server, page, home, &[("action", "remove")]).0, 303);
    assert_eq!(server.count("SELECT count(*) FROM monitors"), 0);
}

/// A key is made once, and kept. A policy and a limit are chosen at the start.
#[test]
fn options() {
    let server = Server::start(&[]);
    let (key, address) = (server.key.clone(), server.address.clone());
    let server = server.crash();
    assert_eq!((&server.key, &server.address), (&key, &address));

    let server = Server::start(&["--key", "sesame0123", "--rate-limit", "2", "--policy", "sentry-2024"]);
    assert_eq!(server.key, "sesame0123");
    let statuses: Vec<u16> = (0..8)
        .map(|_| {
            let answer =
                agent().get(format!("{}?status=ok&schedule=every+hour", server.ping("job"))).call().unwrap();
            answer.status().as_u16()
        })
        .collect();
    // The requests may fall into two minutes.
    let limited = statuses.iter().filter(|status| **status == 429).count();
    assert!((4..=6).contains(&limited), "{statuses:?}");
    eventually("the limit is told", || {
        let refusals = server.json("/api/refusals");
        (refusals[0]["errors"][0]["type"] == "monitor_environment_ratelimited").then_some(())
    });
}
