//! The people of a workload: the project, its issuer, authors who sign.

use std::collections::{BTreeMap, BTreeSet};

use chacha20::ChaCha20Rng;
use ecac_core::credential::mint::{CredentialClaims, mint_credential, mint_status_list};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::payload::{self, Payload};
use ecac_core::{
    AuthorError, Body, Confidential, Genesis, Hlc, Kem, Name, OpId, ProjectId, PublicKey, Replica,
    SchemaRule, SigningKey, Value, VerifiedOp, public_key,
};
use rand_core::{Rng as _, SeedableRng as _};

use super::OBJECTS;

/// Virtual time begins at 2026-01-01T00:00:00Z.
const EPOCH_MS: u64 = 1_767_225_600_000;
/// Credentials and keys are valid for ten years.
const VALID_MS: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
/// Bits of the status list.
const LIST_BITS: u64 = 131_072;
const ISSUER: &str = "https://issuer.example/ecac";
const LIST: &str = "https://issuer.example/ecac/status/1";
const TAG: &str = "notes";

/// The tags of every field.
#[must_use]
pub fn tags() -> BTreeSet<Name> {
    [name(TAG)].into()
}

/// An op that others can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub OpId);

/// Somebody who writes.
#[derive(Debug)]
pub struct Author {
    key: SigningKey,
    public: PublicKey,
    node: u32,
    next_seq: u64,
    /// The author's last op, or what the author begins on.
    pub last: Mark,
}

impl Author {
    /// The public key.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// Who signs for the author.
    #[must_use]
    pub const fn signer(&self) -> &SigningKey {
        &self.key
    }

    /// The number of the author's next op.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.next_seq
    }
}

/// A project, its issuer, a root, and the clock that counts its ops in milliseconds.
#[derive(Debug)]
pub struct Project {
    rng: ChaCha20Rng,
    id: ProjectId,
    root: Author,
    now_ms: u64,
    nodes: u32,
    issuer: SigningKey,
    kid: String,
    /// Ops of the setup that nobody has taken yet.
    ops: Vec<VerifiedOp>,
    /// What the root's next op names beside the root's last.
    learnt: Vec<Mark>,
    /// Objects that data ops write to.
    objects: u64,
}

impl Project {
    /// Genesis with one root, an issuer key that it trusts, and an empty status list.
    ///
    /// # Panics
    /// Never: the texts are fixed, short and NFC.
    #[must_use]
    pub fn found(workload: &str, seed: u64) -> Self {
        Self::found_with(workload, seed, BTreeMap::new())
    }

    /// The same of a project that uses features without parameters.
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn with_features(workload: &str, seed: u64, features: &[&str]) -> Self {
        let features = features.iter().map(|it| (name(it), Vec::new()));
        Self::found_with(workload, seed, features.collect())
    }

    /// The same where every field is confidential, and keys are sealed to readers by this KEM.
    ///
    /// # Panics
    /// Never: the texts are fixed, short and NFC.
    #[must_use]
    pub fn confidential(workload: &str, seed: u64, kem: Kem) -> Self {
        let marks = Confidential { kem, tags: tags() };
        let features = [(name("confidential"), marks.parameters())].into();
        Self::found_with(workload, seed, features)
    }

    fn found_with(workload: &str, seed: u64, features: BTreeMap<Name, Vec<u8>>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("ecac-bench-v1 workload");
        hasher.update(workload.as_bytes());
        hasher.update(&[0]);
        hasher.update(&seed.to_le_bytes());
        let mut rng = ChaCha20Rng::from_seed(*hasher.finalize().as_bytes());
        let (root, issuer) = (new_key(&mut rng), new_key(&mut rng));
        let rule = SchemaRule {
            object: name("note/*"),
            field: name("*"),
            tags: BTreeSet::from([name(TAG)]),
        };
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let genesis = Payload::Genesis(Genesis {
            name: name(workload),
            nonce,
            roots: BTreeSet::from([public_key(&root)]),
            schema: BTreeSet::from([rule]),
            features,
        });
        let body = Body {
            author: public_key(&root),
            seq: 0,
            parents: Vec::new(),
            hlc: stamp(EPOCH_MS, 0),
            payload: genesis,
        };
        let genesis = signed(body, &root);
        let id = genesis.id();
        let root = Author {
            public: public_key(&root),
            key: root,
            node: 0,
            next_seq: 1,
            last: Mark(id),
        };
        let mut project = Self {
            rng,
            id,
            root,
            now_ms: EPOCH_MS,
            nodes: 1,
            issuer,
            kid: "key-0".to_owned(),
            ops: vec![genesis],
            learnt: Vec::new(),
            objects: OBJECTS,
        };
        let key = project.issuer_key("key-0", public_key(&project.issuer));
        project.by_root(key);
        let list = project.status_list(&BTreeSet::new());
        project.by_root(list);
        project
    }

    /// The project.
    #[must_use]
    pub const fn id(&self) -> ProjectId {
        self.id
    }

    /// The root.
    #[must_use]
    pub const fn root(&self) -> &Author {
        &self.root
    }

    /// The clock, in milliseconds since the Unix epoch.
    #[must_use]
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// The ops of the setup since the last call.
    pub fn take_ops(&mut self) -> Vec<VerifiedOp> {
        core::mem::take(&mut self.ops)
    }

    /// A number below `bound`, which is not zero.
    ///
    /// # Panics
    /// Never: the upper half of a product of 64-bit numbers has 64 bits.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.rng.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("half of 128 bits")
    }

    /// An index into something of `length` elements, not zero.
    ///
    /// # Panics
    /// Never: what is below a `usize` is one.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a usize")
    }

    /// A key of somebody new.
    pub fn new_key(&mut self) -> SigningKey {
        new_key(&mut self.rng)
    }

    /// The root writes an op of the setup.
    pub fn by_root(&mut self, payload: Payload) -> Mark {
        self.now_ms += 1;
        let learnt = core::mem::take(&mut self.learnt);
        let op = write(&mut self.root, self.now_ms, &learnt, payload);
        let mark = Mark(op.id());
        self.ops.push(op);
        mark
    }

    /// From here on data ops write to so many objects.
    pub fn write_among(&mut self, objects: u64) {
        self.objects = objects.max(1);
    }

    /// The root seals what these ops end, and what it has seen. Nobody judges the digest when a seal is admitted.
    pub fn seal(&mut self, ends: &[Mark]) -> VerifiedOp {
        self.now_ms += 1;
        let seal = Payload::Seal(payload::Seal { digest: [0; 32] });
        write(&mut self.root, self.now_ms, ends, seal)
    }

    /// The root seals what the replica has, and says what that is.
    pub fn seal_truly(&self, replica: &mut Replica) -> Result<OpId, AuthorError> {
        let sealed = replica.seal(&self.root.key, self.now_ms + 1)?;
        Ok(sealed.op)
    }

    /// Somebody else writes an op of the setup, which the root's next op names.
    pub fn by(&mut self, author: &mut Author, payload: Payload) {
        let op = self.write(author, &[], payload);
        self.learnt.push(Mark(op.id()));
        self.ops.push(op);
    }

    /// Somebody new to whom the root grants these roles, under bit `index` of the status list if there is one.
    pub fn enlist(&mut self, roles: &[Role], index: Option<u64>) -> Author {
        let key = self.new_key();
        let mut author = Author {
            public: public_key(&key),
            key,
            node: self.nodes,
            next_seq: 0,
            last: self.root.last,
        };
        self.nodes += 1;
        for &role in roles {
            author.last = self.grant_by_root(&author, role, index);
        }
        author
    }

    /// The root grants the author a role.
    pub fn grant_by_root(&mut self, author: &Author, role: Role, index: Option<u64>) -> Mark {
        let credential = self.credential(author, role, index);
        let carrier = self.by_root(credential);
        self.by_root(grant(author, carrier))
    }

    /// The author writes an op on the last of its own and on these.
    pub fn write(&mut self, author: &mut Author, others: &[Mark], payload: Payload) -> VerifiedOp {
        self.now_ms += 1;
        write(author, self.now_ms, others, payload)
    }

    /// The author writes an op on these alone with this number, whatever else it has written.
    pub fn write_fork(
        &mut self,
        author: &Author,
        seq: u64,
        parents: &[Mark],
        payload: Payload,
    ) -> VerifiedOp {
        self.now_ms += 1;
        let body = Body {
            author: author.public,
            seq,
            parents: parent_ids(parents),
            hlc: stamp(self.now_ms, author.node),
            payload,
        };
        signed(body, &author.key)
    }

    /// Lists a key of the issuer.
    #[must_use]
    pub fn issuer_key(&self, kid: &str, public_key: PublicKey) -> Payload {
        Payload::IssuerKey(payload::IssuerKey {
            issuer: name(ISSUER),
            kid: name(kid),
            public_key,
            valid_from_ms: EPOCH_MS,
            valid_until_ms: EPOCH_MS + VALID_MS,
        })
    }

    /// Ends the trust in a key of the issuer.
    #[must_use]
    pub fn issuer_key_revoke(&self, kid: &str) -> Payload {
        Payload::IssuerKeyRevoke(payload::IssuerKeyRevoke {
            issuer: name(ISSUER),
            kid: name(kid),
            reason: name("spare"),
        })
    }

    /// From here on the issuer signs with this key.
    pub fn sign_with(&mut self, kid: &str, key: SigningKey) {
        kid.clone_into(&mut self.kid);
        self.issuer = key;
    }

    /// A credential of the role, which bit `index` of the status list withdraws.
    #[must_use]
    pub fn credential(&self, author: &Author, role: Role, index: Option<u64>) -> Payload {
        let status = index.map(|index| StatusRef {
            list: LIST.to_owned(),
            index,
            purpose: StatusPurpose::Revocation,
        });
        let claims = CredentialClaims {
            issuer: ISSUER.to_owned(),
            kid: self.kid.clone(),
            id: None,
            subject: author.public,
            role,
            scope: BTreeSet::from([TAG.to_owned()]),
            valid_from_ms: EPOCH_MS,
            valid_until_ms: EPOCH_MS + VALID_MS,
            status: status.into_iter().collect(),
        };
        let jwt = mint_credential(&self.issuer, &claims);
        Payload::Credential(payload::Credential { jwt })
    }

    /// The status list with these bits set.
    #[must_use]
    pub fn status_list(&self, set: &BTreeSet<u64>) -> Payload {
        let jwt = mint_status_list(
            &self.issuer,
            ISSUER,
            &self.kid,
            LIST,
            StatusPurpose::Revocation,
            EPOCH_MS,
            LIST_BITS,
            set,
        );
        Payload::StatusList(payload::StatusList { jwt })
    }

    /// What people write of data: mostly registers, some sets.
    ///
    /// # Panics
    /// Never: the numbers are small.
    pub fn edit(&mut self) -> Payload {
        let object = name(&format!("note/{}", self.below(self.objects)));
        let number = i64::try_from(self.below(1_000_000)).expect("a small number");
        match self.below(100) {
            0..90 => Payload::SetField(payload::SetField {
                object,
                field: name(["title", "body", "status"][self.index(3)]),
                value: Value::Int(number),
            }),
            90..98 => Payload::SetAdd(payload::SetAdd {
                object,
                field: name("labels"),
                element: name(&format!("label-{}", self.below(8))),
                value: Value::Int(number),
            }),
            _ => Payload::SetRemove(payload::SetRemove {
                object,
                field: name("labels"),
                element: name(&format!("label-{}", self.below(8))),
            }),
        }
    }

    /// A write to the one field in which everybody writes.
    ///
    /// # Panics
    /// Never: the number is small.
    pub fn edit_hot(&mut self) -> Payload {
        let number = i64::try_from(self.below(1_000_000)).expect("a small number");
        Payload::SetField(payload::SetField {
            object: name("note/hot"),
            field: name("title"),
            value: Value::Int(number),
        })
    }
}

/// Grants what the credential op says.
#[must_use]
pub(super) fn grant(author: &Author, carrier: Mark) -> Payload {
    Payload::Grant(payload::Grant {
        subject: author.public,
        credential: carrier.0,
    })
}

/// Takes every grant of the author back.
#[must_use]
pub(super) const fn revoke(author: &Author) -> Payload {
    Payload::Revoke(payload::Revoke {
        subject: author.public,
        role: None,
        scope: None,
    })
}

fn write(author: &mut Author, now_ms: u64, others: &[Mark], payload: Payload) -> VerifiedOp {
    let parents = [others, &[author.last]].concat();
    let body = Body {
        author: author.public,
        seq: author.next_seq,
        parents: parent_ids(&parents),
        hlc: stamp(now_ms, author.node),
        payload,
    };
    author.next_seq += 1;
    let op = signed(body, &author.key);
    author.last = Mark(op.id());
    op
}

fn parent_ids(marks: &[Mark]) -> Vec<OpId> {
    let mut ids: Vec<OpId> = marks.iter().map(|mark| mark.0).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn signed(body: Body, key: &SigningKey) -> VerifiedOp {
    VerifiedOp::sign(body, key).expect("workloads keep the limits")
}

const fn stamp(physical_ms: u64, node: u32) -> Hlc {
    Hlc {
        physical_ms,
        logical: 0,
        node,
    }
}

fn new_key(rng: &mut ChaCha20Rng) -> SigningKey {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    SigningKey::from(seed)
}

fn name(text: &str) -> Name {
    Name::new(text).expect("names in workloads are short NFC texts")
}
