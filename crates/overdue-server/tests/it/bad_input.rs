//! Bad input gets a clear answer of 4xx, in time, and leaves nothing half-written.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::fixture::Server;

const CHECKIN: &str = r#"{"check_in_id": "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc", "monitor_slug": "job", "status": "ok",
    "monitor_config": {"schedule": {"type": "crontab", "value": "0 4 * * *"}}}"#;

/// The check-in in one line, as an envelope's item needs it.
fn checkin() -> String {
    CHECKIN.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn envelope(items: &str) -> Vec<u8> {
    format!("{{}}\n{items}").into_bytes()
}

fn item(payload: &str) -> String {
    format!("{{\"type\":\"check_in\",\"length\":{}}}\n{payload}\n", payload.len())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// An envelope without items, as `brotli` packs it; and 64 MiB of zeros.
const BROTLI: &[u8] = b"\x0b\x01\x80{}\n\x03";
const BROTLI_BOMB: &[u8] = include_bytes!("../clients/zeros.br");

/// Posts a body to an address of the server. Returns status and body of the answer.
fn post(server: &Server, path: &str, encoding: &str, body: &[u8]) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let mut request = agent.post(format!("{}{path}", server.address));
    if !encoding.is_empty() {
        request = request.header("content-encoding", encoding);
    }
    let mut answer = request.send(body).unwrap_or_else(|error| panic!("{path}: {error}"));
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

#[test]
fn envelopes() {
    let server = Server::start(&[]);
    let ours = format!("/api/1/envelope/?sentry_key={}", server.key);
    let good = item(&checkin());
    let deep = format!("{}1{}", "[".repeat(40_000), "]".repeat(40_000));
    let long = checkin().replace("\"ok\"", &format!("\"ok\", \"release\": \"{}\"", "x".repeat(200_000)));
    let (plain, _) = good.split_once(", \"monitor_config").unwrap();
    let without_config = format!("{}}}", plain.lines().nth(1).unwrap());
    let zeros = vec![0; 64 << 20];
    let one = envelope(&good);
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let raw = |text: &str| text.as_bytes().to_vec();
    // What is sent, how it is packed, and the expected answer.
    let table: Vec<(&str, &str, Vec<u8>, u16)> = vec![
        ("nothing", "", Vec::new(), 400),
        ("no JSON", "", raw("hello"), 400),
        ("bytes", "", vec![0xff; 4_096], 400),
        ("a list for a head", "", raw("[]\n"), 400),
        ("an item without a head", "", envelope("hello\n"), 400),
        ("an item without a type", "", envelope("{\"length\":2}\n{}\n"), 400),
        ("a negative length", "", envelope("{\"type\":\"check_in\",\"length\":-1}\n{}\n"), 400),
        ("a length as text", "", envelope("{\"type\":\"check_in\",\"length\":\"2\"}\n{}\n"), 400),
        ("a length beyond the end", "", envelope("{\"type\":\"check_in\",\"length\":20}\n{}\n"), 400),
        (
            "a length beyond all memory",
            "",
            envelope("{\"type\":\"check_in\",\"length\":18446744073709551615}\n{}"),
            400,
        ),
        ("a length too short", "", envelope("{\"type\":\"check_in\",\"length\":1}\n{}\n"), 400),
        ("a second item that is broken", "", envelope(&format!("{good}hello\n")), 400),
        ("a check-in that is none", "", envelope(&item("[]")), 400),
        ("a check-in of nothing", "", envelope(&item("{}")), 400),
        ("a check-in nested deep", "", envelope(&item(&deep)), 400),
        ("a check-in without a monitor", "", envelope(&item(&without_config)), 400),
        ("a check-in with a bad id", "", envelope(&item(&checkin().replace("5f2a", "zzzz"))), 400),
        ("a check-in with a bad slug", "", envelope(&item(&checkin().replace("\"job\"", "\"?!\""))), 400),
        ("a check-in with a bad status", "", envelope(&item(&checkin().replace("\"ok\"", "\"great\""))), 400),
        (
            "a check-in with a bad schedule",
            "",
            envelope(&item(&checkin().replace("0 4 * * *", "0 0 31 2 *"))),
            400,
        ),
        ("a check-in that is too long", "", envelope(&item(&long)), 413),
        ("a thousand and one check-ins", "", envelope(&item("{}").repeat(1_001)), 413),
        ("a body that is too long", "", vec![b' '; 6 << 20], 413),
        ("a packing nobody knows", "lzma", one.clone(), 415),
        ("packed three times", "gzip, gzip, gzip", gzip(&gzip(&gzip(&one))), 400),
        ("gzip that is none", "gzip", one.clone(), 400),
        ("deflate that is none", "deflate", vec![0xff; 100], 400),
        ("brotli that is none", "br", vec![0xff; 100], 400),
        ("zstd that is none", "zstd", one.clone(), 400),
        ("half of gzip", "gzip", cut(gzip(&one)), 400),
        ("half of deflate", "deflate", cut(zlib(&one)), 400),
        ("half of zstd", "zstd", cut(zstd(&one)), 400),
        ("half of brotli", "br", cut(BROTLI_BOMB.to_vec()), 413),
        ("a bomb of gzip", "gzip", gzip(&zeros), 413),
        ("a bomb of deflate", "deflate", zlib(&zeros), 413),
        ("a bomb of brotli", "br", BROTLI_BOMB.to_vec(), 413),
        ("a bomb of zstd", "zstd", zstd(&zeros), 413),
        ("a bomb in a bomb", "gzip, gzip", gzip(&gzip(&zeros)), 413),
    ];
    for (what, packing, body, expected) in &table {
        let (status, answer) = post(&server, &ours, packing, body);
        assert_eq!(status, *expected, "{what}: {answer}");
        assert!(answer.contains("error"), "{what}: says why: {answer}");
    }
    assert_eq!(server.count("SELECT count(*) FROM monitors"), 0, "none of them left anything behind");
    assert_eq!(server.count("SELECT count(*) FROM runs"), 0);

    // The same, well packed.
    let other = |number: u32| envelope(&item(&checkin().replace("5f2ab0c0", &format!("{number:08x}"))));
    for (packing, body) in [
        ("", other(1)),
        ("gzip", gzip(&other(2))),
        ("deflate", zlib(&other(3))),
        ("deflate", deflate(&other(4))),
        ("zstd", zstd(&other(5))),
        ("br", BROTLI.to_vec()),
        ("identity", other(6)),
        ("gzip, zstd", zstd(&gzip(&other(7)))),
    ] {
        let (status, answer) = post(&server, &ours, packing, &body);
        assert_eq!(status, 200, "{packing}: {answer}");
    }
    assert_eq!(server.count("SELECT count(*) FROM runs"), 7);
    assert_eq!(server.json("/api/monitors/1/job")["environments"][0]["status"], "ok");
}

#[test]
fn keys_and_addresses() {
    let server = Server::start(&[]);
    let good = envelope(&item(&checkin()));
    let with_dsn = |dsn: &str| format!("{{\"dsn\":\"{dsn}\"}}\n{}", item(&checkin())).into_bytes();
    let key = &server.key;
    let dsn = |key: &str, project: &str| with_dsn(&format!("http://{key}@127.0.0.1/{project}"));
    let wrong = "0".repeat(key.len());
    for (what, path, body, expected) in [
        ("no key", "/api/1/envelope/".to_owned(), good.clone(), 401),
        ("a wrong key", format!("/api/1/envelope/?sentry_key={wrong}"), good.clone(), 403),
        ("a part of the key", format!("/api/1/envelope/?sentry_key={}", &key[1..]), good.clone(), 403),
        ("an empty key", "/api/1/envelope/?sentry_key=".to_owned(), good.clone(), 403),
        ("a wrong key in the DSN", "/api/1/envelope/".to_owned(), dsn(&wrong, "1"), 403),
        ("no key in the DSN", "/api/1/envelope/".to_owned(), with_dsn("http://127.0.0.1/1"), 401),
        ("the DSN of another project", "/api/1/envelope/".to_owned(), dsn(key, "2"), 400),
        ("a project that is no number", format!("/api/one/envelope/?sentry_key={key}"), good.clone(), 404),
        ("a project below zero", format!("/api/-1/envelope/?sentry_key={key}"), good.clone(), 404),
        ("a project beyond SQLite", format!("/api/18446744073709551615/envelope/?sentry_key={key}"), good.clone(), 404),
        ("curl with a wrong key", format!("/api/1/cron/job/{wrong}/?schedule=every+hour"), Vec::new(), 403),
        ("curl without a monitor", format!("/api/1/cron/nobody/{key}/"), Vec::new(), 404),
        ("curl with a bad schedule", format!("/api/1/cron/job/{key}/?schedule=every+night"), Vec::new(), 400),
        ("curl with a bad status", format!("/api/1/cron/job/{key}/?status=great&schedule=every+hour"), Vec::new(), 400),
        ("curl with a bad body", format!("/api/1/cron/job/{key}/"), b"status=ok".to_vec(), 400),
        ("curl with a body that is too long", format!("/api/1/cron/job/{key}/"), format!("{{\"release\":\"{}\"}}", "x".repeat(200_000)).into_bytes(), 413),
        ("curl with a list", format!("/api/1/cron/job/{key}/"), b"[]".to_vec(), 400),
        ("curl with a bad duration", format!("/api/1/cron/job/{key}/?duration=long&schedule=every+hour"), Vec::new(), 400),
        ("a slug of nothing", format!("/api/1/cron/%3F%21/{key}/?schedule=every+hour"), Vec::new(), 400),
        ("a slug that is no text", format!("/api/1/cron/%FF/{key}/?schedule=every+hour"), Vec::new(), 400),
        ("a long environment", format!("/api/1/cron/job/{key}/?environment={}&schedule=every+hour", "e".repeat(65)), Vec::new(), 400),
        ("an address that is none", "/api/1/store/".to_owned(), good.clone(), 404),
        ("a new monitor of nothing", "/api/monitors".to_owned(), b"{}".to_vec(), 400),
        ("a new monitor of a list", "/api/monitors".to_owned(), b"[]".to_vec(), 400),
        ("a new monitor without a schedule", "/api/monitors".to_owned(), br#"{"project": 1, "slug": "job"}"#.to_vec(), 400),
        ("a new monitor with too much", "/api/monitors".to_owned(), br#"{"project": 1, "slug": "job", "config": {"schedule": {"type": "crontab", "value": "* * * * *"}}, "colour": "red"}"#.to_vec(), 400),
    ] {
        let (status, answer) = post(&server, &path, "", &body);
        assert_eq!(status, expected, "{what}: {answer}");
    }
    assert_eq!(server.count("SELECT count(*) FROM monitors"), 0, "none of them left anything behind");

    for (path, body) in [
        ("/api/1/envelope/".to_owned(), dsn(key, "1")),
        (
            format!("/api/1/envelope?sentry_key={key}"),
            envelope(
                "{\"type\":\"event\"}\n{\"message\":\"hello\"}\n\n{\"type\":\"attachment\",\"length\":3}\n\n\n\n",
            ),
        ),
    ] {
        let (status, answer) = post(&server, &path, "", &body);
        assert_eq!(status, 200, "{answer}");
    }
    assert_eq!(server.count("SELECT count(*) FROM runs"), 1);
}

#[test]
fn names_that_are_programs() {
    let server = Server::start(&[]);
    let script = "<script>alert(1)</script>";
    let post_json =
        |path: &str, json: &serde_json::Value| post(&server, path, "", json.to_string().as_bytes());
    let (status, answer) = post_json(
        "/api/monitors",
        &serde_json::json!({
            "project": 1, "slug": "<Script>Job", "name": format!("{script}\"'&"),
            "config": { "schedule": { "type": "crontab", "value": "0 4 * * *" } },
        }),
    );
    assert_eq!(status, 201, "{answer}");
    let path = format!("/api/1/cron/scriptjob/{}/", server.key);
    let hostile = serde_json::json!({ "status": "ok", "environment": "<img src=x onerror=alert(1)>", "release": script });
    assert_eq!(post_json(&path, &hostile).0, 202);
    let refused = serde_json::json!({ "status": script, "environment": script });
    assert_eq!(post_json(&path, &refused).0, 400);
    for page in [
        "/",
        "/fragment",
        "/monitors/1/scriptjob",
        "/monitors/1/scriptjob?fragment",
        "/monitors/1/%3Cscript%3Ex",
    ] {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.get(format!("{}{page}", server.address)).call().unwrap();
        assert!(
            answer.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
        );
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(!text.contains("<script>alert") && !text.contains("<img"), "{page}: {text}");
    }
    let page = ureq::get(format!("{}/", server.address)).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
}

/// A slow client gets an error or is disconnected, and delays no other client.
#[test]
fn slow_clients() {
    let server = Server::start(&[]);
    let host = server.address.trim_start_matches("http://").to_owned();
    let connect = || {
        let stream = TcpStream::connect(&host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    };
    let rest = |mut stream: TcpStream| {
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text
    };
    let mut heads: Vec<TcpStream> = (0..100).map(|_| connect()).collect();
    for head in &mut heads {
        head.write_all(b"POST /api/1/envelope/ HTTP/1.1\r\nhost: x\r\n").unwrap();
    }
    let mut body = connect();
    let path = format!("/api/1/envelope/?sentry_key={}", server.key);
    write!(body, "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{{}}").unwrap();
    let mut short = connect();
    write!(short, "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\nconnection: close\r\n\r\n{{}}")
        .unwrap();
    short.shutdown(std::net::Shutdown::Write).unwrap();
    let mut noise = connect();
    noise.write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n").unwrap();

    assert_eq!(post(&server, &path, "", &envelope(&item(&checkin()))).0, 200, "others are served meanwhile");
    assert!(rest(noise).starts_with("HTTP/1.1 400"));
    let _ = rest(short);
    assert!(rest(body).starts_with("HTTP/1.1 408"), "a body that does not come");
    for head in heads {
        let answer = rest(head);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    assert_eq!(server.count("SELECT count(*) FROM runs"), 1);
}

/// Some answers are ready before the request has arrived. They reach also a client that sends all of it
/// first.
#[test]
fn early_answers() {
    let server = Server::start(&[]);
    let host = server.address.trim_start_matches("http://");
    let key = &server.key;
    let envelope = format!("POST /api/1/envelope/?sentry_key={key} HTTP/1.1");
    let size = 16 << 20;
    let length = format!("content-length: {size}");
    for (what, head, expected) in [
        ("a body that is too long", format!("{envelope}\r\n{length}"), "413"),
        ("a packing nobody knows", format!("{envelope}\r\n{length}\r\ncontent-encoding: lzma"), "415"),
        ("curl with a long body", format!("POST /api/1/cron/job/{key}/ HTTP/1.1\r\n{length}"), "413"),
        ("an address that is none", format!("POST /api/1/store/ HTTP/1.1\r\n{length}"), "404"),
        ("a method that is none", format!("PUT /api/1/envelope/ HTTP/1.1\r\n{length}"), "405"),
        (
            "a page elsewhere",
            format!("POST /api/monitors HTTP/1.1\r\n{length}\r\nsec-fetch-site: cross-site"),
            "403",
        ),
        ("a length that is none", format!("{envelope}\r\ncontent-length: long"), "400"),
        ("chunks that are none", format!("{envelope}\r\ntransfer-encoding: chunked"), "400"),
        ("a long head", format!("{envelope}\r\nx-head: {}", "x".repeat(600_000)), "431"),
    ] {
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "{head}\r\nhost: x\r\n\r\n").unwrap_or_else(|error| panic!("{what}: {error}"));
        for chunk in vec![b'x'; size].chunks(64 << 10) {
            stream.write_all(chunk).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{what}: {answer}");
        assert!(answer.contains("connection: close"), "{what}: {answer}");
    }
}
