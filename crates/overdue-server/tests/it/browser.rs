//! The pages of the demo fleet, in a browser.

use std::sync::{Mutex, PoisonError};

use super::fixture::target;

use super::fixture::{Server, eventually};
use super::webdriver::Browser;

/// One browser at a time is enough load.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn the_status_page_and_an_edit() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(browser) = Browser::desktop() else { return };
    let server = Server::start(&["--demo"]);
    let pictures = target().parent().unwrap().join("pictures");

    browser.go(&server.address);
    assert_eq!(browser.run("return document.title"), "Scheduled jobs · overdue");
    // Every environment of the fleet, with a picture, and the most urgent first.
    assert_eq!(browser.count(".tile"), 40);
    assert_eq!(browser.count(".tile svg.strip path:not(.none)").min(40), 40);
    let groups = browser
        .run("return [...document.querySelectorAll('[data-group]')].map(group => group.dataset.group)");
    assert_eq!(groups[0], "down", "{groups}");
    let order = ["down", "shaky", "muted", "well", "waiting", "off"];
    let places: Vec<_> =
        groups.as_array().unwrap().iter().map(|group| order.iter().position(|name| group == name)).collect();
    assert!(places.is_sorted(), "{groups}");
    let down = browser.text("[data-group=down]");
    for job in ["send-invoices", "replicate-orders", "rebuild-search-index", "missed", "timed out", "failed"]
    {
        assert!(down.contains(job), "{job} is down: {down}");
    }
    assert!(browser.text("[data-group=muted]").contains("legacy-export"));
    assert!(browser.text("[data-group=off]").contains("old-ftp-upload"));
    let text = browser.text("main");
    for told in [
        "Incidents",
        "open",
        "resolved",
        "Rejected check-ins",
        "there is no such monitor",
        "day 31 never occurs in February",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    // The page's security headers allow its own script and style, and nothing overflows.
    let styled = "return getComputedStyle(document.querySelector('.tile')).display";
    assert_eq!(browser.run(styled), "grid");
    let spills = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert_eq!(browser.run(spills), false);
    browser.picture(&pictures.join("status-desktop.png"));

    browser.write("#filter", "BACK UP");
    assert_eq!(browser.count(".tile:not([hidden])"), 1);
    browser.write("#filter", " ");
    browser.click("[data-only=off]");
    assert_eq!(browser.count(".tile:not([hidden])"), 1);
    browser.click("[data-only=off]");
    assert_eq!(browser.count(".tile:not([hidden])"), 40);

    // The page refreshes itself.
    ureq::get(format!("{}?schedule=every+hour", server.ping("brand-new"))).call().unwrap();
    eventually("the new job shows by itself", || {
        browser.text("[data-group=well]").contains("brand-new").then_some(())
    });

    browser.click("a[href='/monitors/1/backup-postgres']");
    eventually("its page shows", || browser.text("h1").contains("Back up PostgreSQL").then_some(()));
    assert_eq!(browser.count("section.environment"), 1);
    browser.picture(&pictures.join("monitor-desktop.png"));
    browser.run("document.querySelector('#edit').closest('details').open = true");
    browser.write("#edit [name=schedule]", "61 2 * * *");
    browser.click("#edit button");
    assert!(browser.text(".problem").contains("minute"), "{}", browser.text(".problem"));
    browser.write("#edit [name=schedule]", "45 3 * * *");
    browser.write("#edit [name=name]", "Back up <everything>");
    browser.click("#edit button");
    eventually("the new name shows", || browser.text("h1").contains("Back up <everything>").then_some(()));
    let monitor = server.json("/api/monitors/1/backup-postgres");
    assert_eq!(monitor["monitor"]["config"]["schedule"]["value"], "45 3 * * *");
    browser.click("button[value=mute]");
    eventually("it is muted", || (browser.count("button[value=unmute]") == 1).then_some(()));
    assert_eq!(server.json("/api/monitors/1/backup-postgres")["monitor"]["muted"], true);
}

#[test]
fn on_a_phone() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(browser) = Browser::phone() else { return };
    let server = Server::start(&["--demo"]);
    let pictures = target().parent().unwrap().join("pictures");
    for (page, name) in [("/", "status"), ("/monitors/1/send-invoices", "monitor"), ("/new", "new")] {
        browser.go(&format!("{}{page}", server.address));
        let spills = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(browser.run(spills), false, "{page}");
        // Touch targets must be large.
        let small = "return [...document.querySelectorAll('button, input')].filter(field => field.offsetParent && field.offsetHeight < 36).length";
        assert_eq!(browser.run(small), 0, "{page}");
        browser.picture(&pictures.join(format!("{name}-phone.png")));
    }
}
