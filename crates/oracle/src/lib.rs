//! What holds the engine of ECAC to its definitions.
//!
//! - [`Oracle`]: the definitions of `docs/policy-model.md` and `docs/protocol.md`, written the slow and obvious way. It shares no code
//!   with the engine above the decoder and the reader of credentials.
//! - [`History`]: random adversarial histories, which shrink to small ones.
//! - [`laws`]: what must hold of every history, checked on one.
//! - [`soak`]: the histories of a seed, by number, so that a failure can be repeated by naming both.
//! - [`Story`]: histories written by hand, in which every op has a name.
//! - [`Export`]: a history as files, for oracles in other languages.
//!
//! Keys, names and times are the same in every run ([`world`]; of read control [`secret`]).
#![forbid(unsafe_code)]

mod export;
mod history;
pub mod laws;
mod naive;
pub mod secret;
pub mod soak;
mod story;
pub mod world;

pub use export::Export;
pub use history::{History, OPS_MAX, histories, secret_histories};
pub use naive::{Draft, Oracle, Prospect, Told};
pub use story::Story;
