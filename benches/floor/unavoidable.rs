//! What no program that takes check-ins can leave out: find the environment, write its row, remember the run by its
//! id and in the history, and move the deadline to another minute. No schedule, no health, no promises.

use std::collections::HashMap;

/// Nobody: the end of a list.
const NONE: u32 = u32::MAX;

/// So many minutes ahead deadlines may lie.
const MINUTES: usize = 64;

type Hasher = foldhash::fast::RandomState;

/// A project and a slug, in place.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct Key {
    project: u64,
    slug: [u8; 24],
}

/// One check-in, ready to use.
#[derive(Clone, Copy)]
pub(crate) struct Note {
    pub(crate) number: usize,
    pub(crate) key: Key,
    pub(crate) id: u128,
    /// Microseconds.
    pub(crate) at: u64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Began,
    Ended,
    /// Began and ended.
    Ran,
}

struct Environment {
    seen: u64,
    next: u64,
    version: u64,
    newest: u32,
    place: Place,
}

struct Run {
    id: u128,
    environment: u32,
    previous: u32,
    began: u64,
    heard: u64,
    expected: u64,
    place: Place,
}

#[derive(Clone, Copy)]
struct Place {
    minute: u32,
    position: u32,
}

/// The numbers that are due in each minute of the next hour.
struct Minutes([Minute; MINUTES]);

/// What is due in one minute, and where somebody has left.
#[derive(Default)]
struct Minute {
    numbers: Vec<u32>,
    gaps: Vec<u32>,
}

impl Default for Minutes {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Minute::default()))
    }
}

#[derive(Default)]
pub(crate) struct Unavoidable {
    keys: HashMap<Key, u32, Hasher>,
    environments: Vec<Environment>,
    ids: HashMap<u128, u32, Hasher>,
    runs: Vec<Run>,
    misses: Minutes,
    timeouts: Minutes,
}

impl Key {
    pub(crate) fn new(project: u64, text: &str) -> Self {
        let mut slug = [0; 24];
        slug[..text.len()].copy_from_slice(text.as_bytes());
        Self { project, slug }
    }
}

impl Place {
    const NOWHERE: Self = Self { minute: NONE, position: 0 };
}

impl Minutes {
    fn at(&mut self, minute: u32) -> &mut Minute {
        &mut self.0[minute as usize % MINUTES]
    }

    fn insert(&mut self, minute: u32, number: u32) -> Place {
        let Minute { numbers, gaps } = self.at(minute);
        if let Some(position) = gaps.pop() {
            numbers[position as usize] = number;
            return Place { minute, position };
        }
        numbers.push(number);
        Place { minute, position: numbers.len() as u32 - 1 }
    }

    fn remove(&mut self, place: Place) {
        let Minute { numbers, gaps } = self.at(place.minute);
        numbers[place.position as usize] = NONE;
        gaps.push(place.position);
        if gaps.len() == numbers.len() {
            numbers.clear();
            gaps.clear();
        }
    }
}

impl Unavoidable {
    pub(crate) fn add(&mut self, key: Key) {
        let number = self.environments.len() as u32;
        self.keys.insert(key, number);
        let place = Place::NOWHERE;
        self.environments.push(Environment { seen: 0, next: 0, version: 0, newest: NONE, place });
    }

    pub(crate) fn take(&mut self, note: &Note) {
        let number = self.keys[&note.key];
        let environment = &mut self.environments[number as usize];
        environment.seen = note.at;
        environment.version += 1;
        if let Kind::Ended = note.kind {
            let run = &mut self.runs[self.ids[&note.id] as usize];
            run.heard = note.at;
            self.timeouts.remove(run.place);
        } else {
            let run = self.runs.len() as u32;
            let place = match note.kind {
                Kind::Began => self.timeouts.insert((note.at / 60_000_000) as u32 + 30, run),
                _ => Place::NOWHERE,
            };
            self.ids.insert(note.id, run);
            let (previous, expected) = (environment.newest, environment.next);
            let (began, heard) = (note.at, note.at);
            self.runs.push(Run { id: note.id, environment: number, previous, began, heard, expected, place });
            environment.newest = run;
        }
        // Every five minutes, and a minute's patience.
        let minute = (note.at / 300_000_000 + 1) as u32 * 5 + 1;
        let place = environment.place;
        if place.minute != minute {
            environment.next = u64::from(minute) * 60_000_000;
            environment.place = self.misses.insert(minute, number);
            if place.minute != NONE {
                self.misses.remove(place);
            }
        }
    }

    /// Forgets every run but the newest of each environment.
    pub(crate) fn prune(&mut self) {
        let runs = std::mem::take(&mut self.runs);
        for (number, run) in (0..).zip(runs) {
            let environment = &mut self.environments[run.environment as usize];
            if environment.newest == number {
                environment.newest = self.runs.len() as u32;
                self.ids.insert(run.id, environment.newest);
                self.runs.push(Run { previous: NONE, ..run });
            } else {
                self.ids.remove(&run.id);
            }
        }
    }

    /// So that nothing of it is left out.
    pub(crate) fn sum(&self) -> u64 {
        let runs = self.runs.iter().map(|run| run.began ^ run.heard ^ run.expected ^ u64::from(run.previous));
        let environments = self.environments.iter().map(|row| row.seen ^ row.version);
        runs.chain(environments).fold(0, u64::wrapping_add)
    }
}
