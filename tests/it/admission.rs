//! Who may check in, and what those who may not are told.
#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use chrono_tz::Tz;
use overdue::admission::{Admission, Admitted, Applicant, RateKey, RateLimiter, Seat};
use overdue::checkin::{Arrival, Body};
use overdue::config::ConfigUpdate;
use overdue::event::Refusal;
use overdue::key::MonitorKey;
use overdue::outcome::{Outcome, Refused};
use overdue::policy::Quirks;
use overdue::refusal::ProcessingError;
use overdue::row::MonitorStatus;
use overdue::{Checkin, Engine, Event, MemoryStore, Message, Policy, Schedule};

use crate::world::{ORGANIZATION, Told, at, checkin, hourly, message, monitor};

/// A gate with one answer, which counts who asks.
struct Gate {
    answer: Admitted,
    seat: Seat,
    asked: Mutex<Vec<String>>,
}

impl Gate {
    fn new(answer: Admitted, seat: Seat) -> Self {
        Self { answer, seat, asked: Mutex::default() }
    }

    fn open() -> Self {
        Self::new(Admitted::Yes, Seat::Granted)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Admission for Gate {
    fn admit(&self, applicant: &Applicant<'_>) -> Admitted {
        self.asked.lock().unwrap().push(format!("{}/{}", applicant.slug, applicant.environment));
        self.answer
    }

    fn seat(&self, _: &MonitorKey) -> Seat {
        self.seat
    }
}

fn engine<A: Admission>(gate: A) -> Engine<MemoryStore, Told, A> {
    Engine::new(MemoryStore::new(), Told::default(), Policy::default()).with_admission(gate)
}

fn configured(run: u128) -> Checkin {
    let hourly = Schedule::crontab("0 * * * *", Tz::UTC).unwrap();
    checkin("job", run, "ok").with_config(ConfigUpdate::new(hourly))
}

fn send<A: Admission>(engine: &Engine<MemoryStore, Told, A>, message: &Message) -> Vec<ProcessingError> {
    match engine.process_checkin(message).unwrap() {
        Outcome::Refused(Refused { errors, .. }) => errors,
        Outcome::Accepted(_) => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_gate_has_its_refusal() {
    for (answer, error) in [
        (Admitted::KillSwitch, ProcessingError::OrganizationKillswitchEnabled),
        (Admitted::RateLimited, ProcessingError::MonitorEnvironmentRatelimited),
        (Admitted::OverQuota, ProcessingError::MonitorOverQuota),
    ] {
        let engine = engine(Gate::new(answer, Seat::Granted));
        assert_eq!(send(&engine, &message("10:00", configured(1))), [error]);
        assert!(engine.store().monitors().is_empty(), "{answer:?}");
    }
    assert_eq!(send(&engine(Gate::open()), &message("10:00", configured(1))), []);
}

#[test]
fn the_sink_hears_of_a_refusal_with_the_message_as_it_was_sent() {
    let engine = engine(Gate::new(Admitted::KillSwitch, Seat::Granted));
    let typed = message("10:00", configured(1).with_release("1.0"));
    let raw = message("10:01", br#"{ "monitor_slug":"Job",  "extra": [1] }"#.to_vec());
    for sent in [&typed, &raw] {
        engine.process_checkin(sent).unwrap();
        let [told] = std::mem::take(&mut *engine.sink().lock().unwrap()).try_into().unwrap();
        let Event::Refused(Refusal { id, received_at, errors, message, .. }) = told else {
            panic!("{told:?}")
        };
        assert_eq!(errors, [ProcessingError::OrganizationKillswitchEnabled]);
        assert_eq!((received_at, &message), (sent.received_at, sent));

        // A second delivery is refused again, under the same id.
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
    let raw = |sent: &str| ask(Body::Json(sent.as_bytes().to_vec()));
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
    let limited = [ProcessingError::MonitorEnvironmentRatelimited];
    assert_eq!(send(&engine, &message("10:00:01", checkin("job", 1, "ok"))), []);
    assert_eq!(send(&engine, &message("10:00:02", checkin("job", 2, "ok"))), []);
    assert_eq!(send(&engine, &message("10:00:59", checkin("job", 3, "ok"))), limited);
    // Another environment, and another minute.
    let dev = checkin("job", 4, "ok").with_environment("dev".parse().unwrap());
    assert_eq!(send(&engine, &message("10:00:59", dev)), []);
    assert_eq!(send(&engine, &message("10:01:00", checkin("job", 3, "ok"))), []);
    // What is refused counts too, and none and production are one environment.
    let raw = |received: &str, environment: &str| {
        let sent = format!(r#"{{"monitor_slug":"job","status":"done"{environment}}}"#);
        send(&engine, &message(received, Body::Json(sent.into_bytes())))
    };
    assert_ne!(raw("10:02:00", ""), limited);
    assert_ne!(raw("10:02:01", r#","environment":" production ""#), limited);
    assert_eq!(raw("10:02:02", r#","environment":"""#), limited);
}

#[test]
fn who_is_admitted_for_upsert_needs_a_seat() {
    let granted = engine(Gate::new(Admitted::ForUpsert, Seat::Granted));
    assert_eq!(send(&granted, &message("10:00", configured(1))), []);
    assert_eq!(granted.store().monitors()[0].status(), MonitorStatus::Active);

    let denied = engine(Gate::new(Admitted::ForUpsert, Seat::Denied));
    let no_quota = [ProcessingError::MonitorDisabledNoQuota];
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
    let engine = engine(Gate::new(Admitted::ForUpsert, Seat::Denied));
    engine.create_monitor(ORGANIZATION, &monitor("job"), &hourly(1, 1)).unwrap();
    // Without a configuration nobody asks for a seat.
    assert_eq!(send(&engine, &message("10:00", checkin("job", 1, "ok"))), []);
    let environments = engine.store().environments(&monitor("job"));
    assert_eq!(send(&engine, &message("10:01", configured(2))), [ProcessingError::MonitorDisabledNoQuota]);
    assert_eq!(engine.store().monitors()[0].status(), MonitorStatus::Disabled);
    assert_eq!(
        engine.store().environments(&monitor("job")),
        environments,
        "nothing but the monitor is written"
    );
    assert_eq!(engine.tick(overdue::Tick::at(at("12:00"))).unwrap().outcomes.len(), 1);
    assert_eq!(engine.next_deadline(), Ok(None));
}

/// What becomes of a configured check-in at these gates, and how many of the two are asked.
fn pass(one: Admitted, other: Admitted) -> (Result<(), ProcessingError>, usize) {
    let gates = [one, other].map(|answer| Gate::new(answer, Seat::Granted));
    let [first, second] = &gates;
    let message = message("10:00", configured(1));
    let passed = Arrival::receive(&message, &(first, Some(second)), Quirks::NONE);
    (passed.map(drop), gates.iter().map(|gate| gate.asked().len()).sum())
}

#[test]
fn of_several_gates_the_first_that_is_shut_decides() {
    use Admitted::{ForUpsert, KillSwitch, OverQuota, RateLimited, Yes};
    assert_eq!(pass(KillSwitch, OverQuota), (Err(ProcessingError::OrganizationKillswitchEnabled), 1));
    assert_eq!(pass(Yes, RateLimited), (Err(ProcessingError::MonitorEnvironmentRatelimited), 2));
    assert_eq!(pass(ForUpsert, OverQuota), (Err(ProcessingError::MonitorOverQuota), 2));
    assert_eq!(pass(Yes, Yes), (Ok(()), 2));
    assert_eq!(pass(ForUpsert, ForUpsert), (Ok(()), 2));

    let nobody = None::<Gate>;
    assert!(
        Arrival::receive(&message("10:00", configured(1)), &nobody, Quirks::NONE).is_ok(),
        "no gate is an open one"
    );
}

#[test]
fn a_seat_is_one_that_all_gates_grant() {
    let denied = [ProcessingError::MonitorDisabledNoQuota];
    let seat = |answers: [Admitted; 2], seats: [Seat; 2]| {
        let gates = (Gate::new(answers[0], seats[0]), Some(Box::new(Gate::new(answers[1], seats[1]))));
        send(&engine(gates), &message("10:00", configured(1)))
    };
    use Admitted::{ForUpsert, Yes};
    use Seat::{Denied, Granted};
    for answers in [[ForUpsert, Yes], [Yes, ForUpsert], [ForUpsert, ForUpsert]] {
        assert_eq!(seat(answers, [Granted, Granted]), []);
        assert_eq!(seat(answers, [Denied, Granted]), denied);
        assert_eq!(seat(answers, [Granted, Denied]), denied);
    }
    assert_eq!(seat([Yes, Yes], [Denied, Denied]), [], "nobody needs one");
    assert_eq!(None::<Gate>.seat(&monitor("job")), Granted);
}
