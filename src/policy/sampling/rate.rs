use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// The share of traces to keep: from 0 (none) to 1 (all).
///
/// ```
/// use overdue::policy::SampleRate;
///
/// let half = SampleRate::new(0.5)?;
/// assert!(SampleRate::NONE < half && half < SampleRate::ALL);
/// assert!(SampleRate::new(1.5).is_err());
/// assert!(SampleRate::new(f64::NAN).is_err());
/// # Ok::<(), overdue::policy::InvalidSampleRate>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct SampleRate(f64);

/// The sample rate does not lie between 0 and 1.
///
/// ```
/// use overdue::policy::{InvalidSampleRate, SampleRate};
///
/// let error: InvalidSampleRate = SampleRate::new(-0.1).unwrap_err();
/// assert_eq!(error.to_string(), "a sample rate lies between 0 and 1");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a sample rate lies between 0 and 1")]
#[non_exhaustive]
pub struct InvalidSampleRate;

impl SampleRate {
    /// No traces.
    pub const NONE: SampleRate = SampleRate(0.0);
    /// All traces.
    pub const ALL: SampleRate = SampleRate(1.0);

    /// Makes a rate of this value.
    ///
    /// # Errors
    /// [`InvalidSampleRate`] if it does not lie between 0 and 1.
    pub const fn new(rate: f64) -> Result<Self, InvalidSampleRate> {
        if rate >= 0.0 && rate <= 1.0 {
            // A negative zero must compare as zero.
            Ok(Self(rate.abs()))
        } else {
            Err(InvalidSampleRate)
        }
    }

    /// The value, from 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Ord for SampleRate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for SampleRate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SampleRate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SampleRate {}

impl Hash for SampleRate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<f64> for SampleRate {
    type Error = InvalidSampleRate;

    fn try_from(rate: f64) -> Result<Self, InvalidSampleRate> {
        Self::new(rate)
    }
}

impl From<SampleRate> for f64 {
    fn from(rate: SampleRate) -> Self {
        rate.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rates_are_rates() {
        for wrong in [-f64::MIN_POSITIVE, 1.0 + f64::EPSILON, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(SampleRate::new(wrong), Err(InvalidSampleRate), "{wrong}");
        }
        assert_eq!(SampleRate::new(-0.0), Ok(SampleRate::NONE));
        assert!(serde_json::from_str::<SampleRate>("2").is_err());
        assert_eq!(serde_json::from_str::<SampleRate>("1").unwrap(), SampleRate::ALL);
    }
}
