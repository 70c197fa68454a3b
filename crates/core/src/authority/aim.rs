//! Aims: what a denial names, and what it can touch by that.

use super::grant::GrantId;
use super::issuer_key::KeyId;
use super::title::LinkId;
use crate::id::PublicKey;
use crate::name::Name;

/// What a denial names.
#[derive(Debug, Clone)]
pub(super) enum Aim {
    Subject(PublicKey),
    /// The keys of an issuer's key id.
    Key(Name, Name),
    /// What hangs on the bits of its own status list.
    List,
    /// The links from a person to a key.
    Link(PublicKey, PublicKey),
}

/// What a denial can touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reached {
    Grant(GrantId),
    Key(KeyId),
    Link(LinkId),
}
