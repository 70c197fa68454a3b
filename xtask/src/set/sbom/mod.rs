//! What the program `ecac` is built of, as a CycloneDX document.

pub mod check;
pub(crate) mod cyclonedx;
pub(crate) mod document;
pub(crate) mod graph;

use super::citation::Citation;

/// The target of the program that an artifact set describes, whatever machine makes the set.
pub const SHIPPED_TARGET: &str = "x86_64-unknown-linux-gnu";

/// What the document says of the tree that cargo is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What the document cites as its source.
    pub citation: &'a Citation,
    /// The target triple of the build.
    pub target: &'a str,
    /// The time of the document in seconds since 1970.
    pub epoch: u64,
}
