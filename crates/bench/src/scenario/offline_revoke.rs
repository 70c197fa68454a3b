//! `offline-revoke`: an editor works offline, an administrator revokes meanwhile, they meet; roll back,
//! re-grant, work resumes.
//!
//! Cast: three roots; Petra, who administers policy; the editors Alice, Bob and Carol. The observer is a field
//! station that is cut off together with Alice and hears her edits as she writes them. Bob stays with the
//! administrators; Carol works on her own.
//!
//! While Alice, Carol and the station are offline, Petra revokes Alice and a root publishes a status list in
//! which Carol's bit is set. When all meet, the station rolls back what Alice wrote since the revoker had last
//! heard of her, and what Carol brings never counts. Alice, who knows of her revocation by now, tries to go on
//! and is refused; then Petra grants her again, and her work resumes.

use ecac_core::credential::Role;
use ecac_core::payload;
use ecac_core::{OpId, public_key};

use super::cast::{DAY_MS, EPOCH_MS, Issuer, MINUTE_MS, edit, genesis, grant};
use crate::replica::{Author, Observer};
use crate::storage::{Storage, StoredReplica};
use crate::stream::Stream;

/// Bits of the status list.
const BIT_PETRA: u64 = 7;
const BIT_ALICE: u64 = 11;
const BIT_BOB: u64 = 13;
const BIT_CAROL: u64 = 17;
/// Edits that Alice tries after she has heard of her revocation.
const ATTEMPTS: usize = 3;
/// Ops that are neither edits nor attempts: the revocation, the second status list, the second grant.
const INTERVENTIONS: usize = 3;

/// Everybody, and the virtual time.
struct World<'a, R> {
    stream: &'a mut Stream,
    now_ms: u64,
    observer: Observer,
    issuer: Issuer,
    root: Author<R>,
    petra: Author<R>,
    editors: [Author<R>; 3],
    alice_credential: OpId,
    /// Ops signed so far, by anybody.
    signed: usize,
}

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const NAMES: [&str; 3] = ["alice", "bob", "carol"];

pub(super) fn generate<S: Storage>(
    stream: &mut Stream,
    ops: usize,
    storage: &mut S,
) -> Result<Observer, S::Error> {
    let mut world = World::found(stream, storage)?;
    let edits = ops - world.signed - INTERVENTIONS - ATTEMPTS;
    let online = edits * world.stream.index(11).saturating_add(35) / 100;
    let offline = edits * world.stream.index(11).saturating_add(30) / 100;
    world.work_online(online)?;
    world.work_offline(offline)?;
    world.meet()?;
    world.work_resumes(ops)?;
    Ok(world.observer)
}

impl<'a, R: StoredReplica> World<'a, R> {
    fn found<S: Storage<Replica = R, Error = R::Error>>(
        stream: &'a mut Stream,
        storage: &mut S,
    ) -> Result<Self, R::Error> {
        let mut observer = Observer::default();
        let issuer = Issuer::new(stream);
        let root_key = stream.signing_key();
        let roots = [
            public_key(&root_key),
            public_key(&stream.signing_key()),
            public_key(&stream.signing_key()),
        ];
        let founding = genesis(stream, "offline-revoke", &roots);
        let (mut root, first) = Author::found(storage, root_key, 1, EPOCH_MS, founding)?;
        observer.receive(&first);
        observer.receive(&root.write(EPOCH_MS + 1, issuer.key_payload())?);
        observer.receive(&root.write(EPOCH_MS + 2, issuer.status_list(&[]))?);

        let mut join = |key, node| Author::join(storage, first.id(), key, node);
        let mut petra = join(stream.signing_key(), 2)?;
        let credential = issuer.credential(petra.key(), Role::PolicyAdmin, BIT_PETRA);
        let subject = petra.key();
        grant(&mut root, &mut observer, EPOCH_MS + 3, subject, credential)?;
        petra.pull(&root);
        let mut editors = [
            join(stream.signing_key(), 3)?,
            join(stream.signing_key(), 4)?,
            join(stream.signing_key(), 5)?,
        ];
        let mut carriers = Vec::with_capacity(editors.len());
        for (editor, bit) in editors.iter().zip([BIT_ALICE, BIT_BOB, BIT_CAROL]) {
            let credential = issuer.credential(editor.key(), Role::Editor, bit);
            carriers.push(grant(
                &mut petra,
                &mut observer,
                EPOCH_MS + 4,
                editor.key(),
                credential,
            )?);
        }
        root.pull(&petra);
        editors.iter_mut().for_each(|editor| editor.pull(&petra));
        let signed = observer.count();
        let now_ms = EPOCH_MS + MINUTE_MS;
        Ok(Self {
            stream,
            now_ms,
            observer,
            issuer,
            root,
            petra,
            editors,
            alice_credential: carriers[ALICE],
            signed,
        })
    }

    fn tick(&mut self, up_to_ms: u64) -> u64 {
        self.now_ms += self.stream.between(1, up_to_ms);
        self.now_ms
    }

    fn edit(&mut self, editor: usize) -> Result<(), R::Error> {
        let now_ms = self.tick(MINUTE_MS);
        let payload = edit(self.stream, NAMES[editor], self.signed);
        self.editors[editor].write(now_ms, payload)?;
        self.signed += 1;
        Ok(())
    }

    /// All editors are connected: each edit reaches everybody.
    fn work_online(&mut self, edits: usize) -> Result<(), R::Error> {
        for _ in 0..edits {
            let editor = self.stream.index(NAMES.len());
            self.edit(editor)?;
            self.root.pull(&self.editors[editor]);
            self.everybody_pulls_from_root();
        }
        Ok(())
    }

    fn everybody_pulls_from_root(&mut self) {
        self.petra.pull(&self.root);
        for editor in &mut self.editors {
            editor.pull(&self.root);
        }
        self.observer.pull(&self.root);
    }

    /// Alice and the station are cut off, so is Carol; the denials fall at seeded times.
    fn work_offline(&mut self, edits: usize) -> Result<(), R::Error> {
        self.now_ms += DAY_MS;
        let revoke_at = self.stream.index(edits / 2) + edits / 4;
        let list_at = self.stream.index(edits / 2) + edits / 4;
        for step in 0..edits {
            if step == revoke_at {
                let now_ms = self.tick(MINUTE_MS);
                let subject = self.editors[ALICE].key();
                self.petra.write(now_ms, payload::Revoke::of(subject))?;
                self.signed += 1;
                self.root.pull(&self.petra);
            }
            if step == list_at {
                let now_ms = self.tick(MINUTE_MS);
                self.root
                    .write(now_ms, self.issuer.status_list(&[BIT_CAROL]))?;
                self.signed += 1;
            }
            // Alice writes twice as much as each of the others.
            match self.stream.below(4) {
                0 | 1 => {
                    self.edit(ALICE)?;
                    self.observer.pull(&self.editors[ALICE]);
                }
                2 => {
                    self.edit(BOB)?;
                    self.root.pull(&self.editors[BOB]);
                    self.petra.pull(&self.root);
                    self.editors[BOB].pull(&self.root);
                }
                _ => self.edit(CAROL)?,
            }
        }
        Ok(())
    }

    /// Everybody meets; Alice hears of her revocation, tries to go on, and is granted again.
    fn meet(&mut self) -> Result<(), R::Error> {
        self.now_ms += DAY_MS;
        self.observer.pull(&self.root);
        self.observer.pull(&self.editors[CAROL]);
        self.root.pull(&self.editors[ALICE]);
        self.root.pull(&self.editors[CAROL]);
        self.everybody_pulls_from_root();
        for _ in 0..ATTEMPTS {
            let now_ms = self.tick(MINUTE_MS);
            let payload = edit(self.stream, NAMES[ALICE], self.signed);
            let attempt = self.editors[ALICE].write(now_ms, payload)?;
            self.signed += 1;
            self.observer.receive(&attempt);
        }
        let now_ms = self.tick(MINUTE_MS);
        let grant = payload::Grant {
            subject: self.editors[ALICE].key(),
            credential: self.alice_credential,
        };
        self.petra.write(now_ms, grant)?;
        self.signed += 1;
        self.root.pull(&self.petra);
        self.everybody_pulls_from_root();
        Ok(())
    }

    /// Alice and Bob work online until the log has its length.
    fn work_resumes(&mut self, ops: usize) -> Result<(), R::Error> {
        while self.signed < ops {
            let editor = self.stream.index(2);
            self.edit(editor)?;
            self.root.pull(&self.editors[editor]);
            self.everybody_pulls_from_root();
        }
        self.root.settle()?;
        self.petra.settle()?;
        self.editors.iter_mut().try_for_each(Author::settle)
    }
}
