//! The player: turns commands into signed ops.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ecac_core::credential::Credential;
use ecac_core::payload;
use ecac_core::{Body, Decision, Hlc, OpId, Payload, ProjectId, PublicKey, VerifiedOp};

use super::command::{
    Act, Clock, Command, Denial, EDITORS, Feature, Oddity, PEOPLE, PLACES, Proof, RULES, Seen, Seq,
};
use super::{History, OPS_MAX};
use crate::naive::Oracle;
use crate::world::{self, FIRST, Hand, START_MS, person};

/// Ops that one command makes at most: forks make the most.
const OPS_PER_COMMAND_MAX: usize = 6;
/// Parents that a player names at most; far below the limit of the wire format.
const PARENTS_MAX: usize = 12;

/// A set of ops, as bits by their number.
type Set = u64;
const _: () = assert!(OPS_MAX <= Set::BITS as usize, "a set holds a history");

/// The numbers in a set.
fn members(set: Set) -> impl Iterator<Item = usize> {
    (0..OPS_MAX).filter(move |at| set & (1 << at) != 0)
}

struct Player {
    project: ProjectId,
    oracle: Oracle,
    ops: Vec<VerifiedOp>,
    at: BTreeMap<OpId, usize>,
    /// Strict ancestors, by number.
    past: Vec<Set>,
    refused: Vec<OpId>,
    unsupported: Vec<OpId>,
    admitted: Vec<OpId>,
    /// What each has seen: sets with all their ancestors.
    known: BTreeMap<u8, Set>,
    now_ms: u64,
    /// Whether genesis names a quorum.
    has_quorum: bool,
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

/// The document, signed again with what is odd about it.
fn odd(project: ProjectId, hand: Hand, document: Payload, oddity: Oddity) -> Payload {
    match oddity.edit(project) {
        None => document,
        Some(edit) => hand.edited(document, &[edit]),
    }
}

/// Whether roots sign such ops together.
fn is_signed_together(payload: &Payload) -> bool {
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
    fn cosign(&mut self, new: &[OpId], signers: &[u8]) {
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
    fn seen_by(&self, parents: &[OpId], any_op: bool, fits: fn(&Payload) -> bool) -> Vec<OpId> {
        const LAST: usize = 8;
        let seen = members(self.past_of(parents)).map(|at| &self.ops[at]);
        let fits = |op: &&VerifiedOp| any_op || fits(&op.body().payload);
        let fit: Vec<OpId> = seen.filter(fits).map(VerifiedOp::id).collect();
        fit[fit.len().saturating_sub(LAST)..].to_vec()
    }

    fn act(&mut self, command: &Command) {
        let payload = match &command.act {
            Act::Set { place, value } => {
                let (object, field) = PLACES[*place];
                world::set(object, field, *value)
            }
            Act::Add { place, element } => {
                let (object, field) = PLACES[*place];
                world::add(object, field, &element.to_string())
            }
            Act::Remove { place, element } => {
                let (object, field) = PLACES[*place];
                world::remove(object, field, &element.to_string())
            }
            Act::Hire {
                subject,
                role,
                scope,
                paper,
            } => {
                let payload = if paper.garbage {
                    Payload::Credential(payload::Credential {
                        jwt: "a.b.c".to_owned(),
                    })
                } else {
                    let (hand, window) = (paper.hand, paper.window);
                    let plain = hand.credential(*subject, *role, *scope, window, &paper.status);
                    odd(self.project, hand, plain, paper.oddity)
                };
                let simple = Command {
                    clock: Clock::Right,
                    seq: Seq::Right,
                    ..command.clone()
                };
                let credential = self.make(&simple, payload);
                // The grant follows its credential, and otherwise has seen what the actor has.
                let grant = Payload::Grant(payload::Grant {
                    subject: person(*subject).public,
                    credential,
                });
                let forks = matches!(command.seen, Seen::Fork(_));
                let stays = forks || !self.admitted.contains(&credential);
                let seen = if stays { command.seen } else { Seen::Own };
                self.make(
                    &Command {
                        seen,
                        ..command.clone()
                    },
                    grant,
                );
                return;
            }
            Act::Regrant {
                subject,
                pick,
                any_op,
            } => {
                let is_credential = |op: &&VerifiedOp| {
                    *any_op || matches!(op.body().payload, Payload::Credential(_))
                };
                let credentials: Vec<&VerifiedOp> = self.ops.iter().filter(is_credential).collect();
                let Some(op) = (!credentials.is_empty()).then(|| *pick.get(&credentials)) else {
                    return;
                };
                let named = if let Payload::Credential(it) = &op.body().payload {
                    Credential::parse(&it.jwt).ok().map(|it| it.subject)
                } else {
                    None
                };
                let subject = subject.map(|who| person(who).public).or(named);
                let subject = subject.unwrap_or(person(EDITORS[0]).public);
                Payload::Grant(payload::Grant {
                    subject,
                    credential: op.id(),
                })
            }
            Act::Pardon { pick } => {
                let equivocators = self.equivocators();
                if equivocators.is_empty() {
                    return;
                }
                let subject = *pick.get(&equivocators);
                let is_grant = |op: &&VerifiedOp| matches!(&op.body().payload, Payload::Grant(it) if it.subject == subject);
                let Some(Payload::Grant(before)) = self
                    .ops
                    .iter()
                    .rev()
                    .find(is_grant)
                    .map(|op| &op.body().payload)
                else {
                    return;
                };
                Payload::Grant(before.clone())
            }
            Act::Fork {
                width,
                depth,
                place,
                revokes,
                forgets,
            } => {
                let known = self.known[&command.actor];
                for fork in 0..*width {
                    let mut parents = self.before_last(command.actor);
                    for step in 0..=*depth {
                        let (object, field) = PLACES[*place];
                        let value = i64::try_from(fork + step).expect("there are few");
                        let payload = revokes.map_or_else(
                            || world::set(object, field, value),
                            |subject| world::revoke(subject, None, None),
                        );
                        parents = vec![self.sign(command, parents, payload)];
                    }
                }
                if *forgets {
                    self.known.insert(command.actor, known);
                }
                return;
            }
            Act::Revoke {
                subject,
                role,
                scope,
            } => world::revoke(*subject, *role, *scope),
            Act::Feud { other } => {
                self.make(command, world::revoke(*other, None, None));
                let back = Command {
                    actor: *other,
                    seen: Seen::Own,
                    ..command.clone()
                };
                self.make(&back, world::revoke(command.actor, None, None));
                return;
            }
            Act::Trust { hand, window } => hand.trusted(*window),
            Act::Distrust { hand } => hand.distrusted(),
            Act::List {
                hand,
                list,
                suspension,
                bits,
                oddity,
            } => {
                let plain = hand.list(*list, *suspension, 50, bits);
                odd(self.project, *hand, plain, *oddity)
            }
            Act::Upgrade {
                feature: (name, parameters),
            } => world::upgrade(name, parameters),
            Act::Schema { rules } => {
                let rules: Vec<_> = rules.iter().map(|rule| RULES[*rule]).collect();
                world::schema(&rules)
            }
            Act::Seal => world::seal([7; 32]),
            Act::Rotate { subject } => {
                let revoke = self.make(command, world::revoke(*subject, None, None));
                if self.has_quorum {
                    self.cosign(&[revoke], &command.cosigners);
                }
                let command = Command {
                    seen: Seen::Meet(command.cosigners.first().copied().unwrap_or_default()),
                    ..command.clone()
                };
                self.make(&command, world::seal([7; 32]));
                return;
            }
            Act::Rage { pick, denials } => {
                let by_actor = |op: &&OpId| self.body(**op).author == person(command.actor).public;
                let own: Vec<OpId> = self.admitted.iter().filter(by_actor).copied().collect();
                let parents = some(&own, *pick).map(|op| self.body(op).parents.clone());
                let Some(mut parents) = parents.filter(|it| !it.is_empty()) else {
                    return;
                };
                let known = self.known[&command.actor];
                for denial in denials {
                    let payload = match denial {
                        Denial::Person(subject) => world::revoke(*subject, None, None),
                        Denial::Device(owner, device) => world::device_revoke(*owner, *device),
                        Denial::Hand(hand) => hand.distrusted(),
                        Denial::Bits(bits) => FIRST.list(0, false, 50, bits),
                    };
                    let op = self.sign(command, parents.clone(), payload);
                    if self.admitted.contains(&op) {
                        parents = vec![op];
                    }
                }
                // Whose key it is knows nothing of it.
                self.known.insert(command.actor, known);
                return;
            }
            Act::Cosign { pick, any_op } => {
                let parents = self.parents(command);
                let fit = self.seen_by(&parents, *any_op, is_signed_together);
                if let Some(op) = some(&fit, *pick) {
                    self.sign(command, parents, world::cosign(op));
                }
                return;
            }
            Act::Endorse {
                picks,
                any_op,
                of_denied,
            } => {
                let parents = self.parents(command);
                let fit = self.seen_by(&parents, *any_op, |it| it.target().is_some());
                let decisions = self.oracle.decisions();
                let is_denied = |op: &&OpId| matches!(decisions[*op], Decision::Denied { .. });
                let denied: Vec<OpId> = fit.iter().filter(is_denied).copied().collect();
                let fit = if *of_denied && !denied.is_empty() {
                    denied
                } else {
                    fit
                };
                let ops: Vec<OpId> = picks.iter().filter_map(|it| some(&fit, *it)).collect();
                if !ops.is_empty() {
                    self.sign(command, parents, world::endorse(ops));
                }
                return;
            }
            Act::Link {
                person,
                device,
                proof,
            } => {
                let owner = person.unwrap_or(command.actor);
                match proof {
                    Proof::Sound => world::device(self.project, owner, *device),
                    Proof::OfAnother => world::device_with(
                        owner,
                        *device,
                        world::device_proof(self.project, owner + 1, *device),
                    ),
                    Proof::Garbage => world::device_with(owner, *device, [1; 64]),
                }
            }
            Act::Unlink { person, device } => {
                world::device_revoke(person.unwrap_or(command.actor), *device)
            }
            Act::Unassigned { kind, content } => world::unassigned(*kind, *content),
            Act::ForeignGenesis { nonce } => {
                self.take(command.actor, world::genesis(*nonce));
                return;
            }
        };
        self.make(command, payload);
    }

    /// Who has signed two admitted ops with one number.
    fn equivocators(&self) -> Vec<PublicKey> {
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
    fn before_last(&self, who: u8) -> Vec<OpId> {
        match self.last_of(who).map(|last| &self.body(last).parents) {
            Some(parents) if !parents.is_empty() => parents.clone(),
            Some(_) | None => self.heads(self.known[&who], who),
        }
    }

    fn make(&mut self, command: &Command, payload: Payload) -> OpId {
        let parents = self.parents(command);
        self.sign(command, parents, payload)
    }

    /// What the actor names as parents.
    fn parents(&mut self, command: &Command) -> Vec<OpId> {
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

    fn sign(&mut self, command: &Command, mut parents: Vec<OpId>, payload: Payload) -> OpId {
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

    fn take(&mut self, who: u8, op: VerifiedOp) -> OpId {
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

    fn body(&self, id: OpId) -> &Body {
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
fn some(ops: &[OpId], pick: proptest::sample::Index) -> Option<OpId> {
    (!ops.is_empty()).then(|| *pick.get(ops))
}
