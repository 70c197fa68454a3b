//! Mailboxes: replicas that never meet sync through storage that is trusted with nothing (`docs/sync.md`, Mailbox).
//!
//! The storage can drop, replay, swap and cut what it was given. That delays; it deceives nobody, because packs are named
//! by their content and every op is verified, and it loses nothing, because whoever misses a pack that it had seen puts
//! its ops there again.
#![forbid(unsafe_code)]

mod bucket;
mod folder;
mod index;
mod mailbox;
mod pack;

pub use bucket::{Bucket, BucketError, Put};
pub use folder::Folder;
pub use index::{INDEX_BYTES_MAX, INDEX_PACKS_MAX};
pub use mailbox::{Fetched, Mailbox, MailboxError};
pub use pack::PACK_BYTES_MAX;
