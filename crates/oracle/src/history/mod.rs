//! Random adversarial histories.
//!
//! A history is a list of abstract commands, which shrink well, and a player that turns them into signed ops.
//! The player steers by a [`Log`] (what has been refused makes a poor parent) but expects nothing of it: every
//! list of commands plays, whatever the log says.

mod strategy;

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use ecac_core::credential::{Credential, Role};
use ecac_core::{Body, Costs, Hlc, Log, OpId, Outcome, Payload, ProjectId, VerifiedOp};
use proptest::sample::Index;
pub use strategy::histories;

use crate::world::{self, Hand, START_MS, person};

/// Ops of one history at most.
pub const OPS_MAX: usize = 60;
/// Ops that one command makes at most: a hire is a credential and a grant, a feud two revocations.
const OPS_PER_COMMAND_MAX: usize = 2;
/// Parents that a player names at most; far below the limit of the wire format.
const PARENTS_MAX: usize = 12;
/// Cast: 0 to 2 are roots; the others but newcomers are usually hired as these to begin with.
const ISSUER_ADMINS: [u8; 2] = [3, 4];
const POLICY_ADMINS: [u8; 2] = [5, 6];
const EDITORS: [u8; 3] = [7, 8, 9];
const NEWCOMERS: [u8; 3] = [10, 11, 12];
/// A root by credential.
const DEPUTY: u8 = 13;
const PEOPLE: core::ops::Range<u8> = 0..14;
/// The hand that an issuer administrator trusts.
const SECOND: Hand = Hand {
    issuer: 1,
    kid: 0,
    key: 1,
};
/// What data ops touch: object and field. The last has no tags.
const PLACES: [(&str, &str); 5] = [
    ("doc/1", "title"),
    ("doc/1", "body"),
    ("doc/2", "title"),
    ("doc/2", "labels"),
    ("vault", "code"),
];

/// A hand that nobody trusts to begin with.
const THIRD: Hand = Hand {
    issuer: 0,
    kid: 1,
    key: 2,
};

/// One step of a history.
#[derive(Debug, Clone)]
struct Command {
    actor: u8,
    act: Act,
    seen: Seen,
    clock: Clock,
    seq: Seq,
    /// Whether everyone has seen everything afterwards.
    meeting: bool,
}

#[derive(Debug, Clone)]
enum Act {
    Set {
        place: usize,
        value: i64,
    },
    Add {
        place: usize,
        element: u8,
    },
    Remove {
        place: usize,
        element: u8,
    },
    /// A credential op and a grant that refers to it.
    Hire {
        subject: u8,
        role: Role,
        scope: u8,
        paper: Paper,
    },
    /// A grant that refers to some earlier op, mostly a credential.
    Regrant {
        subject: Option<u8>,
        pick: Index,
        any_op: bool,
    },
    Revoke {
        subject: u8,
        role: Option<Role>,
        scope: Option<u8>,
    },
    /// Two revoke each other, and neither has seen the other's.
    Feud {
        other: u8,
    },
    Trust {
        hand: Hand,
        window: (u64, u64),
    },
    Distrust {
        hand: Hand,
    },
    List {
        hand: Hand,
        list: u8,
        suspension: bool,
        bits: Vec<u64>,
    },
    ForeignGenesis {
        nonce: u8,
    },
}

#[derive(Debug, Clone)]
struct Paper {
    hand: Hand,
    window: (u64, u64),
    status: Vec<(u8, bool, u64)>,
    garbage: bool,
}

/// What the actor has seen when it acts.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// Everything.
    All,
    /// What it had seen when it last acted, and its own ops.
    Own,
    /// That, and what another has seen.
    Meet(u8),
    /// Its own ops and some earlier op.
    Old(Index),
    /// Some earlier op, where possible one that has not seen the actor's last: a fork.
    Fork(Index),
    /// Its own ops and a refused op.
    Refused(Index),
    /// Refused ops only.
    Foreign(Index),
}

#[derive(Debug, Clone, Copy)]
enum Clock {
    Right,
    /// As early as the parents allow.
    Backdated,
    Ahead(u64),
    /// Not after the parents.
    Stale(bool),
}

#[derive(Debug, Clone, Copy)]
enum Seq {
    Right,
    Ahead,
    Zero,
}

/// A history that has been played; its ops come in an order in which parents are first.
#[derive(Clone)]
pub struct History {
    /// The project: the id of the first op.
    pub project: ProjectId,
    /// The ops, of other projects too.
    pub ops: Vec<VerifiedOp>,
    /// What a replica holds to which they arrived in this order.
    pub log: Arc<Log>,
}

impl History {
    /// The history of these ops, of which each comes after its parents.
    #[must_use]
    pub fn of(project: ProjectId, ops: Vec<VerifiedOp>) -> Self {
        let mut log = Log::new(project);
        for op in &ops {
            log.ingest(op.clone(), &mut Costs::default());
        }
        Self {
            project,
            ops,
            log: Arc::new(log),
        }
    }
}

/// Numbers instead of ids and keys, so that a failing history can be read.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number: BTreeMap<OpId, usize> = self
            .ops
            .iter()
            .enumerate()
            .map(|(at, op)| (op.id(), at))
            .collect();
        let mut text = String::new();
        for (at, op) in self.ops.iter().enumerate() {
            let body = op.body();
            let parents: Vec<usize> = body.parents.iter().map(|op| number[op]).collect();
            let stamp = (body.hlc.physical_ms, body.hlc.logical);
            let id = op.id().to_string();
            text += &format!(
                "\n#{at} {} by {} seq {} at {stamp:?} after {parents:?}: ",
                &id[..8],
                body.author,
                body.seq
            );
            text += &match &body.payload {
                Payload::Genesis(_) => "Genesis".to_owned(),
                Payload::Credential { jwt } => match Credential::parse(jwt) {
                    Ok(it) => format!(
                        "Credential {} {} {:?} by {} {} from {:?} until {:?} status {:?}",
                        it.subject,
                        it.role,
                        it.scope,
                        it.issuer,
                        it.kid,
                        it.valid_from,
                        it.valid_until,
                        it.status
                    ),
                    Err(why) => format!("Credential that is none: {why}"),
                },
                Payload::StatusList { jwt } => format!("StatusList of {} bytes", jwt.len()),
                Payload::Grant {
                    subject,
                    credential,
                } => {
                    format!("Grant {subject} by #{:?}", number.get(credential))
                }
                other => format!("{other:?}"),
            };
        }
        for number in PEOPLE {
            text = text.replace(
                &person(number).public.to_string(),
                &format!("person {number}"),
            );
        }
        f.write_str(&text)
    }
}

/// The items in the order of their keys; those with equal keys stay as they are.
pub(crate) fn shuffled<T>(items: Vec<T>, keys: &[u16]) -> Vec<T> {
    let mut keyed: Vec<(u16, T)> = keys.iter().copied().cycle().zip(items).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, item)| item).collect()
}

/// A set of ops, as bits by their number.
type Set = u64;
const _: () = assert!(OPS_MAX <= Set::BITS as usize, "a set holds a history");

/// The numbers in a set.
fn members(set: Set) -> impl Iterator<Item = usize> {
    (0..OPS_MAX).filter(move |at| set & (1 << at) != 0)
}

struct Player {
    log: Log,
    ops: Vec<VerifiedOp>,
    at: BTreeMap<OpId, usize>,
    /// Strict ancestors, by number.
    past: Vec<Set>,
    refused: Vec<OpId>,
    admitted: Vec<OpId>,
    /// What each has seen: sets with all their ancestors.
    known: BTreeMap<u8, Set>,
    now_ms: u64,
}

fn play(commands: &[Command]) -> History {
    let genesis = world::genesis(0);
    let project = genesis.id();
    let mut player = Player {
        log: Log::new(project),
        ops: Vec::new(),
        at: BTreeMap::new(),
        past: Vec::new(),
        refused: Vec::new(),
        admitted: Vec::new(),
        known: PEOPLE.map(|who| (who, 1)).collect(),
        now_ms: START_MS,
    };
    player.take(0, genesis);
    for command in commands {
        if player.ops.len() + OPS_PER_COMMAND_MAX > OPS_MAX {
            break;
        }
        player.act(command);
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
        log: Arc::new(player.log),
    }
}

impl Player {
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
                    Payload::Credential {
                        jwt: "a.b.c".to_owned(),
                    }
                } else {
                    paper
                        .hand
                        .credential(*subject, *role, *scope, paper.window, &paper.status)
                };
                let simple = Command {
                    clock: Clock::Right,
                    seq: Seq::Right,
                    ..command.clone()
                };
                let credential = self.make(&simple, payload);
                // The grant follows its credential, and otherwise has seen what the actor has.
                let grant = Payload::Grant {
                    subject: person(*subject).public,
                    credential,
                };
                let forks = matches!(command.seen, Seen::Fork(_));
                let stays = forks || self.refused.contains(&credential);
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
                    *any_op || matches!(op.body().payload, Payload::Credential { .. })
                };
                let credentials: Vec<&VerifiedOp> = self.ops.iter().filter(is_credential).collect();
                let Some(op) = (!credentials.is_empty()).then(|| *pick.get(&credentials)) else {
                    return;
                };
                let named = match &op.body().payload {
                    Payload::Credential { jwt } => Credential::parse(jwt).ok().map(|it| it.subject),
                    _ => None,
                };
                let subject = subject.map(|who| person(who).public).or(named);
                let subject = subject.unwrap_or(person(EDITORS[0]).public);
                Payload::Grant {
                    subject,
                    credential: op.id(),
                }
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
            } => hand.list(*list, *suspension, 50, bits),
            Act::ForeignGenesis { nonce } => {
                self.take(command.actor, world::genesis(*nonce));
                return;
            }
        };
        self.make(command, payload);
    }

    fn make(&mut self, command: &Command, payload: Payload) -> OpId {
        let who = command.actor;
        let own = self.known[&who];
        let last = |player: &Self| {
            let mine = |op: &&OpId| player.body(**op).author == person(who).public;
            player.admitted.iter().rev().find(mine).copied()
        };
        let mut parents = match command.seen {
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
                let mut parents: Vec<OpId> = last(self).into_iter().collect();
                parents.push(*pick.get(&self.admitted));
                parents
            }
            Seen::Fork(pick) => {
                let innocent = |op: &&OpId| {
                    last(self).is_none_or(|last| {
                        (self.past[self.at[*op]] | self.set(&[**op])) & self.set(&[last]) == 0
                    })
                };
                let innocent: Vec<OpId> = self.admitted.iter().filter(innocent).copied().collect();
                vec![*pick.get(if innocent.is_empty() {
                    &self.admitted
                } else {
                    &innocent
                })]
            }
            Seen::Refused(pick) => {
                let mut parents = self.heads(own, who);
                if !self.refused.is_empty() {
                    parents.push(*pick.get(&self.refused));
                }
                parents
            }
            Seen::Foreign(pick) if !self.refused.is_empty() => vec![*pick.get(&self.refused)],
            Seen::Foreign(_) => self.heads(own, who),
        };
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
        let arrivals = self.log.ingest(op.clone(), &mut Costs::default());
        let past = self.past_of(&op.body().parents);
        let number = self.ops.len();
        if arrivals
            .iter()
            .any(|it| it.op == id && it.outcome == Outcome::Admitted)
        {
            // A grant is handed to its subject.
            let is_subject = |who: &u8| match &op.body().payload {
                Payload::Grant { subject, .. } => person(*who).public == *subject,
                _ => false,
            };
            for (_, known) in self
                .known
                .iter_mut()
                .filter(|(it, _)| **it == who || is_subject(it))
            {
                *known |= past | 1 << number;
            }
            self.admitted.push(id);
        } else {
            self.refused.push(id);
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
