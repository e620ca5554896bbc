//! What a store can get wrong.

macro_rules! flaws {
    ($($(#[$doc:meta])* $flaw:ident breaks $promise:ident)*) => {
        /// A way to break one promise, and no other.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Flaw {
            $($(#[$doc])* $flaw,)*
        }

        impl Flaw {
            pub(crate) const ALL: &[Flaw] = &[$(Flaw::$flaw),*];

            /// The name of the promise.
            pub(crate) const fn breaks(self) -> &'static str {
                match self {
                    $(Flaw::$flaw => stringify!($promise),)*
                }
            }
        }
    };
}

flaws! {
    /// An organization without a row is not read as a new one.
    NoRowNoOrganization breaks a_new_store_is_empty
    OrganizationsHaveOneMonitor breaks an_organization_comes_back
    RemovalsAreNotCounted breaks an_organization_comes_back
    DeletingIsDisabled breaks a_monitor_comes_back
    StrandedIsForgotten breaks an_environment_comes_back
    TraceIdsAreForgotten breaks a_run_comes_back
    /// As in a signed column of four bytes.
    CountsEndAtHalf breaks every_number_comes_back
    /// As in a JSON document with floating-point numbers.
    VersionsAreFloating breaks every_number_comes_back
    ReleasesAreTrimmed breaks every_text_comes_back
    MillisecondsAreEnough breaks every_time_comes_back
    NothingNewKeepsTheOld breaks a_row_put_again_is_replaced_whole
    IncidentsAreInsertedOnly breaks an_incident_is_put_as_often_as_it_changes
    NamesAreFolded breaks names_that_differ_in_little_are_apart
    AnyProjectWillDo breaks projects_are_apart

    RemovalsDoNotCheckTheOrganization breaks an_organization_that_moved_is_a_conflict
    HigherVersionsWillDo breaks a_monitor_that_moved_is_a_conflict_for_its_edits
    KeptMonitorsAreNotChecked breaks a_monitor_that_moved_is_a_conflict_for_its_runs
    RemovedMonitorsAreNotChecked breaks a_monitor_that_moved_is_not_removed
    NewMonitorsReplace breaks a_monitor_that_is_there_cannot_be_new
    MissingMonitorsAreNotMissed breaks a_monitor_that_is_gone_is_a_conflict
    OnlyTheFirstEnvironmentIsChecked breaks an_environment_that_moved_is_a_conflict
    NewEnvironmentsReplace breaks an_environment_that_is_there_cannot_be_new
    NewRunsReplaceTheirOwn breaks a_run_that_is_there_cannot_be_new
    RunsAreUniqueInAProject breaks a_run_elsewhere_cannot_be_new_here
    ConflictsLeaveTheOrganization breaks a_conflict_leaves_nothing_behind
    ConflictsLeaveTheMonitor breaks a_conflict_leaves_nothing_behind
    ConflictsLeaveEnvironments breaks a_conflict_leaves_nothing_behind
    ConflictsLeaveRuns breaks a_conflict_leaves_nothing_behind
    RemovalsLockRuns breaks what_a_transition_does_not_name_may_move
    EventsAreUnique breaks an_event_told_again_is_in_nobodys_way

    IdsFindWhatTheyClosed breaks a_run_is_found_by_its_id
    ElsewhereIsNowhere breaks a_run_is_found_elsewhere
    /// If the environment does not exist, nothing is looked up.
    NowhereFindsNothing breaks a_run_is_found_elsewhere
    StartingMessagesAreForgotten breaks a_run_is_found_by_the_message_that_started_it
    ClosingMessagesAreForgotten breaks a_run_is_found_by_the_message_that_closed_it
    ClosingMessagesFindEverywhere breaks a_run_is_found_by_the_message_that_closed_it
    TimedOutRunsAreOpen breaks a_message_without_an_id_finds_the_open_run
    NewestIsTheLastCreated breaks the_newest_open_run_is_by_start_and_then_by_creation
    RunsAreReadUnasked breaks a_run_is_read_only_when_it_is_asked_for
    OrganizationsAreReadUnasked breaks the_organization_is_read_only_when_it_is_asked_for

    HistoryTiesAreOldestFirst breaks history_is_newest_first
    HistoryIsUnlimited breaks history_is_limited
    HistoryEndsBefore breaks history_ends_where_it_is_told_to
    HistoryIsInMilliseconds breaks runs_a_nanosecond_apart_are_told_apart
    HistoryIsLimitedAndThenJudged breaks history_leaves_out_what_was_not_judged
    HistoryIsAlwaysJudged breaks history_holds_every_run_when_it_is_told_to
    HistoryIsOfTheMonitor breaks history_is_of_one_environment
    HistoryIsAsItBegan breaks history_shows_runs_as_they_are_now
    HistoryIsReadUnasked breaks history_is_read_only_when_it_is_asked_for
    HistoryForgetsTheRun breaks history_is_that_of_the_run_that_was_found
    HistoryIsCapped breaks a_long_history_is_complete

    NamesAreCollated breaks misses_are_in_order
    ProjectsAreCollated breaks misses_are_in_order
    TimeoutTiesAreById breaks timeouts_are_in_order
    DeadlinesAreText breaks deadlines_of_all_times_are_in_order
    ListsEndBefore breaks a_list_ends_where_it_is_told_to
    ListsAreUnlimited breaks a_list_is_limited
    CursorsAreListedAgain breaks a_page_starts_after_the_page_before
    CursorsMustBeThere breaks a_page_starts_after_an_entry_that_is_gone
    /// An entry that was not listed on the first page appears on no later page.
    NewcomersAreNotListed breaks a_page_is_of_the_present
    UnwatchedEnvironmentsAreListed breaks an_environment_is_listed_while_it_is_watched
    FinishedRunsAreListed breaks a_run_is_listed_while_it_is_in_progress
    UnwatchedRunsAreNotListed breaks a_run_is_listed_wherever_it_is
    DeadlinesStayWhereTheyWere breaks a_deadline_that_moves_is_listed_where_it_is
    NextIsOfAnyKind breaks the_next_deadline_is_the_first_listed
    ListsAreCapped breaks a_long_list_is_complete

    EnvironmentsComeAsCreated breaks a_monitor_is_loaded_with_its_environments
    FinishedRunsAreOpen breaks a_monitor_is_loaded_with_its_open_runs
    MonitorsAreCapped breaks a_large_monitor_is_loaded_whole
    RemovedMonitorsStayDue breaks a_removed_monitor_is_found_no_more
    IdsAreNeverFreed breaks a_removed_monitor_takes_its_runs_with_it
    EnvironmentsOutliveTheirMonitor breaks a_monitor_made_anew_starts_afresh
    RemovalTakesTheSlug breaks others_stay_when_a_monitor_goes

    EnvironmentsAreCheckedEarly breaks of_two_that_change_an_environment_one_wins
    MonitorsAreCheckedEarly breaks of_two_that_edit_a_monitor_one_wins
    OrganizationsAreCheckedEarly breaks of_two_that_create_a_monitor_one_wins
    RunsAreCheckedEarly breaks of_two_that_start_one_run_one_wins
    SnapshotsAreTorn breaks a_snapshot_is_of_one_moment
    MonitorsAreTorn breaks a_monitor_loaded_whole_is_of_one_moment
    ConflictsLock breaks everybody_gets_through_in_the_end
}
