use super::{SamplingError, SamplingLimits, SamplingStore, Upserted, upsert};
use crate::event::{Event, EventSink};
use crate::policy::SamplingRequest;

/// Carries out the [sampling requests](Event::SamplingRequested) among the events of an engine, and passes
/// each result to a closure. It ignores other events: pair it with the sink that takes them.
///
/// ```
/// use overdue::sampling::{MemorySamplingStore, SamplingLimits, SamplingSink};
/// use overdue::event::NoSink;
/// use overdue::{Engine, MemoryStore, Policy};
///
/// let sampling = SamplingSink::new(MemorySamplingStore::default(), SamplingLimits::default(), |_, result| {
///     if let Err(error) = result {
///         eprintln!("no sampling rule: {error}");
///     }
/// });
/// let engine = Engine::new(MemoryStore::new(), Policy::default()).with_sink((sampling, NoSink));
/// # let _ = engine;
/// ```
#[derive(Clone, Debug)]
pub struct SamplingSink<R, F> {
    store: R,
    limits: SamplingLimits,
    report: F,
}

impl<R: SamplingStore, F> SamplingSink<R, F>
where
    F: Fn(&SamplingRequest, Result<Upserted, SamplingError<R::Error>>),
{
    /// Makes a sink that puts rules into this store.
    pub const fn new(store: R, limits: SamplingLimits, report: F) -> Self {
        Self { store, limits, report }
    }
}

impl<R: SamplingStore, F> EventSink for SamplingSink<R, F>
where
    F: Fn(&SamplingRequest, Result<Upserted, SamplingError<R::Error>>),
{
    fn emit(&self, event: &Event) {
        if let Event::SamplingRequested { request, .. } = event {
            (self.report)(request, upsert(&self.store, request, &self.limits, request.start));
        }
    }
}
