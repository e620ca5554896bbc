//! From the bytes of a message to a typed check-in. The floor is what serde makes of the same bytes when it
//! is told to put them into a plain struct, unchecked.

#![expect(clippy::unwrap_used, reason = "a benchmark of what cannot fail")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use overdue::wire::Payload;
use serde::Deserialize;

const PLAIN: &[u8] = br#"{"check_in_id":"5f2ab0c08d2d4ab2b2a1d34fd4e53fbc","monitor_slug":"nightly-backup","status":"ok","duration":12.345,"environment":"production","release":"backup@1.4.2","contexts":{"trace":{"trace_id":"8f431b7aa08441bbbd5a0100fd91f9fe","span_id":"cb34fd91f9fe5a01","op":"cron"}}}"#;

const WITH_CONFIG: &[u8] = br#"{"check_in_id":"5f2ab0c08d2d4ab2b2a1d34fd4e53fbc","monitor_slug":"nightly-backup","status":"in_progress","environment":"production","release":"backup@1.4.2","monitor_config":{"schedule":{"type":"crontab","value":"5 4 * * *"},"timezone":"Europe/Paris","checkin_margin":5,"max_runtime":60,"failure_issue_threshold":2,"recovery_threshold":1},"contexts":{"trace":{"trace_id":"8f431b7aa08441bbbd5a0100fd91f9fe","span_id":"cb34fd91f9fe5a01","op":"cron"}}}"#;

/// Only what a check-in cannot do without: every text borrowed, nothing judged.
#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, and never read")]
struct Floor<'a> {
    check_in_id: &'a str,
    monitor_slug: &'a str,
    status: &'a str,
    duration: Option<f64>,
    environment: Option<&'a str>,
    release: Option<&'a str>,
}

fn decode(c: &mut Criterion) {
    for (name, bytes) in [("plain", PLAIN), ("with_config", WITH_CONFIG)] {
        let mut group = c.benchmark_group(format!("payload/{name}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function("checkin", |b| {
            b.iter(|| Payload::parse(black_box(bytes)).unwrap().checkin().unwrap());
        });
        group.bench_function("fields_found", |b| b.iter(|| Payload::parse(black_box(bytes)).unwrap()));
        group.bench_function("config", |b| {
            let payload = Payload::parse(bytes).unwrap();
            b.iter(|| black_box(&payload).config().unwrap());
        });
        group.bench_function("floor", |b| {
            b.iter(|| serde_json::from_slice::<Floor<'_>>(black_box(bytes)).unwrap());
        });
        group.finish();
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
