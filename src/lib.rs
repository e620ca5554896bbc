//! Did my scheduled job run, on time, to the end?
//!
//! Jobs send check-ins and a clock ticks. From these the engine decides which runs were missed, which hang,
//! and when an environment's incident opens and resolves. It does no I/O and reads no clock: a host brings
//! the database, the message bus and the alerts, and passes the time as an argument.
//!
//! ```
//! use overdue::checkin::{Checkin, CheckinStatus, RunRef};
//! use overdue::config::MonitorConfig;
//! use overdue::id::{OrganizationId, ProjectId};
//! use overdue::outcome::{Outcome, TickEffect};
//! use overdue::{Engine, Event, MemoryStore, Message, Policy, Tick};
//!
//! let (sink, events) = std::sync::mpsc::channel();
//! let engine = Engine::new(MemoryStore::new(), Policy::default()).with_sink(sink);
//!
//! // A job reports a run that succeeded, and brings its configuration.
//! let checkin = Checkin::new("nightly-backup".parse()?, RunRef::Anonymous, CheckinStatus::Ok)
//!     .with_config(MonitorConfig::builder().crontab("0 2 * * *").build()?);
//! let answer = engine.process_checkin(&Message {
//!     organization: OrganizationId::new(1),
//!     project: ProjectId::new(1),
//!     received_at: "2024-09-02T02:11:30Z".parse()?,
//!     body: checkin.into(),
//! })?;
//! assert!(matches!(answer, Outcome::Accepted(_)));
//!
//! // The next night it does not report, and a minute after two it is missed.
//! assert_eq!(engine.next_deadline()?, Some("2024-09-03T02:01:00Z".parse()?));
//! let report = engine.tick(Tick::at("2024-09-03T02:01:00Z".parse()?))?;
//! assert!(matches!(report.outcomes[0].effect, TickEffect::Missed(_)));
//! let Event::IncidentOpened(alert) = events.recv()? else { panic!("another event") };
//! assert_eq!(alert.reason().to_string(), "1 missed run");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The shape of a host
//!
//! ```text
//!         Message / Tick                     values; time is always an argument
//!               |
//!          Store::load                       what a Query asks for, as it stood at one moment
//!               |
//!           Snapshot ----> rules             pure: no I/O, no clock, no randomness, no panic
//!                            |
//!                         Decision           an answer that explains itself, and what to write first
//!                            |
//!          Store::commit <- Transition       everything or nothing; on a conflict, load and decide again
//!               |
//!         EventSink::emit                    after the commit, one event at a time
//! ```
//!
//! [`Engine`] walks this path for you over a [`Store`], of which [`MemoryStore`] is one. With an asynchronous
//! database you walk it yourself: [`rules`] is all you need, and the example `async_host` shows how.
//!
//! Examples share a hidden host: a monitor `nightly`, and one check-in of it, `message`.
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | organization, project | the owner of monitors: numbers that the host assigns |
//! | [monitor](row::Monitor) | one scheduled job, named by its project and [slug](id::Slug) |
//! | [environment](row::Environment) | a monitor in one deployment, `production` unless named: it carries health, deadlines and the open incident |
//! | [run](row::Run) | the job doing its work once |
//! | check-in | a message from the job about a run: it started, succeeded or failed |
//! | [deadline](row::Deadline) | when the next run is expected and, one margin later, when it is missed |
//! | timeout | a run stays in progress for longer than its maximum runtime |
//! | [incident](row::Incident) | opens after a number of failures in a row, and ends after a number of successes in a row |
//! | occurrence | one failed run reported under an incident |
//! | [tick](Tick) | "the stream has reached this minute": detects missed runs and timeouts |
//! | snapshot, decision, transition | what a decision reads; its answer; what it writes |
//! | [profile](policy::Profile) | which rules apply: the standard ones, or those of the reference, Sentry's cron monitoring |
//! | [quirk](policy::Quirk) | one way in which the reference departs from what this crate holds to be right |
//!
//! # Guarantees
//!
//! They hold under the default [`Policy`]; code and tests cite them by number.
//!
//! * **I1** At most one incident is open in an environment. Opened and resolved alternate.
//! * **I2** The status is `Error` exactly while an incident is open.
//! * **I3** A decision depends on its arguments only: same arguments, same bytes.
//! * **I4** Processing a message again changes nothing that a reader can see, and an event that it repeats
//!   has the same id.
//! * **I5** A run that the job has finished is final: no tick and no late message changes it.
//! * **I6** A run is expected before it is missed; both are whole minutes, later than what they were computed
//!   from.
//! * **I7** A tick leaves nothing due.
//! * **I8** Ticks never go back. A late tick leaves the same state as the skipped ones would have.
//! * **I9** Muting silences and never changes health. Disabling stops both.
//! * **I10** Everything or nothing: no crash leaves a part of a transition.
//! * **I11** No input panics. Nothing public here has a panic to document.
//! * **I12** A check-in touches one environment, a tick what is due.
//!
//! # Where to find what
//!
//! | task | see |
//! |---|---|
//! | decode or make check-ins | [`wire`], [`checkin`], [`config`], [`id`], [`field_errors`] |
//! | understand an answer | [`outcome`], [`rejection`] |
//! | alert | [`event`] |
//! | keep rows in a database | [`store`], [`row`] |
//! | decide without an engine | [`rules`] |
//! | choose the rules | [`policy`] |
//! | limit check-ins | [`admission`] |
//! | tick from a message stream, in parallel | [`clock`], [`batch`] |
//! | compute when a job runs | [`schedule`] |
//! | sample the traces of a job in trouble | `sampling`, a feature |
//! | test a store or a host of your own | `testkit`, a feature |
//!
//! # What it is not
//!
//! It runs no jobs, starts no threads, sends no alerts and serves no pages. It depends on no async runtime,
//! no logger and no database. Access control is up to the host.

pub mod admission;
pub mod batch;
pub mod checkin;
pub mod clock;
pub mod config;
pub mod event;
pub mod field_errors;
pub mod id;
pub mod outcome;
pub mod policy;
pub mod rejection;
pub mod row;
pub mod rules;
#[cfg(feature = "sampling")]
pub mod sampling;
pub mod schedule;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;

pub mod wire;

mod decision;
mod engine;
mod memory;

pub use chrono;
pub use uuid;

pub use checkin::Checkin;
pub use clock::Tick;
pub use engine::{AdminError, Engine, Error, TickReport};
pub use event::{Event, EventSink};
pub use memory::MemoryStore;
pub use outcome::Outcome;
pub use policy::Policy;
pub use schedule::{Schedule, Zone};
pub use store::Store;
pub use wire::Message;

/// The examples of the README and of the pages in `docs/`, compiled and run with those of the documentation.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/embedding.md")]
    struct Embedding;
    #[doc = include_str!("../docs/operations.md")]
    struct Operations;
    #[doc = include_str!("../docs/performance.md")]
    struct Performance;
    #[doc = include_str!("../docs/policies-and-migration.md")]
    struct PoliciesAndMigration;
    #[doc = include_str!("../docs/proofs.md")]
    struct Proofs;
    #[doc = include_str!("../docs/schedules.md")]
    struct Schedules;
    #[doc = include_str!("../docs/stores-and-hosts.md")]
    struct StoresAndHosts;
    #[doc = include_str!("../docs/wire.md")]
    struct Wire;
}
