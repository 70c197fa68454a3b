//! The player: turns commands into signed ops.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ecac_core::{Body, Hlc, OpId, Payload, ProjectId, PublicKey, VerifiedOp};

use super::command::{Act, Clock, Command, Feature, PEOPLE, Seen, Seq};
use super::{History, OPS_MAX};
use crate::naive::Oracle;
use crate::world::{self, START_MS, person};

/// Ops that one command makes at most.
const OPS_PER_COMMAND_MAX: usize = 10;
/// Parents that a player names at most; far below the limit of the wire format.
const PARENTS_MAX: usize = 12;

/// A set of ops, as bits by their number.
type Set = u64;
const _: () = assert!(OPS_MAX <= Set::BITS as usize, "a set holds a history");

/// The numbers in a set.
fn members(set: Set) -> impl Iterator<Item = usize> {
    (0..OPS_MAX).filter(move |at| set & (1 << at) != 0)
}

pub(super) struct Player {
    pub(super) project: ProjectId,
    pub(super) oracle: Oracle,
    pub(super) ops: Vec<VerifiedOp>,
    pub(super) at: BTreeMap<OpId, usize>,
    /// Strict ancestors, by number.
    pub(super) past: Vec<Set>,
    pub(super) refused: Vec<OpId>,
    pub(super) unsupported: Vec<OpId>,
    pub(super) admitted: Vec<OpId>,
    /// What each has seen: sets with all their ancestors.
    pub(super) known: BTreeMap<u8, Set>,
    pub(super) now_ms: u64,
    /// Whether genesis names a quorum.
    pub(super) has_quorum: bool,
    /// Whether genesis says that digests of seals bind skeletons.
    pub(super) carries: bool,
}

/// Plays the commands in a project that names these features.
pub(super) fn play(features: &[Feature], commands: &[Command]) -> History {
    let genesis = world::genesis_with(0, features);
    let project = genesis.id();
    let mut player = Player {
        project,
        oracle: Oracle::new(project),
        ops: Vec::new(),
        at: BTreeMap::new(),
        past: Vec::new(),
        refused: Vec::new(),
        unsupported: Vec::new(),
        admitted: Vec::new(),
        known: PEOPLE.map(|who| (who, 1)).collect(),
        now_ms: START_MS,
        has_quorum: features.iter().any(|(name, _)| *name == "quorum"),
        carries: features.iter().any(|(name, _)| *name == "carry"),
    };
    player.take(0, genesis);
    for command in commands {
        if player.ops.len() + OPS_PER_COMMAND_MAX > OPS_MAX {
            break;
        }
        let actor = player.actor(command);
        let first = player.ops.len();
        player.act(&Command {
            actor,
            act: of_person(&command.act, command.actor),
            ..command.clone()
        });
        if player.has_quorum {
            let new: Vec<OpId> = player.ops[first..].iter().map(VerifiedOp::id).collect();
            player.cosign(&new, &command.cosigners);
        }
        if command.meeting {
            let everything = player.set(&player.admitted);
            player
                .known
                .values_mut()
                .for_each(|known| *known = everything);
        }
    }
    History {
        project,
        ops: player.ops,
        oracle: Some(Rc::new(player.oracle)),
        twin: None,
    }
}

/// The act, with whose device it is about, if it does not say so.
fn of_person(act: &Act, owner: u8) -> Act {
    let mut act = act.clone();
    if let Act::Link { person, .. } = &mut act {
        person.get_or_insert(owner);
    }
    act
}

/// Whether roots sign such ops together.
pub(super) fn is_signed_together(payload: &Payload) -> bool {
    match payload {
        Payload::Seal(_)
        | Payload::Upgrade(_)
        | Payload::Schema(_)
        | Payload::Grant(_)
        | Payload::Revoke(_)
        | Payload::IssuerKeyRevoke(_)
        | Payload::StatusList(_)
        | Payload::Device(_)
        | Payload::DeviceRevoke(_) => true,
        Payload::Genesis(_)
        | Payload::SetField(_)
        | Payload::SetAdd(_)
        | Payload::SetRemove(_)
        | Payload::Credential(_)
        | Payload::IssuerKey(_)
        | Payload::Cosign(_)
        | Payload::Endorse(_)
        | Payload::ReaderKey(_)
        | Payload::KeyRotate(_)
        | Payload::KeyGrant(_)
        | Payload::SetFieldSealed(_)
        | Payload::SetAddSealed(_)
        | Payload::Unassigned(_) => false,
    }
}

impl Player {
    /// The actor, or a device that was linked to it.
    fn actor(&self, command: &Command) -> u8 {
        let owner = person(command.actor).public;
        let device = self.admitted.iter().rev().find_map(|op| {
            let Payload::Device(device) = &self.body(*op).payload else {
                return None;
            };
            (device.person == owner).then_some(device.key)
        });
        let number = |key| PEOPLE.into_iter().find(|who| person(*who).public == key);
        let device = device.filter(|_| command.by_device).and_then(number);
        device.unwrap_or(command.actor)
    }

    /// Others sign the last of the new ops that can be signed together.
    pub(super) fn cosign(&mut self, new: &[OpId], signers: &[u8]) {
        let mut new = new.iter().rev();
        let Some(&op) = new.find(|op| self.oracle.can_be_cosigned(op)) else {
            return;
        };
        for &who in signers {
            if self.ops.len() < OPS_MAX && self.admitted.contains(&op) {
                let seen = self.known[&who] | self.past_of(&[op]) | self.set(&[op]);
                let command = Command {
                    actor: who,
                    act: Act::Seal,
                    seen: Seen::Own,
                    clock: Clock::Right,
                    seq: Seq::Right,
                    by_device: false,
                    stray: false,
                    cosigners: Vec::new(),
                    meeting: false,
                };
                let parents = self.heads(seen, who);
                self.sign(&command, parents, world::cosign(op));
            }
        }
    }

    /// Ops that an op with these parents has seen: all, or those that pass if there are some; the last ones.
    pub(super) fn seen_by(
        &self,
        parents: &[OpId],
        any_op: bool,
        fits: fn(&Payload) -> bool,
    ) -> Vec<OpId> {
        const LAST: usize = 8;
        let seen = members(self.past_of(parents)).map(|at| &self.ops[at]);
        let fits = |op: &&VerifiedOp| any_op || fits(&op.body().payload);
        let fit: Vec<OpId> = seen.filter(fits).map(VerifiedOp::id).collect();
        fit[fit.len().saturating_sub(LAST)..].to_vec()
    }

    /// Who has signed two admitted ops with one number.
    pub(super) fn equivocators(&self) -> Vec<PublicKey> {
        let mut numbered = BTreeSet::new();
        let again = self.admitted.iter().filter_map(|op| {
            let body = self.body(*op);
            (!numbered.insert((body.author, body.seq))).then_some(body.author)
        });
        again.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn last_of(&self, who: u8) -> Option<OpId> {
        let mine = |op: &&OpId| self.body(**op).author == person(who).public;
        self.admitted.iter().rev().find(mine).copied()
    }

    /// The parents of the actor's last op; of one who has none, everything that it has seen.
    pub(super) fn before_last(&self, who: u8) -> Vec<OpId> {
        match self.last_of(who).map(|last| &self.body(last).parents) {
            Some(parents) if !parents.is_empty() => parents.clone(),
            Some(_) | None => self.heads(self.known[&who], who),
        }
    }

    pub(super) fn make(&mut self, command: &Command, payload: Payload) -> OpId {
        let parents = self.parents(command);
        self.sign(command, parents, payload)
    }

    /// A seal, which says what it seals where that matters.
    pub(super) fn seal(&mut self, command: &Command) -> OpId {
        let parents = self.parents(command);
        let is_admitted = |op: &OpId| self.admitted.contains(op);
        let digest = if self.carries && parents.iter().all(is_admitted) {
            self.oracle.snapshot_digest(&parents)
        } else {
            [7; 32]
        };
        self.sign(command, parents, world::seal(digest))
    }

    /// What the actor names as parents.
    pub(super) fn parents(&mut self, command: &Command) -> Vec<OpId> {
        let who = command.actor;
        let own = self.known[&who];
        match command.seen {
            Seen::All => {
                let everything = self.set(&self.admitted);
                self.known.insert(who, everything);
                self.heads(everything, who)
            }
            Seen::Own => self.heads(own, who),
            Seen::Meet(other) => {
                let both = own | self.known[&other];
                self.known.insert(who, both);
                self.heads(both, who)
            }
            Seen::Old(pick) => {
                let mut parents: Vec<OpId> = self.last_of(who).into_iter().collect();
                parents.push(*pick.get(&self.admitted));
                parents
            }
            Seen::Fork(pick) => {
                let last = self.last_of(who).map_or(0, |last| self.set(&[last]));
                let innocent =
                    |op: &&OpId| (self.past[self.at[*op]] | self.set(&[**op])) & last == 0;
                let innocent: Vec<OpId> = self.admitted.iter().filter(innocent).copied().collect();
                vec![*pick.get(if innocent.is_empty() {
                    &self.admitted
                } else {
                    &innocent
                })]
            }
            Seen::Refused(pick) => {
                let mut parents = self.heads(own, who);
                parents.extend(some(&self.refused, pick));
                parents
            }
            Seen::Unsupported(pick) => {
                let mut parents = self.heads(own, who);
                parents.extend(some(&self.unsupported, pick));
                parents
            }
            Seen::Foreign(pick) => some(&self.refused, pick)
                .map_or_else(|| self.heads(own, who), |refused| vec![refused]),
        }
    }

    pub(super) fn sign(
        &mut self,
        command: &Command,
        mut parents: Vec<OpId>,
        payload: Payload,
    ) -> OpId {
        let who = command.actor;
        parents.sort_unstable();
        parents.dedup();
        let past = self.past_of(&parents);
        let own_seqs = members(past)
            .map(|at| self.ops[at].body())
            .filter(|it| it.author == person(who).public);
        let due = own_seqs.map(|it| it.seq + 1).max().unwrap_or(0);
        let seq = match command.seq {
            Seq::Right => due,
            Seq::Ahead => due + 1,
            Seq::Zero => 0,
        };
        let after = parents
            .iter()
            .map(|op| self.body(*op).hlc)
            .max()
            .expect("there are parents");
        self.now_ms += 10;
        let node = u32::from(who);
        let next =
            |now_ms| Hlc::next(Some(after), now_ms, node).expect("clocks are far from their end");
        let hlc = match command.clock {
            Clock::Right => next(self.now_ms),
            Clock::Backdated => next(0),
            Clock::Ahead(by_ms) => next(self.now_ms + by_ms),
            Clock::Stale(false) => after,
            Clock::Stale(true) => Hlc {
                physical_ms: after.physical_ms - 1,
                ..after
            },
        };
        self.take(who, world::sign(who, seq, parents, hlc, payload))
    }

    pub(super) fn take(&mut self, who: u8, op: VerifiedOp) -> OpId {
        let id = op.id();
        if self.at.contains_key(&id) {
            return id;
        }
        self.oracle.take(id, op.body());
        let past = self.past_of(&op.body().parents);
        let number = self.ops.len();
        if self.oracle.is_unsupported(&id) {
            self.unsupported.push(id);
        } else if !self.oracle.has_admitted(&id) {
            self.refused.push(id);
        } else {
            // A grant is handed to its subject, and a link to the device.
            let handed = match &op.body().payload {
                Payload::Grant(it) => Some(it.subject),
                Payload::Device(it) => Some(it.key),
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
                | Payload::Cosign(_)
                | Payload::Endorse(_)
                | Payload::DeviceRevoke(_)
                | Payload::ReaderKey(_)
                | Payload::KeyRotate(_)
                | Payload::KeyGrant(_)
                | Payload::SetFieldSealed(_)
                | Payload::SetAddSealed(_)
                | Payload::Unassigned(_) => None,
            };
            let is_subject = |who: &u8| handed == Some(person(*who).public);
            for (_, known) in self
                .known
                .iter_mut()
                .filter(|(it, _)| **it == who || is_subject(it))
            {
                *known |= past | 1 << number;
            }
            self.admitted.push(id);
        }
        self.past.push(past);
        self.at.insert(id, number);
        self.ops.push(op);
        id
    }

    pub(super) fn body(&self, id: OpId) -> &Body {
        self.ops[self.at[&id]].body()
    }

    fn set(&self, ops: &[OpId]) -> Set {
        ops.iter().fold(0, |set, op| set | 1 << self.at[op])
    }

    fn past_of(&self, parents: &[OpId]) -> Set {
        let pasts = parents.iter().map(|op| self.past[self.at[op]]);
        pasts.fold(self.set(parents), |all, past| all | past)
    }

    /// The ops of a set with all their ancestors that no other of them has seen, the actor's own first, as many as may
    /// be named.
    fn heads(&self, ops: Set, who: u8) -> Vec<OpId> {
        let seen = members(ops).fold(0, |seen, at| seen | self.past[at]);
        let mut heads: Vec<&VerifiedOp> = members(ops & !seen).map(|at| &self.ops[at]).collect();
        heads.sort_by_key(|op| op.body().author != person(who).public);
        heads.truncate(PARENTS_MAX);
        heads.into_iter().map(VerifiedOp::id).collect()
    }
}

/// One of the ops, if there are any.
pub(super) fn some(ops: &[OpId], pick: proptest::sample::Index) -> Option<OpId> {
    (!ops.is_empty()).then(|| *pick.get(ops))
}
