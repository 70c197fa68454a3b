//! What has been read ahead: credentials and status lists of ops that came together, before any of these is judged.
//!
//! What a JWT says and whose signature it has hangs on nothing else, so whoever reads it ahead comes to what would be found in
//! its turn.

use std::collections::BTreeMap;

use crate::credential::{Credential, StatusList};
use crate::id::OpId;

/// What has been read of ops that are not registered yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ahead {
    pub(crate) credentials: BTreeMap<OpId, Credential>,
    pub(crate) lists: BTreeMap<OpId, StatusList>,
}
