//! Why a schedule is refused.

use std::num::NonZeroU32;

use super::{Dialect, Field, Unit};

/// Why a schedule is refused.
///
/// ```
/// use overdue::Zone;
/// use overdue::schedule::{Field, Schedule, ScheduleError};
///
/// let error = Schedule::crontab("0 0 31 2 *", Zone::UTC).unwrap_err();
/// assert_eq!(error.to_string(), "day of month: day 31 never occurs in February");
/// assert!(matches!(error, ScheduleError::Field { field: Field::DayOfMonth, .. }));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A crontab of more or fewer than five fields.
    #[error("a crontab has five fields, this one has {found}")]
    FieldCount {
        /// How many fields there are.
        found: usize,
    },
    /// A word after `@` that stands for no crontab. `@reboot` is one: nobody knows when that will be.
    #[error("`{nickname}` is none of @hourly, @daily, @weekly, @monthly, @yearly and @annually")]
    Nickname {
        /// The word, with its `@`.
        nickname: String,
    },
    /// A field that makes no sense.
    #[error("{field}: {problem}")]
    Field {
        /// Which of the five.
        field: Field,
        /// What is wrong with it.
        problem: FieldProblem,
    },
    /// A crontab with a number of fields that its dialect does not have.
    #[error("{dialect} takes no crontab of {found} fields")]
    DialectFieldCount {
        /// How many fields there are.
        found: usize,
        /// The dialect.
        dialect: Dialect,
    },
    /// A word after `@` that stands for no crontab in the dialect.
    #[error("{dialect} does not know `{nickname}`")]
    DialectNickname {
        /// The word, with its `@`.
        nickname: String,
        /// The dialect.
        dialect: Dialect,
    },
    /// A field of seconds that makes no sense.
    #[error("second: {problem}")]
    Second {
        /// What is wrong with it.
        problem: FieldProblem,
    },
    /// A field of years that makes no sense.
    #[error("year: {problem}")]
    Year {
        /// What is wrong with it.
        problem: FieldProblem,
    },
    /// An interval of more than 100 years, which may well lead beyond all time.
    #[error("an interval of {count} {unit}s is longer than 100 years")]
    TooLong {
        /// How many units.
        count: NonZeroU32,
        /// Of what.
        unit: Unit,
    },
}

/// What is wrong with one field of a crontab.
///
/// ```
/// use overdue::Zone;
/// use overdue::schedule::{Dialect, FieldProblem, Schedule, ScheduleError};
///
/// let error = Schedule::in_dialect("0 22-2 * * *", Dialect::ROBFIG, Zone::UTC).unwrap_err();
/// let ScheduleError::Field { problem, .. } = error else { panic!("another error") };
/// assert_eq!(problem, FieldProblem::Backwards { text: "22-2".to_owned() });
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// Neither a number nor a name that the field knows.
    #[error("`{text}` is not a value")]
    NotAValue {
        /// The text in question.
        text: String,
    },
    /// A number that the field does not have.
    #[error("{text} is not between {least} and {most}")]
    OutOfRange {
        /// The text in question.
        text: String,
        /// The field's least value.
        least: u8,
        /// The field's greatest value.
        most: u8,
    },
    /// A range that ends before it starts, where ranges do not wrap.
    #[error("the range {text} runs backwards")]
    Backwards {
        /// The range.
        text: String,
    },
    /// A step that is zero or not a number.
    #[error("`{text}` is not a step")]
    Step {
        /// What follows the slash.
        text: String,
    },
    /// Not one of the first to the fifth weekday of a month.
    #[error("`{text}` does not count weekdays from #1 to #5")]
    Nth {
        /// What follows the number sign.
        text: String,
    },
    /// A day beyond the longest of the listed months.
    #[error("day {day} never occurs in {months}")]
    NeverOccurs {
        /// The earliest listed day.
        day: u8,
        /// The names of the listed months.
        months: String,
    },
}
