//! A browser under remote control: the few commands of `WebDriver` that the tests need.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::fixture::{eventually, foreign};

/// Chromium without a window.
pub(super) struct Browser {
    driver: Child,
    session: String,
    /// The profile is deleted with the browser.
    _profile: TempDir,
}

/// The key under which `WebDriver` returns elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    /// Opens a wide window. Returns `None` if there is no browser.
    pub(super) fn desktop() -> Option<Self> {
        let browser = Self::open(&json!({}))?;
        browser.ask("/window/rect", &json!({ "width": 1280, "height": 1000 }));
        Some(browser)
    }

    /// Opens a small phone. Returns `None` if there is no browser.
    pub(super) fn phone() -> Option<Self> {
        Self::open(&json!({ "deviceMetrics": { "width": 360, "height": 740, "pixelRatio": 2.0 } }))
    }

    fn open(device: &Value) -> Option<Self> {
        let (chromium, driver) = (foreign("chromium")?, foreign("chromedriver")?);
        let profile = TempDir::new().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new(driver)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut browser =
            Self { driver, session: format!("http://127.0.0.1:{port}/session"), _profile: profile };
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--hide-scrollbars",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ];
        let mut arguments: Vec<String> = arguments.map(String::from).into();
        arguments.push(format!("--user-data-dir={}", browser._profile.path().display()));
        let mut options = json!({ "binary": chromium, "args": arguments });
        if *device != json!({}) {
            options["mobileEmulation"] = device.clone();
        }
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let wanted = json!({ "capabilities": { "alwaysMatch": wanted } });
        eventually("the driver answers", || {
            ureq::get(format!("http://127.0.0.1:{port}/status")).call().is_ok().then_some(())
        });
        let session = browser.ask("", &wanted);
        browser.session = format!("{}/{}", browser.session, session["sessionId"].as_str().unwrap());
        Some(browser)
    }

    fn ask(&self, command: &str, body: &Value) -> Value {
        self.try_to(command, body).unwrap_or_else(|refusal| panic!("{command}: {refusal}"))
    }

    /// Runs a command. Returns its value, or the error.
    fn try_to(&self, command: &str, body: &Value) -> Result<Value, Value> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(120)))
            .http_status_as_error(false)
            .build()
            .into();
        let request =
            agent.post(format!("{}{command}", self.session)).header("content-type", "application/json");
        let mut answer = request.send(body.to_string()).unwrap();
        let (status, text) =
            (answer.status(), answer.body_mut().with_config().limit(50 << 20).read_to_string().unwrap());
        let value = serde_json::from_str::<Value>(&text).unwrap()["value"].take();
        if status.is_success() { Ok(value) } else { Err(value) }
    }

    pub(super) fn go(&self, url: &str) {
        self.ask("/url", &json!({ "url": url }));
    }

    /// Runs a script. Returns its value.
    pub(super) fn run(&self, script: &str) -> Value {
        self.ask("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Returns the text of an element, visible or not, once it exists: the page of a click may still be
    /// loading.
    pub(super) fn text(&self, css: &str) -> String {
        eventually(css, || {
            let text = self.run(&format!("return document.querySelector({css:?})?.textContent"));
            text.as_str().map(str::to_owned)
        })
    }

    pub(super) fn count(&self, css: &str) -> u64 {
        self.run(&format!("return document.querySelectorAll({css:?}).length")).as_u64().unwrap()
    }

    fn element(&self, css: &str) -> String {
        let found = self.ask("/element", &json!({ "using": "css selector", "value": css }));
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("{css}: {found}")).to_owned()
    }

    /// Clicks an element. If the page refreshes itself at that very moment, the element may have moved or
    /// been replaced; then it is searched again.
    pub(super) fn click(&self, css: &str) {
        eventually(css, || {
            let command = format!("/element/{}/click", self.element(css));
            let Err(refusal) = self.try_to(&command, &json!({})) else { return Some(()) };
            let moved = ["element click intercepted", "stale element reference"];
            assert!(moved.contains(&refusal["error"].as_str().unwrap()), "{css}: {refusal}");
            None
        });
    }

    /// Replaces the content of a field.
    pub(super) fn write(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.ask(&format!("/element/{element}/clear"), &json!({}));
        self.ask(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Takes a picture of the page, for people to look at.
    pub(super) fn picture(&self, path: &Path) {
        // The driver wants GET here, and answers in base64.
        let mut answer = ureq::get(format!("{}/screenshot", self.session)).call().unwrap();
        let text = answer.body_mut().with_config().limit(50 << 20).read_to_string().unwrap();
        let picture = serde_json::from_str::<Value>(&text).unwrap()["value"].take();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, base64(picture.as_str().unwrap())).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closing the session closes the browser, but not its driver.
        let _ = ureq::delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u8> = text
        .bytes()
        .filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte))
        .map(|digit| u8::try_from(digit).unwrap())
        .collect();
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let bits =
            group.iter().chain(&[0; 3]).take(4).fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}
