//! `cargo xtask bundle` and `cargo xtask key`, as their users start them.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod bundle;
mod quorum;
mod sign;
mod verify;
