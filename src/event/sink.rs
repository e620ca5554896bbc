//! Where events go after a commit.

use std::sync::mpsc::{Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::Event;

/// Takes events, after the transition that caused them is committed.
///
/// A sink cannot fail: no error may hide a committed change. It is called at most once for each event, and
/// not at all if the process dies in between. A host that must not lose an event keeps an outbox in its store
/// (see [`Transition`](crate::decision::Transition)), and may then ignore the sink. Both see the same event
/// ids.
///
/// Closures, channels and a shared `Vec` are sinks:
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use overdue::{Event, EventSink};
///
/// let collected: Arc<Mutex<Vec<Event>>> = Arc::default();
/// let print = |event: &Event| println!("{}", event.id());
/// # fn takes(_: impl EventSink) {}
/// # takes(collected); takes(print);
/// ```
pub trait EventSink {
    /// Takes one event.
    fn emit(&self, event: &Event);
}

/// Drops every event: for hosts that read an outbox instead.
///
/// ```
/// use overdue::event::NoSink;
/// use overdue::{Engine, MemoryStore, Policy};
///
/// let engine = Engine::new(MemoryStore::new(), Policy::default());
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "nothing will ever be in it")]
pub struct NoSink;

impl EventSink for NoSink {
    fn emit(&self, _: &Event) {}
}

impl<F: Fn(&Event)> EventSink for F {
    fn emit(&self, event: &Event) {
        self(event);
    }
}

/// If the receiver is gone, the event is dropped.
impl EventSink for Sender<Event> {
    fn emit(&self, event: &Event) {
        let _ = self.send(event.clone());
    }
}

/// Waits while the channel is full. If the receiver is gone, the event is dropped.
impl EventSink for SyncSender<Event> {
    fn emit(&self, event: &Event) {
        let _ = self.send(event.clone());
    }
}

impl EventSink for Mutex<Vec<Event>> {
    fn emit(&self, event: &Event) {
        self.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}

impl<K: EventSink + ?Sized> EventSink for Arc<K> {
    fn emit(&self, event: &Event) {
        (**self).emit(event);
    }
}

macro_rules! boxed_sink {
    ($($sink:ty),*) => {$(
        impl EventSink for Box<$sink> {
            fn emit(&self, event: &Event) {
                (**self).emit(event);
            }
        }
    )*};
}

// Boxed closures are closures; a blanket implementation would overlap with theirs.
boxed_sink!(dyn EventSink, dyn EventSink + Send, dyn EventSink + Send + Sync);

/// Emits to both, in turn.
impl<A: EventSink, B: EventSink> EventSink for (A, B) {
    fn emit(&self, event: &Event) {
        self.0.emit(event);
        self.1.emit(event);
    }
}
