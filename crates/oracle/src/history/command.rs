//! Commands: what a history is made of.

use ecac_core::ProjectId;
use ecac_core::credential::Role;
use proptest::sample::Index;
use serde_json::{Value as Json, json};

use crate::world::Hand;

/// Cast: 0 to 2 are roots; the others but newcomers are usually hired as these to begin with.
pub(super) const ISSUER_ADMINS: [u8; 2] = [3, 4];
pub(super) const POLICY_ADMINS: [u8; 2] = [5, 6];
pub(super) const EDITORS: [u8; 3] = [7, 8, 9];
pub(super) const NEWCOMERS: [u8; 3] = [10, 11, 12];
/// A root by credential.
pub(super) const DEPUTY: u8 = 13;
/// Keys of devices, linked to nobody to begin with.
pub(super) const DEVICES: core::ops::Range<u8> = 14..18;
pub(super) const PEOPLE: core::ops::Range<u8> = 0..DEVICES.end;

/// The hand that an issuer administrator trusts.
pub(super) const SECOND: Hand = Hand {
    issuer: 1,
    kid: 0,
    key: 1,
};
/// A hand that nobody trusts to begin with.
pub(super) const THIRD: Hand = Hand {
    issuer: 0,
    kid: 1,
    key: 2,
};

/// What data ops touch: object and field. The last has no tags to begin with.
pub(super) const PLACES: [(&str, &str); 5] = [
    ("doc/1", "title"),
    ("doc/1", "body"),
    ("doc/2", "title"),
    ("doc/2", "labels"),
    ("vault", "code"),
];

/// Of each of these, the tags that are usually secret where any are.
pub(super) const SECRETS: [u8; 5] = [0b001, 0b010, 0b101, 0b100, 0b001];

/// A feature by name, with parameters.
pub(super) type Feature = (&'static str, &'static [u8]);

/// The ones that this program knows, as they can be in force.
pub(super) const SCHEMA: Feature = ("schema", &[]);
pub(super) const QUORUM: [Feature; 3] = [("quorum", &[1]), ("quorum", &[2]), ("quorum", &[3])];
pub(super) const SEAL: Feature = ("seal", &[]);
pub(super) const CARRY: Feature = ("carry", &[]);
pub(super) const ENDORSE: Feature = ("endorse", &[]);
pub(super) const DEVICE: Feature = ("device", &[]);
/// Tags a and c.
pub(super) const CONFIDENTIAL: Feature = ("confidential", b"\x82\x01\x82aaac");
/// Tags b and c, with the other KEM.
pub(super) const MORE_CONFIDENTIAL: Feature = ("confidential", b"\x82\x02\x82abac");
/// A tag that nothing has.
pub(super) const IDLE_CONFIDENTIAL: Feature = ("confidential", b"\x82\x01\x81az");
/// The same with parameters that they do not allow.
pub(super) const BAD_CONFIDENTIAL: Feature = ("confidential", b"\x82\x01\x80");
pub(super) const BAD_SCHEMA: Feature = ("schema", &[1]);
pub(super) const BAD_QUORUM: Feature = ("quorum", &[4]);
pub(super) const BAD_SEAL: Feature = ("seal", &[0]);
/// Features that this program does not know.
pub(super) const LATER: Feature = ("later", &[7]);
pub(super) const STILL_LATER: Feature = ("still-later", &[]);

/// Rules that can be added: object pattern, field pattern, tags. The last one is in force from the start.
pub(super) const RULES: [(&str, &str, u8); 5] = [
    ("vault", "code", 0b001),
    ("doc/1", "title", 0b010),
    ("*", "*", 0b100),
    ("doc/2", "la*", 0b1000),
    ("doc/*", "title", 0b001),
];

/// One step of a history.
#[derive(Debug, Clone)]
pub(super) struct Command {
    pub(super) actor: u8,
    pub(super) act: Act,
    pub(super) seen: Seen,
    pub(super) clock: Clock,
    pub(super) seq: Seq,
    /// Whether a device of the actor acts, if it has one.
    pub(super) by_device: bool,
    /// Whether it is tried also where the project does not have the feature.
    pub(super) stray: bool,
    /// Who signs what comes of it, as far as it can be signed.
    pub(super) cosigners: Vec<u8>,
    /// Whether everyone has seen everything afterwards.
    pub(super) meeting: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Act {
    Set {
        place: usize,
        value: i64,
    },
    Add {
        place: usize,
        element: u8,
    },
    Remove {
        place: usize,
        element: u8,
    },
    /// A credential op and a grant that refers to it.
    Hire {
        subject: u8,
        role: Role,
        scope: u8,
        paper: Paper,
    },
    /// A grant that refers to some earlier op, mostly a credential.
    Regrant {
        subject: Option<u8>,
        pick: Index,
        any_op: bool,
    },
    /// A grant to somebody who has signed two ops with one number, by a credential that they had before.
    Pardon {
        pick: Index,
    },
    /// Two and more ops beside the actor's last, each with ops of the actor's behind it.
    Fork {
        width: usize,
        depth: usize,
        place: usize,
        /// Revocations of somebody instead of writes.
        revokes: Option<u8>,
        /// Whether the actor goes on as if it had not signed them.
        forgets: bool,
    },
    Revoke {
        subject: u8,
        role: Option<Role>,
        scope: Option<u8>,
    },
    /// Two revoke each other, and neither has seen the other's.
    Feud {
        other: u8,
    },
    Trust {
        hand: Hand,
        window: (u64, u64),
    },
    Distrust {
        hand: Hand,
    },
    List {
        hand: Hand,
        list: u8,
        suspension: bool,
        bits: Vec<u64>,
        oddity: Oddity,
    },
    Upgrade {
        feature: Feature,
    },
    /// Rules of [`RULES`], by number.
    Schema {
        rules: Vec<usize>,
    },
    /// A key to which content keys are sealed, of the first KEM or of the second.
    Publish {
        second: bool,
    },
    /// A content key, at times with shares for some people.
    NewKey {
        tags: u8,
        readers: Vec<u8>,
    },
    /// Shares of some content key.
    Share {
        pick: Index,
        readers: Vec<u8>,
        any_op: bool,
    },
    /// A sealed value under some content key, mostly one for the field.
    Hide {
        place: usize,
        /// Of a set, if there is one.
        element: Option<u8>,
        pick: Index,
        any_key: bool,
    },
    /// The actor makes a key for a field and gives it to people, one of them is revoked, and somebody goes on under the key.
    Betray {
        place: usize,
        readers: Vec<u8>,
        revoked: u8,
        by: u8,
        /// Whether whoever goes on has seen the revocation.
        knows: bool,
    },
    Seal,
    /// The actor writes a field, at times twice with one number; a root who has seen it writes over that, and roots seal it.
    Settle {
        place: usize,
        root: u8,
        twice: bool,
    },
    /// Roots revoke somebody, and seal what they have.
    Rotate {
        subject: u8,
    },
    /// The actor revokes somebody, and at times another signs that and roots seal it; others, who have seen nothing of it,
    /// revoke whoever signed, and seal that.
    Split {
        target: u8,
        signer: Option<u8>,
        sealed: bool,
    },
    /// Whoever has the actor's key denies what they can on the parents of some op of the actor's, as if they had seen
    /// nothing since.
    Rage {
        pick: Index,
        denials: Vec<Denial>,
    },
    /// Of some op that the actor has seen, mostly one that can be signed.
    Cosign {
        pick: Index,
        any_op: bool,
    },
    /// Of ops that the actor has seen, mostly writes, of denied ones only if there are some.
    Endorse {
        picks: Vec<Index>,
        any_op: bool,
        of_denied: bool,
    },
    Link {
        /// The actor, if nobody else.
        person: Option<u8>,
        device: u8,
        proof: Proof,
    },
    /// The actor links a device to somebody, a root grants them more, and the device links another one, which writes.
    Chain {
        person: u8,
        scope: u8,
        place: usize,
        /// Whether the first device is unlinked before the last writes, by somebody who has not seen that.
        ends: bool,
    },
    Unlink {
        what: Unlinked,
    },
    Unassigned {
        kind: u16,
        content: u8,
    },
    ForeignGenesis {
        nonce: u8,
    },
}

impl Act {
    /// The feature without which it makes no sense.
    pub(super) const fn feature(&self) -> Option<&'static str> {
        match self {
            Self::Schema { .. } => Some("schema"),
            Self::Seal | Self::Settle { .. } | Self::Rotate { .. } | Self::Split { .. } => {
                Some("seal")
            }
            Self::Cosign { .. } => Some("quorum"),
            Self::Endorse { .. } => Some("endorse"),
            Self::Link { .. } | Self::Chain { .. } | Self::Unlink { .. } => Some("device"),
            Self::Publish { .. }
            | Self::NewKey { .. }
            | Self::Share { .. }
            | Self::Hide { .. }
            | Self::Betray { .. } => Some("confidential"),
            Self::Set { .. }
            | Self::Add { .. }
            | Self::Remove { .. }
            | Self::Hire { .. }
            | Self::Regrant { .. }
            | Self::Pardon { .. }
            | Self::Fork { .. }
            | Self::Rage { .. }
            | Self::Revoke { .. }
            | Self::Feud { .. }
            | Self::Trust { .. }
            | Self::Distrust { .. }
            | Self::List { .. }
            | Self::Upgrade { .. }
            | Self::Unassigned { .. }
            | Self::ForeignGenesis { .. } => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Paper {
    pub(super) hand: Hand,
    pub(super) window: (u64, u64),
    pub(super) status: Vec<(u8, bool, u64)>,
    pub(super) garbage: bool,
    pub(super) oddity: Oddity,
}

/// Which link ends.
#[derive(Debug, Clone)]
pub(super) enum Unlinked {
    /// Some link that there is, with those of the same device.
    Some(Index),
    /// Whatever there is between the person, or else the actor, and the device.
    Between(Option<u8>, u8),
}

/// What a thief denies.
#[derive(Debug, Clone)]
pub(super) enum Denial {
    Person(u8),
    Device(Unlinked),
    Hand(Hand),
    Bits(Vec<u64>),
}

/// What a device signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Sound,
    /// For another person.
    OfAnother,
    Garbage,
}

/// What is odd about a document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Oddity {
    Nothing,
    ForThisProject,
    ForAnother,
    ForThisAndAnother,
    ForTwoOthers,
    /// A claim of status that nobody here understands.
    StatusClaim,
    /// A status list's purpose as an array.
    ManyPurposes,
}

impl Oddity {
    /// The member that makes it so.
    pub(super) fn edit(self, project: ProjectId) -> Option<(&'static str, Json)> {
        let this = project.to_string();
        let other = "0".repeat(64);
        match self {
            Self::Nothing => None,
            Self::ForThisProject => Some(("/aud", json!(this))),
            Self::ForAnother => Some(("/aud", json!(other))),
            Self::ForThisAndAnother => Some(("/aud", json!(["https://other.example", this]))),
            Self::ForTwoOthers => Some(("/aud", json!(["https://other.example", other]))),
            Self::StatusClaim => {
                let list = json!({ "status_list": { "idx": 0, "uri": "https://lists.example/0" } });
                Some(("/status", list))
            }
            Self::ManyPurposes => {
                let purposes = json!(["revocation", "suspension"]);
                Some(("/credentialSubject/statusPurpose", purposes))
            }
        }
    }
}

/// What the actor has seen when it acts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen {
    /// Everything.
    All,
    /// What it had seen when it last acted, and its own ops.
    Own,
    /// That, and what another has seen.
    Meet(u8),
    /// Its own ops and some earlier op.
    Old(Index),
    /// Some earlier op, where possible one that has not seen the actor's last: a fork.
    Fork(Index),
    /// Its own ops and a refused op.
    Refused(Index),
    /// Refused ops only.
    Foreign(Index),
    /// Its own ops and an unsupported op.
    Unsupported(Index),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Clock {
    Right,
    /// As early as the parents allow.
    Backdated,
    Ahead(u64),
    /// Not after the parents.
    Stale(bool),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Seq {
    Right,
    Ahead,
    Zero,
}
