use serde::{Deserialize, Serialize};

/// The limits on live rules. The defaults are those of the reference system.
///
/// ```
/// use overdue::sampling::SamplingLimits;
///
/// let limits = SamplingLimits { per_project: 10, ..SamplingLimits::default() };
/// assert_eq!(limits.per_organization, 2000);
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "limits are their numbers")]
pub struct SamplingLimits {
    /// For any one project, counting those of the whole organization. The default is 50.
    pub per_project: u32,
    /// In an organization. The default is 2000.
    pub per_organization: u32,
}

impl Default for SamplingLimits {
    fn default() -> Self {
        Self { per_project: 50, per_organization: 2000 }
    }
}
