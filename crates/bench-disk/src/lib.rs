//! The storage of a run on disk: each replica of a scenario in a durable store, the audit log of the observer in segments.
//!
//! All of it lies in one temporary directory, which is removed with the [`Disk`].
#![forbid(unsafe_code)]

mod disk;
mod error;

pub use disk::{Disk, OnDisk};
pub use error::Error;
