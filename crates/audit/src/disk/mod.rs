//! The audit log on disk (`docs/audit.md`, section "On disk").
//!
//! Everything here reads and writes through a [`Directory`]; two files alone touch those of the operating system:
//! `folder.rs` and `key_file.rs`.

mod cosigned;
mod directory;
mod error;
mod folder;
mod key_file;
mod log;
mod opening;
mod proving;
mod segment;
mod sidecar;
mod survey;

pub use cosigned::{read_cosigned, read_cosigned_at};
pub use directory::Directory;
pub use error::{DiskError, Place};
pub use folder::Folder;
pub use key_file::{KeyFileError, create_key_file, read_key_file};
pub use log::{DiskLog, SEGMENT_BYTES};
pub use opening::{FrontierSource, Opened, Repaired, check_last_segment};
pub use proving::{ProvenEntry, prove_entries, prove_extension};
pub use segment::{Export, Segments, Source};
pub use survey::{Survey, Tail, survey};
