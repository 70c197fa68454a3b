//! Content keys: what each is for, and to whom it was given.

use std::sync::Arc;

use crate::dag::Index;
use crate::id::PublicKey;
use crate::name::Tags;

/// A content key, by the `KeyRotate` that makes it.
#[derive(Debug, Clone)]
pub(crate) struct ContentKey {
    pub(crate) tags: Tags,
    /// The `KeyGrant`s of it, in order of admission, each with its recipients, ascending.
    pub(crate) grants: Vec<(Index, Arc<Vec<PublicKey>>)>,
}
