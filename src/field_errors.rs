//! Which fields of a message are invalid, and why: all at once, under the names that the sender used.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The key of an error about an object as a whole.
pub(crate) const WHOLE: &str = "non_field_errors";

/// The invalid fields of a message, each with its problem. Never empty.
///
/// Serialises nested as the message is, with a sentence for each problem:
///
/// ```
/// use overdue::wire::Payload;
///
/// let payload = Payload::parse(br#"{"status": "done", "contexts": {"trace": {"trace_id": "x"}}}"#)?;
/// let errors = payload.fields().unwrap_err();
/// assert_eq!(
///     serde_json::to_string(&errors)?,
///     r#"{"contexts":{"trace":{"trace_id":"must be a UUID"}},"status":"is not one of the known values"}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldErrors(BTreeMap<Cow<'static, str>, Fault>);

/// What is wrong with a field: the field itself, or fields inside it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
enum Fault {
    Here(FieldError),
    Inside(FieldErrors),
}

/// Why a field is invalid.
///
/// Stored as its sentence. A sentence that matches no variant is read back as [`FieldError::Other`].
///
/// ```
/// use overdue::field_errors::FieldError;
///
/// let problem = FieldError::OutOfRange { least: 1, most: 720 };
/// assert_eq!(problem.to_string(), "must lie between 1 and 720");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FieldError {
    /// The field is missing.
    Missing,
    /// The field is null where null is not allowed.
    Null,
    /// The field is empty or only white space.
    Blank,
    /// Not a string, or one with an unpaired surrogate.
    NotText,
    /// Not a number.
    NotANumber,
    /// Not a whole number.
    NotWhole,
    /// Not an object.
    NotAnObject,
    /// Not one of the allowed values.
    Unknown,
    /// Not a UUID.
    NotAUuid,
    /// No character of the text is allowed in a slug.
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
    /// Anything else, in words: why a crontab does not parse, why a name is not allowed.
    Other(Box<str>),
}

impl FieldError {
    /// The problems without data, with their sentences.
    const PLAIN: [(FieldError, &'static str); 11] = [
        (FieldError::Missing, "is missing"),
        (FieldError::Null, "must not be null"),
        (FieldError::Blank, "must not be blank"),
        (FieldError::NotText, "must be a text"),
        (FieldError::NotANumber, "must be a number"),
        (FieldError::NotWhole, "must be a whole number"),
        (FieldError::NotAnObject, "must be an object"),
        (FieldError::Unknown, "is not one of the known values"),
        (FieldError::NotAUuid, "must be a UUID"),
        (FieldError::NotASlug, "needs at least one letter or digit"),
        (FieldError::WrongSchedule, "does not fit the type of the schedule"),
    ];

    /// Wraps the message of another error.
    pub(crate) fn other(reason: impl fmt::Display) -> Self {
        FieldError::Other(reason.to_string().into())
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldError::OutOfRange { least, most } => write!(f, "must lie between {least} and {most}"),
            FieldError::Other(reason) => f.write_str(reason),
            plain => Self::PLAIN
                .iter()
                .filter(|(problem, _)| problem == plain)
                .try_for_each(|(_, text)| f.write_str(text)),
        }
    }
}

impl From<&str> for FieldError {
    fn from(text: &str) -> Self {
        if let Some((problem, _)) = Self::PLAIN.into_iter().find(|(_, sentence)| *sentence == text) {
            return problem;
        }
        let bounds = text.strip_prefix("must lie between ").and_then(|rest| rest.split_once(" and "));
        match bounds.map(|(least, most)| (least.parse(), most.parse())) {
            Some((Ok(least), Ok(most))) => FieldError::OutOfRange { least, most },
            _ => FieldError::Other(text.into()),
        }
    }
}

impl Serialize for FieldError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FieldError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(deserializer)?.as_str().into())
    }
}

impl FieldErrors {
    /// Returns the error of a single field.
    pub fn one(field: &'static str, problem: FieldError) -> Self {
        Self(BTreeMap::from([(field.into(), Fault::Here(problem))]))
    }

    /// Nests the errors of fields inside another field.
    pub(crate) fn within(field: &'static str, errors: FieldErrors) -> Self {
        Self(BTreeMap::from([(field.into(), Fault::Inside(errors))]))
    }

    /// The invalid fields, in order of their names. The name of a nested field is preceded by those around it
    /// and dots.
    pub fn iter(&self) -> impl Iterator<Item = (String, &FieldError)> {
        let mut found = Vec::new();
        self.collect("", &mut found);
        found.into_iter()
    }

    /// Returns what is wrong with a field, named as in [`FieldErrors::iter`].
    ///
    /// ```
    /// use overdue::field_errors::{FieldErrors, FieldError};
    ///
    /// let errors = FieldErrors::one("status", FieldError::Missing);
    /// assert_eq!(errors.problem("status"), Some(&FieldError::Missing));
    /// assert_eq!(errors.problem("duration"), None);
    /// ```
    pub fn problem(&self, path: &str) -> Option<&FieldError> {
        let (name, inner) = path.split_once('.').map_or((path, None), |(name, inner)| (name, Some(inner)));
        match (self.0.get(name)?, inner) {
            (Fault::Here(problem), None) => Some(problem),
            (Fault::Inside(errors), Some(inner)) => errors.problem(inner),
            _ => None,
        }
    }

    fn collect<'a>(&'a self, around: &str, found: &mut Vec<(String, &'a FieldError)>) {
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

/// The errors found so far, so that a decoder reports all of them at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldErrorsBuilder(BTreeMap<Cow<'static, str>, Fault>);

impl FieldErrorsBuilder {
    /// Returns the value, or `None` after recording its error under the field's name.
    pub(crate) fn check<T>(&mut self, field: &'static str, value: Result<T, FieldError>) -> Option<T> {
        value.map_err(|problem| self.0.insert(field.into(), Fault::Here(problem))).ok()
    }

    /// Returns the value, or `None` after adding all its errors.
    pub(crate) fn join<T>(&mut self, value: Result<T, FieldErrors>) -> Option<T> {
        value.map_err(|errors| self.0.extend(errors.0)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// For a decoder that lacks a value: each time [`FieldErrorsBuilder::check`] and [`FieldErrorsBuilder::join`]
/// return `None`, they record an error, so there is at least one.
impl From<FieldErrorsBuilder> for FieldErrors {
    fn from(faults: FieldErrorsBuilder) -> Self {
        Self(faults.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_read_back_from_their_sentences() {
        let data = [
            FieldError::OutOfRange { least: i64::MIN, most: 720 },
            FieldError::Other("day of month: day 31 never occurs in February".into()),
            FieldError::Other("must lie between here and there".into()),
        ];
        for problem in FieldError::PLAIN.into_iter().map(|(problem, _)| problem).chain(data) {
            let text = problem.to_string();
            assert!(!text.is_empty(), "{problem:?}");
            assert_eq!(FieldError::from(text.as_str()), problem);
        }
    }

    #[test]
    fn errors_nest_as_the_message_does() {
        let mut faults = FieldErrorsBuilder::default();
        assert_eq!(faults.check::<()>("status", Err(FieldError::Missing)), None);
        assert_eq!(faults.check("duration", Ok(1)), Some(1));
        let inner = FieldErrors::within("trace", FieldErrors::one("trace_id", FieldError::NotAUuid));
        assert_eq!(faults.join::<()>(Err(FieldErrors::within("contexts", inner))), None);
        let errors = FieldErrors::from(faults);

        assert_eq!(errors.to_string(), "contexts.trace.trace_id must be a UUID; status is missing");
        assert_eq!(errors.problem("contexts.trace.trace_id"), Some(&FieldError::NotAUuid));
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
