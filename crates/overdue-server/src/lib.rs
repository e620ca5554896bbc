//! The part of the server that its program and its tests share: the store. It is no interface for others.
#![expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "it is for the programs and tests of this package"
)]

#[doc(hidden)]
pub mod store;
