//! How the reference reads what jobs send, with its quirks.

use super::config::{self, ConfigFault};
use super::{Fields, Payload};
use crate::checkin::Checkin;
use crate::config::ConfigUpdate;
use crate::field_errors::FieldErrors;
use crate::policy::Quirks;

/// Reads a `monitor_config` like [`ConfigUpdate::from_json`]. Returns `None` if it can never work but is
/// accepted, which takes [`Quirk::UnusableConfigsSwallow`](crate::policy::Quirk::UnusableConfigsSwallow).
///
/// # Errors
/// [`FieldErrors`] names every invalid field that the reference sees.
///
/// ```
/// use overdue::policy::Quirks;
/// use overdue::wire::reference;
///
/// let empty = br#"{"schedule": ""}"#;
/// assert_eq!(reference::config(empty, Quirks::SENTRY_2024), Ok(None));
/// assert!(reference::config(empty, Quirks::NONE).is_err());
/// ```
pub fn config(json: &[u8], quirks: Quirks) -> Result<Option<ConfigUpdate>, FieldErrors> {
    match config::read(json, quirks) {
        Ok(update) => Ok(Some(update)),
        Err(ConfigFault { swallowed: true, .. }) => Ok(None),
        Err(ConfigFault { errors, .. }) => Err(errors),
    }
}

/// Validates the fields that are validated together, like [`Payload::fields`].
///
/// # Errors
/// [`FieldErrors`] names every invalid field that the reference sees.
///
/// ```
/// use overdue::policy::Quirks;
/// use overdue::wire::{Payload, reference};
///
/// let payload = Payload::parse(br#"{"status": "ok", "environment": ""}"#)?;
/// assert!(reference::fields(&payload, Quirks::SENTRY_2024).is_err());
/// assert!(reference::fields(&payload, Quirks::NONE).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fields(payload: &Payload, quirks: Quirks) -> Result<Fields<'_>, FieldErrors> {
    payload.fields_with(quirks)
}

/// Validates all fields of a payload at once, like [`Payload::checkin`]. A configuration that the reference
/// would swallow is left out.
///
/// # Errors
/// [`FieldErrors`] names every invalid field that the reference sees.
///
/// ```
/// use overdue::policy::Quirks;
/// use overdue::wire::{Payload, reference};
///
/// let json = br#"{"check_in_id": "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc", "monitor_slug": "nightly", "status": "ok",
///     "duration": true}"#;
/// let payload = Payload::parse(json)?;
/// let checkin = reference::checkin(&payload, Quirks::SENTRY_2024)?;
/// assert_eq!(checkin.duration().map(|duration| duration.get()), Some(1_000));
/// assert!(reference::checkin(&payload, Quirks::NONE).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn checkin(payload: &Payload, quirks: Quirks) -> Result<Checkin, FieldErrors> {
    payload.checkin_with(quirks)
}
