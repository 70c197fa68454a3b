//! Snapshots: what a set of ops amounts to.
//!
//! The canonical one ([`snapshot`]) says it in ids alone, the same on every replica: seals name its digest. The local one
//! ([`save`], [`restore`]) is for the replica that wrote it: all that it would find out again by a replay, in its own numbers.

mod canonical;
mod carried;
mod local;
mod reader;
mod skeleton;

pub use canonical::snapshot;
pub(crate) use canonical::{SealedPast, binds_skeletons, digest};
pub(crate) use carried::write as write_carried;
pub use local::RestoreError;
pub(crate) use local::{restore, save};
pub(crate) use reader::{CarriedOp, Reader};
pub(crate) use skeleton::{Skeletons, Unhashed, is_plain};
