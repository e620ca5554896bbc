//! The receiver of alerts: gets every event at least once, and drops repeats.

use std::collections::{HashMap, HashSet};

use overdue::Event;
use overdue::id::{EnvironmentKey, EventId, IncidentId};
use rand::Rng;
use rand::rngs::StdRng;

#[derive(Default)]
pub(super) struct Receiver {
    known: HashSet<EventId>,
    /// The incidents that were announced and not resolved.
    open: HashMap<EnvironmentKey, IncidentId>,
    pub(super) opened: usize,
    pub(super) resolved: usize,
}

impl Receiver {
    /// Delivers what the outbox holds. Now and then the courier forgets its position, and starts again.
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
