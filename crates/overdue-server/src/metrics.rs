//! Counters and measurements of the server, for Prometheus.

use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
    exponential_buckets,
};

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    /// Check-ins, by outcome: accepted, ignored, rejected, failed.
    pub(crate) checkins: IntCounterVec,
    /// Events, by kind.
    pub(crate) events: IntCounterVec,
    /// Attempts to deliver an event, by destination and result: taken, failed.
    pub(crate) deliveries: IntCounterVec,
    /// How many seconds the earliest deadline was past when the clock last checked.
    pub(crate) tick_lag: Gauge,
    /// Results of ticks, by effect: missed, timed out, unknown, ignored.
    pub(crate) ticked: IntCounterVec,
    /// How long a transaction takes from its beginning until it is on the disk.
    pub(crate) commit: Histogram,
    /// Requests per transaction.
    pub(crate) shared: Histogram,
    /// Answers, by status code.
    pub(crate) answers: IntCounterVec,
    /// Computed on request: environments by status, undelivered events by destination.
    pub(crate) environments: IntGaugeVec,
    pub(crate) waiting: IntGaugeVec,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let counter =
            |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let gauge = |name: &str, help: &str, labels: &[&str]| IntGaugeVec::new(Opts::new(name, help), labels);
        let histogram = |name: &str, help: &str, least: f64, count| {
            let buckets = exponential_buckets(least, 2.0, count)?;
            Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets))
        };
        let metrics = Self {
            registry: Registry::new_custom(Some("overdue".into()), None)?,
            checkins: counter("checkins_total", "Check-ins, by outcome.", &["outcome"])?,
            events: counter("events_total", "Events, by kind.", &["kind"])?,
            deliveries: counter(
                "deliveries_total",
                "Attempts to deliver an event.",
                &["destination", "result"],
            )?,
            tick_lag: Gauge::new(
                "tick_lag_seconds",
                "How long the earliest deadline had waited for the clock.",
            )?,
            ticked: counter("ticked_total", "Runs and environments that were due, by effect.", &["effect"])?,
            commit: histogram(
                "commit_seconds",
                "How long a transaction takes until it is on the disk.",
                0.0001,
                16,
            )?,
            shared: histogram("commit_requests", "How many requests share a transaction.", 1.0, 12)?,
            answers: counter("http_answers_total", "Answers, by status code.", &["status"])?,
            environments: gauge("environments", "Environments, by status.", &["status"])?,
            waiting: gauge("outbox_events", "Events that a destination has yet to take.", &["destination"])?,
        };
        for collector in metrics.collectors() {
            metrics.registry.register(collector)?;
        }
        for outcome in ["accepted", "ignored", "rejected", "failed"] {
            metrics.checkins.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }

    fn collectors(&self) -> [Box<dyn prometheus::core::Collector>; 10] {
        let Self {
            registry: _, checkins, events, deliveries, tick_lag, ticked, commit, shared, answers, ..
        } = self;
        [
            Box::new(checkins.clone()),
            Box::new(events.clone()),
            Box::new(deliveries.clone()),
            Box::new(tick_lag.clone()),
            Box::new(ticked.clone()),
            Box::new(commit.clone()),
            Box::new(shared.clone()),
            Box::new(answers.clone()),
            Box::new(self.environments.clone()),
            Box::new(self.waiting.clone()),
        ]
    }

    /// Returns everything in the text format of Prometheus.
    pub(crate) fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
