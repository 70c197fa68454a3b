//! A project of test authors, each known by a number.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::Role;
use ecac_core::credential::mint::{CredentialClaims, mint_credential};
use ecac_core::payload;
use ecac_core::{
    Body, Costs, Decision, Effect, Genesis, Hlc, Limits, Log, Name, OpId, Outcome, Parents,
    Payload, PublicKey, Replay, SchemaRule, SigningKey, Value, VerifiedOp, parents_for, public_key,
};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const KID: &str = "key-1";
const TAG: &str = "tag";
/// The number of the key that signs credentials.
pub(crate) const ISSUER_KEY: u32 = 1_000_000;
pub(crate) const FAR_MS: u64 = 1 << 40;

pub(crate) fn key(author: u32) -> SigningKey {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&author.to_be_bytes());
    SigningKey::from(seed)
}

pub(crate) fn author(author: u32) -> PublicKey {
    public_key(&key(author))
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a short NFC text")
}

/// A write to a register.
pub(crate) fn edit(field: &str, value: i64) -> Payload {
    Payload::SetField(payload::SetField {
        object: name("o"),
        field: name(field),
        value: Value::Int(value),
    })
}

pub(crate) fn revoke(subject: u32) -> Payload {
    Payload::Revoke(payload::Revoke {
        subject: author(subject),
        role: None,
        scope: None,
    })
}

/// A payload of a type that no version defines, with a number that sets it apart.
pub(crate) fn unassigned(number: u32) -> Payload {
    let bytes = [&[0xa2, 0x00, 0x16, 0x01, 0x44][..], &number.to_be_bytes()].concat();
    Payload::Unassigned(payload::Unassigned::new(&bytes).expect("of the one form"))
}

pub(crate) fn at(physical_ms: u64) -> Hlc {
    Hlc {
        physical_ms,
        logical: 0,
        node: 0,
    }
}

/// What the usual credential of the subject says.
pub(crate) fn claims(subject: u32, role: Role) -> CredentialClaims {
    CredentialClaims {
        issuer: ISSUER.into(),
        kid: KID.into(),
        id: None,
        subject: author(subject),
        role,
        scope: BTreeSet::from([TAG.to_owned()]),
        valid_from_ms: 0,
        valid_until_ms: FAR_MS,
        status: Vec::new(),
    }
}

/// A key of the issuer.
pub(crate) fn issuer_key(kid: &str, signer: u32, valid_until_ms: u64) -> Payload {
    Payload::IssuerKey(payload::IssuerKey {
        issuer: name(ISSUER),
        kid: name(kid),
        public_key: author(signer),
        valid_from_ms: 0,
        valid_until_ms,
    })
}

/// An op by the author, whatever becomes of it.
pub(crate) fn sign(
    author: u32,
    seq: u64,
    parents: &[OpId],
    hlc: Hlc,
    payload: Payload,
) -> VerifiedOp {
    let key = key(author);
    let parents: BTreeSet<OpId> = parents.iter().copied().collect();
    let body = Body {
        author: public_key(&key),
        seq,
        parents: parents.into_iter().collect(),
        hlc,
        payload,
    };
    VerifiedOp::sign(body, &key).expect("within the limits")
}

/// A replica of a project, and a clock that counts its ops in milliseconds.
pub(crate) struct Project {
    pub(crate) log: Log,
    pub(crate) replay: Replay,
    pub(crate) costs: Costs,
    pub(crate) now_ms: u64,
    /// Every op that the log was given, in that order.
    pub(crate) given: Vec<VerifiedOp>,
}

impl Project {
    /// A project with these roots, the first of which lists the key of the issuer.
    pub(crate) fn found(roots: impl IntoIterator<Item = u32>) -> Self {
        Self::with_limits(roots, &[], Limits::default())
    }

    /// The same with features that have no parameters, and limits.
    pub(crate) fn with_limits(
        roots: impl IntoIterator<Item = u32>,
        features: &[&str],
        limits: Limits,
    ) -> Self {
        let features: Vec<(&str, &[u8])> = features.iter().map(|it| (*it, &[][..])).collect();
        Self::using(roots, &features, limits)
    }

    /// The same with features, their parameters and limits.
    pub(crate) fn using(
        roots: impl IntoIterator<Item = u32>,
        features: &[(&str, &[u8])],
        limits: Limits,
    ) -> Self {
        let roots: Vec<u32> = roots.into_iter().collect();
        let genesis = Genesis {
            name: name("replica"),
            nonce: [0; 16],
            roots: roots.iter().copied().map(author).collect(),
            schema: BTreeSet::from([SchemaRule {
                object: name("*"),
                field: name("*"),
                tags: BTreeSet::from([name(TAG)]),
            }]),
            features: features
                .iter()
                .map(|(it, parameters)| (name(it), parameters.to_vec()))
                .collect(),
        };
        let genesis = sign(roots[0], 0, &[], at(1), Payload::Genesis(genesis));
        let mut project = Self {
            log: Log::with_limits(genesis.id(), limits),
            replay: Replay::new(),
            costs: Costs::default(),
            now_ms: 1,
            given: Vec::new(),
        };
        assert_eq!(project.receive(genesis), Outcome::Admitted);
        project.write(roots[0], issuer_key(KID, ISSUER_KEY, FAR_MS));
        project
    }

    /// Another replica of the same project, with other limits and without an op.
    pub(crate) fn replica(&self, limits: Limits) -> Self {
        Self {
            log: Log::with_limits(self.log.project(), limits),
            replay: Replay::new(),
            costs: Costs::default(),
            now_ms: self.now_ms,
            given: Vec::new(),
        }
    }

    /// Takes in an op, and the ops that it releases.
    pub(crate) fn receive(&mut self, op: VerifiedOp) -> Outcome {
        self.given.push(op.clone());
        let arrivals = self.log.ingest(op, &mut self.costs);
        self.replay.advance(&self.log, &mut self.costs);
        arrivals[0].outcome
    }

    /// What is offered to the author for such an op.
    pub(crate) fn offered(&mut self, by: u32, payload: &Payload) -> Parents {
        let (log, now_ms) = (&self.log, self.now_ms);
        parents_for(
            log,
            &self.replay,
            &author(by),
            payload,
            now_ms,
            &mut self.costs,
        )
    }

    /// The op that the author writes on the parents that are offered, one millisecond later.
    pub(crate) fn draft(&mut self, by: u32, payload: Payload) -> VerifiedOp {
        self.now_ms += 1;
        let parents = self.offered(by, &payload).ids;
        assert!(!parents.is_empty() && parents.len() <= 16 && parents.is_sorted());
        let parent = |id: &OpId| self.log.get(id).expect("what is offered is here");
        let last = parents.iter().map(|id| parent(id).body().hlc).max();
        let hlc = Hlc::next(last, self.now_ms, by).expect("a stamp is left");
        let own = self
            .log
            .admitted()
            .filter(|op| op.body().author == author(by));
        let numbers = own.map(|op| op.body().seq);
        let seq = numbers.max().map_or(0, |last| last + 1);
        sign(by, seq, &parents, hlc, payload)
    }

    /// The op that the author writes on these parents, whatever else they know, one millisecond later.
    pub(crate) fn draft_on(&mut self, by: u32, parents: &[OpId], payload: Payload) -> VerifiedOp {
        self.now_ms += 1;
        let numbers: Vec<u64> = self
            .log
            .admitted()
            .filter(|op| op.body().author == author(by))
            .filter(|op| {
                let seen = |parent: &OpId| {
                    *parent == op.id()
                        || self
                            .log
                            .happens_before(&op.id(), parent, &mut Costs::default())
                            == Some(true)
                };
                parents.iter().any(seen)
            })
            .map(|op| op.body().seq)
            .collect();
        let seq = numbers.into_iter().max().map_or(0, |last| last + 1);
        sign(by, seq, parents, at(self.now_ms), payload)
    }

    /// Writes what must be admitted, on these parents.
    #[track_caller]
    pub(crate) fn write_on(&mut self, by: u32, parents: &[OpId], payload: Payload) -> OpId {
        let op = self.draft_on(by, parents, payload);
        let id = op.id();
        assert_eq!(self.receive(op), Outcome::Admitted);
        id
    }

    /// Writes what must be admitted.
    #[track_caller]
    pub(crate) fn write(&mut self, by: u32, payload: Payload) -> OpId {
        let op = self.draft(by, payload);
        let id = op.id();
        assert_eq!(self.receive(op), Outcome::Admitted);
        id
    }

    /// Writes what must be admitted, each on the one before, faster than by themselves.
    pub(crate) fn write_in_a_row(&mut self, by: u32, mut payloads: impl Iterator<Item = Payload>) {
        let Some(first) = payloads.next() else {
            return;
        };
        let mut last = self.write(by, first);
        let seq = self.log.get(&last).expect("it was admitted").body().seq;
        for (seq, payload) in (seq + 1..).zip(payloads) {
            self.now_ms += 1;
            let op = sign(by, seq, &[last], at(self.now_ms), payload);
            last = op.id();
            assert_eq!(self.receive(op), Outcome::Admitted);
        }
    }

    /// Carries a credential of the role for the subject into the log.
    pub(crate) fn present(&mut self, by: u32, subject: u32, role: Role) -> OpId {
        let jwt = mint_credential(&key(ISSUER_KEY), &claims(subject, role));
        self.carry(by, jwt)
    }

    pub(crate) fn carry(&mut self, by: u32, jwt: String) -> OpId {
        self.write(by, Payload::Credential(payload::Credential { jwt }))
    }

    /// Grants the subject what a new credential says.
    pub(crate) fn grant(&mut self, by: u32, subject: u32, role: Role) -> OpId {
        let credential = self.present(by, subject, role);
        self.write(by, Self::grant_of(subject, credential))
    }

    /// The grant of what the credential says.
    pub(crate) fn grant_of(subject: u32, credential: OpId) -> Payload {
        Payload::Grant(payload::Grant {
            subject: author(subject),
            credential,
        })
    }

    pub(crate) fn decision(&self, op: &OpId) -> Decision {
        self.replay.decision(&self.log, op).expect("the op is here")
    }

    pub(crate) fn is_applied(&self, op: &OpId) -> bool {
        matches!(self.decision(op), Decision::Applied { .. })
    }

    pub(crate) fn effect(&mut self, op: &OpId) -> Effect {
        let effect = self.replay.effect(&self.log, op, &mut self.costs);
        effect.expect("an admitted op of trust or policy")
    }

    /// What is decided of the ops that are admitted.
    pub(crate) fn admitted(&self) -> BTreeMap<OpId, Decision> {
        let ids = self.log.ids_since(0);
        ids.map(|id| (id, self.decision(&id))).collect()
    }

    /// Whether the first op is in the past of the second.
    pub(crate) fn has_seen(&mut self, late: &OpId, early: &OpId) -> bool {
        let seen = self.log.happens_before(early, late, &mut self.costs);
        seen.expect("both are admitted")
    }

    /// How many values the register has at once.
    pub(crate) fn winners(&mut self, field: &str) -> usize {
        let state = self.replay.state().export(&self.log);
        let state: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
        let winners = &state["objects"]["o"]["fields"][field]["winners"];
        winners.as_array().map_or(0, Vec::len)
    }
}
