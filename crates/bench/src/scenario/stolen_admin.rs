//! `stolen-admin`: the keys of a policy administrator and of one root of three are stolen and rage on old parents; sealed
//! work stands, unsealed work is lost and endorsed again.
//!
//! Cast: three roots, Ann, Ben and Cat, of whom two sign together; Petra, who administers policy; the editors Alice and Bob. The
//! observer is a station that hears all that Ann has.
//!
//! Everybody works online. Then Petra's laptop and Cat's are stolen: the thieves hold their keys and what they had seen,
//! and see nothing more. Ann seals what is there and Ben cosigns; the editors work on, unsealed. Meanwhile the thieves rage, on
//! what they had seen: Petra's key and Cat's revoke both editors, Cat's revokes the issuer's key and the other two roots (too few
//! roots sign that), and writes over notes. Ann and Ben, who know of the theft, end Petra and Cat. Then the rage arrives: what
//! the thief wrote never counts, the unsealed work of the editors is rolled back, the sealed work stands.
//!
//! Ann lists the issuer's key again, grants the editors again, and endorses what they had written. A second seal binds all of
//! that: what the thieves sign from then on, on the same old parents, ends nothing. Work resumes.

use ecac_core::credential::Role;
use ecac_core::limits::ENDORSED_MAX;
use ecac_core::payload::{self, Cosign, Endorse, Revoke};
use ecac_core::{OpId, Payload, PublicKey, public_key};

use super::cast::{DAY_MS, EPOCH_MS, Issuer, MINUTE_MS, edit, genesis, grant, name};
use crate::replica::{Author, Observer};
use crate::storage::{Storage, StoredReplica};
use crate::stream::Stream;

/// What the project uses, each with its parameters.
const FEATURES: [(&str, &[u8]); 3] = [("endorse", &[]), ("quorum", &[2]), ("seal", &[])];
/// Bits of the status list.
const BIT_PETRA: u64 = 7;
const BIT_ALICE: u64 = 11;
const BIT_BOB: u64 = 13;
/// Of a hundred edits, how many are sealed before the theft, and how many more are written until the thieves are heard.
const SEALED_PERCENT: usize = 35;
const UNSEALED_PERCENT: usize = 25;
/// Of a hundred edits, how many a thief writes at each rage.
const SPITE_PERCENT: usize = 5;

const ALICE: usize = 0;
const BOB: usize = 1;
const NAMES: [&str; 2] = ["alice", "bob"];

/// Everybody, and the virtual time.
struct World<'a, R> {
    stream: &'a mut Stream,
    now_ms: u64,
    observer: Observer,
    issuer: Issuer,
    ann: Author<R>,
    ben: Author<R>,
    /// Whoever holds Cat's key, and Petra's.
    cat: Author<R>,
    petra: Author<R>,
    editors: [Author<R>; 2],
    credentials: [OpId; 2],
    /// Ops signed so far, by anybody.
    signed: usize,
}

pub(super) fn generate<S: Storage>(
    stream: &mut Stream,
    ops: usize,
    storage: &mut S,
) -> Result<Observer, S::Error> {
    let mut world = World::found(stream, storage)?;
    let edits = ops - world.signed;
    world.work(edits * SEALED_PERCENT / 100)?;
    world.theft()?;
    world.seal()?;
    world.work(edits * UNSEALED_PERCENT / 100)?;
    world.rage(edits * SPITE_PERCENT / 100)?;
    world.end_the_thieves()?;
    world.hear_the_thieves();
    world.hire_again()?;
    world.give_back()?;
    world.seal()?;
    world.rage(edits * SPITE_PERCENT / 100)?;
    world.hear_the_thieves();
    let left = ops - world.signed;
    world.work(left)?;
    world.settle()?;
    Ok(world.observer)
}

impl<'a, R: StoredReplica> World<'a, R> {
    fn found<S: Storage<Replica = R, Error = R::Error>>(
        stream: &'a mut Stream,
        storage: &mut S,
    ) -> Result<Self, R::Error> {
        let mut observer = Observer::default();
        let issuer = Issuer::new(stream);
        let [ann_key, ben_key, cat_key] = [(); 3].map(|()| stream.signing_key());
        let roots = [&ann_key, &ben_key, &cat_key].map(public_key);
        let mut founding = genesis(stream, "stolen-admin", &roots);
        let features = FEATURES.into_iter();
        founding.features = features
            .map(|(it, with)| (name(it), with.to_vec()))
            .collect();
        let (mut ann, first) = Author::found(storage, ann_key, 1, EPOCH_MS, founding)?;
        observer.receive(&first);
        observer.receive(&ann.write(EPOCH_MS + 1, issuer.key_payload())?);
        observer.receive(&ann.write(EPOCH_MS + 2, issuer.status_list(&[]))?);

        let mut join = |key, node| Author::join(storage, first.id(), key, node);
        let (ben, cat) = (join(ben_key, 2)?, join(cat_key, 3)?);
        let mut petra = join(stream.signing_key(), 4)?;
        let credential = issuer.credential(petra.key(), Role::PolicyAdmin, BIT_PETRA);
        let subject = petra.key();
        grant(&mut ann, &mut observer, EPOCH_MS + 3, subject, credential)?;
        petra.pull(&ann);
        let editors = [
            join(stream.signing_key(), 5)?,
            join(stream.signing_key(), 6)?,
        ];
        let mut hire = |editor: &Author<R>, bit| {
            let credential = issuer.credential(editor.key(), Role::Editor, bit);
            grant(
                &mut petra,
                &mut observer,
                EPOCH_MS + 4,
                editor.key(),
                credential,
            )
        };
        let credentials = [
            hire(&editors[ALICE], BIT_ALICE)?,
            hire(&editors[BOB], BIT_BOB)?,
        ];
        ann.pull(&petra);
        let signed = observer.count();
        let mut world = Self {
            stream,
            now_ms: EPOCH_MS + MINUTE_MS,
            observer,
            issuer,
            ann,
            ben,
            cat,
            petra,
            editors,
            credentials,
            signed,
        };
        world.meet();
        Ok(world)
    }

    fn tick(&mut self) -> u64 {
        self.now_ms += self.stream.between(1, MINUTE_MS);
        self.now_ms
    }

    /// Everybody who is honest has what Ann has, and so has the station.
    fn meet(&mut self) {
        self.ben.pull(&self.ann);
        for editor in &mut self.editors {
            editor.pull(&self.ann);
        }
        self.observer.pull(&self.ann);
    }

    /// The editors work online: each edit reaches everybody who is honest.
    fn work(&mut self, edits: usize) -> Result<(), R::Error> {
        for _ in 0..edits {
            let editor = self.stream.index(NAMES.len());
            let now_ms = self.tick();
            let payload = edit(self.stream, NAMES[editor], self.signed);
            self.editors[editor].write(now_ms, payload)?;
            self.signed += 1;
            self.ann.pull(&self.editors[editor]);
            self.meet();
        }
        Ok(())
    }

    /// Petra and Cat have what Ann has, for the last time.
    fn theft(&mut self) -> Result<(), R::Error> {
        self.petra.pull(&self.ann);
        self.cat.pull(&self.ann);
        self.petra.settle()?;
        self.cat.settle()?;
        self.now_ms += DAY_MS;
        Ok(())
    }

    /// Ann seals what she has, and Ben cosigns.
    fn seal(&mut self) -> Result<(), R::Error> {
        let now_ms = self.tick();
        let seal = self.ann.seal(now_ms)?.id();
        self.ben.pull(&self.ann);
        let now_ms = self.tick();
        self.ben.write(now_ms, Cosign { op: seal })?;
        self.signed += 2;
        self.ann.pull(&self.ben);
        self.meet();
        Ok(())
    }

    /// The thieves end whom they can and write over notes, on what they had seen.
    fn rage(&mut self, spite: usize) -> Result<(), R::Error> {
        let people = [
            &self.editors[ALICE],
            &self.editors[BOB],
            &self.ann,
            &self.ben,
        ];
        let [alice, bob, ann, ben] = people.map(Author::key);
        let ends = |subjects: &[PublicKey]| -> Vec<Payload> {
            let ends = subjects.iter().map(|subject| Revoke::of(*subject).into());
            ends.collect()
        };
        let mut by_cat = ends(&[alice, bob, ann, ben]);
        by_cat.push(self.issuer.key_revocation());
        for payload in ends(&[alice, bob]) {
            let now_ms = self.tick();
            self.petra.write(now_ms, payload)?;
            self.signed += 1;
        }
        let spite = (0..spite).map(|step| edit(self.stream, "thief", self.signed + step));
        by_cat.extend(spite.collect::<Vec<_>>());
        for payload in by_cat {
            let now_ms = self.tick();
            self.cat.write(now_ms, payload)?;
            self.signed += 1;
        }
        Ok(())
    }

    /// All that the thieves have signed arrives.
    fn hear_the_thieves(&mut self) {
        self.ann.pull(&self.petra);
        self.ann.pull(&self.cat);
        self.meet();
    }

    /// Ann ends Petra; Ann and Ben end Cat.
    fn end_the_thieves(&mut self) -> Result<(), R::Error> {
        let now_ms = self.tick();
        self.ann.write(now_ms, Revoke::of(self.petra.key()))?;
        let now_ms = self.tick();
        let end = self.ann.write(now_ms, Revoke::of(self.cat.key()))?.id();
        self.ben.pull(&self.ann);
        let now_ms = self.tick();
        self.ben.write(now_ms, Cosign { op: end })?;
        self.signed += 3;
        self.ann.pull(&self.ben);
        self.meet();
        Ok(())
    }

    /// Ann lists the issuer's key again, and grants the editors again.
    fn hire_again(&mut self) -> Result<(), R::Error> {
        let now_ms = self.tick();
        self.ann.write(now_ms, self.issuer.key_payload())?;
        self.signed += 1;
        for editor in [ALICE, BOB] {
            let now_ms = self.tick();
            let again = payload::Grant {
                subject: self.editors[editor].key(),
                credential: self.credentials[editor],
            };
            self.ann.write(now_ms, again)?;
            self.signed += 1;
        }
        self.meet();
        Ok(())
    }

    /// Ann endorses what the editors had written and lost.
    fn give_back(&mut self) -> Result<(), R::Error> {
        let editors = [ALICE, BOB].map(|editor| self.editors[editor].key());
        let lost = self.ann.taken_back()?.into_iter();
        let honest = lost.filter(|it| editors.contains(&it.author));
        let honest: Vec<OpId> = honest.map(|it| it.op).collect();
        for ops in honest.chunks(ENDORSED_MAX) {
            let now_ms = self.tick();
            let ops = ops.iter().copied().collect();
            self.ann.write(now_ms, Endorse { ops })?;
            self.signed += 1;
        }
        self.meet();
        Ok(())
    }

    fn settle(&mut self) -> Result<(), R::Error> {
        for author in [&mut self.ann, &mut self.ben, &mut self.cat, &mut self.petra] {
            author.settle()?;
        }
        self.editors.iter_mut().try_for_each(Author::settle)
    }
}
