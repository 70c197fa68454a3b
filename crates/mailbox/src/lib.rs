//! Mailboxes: replicas that never meet sync through storage that is trusted with nothing (`docs/sync.md`, Mailbox).
//!
//! The storage can drop, replay, swap and cut what it was given. That delays; it deceives nobody, because packs are named
//! by their content and every op is verified, and it loses nothing, because whoever misses a pack that it had seen puts
//! its ops there again.
#![forbid(unsafe_code)]

mod address;
#[cfg(feature = "cloud")]
mod bounded;
mod bucket;
#[cfg(feature = "cloud")]
mod cloud;
#[cfg(all(test, feature = "cloud"))]
mod cloud_tests;
#[cfg(test)]
mod conformance;
mod defect;
mod folder;
mod index;
mod mailbox;
mod memory;
mod older;
mod pack;
#[cfg(feature = "cloud")]
mod secret;
mod sort;
#[cfg(test)]
mod trial;

pub use address::{Address, AddressError, Service};
pub use bucket::{Bucket, BucketError, Listed, Object};
#[cfg(feature = "cloud")]
pub use cloud::Cloud;
pub use folder::Folder;
pub use index::{INDEX_BYTES_MAX, INDEX_NAMES_MAX, NodeId, id_of};
pub use mailbox::{BAD_PACKS_MAX, Mailbox, MailboxError, NAMES_MAX, NODES_MAX, Visit};
pub use older::OlderVisit;
pub use pack::PACK_BYTES_MAX;
