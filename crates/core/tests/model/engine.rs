//! The same histories, made of real ops and judged by the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use ecac_core::credential::Role as RealRole;
use ecac_core::credential::mint::{CredentialClaims, mint_credential};
use ecac_core::payload;
use ecac_core::{
    Body, Change, Costs, Genesis, Hlc, Log, Name, OpId, Payload, Replay, SchemaRule, SigningKey,
    Value, VerifiedOp, public_key,
};
use stateright::{Model, Property};

use crate::history::{AUTHORS, Author, History, Kind, Op, Role};
use crate::machine::{Machine, State};
use crate::rule::{self, Decision, Decisions, DenialReason, Refusal, World};

/// The end of windows that do not matter, in milliseconds.
const FAR_MS: u64 = 1_000_000;
/// A root beside the model's authors, who says what genesis says in the model: whose keys count, and which
/// credentials there are. Nobody revokes the notary, and everything is built on what the notary made.
const NOTARY: Author = AUTHORS as Author;
const ISSUER: &str = "https://issuer.example";
const ISSUER_KEY: u8 = 200;
const KID: &str = "key";
const TAG: &str = "tag";

/// The machine of one replica, in every state of which the engine is asked as well.
#[derive(Debug)]
pub(crate) struct Comparison {
    machine: Machine,
    translator: Translator,
    differences: Mutex<Vec<String>>,
}

impl Comparison {
    /// Compares on the histories that the machine looks at: here, all of them are states.
    pub(crate) fn new(machine: Machine) -> Self {
        Self {
            translator: Translator::new(&machine.world),
            machine: Machine {
                ops_max: machine.ops_max + 1,
                ..machine
            },
            differences: Mutex::default(),
        }
    }

    /// What the engine said that the model did not say.
    pub(crate) fn differences(&self) -> Vec<String> {
        let known = self.differences.lock().expect("nothing here panics");
        known.clone()
    }

    fn agrees(&self, state: &State) -> bool {
        let (world, history) = (&self.machine.world, &state.history);
        let difference = self.translator.difference(world, history, &state.decided);
        let agrees = difference.is_none();
        let mut known = self.differences.lock().expect("nothing here panics");
        known.extend(difference);
        agrees
    }
}

impl Model for Comparison {
    type State = State;
    type Action = Op;

    fn init_states(&self) -> Vec<State> {
        self.machine.init_states()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Op>) {
        self.machine.actions(state, actions);
    }

    fn next_state(&self, state: &State, op: Op) -> Option<State> {
        self.machine.next_state(state, op)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("the engine agrees", Self::agrees)]
    }
}

/// Makes real ops of abstract ones.
#[derive(Debug)]
struct Translator {
    prelude: Vec<VerifiedOp>,
    credentials: BTreeMap<(Author, Role), OpId>,
    /// Every op that was ever made, because signing takes time.
    made: Mutex<BTreeMap<Particulars, VerifiedOp>>,
}

/// What sets an op apart: its author, what it does, its parents and its stamp.
type Particulars = (Author, Kind, Vec<OpId>, Hlc);

impl Translator {
    fn new(world: &World) -> Self {
        let mut translator = Self {
            prelude: Vec::new(),
            credentials: BTreeMap::new(),
            made: Mutex::default(),
        };
        let roots = world.roots.iter().map(|root| root as Author);
        translator.note(Payload::Genesis(Genesis {
            name: name("model"),
            nonce: [0; 16],
            roots: roots
                .chain([NOTARY])
                .map(|it| public_key(&key(it)))
                .collect(),
            schema: BTreeSet::from([SchemaRule {
                object: name("*"),
                field: name("*"),
                tags: BTreeSet::from([name(TAG)]),
            }]),
            features: BTreeMap::new(),
        }));
        translator.note(Payload::IssuerKey(payload::IssuerKey {
            issuer: name(ISSUER),
            kid: name(KID),
            public_key: public_key(&key(ISSUER_KEY)),
            valid_from_ms: 0,
            valid_until_ms: FAR_MS,
        }));
        for subject in 0..NOTARY {
            for &role in world.roles {
                let claims = CredentialClaims {
                    issuer: ISSUER.to_owned(),
                    kid: KID.to_owned(),
                    id: None,
                    subject: public_key(&key(subject)),
                    role: match role {
                        Role::Editor => RealRole::Editor,
                        Role::Root => RealRole::Root,
                    },
                    scope: BTreeSet::from([TAG.to_owned()]),
                    valid_from_ms: 0,
                    valid_until_ms: FAR_MS,
                    status: Vec::new(),
                };
                let jwt = mint_credential(&key(ISSUER_KEY), &claims);
                let carrier = translator.note(Payload::Credential(payload::Credential { jwt }));
                translator.credentials.insert((subject, role), carrier);
            }
        }
        translator
    }

    /// Adds an op of the notary to the prelude.
    fn note(&mut self, payload: Payload) -> OpId {
        let last = self.prelude.last();
        let hlc = Hlc {
            physical_ms: 1 + last.map_or(0, |op| op.body().hlc.physical_ms),
            logical: 0,
            node: 0,
        };
        let parents = last.map(VerifiedOp::id).into_iter().collect();
        let seq = self.prelude.len() as u64;
        let op = sign(NOTARY, seq, parents, hlc, payload);
        let id = op.id();
        self.prelude.push(op);
        id
    }

    /// The ops of the history, in the order of the listing.
    ///
    /// Every clock shows the least that it can, so that what is concurrent is backdated as far as that goes.
    fn ops(&self, history: &History) -> Vec<VerifiedOp> {
        let mut ops: Vec<VerifiedOp> = Vec::new();
        for (at, op) in history.ops().iter().enumerate() {
            let base = self.prelude.last().expect("genesis comes first");
            let heads = history.heads(op.past);
            let mut parents: Vec<&VerifiedOp> = heads.iter().map(|it| &ops[it]).collect();
            if parents.is_empty() {
                parents.push(base);
            }
            let last_ms = parents.iter().map(|it| it.body().hlc.physical_ms).max();
            let alike = history.ops()[..at].iter().filter(|it| *it == op);
            let hlc = Hlc {
                physical_ms: last_ms.expect("there is a parent") + 1,
                logical: u32::try_from(alike.count()).expect("a history is short"),
                node: 0,
            };
            let mut ids: Vec<OpId> = parents.into_iter().map(VerifiedOp::id).collect();
            ids.sort_unstable();
            let own = |it: &usize| history.ops()[*it].author == op.author;
            let seqs = op.past.iter().filter(own).map(|it| ops[it].body().seq + 1);
            let seq = seqs.max().unwrap_or(0);
            let mut made = self.made.lock().expect("signing does not panic");
            let made = made
                .entry((op.author, op.kind, ids.clone(), hlc))
                .or_insert_with(|| sign(op.author, seq, ids, hlc, self.payload(op.kind)));
            ops.push(made.clone());
        }
        ops
    }

    fn payload(&self, kind: Kind) -> Payload {
        match kind {
            Kind::Edit => Payload::SetField(payload::SetField {
                object: name("object"),
                field: name("field"),
                value: Value::Int(0),
            }),
            Kind::Grant(subject, role) => Payload::Grant(payload::Grant {
                subject: public_key(&key(subject)),
                credential: self.credentials[&(subject, role)],
            }),
            Kind::Revoke(subject) => Payload::Revoke(payload::Revoke {
                subject: public_key(&key(subject)),
                role: None,
                scope: None,
            }),
        }
    }

    /// Where the engine says something else than the model, if it does: after it got all ops at once, after it
    /// went along with them as they are listed, and after it got them backwards, the prelude last. Of what it rolls
    /// back when the rest comes at once, wherever it stood before, the causes are compared, too.
    fn difference(&self, world: &World, history: &History, decided: &Decisions) -> Option<String> {
        let ops = self.ops(history);
        let forwards: Vec<&VerifiedOp> = self.prelude.iter().chain(&ops).collect();
        let backwards: Vec<&VerifiedOp> = forwards.iter().rev().copied().collect();
        let course = rule::course(world, history);
        let costs = &mut Costs::default();
        for (order, each_at_once) in [(&forwards, false), (&forwards, true), (&backwards, true)] {
            let mut log = Log::new(self.prelude[0].id());
            let mut replay = Replay::new();
            let mut checkpoints = Vec::new();
            for op in order {
                if each_at_once && log.admitted_count() >= self.prelude.len() {
                    replay.advance(&log, costs);
                    checkpoints.push(replay.clone());
                }
                log.ingest((*op).clone(), costs);
            }
            replay.advance(&log, costs);
            for (op, decided) in ops.iter().zip(decided) {
                let said = replay
                    .decision(&log, &op.id())
                    .expect("the log holds the op");
                let (said, decided) = ((said.verdict(), said.reason()), spoken(*decided));
                if said != decided {
                    let at = ops.iter().position(|it| it.id() == op.id());
                    return Some(format!(
                        "of op {at:?} the engine says {said:?}, the model {decided:?}: {history:?}"
                    ));
                }
            }
            for (known, mut checkpoint) in checkpoints.into_iter().enumerate() {
                let changes = checkpoint.advance(&log, costs);
                if checkpoint != replay {
                    return Some(format!("{known} ops and then the rest: {history:?}"));
                }
                let (said, wanted) = (causes(&ops, &changes), rule::causes(&course, known));
                if said != wanted {
                    return Some(format!(
                        "after {known} ops the engine names the causes {said:?}, the model {wanted:?}: {history:?}"
                    ));
                }
            }
        }
        None
    }
}

/// What is rolled back, each op with its cause, as numbers of ops.
fn causes(ops: &[VerifiedOp], changes: &[Change]) -> BTreeMap<usize, usize> {
    let number = |id: &OpId| ops.iter().position(|op| op.id() == *id);
    let rolled_back = changes
        .iter()
        .filter_map(|it| Some((&it.op, it.cause.as_ref()?)));
    let causes = rolled_back.filter_map(|(op, cause)| Some((number(op)?, number(cause)?)));
    causes.collect()
}

/// A decision in the engine's words.
const fn spoken(decision: Decision) -> (&'static str, Option<&'static str>) {
    match decision {
        Decision::Applied => ("applied", None),
        Decision::Denied(denial) => {
            let reason = match denial {
                DenialReason::Revoked => "revoked",
                DenialReason::GranterDenied => "granter_denied",
            };
            ("denied", Some(reason))
        }
        Decision::Refused(refusal) => {
            let reason = match refusal {
                Refusal::RefusedParent => "refused_parent",
                Refusal::NoGrant => "no_grant",
                Refusal::ActionNotPermitted => "action_not_permitted",
                Refusal::Revoked => "revoked",
                Refusal::Frozen => "frozen",
            };
            ("refused", Some(reason))
        }
    }
}

fn key(author: u8) -> SigningKey {
    SigningKey::from([author + 1; 32])
}

fn name(text: &str) -> Name {
    Name::new(text).expect("names in tests are short")
}

fn sign(author: Author, seq: u64, parents: Vec<OpId>, hlc: Hlc, payload: Payload) -> VerifiedOp {
    let key = key(author);
    let body = Body {
        author: public_key(&key),
        seq,
        parents,
        hlc,
        payload,
    };
    VerifiedOp::sign(body, &key).expect("ops in tests keep the limits")
}
