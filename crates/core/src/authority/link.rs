//! Links: which device signs for which person (`docs/policy-model.md`, Devices).

use super::effect::EffectCode;
use super::revocation::RevokeReach;
use crate::dag::Index;
use crate::id::PublicKey;

/// A device's link to a person.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) op: Index,
    pub(crate) person: PublicKey,
    pub(crate) key: PublicKey,
    /// Why the link carries nothing at all, if it does not.
    pub(crate) void: Option<EffectCode>,
    pub(super) depth: u32,
    /// Whether a denial ends it, or what it rests on, for any op.
    pub(super) touched: bool,
}

/// A `DeviceRevoke` of a person's device.
#[derive(Debug, Clone)]
pub(super) struct LinkRevocation {
    pub(super) op: Index,
    pub(super) reach: RevokeReach,
}
