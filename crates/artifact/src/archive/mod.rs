//! The deterministic archive: a ustar file in a gzip member.
//!
//! There is exactly one tar file for given names and contents. It has one directory prefix,
//! `ecac-artifacts-<commit>/`, no directory entry, regular files sorted by name, mode 0644, modification time
//! 0, owner and group 0 without names, and two zero blocks at the end: byte for byte what GNU tar writes for
//! `tar --format=ustar --blocking-factor=1 --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner
//! --mode=0644`. The gzip bytes depend on the compressor as well, so both digests are published; the promise
//! is the tar's.
//!
//! [`unpack`](unpack()) reads such an archive and no other, [`unpack_foreign`] one that somebody else packed. Both go through one
//! reader, within [`Limits`].

mod digests;
mod error;
mod foreign;
mod header;
mod limits;
mod name;
mod pack;
mod reader;
#[cfg(test)]
mod tests;
mod unpack;

pub use digests::Digests;
pub use error::{ArchiveError, Refusal};
pub use foreign::{Foreign, GitNote, unpack_foreign};
pub use limits::Limits;
pub use name::directory;
pub use pack::{Archive, PackError, pack};
pub use unpack::{Unpacked, unpack};
