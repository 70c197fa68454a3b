//! Histories as the targets spell them: for each op its kind, its author, its parents, and what the kind needs.

/// A key, a credential and a grant for person 3, some edits, a revocation that the last of them has not seen, and
/// a status list.
#[rustfmt::skip]
pub(crate) const STORY: &[u8] = &[
    6, 0, 0, 0, 0,                          // root 0 lists the issuer's key
    3, 0, 0, 0, 3, 4, 3, 0x11, 0,           // a credential: person 3 edits tags a and b
    8, 0, 0, 0, 0,                          // a status list that withdraws nothing
    4, 0, 0, 3, 0,                          // the grant
    0, 3, 0, 0, 0, 2,                       // person 3 sets doc/1 title
    1, 3, 0, 0, 1, 0, 7,                    // and adds an element
    5, 1, 0, 0, 3,                          // root 1 revokes person 3
    2, 3, 2, 6, 0, 1, 0,                    // who removes the element without knowing
    8, 0, 0, 0, 2,                          // a status list withdraws the credential
    0, 3, 0, 1, 1, 1,                       // an edit that is refused
    7, 0, 0, 0,                             // the issuer's key is revoked
];

/// Three roots that revoke each other at once, and an equivocation.
#[rustfmt::skip]
pub(crate) const QUARREL: &[u8] = &[
    5, 0, 2, 0, 0, 1,
    5, 1, 2, 0, 0, 2,
    5, 2, 2, 0, 0, 0,
    0, 0, 0, 2, 2, 9,
    0, 1, 2, 0, 0, 0, 5,
    0, 1, 2, 0, 0, 0, 6,
    0, 1, 0x21, 0, 0, 7,
    9, 1, 0, 4,
    0, 0, 0x10, 1, 1, 1,
    0, 0, 0x20, 1, 1, 1,
    0, 0, 0x40, 1, 1, 1,
];

/// A chain of delegation, in which the middle falls.
#[rustfmt::skip]
pub(crate) const CHAIN: &[u8] = &[
    6, 0, 0, 0, 0,
    3, 0, 0, 0, 4, 2, 7, 0, 0,              // person 4 is policy_admin
    3, 0, 0, 0, 5, 4, 1, 0, 0,              // person 5 is editor
    4, 0, 0, 4, 0,
    4, 4, 0, 5, 1,                          // granted by person 4
    0, 5, 1, 0, 0, 3,
    5, 0, 2, 5, 1, 4, 2,
    0, 5, 2, 6, 0, 0, 4,
    5, 4, 2, 6, 2, 5, 1,
];

/// An edit, and at the same time a status list that withdraws the editor's credential, a revocation of the key that
/// signed it, and one of the editor.
#[rustfmt::skip]
pub(crate) const WITHDRAWAL: &[u8] = &[
    6, 0, 0, 0, 0,
    3, 0, 0, 0, 3, 4, 3, 0x11, 0,
    8, 0, 1, 0, 0,
    4, 0, 0, 3, 0,
    0, 3, 2, 4, 0, 0, 9,
    8, 0, 2, 4, 0, 2,
    7, 1, 2, 4, 0,
    5, 2, 2, 4, 0, 3,
];

/// The features, with a quorum of two, and every kind of payload that needs one: a device of person 3 writes, root 1 revokes
/// person 3 without knowing, root 0 endorses and seals that, and root 1 signs the seal; a link ends, a root falls, and keys are
/// handed out.
#[rustfmt::skip]
pub(crate) const THEFT: &[u8] = &[
    36, 0, 0, 0, 0,                         // root 0 lists the issuer's key, in a project with features
    3, 0, 0, 0, 3, 4, 3, 0, 0,              // a credential: person 3 edits tags a and b
    4, 0, 0, 3, 0,                          // the grant
    203, 3, 0, 3, 4,                        // person 3 links person 4's key
    0, 4, 0, 0, 0, 2,                       // which sets doc/1 title
    5, 1, 2, 3, 0, 3,                       // root 1, who has seen the grant only, revokes person 3
    202, 0, 0, 0, 5,                        // root 0 endorses the edit
    200, 0, 0, 0x5e,                        // and seals that
    201, 1, 0, 8,                           // with root 1
    204, 2, 2, 5, 3, 4,                     // root 2 ends the link
    0, 4, 2, 5, 0, 0, 3,                    // an edit that had not seen it
    5, 2, 2, 3, 0, 1,                       // root 2 proposes to end root 1
    201, 0, 0, 12,                          // root 0 signs that
    240, 0, 0, 0, 0,                        // an upgrade
    248, 0, 0, 2, 0, 1,                     // a rule of the schema map
    205, 0, 0, 7,                           // root 0 publishes a key to read with
    206, 0, 0, 4,                           // makes a content key for tag c
    207, 0, 0, 0, 0, 17,                    // grants it to itself
    208, 0, 0, 1, 0, 17, 7,                 // and seals doc/2 title
    209, 0, 0, 1, 0, 0, 17, 7,              // and an element of it
];
