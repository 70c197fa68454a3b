//! The pure engine of ECAC (eventually consistent access control).
//!
//! One arrow: bytes become an [`Op`] (canonical), a [`VerifiedOp`] (signed by its author), an entry of a
//! [`Log`] (its past authorises it), and a [`Replay`] turns the log into decisions and state. Each stage's type
//! can only be had from the stage before. Nothing here knows a clock, a file or a random source, and nothing here
//! fails but by returning a reason. Only the reading of many ops ([`VerifiedOp::read_batch`], [`Replica::receive`]) and the start
//! from a sealed snapshot ([`ReplicaBuilder::start_from`]) are shared among threads, and no result shows how many.
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod authority;
mod columns;
mod confidential;
mod costs;
pub mod credential;
mod dag;
mod effect_change;
mod explain;
mod export;
mod feature;
mod head;
mod held;
mod hlc;
mod id;
mod json;
pub mod limits;
mod log;
mod name;
mod need;
mod numbers;
mod op;
mod op_log;
mod order;
mod parents;
pub mod payload;
mod place;
mod place_id;
mod quote;
mod reason;
mod replay;
mod replica;
mod schema_map;
mod sealed;
mod segments;
mod signature;
mod snapshot;
mod state;
mod store;
mod threads;
mod tight;
mod trust;
mod value;
mod wire;

pub use authority::{DELEGATION_DEPTH_MAX, Effect, EffectCode, UnknownEffect};
pub use confidential::{Confidential, Kem};
pub use costs::Costs;
pub use effect_change::EffectChange;
pub use explain::{DeviceLink, Explanation, Link, Witness, explain};
pub use feature::{Feature, Terms};
pub use held::{Holdings, Limits};
pub use hlc::Hlc;
pub use id::{OP_DOMAIN, OpId, ParseIdError, ProjectId, PublicKey};
pub use log::{Arrival, Behind, Log, Outcome};
pub use name::{Name, NameError, Tags, reorders};
pub use need::Action;
pub use op::{
    BadSignature, Body, ENVELOPE_PREFIX, Op, Rejected, SigningKey, VerifiedOp, public_key,
};
pub use op_log::{OpLogError, project_of, split_op_log};
pub use order::order_by_links;
pub use parents::{Parents, parents_for};
pub use payload::{Genesis, Kind, Payload};
pub use quote::{defuse, is_plain, quote};
pub use reason::{DenialReason, Refusal, UnknownReason};
pub use replay::{Change, Decision, Replay};
pub use replica::{
    Allowed, Answer, Arrived, AuthorError, Authored, AuthoredBatch, CarryError, ChainHead,
    ContentKeyInfo, DRIFT_MS, DraftError, Element, Event, Foreseen, Granted, LinkedDevice, Member,
    Mention, NotAllowed, Place, PlaceChange, Preview, Proposal, Pruned, Received, RegainError,
    Regained, Rehearsal, Replica, ReplicaBuilder, SealCheck, Sealing, Shown, SignError, Signature,
    Signer, Standing, StartError, Stocked, TakenBack, Tip, Warrant, Winner, Written,
};
pub use schema_map::SchemaRule;
pub use sealed::Sealed;
pub use signature::zip215_verifies;
pub use snapshot::{RestoreError, snapshot};
pub use state::State;
pub use store::{MemoryStore, OpStore, StoreError};
pub use trust::export_trust;
pub use value::Value;
pub use wire::CodecError;
