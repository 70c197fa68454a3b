//! What is found in the terms of one format.

use super::position::Position;

/// What the explainer of one file format found out.
pub(super) struct Finding {
    pub(super) position: Position,
    pub(super) expected: Option<String>,
    pub(super) actual: Option<String>,
    pub(super) notes: Vec<String>,
}
