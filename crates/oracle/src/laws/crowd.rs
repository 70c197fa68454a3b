//! How little a replica may hold, and how much strangers send it.

use ecac_core::Limits;
use proptest::prelude::*;

/// How little a replica may hold, and how much strangers send it.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    pub(super) pending_ops: usize,
    pub(super) pending_bytes: usize,
    pub(super) unsupported_ops: usize,
    pub(super) unsupported_bytes: usize,
    pub(super) refused_ops: usize,
    /// Pieces of junk before each op.
    pub(super) junk: usize,
    /// Whether the ops are read from a file, rather than one by one.
    pub(super) from_file: bool,
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            pending_ops: 2,
            pending_bytes: 2_000,
            unsupported_ops: 2,
            unsupported_bytes: 2_000,
            refused_ops: 2,
            junk: 2,
            from_file: false,
        }
    }
}

/// Random crowds; all limits are small.
pub(super) fn crowds() -> impl Strategy<Value = Crowd> {
    let counts = (0..6_usize, 0..6_usize, 0..6_usize);
    let bytes = (0..6_000_usize, 0..3_000_usize);
    (counts, bytes, 1..4_usize, any::<bool>()).prop_map(
        |((pending_ops, unsupported_ops, refused_ops), bytes, junk, from_file)| Crowd {
            pending_ops,
            pending_bytes: bytes.0,
            unsupported_ops,
            unsupported_bytes: bytes.1,
            refused_ops,
            junk,
            from_file,
        },
    )
}

impl Crowd {
    pub(super) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.pending_ops = self.pending_ops;
        limits.pending_bytes = self.pending_bytes;
        limits.unsupported_ops = self.unsupported_ops;
        limits.unsupported_bytes = self.unsupported_bytes;
        limits.refused_ops = self.refused_ops;
        limits
    }
}
