//! The named dialects: one value of each axis for every scheduler.

use super::axes::{
    AppliesTo, Axes, Backward, BigStep, Blanks, Case, DayFields, Fields, Free, Gap, GapKind, In, NamedZone,
    Names, Nickname, Nicknames, OpenStep, Question, Repeat, RepeatKind, Short, Token, Weekdays,
};

/// The common grammar, for the others to depart from; nobody's by itself.
const BASE: Axes = Axes {
    name: "",
    blanks: Blanks::Any,
    fields: Fields::Five,
    weekdays: Weekdays::SundayZeroAndSeven,
    names: Names::Three,
    mixed_ranges: true,
    backward: Backward::Refused,
    open_step: OpenStep::ToEnd,
    big_step: BigStep::Taken,
    plus_sign: false,
    hour_24: false,
    duplicates: true,
    empty_members: false,
    question: Question::Nowhere,
    tokens: &[],
    nicknames: Nicknames::Without,
    zone: NamedZone::Nowhere,
    day_fields: DayFields::Both,
    gap: Gap::Skipped,
    gap_skipped_if: &[],
    repeat: Repeat::Both,
    repeated_if: &[],
    applies_to: AppliesTo::All,
};

const COMMON_NICKNAMES: &[Nickname] = &[
    Nickname::Hourly,
    Nickname::Daily,
    Nickname::Weekly,
    Nickname::Monthly,
    Nickname::Yearly,
    Nickname::Annually,
    Nickname::Midnight,
];

pub(super) const CRON: Axes = Axes {
    name: "cron",
    fields: Fields::Five,
    nicknames: Nicknames::With(
        &[
            Nickname::Hourly,
            Nickname::Daily,
            Nickname::Weekly,
            Nickname::Monthly,
            Nickname::Yearly,
            Nickname::Annually,
        ],
        Case::Exact,
    ),
    ..CRONSIM
};

/// What people write that Debian's rules refuse, and that all schedulers take alike which take it.
pub(super) const CRON_FORGIVING: Axes = Axes {
    blanks: Blanks::AnyAndAfterCommas,
    names: Names::ThreeOrAll,
    backward: Backward::Wraps,
    question: Question::DayFields,
    tokens: &[
        Token::LastDay(In::Lists, Case::Any),
        Token::LastDayMinus(In::Lists, Case::Any),
        Token::LastWorkingDay(In::Lists, Case::Any),
        Token::NearestWorkingDay(In::Lists, Case::Any, Short::Skipped),
        Token::LastWeekday(In::Lists, Case::Any),
        Token::LastNamedWeekday(In::Lists, Case::Any),
        Token::NthWeekday(In::Lists),
    ],
    nicknames: Nicknames::With(COMMON_NICKNAMES, Case::Any),
    zone: NamedZone::InFront,
    ..CRON
};

pub(super) const CRONSIM: Axes = Axes {
    name: "cronsim",
    fields: Fields::SecondsMayLead,
    tokens: &[
        Token::LastDay(In::Lists, Case::Any),
        Token::LastWorkingDay(In::Lists, Case::Any),
        Token::LastWeekday(In::Lists, Case::Any),
        Token::NthWeekday(In::Lists),
    ],
    day_fields: DayFields::Either { day: Free::StarFirst, weekday: Free::StarFirst },
    gap: Gap::AtEnd,
    repeat: Repeat::First,
    applies_to: AppliesTo::NoStars,
    ..BASE
};

pub(super) const CELERY: Axes = Axes {
    name: "celery",
    blanks: Blanks::Single,
    weekdays: Weekdays::SundayZero,
    names: Names::AnyEnding,
    backward: Backward::Wraps,
    open_step: OpenStep::Refused,
    plus_sign: true,
    gap: Gap::FirstMoved,
    repeat: Repeat::First,
    ..BASE
};

pub(super) const ROBFIG: Axes = Axes {
    name: "robfig",
    weekdays: Weekdays::SundayZero,
    plus_sign: true,
    empty_members: true,
    question: Question::Anywhere,
    nicknames: Nicknames::With(
        &[
            Nickname::Hourly,
            Nickname::Daily,
            Nickname::Weekly,
            Nickname::Monthly,
            Nickname::Yearly,
            Nickname::Annually,
            Nickname::Midnight,
            Nickname::Every,
        ],
        Case::Exact,
    ),
    zone: NamedZone::InFront,
    day_fields: DayFields::Either { day: Free::EveryStarInList, weekday: Free::EveryStarInList },
    ..BASE
};

pub(super) const NODE_CRON: Axes = Axes {
    name: "node-cron",
    blanks: Blanks::NoTabs,
    fields: Fields::SecondsMayLead,
    names: Names::ThreeOrAll,
    backward: Backward::Wraps,
    open_step: OpenStep::Refused,
    question: Question::DayFields,
    tokens: &[
        Token::LastDay(In::Lists, Case::Any),
        Token::LastDayMinus(In::Lists, Case::Any),
        Token::LastWorkingDay(In::Lists, Case::Any),
        Token::NearestWorkingDay(In::Lists, Case::Any, Short::Skipped),
        Token::LastWeekday(In::Lists, Case::Any),
        Token::LastNamedWeekday(In::Lists, Case::Any),
        Token::NthWeekday(In::Lists),
    ],
    nicknames: Nicknames::With(COMMON_NICKNAMES, Case::Any),
    repeat: Repeat::ByLongitude,
    ..BASE
};

pub(super) const CRONER: Axes = Axes {
    name: "croner",
    fields: Fields::SecondsMayLeadYearsEnd,
    backward: Backward::RefusedButSunday,
    open_step: OpenStep::Refused,
    big_step: BigStep::RefusedAboveCount,
    question: Question::Anywhere,
    tokens: &[
        Token::LastDay(In::Lists, Case::Any),
        Token::LastWorkingDay(In::Lists, Case::Any),
        Token::NearestWorkingDay(In::Lists, Case::Any, Short::Skipped),
        Token::LastWeekday(In::Lists, Case::Any),
        Token::LastNamedWeekday(In::Lists, Case::Any),
        Token::NthWeekday(In::Lists),
        Token::HashLast(In::Lists),
    ],
    nicknames: Nicknames::With(COMMON_NICKNAMES, Case::Any),
    day_fields: DayFields::Either { day: Free::Star, weekday: Free::Star },
    gap: Gap::AtEnd,
    repeat: Repeat::First,
    applies_to: AppliesTo::OneTimeOfDay,
    ..BASE
};

pub(super) const CRON_NPM: Axes = Axes {
    name: "cron-npm",
    fields: Fields::SecondsMayLead,
    nicknames: Nicknames::With(
        &[
            Nickname::Hourly,
            Nickname::Daily,
            Nickname::Weekly,
            Nickname::Monthly,
            Nickname::Yearly,
            Nickname::Weekdays,
            Nickname::Weekends,
            Nickname::Minutely,
            Nickname::Secondly,
        ],
        Case::Any,
    ),
    day_fields: DayFields::Either { day: Free::All, weekday: Free::All },
    gap: Gap::ByHalfOfYear,
    repeat: Repeat::First,
    repeated_if: &[RepeatKind::HourAfterListed],
    ..BASE
};

pub(super) const LARAVEL: Axes = Axes {
    name: "laravel",
    weekdays: Weekdays::SundayZeroNamedSeven,
    backward: Backward::Never,
    open_step: OpenStep::Refused,
    big_step: BigStep::RefusedAboveCount,
    plus_sign: true,
    question: Question::OneDayField,
    tokens: &[
        Token::LastDay(In::Alone, Case::Exact),
        Token::NearestWorkingDay(In::Alone, Case::Exact, Short::Skipped),
        Token::LastWeekday(In::Lists, Case::Exact),
        Token::LastNamedWeekday(In::Lists, Case::Exact),
        Token::NthWeekday(In::Lists),
    ],
    nicknames: Nicknames::With(COMMON_NICKNAMES, Case::Any),
    day_fields: DayFields::Either { day: Free::Star, weekday: Free::Star },
    gap: Gap::EachMoved,
    gap_skipped_if: &[GapKind::EveryHourListed, GapKind::Short],
    ..BASE
};

pub(super) const FUGIT: Axes = Axes {
    name: "fugit",
    fields: Fields::SecondsMayLead,
    backward: Backward::Wraps,
    open_step: OpenStep::ToEndButWeekdays,
    hour_24: true,
    empty_members: true,
    tokens: &[
        Token::LastDay(In::Lists, Case::Any),
        Token::NegativeDay,
        Token::NthWeekday(In::Lists),
        Token::HashLast(In::Lists),
    ],
    nicknames: Nicknames::With(
        &[
            Nickname::Hourly,
            Nickname::Daily,
            Nickname::Weekly,
            Nickname::Monthly,
            Nickname::Yearly,
            Nickname::Annually,
            Nickname::Midnight,
            Nickname::Noon,
        ],
        Case::Exact,
    ),
    zone: NamedZone::LastField,
    day_fields: DayFields::Either { day: Free::All, weekday: Free::Star },
    ..BASE
};

pub(super) const APSCHEDULER: Axes = Axes {
    name: "apscheduler",
    weekdays: Weekdays::MondayZero,
    names: Names::RestIgnored,
    mixed_ranges: false,
    big_step: BigStep::RefusedAboveSpan,
    gap: Gap::FirstMoved,
    gap_skipped_if: &[GapKind::Midnight, GapKind::HourBeforeListed],
    ..BASE
};

pub(super) const NODE_SCHEDULE: Axes = Axes {
    name: "node-schedule",
    fields: Fields::SecondsMayLead,
    question: Question::DayFields,
    tokens: CRON_PARSER_TOKENS,
    nicknames: Nicknames::With(
        &[Nickname::Hourly, Nickname::Daily, Nickname::Weekly, Nickname::Monthly, Nickname::Yearly],
        Case::Exact,
    ),
    day_fields: DayFields::Either { day: Free::All, weekday: Free::AllNumbers },
    gap: Gap::EachMoved,
    gap_skipped_if: &[GapKind::Midnight, GapKind::EveryHourListed, GapKind::Short],
    repeat: Repeat::First,
    repeated_if: &[RepeatKind::EveryHourListed, RepeatKind::Short],
    ..BASE
};

/// node-schedule reads by an older release of cron-parser.
const CRON_PARSER_TOKENS: &[Token] = &[
    Token::LastDay(In::Lists, Case::Exact),
    Token::LastWeekday(In::Lists, Case::Any),
    Token::LastNamedWeekday(In::Lists, Case::Any),
    Token::NthWeekday(In::Alone),
];

pub(super) const CRON_PARSER: Axes = Axes {
    name: "cron-parser",
    duplicates: false,
    question: Question::Anywhere,
    nicknames: Nicknames::With(
        &[
            Nickname::Hourly,
            Nickname::Daily,
            Nickname::Weekly,
            Nickname::Monthly,
            Nickname::Yearly,
            Nickname::Annually,
            Nickname::Weekdays,
            Nickname::Weekends,
            Nickname::Minutely,
            Nickname::Secondly,
        ],
        Case::Exact,
    ),
    day_fields: DayFields::Either { day: Free::Star, weekday: Free::Star },
    gap_skipped_if: &[GapKind::EveryHourListed, GapKind::Short],
    repeat: Repeat::FirstButMidnight,
    repeated_if: &[RepeatKind::EveryHourListed],
    ..NODE_SCHEDULE
};

pub(super) const CRONITER: Axes = Axes {
    name: "croniter",
    fields: Fields::SecondsMayFollow,
    backward: Backward::Wraps,
    open_step: OpenStep::ToSaturday,
    question: Question::DayFields,
    tokens: &[
        Token::LastDay(In::Lists, Case::Any),
        Token::NearestWorkingDay(In::Alone, Case::Any, Short::LastDay),
        Token::LastWeekdayReversed(In::Lists),
        Token::NthWeekday(In::Lists),
    ],
    nicknames: Nicknames::With(COMMON_NICKNAMES, Case::Any),
    day_fields: DayFields::Either { day: Free::StarInList, weekday: Free::StarInList },
    gap: Gap::AtEnd,
    gap_skipped_if: &[GapKind::EveryHourListed],
    ..BASE
};

pub(super) const CRON_RS: Axes = Axes {
    name: "cron-rs",
    fields: Fields::SecondsLead,
    weekdays: Weekdays::SundayOne,
    names: Names::ThreeOrAllOrCommon,
    mixed_ranges: false,
    big_step: BigStep::RefusedAboveLast,
    question: Question::DayFields,
    nicknames: Nicknames::With(
        &[Nickname::Hourly, Nickname::Daily, Nickname::Weekly, Nickname::Monthly, Nickname::Yearly],
        Case::Exact,
    ),
    ..BASE
};
