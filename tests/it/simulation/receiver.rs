//! Whoever is paged: told everything at least once, and keeps what it has not heard before.

use std::collections::{HashMap, HashSet};

use overdue::Event;
use overdue::id::{EnvironmentKey, EventId, IncidentId};
use rand::Rng;
use rand::rngs::StdRng;

#[derive(Default)]
pub(super) struct Receiver {
    known: HashSet<EventId>,
    /// The incidents that were announced and are not over.
    open: HashMap<EnvironmentKey, IncidentId>,
    pub(super) opened: usize,
    pub(super) resolved: usize,
}

impl Receiver {
    /// Delivers what the outbox holds; now and then the courier forgets how far it came, and begins anew.
    pub(super) fn deliver(&mut self, events: &[Event], random: &mut StdRng) {
        let times = if random.random_bool(0.05) { 2 } else { 1 };
        events.iter().cycle().take(events.len() * times).for_each(|event| self.hear(event));
    }

    fn hear(&mut self, event: &Event) {
        if !self.known.insert(event.id()) {
            return;
        }
        match event {
            Event::IncidentOpened(told) => {
                self.opened += 1;
                let place =
                    EnvironmentKey { monitor: told.monitor.key().clone(), name: told.environment.clone() };
                let before = self.open.insert(place, told.incident.id());
                assert_eq!(before, None, "I1: one outage is paged once: {told:?}");
            }
            Event::IncidentResolved(told) => {
                self.resolved += 1;
                let place =
                    EnvironmentKey { monitor: told.monitor.key().clone(), name: told.environment.clone() };
                let before = self.open.remove(&place);
                assert_eq!(before, Some(told.incident.id()), "I1: what is resolved was announced: {told:?}");
            }
            _ => {}
        }
    }

    pub(super) fn open(&self, place: &EnvironmentKey) -> Option<IncidentId> {
        self.open.get(place).copied()
    }
}
