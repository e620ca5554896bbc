//! Compares outcomes with the recorded ones.

use std::fmt;

use serde_json::Value;

use super::Trace;

/// Where an outcome first departs from the record.
pub(crate) struct Difference {
    op: usize,
    field: &'static str,
    recorded: Value,
    outcome: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { op, field, recorded, outcome } = self;
        write!(f, "op {op}, {field}:\n  recorded {recorded}\n  outcome  {outcome}")
    }
}

/// Compares the outcomes of a trace with the record, up to the first op at which the recorded system crashed.
/// The answer is how many ops were compared, or the first difference.
pub(crate) fn difference(trace: &Trace, outcomes: &[Value]) -> Result<usize, Difference> {
    let until = trace.expect.iter().position(|recorded| recorded.get("reference_crashes").is_some());
    let until = until.unwrap_or(trace.expect.len());
    for (op, (recorded, outcome)) in trace.expect.iter().zip(outcomes).enumerate().take(until) {
        for field in ["errors", "events", "environments", "checkins", "incidents"] {
            let (recorded, outcome) = (without_texts(&recorded[field]), without_texts(&outcome[field]));
            if recorded != outcome {
                return Err(Difference { op, field, recorded, outcome });
            }
        }
    }
    Ok(until)
}

/// Of the `errors` of validations the names of the fields are compared, not the texts.
fn without_texts(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_texts).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let value = if name == "errors" { names_alone(value) } else { value.clone() };
                (name.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}

fn names_alone(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), names_alone(value))).collect()
        }
        _ => Value::Null,
    }
}
