//! `@every 1h30m`: a duration as Go writes it.

use std::num::NonZeroU32;

/// So many are a century.
const MOST_SECONDS: f64 = 3_155_760_000.0;

/// Whole seconds, and one at least. `None` for what is no duration, or longer than a century.
pub(super) fn seconds(text: &str) -> Option<NonZeroU32> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let number: f64 = number.parse().ok()?;
        let length = unit.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(unit.len());
        let (unit, left) = unit.split_at_checked(length)?;
        seconds += number
            * match unit {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3_600.0,
                _ => return None,
            };
        rest = left;
    }
    if !(0.0..=MOST_SECONDS).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bounds")]
    NonZeroU32::new((seconds as u32).max(1))
}
