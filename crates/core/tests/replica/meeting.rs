//! Random meetings: several people, each with a replica, write what comes to mind and meet now and then.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::Role;
use ecac_core::credential::mint::mint_credential;
use ecac_core::payload;
use ecac_core::{
    Action, AuthorError, Costs, Decision, DraftError, Event, Genesis, Log, OpId, Payload, Place,
    Received, Replay, Replica, SchemaRule, Value,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::answers::{answers_agree_with_the_export, everything_shown, members_agree_with_rights};
use crate::devices::{device, device_revoke};
use crate::effects::{revoke_key, upgrade};
use crate::project::{
    FAR_MS, ISSUER_KEY, KID, author, claims, edit, issuer_key, key, name, revoke, unassigned,
};
use crate::quorum::cosign;

/// Three roots, two editors to be, a policy administrator to be, and a phone.
pub(crate) const PEOPLE: u32 = 7;
pub(crate) const FIELDS: [&str; 3] = ["a", "b", "c"];

/// What somebody does.
#[derive(Debug, Clone)]
enum Act {
    /// Writes something about somebody, or about one of the ops that are known.
    Write(u8, u32, Index),
    /// Takes in what another holds, in an order that the number turns.
    Meet(usize, usize),
}

/// Every replica, by person, with the verdict that its events left on each op.
struct Meeting {
    replicas: Vec<(Replica, BTreeMap<OpId, Verdict>)>,
    now_ms: u64,
    /// How often each event was reported.
    told: Told,
}

type Told = BTreeMap<&'static str, usize>;

/// What events say of an op, as far as decisions say it too.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Applied,
    Denied,
    Refused,
    Pending,
    Unsupported,
}

fn acts() -> impl Strategy<Value = Vec<(u32, Act)>> {
    let write = (0..20_u8, 0..PEOPLE, any::<Index>());
    let act = prop_oneof![
        5 => write.prop_map(|(kind, whom, which)| Act::Write(kind, whom, which)),
        2 => (0..PEOPLE as usize, 0..100_usize).prop_map(|(other, turn)| Act::Meet(other, turn)),
    ];
    prop::collection::vec((0..PEOPLE, act), 0..40)
}

fn genesis(features: bool) -> Genesis {
    let used: [(&str, &[u8]); 4] = [
        ("quorum", &[2]),
        ("seal", &[]),
        ("endorse", &[]),
        ("device", &[]),
    ];
    let used = used.into_iter().filter(|_| features);
    Genesis {
        name: name("meeting"),
        nonce: [0; 16],
        roots: [0, 1, 2].map(author).into(),
        schema: BTreeSet::from([SchemaRule {
            object: name("*"),
            field: name("*"),
            tags: [name("tag")].into(),
        }]),
        features: used
            .map(|(it, parameters)| (name(it), parameters.to_vec()))
            .collect(),
    }
}

fn note(verdicts: &mut BTreeMap<OpId, Verdict>, told: &mut Told, received: &Received) {
    for event in &received.events {
        *told.entry(event.name()).or_default() += 1;
        let verdict = match event {
            Event::Applied { .. } | Event::Reinstated { .. } => Verdict::Applied,
            Event::Denied { .. } | Event::RolledBack { .. } => Verdict::Denied,
            Event::Refused { .. } => Verdict::Refused,
            Event::Pending { .. } => Verdict::Pending,
            Event::Unsupported { .. } => Verdict::Unsupported,
            other => {
                assert!(matches!(other, Event::Duplicate { .. }), "{other:?}");
                continue;
            }
        };
        verdicts.insert(event.op().expect("an op"), verdict);
    }
}

impl Meeting {
    /// The founder lists the issuer's key and grants everybody a role.
    fn found(features: bool) -> Self {
        let mut replica = Replica::builder()
            .behind_is_fine(true)
            .create(genesis(features), &key(0), 1)
            .expect("a genesis");
        let mut write = |now_ms, payload| {
            let written = replica.author(payload, &key(0), now_ms);
            written.expect("a root's").op
        };
        write(2, issuer_key(KID, ISSUER_KEY, FAR_MS));
        for (person, role) in [(3, Role::Editor), (4, Role::Editor), (5, Role::PolicyAdmin)] {
            let jwt = mint_credential(&key(ISSUER_KEY), &claims(person, role));
            let credential = write(3, payload::Credential { jwt }.into());
            let subject = author(person);
            let grant = payload::Grant {
                subject,
                credential,
            };
            write(4, grant.into());
        }
        let mut meeting = Self {
            replicas: Vec::new(),
            now_ms: 10,
            told: Told::new(),
        };
        for person in 0..PEOPLE {
            let mut own = Replica::builder()
                .behind_is_fine(true)
                .node(person)
                .join(replica.project());
            let mut verdicts = BTreeMap::new();
            note(&mut verdicts, &mut meeting.told, &own.ingest(replica.ops()));
            meeting.replicas.push((own, verdicts));
        }
        meeting
    }

    /// What the number stands for, with what the person knows.
    fn payload(&self, kind: u8, by: u32, whom: u32, which: Index) -> Payload {
        let replica = &self.replicas[by as usize].0;
        let ops: Vec<_> = replica.ops().collect();
        let op = which.get(&ops);
        let of_kind = |kind: &str| {
            let is_it = |op: &&ecac_core::VerifiedOp| op.body().payload.kind() == kind;
            let found: Vec<OpId> = ops.iter().filter(is_it).map(|op| op.id()).collect();
            if found.is_empty() {
                op.id()
            } else {
                *which.get(&found)
            }
        };
        let field = FIELDS[which.index(FIELDS.len())];
        let (object, field_name, element) = (name("o"), name(field), name("e"));
        match kind {
            0..=3 => edit(field, i64::from(kind)),
            4 | 5 => Payload::SetAdd(payload::SetAdd {
                object,
                field: field_name,
                element,
                value: Value::Int(i64::from(kind)),
            }),
            6 => Payload::SetRemove(payload::SetRemove {
                object,
                field: field_name,
                element,
            }),
            7 | 8 => revoke(whom),
            9 => {
                let role = [Role::Editor, Role::PolicyAdmin, Role::Root][which.index(3)];
                let jwt = mint_credential(&key(ISSUER_KEY), &claims(whom, role));
                payload::Credential { jwt }.into()
            }
            10 => {
                let credential = of_kind("Credential");
                let carried = replica.log().get(&credential);
                let jwt = carried
                    .as_ref()
                    .and_then(|op| op.body().payload.credential());
                let read = jwt
                    .map(|jwt| ecac_core::credential::Credential::parse(jwt).expect("it is here"));
                let subject = read.map_or_else(|| author(whom), |it| it.subject);
                payload::Grant {
                    subject,
                    credential,
                }
                .into()
            }
            11 => revoke_key(KID),
            12 => cosign(op.id()),
            13 | 16.. => {
                let lost = replica.decisions().into_iter().filter(|(id, decision)| {
                    let data = replica
                        .log()
                        .get(id)
                        .is_some_and(|op| Place::of(&op.body().payload).is_some());
                    data && matches!(decision, Decision::Denied { .. })
                });
                let first = lost.map(|(id, _)| id).next();
                let ops = [first.unwrap_or_else(|| of_kind("SetField"))].into();
                payload::Endorse { ops }.into()
            }
            14 if whom.is_multiple_of(2) => device_revoke(whom, 6),
            14 => device(replica.project(), whom, 6),
            15 => match which.index(4) {
                2 => payload::Seal { digest: [0; 32] }.into(),
                0 => upgrade("hovercraft", &[]),
                1 => unassigned(whom),
                _ => issuer_key("key-2", ISSUER_KEY, FAR_MS),
            },
        }
    }

    /// Writes, and holds what a preview says to what happens.
    fn write(&mut self, by: u32, payload: Payload) {
        self.now_ms += 1;
        let now_ms = self.now_ms;
        let (replica, verdicts) = &mut self.replicas[by as usize];
        let before = replica.decisions();
        let holdings = replica.holdings();
        let preview = replica.preview(payload.clone(), author(by), now_ms);
        assert_eq!(replica.decisions(), before);
        let is_edit = matches!(payload, Payload::SetField(_));
        let tags = [name("tag")].into();
        let can = replica.can(&author(by), Action::Edit, &tags, now_ms);
        match (preview, replica.author(payload, &key(by), now_ms)) {
            (Ok(preview), Ok(authored)) => {
                assert_eq!(preview.op, authored.op);
                assert_eq!(preview.unseen, authored.unseen);
                assert_eq!(preview.effect, authored.effect);
                assert_eq!(preview.received, authored.received);
                let op = replica.log().get(&authored.op).expect("it is here");
                let body = op.body();
                assert_eq!(preview.parents, body.parents);
                let applied = matches!(
                    authored.received.of(&authored.op),
                    Some(Event::Applied { .. })
                );
                assert!(!is_edit || applied == can.is_ok(), "{can:?}");
                note(verdicts, &mut self.told, &authored.received);
            }
            (Err(foreseen), Err(AuthorError::Draft(error))) => {
                assert_eq!(foreseen, error);
                assert!(!is_edit || can.is_err(), "{can:?} {error}");
                *self.told.entry("not written").or_default() += 1;
                let known = matches!(
                    error,
                    DraftError::Refused { .. }
                        | DraftError::Unsupported
                        | DraftError::Encoding { .. }
                );
                assert!(known, "{error}");
                assert_eq!(replica.decisions(), before);
                assert_eq!(replica.holdings(), holdings);
            }
            (preview, authored) => panic!("{preview:?}\n{authored:?}"),
        }
    }

    /// Takes in what the other holds, turned by so many, in two batches.
    fn meet(&mut self, one: usize, other: usize, turn: usize) {
        let mut ops: Vec<Vec<u8>> = self.replicas[other]
            .0
            .envelopes()
            .map(|it| it.to_vec())
            .collect();
        let turn = turn % ops.len();
        ops.rotate_left(turn);
        let (replica, verdicts) = &mut self.replicas[one];
        for batch in ops.chunks(ops.len().div_ceil(2)) {
            let before = everything_shown(replica);
            let received = replica.receive(batch);
            let after = everything_shown(replica);
            let mut changed: BTreeMap<Place, _> = BTreeMap::new();
            for change in &received.changes {
                assert_ne!(change.before, change.after);
                assert!(received.why(change).all(|it| {
                    it.mention().and_then(|it| it.place.as_ref()) == Some(&change.place)
                }));
                changed.insert(
                    change.place.clone(),
                    (change.before.clone(), change.after.clone()),
                );
            }
            let places = before.keys().chain(after.keys());
            let differ = places.filter(|place| before.get(place) != after.get(place));
            let expected: BTreeMap<Place, _> = differ
                .map(|place| {
                    let both = (before.get(place).cloned(), after.get(place).cloned());
                    (place.clone(), both)
                })
                .collect();
            assert_eq!(changed, expected);
            assert!(received.missing.iter().all(|it| !replica.log().holds(it)));
            note(verdicts, &mut self.told, &received);
        }
    }
}

/// Plays the acts, and lets everybody meet at the end.
fn check(features: bool, acts: Vec<(u32, Act)>) -> Told {
    let mut meeting = Meeting::found(features);
    for (by, act) in acts {
        match act {
            Act::Write(kind, whom, which) => {
                let payload = meeting.payload(kind, by, whom, which);
                meeting.write(by, payload);
            }
            Act::Meet(other, turn) if other != by as usize => {
                meeting.meet(by as usize, other, turn);
            }
            Act::Meet(..) => {}
        }
    }
    for _ in 0..2 {
        for other in 1..PEOPLE as usize {
            meeting.meet(0, other, 0);
            meeting.meet(other, 0, 0);
        }
    }
    let now_ms = meeting.now_ms;
    let (first, _) = &meeting.replicas[0];
    let mut log = Log::new(first.project());
    for envelope in first.envelopes() {
        log.receive(&envelope, &mut Costs::default())
            .expect("it is here");
    }
    let replay = Replay::of(&log, &mut Costs::default());
    for (replica, verdicts) in &meeting.replicas {
        assert_eq!(replica.decisions(), replay.decisions(&log));
        assert_eq!(replica.state(), first.state());
        assert_eq!(replica.trust(), first.trust());
        assert_eq!(replica.missing(), BTreeSet::new());
        let decided = replica.decisions().into_iter().map(|(op, decision)| {
            let verdict = match decision {
                Decision::Applied { .. } => Verdict::Applied,
                Decision::Denied { .. } => Verdict::Denied,
                Decision::Refused { .. } => Verdict::Refused,
                Decision::Pending { .. } => Verdict::Pending,
                Decision::Unsupported => Verdict::Unsupported,
            };
            (op, verdict)
        });
        assert_eq!(verdicts, &decided.collect());
    }
    answers_agree_with_the_export(first);
    members_agree_with_rights(first, now_ms);
    meeting.told
}

/// Plays random acts, the same each time, because each of these events has to come about.
fn play(features: bool, expected: &[&str]) {
    let config = ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let told = RefCell::new(Told::new());
    let result = runner.run(&acts(), |acts| {
        for (event, count) in check(features, acts) {
            *told.borrow_mut().entry(event).or_default() += count;
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let told = told.into_inner();
    assert!(expected.iter().all(|it| told.contains_key(it)), "{told:?}");
}

#[test]
fn what_is_previewed_happens_and_all_who_meet_agree() {
    let expected = [
        "applied",
        "denied",
        "duplicate",
        "not written",
        "pending",
        "rolled_back",
    ];
    play(false, &expected);
}

#[test]
fn what_is_previewed_happens_where_roots_sign_together() {
    let expected = [
        "applied",
        "denied",
        "duplicate",
        "not written",
        "pending",
        "reinstated",
        "rolled_back",
    ];
    play(true, &expected);
}
