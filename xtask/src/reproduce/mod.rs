//! From a source to a set: a closed build, the run of the scenarios, the second path, the publication.

pub mod cargo_home;
pub mod closed;
pub mod compile;
pub mod crosscheck;
pub mod engine;
pub mod flags;
pub mod gate;
pub mod given;
pub mod index;
pub mod inventory;
pub mod nodes;
pub mod package;
pub mod parameters;
pub mod pipeline;
pub mod preflight;
pub mod publish;
pub mod stage;
pub mod summary;
pub mod tmpdir;
pub mod twice;
