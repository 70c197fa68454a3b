//! The pure engine of ECAC.
#![forbid(unsafe_code)]

mod hlc;
mod id;
pub mod limits;
mod reason;

pub use hlc::Hlc;
pub use id::{OP_DOMAIN, OpId, ParseIdError, ProjectId, PublicKey};
pub use reason::{Denial, Refusal, UnknownReason};
