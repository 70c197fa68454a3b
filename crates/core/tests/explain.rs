//! Explanations of what is refused, of what waits, of effects, and the depth of delegation.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::Role;
use ecac_core::credential::mint::{CredentialClaims, mint_credential};
use ecac_core::payload;
use ecac_core::{
    Body, Costs, DELEGATION_DEPTH_MAX, Decision, Genesis, Hlc, Log, Name, OpId, Outcome, Payload,
    PublicKey, Refusal, Replay, SigningKey, Value, VerifiedOp, explain, public_key,
};

const ISSUER: &str = "https://issuer.example";
const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from([seed; 32])
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a short NFC text")
}

/// A log whose ops follow each other, one millisecond apart.
struct Chain {
    log: Log,
    head: OpId,
    now_ms: u64,
}

impl Chain {
    /// A project with one root.
    fn found(root: &SigningKey) -> Self {
        let genesis = Genesis {
            name: name("depth"),
            nonce: [0; 16],
            roots: BTreeSet::from([public_key(root)]),
            schema: BTreeSet::new(),
            features: BTreeMap::new(),
        };
        let op = sign(root, 0, Vec::new(), 1, Payload::Genesis(genesis));
        let mut log = Log::new(op.id());
        let head = op.id();
        log.ingest(op, &mut Costs::default());
        Self {
            log,
            head,
            now_ms: 1,
        }
    }

    /// The next op; what follows builds on it if it is admitted.
    fn write(&mut self, author: &SigningKey, seq: u64, payload: Payload) -> (OpId, Outcome) {
        self.now_ms += 1;
        let op = sign(author, seq, vec![self.head], self.now_ms, payload);
        let id = op.id();
        let outcome = self.log.ingest(op, &mut Costs::default())[0].outcome;
        if outcome == Outcome::Admitted {
            self.head = id;
        }
        (id, outcome)
    }
}

fn sign(
    author: &SigningKey,
    seq: u64,
    parents: Vec<OpId>,
    physical_ms: u64,
    payload: Payload,
) -> VerifiedOp {
    let hlc = Hlc {
        physical_ms,
        logical: 0,
        node: 0,
    };
    let body = Body {
        author: public_key(author),
        seq,
        parents,
        hlc,
        payload,
    };
    VerifiedOp::sign(body, author).expect("within the limits")
}

fn edit() -> Payload {
    Payload::SetField(payload::SetField {
        object: name("o"),
        field: name("f"),
        value: Value::Null,
    })
}

fn credential(subject: PublicKey) -> Payload {
    let claims = CredentialClaims {
        issuer: ISSUER.into(),
        kid: "key-1".into(),
        id: None,
        subject,
        role: Role::Root,
        scope: BTreeSet::new(),
        valid_from_ms: 0,
        valid_until_ms: YEAR_MS,
        status: Vec::new(),
    };
    Payload::Credential(payload::Credential {
        jwt: mint_credential(&key(255), &claims),
    })
}

#[test]
fn the_refused_parent_is_named_although_nothing_else_is_kept_of_it() {
    let (root, stranger) = (key(1), key(2));
    let mut chain = Chain::found(&root);
    let genesis = chain.head;
    let (refused, outcome) = chain.write(&stranger, 0, edit());
    assert_eq!(
        outcome,
        Outcome::Refused {
            reason: Refusal::NoGrant,
            witness: None
        }
    );
    let mut parents = vec![genesis, refused];
    parents.sort_unstable();
    let child = sign(&root, 1, parents, 9, edit());
    let id = child.id();
    chain.log.ingest(child, &mut Costs::default());
    let replay = Replay::of(&chain.log, &mut Costs::default());
    let explanation = explain(&chain.log, &replay, &id).expect("the log holds it");
    assert_eq!(explanation.reason, Some("refused_parent"));
    let witness = explanation
        .witness
        .as_ref()
        .expect("a refused parent is a witness");
    assert_eq!(
        (witness.op, witness.author, witness.kind),
        (refused, None, None)
    );
    assert!(
        explanation
            .to_string()
            .contains(&format!("witness  refused op {refused}"))
    );
}

#[test]
fn the_absent_ancestors_of_a_pending_op_are_told() {
    let root = key(1);
    let mut chain = Chain::found(&root);
    let genesis = chain.head;
    // Two absent ops, and above them two that are here.
    let [one, other] = [2, 3].map(|ms| sign(&root, 1, vec![genesis], ms, edit()));
    let lower = sign(&root, 2, vec![one.id()], 10, edit());
    let mut parents = vec![genesis, other.id(), lower.id()];
    parents.sort_unstable();
    let upper = sign(&root, 3, parents, 20, edit());
    let (log, costs) = (&mut chain.log, &mut Costs::default());
    for op in [&upper, &lower] {
        assert_eq!(log.ingest(op.clone(), costs)[0].outcome, Outcome::Pending);
    }
    let both = BTreeSet::from([one.id(), other.id()]);
    let check = |log: &Log, op: &VerifiedOp, absent: &BTreeSet<OpId>| {
        let replay = Replay::of(log, &mut Costs::default());
        let missing = absent.clone();
        let pending = Decision::Pending { missing };
        assert_eq!(replay.decision(log, &op.id()), Some(pending.clone()));
        assert_eq!(replay.decisions(log)[&op.id()], pending);
        let explanation = explain(log, &replay, &op.id()).expect("the log holds it");
        assert_eq!((explanation.verdict, explanation.reason), ("pending", None));
        assert_eq!(explanation.missing, Vec::from_iter(absent.clone()));
        let shown = explanation.to_string();
        let lines = shown.lines().filter_map(|it| it.strip_prefix("missing  "));
        let ids: Vec<String> = absent.iter().map(OpId::to_string).collect();
        assert_eq!(lines.collect::<Vec<_>>(), ids);
    };
    check(log, &upper, &both);
    check(log, &lower, &BTreeSet::from([one.id()]));
    // What has come is not missed, also where the op waits for another.
    log.ingest(one.clone(), costs);
    assert_eq!(log.pending_count(), 1);
    check(log, &upper, &BTreeSet::from([other.id()]));
    log.ingest(other, costs);
    assert_eq!(log.pending_count(), 0);
    let replay = Replay::of(log, costs);
    let explanation = explain(log, &replay, &one.id()).expect("the log holds it");
    assert_eq!(
        (explanation.missing, explanation.verdict),
        (vec![], "applied")
    );
}

#[test]
fn of_many_absent_ancestors_a_decision_names_the_least() {
    let root = key(1);
    let mut chain = Chain::found(&root);
    let (log, costs) = (&mut chain.log, &mut Costs::default());
    // Each op waits for fifteen that nobody has, and for the op before it.
    let mut last = chain.head;
    let mut absent = BTreeSet::new();
    for number in 1..=6_u8 {
        let unknown = (0..15).map(|it| OpId::from_bytes([it * 16 + number; 32]));
        let unknown: BTreeSet<OpId> = unknown.collect();
        absent.extend(&unknown);
        let parents: BTreeSet<OpId> = unknown.into_iter().chain([last]).collect();
        let op = sign(&root, 1, Vec::from_iter(parents), number.into(), edit());
        last = op.id();
        assert_eq!(log.ingest(op, costs)[0].outcome, Outcome::Pending);
        assert_eq!(log.absent(&last), absent);
        let replay = Replay::of(log, costs);
        let missing: BTreeSet<OpId> = absent.iter().copied().take(16).collect();
        let pending = Decision::Pending { missing };
        assert_eq!(replay.decision(log, &last), Some(pending.clone()));
        assert_eq!(replay.decisions(log)[&last], pending);
    }
    assert_eq!(absent.len(), 90);
    assert_eq!(log.absent(&chain.head), BTreeSet::new());
}

#[test]
fn delegation_ends_at_its_greatest_depth() {
    let people: Vec<SigningKey> = (1..=67).map(key).collect();
    let mut chain = Chain::found(&people[0]);
    let issuer_key = Payload::IssuerKey(payload::IssuerKey {
        issuer: name(ISSUER),
        kid: name("key-1"),
        public_key: public_key(&key(255)),
        valid_from_ms: 0,
        valid_until_ms: YEAR_MS,
    });
    chain.write(&people[0], 1, issuer_key);
    // Everybody makes the next one root: the grant of person n lies n links deep.
    for (depth, pair) in (1..).zip(people.windows(2)) {
        let subject = public_key(&pair[1]);
        // The root has signed genesis and key, everybody else an edit, but for the one whose edit is refused.
        let first = match depth {
            1 => 2,
            _ if depth <= DELEGATION_DEPTH_MAX + 1 => 1,
            _ => 0,
        };
        let (carrier, carried) = chain.write(&pair[0], first, credential(subject));
        let (grant, granted) = chain.write(
            &pair[0],
            first + 1,
            Payload::Grant(payload::Grant {
                subject,
                credential: carrier,
            }),
        );
        if depth <= DELEGATION_DEPTH_MAX + 1 {
            assert_eq!(
                (carried, granted),
                (Outcome::Admitted, Outcome::Admitted),
                "{depth}"
            );
            let (at, outcome) = chain.write(&pair[1], 0, edit());
            if depth <= DELEGATION_DEPTH_MAX {
                assert_eq!(outcome, Outcome::Admitted, "{depth}");
                let replay = Replay::of(&chain.log, &mut Costs::default());
                assert_eq!(
                    replay.decision(&chain.log, &at),
                    Some(Decision::Applied { grant })
                );
            } else {
                let refused = Outcome::Refused {
                    reason: Refusal::NoGrant,
                    witness: Some(grant),
                };
                assert_eq!(outcome, refused, "{depth}");
            }
        } else {
            assert!(matches!(
                carried,
                Outcome::Refused {
                    reason: Refusal::NoGrant,
                    ..
                }
            ));
        }
    }
}
