//! How alike two names are spelled.

/// How many letters must be added, dropped or exchanged to make one name of the other, in any case.
pub(super) fn edits(one: &str, other: &str) -> usize {
    // To the start of `one` read so far, from each start of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for letter in one.bytes() {
        let mut diagonal = row.first().copied().unwrap_or(0);
        let mut left = diagonal.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (above, other) in row.iter_mut().skip(1).zip(other.bytes()) {
            let exchanged = diagonal.saturating_add(usize::from(!letter.eq_ignore_ascii_case(&other)));
            diagonal = *above;
            left = exchanged.min(left.min(*above).saturating_add(1));
            *above = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (one, other, count) in [("", "", 0), ("", "abc", 3), ("kitten", "SITTING", 3), ("abc", "ac", 1)] {
            assert_eq!((edits(one, other), edits(other, one)), (count, count), "{one} {other}");
        }
    }
}
