//! The promises of [`Store`], one test each.
//!
//! `conformance!(name, make)` makes a module of tests of them; `make` gives a new, empty store. The rows that the
//! tests put are made by the rules, as everywhere.

use std::num::NonZeroUsize;
use std::sync::Barrier;
use std::thread;

use overdue::checkin::{Arrival, Millis};
use overdue::config::MonitorConfig;
use overdue::event::NoSink;
use overdue::id::ProjectId;
use overdue::key::{EnvironmentKey, MonitorKey};
use overdue::outcome::Outcome;
use overdue::policy::{Quirk, Quirks};
use overdue::row::{MonitorStatus, Organization, Owner, Run, Version};
use overdue::rules::{self, Edit};
use overdue::store::{
    CommitError, Due, DueKind, DueQuery, Found, MonitorChange, Query, Snapshot, Transition,
};
use overdue::testkit::Journal;
use overdue::{Checkin, Engine, Message, Policy, Store};
use uuid::Uuid;

use crate::world::{ORGANIZATION, Time, at, checkin, hourly, message, monitor, named, place, run_id, tick};

macro_rules! conformance {
    ($name:ident, $make:expr) => {
        $crate::store::conformance::conformance! {
            $name, $make;
            nothing_is_in_a_new_store
            every_row_comes_back_as_it_was_put
            a_transition_is_committed_once
            an_organization_that_moved_is_a_conflict
            a_monitor_that_moved_is_a_conflict
            a_monitor_that_was_edited_is_a_conflict_for_its_checkins
            an_environment_that_moved_is_a_conflict
            one_environment_that_moved_is_a_conflict_for_all
            a_monitor_that_is_there_cannot_be_new
            a_monitor_that_is_gone_is_a_conflict
            an_environment_that_is_there_cannot_be_new
            a_run_that_is_there_cannot_be_new
            a_run_elsewhere_cannot_be_new_here
            a_run_is_found_by_its_id
            a_run_is_found_elsewhere
            a_run_is_found_by_the_message_that_closed_it
            an_unnamed_run_is_the_newest_open_one
            the_newest_open_run_is_by_start_and_then_by_creation
            history_is_read_only_when_it_is_asked_for
            history_is_newest_first_and_limited
            history_ends_where_it_is_told_to
            history_holds_what_was_judged_or_everything
            history_shows_runs_as_they_are_now
            misses_are_in_order
            timeouts_are_in_order
            lists_end_where_they_are_told_to
            pages_join_into_the_list
            a_page_starts_after_an_entry_that_is_gone
            what_is_moved_or_done_is_not_listed
            what_is_not_watched_is_not_listed
            the_first_entry_is_the_next_deadline
            a_monitor_is_loaded_whole
            a_removed_monitor_takes_everything_with_it
            a_removed_monitor_can_come_back
            of_two_that_race_one_wins
            of_two_that_create_one_wins
            everybody_gets_through_in_the_end
        }
    };
    ($name:ident, $make:expr; $($promise:ident)*) => {
        mod $name {
            use super::*;

            $(
                #[test]
                fn $promise() {
                    $crate::store::conformance::$promise(($make)());
                }
            )*
        }
    };
}
pub(crate) use conformance;

/// An engine over the store in question.
struct Desk<S> {
    engine: Engine<Journal<S>, NoSink>,
}

impl<S: Store> Desk<S> {
    fn new(store: S) -> Self {
        Self::keeping(Quirks::NONE, store)
    }

    fn keeping(quirks: Quirks, store: S) -> Self {
        let mut policy = Policy::default();
        policy.quirks = quirks;
        Self { engine: Engine::new(Journal::over(store), NoSink, policy) }
    }

    /// With the monitor `job`, hourly.
    fn with_job(store: S, config: &MonitorConfig) -> Self {
        let desk = Self::new(store);
        desk.create("job", config);
        desk
    }

    fn store(&self) -> &S {
        self.engine.store().store()
    }

    fn policy(&self) -> &Policy {
        self.engine.policy()
    }

    fn create(&self, slug: &str, config: &MonitorConfig) {
        self.engine.create_monitor(ORGANIZATION, &monitor(slug), config).unwrap();
    }

    fn edit(&self, slug: &str, edit: &Edit) {
        self.engine.edit_monitor(&monitor(slug), edit, at("12:00")).unwrap();
    }

    /// Sends what is to be accepted.
    fn send(&self, received: &str, checkin: Checkin) {
        let outcome = self.engine.process_checkin(&message(received, checkin)).unwrap();
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }

    fn arrival(&self, message: &Message) -> Arrival {
        Arrival::receive(message, &overdue::admission::AdmitAll, self.policy().quirks).unwrap()
    }

    /// What is read to judge this check-in.
    fn look(&self, message: &Message) -> Snapshot {
        let arrival = self.arrival(message);
        self.store().load(&arrival.key(), &Query::arrival(&arrival, self.policy())).unwrap()
    }

    /// What would be written for this check-in now.
    fn decide(&self, message: &Message) -> Transition {
        let arrival = self.arrival(message);
        let decision = rules::process_checkin(&self.look(message), &arrival, self.policy());
        decision.transition.unwrap()
    }

    /// What would be written for a new monitor now.
    fn decide_to_create(&self, slug: &str) -> Transition {
        let query = Query::creation(ORGANIZATION, self.policy());
        let snapshot = self.store().load(&place(slug, "production"), &query).unwrap();
        rules::create_monitor(&snapshot, ORGANIZATION, &monitor(slug), &hourly(1, 1), self.policy())
            .transition
            .unwrap()
    }

    fn decide_to_edit(&self, slug: &str, edit: &Edit) -> Transition {
        let snapshot = self.store().load_monitor(&monitor(slug)).unwrap().unwrap();
        rules::edit_monitor(&snapshot, edit, at("12:00"), self.policy()).transition.unwrap()
    }

    fn commit(&self, transition: &Transition) {
        self.store().commit(transition).unwrap();
    }

    /// A commit that conflicts, and leaves nothing of itself behind.
    fn conflict(&self, transition: &Transition) {
        let before = self.everything(transition);
        let result = self.store().commit(transition);
        assert!(matches!(result, Err(CommitError::Conflict)), "{result:?}");
        assert_eq!(self.everything(transition), before, "a conflict changes nothing");
    }

    /// All that can be read of what a transition names.
    fn everything(&self, transition: &Transition) -> impl PartialEq + std::fmt::Debug + use<S> {
        let key = transition.monitor.key().clone();
        let names = ["production", "dev"].map(named);
        let places = names.map(|name| EnvironmentKey { monitor: key.clone(), name });
        let creation = self.store().load(&place("nobody", "production"), &self.creation()).unwrap();
        let runs: Vec<_> = transition.runs.iter().map(|put| put.run().id()).collect();
        let found: Vec<_> = places
            .iter()
            .flat_map(|place| runs.iter().map(move |run| (place, *run)))
            .map(|(place, run)| self.store().load(place, &Query::run_of(run, self.policy())).unwrap())
            .collect();
        let lists = [DueKind::Miss, DueKind::Timeout].map(|kind| self.due(kind));
        (creation, self.store().load_monitor(&key).unwrap(), found, lists)
    }

    fn creation(&self) -> Query<'_> {
        Query::creation(ORGANIZATION, self.policy())
    }

    /// Looks a run up from one environment.
    fn find(&self, place: &EnvironmentKey, run: u128) -> Option<Found> {
        self.store().load(place, &Query::run_of(run_id(run), self.policy())).unwrap().run
    }

    fn run(&self, run: u128) -> Run {
        here(self.find(&place("job", "production"), run))
    }

    /// The whole list, in one page.
    fn due(&self, kind: DueKind) -> Vec<Due> {
        self.page(kind, None, None, 1_000)
    }

    fn page(&self, kind: DueKind, until: Option<Time>, after: Option<Due>, limit: usize) -> Vec<Due> {
        let limit = NonZeroUsize::new(limit).unwrap();
        self.store().due(&DueQuery { kind, until, after, limit }).unwrap()
    }

    /// The numbers of the runs in the history that judging this check-in reads.
    fn history(&self, message: &Message) -> Vec<u128> {
        self.look(message).history.iter().map(|run| run.id.as_uuid().as_u128()).collect()
    }
}

fn here(found: Option<Found>) -> Run {
    match found {
        Some(Found::Here(run)) => run,
        other => panic!("{other:?}"),
    }
}

/// The same check-in in another environment.
fn dev(checkin: Checkin) -> Checkin {
    checkin.with_environment(named("dev"))
}

fn slugs(due: &[Due]) -> Vec<(&str, &str)> {
    due.iter().map(|due| (due.key.monitor.slug.as_str(), due.key.name.as_str())).collect()
}

fn runs(due: &[Due]) -> Vec<u128> {
    due.iter().map(|due| due.run.unwrap().id.as_uuid().as_u128()).collect()
}

pub(crate) fn nothing_is_in_a_new_store<S: Store>(store: S) {
    let desk = Desk::new(store);
    let found = desk.look(&message("10:00", checkin("job", 1, "ok")));
    let organization = Some(Organization::new(ORGANIZATION));
    let nothing = Snapshot { organization, monitor: None, environment: None, run: None, history: Vec::new() };
    assert_eq!(found, nothing);
    assert_eq!(desk.store().load_monitor(&monitor("job")).unwrap(), None);
    assert_eq!(desk.due(DueKind::Miss), []);
    assert_eq!(desk.due(DueKind::Timeout), []);
}

/// Whole rows, to the last field and nanosecond: every row of a story is read back as it was last put.
pub(crate) fn every_row_comes_back_as_it_was_put<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(2, 2));
    let full = checkin("job", 1, "in_progress")
        .with_release("1.2.3")
        .with_trace_id(Uuid::from_u128(77))
        .with_duration(Millis::new(61_001).unwrap());
    desk.send("2024-09-02T10:00:00.123456789Z", full);
    desk.send("2024-09-02T10:00:02.000000001Z", checkin("job", 0, "error"));
    desk.send("10:01", dev(checkin("job", 2, "in_progress")));
    desk.edit("job", &Edit::Name("Nightly backup, with ümlauts".into()));
    desk.edit("job", &Edit::Owner(Some(Owner::Team(u64::MAX))));
    desk.edit("job", &Edit::EnvironmentMuted(named("dev"), true));
    desk.engine.tick(tick("13:30")).unwrap();
    desk.send("13:40", checkin("job", 3, "ok"));
    desk.edit("job", &Edit::Muted(true));
    desk.edit("job", &Edit::Status(MonitorStatus::Disabled));

    let transitions = desk.engine.store().transitions();
    let last = |change: &MonitorChange| match change {
        MonitorChange::Put(put) => Some(put.row.clone()),
        _ => None,
    };
    let row = transitions.iter().rev().find_map(|transition| last(&transition.monitor)).unwrap();
    let loaded = desk.store().load_monitor(&monitor("job")).unwrap().unwrap();
    assert_eq!(loaded.monitor, row);
    let organization = transitions.iter().rev().find_map(|transition| transition.organization.clone());
    assert_eq!(loaded.organization, organization.unwrap().row);

    for name in ["production", "dev"] {
        let mut puts = transitions.iter().rev().flat_map(|transition| &transition.environments);
        let expected = &puts.find(|put| put.row.name().as_str() == name).unwrap().row;
        let snapshot = desk.store().load(&place("job", name), &Query::miss(desk.policy())).unwrap();
        assert_eq!(snapshot.environment.as_ref(), Some(expected));
        assert_eq!(snapshot.monitor.as_ref(), Some(&row));
    }
    for number in [1, 2, 3] {
        let mut puts = transitions.iter().rev().flat_map(|transition| &transition.runs);
        let expected = puts.find(|put| put.run().id() == run_id(number)).unwrap().run();
        let name = if number == 2 { "dev" } else { "production" };
        assert_eq!(here(desk.find(&place("job", name), number)), *expected);
    }
}

pub(crate) fn a_transition_is_committed_once<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.send("10:00", checkin("job", 1, "in_progress"));
    desk.send("10:01", checkin("job", 1, "error"));
    desk.edit("job", &Edit::Muted(true));
    for transition in desk.engine.store().transitions() {
        desk.conflict(&transition);
    }
}

pub(crate) fn an_organization_that_moved_is_a_conflict<S: Store>(store: S) {
    let desk = Desk::new(store);
    let (one, other) = (desk.decide_to_create("one"), desk.decide_to_create("other"));
    desk.commit(&one);
    desk.conflict(&other);
    assert_eq!(desk.store().load_monitor(&monitor("other")).unwrap(), None);
}

pub(crate) fn a_monitor_that_moved_is_a_conflict<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    let (mute, name) = (Edit::Muted(true), Edit::Name("Backup".into()));
    let (mute, name) = (desk.decide_to_edit("job", &mute), desk.decide_to_edit("job", &name));
    desk.commit(&mute);
    desk.conflict(&name);
}

pub(crate) fn a_monitor_that_was_edited_is_a_conflict_for_its_checkins<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.send("10:00", checkin("job", 1, "ok"));
    let decided = desk.decide(&message("10:30", checkin("job", 2, "ok")));
    desk.edit("job", &Edit::Muted(true));
    desk.conflict(&decided);
    assert_eq!(desk.find(&place("job", "production"), 2), None);
}

pub(crate) fn an_environment_that_moved_is_a_conflict<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.send("10:00", checkin("job", 1, "ok"));
    let [one, other] = [2, 3].map(|run| desk.decide(&message("10:30", checkin("job", run, "error"))));
    desk.commit(&one);
    desk.conflict(&other);
    assert_eq!(desk.find(&place("job", "production"), 3), None);
}

pub(crate) fn one_environment_that_moved_is_a_conflict_for_all<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.send("10:00", checkin("job", 1, "in_progress"));
    desk.send("10:00", dev(checkin("job", 2, "in_progress")));
    let disable = desk.decide_to_edit("job", &Edit::Status(MonitorStatus::Disabled));
    assert_eq!(disable.environments.len(), 2);
    desk.send("10:01", dev(checkin("job", 2, "ok")));
    desk.conflict(&disable);
}

pub(crate) fn a_monitor_that_is_there_cannot_be_new<S: Store>(store: S) {
    let desk = Desk::new(store);
    let twice = desk.decide_to_create("job");
    desk.create("job", &hourly(3, 3));
    desk.conflict(&twice);
}

pub(crate) fn a_monitor_that_is_gone_is_a_conflict<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.send("10:00", checkin("job", 1, "ok"));
    let decided = desk.decide(&message("10:30", checkin("job", 2, "ok")));
    let edited = desk.decide_to_edit("job", &Edit::Muted(true));
    let removed = rules::remove_monitor(&desk.store().load_monitor(&monitor("job")).unwrap().unwrap());
    let removed = removed.transition.unwrap();
    desk.commit(&removed);
    for late in [decided, edited, removed] {
        desk.conflict(&late);
    }
    assert_eq!(desk.store().load_monitor(&monitor("job")).unwrap(), None);
}

pub(crate) fn an_environment_that_is_there_cannot_be_new<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    let [one, other] = [1, 2].map(|run| desk.decide(&message("10:00", checkin("job", run, "ok"))));
    assert!(one.environments.iter().all(|put| put.replaces == Version::NEW));
    desk.commit(&one);
    desk.conflict(&other);
}

pub(crate) fn a_run_that_is_there_cannot_be_new<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.send("10:00", checkin("job", 1, "ok"));
    let decided = desk.decide(&message("10:30", checkin("job", 2, "ok")));
    // The environment is as it was, but the run is there: the id alone decides.
    let mut forged = desk.decide(&message("10:30", checkin("job", 3, "ok")));
    forged.runs = decided.runs.clone();
    desk.commit(&decided);
    let current = desk.decide(&message("10:40", checkin("job", 3, "ok")));
    forged.environments = current.environments;
    forged.monitor = current.monitor;
    desk.conflict(&forged);
}

pub(crate) fn a_run_elsewhere_cannot_be_new_here<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    let foreign = MonitorKey { project: ProjectId::new(99), slug: monitor("job").slug };
    desk.engine.create_monitor(ORGANIZATION, &foreign, &hourly(1, 1)).unwrap();
    desk.send("10:00", dev(checkin("job", 1, "ok")));
    desk.send("10:00", checkin("job", 2, "ok"));

    let in_another_environment = desk.decide(&message("10:30", checkin("job", 3, "ok")));
    let in_another_project =
        desk.decide(&Message { project: foreign.project, ..message("10:30", checkin("job", 3, "ok")) });
    desk.send("10:20", dev(checkin("job", 3, "ok")));
    desk.conflict(&in_another_environment);
    desk.conflict(&in_another_project);
}

pub(crate) fn a_run_is_found_by_its_id<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.send("10:00", checkin("job", 1, "in_progress"));
    desk.send("10:00", checkin("job", 2, "ok"));
    for number in [1, 2] {
        assert_eq!(desk.run(number).id(), run_id(number));
        let seen = desk.look(&message("10:30", checkin("job", number, "ok")));
        assert_eq!(here(seen.run).id(), run_id(number));
    }
    assert_eq!(desk.find(&place("job", "production"), 3), None);
    let nothing_asked = desk.store().load(&place("job", "production"), &Query::miss(desk.policy())).unwrap();
    assert_eq!(nothing_asked.run, None);
}

pub(crate) fn a_run_is_found_elsewhere<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.create("other", &hourly(1, 1));
    desk.send("10:00", checkin("job", 1, "ok"));
    let elsewhere = Some(Found::Elsewhere(place("job", "production")));
    desk.send("10:00", dev(checkin("job", 2, "ok")));
    for key in [place("job", "dev"), place("other", "production"), place("nobody", "production")] {
        assert_eq!(desk.find(&key, 1), elsewhere, "{key}");
    }
    let foreign = Message { project: ProjectId::new(99), ..message("10:30", checkin("job", 1, "ok")) };
    assert_eq!(desk.look(&foreign).run, elsewhere);
}

pub(crate) fn a_run_is_found_by_the_message_that_closed_it<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.send("10:00", checkin("job", 1, "in_progress"));
    let closing = message("10:05", checkin("job", 0, "ok"));
    desk.send("10:05", checkin("job", 0, "ok"));
    desk.send("10:06", checkin("job", 2, "in_progress"));
    // Not the newest open one, which another message would find.
    let run = here(desk.look(&closing).run);
    assert_eq!(run.id(), run_id(1));
    assert!(run.closed_by().is_some());
    // Nor is it to be had from another environment.
    let elsewhere = desk.look(&message("10:05", dev(checkin("job", 0, "ok"))));
    assert_eq!(elsewhere.run, None);
}

pub(crate) fn an_unnamed_run_is_the_newest_open_one<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    let unnamed = message("10:09", checkin("job", 0, "ok"));
    assert_eq!(desk.look(&unnamed).run, None);
    desk.send("10:00", checkin("job", 1, "in_progress"));
    desk.send("10:02", checkin("job", 2, "in_progress"));
    desk.send("10:03", checkin("job", 3, "ok"));
    desk.send("10:04", dev(checkin("job", 4, "in_progress")));
    assert_eq!(here(desk.look(&unnamed).run).id(), run_id(2));
    desk.send("10:05", checkin("job", 2, "ok"));
    assert_eq!(here(desk.look(&unnamed).run).id(), run_id(1));
    desk.send("10:06", checkin("job", 1, "ok"));
    assert_eq!(desk.look(&unnamed).run, None);

    // A message that started a run finds that run, open or not.
    desk.send("10:07", checkin("job", 0, "in_progress"));
    let start = message("10:07", checkin("job", 0, "in_progress"));
    let started = here(desk.look(&start).run);
    desk.send("10:08", checkin("job", 5, "in_progress"));
    assert_eq!(here(desk.look(&start).run), started);
}

pub(crate) fn the_newest_open_run_is_by_start_and_then_by_creation<S: Store>(store: S) {
    let desk = Desk::keeping(Quirks::NONE.with(Quirk::UnnamedMessagesRepeat), store);
    desk.create("job", &hourly(1, 1));
    let unnamed = message("10:30", checkin("job", 0, "ok"));
    desk.send("10:05", checkin("job", 1, "in_progress"));
    desk.send("10:03", checkin("job", 2, "in_progress"));
    assert_eq!(here(desk.look(&unnamed).run).id(), run_id(1), "the later start");
    desk.send("10:05", checkin("job", 3, "in_progress"));
    assert_eq!(here(desk.look(&unnamed).run).id(), run_id(3), "of equal starts the later creation");
    desk.send("10:08", checkin("job", 1, "in_progress"));
    assert_eq!(here(desk.look(&unnamed).run).id(), run_id(3), "a heartbeat makes no run newer");
}

pub(crate) fn history_is_read_only_when_it_is_asked_for<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(3, 1));
    for (received, run, status) in [("10:00", 1, "ok"), ("11:00", 2, "error"), ("12:00", 3, "error")] {
        desk.send(received, checkin("job", run, status));
    }
    assert_eq!(desk.history(&message("13:00", checkin("job", 4, "error"))), [3, 2, 1]);
    assert_eq!(desk.history(&message("13:00", checkin("job", 4, "ok"))), []);
    desk.send("13:00", checkin("job", 4, "error"));
    // Now an incident is open, and one success ends it.
    assert_eq!(desk.history(&message("14:00", checkin("job", 5, "error"))), []);
    assert_eq!(desk.history(&message("14:00", checkin("job", 5, "ok"))), []);
}

pub(crate) fn history_is_newest_first_and_limited<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(3, 1));
    // In order of start, then of creation; in whichever order they come.
    let comings =
        [("10:00", 1), ("12:00", 2), ("11:00", 3), ("12:00", 4), ("12:00:00.000000001", 5), ("10:30", 6)];
    for (received, run) in comings {
        let received = if received.len() > 8 { format!("2024-09-02T{received}Z") } else { received.into() };
        desk.send(&received, checkin("job", run, "ok"));
    }
    let next = message("13:00", checkin("job", 9, "error"));
    assert_eq!(desk.history(&next), [5, 4, 2]);
    desk.edit("job", &Edit::Config(hourly(720, 1)));
    assert_eq!(desk.history(&next), [5, 4, 2, 3, 6, 1]);
}

pub(crate) fn history_ends_where_it_is_told_to<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(4, 1));
    for (received, run) in [("10:00", 1), ("11:00", 2), ("12:00", 3), ("13:00", 4)] {
        desk.send(received, checkin("job", run, "ok"));
    }
    desk.send("12:30", dev(checkin("job", 5, "ok")));
    assert_eq!(desk.history(&message("12:00", checkin("job", 9, "error"))), [3, 2, 1]);
    assert_eq!(desk.history(&message("11:59:59", checkin("job", 9, "error"))), [2, 1]);
    assert_eq!(desk.history(&message("09:00", checkin("job", 9, "error"))), []);
}

pub(crate) fn history_holds_what_was_judged_or_everything<S: Store>(store: S) {
    let story = |desk: &Desk<_>| {
        for (received, run, status) in [
            ("10:00", 1, "ok"),
            ("10:01", 2, "in_progress"),
            ("10:02", 3, "error"),
            ("10:03", 4, "in_progress"),
        ] {
            desk.send(received, checkin("job", run, status));
        }
        desk.history(&message("10:04", checkin("job", 9, "error")))
    };
    let judged = Desk::with_job(&store, &hourly(3, 1));
    assert_eq!(story(&judged), [3, 1]);
    judged.engine.remove_monitor(&monitor("job")).unwrap();
    let all = Desk::keeping(Quirks::NONE.with(Quirk::OpenRunsCountAsFailures), &store);
    all.create("job", &hourly(3, 1));
    assert_eq!(story(&all), [4, 3, 2]);
}

pub(crate) fn history_shows_runs_as_they_are_now<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(5, 1));
    desk.send("10:00", checkin("job", 1, "in_progress"));
    desk.send("10:01", checkin("job", 2, "in_progress"));
    desk.send("10:02", checkin("job", 1, "error"));
    desk.engine.tick(tick("10:11")).unwrap();
    let seen = desk.look(&message("10:30", checkin("job", 9, "error"))).history;
    assert_eq!(seen, [desk.run(2).summary(), desk.run(1).summary()]);
    assert!(seen.iter().all(|run| run.status.is_failure()));
}

/// Three monitors, due in another order than that of their names and creation.
fn three_jobs<S: Store>(store: S) -> Desk<S> {
    let desk = Desk::new(store);
    for slug in ["b", "a", "c"] {
        desk.create(slug, &hourly(1, 1));
    }
    desk.send("10:30", checkin("b", 1, "in_progress"));
    desk.send("10:31", dev(checkin("a", 2, "in_progress")));
    desk.send("10:32", checkin("a", 3, "in_progress"));
    desk.send("09:30", checkin("c", 4, "in_progress"));
    desk.send("10:30:30", checkin("b", 5, "in_progress"));
    desk
}

pub(crate) fn misses_are_in_order<S: Store>(store: S) {
    let desk = three_jobs(store);
    let due = desk.due(DueKind::Miss);
    let (production, dev) = ("production", "dev");
    assert_eq!(slugs(&due), [("c", production), ("a", dev), ("a", production), ("b", production)]);
    assert_eq!(
        due.iter().map(|due| due.at).collect::<Vec<_>>(),
        [at("10:05"), at("11:05"), at("11:05"), at("11:05")]
    );
    assert!(due.iter().all(|due| due.run.is_none()));
}

pub(crate) fn timeouts_are_in_order<S: Store>(store: S) {
    let desk = three_jobs(store);
    let due = desk.due(DueKind::Timeout);
    assert_eq!(runs(&due), [4, 1, 5, 2, 3]);
    assert_eq!(
        due.iter().map(|due| due.at).collect::<Vec<_>>(),
        ["09:40", "10:40", "10:40", "10:41", "10:42"].map(at)
    );
    assert_eq!(due.iter().map(|due| due.run.unwrap().number).collect::<Vec<_>>(), [0, 0, 1, 0, 0]);
    assert_eq!(slugs(&due)[3], ("a", "dev"));
}

pub(crate) fn lists_end_where_they_are_told_to<S: Store>(store: S) {
    let desk = three_jobs(store);
    let count = |kind, until| desk.page(kind, Some(at(until)), None, 1_000).len();
    assert_eq!(
        ["10:04:59", "10:05", "11:04", "11:05"].map(|until| count(DueKind::Miss, until)),
        [0, 1, 1, 4]
    );
    assert_eq!(
        ["09:39", "09:40", "10:40", "10:41"].map(|until| count(DueKind::Timeout, until)),
        [0, 1, 3, 4]
    );
    assert_eq!(desk.page(DueKind::Miss, Some(Time::MIN_UTC), None, 9), []);
    assert_eq!(desk.page(DueKind::Miss, Some(Time::MAX_UTC), None, 9).len(), 4);
}

pub(crate) fn pages_join_into_the_list<S: Store>(store: S) {
    let desk = three_jobs(store);
    for kind in [DueKind::Miss, DueKind::Timeout] {
        let whole = desk.due(kind);
        for limit in 1..=whole.len() {
            let mut joined: Vec<Due> = Vec::new();
            // One page too many, which is empty.
            for _ in 0..=whole.len().div_ceil(limit) {
                let page = desk.page(kind, None, joined.last().cloned(), limit);
                assert!(page.len() <= limit);
                joined.extend(page);
            }
            assert_eq!(joined, whole, "in pages of {limit}");
        }
        // A cursor beyond the end of the list.
        assert_eq!(desk.page(kind, Some(at("10:00")), whole.last().cloned(), 9), []);
    }
}

pub(crate) fn a_page_starts_after_an_entry_that_is_gone<S: Store>(store: S) {
    let desk = three_jobs(store);
    let first = desk.page(DueKind::Timeout, None, None, 2);
    desk.send("10:33", checkin("b", 1, "ok"));
    assert_eq!(runs(&desk.page(DueKind::Timeout, None, first.last().cloned(), 9)), [5, 2, 3]);
    let first = desk.page(DueKind::Miss, None, None, 2);
    desk.engine.remove_monitor(&monitor("a")).unwrap();
    assert_eq!(slugs(&desk.page(DueKind::Miss, None, first.last().cloned(), 9)), [("b", "production")]);
}

pub(crate) fn what_is_moved_or_done_is_not_listed<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.send("10:30", checkin("job", 1, "in_progress"));
    desk.send("10:35", checkin("job", 1, "in_progress"));
    let timeouts = desk.due(DueKind::Timeout);
    assert_eq!((runs(&timeouts), timeouts.first().unwrap().at), (vec![1], at("10:45")));
    desk.send("10:36", checkin("job", 1, "ok"));
    assert_eq!(desk.due(DueKind::Timeout), []);
    desk.send("11:01", checkin("job", 2, "in_progress"));
    let misses = desk.due(DueKind::Miss);
    assert_eq!(misses.iter().map(|due| due.at).collect::<Vec<_>>(), [at("12:05")]);
    desk.engine.tick(tick("12:05")).unwrap();
    assert_eq!(desk.due(DueKind::Timeout), []);
    assert_eq!(desk.due(DueKind::Miss).first().unwrap().at, at("13:05"));
}

pub(crate) fn what_is_not_watched_is_not_listed<S: Store>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    desk.send("11:30", checkin("job", 1, "ok"));
    desk.send("11:30", dev(checkin("job", 2, "ok")));
    let listed =
        || desk.due(DueKind::Miss).into_iter().map(|due| due.key.name.to_string()).collect::<Vec<_>>();
    desk.edit("job", &Edit::EnvironmentEnabled(named("dev"), false));
    assert_eq!(listed(), ["production"]);
    desk.edit("job", &Edit::Status(MonitorStatus::Disabled));
    assert_eq!(listed(), [""; 0]);
    desk.edit("job", &Edit::Status(MonitorStatus::Active));
    assert_eq!(listed(), ["production"]);
    desk.edit("job", &Edit::EnvironmentEnabled(named("dev"), true));
    assert_eq!(listed(), ["dev", "production"]);
}

pub(crate) fn the_first_entry_is_the_next_deadline<S: Store>(store: S) {
    let desk = three_jobs(store);
    assert_eq!(desk.page(DueKind::Miss, None, None, 1).first().map(|due| due.at), Some(at("10:05")));
    assert_eq!(desk.page(DueKind::Timeout, None, None, 1).first().map(|due| due.at), Some(at("09:40")));
    assert_eq!(desk.engine.next_deadline().unwrap(), Some(at("09:40")));
    desk.engine.tick(tick("09:40")).unwrap();
    assert_eq!(desk.engine.next_deadline().unwrap(), Some(at("10:05")));
}

pub(crate) fn a_monitor_is_loaded_whole<S: Store>(store: S) {
    let desk = three_jobs(store);
    desk.send("10:33", checkin("a", 6, "ok"));
    let loaded = desk.store().load_monitor(&monitor("a")).unwrap().unwrap();
    assert_eq!(loaded.organization.monitors(), 3);
    assert_eq!(*loaded.monitor.key(), monitor("a"));
    let mut names: Vec<_> = loaded.environments.iter().map(|row| row.name().to_string()).collect();
    names.sort();
    assert_eq!(names, ["dev", "production"]);
    let mut open: Vec<_> = loaded.open_runs.iter().map(Run::id).collect();
    open.sort();
    assert_eq!(open, [run_id(2), run_id(3)], "the finished ones stay where they are");
    assert_eq!(desk.store().load_monitor(&monitor("nobody")).unwrap(), None);
    let foreign = MonitorKey { project: ProjectId::new(99), slug: monitor("a").slug };
    assert_eq!(desk.store().load_monitor(&foreign).unwrap(), None);
}

pub(crate) fn a_removed_monitor_takes_everything_with_it<S: Store>(store: S) {
    let desk = three_jobs(store);
    desk.send("10:33", checkin("a", 0, "error"));
    desk.engine.remove_monitor(&monitor("a")).unwrap();
    assert_eq!(desk.store().load_monitor(&monitor("a")).unwrap(), None);
    assert_eq!(slugs(&desk.due(DueKind::Miss)), [("c", "production"), ("b", "production")]);
    assert_eq!(runs(&desk.due(DueKind::Timeout)), [4, 1, 5]);
    for run in [2, 3] {
        assert_eq!(desk.find(&place("a", "production"), run), None);
        assert_eq!(desk.find(&place("b", "production"), run), None, "its ids are free");
    }
    // Nor is it found by the message that ended one of its runs.
    let snapshot = desk.look(&message("10:33", checkin("a", 0, "error")));
    assert_eq!((snapshot.monitor, snapshot.environment, snapshot.run), (None, None, None));
    assert_eq!(snapshot.organization.unwrap().monitors(), 2);
    assert_eq!(here(desk.find(&place("b", "production"), 1)).id(), run_id(1), "others stay");
}

pub(crate) fn a_removed_monitor_can_come_back<S: Store>(store: S) {
    let desk = three_jobs(store);
    let closing = message("10:33", checkin("a", 0, "error"));
    desk.send("10:33", checkin("a", 0, "error"));
    desk.engine.remove_monitor(&monitor("a")).unwrap();
    desk.create("a", &hourly(2, 2));
    desk.send("12:40", checkin("a", 3, "ok"));
    assert_eq!(desk.look(&closing).run, None, "what ended the old run has not ended the new one");
    desk.send("12:41", checkin("a", 2, "in_progress"));

    let loaded = desk.store().load_monitor(&monitor("a")).unwrap().unwrap();
    assert_eq!(loaded.monitor.config().failure_threshold().get(), 2);
    assert_eq!(loaded.environments.len(), 1);
    assert_eq!(loaded.open_runs.iter().map(Run::id).collect::<Vec<_>>(), [run_id(2)]);
    assert_eq!(runs(&desk.due(DueKind::Timeout)), [4, 1, 5, 2]);
    let production = |slug| (slug, "production");
    assert_eq!(slugs(&desk.due(DueKind::Miss)), ["c", "b", "a"].map(production), "due when it is due now");
}

pub(crate) fn of_two_that_race_one_wins<S: Store + Sync>(store: S) {
    let desk = Desk::with_job(store, &hourly(1, 1));
    for round in 0..50_u128 {
        let racers = [1, 2, 3].map(|racer| round * 3 + racer);
        let decisions = racers.map(|run| desk.decide(&message("10:00", checkin("job", run, "ok"))));
        let won = race(desk.store(), &decisions);
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "round {round}");
        for (run, won) in racers.into_iter().zip(won) {
            assert_eq!(desk.find(&place("job", "production"), run).is_some(), won);
        }
    }
}

pub(crate) fn of_two_that_create_one_wins<S: Store + Sync>(store: S) {
    let desk = Desk::new(store);
    for round in 0..50 {
        let slugs = ["a", "b"].map(|racer| format!("{racer}{round}"));
        let decisions = slugs.each_ref().map(|slug| desk.decide_to_create(slug));
        let won = race(desk.store(), &decisions);
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "round {round}");
        let stored = slugs.map(|slug| desk.store().load_monitor(&monitor(&slug)).unwrap().is_some());
        assert_eq!(won, stored);
    }
}

/// Commits them all at once, and tells which succeeded.
fn race<S: Store + Sync>(store: &S, transitions: &[Transition]) -> Vec<bool> {
    let start = Barrier::new(transitions.len());
    thread::scope(|scope| {
        let racers: Vec<_> = transitions
            .iter()
            .map(|transition| {
                scope.spawn(|| {
                    start.wait();
                    match store.commit(transition) {
                        Ok(()) => true,
                        Err(CommitError::Conflict) => false,
                        Err(CommitError::Store(error)) => panic!("{error}"),
                    }
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

pub(crate) fn everybody_gets_through_in_the_end<S: Store + Sync>(store: S) {
    const WORKERS: u128 = 4;
    const RUNS: u128 = 25;
    let desk = Desk::with_job(store, &hourly(1, 1));
    let engine = Engine::new(desk.store(), NoSink, Policy::default());
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let engine = &engine;
            scope.spawn(move || {
                for run in 0..RUNS {
                    let checkin = checkin("job", worker * RUNS + run + 1, "ok");
                    // Who is too slow too often is told so, and may try again.
                    let mut tries = 0..1_000;
                    let through = |_| engine.process_checkin(&message("10:00", checkin.clone())).is_ok();
                    assert!(tries.any(through), "nobody gets through");
                }
            });
        }
    });
    let loaded = desk.store().load_monitor(&monitor("job")).unwrap().unwrap();
    let [environment] = loaded.environments.as_slice() else { panic!("{:?}", loaded.environments) };
    assert_eq!(u128::from(environment.runs()), WORKERS * RUNS);
    let mut numbers: Vec<_> = (1..=WORKERS * RUNS).map(|run| desk.run(run).number()).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().map(u128::from).eq(0..WORKERS * RUNS), "each was counted once");
}
