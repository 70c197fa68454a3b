//! What has been read ahead: credentials and status lists of ops that came together, before any of these is judged.
//!
//! What a JWT says and whose signature it has hangs on nothing else, so whoever reads it ahead comes to what would be found in
//! its turn.

use std::collections::BTreeMap;

use super::register::Authority;
use crate::credential::{Credential, StatusList};
use crate::id::{OpId, PublicKey};
use crate::name::Name;
use crate::need::{Action, Need};

/// What has been read of ops that are not registered yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ahead {
    pub(crate) credentials: BTreeMap<OpId, Credential>,
    pub(crate) lists: BTreeMap<OpId, StatusList>,
}

impl Authority {
    /// Whether any grant to the author, in time or not, allows to do so: whether reading ahead is likely of use.
    pub(crate) fn may_come_to(&self, action: Action, author: &PublicKey) -> bool {
        let need = Need::any(action);
        self.grants_of(author).iter().any(|&grant| {
            let right = self.grants[grant].right();
            right.is_some_and(|(role, _)| need.permitted_by(role, author))
        })
    }

    /// The one key that is listed under the issuer's key id, if it is one.
    pub(crate) fn only_key(&self, issuer: &str, kid: &str) -> Option<PublicKey> {
        let (issuer, kid) = (Name::new(issuer).ok()?, Name::new(kid).ok()?);
        match self.keys_named(&issuer, &kid) {
            [only] => Some(self.keys[*only].public_key),
            _ => None,
        }
    }
}
