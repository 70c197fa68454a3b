//! Mailboxes: replicas that never meet sync through storage that is trusted with nothing (`docs/sync.md`, Mailbox).
//!
//! The storage can drop, replay, swap and cut what it was given. That delays; it deceives nobody, because packs are named
//! by their content and every op is verified, and it loses nothing, because whoever misses a pack that it had seen puts
//! its ops there again.
#![forbid(unsafe_code)]

mod bucket;
mod defect;
mod folder;
mod index;
mod mailbox;
mod memory;
mod pack;
mod sort;
#[cfg(test)]
mod trial;

pub use bucket::{Bucket, BucketError, Listed, Object};
pub use folder::Folder;
pub use index::{INDEX_BYTES_MAX, INDEX_NAMES_MAX, NodeId, id_of};
pub use mailbox::{BAD_PACKS_MAX, Mailbox, MailboxError, NAMES_MAX, NODES_MAX, Visit};
pub use pack::PACK_BYTES_MAX;
