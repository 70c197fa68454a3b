//! The committed source: the repository, its objects, its clean trees, its lock file.

pub mod lockfile;
pub mod object;
pub mod repository;
pub mod tree;
