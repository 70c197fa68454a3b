//! Grants: what they rest on, and what they give.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::effect::EffectCode;
use super::issuer_key::KeyId;
use crate::credential::{Credential, Role};
use crate::dag::Index;
use crate::id::PublicKey;
use crate::reason::Refusal;

/// Links between genesis and the last grant of a chain of delegation.
pub const DELEGATION_DEPTH_MAX: u32 = 64;

/// Position of a grant in the register.
pub(crate) type GrantId = usize;

/// What a grant rests on, judged from the past of the grant op.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// Genesis names the key as root.
    Genesis,
    /// A credential that issuer keys vouch for.
    Vouched(Vouched),
    /// The grant does not count.
    Void(Void),
}

/// Why a grant or a status list does not count: the reason that ops under it are refused for, and what shows it.
#[derive(Debug, Clone)]
pub(crate) struct Void {
    pub(crate) reason: Refusal,
    pub(crate) code: EffectCode,
    pub(crate) on: Vec<Index>,
}

/// A credential with the issuer keys that verify it.
#[derive(Debug, Clone)]
pub(crate) struct Vouched {
    pub(crate) credential: Arc<Credential>,
    pub(crate) carrier: Index,
    pub(crate) keys: Vec<KeyId>,
}

/// A grant to a subject.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) op: Index,
    pub(crate) subject: PublicKey,
    pub(crate) standing: Standing,
    /// Whether it is by a `Grant` and its credential, which can be read, says `root`.
    pub(crate) hands_on_root: bool,
    pub(super) depth: u32,
    /// Whether a denial ends it, or what it rests on, for any op.
    pub(super) touched: bool,
    /// The revocations that end it, without those that had seen another.
    pub(super) killers: Vec<Index>,
}

impl Grant {
    /// Whether it is a grant of `root` that counts.
    pub(crate) fn is_root(&self) -> bool {
        self.right().is_some_and(|(role, _)| role == Role::Root)
    }

    /// Role and scope, if the grant counts; root's scope is not bounded.
    pub(crate) fn right(&self) -> Option<(Role, &BTreeSet<String>)> {
        const NOTHING: &BTreeSet<String> = &BTreeSet::new();
        match &self.standing {
            Standing::Genesis => Some((Role::Root, NOTHING)),
            Standing::Vouched(vouched) => {
                Some((vouched.credential.role, &vouched.credential.scope))
            }
            Standing::Void(_) => None,
        }
    }

    /// The credential and its keys, if the grant rests on one.
    pub(crate) const fn vouched(&self) -> Option<&Vouched> {
        match &self.standing {
            Standing::Vouched(vouched) => Some(vouched),
            Standing::Genesis | Standing::Void(_) => None,
        }
    }
}
