//! JSON one level deep: the type of a value, without decoding its contents.
//!
//! Messages come from strangers, so nothing here recurses, and unused fields are only skipped.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::field_errors::FieldError;

/// A JSON value, with lists and objects left as text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    /// A string with an unpaired surrogate, which JSON allows and Unicode does not.
    HalfText,
    List(&'a str),
    Object(&'a str),
}

/// A field of an object, as found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field<'a> {
    /// A string without escapes.
    Plain(&'a str),
    /// Any value.
    Raw(&'a str),
}

impl<'a> Field<'a> {
    pub(crate) const fn as_str(self) -> &'a str {
        match self {
            Self::Plain(text) | Self::Raw(text) => text,
        }
    }
}

impl<'a> From<Field<'a>> for Json<'a> {
    fn from(field: Field<'a>) -> Self {
        match field {
            Field::Plain(text) => Json::Text(Cow::Borrowed(text)),
            Field::Raw(raw) => Json::of(raw),
        }
    }
}

impl<'a> Json<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        match text.bytes().next() {
            Some(b'n') => Json::Null,
            Some(b't') => Json::Bool(true),
            Some(b'f') => Json::Bool(false),
            Some(b'[') => Json::List(text),
            Some(b'{') => Json::Object(text),
            Some(b'"') => Self::text(text),
            _ => Json::Number(text),
        }
    }

    fn text(quoted: &'a str) -> Self {
        let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match inner {
            Some(plain) if !plain.contains('\\') => Json::Text(Cow::Borrowed(plain)),
            _ => serde_json::from_str(quoted).map_or(Json::HalfText, |text| Json::Text(Cow::Owned(text))),
        }
    }

    /// Returns the string, or an error for any other value.
    pub(crate) fn into_text(self) -> Result<Cow<'a, str>, FieldError> {
        match self {
            Json::Text(text) => Ok(text),
            Json::Null => Err(FieldError::Null),
            _ => Err(FieldError::NotText),
        }
    }

    /// Returns the text of the object, or an error for any other value.
    pub(crate) fn into_object(self) -> Result<&'a str, FieldError> {
        match self {
            Json::Object(object) => Ok(object),
            _ => Err(FieldError::NotAnObject),
        }
    }
}

/// Returns the values of the fields with these names, in one pass over the text of an object. If a name comes
/// twice, the last value counts, as in most decoders.
pub(crate) fn pick<'a, const N: usize>(
    object: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], serde_json::Error> {
    let mut decoder = serde_json::Deserializer::from_str(object);
    let values = decoder.deserialize_map(Pick(names))?;
    decoder.end()?;
    Ok(values.map(|value| value.map(RawValue::get)))
}

/// Whether a list or an object is empty, given its text.
pub(crate) fn is_empty(text: &str) -> bool {
    let mut inner = text.chars();
    let _brackets = (inner.next(), inner.next_back());
    inner.as_str().trim().is_empty()
}

struct Pick<'n, const N: usize>([&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Pick<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [None; N];
        while let Some(place) = map.next_key_seed(Name(&self.0))? {
            let value = map.next_value()?;
            if let Some(slot) = place.and_then(|place| values.get_mut(place)) {
                *slot = Some(value);
            }
        }
        Ok(values)
    }
}

/// Reads a field's name as bytes, so that a name which is not Unicode is just an unknown one.
struct Name<'n>(&'n [&'n str]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|known| known.as_bytes() == name))
    }
}

/// Reads the string at the end of a path of names, through objects only. If a name is missing, returns
/// `None`. Anything but a plain string at the end, or an object before it, is an error.
pub(crate) struct TextAt<'n>(pub(crate) &'n [&'n str]);

impl<'de> DeserializeSeed<'de> for TextAt<'_> {
    type Value = Option<&'de str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.0 {
            [] => Deserialize::deserialize(deserializer).map(Some),
            _ => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for TextAt<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<&str>()? {
            match self.0 {
                [next, rest @ ..] if *next == name => found = map.next_value_seed(TextAt(rest))?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Json<'_> {
        Json::of(serde_json::from_str::<&RawValue>(text).unwrap().get())
    }

    #[test]
    fn tells_what_a_value_is() {
        assert_eq!(of(" null"), Json::Null);
        assert_eq!(of("true"), Json::Bool(true));
        assert_eq!(of("-0"), Json::Number("-0"));
        assert_eq!(of(r#""a\u0000b""#), Json::Text("a\0b".into()));
        assert_eq!(of(r#""\ud800""#), Json::HalfText);
        assert_eq!(of("[1 ]"), Json::List("[1 ]"));
        assert_eq!(of("{} "), Json::Object("{}"));
    }

    #[test]
    fn picks_the_last_of_a_name_and_skips_what_it_does_not_know() {
        let text = r#"{"a":1,"\ud800":2,"b":[[]],"\u0061":3}"#;
        let [a, c] = pick(text, ["a", "c"]).unwrap();
        assert_eq!(a, Some("3"));
        assert!(c.is_none());
        assert!(pick("{} x", ["a"]).is_err());
        assert!(pick("[]", ["a"]).is_err());
    }

    #[test]
    fn only_nothing_is_empty() {
        assert!(is_empty("{}") && is_empty("[ \n]"));
        assert!(!is_empty("[[]]") && !is_empty("[0]") && !is_empty(r#"{"":{}}"#));
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
        assert!(pick(&deep, ["a"]).is_ok());
    }
}
