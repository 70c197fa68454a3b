//! A small op log with one op of every fate, made here op by op.

use std::collections::BTreeSet;

use ecac_core::credential::Role;
use ecac_core::credential::mint::{CredentialClaims, mint_credential};
use ecac_core::payload;
use ecac_core::{
    Body, Genesis, Hlc, Name, OpId, Payload, PublicKey, SchemaRule, SigningKey, Tags, Value,
    VerifiedOp, public_key,
};

/// 2026-01-01T00:00:00Z.
pub(crate) const START_MS: u64 = 1_767_225_600_000;
pub(crate) const YEAR_MS: u64 = 365 * 86_400_000;

pub(crate) struct Author {
    key: SigningKey,
    node: u32,
    seq: u64,
}

impl Author {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            key: SigningKey::from([seed; 32]),
            node: seed.into(),
            seq: 0,
        }
    }

    pub(crate) fn public(&self) -> PublicKey {
        public_key(&self.key)
    }

    /// The body of this author's next op, `tick` milliseconds after the start.
    pub(crate) fn body(&self, tick: u64, parents: &[OpId], payload: Payload) -> Body {
        let parents: BTreeSet<OpId> = parents.iter().copied().collect();
        Body {
            author: self.public(),
            seq: self.seq,
            parents: parents.into_iter().collect(),
            hlc: Hlc {
                physical_ms: START_MS + tick,
                logical: 0,
                node: self.node,
            },
            payload,
        }
    }

    pub(crate) fn sign(&mut self, tick: u64, parents: &[OpId], payload: Payload) -> VerifiedOp {
        let op = VerifiedOp::sign(self.body(tick, parents, payload), &self.key);
        self.seq += 1;
        op.expect("the op keeps the limits")
    }
}

pub(crate) fn name(text: &str) -> Name {
    text.try_into().expect("a name")
}

pub(crate) fn set(object: &str, field: &str, value: &str) -> Payload {
    Payload::SetField(payload::SetField {
        object: name(object),
        field: name(field),
        value: Value::Text(value.to_owned()),
    })
}

pub(crate) fn genesis(project: &str, root: &Author) -> Payload {
    Payload::Genesis(Genesis {
        name: name(project),
        nonce: [7; 16],
        roots: BTreeSet::from([root.public()]),
        schema: BTreeSet::from([SchemaRule {
            object: name("doc/*"),
            field: name("*"),
            tags: Tags::from([name("docs")]),
        }]),
        features: std::collections::BTreeMap::new(),
    })
}

/// The ops of the small log, each by what becomes of it.
pub(crate) struct Small {
    pub(crate) root: Author,
    pub(crate) editor: Author,
    pub(crate) genesis: VerifiedOp,
    pub(crate) issuer_key: VerifiedOp,
    pub(crate) credential: VerifiedOp,
    pub(crate) grant: VerifiedOp,
    /// Applied: the revocation has seen it.
    pub(crate) edit: VerifiedOp,
    pub(crate) revoke: VerifiedOp,
    /// Denied: the revocation has not seen it.
    pub(crate) late: VerifiedOp,
    /// Refused: nobody granted anything to its author.
    pub(crate) stranger: VerifiedOp,
    /// Pending: its parent is nowhere.
    pub(crate) orphan: VerifiedOp,
    /// Not signed by its author.
    pub(crate) forged: VerifiedOp,
    pub(crate) forged_envelope: Vec<u8>,
}

/// An item that is no op.
pub(crate) const NO_OP: [u8; 2] = [0xd2, 0x80];
/// What the editor writes, with what a terminal would obey.
pub(crate) const TITLE: &str = "first\u{1b}[2J\nverdict  forged";
/// A tag that tries the same.
pub(crate) const ODD_TAG: &str = "odd], verdict  forged";

impl Small {
    pub(crate) fn new() -> Self {
        let (mut root, mut editor) = (Author::new(1), Author::new(2));
        let mut stranger = Author::new(3);
        let issuer = SigningKey::from([9; 32]);
        let genesis = root.sign(0, &[], genesis("small", &root));
        let issuer_key = root.sign(
            1,
            &[genesis.id()],
            Payload::IssuerKey(payload::IssuerKey {
                issuer: name("https://issuer.example"),
                kid: name("key-1"),
                public_key: public_key(&issuer),
                valid_from_ms: START_MS,
                valid_until_ms: START_MS + YEAR_MS,
            }),
        );
        let claims = CredentialClaims {
            issuer: "https://issuer.example".to_owned(),
            kid: "key-1".to_owned(),
            id: None,
            subject: editor.public(),
            role: Role::Editor,
            scope: BTreeSet::from(["docs".to_owned(), ODD_TAG.to_owned()]),
            valid_from_ms: START_MS,
            valid_until_ms: START_MS + YEAR_MS,
            status: Vec::new(),
        };
        let jwt = mint_credential(&issuer, &claims);
        let credential = root.sign(
            2,
            &[issuer_key.id()],
            Payload::Credential(payload::Credential { jwt }),
        );
        let grant = root.sign(
            3,
            &[credential.id()],
            Payload::Grant(payload::Grant {
                subject: editor.public(),
                credential: credential.id(),
            }),
        );
        let edit = editor.sign(4, &[grant.id()], set("doc/1", "title", TITLE));
        let revoke = root.sign(
            5,
            &[edit.id()],
            Payload::Revoke(payload::Revoke {
                subject: editor.public(),
                role: None,
                scope: None,
            }),
        );
        let late = editor.sign(6, &[edit.id()], set("doc/1", "title", "late"));
        let stranger = stranger.sign(7, &[genesis.id()], set("doc/1", "title", "mine"));
        let nowhere = OpId::from_bytes([0xee; 32]);
        let orphan = editor.sign(8, &[late.id(), nowhere], set("doc/1", "title", "orphan"));
        let forged = editor.sign(9, &[late.id()], set("doc/1", "title", "forged"));
        let mut forged_envelope = forged.envelope().to_vec();
        *forged_envelope.last_mut().expect("not empty") ^= 1;
        Self {
            root,
            editor,
            genesis,
            issuer_key,
            credential,
            grant,
            edit,
            revoke,
            late,
            stranger,
            orphan,
            forged,
            forged_envelope,
        }
    }

    /// The ops that are whole and signed.
    pub(crate) fn good(&self) -> [&VerifiedOp; 9] {
        [
            &self.genesis,
            &self.issuer_key,
            &self.credential,
            &self.grant,
            &self.edit,
            &self.revoke,
            &self.late,
            &self.stranger,
            &self.orphan,
        ]
    }

    /// An op log of the good ops alone.
    pub(crate) fn clean(&self) -> Vec<u8> {
        sequence(self.good())
    }

    /// An op log of 12 items: the good ops, a forged one, one that is no op, and one a second time.
    pub(crate) fn mixed(&self) -> Vec<u8> {
        let mut bytes = self.clean();
        bytes.extend(&self.forged_envelope);
        bytes.extend(NO_OP);
        bytes.extend(self.edit.envelope());
        bytes
    }
}

pub(crate) fn sequence<'a>(ops: impl IntoIterator<Item = &'a VerifiedOp>) -> Vec<u8> {
    let envelopes = ops.into_iter().map(VerifiedOp::envelope);
    envelopes.flatten().copied().collect()
}
