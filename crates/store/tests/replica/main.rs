//! Replicas on files.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests panics where a test does"
)]

mod common;
mod durable;
mod kill;
mod marker;
