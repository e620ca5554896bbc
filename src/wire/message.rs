//! A check-in as it reaches the engine: what the job sent, when it was received, and for whom.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::payload::{Malformed, Payload};
use crate::checkin::Checkin;
use crate::id::{EnvironmentName, MonitorKey, OrganizationId, ProjectId, Slug};

/// A check-in and its envelope.
///
/// ```
/// use overdue::Message;
/// use overdue::id::{OrganizationId, ProjectId};
///
/// let message = Message {
///     organization: OrganizationId::new(1),
///     project: ProjectId::new(7),
///     received_at: "2024-09-02T02:11:30Z".parse()?,
///     body: br#"{"check_in_id": "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc", "monitor_slug": "nightly", "status": "ok"}"#
///         .to_vec()
///         .into(),
/// };
/// # let _ = message;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a host makes it")]
pub struct Message {
    /// The owner of the project.
    pub organization: OrganizationId,
    /// The project it was sent to.
    pub project: ProjectId,
    /// When it was first received. A message in a backlog keeps this time.
    pub received_at: DateTime<Utc>,
    /// What the job sent.
    pub body: Body,
}

impl Message {
    /// Makes a message for a check-in of a project, received at this time. The check-in is made in code, or
    /// the bytes as received.
    pub fn new(
        organization: OrganizationId,
        project: ProjectId,
        received_at: DateTime<Utc>,
        body: impl Into<Body>,
    ) -> Self {
        Self { organization, project, received_at, body: body.into() }
    }

    /// The monitor it names, if a slug can be parsed.
    pub fn monitor(&self) -> Option<MonitorKey> {
        let slug = match &self.body {
            Body::Checkin(checkin) => checkin.slug().clone(),
            Body::Json(payload) => payload.slug().ok()?,
            Body::Malformed(_) => return None,
        };
        Some(MonitorKey { project: self.project, slug })
    }
}

/// What a job sent.
///
/// ```
/// use overdue::wire::Body;
/// use overdue::checkin::{Checkin, CheckinStatus, RunRef};
///
/// let typed = Body::from(Checkin::new("nightly".parse()?, RunRef::Anonymous, CheckinStatus::Ok));
/// let raw = Body::from(typed.bytes().into_owned());
/// assert!(matches!(typed, Body::Checkin(_)));
/// assert!(matches!(raw, Body::Json(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(clippy::exhaustive_enums, reason = "typed or raw")]
pub enum Body {
    /// A check-in made in code, valid by its type.
    Checkin(Box<Checkin>),
    /// A payload as received, still to be validated. Serialises as a string.
    #[serde(serialize_with = "text")]
    Json(Payload),
    /// Bytes that are no payload. Serialises as a string, in which bytes that are not UTF-8 are replaced.
    #[serde(serialize_with = "replaced")]
    Malformed(Malformed),
}

impl Body {
    /// What the job sent, as JSON.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Checkin(checkin) => Cow::Owned(serde_json::to_vec(checkin).unwrap_or_default()),
            Self::Json(payload) => Cow::Borrowed(payload.text().as_bytes()),
            Self::Malformed(malformed) => Cow::Borrowed(&malformed.bytes),
        }
    }

    /// The slug and the environment's name, as far as they can be parsed.
    pub(crate) fn names(&self) -> (Box<str>, Box<str>) {
        match self {
            Self::Checkin(checkin) => (checkin.slug().as_str().into(), checkin.environment().as_str().into()),
            Self::Json(payload) => {
                let slug = payload.slug();
                let given = payload.environment_as_given().unwrap_or_default();
                let name = given.parse::<EnvironmentName>();
                let environment = name.as_ref().map_or(&*given, EnvironmentName::as_str);
                (slug.as_ref().map_or("", Slug::as_str).into(), environment.into())
            }
            Self::Malformed(_) => ("".into(), EnvironmentName::production().as_str().into()),
        }
    }
}

fn text<S: Serializer>(payload: &Payload, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(payload.text())
}

fn replaced<S: Serializer>(malformed: &Malformed, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(&malformed.bytes))
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A check-in needs the very text that it is given. The buffer through which the event around a
        // rejected message is read does not have it.
        match Value::deserialize(deserializer)? {
            Value::String(json) => Ok(json.into_bytes().into()),
            checkin => {
                serde_json::from_str(&checkin.to_string()).map(Self::Checkin).map_err(D::Error::custom)
            }
        }
    }
}

impl From<Checkin> for Body {
    fn from(checkin: Checkin) -> Self {
        Self::Checkin(Box::new(checkin))
    }
}

/// Parses the bytes as received, once and for all.
impl From<Vec<u8>> for Body {
    fn from(json: Vec<u8>) -> Self {
        match Payload::parse(json) {
            Ok(payload) => Self::Json(payload),
            Err(malformed) => Self::Malformed(malformed),
        }
    }
}
