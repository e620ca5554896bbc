//! Replays a made-up day of millions of check-ins, and tells how long it took: a hundred thousand monitors with all
//! sorts of schedules in several zones, of which some fail, hang, come late or do not come at all.
//!
//! ```sh
//! cargo run --release --example day
//! ```
//!
//! At the end every monitor is looked at: those that were let fail must have had their incident, and no others.
#![expect(clippy::arithmetic_side_effects, reason = "it adds up times")]

mod simulation;

use std::io::{IsTerminal, stderr};
use std::str::FromStr;
use std::time::Duration;

use simulation::{DAY, Failure, Options, Simulation, Trouble};

const HELP: &str = "\
Replays a made-up day of check-ins through an engine in memory, on one core.

  --monitors N   how many jobs there are (100000)
  --checkins N   how many check-ins they send in all, more or less (7000000)
  --seed N       another day (1)
  --keep HOURS   how old runs are when they are pruned; it is done once an hour (6)
  --json         sends JSON to be decoded, as off the wire, instead of typed check-ins
";

/// Returns `None` if help is asked for.
fn options(mut words: impl Iterator<Item = String>) -> Result<Option<Options>, Failure> {
    fn number<T: FromStr>(option: &str, words: &mut impl Iterator<Item = String>) -> Result<T, Failure> {
        words
            .next()
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| format!("{option} needs a number").into())
    }
    let mut options = Options { monitors: 100_000, checkins: 7_000_000, seed: 1, keep: 6, json: false };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--monitors" => options.monitors = number(&word, &mut words)?,
            "--checkins" => options.checkins = number(&word, &mut words)?,
            "--seed" => options.seed = number(&word, &mut words)?,
            "--keep" => options.keep = number(&word, &mut words)?,
            "--json" => options.json = true,
            "--help" => return Ok(None),
            _ => return Err(format!("unknown option {word}; --help lists them").into()),
        }
    }
    Ok(Some(options))
}

fn main() -> Result<(), Failure> {
    let Some(options) = options(std::env::args().skip(1))? else {
        print!("{HELP}");
        return Ok(());
    };
    let mut day = Simulation::new(&options)?;
    let watched = stderr().is_terminal();
    for minute in 0..DAY {
        if watched {
            eprint!("\r{:02}:{:02} ", minute / 60, minute % 60);
        }
        day.minute()?;
    }
    if watched {
        eprint!("\r");
    }
    print(&day, &options);

    let misjudged = day.misjudged();
    if let Some(first) = misjudged.first() {
        return Err(format!("{} monitors are misjudged: {first}", misjudged.len()).into());
    }
    println!("every monitor had the incidents it deserved, and no other");
    Ok(())
}

fn print(day: &Simulation, &Options { monitors, seed, .. }: &Options) {
    let (tally, spent, told) = (&day.tally, &day.spent, day.told());
    let all = spent.checkins + spent.ticks + spent.pruning;
    let rate = |time: Duration| grouped((tally.checkins as f64 / time.as_secs_f64()) as u64);
    let seconds = |time: Duration| format!("{:6.2} s", time.as_secs_f64());
    println!(
        "{} check-ins and {} ticks of a day, {} monitors, seed {seed}",
        grouped(tally.checkins),
        grouped(DAY.into()),
        grouped(monitors.into())
    );
    println!("check-ins {}  {} a second", seconds(spent.checkins), rate(spent.checkins));
    println!(
        "ticks     {}  the slowest {:.1} ms",
        seconds(spent.ticks),
        1e3 * spent.slowest_tick.as_secs_f64()
    );
    println!("pruning   {}  {} runs", seconds(spent.pruning), grouped(tally.pruned as u64));
    println!("in all    {}  {} check-ins a second, on one core", seconds(all), rate(all));
    println!("made up   {}  monitors and check-ins, not counted", seconds(spent.making_up));
    if let Some((seconds, mebibytes)) = processor_time().zip(peak_memory()) {
        println!(
            "program   {seconds:6.2} s  of a processor's time for all of this, {mebibytes} MiB of memory at the peak"
        );
    }
    println!(
        "jobs: {} failed for a while, {} stayed away, {} came late, {} hung",
        grouped(day.befallen(Trouble::Fails) as u64),
        grouped(day.befallen(Trouble::StaysAway) as u64),
        grouped(day.befallen(Trouble::ComesLate) as u64),
        grouped(day.befallen(Trouble::Hangs) as u64)
    );
    println!(
        "incidents: {} opened, {} resolved, {} open at the end; {} runs missed, {} timed out",
        grouped(told.opened()),
        grouped(told.resolved()),
        grouped(day.open()),
        grouped(tally.missed),
        grouped(tally.timed_out)
    );
}

/// The processor's time that the program has taken, in seconds, as Linux counts it: on a busy machine the times above hold
/// waiting, too.
fn processor_time() -> Option<f64> {
    let nanoseconds = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(nanoseconds.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}

/// The most memory that the whole program has ever held, in MiB, as Linux counts it (`VmHWM`).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? / 1024)
}

/// With commas.
fn grouped(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}
