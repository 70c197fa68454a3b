//! What is found in the terms of one format.

use super::place::Place;

/// What the explainer of one file format found out.
pub(super) struct Finding {
    pub(super) place: Place,
    pub(super) expected: Option<String>,
    pub(super) actual: Option<String>,
    pub(super) notes: Vec<String>,
}
