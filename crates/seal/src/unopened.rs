//! Why something does not open.

/// Why something does not open: it is not what was sealed under this key, for this place. No more is told, or known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("does not open under this key")]
pub struct Unopened;
