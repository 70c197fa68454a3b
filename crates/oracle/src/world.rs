//! The people, papers and the project that histories are made of.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecac_core::credential::mint::{
    CredentialClaims, mint_credential, mint_document, mint_status_list,
};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::payload;
use ecac_core::{
    Body, Genesis, Hlc, Name, OpId, Payload, PublicKey, SchemaRule, SigningKey, Tags, Value,
    VerifiedOp, public_key,
};
use serde_json::Value as Json;

/// When the history begins, in milliseconds; credentials and keys may be older.
pub const START_MS: u64 = 1_000_000;
/// The end of windows that do not matter.
pub const FAR_MS: u64 = 1_000_000_000;

/// A pair of keys.
pub struct Person {
    /// Signs.
    pub secret: SigningKey,
    /// Names the person.
    pub public: PublicKey,
}

/// The person of this number: the same in every run.
pub fn person(number: u8) -> &'static Person {
    static PEOPLE: LazyLock<Vec<Person>> = LazyLock::new(|| {
        let make = |seed: u8| {
            let secret = SigningKey::from([seed + 1; 32]);
            Person {
                public: public_key(&secret),
                secret,
            }
        };
        (0..32).map(make).collect()
    });
    &PEOPLE[usize::from(number)]
}

/// The owners of projects.
pub const ROOT: u8 = 0;
/// Another.
pub const ROOT_2: u8 = 1;
/// Another.
pub const ROOT_3: u8 = 2;
/// An issuer administrator.
pub const TRUST: u8 = 3;
/// A policy administrator.
pub const BOSS: u8 = 5;
/// Another.
pub const CHIEF: u8 = 6;
/// An editor.
pub const ALICE: u8 = 7;
/// Another.
pub const BOB: u8 = 8;
/// Somebody whom nobody hires.
pub const OUTSIDER: u8 = 12;

/// Scopes, as bits for [`scope`].
pub mod scope_bits {
    /// Tag a.
    pub const A: u8 = 0b001;
    /// Tag b.
    pub const B: u8 = 0b010;
    /// Tags a and b.
    pub const AB: u8 = 0b011;
}

/// The window of credentials whose window does not matter.
pub const ALWAYS: (u64, u64) = (60, FAR_MS);

/// The people who own projects.
pub const ROOTS: [u8; 3] = [ROOT, ROOT_2, ROOT_3];
/// The first of the issuers' signing keys.
pub const ISSUER_KEYS: u8 = 24;

/// The text as a name.
///
/// # Panics
///
/// Panics if it is none.
pub fn name(text: &str) -> Name {
    Name::new(text).expect("names in tests are short")
}

/// The tags `a` to `h` whose bit is set.
pub fn scope(bits: u8) -> BTreeSet<String> {
    let letters = (0..8).filter(|bit| bits & (1 << bit) != 0);
    letters
        .map(|bit| char::from(b'a' + bit).to_string())
        .collect()
}

/// The same as names.
pub fn tags(bits: u8) -> Tags {
    scope(bits).iter().map(|tag| name(tag)).collect()
}

/// Genesis of a project in which `doc/*` has `title` (tag a) and `body` (tag b), everything of `doc/2` has
/// tag c also, and other objects have no tags.
#[must_use]
pub fn genesis(nonce: u8) -> VerifiedOp {
    genesis_with(nonce, &[])
}

/// The same of a project that uses features, each with its parameters.
#[must_use]
pub fn genesis_with(nonce: u8, features: &[(&str, &[u8])]) -> VerifiedOp {
    let hlc = Hlc {
        physical_ms: START_MS,
        logical: 0,
        node: 0,
    };
    let features = features.iter().copied();
    let features = features.map(|(feature, parameters)| (name(feature), parameters.to_vec()));
    let payload = Genesis {
        features: features.collect(),
        ..founding(nonce)
    };
    sign(0, 0, Vec::new(), hlc, Payload::Genesis(payload))
}

/// What the genesis carries that names no features.
#[must_use]
pub fn genesis_payload(nonce: u8) -> Payload {
    Payload::Genesis(founding(nonce))
}

fn founding(nonce: u8) -> Genesis {
    let rule = |object, field, bits| SchemaRule {
        object: name(object),
        field: name(field),
        tags: tags(bits),
    };
    Genesis {
        name: name("laws"),
        nonce: [nonce; 16],
        roots: ROOTS.map(|root| person(root).public).into(),
        schema: [
            rule("doc/*", "title", 0b001),
            rule("doc/*", "body*", 0b010),
            rule("doc/2", "*", 0b100),
        ]
        .into(),
        features: BTreeMap::new(),
    }
}

/// An op as its author makes it, whether it is sound or not.
pub fn sign(
    author: u8,
    seq: u64,
    mut parents: Vec<OpId>,
    hlc: Hlc,
    payload: Payload,
) -> VerifiedOp {
    parents.sort_unstable();
    parents.dedup();
    let author = person(author);
    let body = Body {
        author: author.public,
        seq,
        parents,
        hlc,
        payload,
    };
    signed(body, &author.secret)
}

/// The op with this body. Each thread remembers those that it has signed: most histories begin with the same ones.
fn signed(body: Body, secret: &SigningKey) -> VerifiedOp {
    const REMEMBERED_MAX: usize = 16_384;
    thread_local! {
        static SIGNED: RefCell<BTreeMap<Vec<u8>, VerifiedOp>> = const { RefCell::new(BTreeMap::new()) };
    }
    let bytes = body.encode().expect("ops in tests keep the limits");
    SIGNED.with_borrow_mut(|signed| {
        if let Some(op) = signed.get(&bytes) {
            return op.clone();
        }
        let op = VerifiedOp::sign(body, secret).expect("ops in tests keep the limits");
        if signed.len() < REMEMBERED_MAX {
            signed.insert(bytes, op.clone());
        }
        op
    })
}

/// The issuer of this number.
pub fn issuer(number: u8) -> String {
    format!("https://issuer-{number}.example")
}

/// The key id of this number.
pub fn kid(number: u8) -> String {
    format!("key-{number}")
}

/// The id of the status list of this number.
pub fn list_id(number: u8) -> String {
    format!("https://lists.example/{number}")
}

/// Who signs a credential or a status list: issuer, key id, and the signing key, which may be another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hand {
    /// Number of the issuer that it claims.
    pub issuer: u8,
    /// Number of the key id that it claims.
    pub kid: u8,
    /// Number of the key that it signs with.
    pub key: u8,
}

/// The hand that every project here trusts first.
pub const FIRST: Hand = Hand {
    issuer: 0,
    kid: 0,
    key: 0,
};

impl Hand {
    fn secret(self) -> &'static SigningKey {
        &person(ISSUER_KEYS + self.key).secret
    }

    /// The op that trusts this hand.
    pub fn trusted(self, (from_ms, until_ms): (u64, u64)) -> Payload {
        Payload::IssuerKey(payload::IssuerKey {
            issuer: name(&issuer(self.issuer)),
            kid: name(&kid(self.kid)),
            public_key: person(ISSUER_KEYS + self.key).public,
            valid_from_ms: from_ms,
            valid_until_ms: until_ms,
        })
    }

    /// The op that ends the trust in this hand.
    pub fn distrusted(self) -> Payload {
        Payload::IssuerKeyRevoke(payload::IssuerKeyRevoke {
            issuer: name(&issuer(self.issuer)),
            kid: name(&kid(self.kid)),
            reason: name("lost"),
        })
    }

    /// A status list.
    #[must_use]
    pub fn list(self, list: u8, suspension: bool, from_ms: u64, bits: &[u64]) -> Payload {
        let document = Document::List {
            hand: self,
            list,
            suspension,
            from_ms,
            bits: bits.to_vec(),
        };
        Payload::StatusList(payload::StatusList {
            jwt: document.minted(),
        })
    }

    /// A credential.
    #[must_use]
    pub fn credential(
        self,
        subject: u8,
        role: Role,
        scope_bits: u8,
        window: (u64, u64),
        status: &[(u8, bool, u64)],
    ) -> Payload {
        let document = Document::Credential {
            hand: self,
            subject,
            role,
            scope_bits,
            window,
            status: status.to_vec(),
        };
        Payload::Credential(payload::Credential {
            jwt: document.minted(),
        })
    }

    /// A credential or a status list with other members, signed again: each edit names a member by a JSON pointer
    /// (RFC 6901) and what it is to be.
    ///
    /// # Panics
    ///
    /// Panics if the payload is neither, or if its JWT is not one that a hand has signed.
    #[must_use]
    pub fn edited(self, payload: Payload, edits: &[(&str, Json)]) -> Payload {
        let edited = |jwt: String| {
            let edits = edits.iter();
            let edits = edits.map(|(member, value)| ((*member).to_owned(), value.to_string()));
            Document::Edited {
                hand: self,
                jwt,
                edits: edits.collect(),
            }
            .minted()
        };
        if let Payload::Credential(payload::Credential { jwt }) = payload {
            let jwt = edited(jwt);
            Payload::Credential(payload::Credential { jwt })
        } else if let Payload::StatusList(payload::StatusList { jwt }) = payload {
            let jwt = edited(jwt);
            Payload::StatusList(payload::StatusList { jwt })
        } else {
            panic!("{} is no document", payload.kind())
        }
    }
}

/// What a hand signs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Document {
    Credential {
        hand: Hand,
        subject: u8,
        role: Role,
        scope_bits: u8,
        window: (u64, u64),
        status: Vec<(u8, bool, u64)>,
    },
    List {
        hand: Hand,
        list: u8,
        suspension: bool,
        from_ms: u64,
        bits: Vec<u64>,
    },
    Edited {
        hand: Hand,
        jwt: String,
        /// Members, and the JSON of what they are to be.
        edits: Vec<(String, String)>,
    },
}

/// The document that the JWT signs, with other members.
fn edit(jwt: &str, edits: &[(String, String)]) -> Json {
    let signed = jwt.split('.').nth(1).and_then(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice(&bytes).ok()
    });
    let mut document: Json = signed.expect("a hand signs JSON");
    for (member, value) in edits {
        let value = serde_json::from_str(value).expect("it was printed as JSON");
        let (object, member) = member.rsplit_once('/').expect("a pointer has a slash");
        let object = document.pointer_mut(object).expect("the object is there");
        object[member] = value;
    }
    document
}

impl Document {
    /// The JWT. Each thread remembers those that it has made: most histories begin with the same ones.
    fn minted(self) -> String {
        const REMEMBERED_MAX: usize = 16_384;
        thread_local! {
            static MINTED: RefCell<BTreeMap<Document, String>> = const { RefCell::new(BTreeMap::new()) };
        }
        MINTED.with_borrow_mut(|minted| {
            if let Some(jwt) = minted.get(&self) {
                return jwt.clone();
            }
            let jwt = self.mint();
            if minted.len() < REMEMBERED_MAX {
                minted.insert(self, jwt.clone());
            }
            jwt
        })
    }

    fn mint(&self) -> String {
        match self {
            Self::List {
                hand,
                list,
                suspension,
                from_ms,
                bits,
            } => mint_status_list(
                hand.secret(),
                &issuer(hand.issuer),
                &kid(hand.kid),
                &list_id(*list),
                StatusPurpose::ALL[usize::from(*suspension)],
                *from_ms,
                0,
                &bits.iter().copied().collect(),
            ),
            Self::Credential {
                hand,
                subject,
                role,
                scope_bits,
                window: (valid_from_ms, valid_until_ms),
                status,
            } => {
                let entry = |&(list, suspension, index): &(u8, bool, u64)| StatusRef {
                    list: list_id(list),
                    index,
                    purpose: StatusPurpose::ALL[usize::from(suspension)],
                };
                let claims = CredentialClaims {
                    issuer: issuer(hand.issuer),
                    kid: kid(hand.kid),
                    id: None,
                    subject: person(*subject).public,
                    role: *role,
                    scope: scope(*scope_bits),
                    valid_from_ms: *valid_from_ms,
                    valid_until_ms: *valid_until_ms,
                    status: status.iter().map(entry).collect(),
                };
                mint_credential(hand.secret(), &claims)
            }
            Self::Edited { hand, jwt, edits } => {
                mint_document(hand.secret(), &kid(hand.kid), &edit(jwt, edits))
            }
        }
    }
}

/// Writes a register.
pub fn set(object: &str, field: &str, value: i64) -> Payload {
    Payload::SetField(payload::SetField {
        object: name(object),
        field: name(field),
        value: Value::Int(value),
    })
}

/// Adds an element, whose value is its name.
pub fn add(object: &str, field: &str, element: &str) -> Payload {
    let value = Value::Text(element.to_owned());
    Payload::SetAdd(payload::SetAdd {
        object: name(object),
        field: name(field),
        element: name(element),
        value,
    })
}

/// Removes an element.
pub fn remove(object: &str, field: &str, element: &str) -> Payload {
    Payload::SetRemove(payload::SetRemove {
        object: name(object),
        field: name(field),
        element: name(element),
    })
}

/// Revokes somebody, of this role and within this scope where they are given.
pub fn revoke(subject: u8, role: Option<Role>, scope: Option<u8>) -> Payload {
    let scope = scope.filter(|bits| *bits != 0).map(tags);
    Payload::Revoke(payload::Revoke {
        subject: person(subject).public,
        role,
        scope,
    })
}

/// Names one more feature.
#[must_use]
pub fn upgrade(feature: &str, parameters: &[u8]) -> Payload {
    Payload::Upgrade(payload::Upgrade {
        feature: name(feature),
        parameters: parameters.to_vec(),
    })
}

/// Adds rules to the schema map: object pattern, field pattern, and tags as bits for [`scope`].
#[must_use]
pub fn schema(rules: &[(&str, &str, u8)]) -> Payload {
    let rules = rules.iter().map(|(object, field, bits)| SchemaRule {
        object: name(object),
        field: name(field),
        tags: tags(*bits),
    });
    Payload::Schema(payload::Schema {
        rules: rules.collect(),
    })
}

/// Says that its past stands.
#[must_use]
pub const fn seal(digest: [u8; 32]) -> Payload {
    Payload::Seal(payload::Seal { digest })
}

/// Signs an op with others.
#[must_use]
pub const fn cosign(op: OpId) -> Payload {
    Payload::Cosign(payload::Cosign { op })
}

/// Reinstates writes.
#[must_use]
pub fn endorse(ops: impl IntoIterator<Item = OpId>) -> Payload {
    let ops = ops.into_iter().collect();
    Payload::Endorse(payload::Endorse { ops })
}

/// What a device signs to be linked to a person.
#[must_use]
pub fn device_proof(project: OpId, owner: u8, device: u8) -> [u8; 64] {
    let owner = person(owner).public;
    let signed = [b"ECAC_DEVICE_V1", &project.as_bytes()[..], owner.as_bytes()].concat();
    person(device).secret.sign(&signed).into()
}

/// Links a device to a person.
#[must_use]
pub fn device(project: OpId, owner: u8, device: u8) -> Payload {
    device_with(owner, device, device_proof(project, owner, device))
}

/// The same with any proof.
#[must_use]
pub fn device_with(owner: u8, device: u8, proof: [u8; 64]) -> Payload {
    Payload::Device(payload::Device {
        person: person(owner).public,
        key: person(device).public,
        proof,
    })
}

/// Ends the links of a device to a person.
#[must_use]
pub fn device_revoke(owner: u8, device: u8) -> Payload {
    Payload::DeviceRevoke(payload::DeviceRevoke {
        person: person(owner).public,
        key: person(device).public,
    })
}

/// What this program does not know: a payload of this type, with one member.
///
/// # Panics
///
/// Panics if the type is assigned.
#[must_use]
pub fn unassigned(kind: u16, content: u8) -> Payload {
    let [high, low] = kind.to_be_bytes();
    let head: &[u8] = match kind {
        0..24 => &[low],
        24..256 => &[0x18, low],
        256.. => &[0x19, high, low],
    };
    let content: &[u8] = match content {
        0..24 => &[content],
        24.. => &[0x18, content],
    };
    // A map of two: 0, the type, and 1, the content.
    let bytes = [&[0xa2, 0x00], head, &[0x01], content].concat();
    Payload::Unassigned(payload::Unassigned::new(&bytes).expect("the type is not assigned"))
}
