//! Sealed histories: random adversarial histories again, with real keys, shares and values in them.
//!
//! Every op is made and signed anew, with the same author, number and stamp, on the new parents. Whoever hands a key on or seals
//! under it has to hold it: who does not hands on or seals noise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use ecac_core::payload::{KeyGrant, ReaderKey, SetAddSealed, SetFieldSealed};
use ecac_core::{
    Body, Kem, OpId, Payload, ProjectId, PublicKey, Sealed, SigningKey, Value, VerifiedOp,
};
use ecac_oracle::History;
use ecac_oracle::world::person;
use ecac_seal::{ContentKey, Context, Opener as _, ReaderSecret, info, seal_share};

/// People of the histories, devices and strangers among them.
const PEOPLE: u8 = 32;

/// What is done wrong on purpose, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// Every `KeyRotate` makes the same key.
    OneKey,
    /// Shares do not name their recipients, and are sealed to the first of them.
    OneRecipient,
    /// Values are sealed for another place.
    OtherPlace,
    /// A write under a stale key is admitted.
    StaleAdmitted,
}

/// Somebody's private keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    /// One that may never be published, and those of the `ReaderKey`s, in the order of the history.
    pub(super) reader_keys: Vec<ReaderSecret>,
    /// Those that they drew for `KeyRotate`s.
    pub(super) content_keys: Vec<ContentKey>,
}

/// A history with real keys, and what is behind its ciphertexts.
#[derive(Debug)]
pub(super) struct SealedHistory {
    pub(super) project: ProjectId,
    pub(super) ops: Vec<VerifiedOp>,
    /// The content key of each `KeyRotate`.
    pub(super) keys: BTreeMap<OpId, ContentKey>,
    /// By `KeyGrant` who is given the key that it names by it.
    pub(super) given: BTreeMap<OpId, BTreeSet<PublicKey>>,
    /// The values that are sealed under the key that they name.
    pub(super) values: BTreeMap<OpId, Value>,
    /// The ancestors of each op.
    pasts: BTreeMap<OpId, BTreeSet<OpId>>,
    pub(super) people: BTreeMap<PublicKey, Held>,
}

/// Makes a history again, op by op.
struct Sealer<'a> {
    history: &'a History,
    defect: Option<Defect>,
    made: SealedHistory,
    new_ids: BTreeMap<OpId, OpId>,
    /// By op the number of its author's reader key that it publishes.
    published: BTreeMap<OpId, (PublicKey, usize)>,
    drawn: u64,
}

fn signing_keys() -> BTreeMap<PublicKey, &'static SigningKey> {
    let people = (0..PEOPLE).map(person);
    people.map(|it| (it.public, &it.secret)).collect()
}

/// Everybody, each with a reader key of their own from the beginning: the same in every run.
fn people_with_keys() -> BTreeMap<PublicKey, Held> {
    static PEOPLE_WITH_KEYS: LazyLock<BTreeMap<PublicKey, Held>> = LazyLock::new(|| {
        let held = |number: u8| {
            let held = Held {
                reader_keys: vec![ReaderSecret::derive(Kem::X25519, [number; 32])],
                content_keys: Vec::new(),
            };
            (person(number).public, held)
        };
        (0..PEOPLE).map(held).collect()
    });
    PEOPLE_WITH_KEYS.clone()
}

impl SealedHistory {
    pub(super) fn of(history: &History, defect: Option<Defect>) -> Self {
        let signers = signing_keys();
        let people = people_with_keys();
        let mut sealer = Sealer {
            history,
            defect,
            made: Self {
                project: history.project,
                ops: Vec::new(),
                keys: BTreeMap::new(),
                given: BTreeMap::new(),
                values: BTreeMap::new(),
                pasts: BTreeMap::new(),
                people,
            },
            new_ids: BTreeMap::new(),
            published: BTreeMap::new(),
            drawn: 0,
        };
        for op in &history.ops {
            sealer.add(op, signers[&op.body().author]);
        }
        sealer.made
    }

    /// The ancestors of the op.
    pub(super) fn past_of(&self, op: &VerifiedOp) -> &BTreeSet<OpId> {
        &self.pasts[&op.id()]
    }
}

impl Sealer<'_> {
    fn add(&mut self, old: &VerifiedOp, signer: &SigningKey) {
        let mut body = old.body().clone();
        for parent in &mut body.parents {
            *parent = self.new_id(parent);
        }
        body.parents.sort_unstable();
        let mut past: BTreeSet<OpId> = body.parents.iter().copied().collect();
        for parent in &body.parents {
            past.extend(self.made.pasts.get(parent).into_iter().flatten());
        }
        self.rename(&mut body.payload);
        let (mut publishes, mut gives, mut value) = (None, None, None);
        match &body.payload {
            Payload::ReaderKey(key) => {
                let secret = self.reader_secret(&body.author, key.kem);
                let held = self.made.people.entry(body.author).or_default();
                publishes = Some((body.author, held.reader_keys.len()));
                body.payload = secret.reader_key().into();
                held.reader_keys.push(secret);
            }
            Payload::KeyGrant(grant) => {
                let (grant, given) = self.grant(&body.author, grant, &past);
                body.payload = grant.into();
                gives = Some(given);
            }
            Payload::SetFieldSealed(_) | Payload::SetAddSealed(_) => {
                value = self.seal(&mut body, &past);
            }
            Payload::Genesis(_)
            | Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::Device(_)
            | Payload::DeviceRevoke(_)
            | Payload::KeyRotate(_)
            | Payload::Unassigned(_)
            | Payload::Grant(_)
            | Payload::Cosign(_)
            | Payload::Endorse(_) => {}
        }
        let is_rotate = matches!(body.payload, Payload::KeyRotate(_));
        let author = body.author;
        let op = VerifiedOp::sign(body, signer).expect("histories keep the limits");
        let id = op.id();
        if is_rotate {
            let content = self.draw_key();
            let held = self.made.people.entry(author).or_default();
            held.content_keys.push(content.clone());
            self.made.keys.insert(id, content);
        }
        self.new_ids.insert(old.id(), id);
        self.made.pasts.insert(id, past);
        self.published.extend(publishes.map(|it| (id, it)));
        self.made.given.extend(gives.map(|it| (id, it)));
        self.made.values.extend(value.map(|it| (id, it)));
        self.made.ops.push(op);
    }

    fn new_id(&self, old: &OpId) -> OpId {
        self.new_ids.get(old).copied().unwrap_or(*old)
    }

    /// The same payload, which names new ops where it named old ones.
    fn rename(&self, payload: &mut Payload) {
        match payload {
            Payload::Grant(it) => it.credential = self.new_id(&it.credential),
            Payload::Cosign(it) => it.op = self.new_id(&it.op),
            Payload::Endorse(it) => it.ops = it.ops.iter().map(|op| self.new_id(op)).collect(),
            Payload::KeyGrant(it) => it.key = self.new_id(&it.key),
            Payload::SetFieldSealed(it) => it.value.key = self.new_id(&it.value.key),
            Payload::SetAddSealed(it) => it.value.key = self.new_id(&it.value.key),
            Payload::Genesis(_)
            | Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::Device(_)
            | Payload::DeviceRevoke(_)
            | Payload::KeyRotate(_)
            | Payload::Unassigned(_)
            | Payload::ReaderKey(_) => {}
        }
    }

    /// 32 bytes, other ones each time.
    fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        let mut hasher = blake3::Hasher::new_derive_key("ecac-soak-v1 secrets");
        hasher.update(self.history.project.as_bytes());
        hasher.update(&self.drawn.to_le_bytes());
        hasher.finalize().into()
    }

    fn draw_key(&mut self) -> ContentKey {
        if self.defect == Some(Defect::OneKey) {
            return ContentKey::from_bytes([1; 32]);
        }
        ContentKey::from_bytes(self.draw())
    }

    fn reader_secret(&mut self, author: &PublicKey, kem: Kem) -> ReaderSecret {
        let random = self.draw();
        let mut hasher = blake3::Hasher::new_keyed(&random);
        hasher.update(author.as_bytes());
        ReaderSecret::derive(kem, hasher.finalize().into())
    }

    /// The key, if the author holds it with what the past has.
    fn held_by(&self, author: &PublicKey, key: &OpId, past: &BTreeSet<OpId>) -> Option<ContentKey> {
        let made = past.contains(key) && self.author_of(key) == Some(*author);
        let given = || {
            self.made.ops.iter().any(|op| {
                let names = matches!(&op.body().payload, Payload::KeyGrant(it) if it.key == *key);
                let to = self.made.given.get(&op.id());
                names && past.contains(&op.id()) && to.is_some_and(|it| it.contains(author))
            })
        };
        let held = made || given();
        held.then(|| self.made.keys.get(key).cloned()).flatten()
    }

    fn author_of(&self, op: &OpId) -> Option<PublicKey> {
        let mut ops = self.made.ops.iter();
        ops.find(|it| it.id() == *op).map(|it| it.body().author)
    }

    /// The reader key that the recipient had published last in this past, or the one that they have without.
    fn reader_key(&self, recipient: &PublicKey, past: &BTreeSet<OpId>) -> Option<ReaderKey> {
        let of_recipient = self
            .published
            .iter()
            .filter(|(op, (who, _))| who == recipient && past.contains(*op));
        let last = of_recipient.map(|(_, (_, number))| *number).max();
        let held = self.made.people.get(recipient)?;
        Some(held.reader_keys.get(last.unwrap_or(0))?.reader_key())
    }

    /// The grant with real shares, and who is given the key by it.
    fn grant(
        &mut self,
        author: &PublicKey,
        grant: &KeyGrant,
        past: &BTreeSet<OpId>,
    ) -> (KeyGrant, BTreeSet<PublicKey>) {
        let content = self.held_by(author, &grant.key, past);
        let (mut shares, mut given) = (BTreeMap::new(), BTreeSet::new());
        let first = grant.shares.recipients().first().copied();
        for (recipient, noise) in grant.shares.iter() {
            let named = match self.defect {
                Some(Defect::OneRecipient) => first.unwrap_or(*recipient),
                _ => *recipient,
            };
            let to = self.reader_key(&named, past);
            let info = info(&self.history.project, &grant.key, &named);
            let random = self.draw();
            let share = content.as_ref().zip(to);
            let share =
                share.and_then(|(content, to)| seal_share(content, &to, &info, random).ok());
            if share.is_some() {
                given.insert(*recipient);
            }
            shares.insert(*recipient, share.unwrap_or(noise));
        }
        let key = grant.key;
        let shares = shares.into_iter().collect();
        (KeyGrant { key, shares }, given)
    }

    /// Seals the value of the write, if its author can: what stands in it then.
    fn seal(&mut self, body: &mut Body, past: &BTreeSet<OpId>) -> Option<Value> {
        let Some(Value::Sealed(Sealed { key, .. })) = body.payload.value() else {
            return None;
        };
        let content = self.held_by(&body.author, &key, past);
        let random = self.draw();
        let value = Value::Bytes(random[..8].to_vec());
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&random[8..]);
        let is_held = content.is_some();
        let content = content.unwrap_or_else(|| ContentKey::from_bytes(self.draw()));
        let mut context = Context::of(&self.history.project, body)?;
        if self.defect == Some(Defect::OtherPlace) {
            context.object = "elsewhere";
        }
        let sealed = content.seal(key, &value, &context, nonce).ok()?;
        if let Payload::SetFieldSealed(SetFieldSealed { value, .. })
        | Payload::SetAddSealed(SetAddSealed { value, .. }) = &mut body.payload
        {
            *value = sealed;
        }
        is_held.then_some(value)
    }
}
