//! Sync: how two replicas of one project find and fetch what each lacks (`docs/sync.md`).
//!
//! A [`Session`] is a state machine between a [`Keeper`] and any transport: frames come in, frames and a time to be called
//! again go out. It knows no file, clock, thread or random source. [`sim`] runs many of them on a seeded network with a
//! virtual clock and holds them to the laws of sync.
#![forbid(unsafe_code)]

mod came;
mod close;
mod codec;
mod defect;
mod exchange;
mod frame;
mod gone;
#[cfg(test)]
mod gone_tests;
mod intake;
mod keeper;
pub mod limits;
mod link;
mod message;
mod older;
#[cfg(test)]
mod older_tests;
mod outbox;
mod range;
mod session;
#[cfg(test)]
mod session_tests;
pub mod sim;
mod tally;

pub use close::CloseReason;
pub use codec::Malformed;
pub use frame::{Frame, ListenerId, SessionId};
pub use keeper::{KeepError, Keeper, RegainFault};
pub use message::{Gone, Message, Scope};
pub use range::{Bound, Claim, Range};
pub use session::{SESSION_MS_MAX, SILENCE_MS, Session, Standing};
pub use tally::Tally;
