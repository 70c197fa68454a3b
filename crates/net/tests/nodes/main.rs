//! Nodes that are processes.
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod line;
mod machine;
#[cfg(target_os = "linux")]
mod namespaces;
