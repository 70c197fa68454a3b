//! `confidential`: values under seal, and who opens them: a reader is revoked while a writer is offline, a device is lost,
//! newcomers get the past or not.
//!
//! Cast: three roots, of whom Ann writes; Petra, who administers policy; the editors Bob and Tom; Bob's phone; the readers Eve, and
//! later Dan and Fay; Max, who was granted nothing. Notes are for everybody, `staff/*` is sealed for those who may read the tag
//! `pay`. The observer is a station that hears all that Ann has and holds no key.
//!
//! Everybody works online under one key. Tom and Eve are cut off; Petra revokes Eve. Whoever knows of it writes under a new key at
//! once; Tom goes on under the old one, and Eve can read that. She publishes another reader key meanwhile, which is denied when all
//! meet. Tom hears of the revocation: what a doctored program of his writes plainly, or under the old key, is refused, and so is what
//! Eve and Max publish.
//!
//! Dan comes and is given the past, Fay the key in use and none before it. Bob loses the phone, and the next write takes a new key;
//! Ann makes another one by habit. Work goes on.

use std::collections::BTreeSet;

use ecac_core::credential::Role;
use ecac_core::payload::{Device, DeviceRevoke, Revoke, SetField, SetFieldSealed};
use ecac_core::{
    Confidential, Kem, Name, Payload, Rehearsal, SchemaRule, Sealed, SigningKey, Value, VerifiedOp,
    public_key,
};
use ecac_seal::{
    Context, Keyring, Newcomers, Opener as _, ReaderSecret, Target, WriteError, open_key,
};

use super::cast::{
    DAY_MS, EPOCH_MS, Issuer, MINUTE_MS, TAG_FIELD_NOTES, edit, genesis, grant, name,
};
use crate::replica::{Author, Observer};
use crate::storage::{Storage, StoredReplica};
use crate::stream::Stream;

/// The tag of what is sealed.
const TAG_PAY: &str = "pay";
/// How all payslips begin, and nothing else: it stands in no file.
pub(crate) const PAYSLIP: &str = "payslip";
/// Of a hundred edits so many are of what is sealed.
const SEALED_PERCENT: u64 = 60;
/// Of a hundred edits, how many are made before somebody is cut off, while they are, and then until the next thing happens.
const TOGETHER_PERCENT: usize = 30;
const APART_PERCENT: usize = 25;
const BETWEEN_PERCENT: usize = 8;
/// Ops that are neither edits nor made before the first of them, at most; a sealed edit takes fewer than `ROOM`.
const INTERVENTIONS: usize = 32;
const ROOM: usize = 8;

const ANN: usize = 0;
const BOB: usize = 1;
const PHONE: usize = 2;
const TOM: usize = 3;
const EVE: usize = 4;
const DAN: usize = 5;
const FAY: usize = 6;
const MAX: usize = 7;
const WRITERS: [usize; 4] = [ANN, BOB, PHONE, TOM];

/// Somebody with the private keys of whom something may be sealed for. They are part of the scenario and protect nothing.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) signing_key: SigningKey,
    /// In the order in which their public halves are published.
    pub(crate) reader_keys: Vec<ReaderSecret>,
}

/// Everybody who holds reader keys.
pub(crate) fn cast(stream: &mut Stream) -> [Person; 8] {
    let names = ["ann", "bob", "bob-phone", "tom", "eve", "dan", "fay", "max"];
    names.map(|name| Person {
        name,
        signing_key: stream.signing_key(),
        reader_keys: (0..if name == "eve" { 2 } else { 1 })
            .map(|_| ReaderSecret::derive(Kem::X25519, stream.bytes()))
            .collect(),
    })
}

/// Everybody, and the virtual time.
struct World<'a, R> {
    stream: &'a mut Stream,
    now_ms: u64,
    observer: Observer,
    issuer: Issuer,
    petra: Author<R>,
    people: Vec<Author<R>>,
    cast: [Person; 8],
    /// Who hears of nothing, and is not heard of.
    away: BTreeSet<usize>,
    /// Ops signed so far, by anybody, and how many there will be.
    signed: usize,
    ops: usize,
}

pub(super) fn generate<S: Storage>(
    stream: &mut Stream,
    ops: usize,
    storage: &mut S,
) -> Result<Observer, S::Error> {
    let mut world = World::found(stream, ops, storage)?;
    let edits = ops - world.signed - INTERVENTIONS;
    let between = edits * BETWEEN_PERCENT / 100;
    world.work(edits * TOGETHER_PERCENT / 100)?;
    world.part()?;
    world.work_apart(edits * APART_PERCENT / 100)?;
    world.meet()?;
    world.work(between)?;
    world.welcome()?;
    world.work(between)?;
    world.lose_the_phone()?;
    world.work(between)?;
    world.rotate()?;
    while world.signed < ops {
        world.work(1)?;
    }
    world.settle()?;
    Ok(world.observer)
}

impl<'a, R: StoredReplica> World<'a, R> {
    fn found<S: Storage<Replica = R, Error = R::Error>>(
        stream: &'a mut Stream,
        ops: usize,
        storage: &mut S,
    ) -> Result<Self, R::Error> {
        let mut observer = Observer::default();
        let cast = cast(stream);
        let issuer = Issuer::new(stream);
        let roots = [
            public_key(&cast[ANN].signing_key),
            public_key(&stream.signing_key()),
            public_key(&stream.signing_key()),
        ];
        let mut founding = genesis(stream, "confidential", &roots);
        founding.schema.insert(SchemaRule {
            object: name("staff/*"),
            field: name("*"),
            tags: [name(TAG_PAY)].into(),
        });
        let marks = Confidential {
            kem: Kem::X25519,
            tags: [name(TAG_PAY)].into(),
        };
        founding.features = [
            (name("confidential"), marks.parameters()),
            (name("device"), Vec::new()),
        ]
        .into();
        let key = cast[ANN].signing_key;
        let (mut ann, first) = Author::found(storage, key, 1, EPOCH_MS, founding)?;
        observer.receive(&first);
        observer.receive(&ann.write(EPOCH_MS + 1, issuer.key_payload())?);
        observer.receive(&ann.write(EPOCH_MS + 2, issuer.status_list(&[]))?);
        let mut join = |key, node| Author::join(storage, first.id(), key, node);
        let mut petra = join(stream.signing_key(), 2)?;
        let scope = [TAG_FIELD_NOTES, TAG_PAY];
        let credential = issuer.credential_over(&scope, petra.key(), Role::PolicyAdmin, 1);
        let subject = petra.key();
        grant(&mut ann, &mut observer, EPOCH_MS + 3, subject, credential)?;
        petra.pull(&ann);
        let mut people = vec![ann];
        for (person, node) in cast.iter().skip(people.len()).zip(3..) {
            people.push(join(person.signing_key, node)?);
        }
        let mut world = Self {
            stream,
            now_ms: EPOCH_MS + MINUTE_MS,
            signed: observer.count(),
            observer,
            issuer,
            petra,
            people,
            cast,
            away: [DAN, FAY, MAX].into(),
            ops,
        };
        world.hire(BOB, Role::Editor, &scope)?;
        world.hire(TOM, Role::Editor, &scope)?;
        world.hire(EVE, Role::Reader, &[TAG_PAY])?;
        world.link_the_phone()?;
        for who in [ANN, BOB, PHONE, TOM, EVE] {
            world.publish(who, 0)?;
        }
        Ok(world)
    }

    fn tick(&mut self) -> u64 {
        self.now_ms += self.stream.between(1, MINUTE_MS);
        self.now_ms
    }

    /// What the person has signed reaches everybody who is not away.
    fn share(&mut self, who: usize) {
        if let Ok([ann, other]) = self.people.get_disjoint_mut([ANN, who]) {
            ann.pull(other);
        }
        self.hear_ann();
    }

    /// Everybody who is not away has what Ann has, and so has the station.
    fn hear_ann(&mut self) {
        let (ann, others) = self.people.split_at_mut(1);
        let ann = &ann[ANN];
        self.petra.pull(ann);
        for (other, who) in others.iter_mut().zip(1..) {
            if !self.away.contains(&who) {
                other.pull(ann);
            }
        }
        self.observer.pull(ann);
    }

    /// Petra grants somebody a role over these tags.
    fn hire(&mut self, who: usize, role: Role, scope: &[&str]) -> Result<(), R::Error> {
        let now_ms = self.tick();
        let (subject, bit) = (self.people[who].key(), 1 + who as u64);
        let credential = self.issuer.credential_over(scope, subject, role, bit);
        let (petra, observer) = (&mut self.petra, &mut self.observer);
        grant(petra, observer, now_ms, subject, credential)?;
        self.signed += 2;
        self.people[ANN].pull(&self.petra);
        self.hear_ann();
        Ok(())
    }

    fn link_the_phone(&mut self) -> Result<(), R::Error> {
        let (person, project) = (self.people[BOB].key(), self.people[BOB].replica().project());
        let phone = &self.cast[PHONE].signing_key;
        let proof = phone.sign(&Device::proof_of(&project, &person));
        let link = Device {
            person,
            key: public_key(phone),
            proof: proof.into(),
        };
        self.say(BOB, link)?;
        Ok(())
    }

    /// Somebody signs an op, and everybody who is not away hears of it, unless they are away.
    fn say(&mut self, who: usize, payload: impl Into<Payload>) -> Result<VerifiedOp, R::Error> {
        let now_ms = self.tick();
        let op = self.people[who].write(now_ms, payload)?;
        self.signed += 1;
        if !self.away.contains(&who) {
            self.share(who);
        }
        Ok(op)
    }

    /// Somebody publishes one of their reader keys.
    fn publish(&mut self, who: usize, which: usize) -> Result<VerifiedOp, R::Error> {
        self.say(who, self.cast[who].reader_keys[which].reader_key())
    }

    /// Edits by whoever is not away, each of which reaches everybody who is not.
    fn work(&mut self, edits: usize) -> Result<(), R::Error> {
        for _ in 0..edits {
            let mut writers = WRITERS.to_vec();
            writers.retain(|who| !self.away.contains(who));
            let who = writers[self.stream.index(writers.len())];
            self.edit(who)?;
        }
        Ok(())
    }

    /// One edit: mostly of what is sealed, else of a note.
    fn edit(&mut self, who: usize) -> Result<(), R::Error> {
        let is_sealed = self.stream.chance(SEALED_PERCENT) && self.ops - self.signed > ROOM;
        if is_sealed {
            return self.write_secret(who, Newcomers::ThePast);
        }
        let payload = edit(self.stream, self.cast[who].name, self.signed);
        self.say(who, payload).map(drop)
    }

    /// A sealed edit, with what it takes.
    fn write_secret(&mut self, who: usize, newcomers: Newcomers) -> Result<(), R::Error> {
        let now_ms = self.tick();
        let object = name(&format!("staff/{}", self.stream.below(3)));
        let element = self.stream.chance(20);
        let target = Target {
            object,
            field: name(if element { "bonuses" } else { "salary" }),
            element: element.then(|| name(&format!("bonus-{}", self.stream.below(4)))),
        };
        let value = self.payslip(who);
        self.with_keyring(who, now_ms, newcomers, |keyring, rehearsal| {
            keyring.write(rehearsal, &target, &value)
        })
    }

    fn payslip(&mut self, who: usize) -> Value {
        let (number, amount) = (self.signed, self.stream.between(1_000, 9_999));
        let by = self.cast[who].name;
        Value::Text(format!("{PAYSLIP} {number} by {by}: {amount}"))
    }

    fn with_keyring(
        &mut self,
        who: usize,
        now_ms: u64,
        newcomers: Newcomers,
        act: impl FnOnce(&mut Keyring<'_>, &mut Rehearsal) -> Result<(), WriteError>,
    ) -> Result<(), R::Error> {
        let mut keyring = Keyring {
            author: self.people[who].key(),
            opener: &self.cast[who].reader_keys[0],
            random: &mut || self.stream.bytes(),
            now_ms,
            newcomers,
        };
        self.signed += self.people[who].write_rehearsed(now_ms, |rehearsal| {
            act(&mut keyring, rehearsal)
                .expect("who writes may, and keys are of the project's KEM");
        })?;
        if !self.away.contains(&who) {
            self.share(who);
        }
        Ok(())
    }

    /// Tom and Eve are cut off; then Petra revokes Eve.
    fn part(&mut self) -> Result<(), R::Error> {
        self.away.extend([TOM, EVE]);
        self.now_ms += DAY_MS;
        let now_ms = self.tick();
        self.petra
            .write(now_ms, Revoke::of(self.people[EVE].key()))?;
        self.signed += 1;
        self.people[ANN].pull(&self.petra);
        self.hear_ann();
        Ok(())
    }

    /// Half of the edits are Tom's, who is cut off. Eve publishes another reader key.
    fn work_apart(&mut self, edits: usize) -> Result<(), R::Error> {
        for step in 0..edits {
            if self.stream.chance(50) {
                self.edit(TOM)?;
            } else {
                self.work(1)?;
            }
            if step == edits / 2 {
                self.publish(EVE, 1)?;
            }
        }
        // Somebody writes under each of the two keys, whatever the dice.
        self.write_secret(TOM, Newcomers::ThePast)?;
        self.write_secret(BOB, Newcomers::ThePast)
    }

    /// All meet; what is tried against the rules is refused.
    fn meet(&mut self) -> Result<(), R::Error> {
        self.now_ms += DAY_MS;
        self.away.retain(|who| ![TOM, EVE, MAX].contains(who));
        for who in [TOM, EVE] {
            self.share(who);
        }
        let stale = self.write_under_the_first_key()?;
        self.observer.receive(&stale);
        for (who, payload) in [
            (TOM, self.blank()),
            (EVE, self.cast[EVE].reader_keys[1].reader_key().into()),
            (MAX, self.cast[MAX].reader_keys[0].reader_key().into()),
        ] {
            let attempt = self.say(who, payload)?;
            self.observer.receive(&attempt);
        }
        Ok(())
    }

    /// A plain write where only sealed ones are allowed.
    fn blank(&self) -> Payload {
        Payload::SetField(SetField {
            object: name("staff/0"),
            field: name("salary"),
            value: Value::Text(String::new()),
        })
    }

    /// What a doctored program of Tom's seals under the key that Eve holds.
    fn write_under_the_first_key(&mut self) -> Result<VerifiedOp, R::Error> {
        let (now_ms, value) = (self.tick(), self.payslip(TOM));
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&self.stream.bytes::<24>());
        self.people[TOM].settle()?;
        let tom = self.people[TOM].key();
        let replica = self.people[TOM].replica();
        let project = replica.project();
        let first = replica.content_keys(now_ms).value.remove(0).key;
        let opener = &self.cast[TOM].reader_keys[0];
        let content = open_key(replica, opener, &tom, &first).expect("he was given it");
        let write = |value| SetFieldSealed {
            object: name("staff/0"),
            field: name("salary"),
            value,
        };
        let blank = Sealed {
            key: first,
            nonce,
            ciphertext: Vec::new(),
        };
        let op = self.people[TOM].doctor(now_ms, write(blank), |body| {
            let context = Context::of(&project, body).expect("it writes data");
            let sealed = content.seal(first, &value, &context, nonce);
            body.payload = write(sealed.expect("it is short, and not sealed")).into();
        })?;
        self.signed += 1;
        Ok(op)
    }

    /// Dan comes, and the next write gives him the past; Fay comes, and is given the key in use.
    fn welcome(&mut self) -> Result<(), R::Error> {
        for (who, newcomers) in [(DAN, Newcomers::ThePast), (FAY, Newcomers::FromHereOn)] {
            self.away.remove(&who);
            self.hire(who, Role::Reader, &[TAG_PAY])?;
            self.publish(who, 0)?;
            self.write_secret(BOB, newcomers)?;
        }
        Ok(())
    }

    fn lose_the_phone(&mut self) -> Result<(), R::Error> {
        self.away.insert(PHONE);
        let (person, key) = (self.people[BOB].key(), self.people[PHONE].key());
        self.say(BOB, DeviceRevoke { person, key }).map(drop)
    }

    /// Ann makes a new key, which nothing calls for.
    fn rotate(&mut self) -> Result<(), R::Error> {
        let now_ms = self.tick();
        let tags: BTreeSet<Name> = [name(TAG_PAY)].into();
        self.with_keyring(ANN, now_ms, Newcomers::ThePast, |keyring, rehearsal| {
            keyring.rotate(rehearsal, &tags).map(drop)
        })
    }

    fn settle(&mut self) -> Result<(), R::Error> {
        self.petra.settle()?;
        self.people.iter_mut().try_for_each(Author::settle)
    }
}
