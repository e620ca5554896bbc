//! Replays check-ins and ticks against a policy and prints what would have happened.
//!
//! ```text
//! replay [--policy standard|sentry-2024] [--check] FILE...
//! ```
//!
//! A file holds traces, one JSON object a line: `{"name", "limits", "ops": [...]}`, and for `--check` the
//! recorded outcomes, `"expect": [...]`; `-` is standard input. One line a trace is written,
//! `{"name": ..., "expect": [...]}`. With `--check` the first difference of each differing trace and the
//! totals are printed instead, and the exit code is 1 if there is any. A trace is compared up to the first op
//! at which the recorded system crashed.
#![expect(clippy::arithmetic_side_effects, reason = "it counts lines")]

mod playback;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::ExitCode;

use overdue::Policy;
use serde_json::{Value, json};

use playback::{Fallible, Player, Trace, difference};

const USAGE: &str = "usage: replay [--policy standard|sentry-2024] [--check] FILE... (- is standard input)";

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(|arguments| arguments.run()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("replay: {error}");
            ExitCode::from(2)
        }
    }
}

struct Arguments {
    policy: Policy,
    check: bool,
    files: Vec<String>,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Fallible<Self> {
        let mut arguments = Self { policy: Policy::default(), check: false, files: Vec::new() };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--check" => arguments.check = true,
                "--policy" => arguments.policy = policy(&words.next().unwrap_or_default())?,
                "--help" => {
                    println!("{USAGE}");
                    std::process::exit(0);
                }
                word if word.starts_with("--") => {
                    return Err(format!("unknown option {word}; {USAGE}").into());
                }
                _ => arguments.files.push(word),
            }
        }
        if arguments.files.is_empty() { Err(USAGE.into()) } else { Ok(arguments) }
    }

    fn run(&self) -> Fallible<ExitCode> {
        let mut totals = Totals::default();
        let mut out = BufWriter::new(std::io::stdout().lock());
        for file in &self.files {
            for (number, line) in open(file)?.lines().enumerate() {
                let line = line?;
                if line.trim().is_empty() {
                    continue;
                }
                let place = |error| format!("{file}, line {}: {error}", number + 1);
                let trace: Trace = serde_json::from_str(&line).map_err(|error| place(error.to_string()))?;
                let outcomes = Player::new(&self.policy, trace.limits)
                    .play(&trace.ops)
                    .map_err(|error| place(error.to_string()))?;
                if self.check {
                    totals.compare(&trace, &outcomes, &mut out)?;
                } else {
                    writeln!(out, "{}", json!({"name": trace.name, "expect": outcomes}))?;
                }
            }
        }
        if self.check {
            writeln!(out, "{} of {} traces equal, {} ops compared", totals.equal, totals.traces, totals.ops)?;
        }
        out.flush()?;
        Ok(if totals.equal == totals.traces { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn open(file: &str) -> Fallible<Box<dyn BufRead>> {
    if file == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = File::open(file).map_err(|error| format!("{file}: {error}"))?;
    Ok(Box::new(BufReader::new(file)))
}

fn policy(name: &str) -> Fallible<Policy> {
    match name {
        "standard" => Ok(Policy::default()),
        "sentry-2024" => Ok(Policy::sentry_2024()),
        _ => Err(format!("unknown policy {name:?}: standard or sentry-2024").into()),
    }
}

#[derive(Default)]
struct Totals {
    traces: usize,
    equal: usize,
    ops: usize,
}

impl Totals {
    fn compare(&mut self, trace: &Trace, outcomes: &[Value], out: &mut impl Write) -> Fallible<()> {
        let Trace { name, ops, expect, .. } = trace;
        self.traces += 1;
        if expect.len() != ops.len() {
            writeln!(out, "{name}: {} ops and {} outcomes", ops.len(), expect.len())?;
            return Ok(());
        }
        match difference(trace, outcomes) {
            Ok(ops) => {
                self.equal += 1;
                self.ops += ops;
            }
            Err(difference) => writeln!(out, "{name}, {difference}")?,
        }
        Ok(())
    }
}
