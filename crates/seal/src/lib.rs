//! Values and keys under seal (`docs/protocol.md`, Sealed values and keys): what a writer seals, and what a reader opens.
//!
//! The engine judges who was given which key and never holds one; here are the keys. Nothing here knows a random source, a
//! clock or a file: randomness comes in as bytes, secrets are wiped when they are dropped, and no text of an error or of
//! `Debug` shows any. A private key may live elsewhere: whatever implements [`Opener`] opens shares. A [`Keyring`] writes to a
//! [`Desk`], making keys and handing them on where a write takes it; a [`Writer`] does so on a replica that signs at once, and
//! [`read()`] opens what a reader was given.
#![forbid(unsafe_code)]

mod content_key;
mod context;
mod desk;
mod keyring;
mod opened;
mod reader;
mod reading;
mod share;
mod target;
mod unopened;
mod writer;

pub use content_key::ContentKey;
pub use context::Context;
pub use desk::Desk;
pub use keyring::{Keyring, Newcomers, WriteError};
pub use reader::{BadReaderKey, Opener, ReaderSecret};
pub use reading::{Redacted, open_key, read};
pub use share::{info, seal_share};
pub use target::Target;
pub use unopened::Unopened;
pub use writer::Writer;
