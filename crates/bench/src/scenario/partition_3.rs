//! `partition-3`: three replicas that a network parts and heals, and that sync by sessions.
//!
//! Cast: the office, whose root administers; the north with the editor Alice; the south with the editor Bob. All write, and
//! now and then two that are connected meet. Three times one of them is cut off: first the south, while the office revokes
//! Bob; then the north; then the office. Each time all become connected again and meet until they hold the same; the first
//! time the south rolls back what Bob wrote meanwhile, and the office grants him again. The observer is the south.

use ecac_artifact::Meetings;
use ecac_core::credential::Role;
use ecac_core::{OpId, Payload, VerifiedOp, payload, public_key};

use super::cast::{DAY_MS, EPOCH_MS, Issuer, MINUTE_MS, edit, genesis, grant};
use crate::course::{Course, Step};
use crate::meeting::meet;
use crate::replica::{Author, Observer};
use crate::storage::{Storage, StoredReplica};
use crate::stream::Stream;

const OFFICE: usize = 0;
const NORTH: usize = 1;
const SOUTH: usize = 2;
const NAMES: [&str; 3] = ["office", "alice", "bob"];
const PLACES: [&str; 3] = ["office", "north", "south"];
/// Who is cut off, one after the other.
const CUT_OFF: [usize; 3] = [SOUTH, NORTH, OFFICE];
/// Of a hundred edits so many are followed by a meeting.
const MEET_PERCENT: u64 = 15;
/// The revocation, and the second grant.
const INTERVENTIONS: usize = 2;

struct World<'a, R> {
    stream: &'a mut Stream,
    now_ms: u64,
    observer: Observer,
    people: [Author<R>; 3],
    credential: OpId,
    signed: usize,
    meetings: Meetings,
    steps: Vec<Step>,
}

/// A run.
pub(super) struct Played {
    pub(super) observer: Observer,
    pub(super) meetings: Meetings,
    pub(super) course: Course,
}

pub(super) fn generate<S: Storage>(
    stream: &mut Stream,
    ops: usize,
    storage: &mut S,
) -> Result<Played, S::Error> {
    let mut world = World::found(stream, storage)?;
    let edits = ops - world.signed - INTERVENTIONS;
    for (part, cut_off) in CUT_OFF.into_iter().enumerate() {
        world.write_on(edits / 9, None)?;
        let parted = edits * world.stream.index(5).saturating_add(18) / 100;
        world.now_ms += DAY_MS;
        world.steps.push(Step::CutOff { replica: cut_off });
        if part == 0 {
            let before = world.stream.index(parted / 2) + 1;
            world.write_on(before, Some(cut_off))?;
            world.revoke()?;
            world.write_on(parted - before, Some(cut_off))?;
        } else {
            world.write_on(parted, Some(cut_off))?;
        }
        world.steps.push(Step::Heal);
        world.heal()?;
        if part == 0 {
            world.grant_again()?;
            world.heal_silently()?;
        }
    }
    let left = ops - world.signed;
    world.write_on(left, None)?;
    world.heal_silently()?;
    Ok(Played {
        course: Course {
            project: world.people[OFFICE].replica().project(),
            names: PLACES,
            steps: world.steps,
        },
        observer: world.observer,
        meetings: world.meetings,
    })
}

impl<'a, R: StoredReplica> World<'a, R> {
    fn found<S: Storage<Replica = R, Error = R::Error>>(
        stream: &'a mut Stream,
        storage: &mut S,
    ) -> Result<Self, R::Error> {
        let mut observer = Observer::default();
        let issuer = Issuer::new(stream);
        let root_key = stream.signing_key();
        let founding = genesis(stream, "partition-3", &[public_key(&root_key)]);
        let (mut office, first) = Author::found(storage, root_key, 1, EPOCH_MS, founding)?;
        observer.receive(&first);
        observer.receive(&office.write(EPOCH_MS + 1, issuer.key_payload())?);
        observer.receive(&office.write(EPOCH_MS + 2, issuer.status_list(&[]))?);
        let mut join = |key, node| Author::join(storage, first.id(), key, node);
        let mut north = join(stream.signing_key(), 2)?;
        let mut south = join(stream.signing_key(), 3)?;
        let mut carriers = Vec::new();
        for (editor, bit) in [(&north, 1), (&south, 2)] {
            let subject = editor.key();
            let credential = issuer.credential(subject, Role::Editor, bit);
            let now_ms = EPOCH_MS + 2 + bit;
            carriers.push(grant(
                &mut office,
                &mut observer,
                now_ms,
                subject,
                credential,
            )?);
        }
        let found = |op: VerifiedOp| Step::Write {
            replica: OFFICE,
            op: Box::new(op),
        };
        let mut steps: Vec<Step> = office.ops().map(found).collect();
        for (dialler, editor) in [(NORTH, &mut north), (SOUTH, &mut south)] {
            editor.pull(&office);
            editor.settle()?;
            steps.push(Step::Meet {
                dialler,
                listener: OFFICE,
            });
        }
        Ok(Self {
            stream,
            now_ms: EPOCH_MS + MINUTE_MS,
            signed: observer.count(),
            observer,
            people: [office, north, south],
            credential: carriers[1],
            meetings: Meetings::default(),
            steps,
        })
    }

    /// The south is observed.
    fn observe(&mut self) {
        self.observer.pull(&self.people[SOUTH]);
    }

    fn tick(&mut self) -> u64 {
        self.now_ms += self.stream.between(1, MINUTE_MS);
        self.now_ms
    }

    /// Somebody writes.
    fn write(
        &mut self,
        replica: usize,
        now_ms: u64,
        payload: impl Into<Payload>,
    ) -> Result<(), R::Error> {
        let op = self.people[replica].write(now_ms, payload)?;
        let op = Box::new(op);
        self.steps.push(Step::Write { replica, op });
        self.signed += 1;
        Ok(())
    }

    /// Everybody writes, and those who are not cut off meet now and then.
    fn write_on(&mut self, edits: usize, cut_off: Option<usize>) -> Result<(), R::Error> {
        for _ in 0..edits {
            let who = self.stream.index(NAMES.len());
            let now_ms = self.tick();
            let payload = edit(self.stream, NAMES[who], self.signed);
            self.write(who, now_ms, payload)?;
            self.observe();
            if self.stream.chance(MEET_PERCENT) {
                let other = (who + 1 + self.stream.index(NAMES.len() - 1)) % NAMES.len();
                if cut_off != Some(who) && cut_off != Some(other) {
                    self.meet(who, other)?;
                }
            }
        }
        Ok(())
    }

    fn meet(&mut self, dialler: usize, listener: usize) -> Result<(), R::Error> {
        self.steps.push(Step::Meet { dialler, listener });
        if let Ok([a, b]) = self.people.get_disjoint_mut([dialler, listener]) {
            self.now_ms = meet(a, b, self.now_ms, self.stream, &mut self.meetings)?;
        }
        self.observe();
        Ok(())
    }

    /// Whether all hold the same ops.
    fn agree(&self) -> bool {
        let held = |it: &Author<R>| {
            let mut ids: Vec<OpId> = it.replica().log().ids_since(0).collect();
            ids.sort_unstable();
            ids
        };
        let first = held(&self.people[OFFICE]);
        self.people.iter().all(|it| held(it) == first)
    }

    /// All are connected again, and meet until they hold the same.
    fn heal(&mut self) -> Result<(), R::Error> {
        let began_ms = self.now_ms;
        self.meetings.partitions += 1;
        self.meetings.rounds += self.heal_silently()?;
        self.meetings.converge_ms += self.now_ms - began_ms;
        Ok(())
    }

    /// The same, and the number of rounds.
    fn heal_silently(&mut self) -> Result<u64, R::Error> {
        let mut rounds = 0;
        while !self.agree() {
            rounds += 1;
            self.meet(NORTH, OFFICE)?;
            self.meet(SOUTH, OFFICE)?;
        }
        Ok(rounds)
    }

    fn revoke(&mut self) -> Result<(), R::Error> {
        let now_ms = self.tick();
        let subject = self.people[SOUTH].key();
        self.write(OFFICE, now_ms, payload::Revoke::of(subject))
    }

    fn grant_again(&mut self) -> Result<(), R::Error> {
        let now_ms = self.tick();
        let grant = payload::Grant {
            subject: self.people[SOUTH].key(),
            credential: self.credential,
        };
        self.write(OFFICE, now_ms, grant)
    }
}
