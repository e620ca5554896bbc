//! The list of promises, and the tests made of it.

use crate::store::Store;

use super::Promise;

/// Passes the list of promises to a macro: by module, each with its text.
#[doc(hidden)]
#[macro_export]
macro_rules! __every_store_promise {
    ([$($then:tt)*] $($arguments:tt)*) => {
        $($then)*! {
            $($arguments)*
            rows {
                a_new_store_is_empty:
                    "Before something is put there is nothing, and an organization without a row is a new one."
                an_organization_comes_back:
                    "An organization is read as it was put last, also when a monitor was removed."
                a_monitor_comes_back:
                    "A monitor is read as it was put last: every schedule, owner, status and setting."
                an_environment_comes_back:
                    "An environment is read as it was put last: in every state of health, and with every date."
                a_run_comes_back:
                    "A run is read as it was put last: in every status, and with every detail."
                every_number_comes_back:
                    "Ids and versions up to 2^63 - 1 and counts up to 2^32 - 1 are kept exactly."
                every_text_comes_back:
                    "Text is kept to the character: accents, padding, control characters, quotes."
                every_time_comes_back:
                    "Times are kept to the nanosecond, from the first that chrono can hold to the last."
                a_row_put_again_is_replaced_whole:
                    "A row that is put again replaces all of the row before: what it leaves out is gone."
                an_incident_is_put_as_often_as_it_changes:
                    "An incident is put by its id: new at first, then changed, then resolved."
                names_that_differ_in_little_are_apart:
                    "Environments whose names differ in a capital, an accent or a space are different environments."
                projects_are_apart:
                    "Monitors of one slug in different projects are different monitors."
            }
            conflicts {
                an_organization_that_moved_is_a_conflict:
                    "A commit is a conflict when the organization does not have the version it replaces."
                a_monitor_that_moved_is_a_conflict_for_its_edits:
                    "A commit is a conflict when the monitor does not have the version it replaces."
                a_monitor_that_moved_is_a_conflict_for_its_runs:
                    "A commit is a conflict when the monitor does not have the version it expects, also if it keeps the monitor."
                a_monitor_that_moved_is_not_removed:
                    "A commit is a conflict when the monitor does not have the version it removes."
                a_monitor_that_is_there_cannot_be_new:
                    "A commit is a conflict when a monitor that is to be new exists."
                a_monitor_that_is_gone_is_a_conflict:
                    "A commit is a conflict when the monitor it expects has been removed."
                an_environment_that_moved_is_a_conflict:
                    "A commit is a conflict when one of its environments does not have the version it replaces."
                an_environment_that_is_there_cannot_be_new:
                    "A commit is a conflict when an environment that is to be new exists."
                a_run_that_is_there_cannot_be_new:
                    "A commit is a conflict when the id of a new run exists in its environment."
                a_run_elsewhere_cannot_be_new_here:
                    "A commit is a conflict when the id of a new run exists in another environment, monitor or project."
                a_conflict_leaves_nothing_behind:
                    "A commit that is a conflict changes no row of any kind, whatever the conflict is about."
                what_a_transition_does_not_name_may_move:
                    "Rows that a commit does not name cause no conflict."
                an_event_told_again_is_in_nobodys_way:
                    "A commit may bring an event whose id was committed before."
            }
            lookups {
                a_run_is_found_by_its_id:
                    "A run is found by its id, whatever its status; the id of the message that closed it is another id."
                a_run_is_found_elsewhere:
                    "A run of another environment is found as foreign, also from a monitor or environment that does not exist."
                a_run_is_found_by_the_message_that_started_it:
                    "A message without a run id finds the run that has its derived id, open or not."
                a_run_is_found_by_the_message_that_closed_it:
                    "A message without a run id finds the run of its environment that it closed."
                a_message_without_an_id_finds_the_open_run:
                    "Or else it finds a run of its environment that is in progress."
                the_newest_open_run_is_by_start_and_then_by_creation:
                    "Of several runs in progress it finds the newest: by start, and of one start by creation."
                a_run_is_read_only_when_it_is_asked_for:
                    "A query that asks for no run gets none."
                the_organization_is_read_only_when_it_is_asked_for:
                    "The organization is read only when a query names it and there is no monitor."
            }
            history {
                history_is_newest_first:
                    "History is newest first: by start, and of one start by creation."
                history_is_limited:
                    "History has no more runs than the query asks for."
                history_ends_where_it_is_told_to:
                    "History holds the runs that started no later than the query says, or at any time."
                runs_a_nanosecond_apart_are_told_apart:
                    "History is ordered and ended to the nanosecond."
                history_leaves_out_what_was_not_judged:
                    "History of judged runs holds the newest of those that succeeded or failed."
                history_holds_every_run_when_it_is_told_to:
                    "History of all runs holds those in progress, and those whose result is unknown."
                history_is_of_one_environment:
                    "History holds no runs of other environments."
                history_shows_runs_as_they_are_now:
                    "History shows a run as it was put last."
                history_is_read_only_when_it_is_asked_for:
                    "A query that asks for no history gets none."
                history_is_that_of_the_run_that_was_found:
                    "The history that is read depends on the run that was found."
                a_long_history_is_complete:
                    "History of 720 runs, as long as it can be, is complete."
            }
            lists {
                misses_are_in_order:
                    "Misses are in order of deadline, project, slug and name: numbers as numbers, text by its bytes."
                timeouts_are_in_order:
                    "Timeouts are in order of deadline, environment and the number of the run."
                deadlines_of_all_times_are_in_order:
                    "Deadlines of all times are in order, also before the epoch and after the year 9999."
                a_list_ends_where_it_is_told_to:
                    "A list holds the deadlines no later than the query says, or all of them."
                a_list_is_limited:
                    "A list has no more entries than the query asks for, whatever the limit."
                a_page_starts_after_the_page_before:
                    "A list starts strictly after its cursor."
                a_page_starts_after_an_entry_that_is_gone:
                    "A list starts where its cursor was, even if that entry is no longer due."
                a_page_is_of_the_present:
                    "A page shows what is due when it is read, whatever was added and removed since the page before."
                an_environment_is_listed_while_it_is_watched:
                    "An environment is listed while it has a deadline and neither it nor its monitor is disabled."
                a_run_is_listed_while_it_is_in_progress:
                    "A run is listed while it is in progress."
                a_run_is_listed_wherever_it_is:
                    "A run is listed though its environment or monitor is disabled."
                a_deadline_that_moves_is_listed_where_it_is:
                    "A deadline that moved is listed once, where it is now."
                the_next_deadline_is_the_first_listed:
                    "The next deadline of a kind is that of the first entry of its list, whatever was added, moved or removed."
                a_long_list_is_complete:
                    "A list of more than a thousand entries is complete."
            }
            atomicity {
                a_monitor_is_loaded_with_its_environments:
                    "A monitor is loaded with all its environments, by the bytes of their names."
                a_monitor_is_loaded_with_its_open_runs:
                    "A monitor is loaded with all runs in progress of all its environments, and with no others."
                a_large_monitor_is_loaded_whole:
                    "A monitor with more than a thousand environments and open runs is loaded whole."
                a_removed_monitor_is_found_no_more:
                    "A removed monitor is neither loaded nor listed."
                a_removed_monitor_takes_its_runs_with_it:
                    "The runs of a removed monitor are found nowhere, and their ids are free."
                a_monitor_made_anew_starts_afresh:
                    "A monitor of a removed one's key has none of its environments and runs."
                others_stay_when_a_monitor_goes:
                    "Removing a monitor leaves all others as they are, also those of its slug in other projects."
            }
            races {
                of_two_that_change_an_environment_one_wins:
                    "Of two commits at once that replace one version of an environment, one is a conflict."
                of_two_that_edit_a_monitor_one_wins:
                    "Of two commits at once that replace one version of a monitor, one is a conflict."
                of_two_that_create_a_monitor_one_wins:
                    "Of two commits at once that replace one version of an organization, one is a conflict."
                of_two_that_start_one_run_one_wins:
                    "Of two commits at once with a new run of one id, in whatever environments, one is a conflict."
                a_snapshot_is_of_one_moment:
                    "No load returns a run as it was before a commit beside an environment as it is after."
                a_monitor_loaded_whole_is_of_one_moment:
                    "No monitor is loaded as it is after a commit beside environments or runs as they were before."
                everybody_gets_through_in_the_end:
                    "After a conflict, a new decision can be committed: a conflict locks nothing."
            }
        }
    };
}
pub(super) use __every_store_promise as every_promise;

/// Makes a module of tests of a [`Store`](crate::Store): one for each of its
/// [promises](crate::testkit::store).
///
/// ```
/// use std::sync::Arc;
/// use overdue::MemoryStore;
/// use overdue::testkit::store_tests;
///
/// store_tests!(memory, || (MemoryStore::new(), ()));
/// store_tests!(shared, || (Arc::new(MemoryStore::new()), ()));
/// ```
///
/// The first argument names the module. The second is called once a test. It returns a new, empty store and a
/// guard, which is dropped after the store. With a database in a file it might read
///
/// ```text
/// store_tests!(sqlite, || {
///     let directory = tempfile::tempdir().unwrap();
///     (SqliteStore::open(directory.path().join("monitors.db")).unwrap(), directory)
/// });
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    ($name:ident, $make:expr $(,)?) => {
        $crate::__every_store_promise! { [$crate::__store_tests] $name, $make; }
    };
    ($name:ident, $make:expr; $($module:ident { $($promise:ident: $text:literal)* })*) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $($(
                #[test]
                fn $promise() {
                    $crate::testkit::store::prove_or_panic(stringify!($promise), $make);
                }
            )*)*
        }
    };
}

/// The body of such a test.
#[doc(hidden)]
#[track_caller]
pub fn prove_or_panic<S: Store + Sync, G>(name: &str, make: impl FnOnce() -> (S, G)) {
    let promise = Promise::ALL.iter().find(|promise| promise.name() == name);
    // Bound first, so that the guard is dropped last, also when the test panics.
    let (guard, store);
    (store, guard) = make();
    if let Err(broken) = promise.unwrap().prove(&store) {
        panic!("{broken}");
    }
    drop((store, guard));
}
