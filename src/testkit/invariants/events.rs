//! The events: I1, I4, I9.

use crate::Event;
use crate::id::{EnvironmentKey, EventId, IncidentId};
use crate::row::{Incident, Monitor};

use super::Violation;
use super::memory::Memory;

/// Checks and remembers the events of a step.
pub(super) fn told(memory: &mut Memory, events: &[Event]) -> Result<(), Violation> {
    events.iter().try_for_each(|event| match event {
        Event::IncidentOpened(told) => {
            let place = place(&told.monitor, &told.environment);
            is_loud(memory, &place, &told.monitor, told.id)?;
            is_new(memory, &place, told.id)?;
            let announced = &mut memory.seen(&place.monitor).announced;
            match announced.insert(place.name.clone(), told.incident.id) {
                None => Ok(()),
                Some(open) => {
                    Err(Violation::IncidentsOverlap { environment: place, open, opened: told.incident.id })
                }
            }
        }
        Event::IncidentOccurrence(told) => {
            let place = place(&told.monitor, &told.environment);
            is_loud(memory, &place, &told.monitor, told.id)?;
            is_new(memory, &place, told.id)?;
            let announced = memory.seen(&place.monitor).announced.get(&place.name).copied();
            is_announced(&place, told.id, told.incident.id, announced)
        }
        Event::IncidentResolved(told) => {
            let place = place(&told.monitor, &told.environment);
            is_new(memory, &place, told.id)?;
            let announced = memory.seen(&place.monitor).announced.remove(&place.name);
            is_announced(&place, told.id, told.incident.id, announced)?;
            ends_last(&told.incident)
        }
        Event::Reference(told) => {
            let place = place(&told.monitor, &told.environment);
            is_loud(memory, &place, &told.monitor, told.id)?;
            is_new(memory, &place, told.id)
        }
        Event::SamplingRequested { .. } | Event::Rejected(_) => Ok(()),
    })
}

fn place(monitor: &Monitor, name: &crate::id::EnvironmentName) -> EnvironmentKey {
    EnvironmentKey { monitor: monitor.key.clone(), name: name.clone() }
}

/// I9: neither the monitor nor the environment is muted.
fn is_loud(
    memory: &Memory,
    place: &EnvironmentKey,
    monitor: &Monitor,
    event: EventId,
) -> Result<(), Violation> {
    let muted = monitor.muted || memory.environment(place).is_some_and(|environment| environment.muted);
    if muted { Err(Violation::ToldUnderMute { environment: place.clone(), event }) } else { Ok(()) }
}

/// I4: a receiver recognises a repeated event by its id, so no two events share one.
fn is_new(memory: &mut Memory, place: &EnvironmentKey, event: EventId) -> Result<(), Violation> {
    if memory.seen(&place.monitor).told.insert(event) { Ok(()) } else { Err(Violation::ToldTwice { event }) }
}

/// I1: the event is about the incident that was announced.
fn is_announced(
    place: &EnvironmentKey,
    event: EventId,
    told: IncidentId,
    announced: Option<IncidentId>,
) -> Result<(), Violation> {
    if announced == Some(told) {
        return Ok(());
    }
    Err(Violation::NotAnnounced { environment: place.clone(), event, told, announced })
}

/// I1: an incident ends no earlier than its start and its newest failure.
fn ends_last(incident: &Incident) -> Result<(), Violation> {
    let (started_at, last_failure) = (incident.first.started_at, incident.last_failure);
    match incident.resolution.map(|resolution| resolution.at) {
        Some(ended_at) if ended_at < started_at || ended_at < last_failure => {
            Err(Violation::IncidentEndsEarly { incident: incident.id, started_at, last_failure, ended_at })
        }
        _ => Ok(()),
    }
}
