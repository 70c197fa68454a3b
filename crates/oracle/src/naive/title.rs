//! Titles and links: what authorises an op.

use ecac_core::PublicKey;

use super::GrantAt;
use super::set::Op;

/// What authorises an op: a grant, of a device with the op of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Title {
    pub(super) grant: GrantAt,
    pub(super) link: Option<Op>,
}

/// A link from a person to a device.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) person: PublicKey,
    pub(super) key: PublicKey,
    /// Links of delegation.
    pub(super) depth: usize,
    /// Why it is void, by its effect.
    pub(super) void: Option<&'static str>,
}
