//! Status lists that count, and the bits of them that grants hang on.

use super::grant::{GrantId, Void};
use super::pages::Pages;
use crate::credential::{Credential, StatusPurpose, StatusRef};
use crate::dag::Index;

/// A status list that counts: its author was an `issuer_admin` and its JWT verified.
#[derive(Debug, Clone)]
pub(crate) struct CountedList {
    pub(crate) op: Index,
    pub(crate) bits: Pages,
}

/// Key of a status list: issuer, list id, purpose.
pub(crate) type ListKey = (String, String, StatusPurpose);

/// A bit of a status list that a credential names under which a grant counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Bit {
    pub(super) grants: Vec<GrantId>,
    /// The versions that count and set it, without those that had seen another.
    pub(super) setters: Vec<Index>,
}

/// What became of a `StatusList` op.
#[derive(Debug, Clone)]
pub(super) enum ListStanding {
    /// It counts: the list and which of its versions.
    Counted(ListKey, usize),
    /// It does not.
    Void(Void),
}

/// What a list is found by that an entry of the credential names.
pub(super) fn list_key(credential: &Credential, entry: &StatusRef) -> ListKey {
    (credential.issuer.clone(), entry.list.clone(), entry.purpose)
}
