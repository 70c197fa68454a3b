//! The pure engine of ECAC (eventually consistent access control).
//!
//! One arrow: bytes become an [`Op`] (canonical), a [`VerifiedOp`] (signed by its author), an entry of a
//! [`Log`] (its past authorises it), and a [`Replay`] turns the log into decisions and state. Each stage's type
//! can only be had from the stage before. Nothing here knows a clock, a file, a thread or a random source, and
//! nothing here fails but by returning a reason.
#![forbid(unsafe_code)]

mod authority;
mod costs;
pub mod credential;
mod dag;
mod explain;
mod hlc;
mod id;
mod json;
pub mod limits;
mod log;
mod op;
mod op_log;
mod quote;
mod reason;
mod replay;
mod state;
mod trust;

pub use authority::DELEGATION_DEPTH_MAX;
pub use costs::Costs;
pub use explain::{Explanation, Link, Witness, explain};
pub use hlc::Hlc;
pub use id::{OP_DOMAIN, OpId, ParseIdError, ProjectId, PublicKey};
pub use log::{Arrival, Log, Outcome, Rejected};
pub use op::{
    BadSignature, Body, CodecError, ENVELOPE_PREFIX, Genesis, Name, NameError, Op, Payload,
    SchemaRule, SigningKey, Tags, Value, VerifiedOp, public_key, zip215_verifies,
};
pub use op_log::{OpLogError, project_of, split_op_log};
pub use quote::{defuse, is_plain, quote};
pub use reason::{Denial, Refusal, UnknownReason};
pub use replay::{Change, Decision, Replay};
pub use state::State;
pub use trust::export_trust;
