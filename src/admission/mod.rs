//! Admission of check-ins: the host's kill switches, limits, quotas and seats.

mod rate_limiter;
mod valid_checkin;

pub use rate_limiter::{RateLimiter, RateVerdict};
pub use valid_checkin::ValidCheckin;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::id::{MonitorKey, OrganizationId, ProjectId, Slug};

/// Decides which check-ins to process. The default, [`AdmitAll`], admits every one.
///
/// [`admit`](Self::admit) is called once for each check-in, before its payload is validated and before
/// anything is loaded; [`seat`](Self::seat) only where that asks for one. A tuple combines several gates: the
/// first that does not admit decides.
///
/// ```
/// use overdue::admission::{Admission, AdmissionDecision, AdmissionRequest, RateLimiter, Seat};
/// use overdue::event::NoSink;
/// use overdue::id::{OrganizationId, MonitorKey};
/// use overdue::{Engine, MemoryStore, Policy};
///
/// struct KillSwitch(Vec<OrganizationId>);
///
/// impl Admission for KillSwitch {
///     fn admit(&self, request: &AdmissionRequest<'_>) -> AdmissionDecision {
///         if self.0.contains(&request.organization) { AdmissionDecision::KillSwitch } else { AdmissionDecision::Admit }
///     }
///
///     fn seat(&self, _: &MonitorKey) -> Seat {
///         Seat::Granted
///     }
/// }
///
/// let gates = (KillSwitch(vec![OrganizationId::new(666)]), RateLimiter::default());
/// let engine = Engine::new(MemoryStore::new(), Policy::default()).with_admission(gates);
/// ```
pub trait Admission {
    /// Decides whether to process a check-in.
    fn admit(&self, request: &AdmissionRequest<'_>) -> AdmissionDecision;

    /// Decides whether there is a seat for a monitor.
    ///
    /// It is called only if [`admit`](Self::admit) answered
    /// [`AdmitIfSeated`](AdmissionDecision::AdmitIfSeated) and the check-in brings a configuration.
    fn seat(&self, monitor: &MonitorKey) -> Seat;
}

/// A check-in that asks for admission.
///
/// ```
/// use overdue::admission::{AdmissionDecision, AdmissionRequest};
///
/// /// Staging is limited to the first project.
/// fn admit(request: &AdmissionRequest<'_>) -> AdmissionDecision {
///     match (request.environment, request.project.get()) {
///         ("staging", 2..) => AdmissionDecision::OverQuota,
///         _ => AdmissionDecision::Admit,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AdmissionRequest<'a> {
    /// The owner of the project.
    pub organization: OrganizationId,
    /// The project it was sent to.
    pub project: ProjectId,
    /// Its monitor.
    pub slug: &'a Slug,
    /// Its environment: the name, or the text as sent if it is no valid name.
    pub environment: &'a str,
    /// When it was received. Limits use this minute, not the present one, so that a backlog is not limited.
    pub received_at: DateTime<Utc>,
}

/// The answer to an [`AdmissionRequest`].
///
/// ```
/// use overdue::admission::{Admission, AdmissionDecision, AdmissionRequest, ValidCheckin};
/// use overdue::Policy;
/// use overdue::rejection::RejectionReason;
///
/// # struct UsedUp;
/// # impl Admission for UsedUp {
/// #     fn admit(&self, _: &AdmissionRequest<'_>) -> AdmissionDecision { AdmissionDecision::OverQuota }
/// #     fn seat(&self, _: &overdue::id::MonitorKey) -> overdue::admission::Seat { overdue::admission::Seat::Granted }
/// # }
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// // A gate that answers `AdmissionDecision::OverQuota`:
/// let answer = ValidCheckin::admit(&message, &UsedUp, &Policy::default());
/// assert_eq!(answer, Err(Box::new(RejectionReason::MonitorOverQuota.into())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the gates of the reference system")]
pub enum AdmissionDecision {
    /// Process it.
    Admit,
    /// Process it; if it brings a configuration, its monitor needs a seat.
    AdmitIfSeated,
    /// Check-ins of the organization are switched off.
    KillSwitch,
    /// Too many check-ins in this minute for this environment.
    RateLimited,
    /// The quota is used up.
    OverQuota,
}

/// Whether there is a seat for a monitor.
///
/// ```
/// use overdue::admission::{Admission, RateLimiter, Seat};
/// # use overdue::id::MonitorKey;
///
/// # fn ask(monitor: &MonitorKey) {
/// // A rate limiter does not decide about seats.
/// assert_eq!(RateLimiter::default().seat(monitor), Seat::Granted);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "yes or no")]
pub enum Seat {
    /// It has a seat.
    Granted,
    /// There is none left: the monitor is created disabled, or disabled if it exists.
    Denied,
}

/// What admission grants a check-in that is processed.
///
/// ```
/// use overdue::admission::Permit;
///
/// assert_eq!(Permit::default(), Permit::Unconditional);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "two ways in")]
pub enum Permit {
    /// No condition.
    #[default]
    Unconditional,
    /// [`AdmitIfSeated`](AdmissionDecision::AdmitIfSeated): the answer about the seat. It is granted unasked
    /// if the check-in brings no configuration.
    Seated(Seat),
}

/// Admits every check-in.
///
/// ```
/// use overdue::admission::{AdmitAll, ValidCheckin};
/// use overdue::Policy;
///
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// let valid = ValidCheckin::admit(&message, &AdmitAll, &Policy::default()).map_err(|_| "rejected")?;
/// assert_eq!(valid.key().to_string(), "1/nightly/production");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "nothing will ever be in it")]
pub struct AdmitAll;

impl Admission for AdmitAll {
    fn admit(&self, _: &AdmissionRequest<'_>) -> AdmissionDecision {
        AdmissionDecision::Admit
    }

    fn seat(&self, _: &MonitorKey) -> Seat {
        Seat::Granted
    }
}

/// The key of the rate limit: project, slug and environment.
///
/// ```
/// use overdue::admission::{RateKey, RateLimiter};
///
/// let limiter = RateLimiter::<RateKey>::default();
/// assert_eq!(limiter.counters(), 0);
/// ```
pub type RateKey = (ProjectId, Slug, Box<str>);

impl Admission for RateLimiter<RateKey> {
    fn admit(&self, request: &AdmissionRequest<'_>) -> AdmissionDecision {
        let key = (request.project, request.slug.clone(), request.environment.into());
        match self.admit(key, request.received_at) {
            RateVerdict::Admitted => AdmissionDecision::Admit,
            RateVerdict::Limited { .. } => AdmissionDecision::RateLimited,
        }
    }

    fn seat(&self, _: &MonitorKey) -> Seat {
        Seat::Granted
    }
}

impl<A: Admission, B: Admission> Admission for (A, B) {
    fn admit(&self, request: &AdmissionRequest<'_>) -> AdmissionDecision {
        match self.0.admit(request) {
            AdmissionDecision::Admit => self.1.admit(request),
            AdmissionDecision::AdmitIfSeated => match self.1.admit(request) {
                AdmissionDecision::Admit => AdmissionDecision::AdmitIfSeated,
                other => other,
            },
            rejected => rejected,
        }
    }

    fn seat(&self, monitor: &MonitorKey) -> Seat {
        match self.0.seat(monitor) {
            Seat::Granted => self.1.seat(monitor),
            Seat::Denied => Seat::Denied,
        }
    }
}

/// `None` admits every check-in.
impl<A: Admission> Admission for Option<A> {
    fn admit(&self, request: &AdmissionRequest<'_>) -> AdmissionDecision {
        self.as_ref().map_or(AdmissionDecision::Admit, |gate| gate.admit(request))
    }

    fn seat(&self, monitor: &MonitorKey) -> Seat {
        self.as_ref().map_or(Seat::Granted, |gate| gate.seat(monitor))
    }
}

macro_rules! admission_through {
    ($($pointer:ty),*) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<A: Admission + ?Sized> Admission for $pointer {
            fn admit(&self, request: &AdmissionRequest<'_>) -> AdmissionDecision {
                (**self).admit(request)
            }

            fn seat(&self, monitor: &MonitorKey) -> Seat {
                (**self).seat(monitor)
            }
        }
    )*};
}

admission_through!(&A, Box<A>, Arc<A>);
