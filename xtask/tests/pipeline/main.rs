//! The program `cargo xtask`, as its users start it.
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

#[cfg(unix)]
mod closed;
#[cfg(unix)]
mod doctor;
#[cfg(unix)]
mod failure;
#[cfg(unix)]
mod golden;
#[cfg(unix)]
mod guide;
#[cfg(unix)]
mod interruption;
#[cfg(unix)]
mod preflight;
#[cfg(unix)]
mod source;
#[cfg(unix)]
mod twice;
