//! Tests of the log as a whole, over a small project with every kind of entry.

mod crash;
mod disk;
mod earlier;
mod effects;
mod growth;
mod proofs;
mod reinstated;
mod replay;
mod scribe;
mod tamper;
mod verdicts;

use std::cell::RefCell;
use std::collections::BTreeSet;

use ecac_core::payload;
use ecac_core::{
    Body, Costs, Genesis, Hlc, Log, Name, OpId, Payload, ProjectId, SigningKey, Value, VerifiedOp,
    public_key,
};

use crate::{AuditLog, Digest, Entry, NodeKey, Origin, Recorder};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn author(seed: u8) -> SigningKey {
    SigningKey::from([seed; 32])
}

fn sign(seed: u8, seq: u64, parents: &[&VerifiedOp], payload: Payload) -> VerifiedOp {
    let mut ids: Vec<OpId> = parents.iter().map(|parent| parent.id()).collect();
    ids.sort();
    let after = parents.iter().map(|parent| parent.body().hlc).max();
    let body = Body {
        author: public_key(&author(seed)),
        seq,
        parents: ids,
        hlc: Hlc::next(after, 1_000, u32::from(seed)).unwrap(),
        payload,
    };
    VerifiedOp::sign(body, &author(seed)).unwrap()
}

fn genesis(project: &str, roots: &[u8]) -> Payload {
    Payload::Genesis(Genesis {
        name: name(project),
        nonce: [0; 16],
        roots: roots
            .iter()
            .map(|seed| public_key(&author(*seed)))
            .collect(),
        schema: BTreeSet::new(),
        features: std::collections::BTreeMap::new(),
    })
}

fn write(value: &str) -> Payload {
    Payload::SetField(payload::SetField {
        object: name("report"),
        field: name("title"),
        value: Value::Text(value.to_owned()),
    })
}

fn node(seed: u8) -> NodeKey {
    NodeKey::from_seed([seed; 32])
}

/// Roots 1 and 2; root 1 writes twice while root 2 revokes it; 3 is a stranger.
struct World {
    genesis: VerifiedOp,
    first: VerifiedOp,
    second: VerifiedOp,
    revoke: VerifiedOp,
    stranger: VerifiedOp,
    /// `first` under a broken signature.
    forged: Vec<u8>,
    garbage: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let genesis = sign(1, 0, &[], genesis("audit", &[1, 2, 9]));
        let first = sign(1, 1, &[&genesis], write("one"));
        let second = sign(1, 2, &[&first], write("two"));
        let subject = public_key(&author(1));
        let revoke = Payload::Revoke(payload::Revoke {
            subject,
            role: None,
            scope: None,
        });
        let revoke = sign(2, 0, &[&genesis], revoke);
        let stranger = sign(3, 0, &[&genesis], write("mine"));
        let mut forged = first.envelope().to_vec();
        *forged.last_mut().unwrap() ^= 1;
        Self {
            genesis,
            first,
            second,
            revoke,
            stranger,
            forged,
            garbage: b"\xd2garbage".to_vec(),
        }
    }

    fn origin(&self) -> Origin {
        Origin {
            project: self.project(),
            node: node(7).public(),
        }
    }

    fn project(&self) -> ProjectId {
        self.genesis.id()
    }

    /// The op log, in an order of its own.
    fn op_log(&self) -> Vec<&[u8]> {
        vec![
            self.revoke.envelope(),
            &self.garbage,
            self.second.envelope(),
            self.first.envelope(),
            self.stranger.envelope(),
            &self.forged,
            self.genesis.envelope(),
        ]
    }

    /// What an honest node records, batch by batch.
    fn batches(&self) -> Vec<Vec<Entry>> {
        let reject = |recorder: &mut Recorder, envelope: &[u8], costs: &mut Costs| {
            recorder.receive(envelope, costs).unwrap_err();
        };
        self.recorded(reject)
    }

    /// What a node records that lists each envelope that is no op, once.
    fn listing_batches(&self) -> Vec<Vec<Entry>> {
        let listed = RefCell::new(BTreeSet::new());
        self.recorded(|recorder, envelope, costs| {
            if listed.borrow_mut().insert(Digest::of(envelope)) {
                let rejected = Log::new(self.project()).receive(envelope, costs);
                recorder.list_rejected(Digest::of(envelope), rejected.unwrap_err().reason);
            }
        })
    }

    fn recorded(&self, reject: impl Fn(&mut Recorder, &[u8], &mut Costs)) -> Vec<Vec<Entry>> {
        let costs = &mut Costs::default();
        let mut recorder = Recorder::new(self.project());
        let mut batches = Vec::new();
        for envelope in [self.genesis.envelope(), self.second.envelope()] {
            recorder.receive(envelope, costs).unwrap();
        }
        for _ in 0..2 {
            reject(&mut recorder, &self.forged, costs);
        }
        recorder.receive(self.stranger.envelope(), costs).unwrap();
        batches.push(recorder.seal(costs));
        recorder.receive(self.first.envelope(), costs).unwrap();
        recorder.receive(self.genesis.envelope(), costs).unwrap();
        reject(&mut recorder, &self.garbage, costs);
        recorder.viewed(Digest::of(b"report"), public_key(&author(2)));
        batches.push(recorder.seal_with_checkpoint(costs));
        assert_eq!(recorder.seal(costs), []);
        recorder.receive(self.revoke.envelope(), costs).unwrap();
        recorder.synced(node(8).public());
        batches.push(recorder.seal_with_checkpoint(costs));
        batches
    }

    fn audit(&self) -> AuditLog {
        self.signed(self.batches())
    }

    fn signed(&self, batches: Vec<Vec<Entry>>) -> AuditLog {
        let mut audit = AuditLog::new(self.origin());
        for batch in batches {
            audit.commit_batch(batch, &node(7)).unwrap();
        }
        audit
    }
}
