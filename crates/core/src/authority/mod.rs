//! Authority: who may do what, by causal deny-wins (`docs/policy-model.md`).
//!
//! [`Authority`] holds what admitted ops say about grants, issuer keys, denials, features and the schema map, as
//! [`Entry`] registers it; [`judge`] answers from it which denials kill which grants, [`admission`] which grants let an
//! op enter the DAG, [`effects`] what an op of trust or policy does. What authorises an op is a [`title`]: a grant, by
//! itself or through the [`link`] of a device, as far as it is [`carrying`] the grant; [`quorum`] says which ops enough roots have signed, and what a seal makes of
//! denials, [`turn`] which earlier decisions an op can turn, [`reading`] who may read what is confidential, and [`doubt`] which holders of
//! a key have to be asked for.
//!
//! Nothing here knows payloads, but which field a data op touches: each family of payloads says by itself what it needs
//! and what it does.

mod admission;
mod ahead;
mod aim;
mod bearing;
mod by_chain;
mod carrying;
mod content_key;
mod doubt;
mod effect;
mod effects;
mod entry;
mod findings;
mod grant;
mod holders;
mod issuer_key;
mod judge;
mod leave;
mod link;
mod pages;
mod quorum;
mod reach;
mod reading;
mod register;
mod revocation;
mod roll;
mod saved;
mod status_list;
mod stretches;
mod strike;
mod title;
mod turn;
mod verdicts;
mod warrants;

pub(crate) use admission::{Applicant, DataOps, Seen, Unauthorised};
pub(crate) use ahead::Ahead;
pub use effect::{Effect, EffectCode, UnknownEffect};
pub(crate) use effects::Effects;
pub(crate) use entry::Entry;
pub use grant::DELEGATION_DEPTH_MAX;
pub(crate) use grant::{Grant, GrantId};
pub(crate) use issuer_key::IssuerKey;
pub(crate) use judge::{Judge, Kill};
pub(crate) use leave::{Asked, Leave};
pub(crate) use register::Authority;
pub(crate) use roll::TagsId;
pub(crate) use status_list::CountedList;
pub(crate) use title::Title;
pub(crate) use turn::Turn;
