//! A message as it came in: the fields of a check-in, each still to be judged.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::checkin::Millis;
use crate::checkin::guid;
use crate::checkin::json::{self, Field, Json, TextAt};
use crate::checkin::{Checkin, GivenConfig, InvalidGuid, ReportedStatus, RunRef};
use crate::checkin::{Faults, FieldErrors, FieldProblem, WHOLE};
use crate::config::{ConfigError, ConfigUpdate};
use crate::key::{EnvironmentName, InvalidEnvironmentName, Slug};
use crate::policy::{Quirk, Quirks};

/// A check-in message of which only one thing is known: it is a JSON object.
///
/// Borrows the bytes it was read from, and looks into a field no earlier than somebody asks for it. Intake
/// asks in the order of the methods below; who wants everything at once asks for [`Payload::checkin`]. Fields
/// with other names are passed over, and of a field that comes twice the last one counts.
///
/// ```
/// use overdue::checkin::Payload;
/// use overdue::policy::Quirks;
///
/// let payload = Payload::from_json(br#"{"monitor_slug": "Backup DB", "status": "done", "duration": "long"}"#)?;
/// assert_eq!(payload.slug()?.as_str(), "backup-db");
/// assert!(payload.run().is_err());
/// assert_eq!(payload.config(Quirks::NONE)?, None);
///
/// let errors = payload.checkin(Quirks::NONE).unwrap_err();
/// let named: Vec<_> = errors.iter().map(|(field, _)| field).collect();
/// assert_eq!(named, ["check_in_id", "duration", "status"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    check_in_id: Option<Field<'a>>,
    monitor_slug: Option<Field<'a>>,
    status: Option<Field<'a>>,
    duration: Option<&'a RawValue>,
    environment: Option<Field<'a>>,
    release: Option<Field<'a>>,
    contexts: Option<Contexts<'a>>,
    monitor_config: Option<&'a RawValue>,
}

/// All that is asked of the contexts is a trace id, two objects deep.
#[derive(Clone, Copy, Debug)]
enum Contexts<'a> {
    TraceId(&'a str),
    Raw(&'a RawValue),
}

/// The bytes hold no message at all.
///
/// ```
/// use overdue::checkin::{Payload, PayloadError};
///
/// assert_eq!(Payload::from_json(b"[]").unwrap_err(), PayloadError::NotAnObject);
/// assert_eq!(Payload::from_json(b"{").unwrap_err(), PayloadError::NotJson { line: 1, column: 1 });
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// They are not JSON in UTF-8.
    #[error("not JSON, as line {line} column {column} shows")]
    NotJson {
        /// The line at which this showed, from 1, or 0 when it is unknown.
        line: usize,
        /// The column in it.
        column: usize,
    },
    /// They are JSON, but no object.
    #[error("a check-in is a JSON object")]
    NotAnObject,
}

/// The fields of a check-in that are judged together.
///
/// ```
/// use overdue::checkin::{Payload, ReportedStatus};
/// use overdue::policy::Quirks;
///
/// let payload = Payload::from_json(br#"{"status": "error", "environment": " dev "}"#)?;
/// let fields = payload.fields(Quirks::NONE)?;
/// assert_eq!(fields.status, ReportedStatus::Error);
/// assert_eq!(fields.environment_name(Quirks::NONE)?.as_str(), "dev");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fields<'a> {
    /// What the job says of its run.
    pub status: ReportedStatus,
    /// How long the run took.
    pub duration: Option<Millis>,
    /// The environment's name as sent; whether it can be one is judged by [`Fields::environment_name`].
    pub environment: Option<Cow<'a, str>>,
    /// The release of the job's program, never blank.
    pub release: Option<Cow<'a, str>>,
    /// The trace that the run belongs to.
    pub trace_id: Option<Uuid>,
}

impl Fields<'_> {
    /// The environment's name, production if there is none.
    ///
    /// # Errors
    /// [`InvalidEnvironmentName`] says why a text cannot be a name.
    pub fn environment_name(&self, quirks: Quirks) -> Result<EnvironmentName, InvalidEnvironmentName> {
        match &self.environment {
            None => Ok(EnvironmentName::production()),
            Some(text) => EnvironmentName::parse(text, quirks),
        }
    }
}

impl<'a> Payload<'a> {
    const NOTHING: Self = Self {
        check_in_id: None,
        monitor_slug: None,
        status: None,
        duration: None,
        environment: None,
        release: None,
        contexts: None,
        monitor_config: None,
    };

    /// Finds the fields.
    ///
    /// # Errors
    /// [`PayloadError::NotJson`] and [`PayloadError::NotAnObject`]; everything smaller is left to the methods
    /// that look into the fields.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, PayloadError> {
        let text = std::str::from_utf8(bytes).map_err(|_| PayloadError::NotJson { line: 0, column: 0 })?;
        Self::plain(text).or_else(|_| Self::raw(text)).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => PayloadError::NotAnObject,
            _ => PayloadError::NotJson { line: error.line(), column: error.column() },
        })
    }

    /// Reads a message as almost every one is written, in one pass. What is right but unusual, like texts
    /// with escapes, is an error here just as what is wrong: [`raw`](Self::raw) tells them apart.
    fn plain(text: &'a str) -> Result<Self, serde_json::Error> {
        let mut decoder = serde_json::Deserializer::from_str(text);
        let payload = decoder.deserialize_map(Plain)?;
        decoder.end()?;
        Ok(payload)
    }

    /// Reads any message, with its fields left as they are.
    fn raw(text: &'a str) -> Result<Self, serde_json::Error> {
        let [check_in_id, monitor_slug, status, duration, environment, release, contexts, monitor_config] =
            json::pick(
                text,
                [
                    "check_in_id",
                    "monitor_slug",
                    "status",
                    "duration",
                    "environment",
                    "release",
                    "contexts",
                    "monitor_config",
                ],
            )?;
        Ok(Self {
            check_in_id: check_in_id.map(Field::Raw),
            monitor_slug: monitor_slug.map(Field::Raw),
            status: status.map(Field::Raw),
            duration,
            environment: environment.map(Field::Raw),
            release: release.map(Field::Raw),
            contexts: contexts.map(Contexts::Raw),
            monitor_config,
        })
    }

    /// The monitor's name in its project.
    ///
    /// # Errors
    /// [`FieldErrors`] for `monitor_slug` when it is missing, no text, or nothing of it can stand in a slug.
    pub fn slug(&self) -> Result<Slug, FieldErrors> {
        self.slug_field().map_err(|problem| FieldErrors::one("monitor_slug", problem))
    }

    fn slug_field(&self) -> Result<Slug, FieldProblem> {
        Slug::normalize(&required_text(self.monitor_slug)?).map_err(|_| FieldProblem::NotASlug)
    }

    /// The environment exactly as sent; nothing if it is missing, null or no text.
    pub fn environment_as_given(&self) -> Option<Cow<'a, str>> {
        Json::from(self.environment?).into_text().ok()
    }

    /// Which run it speaks of.
    ///
    /// # Errors
    /// [`InvalidGuid`] when the id is missing or no UUID.
    pub fn run(&self) -> Result<RunRef, InvalidGuid> {
        self.run_field().map_err(|_| InvalidGuid)
    }

    fn run_field(&self) -> Result<RunRef, FieldProblem> {
        required_text(self.check_in_id)?.parse().map_err(|_| FieldProblem::NotAUuid)
    }

    /// How the monitor is to be configured. Missing, null and `{}` say nothing.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] names the fields at fault; [`ConfigError::Unusable`] exists only while
    /// [`Quirk::UnusableConfigsSwallow`] is kept.
    pub fn config(&self, quirks: Quirks) -> Result<Option<ConfigUpdate>, ConfigError> {
        match self.monitor_config.map(Json::of) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Object(object)) if json::is_empty(object) => Ok(None),
            Some(Json::Object(object)) => ConfigUpdate::from_json(object.as_bytes(), quirks).map(Some),
            Some(_) => Err(ConfigError::Invalid(FieldErrors::one(WHOLE, FieldProblem::NotAnObject))),
        }
    }

    /// The fields that are judged together: status, duration, environment, release and trace id.
    ///
    /// # Errors
    /// [`FieldErrors`] names all that are at fault. Whether the environment can be a name is not judged here,
    /// except that [`Quirk::EnvironmentNamesUntrimmed`] has a blank one refused.
    pub fn fields(&self, quirks: Quirks) -> Result<Fields<'a>, FieldErrors> {
        let mut faults = Faults::default();
        let status = faults.check("status", self.status_field());
        let duration = faults.check(
            "duration",
            self.duration.map(Json::of).map_or(Ok(None), |value| Millis::from_json(value, quirks)),
        );
        let environment = faults.check("environment", self.environment_field(quirks));
        let release = faults.check("release", optional_text(self.release));
        let trace_id = faults.join(self.trace_id());
        let (Some(status), Some(duration), Some(environment), Some(release), Some(trace_id)) =
            (status, duration, environment, release, trace_id)
        else {
            return Err(faults.into());
        };
        let release = release.filter(|release| release.contains(|c: char| !c.is_whitespace()));
        Ok(Fields { status, duration, environment, release, trace_id })
    }

    fn status_field(&self) -> Result<ReportedStatus, FieldProblem> {
        required_text(self.status)?.parse().map_err(|_| FieldProblem::Unknown)
    }

    fn environment_field(&self, quirks: Quirks) -> Result<Option<Cow<'a, str>>, FieldProblem> {
        match optional_text(self.environment)? {
            Some(text) if quirks.keeps(Quirk::EnvironmentNamesUntrimmed) && text.trim().is_empty() => {
                Err(FieldProblem::Blank)
            }
            text => Ok(text),
        }
    }

    /// The trace id lies two objects deep. Each may be missing, only the outer one may be null.
    fn trace_id(&self) -> Result<Option<Uuid>, FieldErrors> {
        let at_trace = |errors| FieldErrors::within("contexts", FieldErrors::within("trace", errors));
        let not_a_uuid = |problem| at_trace(FieldErrors::one("trace_id", problem));
        let parse = |text: &str| guid::parse(text).ok_or(FieldProblem::NotAUuid);
        let contexts = match self.contexts {
            None => return Ok(None),
            Some(Contexts::TraceId(text)) => return parse(text).map(Some).map_err(not_a_uuid),
            Some(Contexts::Raw(raw)) => match Json::of(raw) {
                Json::Null => return Ok(None),
                value => value
                    .into_object()
                    .map_err(|problem| FieldErrors::within("contexts", FieldErrors::one(WHOLE, problem)))?,
            },
        };
        let [Some(trace)] = json::pick(contexts, ["trace"]).unwrap_or_default() else { return Ok(None) };
        let trace = match Json::of(trace) {
            Json::Null => {
                return Err(FieldErrors::within("contexts", FieldErrors::one("trace", FieldProblem::Null)));
            }
            value => value.into_object().map_err(|problem| at_trace(FieldErrors::one(WHOLE, problem)))?,
        };
        let [Some(trace_id)] = json::pick(trace, ["trace_id"]).unwrap_or_default() else { return Ok(None) };
        Json::of(trace_id).into_text().and_then(|text| parse(&text)).map(Some).map_err(not_a_uuid)
    }

    /// Everything at once.
    ///
    /// # Errors
    /// [`FieldErrors`] names every field at fault. A `monitor_config` that is wrong is named among them, under
    /// its own name, but by itself it does not fail the check-in: see [`Checkin::config`].
    pub fn checkin(&self, quirks: Quirks) -> Result<Checkin, FieldErrors> {
        let mut faults = Faults::default();
        let run = faults.check("check_in_id", self.run_field());
        let slug = faults.check("monitor_slug", self.slug_field());
        let fields = faults.join(self.fields(quirks));
        let environment = match &fields {
            Some(fields) => fields.environment_name(quirks),
            // Another field is at fault: this one is still to be judged.
            None => EnvironmentName::parse(&self.environment_as_given().unwrap_or_default(), quirks),
        };
        let environment = faults.check("environment", environment.map_err(FieldProblem::other));
        let (Some(run), Some(slug), Some(fields), Some(environment)) = (run, slug, fields, environment)
        else {
            if let Err(ConfigError::Invalid(errors)) = self.config(quirks) {
                faults.join::<()>(Err(FieldErrors::within("monitor_config", errors)));
            }
            return Err(faults.into());
        };
        Ok(self.complete(slug, run, environment, fields, quirks))
    }

    /// The check-in of these parts and the payload's `monitor_config`.
    pub(crate) fn complete(
        &self,
        slug: Slug,
        run: RunRef,
        environment: EnvironmentName,
        fields: Fields<'_>,
        quirks: Quirks,
    ) -> Checkin {
        let config = match self.config(quirks) {
            Ok(update) => update.map(GivenConfig::Update),
            Err(error) => {
                self.monitor_config.map(|sent| GivenConfig::Refused { error, sent: sent.get().into() })
            }
        };
        Checkin::decoded(slug, run, environment, fields, config)
    }
}

/// Reads the payload of a message whose texts are plain.
struct Plain;

impl<'de> Visitor<'de> for Plain {
    type Value = Payload<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut payload = Payload::NOTHING;
        while let Some(name) = map.next_key()? {
            match name {
                "check_in_id" => payload.check_in_id = Some(Field::Plain(map.next_value()?)),
                "monitor_slug" => payload.monitor_slug = Some(Field::Plain(map.next_value()?)),
                "status" => payload.status = Some(Field::Plain(map.next_value()?)),
                "duration" => payload.duration = Some(map.next_value()?),
                "environment" => payload.environment = map.next_value::<Option<_>>()?.map(Field::Plain),
                "release" => payload.release = map.next_value::<Option<_>>()?.map(Field::Plain),
                "contexts" => {
                    let trace_id = map.next_value_seed(TextAt(&["trace", "trace_id"]))?;
                    payload.contexts = trace_id.map(Contexts::TraceId);
                }
                "monitor_config" => payload.monitor_config = Some(map.next_value()?),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(payload)
    }
}

/// What a host is told of bytes that are no payload at all.
impl From<PayloadError> for FieldErrors {
    fn from(error: PayloadError) -> Self {
        FieldErrors::one(WHOLE, FieldProblem::other(error))
    }
}

/// The text of a field that must be there.
fn required_text(field: Option<Field<'_>>) -> Result<Cow<'_, str>, FieldProblem> {
    field.map(Json::from).ok_or(FieldProblem::Missing)?.into_text()
}

/// The text of a field that may be missing or null.
fn optional_text(field: Option<Field<'_>>) -> Result<Option<Cow<'_, str>>, FieldProblem> {
    match field.map(Json::from) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => value.into_text().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = r#""5f2ab0c08d2d4ab2b2a1d34fd4e53fbc""#;

    /// The text of a value, and how often it may be plain, right, or wrong.
    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            30 => prop::sample::select(vec![ID, r#""ok""#, r#""Backup DB""#, r#""a/b""#, r#"" ""#]),
            2 => prop::sample::select(vec!["null", "1.5", "-1", "1e999", "true", "[]", "{}", r#"["ok"]"#]),
            1 => prop::sample::select(vec![r#""a\/b""#, r#""\ud800""#, "\"\u{1}\"", "1.", "[1", r#"{"a": }"#]),
        ]
        .prop_map(str::to_owned)
    }

    /// The text of an object with fields of these names, some of them twice.
    fn object(
        names: &'static [&'static str],
        value: impl Strategy<Value = String>,
    ) -> impl Strategy<Value = String> {
        let field = (prop::sample::select(names), value);
        let field = field.prop_map(|(name, value)| format!("\"{name}\": {value}"));
        prop::collection::vec(field, 0..6).prop_map(|fields| format!("{{{}}}", fields.join(", ")))
    }

    /// What a sender may make of a message.
    fn message() -> impl Strategy<Value = String> {
        let trace = object(&["trace_id", "trace_id", "span_id"], value());
        let contexts = object(&["trace", "trace", "os"], prop_oneof![9 => trace, 1 => value()]);
        let contexts = prop_oneof![9 => contexts, 1 => value()].prop_map(|value| ("contexts", value));
        let texts = vec!["check_in_id", "monitor_slug", "status", "environment", "release", "other"];
        let text = (prop::sample::select(texts), value());
        let number = prop::sample::select(vec!["null", "1.5", "-1", "1e999", "true", "{}"]);
        let others = vec!["duration", "monitor_config", r"st\u0061tus"];
        let other = (prop::sample::select(others), number.prop_map(str::to_owned));
        let field = prop_oneof![6 => text, 3 => contexts, 1 => other];
        let field = field.prop_map(|(name, value)| format!("\"{name}\": {value}"));
        let end = prop::sample::select(vec!["", "", "", "", "\n", " x"]);
        (prop::collection::vec(field, 0..8), end)
            .prop_map(|(fields, end)| format!("{{{}}}{end}", fields.join(", ")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn a_plain_message_says_what_it_says_field_by_field(text in message()) {
            let Ok(plain) = Payload::plain(&text) else { return Ok(()) };
            let raw = Payload::raw(&text).unwrap();
            prop_assert_eq!(plain.slug(), raw.slug());
            prop_assert_eq!(plain.run(), raw.run());
            prop_assert_eq!(plain.environment_as_given(), raw.environment_as_given());
            for quirks in [Quirks::NONE, Quirks::ALL] {
                prop_assert_eq!(plain.fields(quirks), raw.fields(quirks));
                prop_assert_eq!(plain.config(quirks), raw.config(quirks));
                prop_assert_eq!(plain.checkin(quirks), raw.checkin(quirks));
            }
        }
    }

    /// Or the property above would hold of nothing.
    #[test]
    fn what_clients_send_is_plain() {
        let text = r#"{"check_in_id":"5f2ab0c08d2d4ab2b2a1d34fd4e53fbc","monitor_slug":"nightly","status":"ok",
            "duration":12.345,"environment":"production","release":null,"monitor_config":{"schedule":{}},
            "contexts":{"trace":{"trace_id":"5f2ab0c08d2d4ab2b2a1d34fd4e53fbc","op":"cron"}}}"#;
        let payload = Payload::plain(text).unwrap();
        assert!(matches!(payload.check_in_id, Some(Field::Plain(_))));
        assert!(matches!(payload.contexts, Some(Contexts::TraceId(_))));
        assert!(payload.fields(Quirks::NONE).unwrap().trace_id.is_some());
    }
}
