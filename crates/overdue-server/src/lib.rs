//! The store, which the server and its tests share. This is not an interface for others.
#![expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "it is for the programs and tests of this package"
)]

#[doc(hidden)]
pub mod store;
