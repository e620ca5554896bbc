//! UUIDs in the spellings that senders use.

use uuid::Uuid;

/// Parses 32 hexadecimal digits, with any hyphens between them, and with or without braces around or
/// `urn:uuid:` before them. Senders were never held to one spelling.
pub(crate) fn parse(text: &str) -> Option<Uuid> {
    // Almost all are in a standard form, which `uuid` parses several times as fast.
    Uuid::try_parse(text).ok().or_else(|| parse_loosely(text))
}

fn parse_loosely(text: &str) -> Option<Uuid> {
    let text = text.strip_prefix("urn:").unwrap_or(text);
    let text = text.strip_prefix("uuid:").unwrap_or(text);
    let mut digits = 0_u8;
    let mut value = 0_u128;
    for byte in text.trim_matches(['{', '}']).bytes().filter(|byte| *byte != b'-') {
        digits = digits.checked_add(1).filter(|count| *count <= 32)?;
        value = (value << 4) | u128::from(char::from(byte).to_digit(16)?);
    }
    (digits == 32).then_some(Uuid::from_u128(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_spelling_names_the_same_id() {
        let id = parse("abcdef01-2345-4678-89ab-cdef01234567").unwrap();
        assert_eq!(id.to_string(), "abcdef01-2345-4678-89ab-cdef01234567");
        for text in [
            "ABCDEF01-2345-4678-89AB-CDEF01234567",
            "abcdef012345467889abcdef01234567",
            "{abcdef01-2345-4678-89ab-cdef01234567}",
            "urn:uuid:abcdef01-2345-4678-89ab-cdef01234567",
            "uuid:{abcdef0123454678-89ab-cdef01234567}",
            "-a-b-cdef0123454678-89ab-cdef01234567-",
        ] {
            assert_eq!(parse(text), Some(id), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        let long = "0".repeat(1000);
        for text in [
            "",
            "hello",
            "12345678-1234-1234-1234-12345678901",
            "0x345678-1234-1234-1234-123456789012",
            &long,
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"é".repeat(16)), None);
    }
}
