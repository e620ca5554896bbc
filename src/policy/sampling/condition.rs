use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::id::ConditionId;

/// Which traces a rule applies to: a tree in the language of the host's sampler, which this crate stores and
/// compares but never evaluates.
///
/// The order of keys and the order within lists do not matter for equality. (As in the reference system: the
/// lists of such conditions are alternatives or conjunctions.)
///
/// ```
/// use overdue::policy::Condition;
/// use serde_json::json;
///
/// let one = Condition::new(json!({"op": "eq", "name": "event.environment", "value": ["prod", "dev"]}));
/// let same = Condition::new(json!({"value": ["dev", "prod"], "name": "event.environment", "op": "eq"}));
/// assert_eq!(one, same);
/// assert_eq!(one.id(), same.id());
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Value")]
pub struct Condition {
    value: Arc<Value>,
    id: ConditionId,
}

impl Condition {
    /// Makes a condition of this tree.
    pub fn new(value: Value) -> Self {
        let id = ConditionId::of(&canonical(&value));
        Self { value: Arc::new(value), id }
    }

    /// The traces of one monitor in one environment, by the names that Sentry's sampler uses for both.
    ///
    /// ```
    /// use overdue::policy::Condition;
    /// use serde_json::json;
    ///
    /// let condition = Condition::of_monitor("nightly-backup", "production");
    /// assert_eq!(condition, Condition::new(json!({"op": "and", "inner": [
    ///     {"op": "eq", "name": "event.contexts.monitor.slug", "value": "nightly-backup"},
    ///     {"op": "eq", "name": "event.environment", "value": "production"},
    /// ]})));
    /// ```
    pub fn of_monitor(slug: &str, environment: &str) -> Self {
        Self::new(json!({"op": "and", "inner": [
            {"op": "eq", "name": "event.contexts.monitor.slug", "value": slug},
            {"op": "eq", "name": "event.environment", "value": environment},
        ]}))
    }

    /// The tree, as it was given.
    pub fn as_value(&self) -> &Value {
        &self.value
    }

    /// The id that equal conditions share, by which a store can find rules.
    pub const fn id(&self) -> ConditionId {
        self.id
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Condition {}

impl Hash for Condition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl From<Value> for Condition {
    fn from(value: Value) -> Self {
        Self::new(value)
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

/// Returns the same text for every order of keys and of list items. Sorts by itself, because whether the maps
/// of `serde_json` are sorted depends on features that another crate may enable.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: BTreeMap<&String, String> =
                map.iter().map(|(key, value)| (key, canonical(value))).collect();
            let fields: Vec<String> =
                fields.into_iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let mut items: Vec<String> = items.iter().map(canonical).collect();
            items.sort_unstable();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_condition_is_pinned() {
        let condition = Condition::of_monitor("nightly-backup", "production");
        let canonical = r#"{"inner":[{"name":"event.contexts.monitor.slug","op":"eq","value":"nightly-backup"},{"name":"event.environment","op":"eq","value":"production"}],"op":"and"}"#;
        assert_eq!(super::canonical(condition.as_value()), canonical);
        assert_eq!(condition.id().to_string(), "bc6a5808-7a93-54ff-83ae-97a31a354eb9");
    }

    #[test]
    fn what_says_something_else_is_another_condition() {
        let different = [
            json!(1),
            json!("1"),
            json!([1]),
            json!([1, 1]),
            json!([[1]]),
            json!(["1", "2"]),
            json!(["1,2"]),
            json!({"a": 1}),
            json!({"a": "1"}),
            json!({"a": {"b": 1}}),
            json!({"a:1": {}}),
            json!({"a\":1,\"b": 2}),
            json!({"a": 1, "b": 2}),
            json!(null),
            json!("null"),
        ];
        let distinct: std::collections::HashSet<_> =
            different.clone().into_iter().map(Condition::new).collect();
        assert_eq!(distinct.len(), different.len());
    }
}
