//! Did my scheduled job run, on time, to the end?

pub mod admission;
pub mod batch;
pub mod checkin;
pub mod clock;
pub mod config;
pub mod event;
pub mod id;
pub mod key;
pub mod outcome;
pub mod policy;
pub mod refusal;
pub mod row;
pub mod rules;
pub mod sampling;
pub mod schedule;
pub mod store;

mod engine;
mod memory;

pub use checkin::{Checkin, Message};
pub use clock::Tick;
pub use engine::{AdminError, Engine, Error, TickReport};
pub use event::{Event, EventSink};
pub use memory::MemoryStore;
pub use outcome::Outcome;
pub use policy::Policy;
pub use schedule::Schedule;
pub use store::Store;
