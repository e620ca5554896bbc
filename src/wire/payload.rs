//! A check-in as received: its fields, each still to be validated.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use smol_str::SmolStr;
use uuid::Uuid;

use super::config::{self, ConfigFault};
use super::duration;
use super::json::{self, Field, Json, TextAt};
use crate::checkin::{Checkin, CheckinStatus, GivenConfig, ParseRunIdError, RunRef};
use crate::config::ConfigUpdate;
use crate::field_errors::{FieldError, FieldErrors, FieldErrorsBuilder, WHOLE};
use crate::id::{self, EnvironmentName, ParseEnvironmentNameError, Slug};
use crate::policy::{Quirk, Quirks};
use crate::row::RunDuration;

/// The fields of a check-in, in the order of [`NAMES`].
#[derive(Clone, Copy, Debug)]
enum Name {
    CheckInId,
    MonitorSlug,
    Status,
    Duration,
    Environment,
    Release,
    Contexts,
    MonitorConfig,
}

const NAMES: [&str; 8] = [
    "check_in_id",
    "monitor_slug",
    "status",
    "duration",
    "environment",
    "release",
    "contexts",
    "monitor_config",
];

/// Where each field lies in the text. `contexts` in [`Plain`] is the trace id within.
type Spans = [Option<Span>; NAMES.len()];

/// A check-in as received: a JSON object, and where its fields lie.
///
/// The text is parsed once, when the payload is made. A field is validated when a method asks for it. Intake
/// calls the methods in the order below, and [`Payload::checkin`] validates everything at once. Fields with
/// other names are skipped. If a field comes twice, the last one counts.
///
/// ```
/// use overdue::wire::Payload;
///
/// let payload = Payload::parse(br#"{"monitor_slug": "Backup DB", "status": "done", "duration": "long"}"#)?;
/// assert_eq!(payload.slug()?.as_str(), "backup-db");
/// assert!(payload.run().is_err());
/// assert_eq!(payload.config()?, None);
///
/// let errors = payload.checkin().unwrap_err();
/// let named: Vec<_> = errors.iter().map(|(field, _)| field).collect();
/// assert_eq!(named, ["check_in_id", "duration", "status"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Payload {
    text: String,
    fields: Spans,
}

/// Where a field lies in the text. No field starts at 0, where the object's brace is.
#[derive(Clone, Copy)]
struct Span {
    start: NonZeroU32,
    end: u32,
}

impl Span {
    /// Returns where a part lies in the text that it was cut from.
    fn of(text: &str, part: &str) -> Option<Self> {
        let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        Some(Self { start: u32::try_from(start).ok()?.try_into().ok()?, end: u32::try_from(end).ok()? })
    }

    /// Returns the field. A plain text begins after its quote, and any other value after a colon or white
    /// space.
    fn field(self, text: &str) -> Option<Field<'_>> {
        let start = self.start.get() as usize;
        let part = text.get(start..self.end as usize)?;
        Some(match text.as_bytes().get(start.checked_sub(1)?)? {
            b'"' => Field::Plain(part),
            _ => Field::Raw(part),
        })
    }
}

/// Bytes that are no payload, and why.
///
/// ```
/// use overdue::wire::{Payload, PayloadError};
///
/// let malformed = Payload::parse(b"hello").unwrap_err();
/// assert_eq!(malformed.error, PayloadError::NotJson { line: 1, column: 1 });
/// assert_eq!(malformed.bytes, b"hello");
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
#[expect(clippy::exhaustive_structs, reason = "the bytes and what is wrong with them")]
pub struct Malformed {
    /// What was sent.
    pub bytes: Vec<u8>,
    /// What is wrong with it.
    pub error: PayloadError,
}

/// Why the bytes are no message.
///
/// ```
/// use overdue::wire::{Payload, PayloadError};
///
/// assert_eq!(Payload::parse(b"[]").unwrap_err().error, PayloadError::NotAnObject);
/// assert_eq!(Payload::parse(b"{").unwrap_err().error, PayloadError::NotJson { line: 1, column: 1 });
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// They are not JSON in UTF-8.
    #[error("not JSON, as line {line} column {column} shows")]
    NotJson {
        /// The line of the error, from 1, or 0 if it is unknown.
        line: usize,
        /// The column of the error.
        column: usize,
    },
    /// They are longer than 4 GiB.
    #[error("longer than 4 GiB")]
    TooLong,
    /// They are JSON, but not an object.
    #[error("a check-in is a JSON object")]
    NotAnObject,
}

/// The fields of a check-in that are validated together.
///
/// ```
/// use overdue::wire::Payload;
/// use overdue::checkin::CheckinStatus;
/// let payload = Payload::parse(br#"{"status": "error", "environment": " dev "}"#)?;
/// let fields = payload.fields()?;
/// assert_eq!(fields.status, CheckinStatus::Error);
/// assert_eq!(fields.environment_name()?.as_str(), "dev");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fields<'a> {
    /// The status that the job reports for its run.
    pub status: CheckinStatus,
    /// How long the run took.
    pub duration: Option<RunDuration>,
    /// The environment's name as sent; [`Fields::environment_name`] validates it.
    pub environment: Option<Cow<'a, str>>,
    /// The release of the job's program. Never blank.
    pub release: Option<Cow<'a, str>>,
    /// The trace that the run belongs to.
    pub trace_id: Option<Uuid>,
}

impl Fields<'_> {
    /// The environment's name; production if there is none.
    ///
    /// # Errors
    /// [`ParseEnvironmentNameError`] says why the text is not a valid name.
    pub fn environment_name(&self) -> Result<EnvironmentName, ParseEnvironmentNameError> {
        environment_name(self.environment.as_deref(), Quirks::NONE)
    }
}

/// Returns the name of an environment as given, or production if there is none. While
/// [`Quirk::EnvironmentNamesUntrimmed`] is kept, nothing is trimmed.
pub(crate) fn environment_name(
    given: Option<&str>,
    quirks: Quirks,
) -> Result<EnvironmentName, ParseEnvironmentNameError> {
    match given.unwrap_or_default() {
        text if quirks.keeps(Quirk::EnvironmentNamesUntrimmed) => EnvironmentName::exactly(text),
        text => text.parse(),
    }
}

impl Payload {
    /// Finds the fields.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not a JSON object. The methods that validate a field report all other
    /// errors.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, Malformed> {
        let text = String::from_utf8(bytes.into()).map_err(|error| Malformed {
            bytes: error.into_bytes(),
            error: PayloadError::NotJson { line: 0, column: 0 },
        })?;
        if u32::try_from(text.len()).is_err() {
            return Err(Malformed { bytes: text.into_bytes(), error: PayloadError::TooLong });
        }
        match plain(&text).or_else(|_| raw(&text)) {
            Ok(fields) => Ok(Self { text, fields }),
            Err(error) => Err(Malformed {
                bytes: text.into_bytes(),
                error: match error.classify() {
                    serde_json::error::Category::Data => PayloadError::NotAnObject,
                    _ => PayloadError::NotJson { line: error.line(), column: error.column() },
                },
            }),
        }
    }

    /// The JSON that was sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn field(&self, name: Name) -> Option<Field<'_>> {
        (*self.fields.get(name as usize)?)?.field(&self.text)
    }

    /// A field of any type.
    fn json(&self, name: Name) -> Option<Json<'_>> {
        self.field(name).map(Json::from)
    }

    /// The text of a field that must be present.
    fn required_text(&self, name: Name) -> Result<Cow<'_, str>, FieldError> {
        self.json(name).ok_or(FieldError::Missing)?.into_text()
    }

    /// The text of a field that may be missing or null.
    fn optional_text(&self, name: Name) -> Result<Option<Cow<'_, str>>, FieldError> {
        match self.json(name) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => value.into_text().map(Some),
        }
    }

    /// The monitor's name in its project.
    ///
    /// # Errors
    /// [`FieldErrors`] for `monitor_slug` if it is missing, not a string, or has no character that a slug may
    /// have.
    pub fn slug(&self) -> Result<Slug, FieldErrors> {
        self.slug_field().map_err(|problem| FieldErrors::one("monitor_slug", problem))
    }

    fn slug_field(&self) -> Result<Slug, FieldError> {
        Slug::normalize(&self.required_text(Name::MonitorSlug)?).map_err(|_| FieldError::NotASlug)
    }

    /// The environment exactly as sent; `None` if it is missing, null or not a string.
    pub fn environment_as_given(&self) -> Option<Cow<'_, str>> {
        self.json(Name::Environment)?.into_text().ok()
    }

    /// Which run it is about.
    ///
    /// # Errors
    /// [`ParseRunIdError`] if the id is missing or not a UUID.
    pub fn run(&self) -> Result<RunRef, ParseRunIdError> {
        self.run_field().map_err(|_| ParseRunIdError)
    }

    fn run_field(&self) -> Result<RunRef, FieldError> {
        self.required_text(Name::CheckInId)?.parse().map_err(|_| FieldError::NotAUuid)
    }

    /// The configuration for the monitor. Missing, null and `{}` mean none.
    ///
    /// # Errors
    /// [`FieldErrors`] names the invalid fields.
    pub fn config(&self) -> Result<Option<ConfigUpdate>, FieldErrors> {
        self.config_with(Quirks::NONE).map_err(|fault| fault.errors)
    }

    fn config_with(&self, quirks: Quirks) -> Result<Option<ConfigUpdate>, ConfigFault> {
        match self.json(Name::MonitorConfig) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Object(object)) if json::is_empty(object) => Ok(None),
            Some(Json::Object(object)) => config::decode(object, quirks).map(Some),
            Some(_) => Err(FieldErrors::one(WHOLE, FieldError::NotAnObject).into()),
        }
    }

    /// The fields that are validated together: status, duration, environment, release and trace id.
    ///
    /// # Errors
    /// [`FieldErrors`] names all that are invalid. Whether the environment is a valid name is not checked
    /// here.
    pub fn fields(&self) -> Result<Fields<'_>, FieldErrors> {
        self.fields_with(Quirks::NONE)
    }

    pub(crate) fn fields_with(&self, quirks: Quirks) -> Result<Fields<'_>, FieldErrors> {
        self.judge_fields(self.status_field(), quirks)
    }

    /// Returns the fields with this status in place of the payload's.
    pub(crate) fn fields_assuming(
        &self,
        status: CheckinStatus,
        quirks: Quirks,
    ) -> Result<Fields<'_>, FieldErrors> {
        self.judge_fields(Ok(status), quirks)
    }

    fn judge_fields(
        &self,
        status: Result<CheckinStatus, FieldError>,
        quirks: Quirks,
    ) -> Result<Fields<'_>, FieldErrors> {
        let mut faults = FieldErrorsBuilder::default();
        let status = faults.check("status", status);
        let duration = self.json(Name::Duration).map_or(Ok(None), |value| duration::read(value, quirks));
        let duration = faults.check("duration", duration);
        let environment = faults.check("environment", self.environment_field(quirks));
        let release = faults.check("release", self.optional_text(Name::Release));
        let trace_id = faults.join(self.trace_id());
        let (Some(status), Some(duration), Some(environment), Some(release), Some(trace_id)) =
            (status, duration, environment, release, trace_id)
        else {
            return Err(faults.into());
        };
        let release = release.filter(|release| release.contains(|c: char| !c.is_whitespace()));
        Ok(Fields { status, duration, environment, release, trace_id })
    }

    fn status_field(&self) -> Result<CheckinStatus, FieldError> {
        self.required_text(Name::Status)?.parse().map_err(|_| FieldError::Unknown)
    }

    fn environment_field(&self, quirks: Quirks) -> Result<Option<Cow<'_, str>>, FieldError> {
        match self.optional_text(Name::Environment)? {
            Some(text) if quirks.keeps(Quirk::EnvironmentNamesUntrimmed) && text.trim().is_empty() => {
                Err(FieldError::Blank)
            }
            text => Ok(text),
        }
    }

    /// The trace id lies two objects deep. Each may be missing; only the outer one may be null.
    fn trace_id(&self) -> Result<Option<Uuid>, FieldErrors> {
        let at_trace = |errors| FieldErrors::within("contexts", FieldErrors::within("trace", errors));
        let not_a_uuid = |problem| at_trace(FieldErrors::one("trace_id", problem));
        let parse = |text: &str| id::parse_uuid(text).ok_or(FieldError::NotAUuid);
        let contexts = match self.field(Name::Contexts) {
            None => return Ok(None),
            Some(Field::Plain(trace_id)) => return parse(trace_id).map(Some).map_err(not_a_uuid),
            Some(Field::Raw(raw)) => match Json::of(raw) {
                Json::Null => return Ok(None),
                value => value
                    .into_object()
                    .map_err(|problem| FieldErrors::within("contexts", FieldErrors::one(WHOLE, problem)))?,
            },
        };
        let [Some(trace)] = json::pick(contexts, ["trace"]).unwrap_or_default() else { return Ok(None) };
        let trace = match Json::of(trace) {
            Json::Null => {
                return Err(FieldErrors::within("contexts", FieldErrors::one("trace", FieldError::Null)));
            }
            value => value.into_object().map_err(|problem| at_trace(FieldErrors::one(WHOLE, problem)))?,
        };
        let [Some(trace_id)] = json::pick(trace, ["trace_id"]).unwrap_or_default() else { return Ok(None) };
        Json::of(trace_id).into_text().and_then(|text| parse(&text)).map(Some).map_err(not_a_uuid)
    }

    /// Validates everything at once.
    ///
    /// # Errors
    /// [`FieldErrors`] names every invalid field. An invalid `monitor_config` is named among them, under its
    /// own name, but alone it does not fail the check-in: see [`Checkin::config`].
    pub fn checkin(&self) -> Result<Checkin, FieldErrors> {
        self.checkin_with(Quirks::NONE)
    }

    pub(super) fn checkin_with(&self, quirks: Quirks) -> Result<Checkin, FieldErrors> {
        let mut faults = FieldErrorsBuilder::default();
        let run = faults.check("check_in_id", self.run_field());
        let slug = faults.check("monitor_slug", self.slug_field());
        let fields = faults.join(self.fields_with(quirks));
        // This field is validated even if another one is invalid.
        let environment = environment_name(self.environment_as_given().as_deref(), quirks);
        let environment = faults.check("environment", environment.map_err(FieldError::other));
        let (Some(run), Some(slug), Some(fields), Some(environment)) = (run, slug, fields, environment)
        else {
            if let Err(ConfigFault { errors, swallowed: false }) = self.config_with(quirks) {
                faults.join::<()>(Err(FieldErrors::within("monitor_config", errors)));
            }
            return Err(faults.into());
        };
        Ok(checkin(slug, run, environment, fields, self.given_config(quirks).ok().flatten()))
    }

    /// Returns the configuration as a check-in keeps it.
    ///
    /// # Errors
    /// [`Swallowed`] only while [`Quirk::UnusableConfigsSwallow`] is kept.
    pub(crate) fn given_config(&self, quirks: Quirks) -> Result<Option<GivenConfig>, Swallowed> {
        match self.config_with(quirks) {
            Ok(update) => Ok(update.map(GivenConfig::Update)),
            Err(ConfigFault { swallowed: true, .. }) => Err(Swallowed),
            Err(ConfigFault { errors, .. }) => {
                let sent = self.field(Name::MonitorConfig).map_or("", Field::as_str);
                Ok(Some(GivenConfig::Invalid { errors, sent: sent.into() }))
            }
        }
    }
}

/// The reference accepts a configuration that can never work, and loses the check-in.
pub(crate) struct Swallowed;

/// Makes the check-in of a payload.
pub(crate) fn checkin(
    slug: Slug,
    run: RunRef,
    environment: EnvironmentName,
    fields: Fields<'_>,
    config: Option<GivenConfig>,
) -> Checkin {
    Checkin {
        slug,
        run,
        status: fields.status,
        duration: fields.duration,
        environment,
        release: fields.release.as_deref().map(SmolStr::from),
        trace_id: fields.trace_id,
        config: config.map(Box::new),
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Payload").field(&self.text).finish()
    }
}

/// Parses a message in the usual form, in one pass. What is valid but unusual, such as escapes in strings, is
/// an error here just like what is invalid: [`raw`] tells them apart.
fn plain(text: &str) -> Result<Spans, serde_json::Error> {
    let mut decoder = serde_json::Deserializer::from_str(text);
    let found = decoder.deserialize_map(Plain(text))?;
    decoder.end()?;
    Ok(found)
}

/// Parses any message, and leaves its fields as they are.
fn raw(text: &str) -> Result<Spans, serde_json::Error> {
    json::pick(text, NAMES).map(|found| found.map(|field| Span::of(text, field?)))
}

/// Finds the fields of a message whose strings are plain.
struct Plain<'a>(&'a str);

impl<'de> Visitor<'de> for Plain<'_> {
    type Value = Spans;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self(text) = self;
        let plain = |part| Span::of(text, part);
        let raw = |value: &'de RawValue| Span::of(text, value.get());
        let [mut check_in_id, mut monitor_slug, mut status, mut duration] = [None; 4];
        let [mut environment, mut release, mut contexts, mut monitor_config] = [None; 4];
        while let Some(name) = map.next_key()? {
            match name {
                "check_in_id" => check_in_id = plain(map.next_value()?),
                "monitor_slug" => monitor_slug = plain(map.next_value()?),
                "status" => status = plain(map.next_value()?),
                "duration" => duration = raw(map.next_value()?),
                "environment" => environment = map.next_value::<Option<_>>()?.and_then(plain),
                "release" => release = map.next_value::<Option<_>>()?.and_then(plain),
                "contexts" => contexts = map.next_value_seed(TextAt(&["trace", "trace_id"]))?.and_then(plain),
                "monitor_config" => monitor_config = raw(map.next_value()?),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok([check_in_id, monitor_slug, status, duration, environment, release, contexts, monitor_config])
    }
}

/// The error of bytes that are no payload.
impl From<PayloadError> for FieldErrors {
    fn from(error: PayloadError) -> Self {
        FieldErrors::one(WHOLE, FieldError::other(error))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = r#""5f2ab0c08d2d4ab2b2a1d34fd4e53fbc""#;

    /// The text of a value, with weights for plain, valid and invalid ones.
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
            let Ok(plain) = plain(&text) else { return Ok(()) };
            let plain = Payload { fields: plain, text: text.clone() };
            let raw = Payload { fields: raw(&text).unwrap(), text: text.clone() };
            prop_assert_eq!(plain.slug(), raw.slug());
            prop_assert_eq!(plain.run(), raw.run());
            prop_assert_eq!(plain.environment_as_given(), raw.environment_as_given());
            for quirks in [Quirks::NONE, Quirks::SENTRY_2024] {
                prop_assert_eq!(plain.fields_with(quirks), raw.fields_with(quirks));
                prop_assert_eq!(plain.given_config(quirks).ok(), raw.given_config(quirks).ok());
            }
            prop_assert_eq!(plain.config(), raw.config());
            prop_assert_eq!(plain.checkin(), raw.checkin());
        }
    }

    /// Otherwise the property above would hold of nothing.
    #[test]
    fn what_clients_send_is_plain() {
        let text = r#"{"check_in_id":"5f2ab0c08d2d4ab2b2a1d34fd4e53fbc","monitor_slug":"nightly","status":"ok",
            "duration":12.345,"environment":"production","release":null,"monitor_config":{"schedule":{}},
            "contexts":{"trace":{"trace_id":"5f2ab0c08d2d4ab2b2a1d34fd4e53fbc","op":"cron"}}}"#;
        let payload = Payload { fields: plain(text).unwrap(), text: text.to_owned() };
        assert!(matches!(payload.field(Name::CheckInId), Some(Field::Plain(_))));
        assert!(matches!(payload.field(Name::Contexts), Some(Field::Plain(_))));
        assert!(payload.fields().unwrap().trace_id.is_some());
    }
}
