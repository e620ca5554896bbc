//! A check-in as JSON.

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Payload;
use crate::checkin::{Checkin, GivenConfig};

impl Serialize for Checkin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("check_in_id", &format_args!("{}", self.run))?;
        map.serialize_entry("monitor_slug", &self.slug)?;
        map.serialize_entry("status", &self.status)?;
        if let Some(duration) = self.duration {
            map.serialize_entry("duration", &duration.seconds())?;
        }
        map.serialize_entry("environment", &self.environment)?;
        if let Some(release) = &self.release {
            map.serialize_entry("release", release)?;
        }
        if let Some(trace_id) = self.trace_id {
            map.serialize_entry("contexts", &Contexts { trace: Trace { trace_id } })?;
        }
        match self.config.as_deref() {
            None => {}
            Some(GivenConfig::Update(update)) => map.serialize_entry("monitor_config", update)?,
            Some(GivenConfig::Invalid { sent, .. }) => {
                let sent: &RawValue = serde_json::from_str(sent).map_err(serde::ser::Error::custom)?;
                map.serialize_entry("monitor_config", sent)?;
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Contexts {
    trace: Trace,
}

#[derive(Serialize)]
struct Trace {
    trace_id: Uuid,
}

impl<'de> Deserialize<'de> for Checkin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Box::<RawValue>::deserialize(deserializer)?;
        Payload::parse(sent.get()).map_err(D::Error::custom)?.checkin().map_err(D::Error::custom)
    }
}
