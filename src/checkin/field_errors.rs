//! Which fields of a message are at fault, and why: all of them at once, named as the sender named them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Faults that belong to an object as a whole carry this name: the object's field holds something else.
pub(crate) const WHOLE: &str = "non_field_errors";

/// The fields of a message that are at fault, each with its problem. At least one.
///
/// Serialises as the message is nested, with a sentence for each problem:
///
/// ```
/// use overdue::checkin::Payload;
/// use overdue::policy::Quirks;
///
/// let payload = Payload::from_json(br#"{"status": "done", "contexts": {"trace": {"trace_id": "x"}}}"#)?;
/// let errors = payload.fields(Quirks::NONE).unwrap_err();
/// assert_eq!(
///     serde_json::to_string(&errors)?,
///     r#"{"contexts":{"trace":{"trace_id":"must be a UUID"}},"status":"is not one of the known values"}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldErrors(BTreeMap<Cow<'static, str>, Fault>);

/// What is wrong with one field: the field itself, or fields inside it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
enum Fault {
    Here(FieldProblem),
    Inside(FieldErrors),
}

/// Why one field is refused.
///
/// Stored as its sentence. A sentence that no variant knows is read back as [`FieldProblem::Other`].
///
/// ```
/// use overdue::checkin::FieldProblem;
///
/// let problem = FieldProblem::OutOfRange { least: 1, most: 720 };
/// assert_eq!(problem.to_string(), "must lie between 1 and 720");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FieldProblem {
    /// The field must be there.
    Missing,
    /// The field holds null where null says nothing.
    Null,
    /// The field holds nothing but white space.
    Blank,
    /// Not a text, or one with half a surrogate pair in it.
    NotText,
    /// Not a number.
    NotANumber,
    /// Not a whole number.
    NotWhole,
    /// Not an object.
    NotAnObject,
    /// A value from a fixed list was asked for, and this is none of them.
    Unknown,
    /// Not a UUID.
    NotAUuid,
    /// Nothing of the text can stand in a slug.
    NotASlug,
    /// A number outside its bounds.
    OutOfRange {
        /// The least value allowed.
        least: i64,
        /// The greatest value allowed.
        most: i64,
    },
    /// The type of the schedule does not fit its value: a list for a crontab, a text for an interval.
    WrongSchedule,
    /// Anything else, in words: why a crontab cannot be read, why a name cannot stand.
    Other(Box<str>),
}

impl FieldProblem {
    /// The problems that carry no data, with their sentences.
    const PLAIN: [(FieldProblem, &'static str); 11] = [
        (FieldProblem::Missing, "is missing"),
        (FieldProblem::Null, "must not be null"),
        (FieldProblem::Blank, "must not be blank"),
        (FieldProblem::NotText, "must be a text"),
        (FieldProblem::NotANumber, "must be a number"),
        (FieldProblem::NotWhole, "must be a whole number"),
        (FieldProblem::NotAnObject, "must be an object"),
        (FieldProblem::Unknown, "is not one of the known values"),
        (FieldProblem::NotAUuid, "must be a UUID"),
        (FieldProblem::NotASlug, "needs at least one letter or digit"),
        (FieldProblem::WrongSchedule, "does not fit the type of the schedule"),
    ];

    /// The problem in the words of another error.
    pub(crate) fn other(reason: impl fmt::Display) -> Self {
        FieldProblem::Other(reason.to_string().into())
    }
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldProblem::OutOfRange { least, most } => write!(f, "must lie between {least} and {most}"),
            FieldProblem::Other(reason) => f.write_str(reason),
            plain => Self::PLAIN
                .iter()
                .filter(|(problem, _)| problem == plain)
                .try_for_each(|(_, text)| f.write_str(text)),
        }
    }
}

impl From<&str> for FieldProblem {
    fn from(text: &str) -> Self {
        if let Some((problem, _)) = Self::PLAIN.into_iter().find(|(_, sentence)| *sentence == text) {
            return problem;
        }
        let bounds = text.strip_prefix("must lie between ").and_then(|rest| rest.split_once(" and "));
        match bounds.map(|(least, most)| (least.parse(), most.parse())) {
            Some((Ok(least), Ok(most))) => FieldProblem::OutOfRange { least, most },
            _ => FieldProblem::Other(text.into()),
        }
    }
}

impl Serialize for FieldProblem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FieldProblem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(deserializer)?.as_str().into())
    }
}

impl FieldErrors {
    /// One field at fault.
    pub fn one(field: &'static str, problem: FieldProblem) -> Self {
        Self(BTreeMap::from([(field.into(), Fault::Here(problem))]))
    }

    /// The faults of the fields inside of a field.
    pub(crate) fn within(field: &'static str, errors: FieldErrors) -> Self {
        Self(BTreeMap::from([(field.into(), Fault::Inside(errors))]))
    }

    /// The fields at fault, with the names of those around them before a dot, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (String, &FieldProblem)> {
        let mut found = Vec::new();
        self.collect("", &mut found);
        found.into_iter()
    }

    /// What is wrong with a field, named as in [`FieldErrors::iter`].
    ///
    /// ```
    /// use overdue::checkin::{FieldErrors, FieldProblem};
    ///
    /// let errors = FieldErrors::one("status", FieldProblem::Missing);
    /// assert_eq!(errors.problem("status"), Some(&FieldProblem::Missing));
    /// assert_eq!(errors.problem("duration"), None);
    /// ```
    pub fn problem(&self, path: &str) -> Option<&FieldProblem> {
        let (name, inner) = path.split_once('.').map_or((path, None), |(name, inner)| (name, Some(inner)));
        match (self.0.get(name)?, inner) {
            (Fault::Here(problem), None) => Some(problem),
            (Fault::Inside(errors), Some(inner)) => errors.problem(inner),
            _ => None,
        }
    }

    fn collect<'a>(&'a self, around: &str, found: &mut Vec<(String, &'a FieldProblem)>) {
        for (name, fault) in &self.0 {
            let path = if around.is_empty() { name.to_string() } else { format!("{around}.{name}") };
            match fault {
                Fault::Here(problem) => found.push((path, problem)),
                Fault::Inside(errors) => errors.collect(&path, found),
            }
        }
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(n, (path, problem))| {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{path} {problem}")
        })
    }
}

impl std::error::Error for FieldErrors {}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FieldErrors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::deserialize(deserializer)?;
        if fields.is_empty() { Err(D::Error::custom("no field is at fault")) } else { Ok(Self(fields)) }
    }
}

/// The faults found so far: how a decoder names them all before it gives up.
#[derive(Debug, Default)]
pub(crate) struct Faults(BTreeMap<Cow<'static, str>, Fault>);

impl Faults {
    /// The value, or nothing and its problem under the field's name.
    pub(crate) fn check<T>(&mut self, field: &'static str, value: Result<T, FieldProblem>) -> Option<T> {
        value.map_err(|problem| self.0.insert(field.into(), Fault::Here(problem))).ok()
    }

    /// The value, or nothing and all its faults among these.
    pub(crate) fn join<T>(&mut self, value: Result<T, FieldErrors>) -> Option<T> {
        value.map_err(|errors| self.0.extend(errors.0)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// For a decoder that missed a value: each value that [`Faults::check`] and [`Faults::join`] withhold leaves a
/// fault behind, so there is at least one.
impl From<Faults> for FieldErrors {
    fn from(faults: Faults) -> Self {
        Self(faults.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_read_back_from_their_sentences() {
        let data = [
            FieldProblem::OutOfRange { least: i64::MIN, most: 720 },
            FieldProblem::Other("day of month: day 31 never occurs in February".into()),
            FieldProblem::Other("must lie between here and there".into()),
        ];
        for problem in FieldProblem::PLAIN.into_iter().map(|(problem, _)| problem).chain(data) {
            let text = problem.to_string();
            assert!(!text.is_empty(), "{problem:?}");
            assert_eq!(FieldProblem::from(text.as_str()), problem);
        }
    }

    #[test]
    fn errors_nest_as_the_message_does() {
        let mut faults = Faults::default();
        assert_eq!(faults.check::<()>("status", Err(FieldProblem::Missing)), None);
        assert_eq!(faults.check("duration", Ok(1)), Some(1));
        let inner = FieldErrors::within("trace", FieldErrors::one("trace_id", FieldProblem::NotAUuid));
        assert_eq!(faults.join::<()>(Err(FieldErrors::within("contexts", inner))), None);
        let errors = FieldErrors::from(faults);

        assert_eq!(errors.to_string(), "contexts.trace.trace_id must be a UUID; status is missing");
        assert_eq!(errors.problem("contexts.trace.trace_id"), Some(&FieldProblem::NotAUuid));
        assert_eq!(errors.problem("contexts"), None);
        assert_eq!(errors.problem("status.trace"), None);
        let json = serde_json::to_string(&errors).unwrap();
        assert_eq!(json, r#"{"contexts":{"trace":{"trace_id":"must be a UUID"}},"status":"is missing"}"#);
        assert_eq!(serde_json::from_str::<FieldErrors>(&json).unwrap(), errors);
    }

    #[test]
    fn errors_without_a_field_are_none() {
        assert!(serde_json::from_str::<FieldErrors>("{}").is_err());
        assert!(serde_json::from_str::<FieldErrors>(r#"{"contexts":{}}"#).is_err());
    }
}
