//! The axes on which schedulers differ: how they read a crontab, and what they do when clocks change.

/// What a dialect is made of. [`named`](super::named) gives each its own.
///
/// Common to all: numbers, `*`, lists, ranges, steps, and names of three letters in any case. Seconds that are not
/// given are 0.
#[derive(Debug)]
pub(super) struct Axes {
    pub(super) name: &'static str,

    // How a text is read.
    pub(super) blanks: Blanks,
    pub(super) fields: Fields,
    pub(super) weekdays: Weekdays,
    pub(super) names: Names,
    /// Whether a range may have a name at one end and a number at the other.
    pub(super) mixed_ranges: bool,
    pub(super) backward: Backward,
    pub(super) open_step: OpenStep,
    pub(super) big_step: BigStep,
    /// Whether `+5` is 5.
    pub(super) plus_sign: bool,
    /// Whether hour 24 is hour 0.
    pub(super) hour_24: bool,
    /// Whether a list may hold a value twice.
    pub(super) duplicates: bool,
    /// Whether members of a list may be empty, and are passed over.
    pub(super) empty_members: bool,
    pub(super) question: Question,
    pub(super) tokens: &'static [Token],
    pub(super) nicknames: Nicknames,
    pub(super) zone: NamedZone,

    // How the days go together.
    pub(super) day_fields: DayFields,

    // What happens when clocks change.
    pub(super) gap: Gap,
    /// A gap of one of these kinds drops its runs, whatever the rule.
    pub(super) gap_skipped_if: &'static [GapKind],
    pub(super) repeat: Repeat,
    /// A repeated hour of one of these kinds runs twice, whatever the rule.
    pub(super) repeated_if: &'static [RepeatKind],
    pub(super) applies_to: AppliesTo,
}

/// What may stand between two fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Blanks {
    /// Blanks and tabs in any number.
    Any,
    /// The same, and after the commas of a list.
    AnyAndAfterCommas,
    /// Blanks in any number.
    NoTabs,
    /// One blank.
    Single,
}

/// The fields of a crontab, and where seconds and years stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fields {
    /// Five.
    Five,
    /// Five; a sixth in front are seconds.
    SecondsMayLead,
    /// The same, with years as a seventh.
    SecondsMayLeadYearsEnd,
    /// Five; seconds may come sixth, and years seventh.
    SecondsMayFollow,
    /// Six with the seconds in front; years may come seventh.
    SecondsLead,
}

/// The numbers of the weekdays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weekdays {
    /// 0 to 6 from Sunday.
    SundayZero,
    /// 0 to 7, both ends Sunday.
    SundayZeroAndSeven,
    /// The same, but the name of Sunday stands for 7.
    SundayZeroNamedSeven,
    /// 1 to 7 from Sunday.
    SundayOne,
    /// 0 to 6 from Monday.
    MondayZero,
}

/// The names of months and weekdays, in any case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Names {
    /// Three letters.
    Three,
    /// Three letters or all.
    ThreeOrAll,
    /// The same, `TUES` and `THURS`.
    ThreeOrAllOrCommon,
    /// Whatever starts with the three letters.
    AnyEnding,
    /// Three letters; a member that starts with a name ends where it, or a range of two, ends. The rest is passed over.
    RestIgnored,
}

/// What a range means whose end comes before its start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Backward {
    /// The text is refused.
    Refused,
    /// The same, but a Sunday by name may end a range.
    RefusedButSunday,
    /// On beyond the field's end.
    Wraps,
    /// Nothing, so that the field may never match. A number 0 that ends a range of weekdays is a 7.
    Never,
}

/// What `5/15` means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OpenStep {
    /// The text is refused.
    Refused,
    /// From there to the field's end.
    ToEnd,
    /// The same, with Saturday as the last weekday.
    ToSaturday,
    /// The same, but that one value in the field of weekdays.
    ToEndButWeekdays,
}

/// Which steps are too big. Any other leaves the first value at least.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BigStep {
    /// None.
    Taken,
    /// Those above the number of values.
    RefusedAboveCount,
    /// Those above the difference of the ends, also those of a range.
    RefusedAboveSpan,
    /// Those above the field's greatest value.
    RefusedAboveLast,
}

/// Where `?` is a star.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Question {
    Nowhere,
    DayFields,
    /// In one of the day fields, but not in both.
    OneDayField,
    Anywhere,
}

/// What a day field may hold beyond the common grammar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Token {
    /// `L`: the last day of the month.
    LastDay(In, Case),
    /// `L-3`: the third day before it.
    LastDayMinus(In, Case),
    /// `-2`: the second day from the month's end.
    NegativeDay,
    /// `LW`: the last day from Monday to Friday.
    LastWorkingDay(In, Case),
    /// `15W`: the nearest day from Monday to Friday in the same month.
    NearestWorkingDay(In, Case, Short),
    /// `5L`, the last Friday of the month, by number.
    LastWeekday(In, Case),
    /// `FRIL`, by name.
    LastNamedWeekday(In, Case),
    /// `L5`: the same with the letter in front.
    LastWeekdayReversed(In),
    /// `5#2`: the second Friday of the month.
    NthWeekday(In),
    /// `5#L`: the last.
    HashLast(In),
}

/// Whether a token may be one of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum In {
    Lists,
    Alone,
}

/// Whether a word may be written in any case, or as it is here: tokens in capitals, and nicknames in small letters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Case {
    Any,
    Exact,
}

/// What `31W` means in a month of thirty days.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Short {
    /// Nothing.
    Skipped,
    /// Its last day, or the nearest working one.
    LastDay,
}

/// Words that stand for a crontab.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Nicknames {
    Without,
    With(&'static [Nickname], Case),
}

/// A word after `@`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Nickname {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Midnight,
    Noon,
    Weekdays,
    Weekends,
    Weekly,
    Monthly,
    Yearly,
    Annually,
    /// `@every 1h30m`, counted from where one looks.
    Every,
}

/// Where a text names its own zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NamedZone {
    Nowhere,
    /// `TZ=Asia/Tokyo` or `CRON_TZ=Asia/Tokyo` in front.
    InFront,
    /// As a last field.
    LastField,
}

/// How day of month and day of week go together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DayFields {
    /// A day must match both.
    Both,
    /// A day must match one of them, or both if either is free.
    Either { day: Free, weekday: Free },
}

/// When a day field is free.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Free {
    /// It is `*` or `?`.
    Star,
    /// It begins with `*` or `?`.
    StarFirst,
    /// `*` or `?` is in its list.
    StarInList,
    /// The same, or `*/1`.
    EveryStarInList,
    /// It has all values.
    All,
    /// It has all numbers from 0 to 7, and is no list.
    AllNumbers,
}

/// What becomes of times that the clock skips.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Gap {
    /// They are dropped.
    Skipped,
    /// They are one run at the end of the gap.
    AtEnd,
    /// The first is moved by the gap's length; times of the clock up to there count as done.
    FirstMoved,
    /// Each is moved by the gap's length.
    EachMoved,
    /// As [`AtEnd`](Self::AtEnd) from January to June, and as [`FirstMoved`](Self::FirstMoved) from July on.
    ByHalfOfYear,
}

/// A kind of gap.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum GapKind {
    /// Of a crontab that lists every hour.
    EveryHourListed,
    /// Of a crontab that lists the hour before it.
    HourBeforeListed,
    /// Of less than an hour.
    Short,
    /// From midnight on.
    Midnight,
}

/// On which pass of a repeated hour a crontab runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Repeat {
    First,
    /// The same, but the second if midnight is repeated.
    FirstButMidnight,
    Both,
    /// The first to the west of Greenwich, the second to the east.
    ByLongitude,
}

/// A kind of repeated hour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RepeatKind {
    /// Of a crontab that lists every hour.
    EveryHourListed,
    /// Of a crontab that lists the hour after it.
    HourAfterListed,
    /// Of less than an hour.
    Short,
}

/// To which crontabs the rules for clock changes apply. All others drop what is skipped and repeat what is repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AppliesTo {
    All,
    /// Those whose minute and hour do not begin with `*`.
    NoStars,
    /// Those with a single second, minute and hour.
    OneTimeOfDay,
}
