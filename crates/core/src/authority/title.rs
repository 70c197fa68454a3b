//! Titles: what authorises an op, a grant by itself or through a device's link (`docs/policy-model.md`, Titles).

use super::grant::GrantId;

/// Position of a link in the register.
pub(crate) type LinkId = usize;

/// A grant to the author's key; or a grant to a person and the link from the person to the author's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Title {
    pub(crate) grant: GrantId,
    pub(crate) link: Option<LinkId>,
}

impl Title {
    /// The grant, to the author's own key.
    pub(super) const fn own(grant: GrantId) -> Self {
        Self { grant, link: None }
    }
}
