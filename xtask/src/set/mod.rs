//! The artifact set: its manifest, its sums, what it cites, and how it compares with the golden one.

pub mod artifact_dir;
pub mod causes;
pub mod citation;
pub mod compare;
#[cfg(test)]
pub(crate) mod example;
pub mod golden_set;
pub mod readme;
pub mod sbom;
