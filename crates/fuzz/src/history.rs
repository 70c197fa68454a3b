//! Histories from bytes: signed ops of people who may do anything, mostly what makes sense.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::mint::{CredentialClaims, mint_credential, mint_status_list};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::payload;
use ecac_core::{
    Body, Hlc, Kem, Name, OpId, Payload, PublicKey, SchemaRule, Sealed, Value, VerifiedOp,
};
use ecac_oracle::world::{FAR_MS, START_MS, genesis_payload, name, person, scope, tags};

use crate::people::{self, ISSUER_KEYS};

/// Most ops of a history; a set of them is the bits of a number.
const OPS_MAX: usize = 64;
const ISSUER: &str = "https://i.example";
const LIST: &str = "https://s.example/1";

/// The history that `data` spells. The first op is the genesis.
#[must_use]
pub fn of(data: &[u8]) -> Vec<VerifiedOp> {
    let mut history = History::default();
    history.sign(
        0,
        Vec::new(),
        0,
        founding(data.first().copied().unwrap_or(0)),
    );
    let mut script = Script(data);
    while history.ops.len() < OPS_MAX
        && let Some(kind) = script.0.split_off_first()
    {
        history.step(*kind, &mut script);
    }
    history.ops
}

/// A genesis without features, or with all of them and a quorum of two.
fn founding(first: u8) -> Payload {
    let payload = genesis_payload(0);
    let Payload::Genesis(mut genesis) = payload else {
        return payload;
    };
    if first & 0x20 != 0 {
        let features = [
            "confidential",
            "device",
            "endorse",
            "quorum",
            "schema",
            "seal",
        ];
        let with_parameters = |feature: &str| match feature {
            "quorum" => (name(feature), vec![2]),
            // X25519, and the tag that the field `title` has in `doc/2` only.
            "confidential" => (name(feature), b"\x82\x01\x81ac".to_vec()),
            _ => (name(feature), Vec::new()),
        };
        genesis.features = features.into_iter().map(with_parameters).collect();
    }
    Payload::Genesis(genesis)
}

/// Bytes that are read one by one, with zeros behind the last.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    /// A number below `bound`, which is not zero.
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }
}

#[derive(Default)]
struct History {
    ops: Vec<VerifiedOp>,
    /// Each op and what it has seen, as bits.
    pasts: Vec<u64>,
    /// Credential ops, which grants refer to.
    credentials: Vec<OpId>,
}

impl History {
    /// One op: its kind, its author, its parents and what the kind needs.
    fn step(&mut self, kind: u8, script: &mut Script<'_>) {
        let author = script.byte() % people::COUNT;
        let shape = script.byte();
        let parents = self.parents(shape, script);
        let payload = self.payload(kind, script);
        self.sign(author, parents, shape >> 4, payload);
    }

    /// Positions of the parents: the heads, the last op, or one or two that the script names.
    fn parents(&self, shape: u8, script: &mut Script<'_>) -> Vec<usize> {
        let count = self.ops.len();
        match shape % 4 {
            0 => {
                let beneath = |it: &usize| {
                    let others = self.pasts.iter().enumerate();
                    others
                        .filter(|(at, _)| at != it)
                        .any(|(_, past)| past & (1 << it) != 0)
                };
                let heads = (0..count).rev().filter(|it| !beneath(it));
                heads.take(ecac_core::limits::PARENTS_MAX).collect()
            }
            1 => vec![count - 1],
            2 => vec![script.below(count)],
            _ => vec![script.below(count), script.below(count)],
        }
    }

    /// Signs an op. `faults` has bits for a wrong sequence number, a stamp that is too early, a parent that
    /// nobody has, and a stamp far ahead.
    fn sign(&mut self, author: u8, parents: Vec<usize>, faults: u8, payload: Payload) {
        let past = parents.iter().fold(0, |past, at| past | self.pasts[*at]);
        let key = person(author).public;
        let in_past = (0..self.ops.len()).filter(|at| past & (1 << at) != 0);
        let seqs = in_past.filter_map(|at| {
            let body = self.ops[at].body();
            (body.author == key).then_some(body.seq + 1)
        });
        let seq = seqs.max().unwrap_or(0) + u64::from(faults & 1);
        let stamps = parents.iter().map(|at| self.ops[*at].body().hlc);
        let latest_ms = stamps.map(|stamp| stamp.physical_ms).max();
        let physical_ms = match latest_ms {
            None => START_MS,
            Some(latest_ms) if faults & 2 != 0 => latest_ms,
            Some(latest_ms) if faults & 8 != 0 => latest_ms + FAR_MS / 4,
            Some(latest_ms) => latest_ms + 1,
        };
        let mut ids: BTreeSet<OpId> = parents.iter().map(|at| self.ops[*at].id()).collect();
        if faults & 4 != 0 && !parents.is_empty() && ids.len() < ecac_core::limits::PARENTS_MAX {
            ids.insert(OpId::from_bytes([0xee; 32]));
        }
        let is_genesis = matches!(payload, Payload::Genesis(_));
        let is_credential = matches!(payload, Payload::Credential(_));
        let body = Body {
            author: key,
            seq,
            parents: if is_genesis {
                Vec::new()
            } else {
                ids.into_iter().collect()
            },
            hlc: Hlc {
                physical_ms,
                logical: 0,
                node: u32::from(author),
            },
            payload,
        };
        let op = VerifiedOp::sign(body, &person(author).secret)
            .expect("histories keep the limits of the format");
        if is_credential {
            self.credentials.push(op.id());
        }
        self.pasts.push(past | 1 << self.ops.len());
        self.ops.push(op);
    }

    fn payload(&self, kind: u8, script: &mut Script<'_>) -> Payload {
        match kind {
            UPGRADES.. => later(kind, script),
            SIGNED.. => self.signed(kind, script),
            _ => self.early(kind, script),
        }
    }

    /// Payloads that name other ops, or keys of people.
    fn signed(&self, kind: u8, script: &mut Script<'_>) -> Payload {
        match kind % 10 {
            0 => Payload::Seal(payload::Seal {
                digest: [script.byte(); 32],
            }),
            1 => Payload::Cosign(payload::Cosign {
                op: self.ops[script.below(self.ops.len())].id(),
            }),
            2 => {
                let count = 1 + script.below(2);
                let ops = (0..count).map(|_| self.ops[script.below(self.ops.len())].id());
                Payload::Endorse(payload::Endorse { ops: ops.collect() })
            }
            3 => {
                let (owner, device) = (script.byte() % people::COUNT, script.byte());
                let (owner, key) = (person(owner), person(device % people::COUNT));
                let message = payload::Device::proof_of(&self.ops[0].id(), &owner.public);
                let proof = key.secret.sign(&message).into();
                let forged = [device; 64];
                Payload::Device(payload::Device {
                    person: owner.public,
                    key: key.public,
                    proof: if device & 0x80 == 0 { proof } else { forged },
                })
            }
            4 => Payload::DeviceRevoke(payload::DeviceRevoke {
                person: subject(script),
                key: subject(script),
            }),
            5 => Payload::ReaderKey(payload::ReaderKey {
                kem: Kem::X25519,
                public: vec![script.byte(); 32],
            }),
            6 => Payload::KeyRotate(payload::KeyRotate {
                tags: tags((script.byte() & 7).max(1)),
            }),
            7 => {
                let count = 1 + script.below(3);
                let share = payload::Share {
                    enc: vec![0; 32],
                    ciphertext: [0; 48],
                };
                let shares = (0..count).map(|_| (subject(script), share.clone()));
                let shares = shares.collect();
                let key = self.ops[script.below(self.ops.len())].id();
                Payload::KeyGrant(payload::KeyGrant { key, shares })
            }
            8 => Payload::SetFieldSealed(payload::SetFieldSealed {
                object: object(script),
                field: field(script),
                value: self.sealed(script),
            }),
            _ => Payload::SetAddSealed(payload::SetAddSealed {
                object: object(script),
                field: field(script),
                element: element(script),
                value: self.sealed(script),
            }),
        }
    }

    /// A value under some op, which may be a content key.
    fn sealed(&self, script: &mut Script<'_>) -> Sealed {
        Sealed {
            key: self.ops[script.below(self.ops.len())].id(),
            nonce: [0; 24],
            ciphertext: vec![script.byte(); 17],
        }
    }

    /// Payloads of the kinds that every project has, but for `Upgrade`.
    fn early(&self, kind: u8, script: &mut Script<'_>) -> Payload {
        match kind % 10 {
            0 => Payload::SetField(payload::SetField {
                object: object(script),
                field: field(script),
                value: value(script),
            }),
            1 => Payload::SetAdd(payload::SetAdd {
                object: object(script),
                field: field(script),
                element: element(script),
                value: value(script),
            }),
            2 => Payload::SetRemove(payload::SetRemove {
                object: object(script),
                field: field(script),
                element: element(script),
            }),
            3 => credential(script),
            4 => Payload::Grant(payload::Grant {
                subject: subject(script),
                credential: match self.credentials.len() {
                    0 => self.ops[0].id(),
                    count => self.credentials[script.below(count)],
                },
            }),
            5 => {
                let narrow = script.byte();
                Payload::Revoke(payload::Revoke {
                    subject: subject(script),
                    role: (narrow & 1 != 0).then(|| role(script)),
                    scope: (narrow & 2 != 0).then(|| match tags(script.byte() & 7) {
                        tags if tags.is_empty() => [name("a")].into(),
                        tags => tags,
                    }),
                })
            }
            6 => {
                let (key, from) = (script.byte(), u64::from(script.byte()));
                Payload::IssuerKey(payload::IssuerKey {
                    issuer: name(ISSUER),
                    kid: kid(key),
                    public_key: person(issuer_key(key)).public,
                    valid_from_ms: from,
                    valid_until_ms: if key & 4 == 0 { FAR_MS } else { from + 1 },
                })
            }
            7 => Payload::IssuerKeyRevoke(payload::IssuerKeyRevoke {
                issuer: name(ISSUER),
                kid: kid(script.byte()),
                reason: name("lost"),
            }),
            8 => {
                let (key, bits) = (script.byte(), script.byte());
                let set = (0..8).filter(|bit| bits & (1 << bit) != 0).collect();
                Payload::StatusList(payload::StatusList {
                    jwt: mint_status_list(
                        &person(issuer_key(key)).secret,
                        ISSUER,
                        &kid(key),
                        LIST,
                        purpose(key),
                        0,
                        0,
                        &set,
                    ),
                })
            }
            _ => genesis_payload(script.byte()),
        }
    }
}

/// Kinds from here on are those of features.
const UPGRADES: u8 = 240;
/// Kinds from here on are quorum, seals, endorsements, devices, keys and sealed values.
const SIGNED: u8 = 200;

/// Payloads that change what the project is, or that nobody here knows.
fn later(kind: u8, script: &mut Script<'_>) -> Payload {
    match kind {
        ..=247 => Payload::Upgrade(payload::Upgrade {
            feature: name(["schema", "tomorrow", "endorse", "device"][script.below(4)]),
            parameters: vec![0; script.below(2)],
        }),
        248..=251 => {
            let rule = SchemaRule {
                object: object(script),
                field: field(script),
                tags: match tags(script.byte() & 7) {
                    tags if tags.is_empty() => [name("a")].into(),
                    tags => tags,
                },
            };
            Payload::Schema(payload::Schema {
                rules: [rule].into(),
            })
        }
        252.. => {
            let bytes = [
                0xa2,
                0x00,
                0x16 + script.byte() % 2,
                0x01,
                script.byte() % 24,
            ];
            let payload = payload::Unassigned::new(&bytes);
            Payload::Unassigned(payload.expect("a small map of a type that is not assigned"))
        }
    }
}

fn credential(script: &mut Script<'_>) -> Payload {
    let (key, subject, role) = (script.byte(), subject(script), role(script));
    let (scope_bits, status, window) = (script.byte(), script.byte(), script.byte());
    let entry = StatusRef {
        list: LIST.to_owned(),
        index: u64::from(status >> 4) % 8,
        purpose: purpose(status),
    };
    let claims = CredentialClaims {
        issuer: ISSUER.to_owned(),
        kid: kid(key).to_string(),
        id: None,
        subject,
        role,
        scope: scope(scope_bits & 7),
        valid_from_ms: u64::from(window & 7),
        valid_until_ms: match window >> 3 {
            0 => FAR_MS,
            soon => START_MS + u64::from(soon),
        },
        status: match status & 1 {
            0 => Vec::new(),
            _ => vec![entry],
        },
    };
    Payload::Credential(payload::Credential {
        jwt: mint_credential(&person(issuer_key(key)).secret, &claims),
    })
}

fn object(script: &mut Script<'_>) -> Name {
    name(["doc/1", "doc/2", "other"][script.below(3)])
}

fn field(script: &mut Script<'_>) -> Name {
    name(["title", "body", "body2"][script.below(3)])
}

fn element(script: &mut Script<'_>) -> Name {
    name(["x", "y"][script.below(2)])
}

fn value(script: &mut Script<'_>) -> Value {
    match script.byte() {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => Value::Text("t".to_owned()),
        3 => Value::Bytes(vec![3]),
        other => Value::Int(i64::from(other) - 128),
    }
}

fn subject(script: &mut Script<'_>) -> PublicKey {
    person(script.byte() % people::COUNT).public
}

fn role(script: &mut Script<'_>) -> Role {
    Role::ALL[script.below(Role::ALL.len())]
}

/// The key that signs; it is not always the one that the name stands for.
fn issuer_key(bits: u8) -> u8 {
    ISSUER_KEYS + (bits & 1)
}

fn kid(bits: u8) -> Name {
    name(["k0", "k1"][usize::from((bits >> 1) & 1)])
}

fn purpose(bits: u8) -> StatusPurpose {
    StatusPurpose::ALL[usize::from((bits >> 3) & 1)]
}

/// The ops with every signature mended whose author is known here; which op replaced which.
pub(crate) fn mend(envelopes: &[&[u8]]) -> Vec<VerifiedOp> {
    let mut renamed: BTreeMap<OpId, OpId> = BTreeMap::new();
    let mut mended = Vec::new();
    for envelope in envelopes {
        let Ok(op) = ecac_core::Op::decode(envelope, &mut ecac_core::Costs::default()) else {
            continue;
        };
        let Some(author) = people::find(&op.body().author) else {
            continue;
        };
        let mut body = op.body().clone();
        let parents = body.parents.iter();
        let parents: BTreeSet<OpId> = parents
            .map(|parent| renamed.get(parent).copied().unwrap_or(*parent))
            .collect();
        body.parents = parents.into_iter().collect();
        let signed = VerifiedOp::sign(body, &person(author).secret)
            .expect("what was decoded keeps the limits");
        renamed.insert(op.id(), signed.id());
        mended.push(signed);
    }
    mended
}
