//! A node: syncs a project directory with other nodes, over QUIC, by node keys (`docs/node.md`).
//!
//! What is said is the business of `ecac-sync`; here are connections, who may make them, and what the operator sees. All of it is
//! behind the feature `quic`, because it brings a network stack.
#![forbid(unsafe_code)]

#[cfg(feature = "quic")]
mod counters;
#[cfg(feature = "quic")]
mod drive;
#[cfg(feature = "quic")]
mod identity;
#[cfg(feature = "quic")]
mod journal;
#[cfg(feature = "quic")]
mod keeping;
#[cfg(feature = "quic")]
mod metrics;
#[cfg(feature = "quic")]
mod node;

#[cfg(feature = "quic")]
pub use node::{Node, Settings, carry, sync_once};
