#!/usr/bin/env bash
# jiff 1.0.2, and glibc 2.36 with it: by the rule that RFC 9636 gives as the example of summer time all year, summer time
# stops for three hours at each New Year.
#
# Section 3.3.1 of the RFC and tzfile(5): under `XXX3EDT4,0/0,J365/23` summer time ends at the instant at which it starts
# again, so the clock is four hours behind UTC at all times. Both answer three hours from 00:00 to 03:00 UTC on 1 January.
#
# Who meets it: a zone that keeps summer time all year and is compiled in this form. No zone of IANA 2026f is.
# What overdue does: its own reader of TZif follows the RFC, which a unit test of `src/schedule/tzif.rs` holds.
set -euo pipefail

rule='XXX3EDT4,0/0,J365/23'
times=(2024-12-31T23:59:59Z 2025-01-01T00:00:00Z 2025-01-01T02:59:59Z 2025-01-01T03:00:00Z 2025-07-01T00:00:00Z)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "rule"
version = "0.0.0"
edition = "2021"

[dependencies]
jiff = { version = "=1.0.2", default-features = false, features = ["std"] }
TOML
cat >"$folder/src/main.rs" <<'RUST'
fn main() {
    let mut arguments = std::env::args().skip(1);
    let zone = jiff::tz::TimeZone::posix(&arguments.next().unwrap()).unwrap();
    for time in arguments {
        println!("{time} {}", zone.to_offset(time.parse().unwrap()));
    }
}
RUST
export CARGO_TARGET_DIR="$folder/target"
jiff=$(cargo run --quiet --manifest-path "$folder/Cargo.toml" -- "$rule" "${times[@]}")
glibc=$(for time in "${times[@]}"; do echo "$time $(TZ=$rule date -d "$time" +%z | cut -c1-3)"; done)

echo "jiff 1.0.2:"
echo "$jiff"
echo "$(ldd --version | head -1):"
echo "$glibc"
[[ $jiff == "$glibc" ]]
diff - <(echo "$jiff") <<'SEEN'
2024-12-31T23:59:59Z -04
2025-01-01T00:00:00Z -03
2025-01-01T02:59:59Z -03
2025-01-01T03:00:00Z -04
2025-07-01T00:00:00Z -04
SEEN
echo "as recorded"
