//! Which check-ins are admitted, and the answers to the others.
#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use overdue::admission::{
    Admission, AdmissionDecision, AdmissionRequest, RateKey, RateLimiter, Seat, ValidCheckin,
};
use overdue::config::ConfigUpdate;
use overdue::event::Rejection;
use overdue::id::MonitorKey;
use overdue::outcome::{Outcome, Rejected};
use overdue::rejection::RejectionReason;
use overdue::row::MonitorStatus;
use overdue::wire::Body;
use overdue::{Checkin, Engine, Event, MemoryStore, Message, Policy, Schedule, Zone};

use crate::fixture::{ORGANIZATION, RecordedEngine, at, checkin, hourly, message, monitor};

/// A gate with one answer, which counts its calls.
struct Gate {
    answer: AdmissionDecision,
    seat: Seat,
    asked: Mutex<Vec<String>>,
}

impl Gate {
    fn new(answer: AdmissionDecision, seat: Seat) -> Self {
        Self { answer, seat, asked: Mutex::default() }
    }

    fn open() -> Self {
        Self::new(AdmissionDecision::Admit, Seat::Granted)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Admission for Gate {
    fn admit(&self, request: &AdmissionRequest<'_>) -> AdmissionDecision {
        self.asked.lock().unwrap().push(format!("{}/{}", request.slug, request.environment));
        self.answer
    }

    fn seat(&self, _: &MonitorKey) -> Seat {
        self.seat
    }
}

fn engine(gate: impl Admission + Send + Sync + 'static) -> RecordedEngine<MemoryStore> {
    RecordedEngine::new(MemoryStore::new(), Policy::default()).with_admission(gate)
}

fn configured(run: u128) -> Checkin {
    let hourly = Schedule::crontab("0 * * * *", Zone::UTC).unwrap();
    checkin("job", run, "ok").with_config(ConfigUpdate::new(hourly))
}

fn send(engine: &Engine<MemoryStore>, message: &Message) -> Vec<RejectionReason> {
    match engine.process_checkin(message).unwrap() {
        Outcome::Rejected(Rejected { errors, .. }) => errors,
        Outcome::Accepted(_) => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_gate_has_its_refusal() {
    for (answer, error) in [
        (AdmissionDecision::KillSwitch, RejectionReason::OrganizationKillswitchEnabled),
        (AdmissionDecision::RateLimited, RejectionReason::MonitorEnvironmentRatelimited),
        (AdmissionDecision::OverQuota, RejectionReason::MonitorOverQuota),
    ] {
        let engine = engine(Gate::new(answer, Seat::Granted));
        assert_eq!(send(&engine, &message("10:00", configured(1))), [error]);
        assert!(engine.store().monitors().is_empty(), "{answer:?}");
    }
    assert_eq!(send(&engine(Gate::open()), &message("10:00", configured(1))), []);
}

#[test]
fn the_sink_hears_of_a_refusal_with_the_message_as_it_was_sent() {
    let engine = engine(Gate::new(AdmissionDecision::KillSwitch, Seat::Granted));
    let typed = message("10:00", configured(1).with_release("1.0"));
    let raw = message("10:01", br#"{ "monitor_slug":"Job",  "extra": [1] }"#.to_vec());
    for sent in [&typed, &raw] {
        engine.process_checkin(sent).unwrap();
        let [told] = std::mem::take(&mut *engine.sink().lock().unwrap()).try_into().unwrap();
        let Event::Rejected(Rejection { id, received_at, errors, message, .. }) = told else {
            panic!("{told:?}")
        };
        assert_eq!(errors, [RejectionReason::OrganizationKillswitchEnabled]);
        assert_eq!((received_at, &message), (sent.received_at, sent));

        // A redelivery is rejected again, under the same id.
        engine.process_checkin(sent).unwrap();
        assert_eq!(engine.sink().lock().unwrap().remove(0).id(), id);
    }
}

#[test]
fn a_gate_is_asked_once_and_before_the_message_is_judged() {
    let gate = Arc::new(Gate::open());
    let engine = engine(Arc::clone(&gate));
    let ask = |body: Body| {
        engine.process_checkin(&message("10:00", body)).unwrap();
        gate.asked()
    };
    assert_eq!(ask(checkin("job", 1, "ok").into()), ["job/production"]);
    let raw = |sent: &str| ask(sent.as_bytes().to_vec().into());
    assert_eq!(raw(r#"{"monitor_slug": " My Job ", "environment": " dev ", "status": 7}"#), ["my-job/dev"]);
    assert_eq!(raw(r#"{"monitor_slug": "job"}"#), ["job/production"]);
    assert_eq!(
        raw(r#"{"monitor_slug": "job", "environment": "a/b"}"#),
        ["job/a/b"],
        "the text that is no name"
    );
    assert_eq!(raw(r#"{"monitor_slug": "!"}"#), [""; 0], "there is nobody to ask about");
    assert_eq!(raw("no JSON"), [""; 0]);
}

#[test]
fn a_rate_limit_goes_by_the_minute_of_the_message() {
    let limiter: RateLimiter<RateKey> = RateLimiter::new(NonZeroU32::new(2).unwrap());
    let engine = engine(limiter);
    engine.create_monitor(ORGANIZATION, &monitor("job"), &hourly(1, 1)).unwrap();
    let limited = [RejectionReason::MonitorEnvironmentRatelimited];
    assert_eq!(send(&engine, &message("10:00:01", checkin("job", 1, "ok"))), []);
    assert_eq!(send(&engine, &message("10:00:02", checkin("job", 2, "ok"))), []);
    assert_eq!(send(&engine, &message("10:00:59", checkin("job", 3, "ok"))), limited);
    // Another environment, and another minute.
    let dev = checkin("job", 4, "ok").with_environment("dev".parse().unwrap());
    assert_eq!(send(&engine, &message("10:00:59", dev)), []);
    assert_eq!(send(&engine, &message("10:01:00", checkin("job", 3, "ok"))), []);
    // Rejected check-ins count too, and no environment means production.
    let raw = |received: &str, environment: &str| {
        let sent = format!(r#"{{"monitor_slug":"job","status":"done"{environment}}}"#);
        send(&engine, &message(received, sent.into_bytes()))
    };
    assert_ne!(raw("10:02:00", ""), limited);
    assert_ne!(raw("10:02:01", r#","environment":" production ""#), limited);
    assert_eq!(raw("10:02:02", r#","environment":"""#), limited);
}

#[test]
fn who_is_admitted_for_upsert_needs_a_seat() {
    let granted = engine(Gate::new(AdmissionDecision::AdmitIfSeated, Seat::Granted));
    assert_eq!(send(&granted, &message("10:00", configured(1))), []);
    assert_eq!(granted.store().monitors()[0].status(), MonitorStatus::Active);

    let denied = engine(Gate::new(AdmissionDecision::AdmitIfSeated, Seat::Denied));
    let no_quota = [RejectionReason::MonitorDisabledNoQuota];
    assert_eq!(send(&denied, &message("10:00", configured(1))), no_quota);
    let [monitor] = denied.store().monitors().try_into().unwrap();
    assert_eq!(
        (monitor.status(), monitor.environments()),
        (MonitorStatus::Disabled, 0),
        "it exists, disabled"
    );
    assert_eq!(send(&denied, &message("10:01", configured(2))), no_quota);
    assert_eq!(denied.store().monitors()[0].version(), monitor.version(), "that is all");
    assert_eq!(denied.sink().lock().unwrap().len(), 2, "both are told");
}

#[test]
fn a_monitor_that_loses_its_seat_is_disabled() {
    let engine = engine(Gate::new(AdmissionDecision::AdmitIfSeated, Seat::Denied));
    engine.create_monitor(ORGANIZATION, &monitor("job"), &hourly(1, 1)).unwrap();
    // Without a configuration, no seat is requested.
    assert_eq!(send(&engine, &message("10:00", checkin("job", 1, "ok"))), []);
    let environments = engine.store().environments(&monitor("job"));
    assert_eq!(send(&engine, &message("10:01", configured(2))), [RejectionReason::MonitorDisabledNoQuota]);
    assert_eq!(engine.store().monitors()[0].status(), MonitorStatus::Disabled);
    assert_eq!(
        engine.store().environments(&monitor("job")),
        environments,
        "nothing but the monitor is written"
    );
    assert_eq!(engine.tick(overdue::Tick::at(at("12:00"))).unwrap().outcomes.len(), 1);
    assert_eq!(engine.next_deadline(), Ok(None));
}

/// Returns the outcome of a configured check-in at these gates, and how many of the two were called.
fn pass(one: AdmissionDecision, other: AdmissionDecision) -> (Result<(), Box<Outcome>>, usize) {
    let gates = [one, other].map(|answer| Gate::new(answer, Seat::Granted));
    let [first, second] = &gates;
    let message = message("10:00", configured(1));
    let passed = ValidCheckin::admit(&message, &(first, Some(second)), &Policy::default());
    (passed.map(drop), gates.iter().map(|gate| gate.asked().len()).sum())
}

#[test]
fn of_several_gates_the_first_that_is_shut_decides() {
    use AdmissionDecision::{Admit, AdmitIfSeated, KillSwitch, OverQuota, RateLimited};
    let rejected = |reason: RejectionReason| Err(Box::new(Outcome::from(reason)));
    assert_eq!(pass(KillSwitch, OverQuota), (rejected(RejectionReason::OrganizationKillswitchEnabled), 1));
    assert_eq!(pass(Admit, RateLimited), (rejected(RejectionReason::MonitorEnvironmentRatelimited), 2));
    assert_eq!(pass(AdmitIfSeated, OverQuota), (rejected(RejectionReason::MonitorOverQuota), 2));
    assert_eq!(pass(Admit, Admit), (Ok(()), 2));
    assert_eq!(pass(AdmitIfSeated, AdmitIfSeated), (Ok(()), 2));

    let nobody = None::<Gate>;
    assert!(
        ValidCheckin::admit(&message("10:00", configured(1)), &nobody, &Policy::default()).is_ok(),
        "no gate is an open one"
    );
}

#[test]
fn a_seat_is_one_that_all_gates_grant() {
    let denied = [RejectionReason::MonitorDisabledNoQuota];
    let seat = |answers: [AdmissionDecision; 2], seats: [Seat; 2]| {
        let gates = (Gate::new(answers[0], seats[0]), Some(Box::new(Gate::new(answers[1], seats[1]))));
        send(&engine(gates), &message("10:00", configured(1)))
    };
    use AdmissionDecision::{Admit, AdmitIfSeated};
    use Seat::{Denied, Granted};
    for answers in [[AdmitIfSeated, Admit], [Admit, AdmitIfSeated], [AdmitIfSeated, AdmitIfSeated]] {
        assert_eq!(seat(answers, [Granted, Granted]), []);
        assert_eq!(seat(answers, [Denied, Granted]), denied);
        assert_eq!(seat(answers, [Granted, Denied]), denied);
    }
    assert_eq!(seat([Admit, Admit], [Denied, Denied]), [], "nobody needs one");
    assert_eq!(None::<Gate>.seat(&monitor("job")), Granted);
}
