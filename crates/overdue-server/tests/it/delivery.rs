//! Incidents reach their destinations: late if need be, in order, and once if repeats are dropped.

use super::fixture::{Server, eventually};
use super::receiver::Receiver;

fn ping(server: &Server, slug: &str, query: &str) {
    ureq::get(format!("{}?{query}", server.ping(slug))).call().unwrap();
}

fn expected(slugs: &[&str]) -> Vec<(String, String)> {
    let kinds = ["incident_opened", "incident_occurrence", "incident_resolved"];
    slugs.iter().flat_map(|slug| kinds.map(|kind| (kind.to_owned(), (*slug).to_owned()))).collect()
}

#[test]
fn a_webhook_that_fails_is_told_later_and_in_order() {
    let receiver = Receiver::start(3);
    let server = Server::start(&["--webhook", &receiver.url]);
    for slug in ["one", "two"] {
        ping(&server, slug, "status=error&schedule=0+2+*+*+*");
        ping(&server, slug, "status=ok");
    }
    eventually("all is told", || (receiver.told().len() == 6).then_some(()));
    for slug in ["one", "two"] {
        let of_one: Vec<_> = receiver.told().into_iter().filter(|(_, of)| of == slug).collect();
        assert_eq!(of_one, expected(&[slug]));
    }
    eventually("nothing waits any more", || (server.count("SELECT count(*) FROM outbox") == 0).then_some(()));
    let opened = &receiver.all()[0];
    assert!(opened["text"].as_str().unwrap().starts_with("DOWN"), "{opened:#}");
    let metrics =
        ureq::get(format!("{}/metrics", server.address)).call().unwrap().body_mut().read_to_string();
    let metrics = metrics.unwrap();
    assert!(metrics.contains(r#"overdue_events_total{kind="incident_opened"} 2"#), "{metrics}");
    assert!(
        metrics.contains(&format!(r#"overdue_outbox_events{{destination="{}"}} 0"#, receiver.url)),
        "{metrics}"
    );
}

#[test]
fn what_was_not_told_is_told_after_a_restart() {
    let receiver = Receiver::start(usize::MAX);
    let server = Server::start(&["--webhook", &receiver.url]);
    ping(&server, "job", "status=error&schedule=0+2+*+*+*");
    let server = server.crash();
    ping(&server, "job", "status=ok");
    assert_eq!(receiver.all(), Vec::<serde_json::Value>::new());
    receiver.take_from_now_on();
    let mut server = server.crash();
    eventually("all is told", || (receiver.told() == expected(&["job"])).then_some(()));
    assert!(server.stop(), "it stops when it is asked to");
}
