//! The state machine of three authors, each with a replica: they make ops on top of what they know, and what
//! they made reaches the others in any order, parents first or not.

use std::collections::BTreeSet;

use stateright::{Model, Property};

use crate::history::{AUTHORS, History, Kind, OPS_MAX, Op, Set};
use crate::laws::arrivals;
use crate::rule::{Decision, Decisions, Judgement, World};
use crate::safety::Promise;

/// Three replicas in a world, until so many ops have been made and everybody holds them all.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) world: World,
    pub(crate) ops_max: usize,
    /// The authors who send whatever they like: what is refused, and what builds on a part of what they know, so
    /// that they equivocate. The others send what counts and builds on all that they know.
    pub(crate) liars: Set,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// An author makes an op.
    Make(Op),
    /// An op reaches a replica.
    Deliver {
        /// The op.
        op: usize,
        /// Whose replica.
        to: usize,
    },
}

/// What a replica holds, and what it has decided of what it sees. What misses a part of its past is not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Replica {
    held: Set,
    seen: Set,
    /// By the number of the op; what is not seen is not decided.
    decided: [Option<Decision>; OPS_MAX],
    /// Whether a decision has ever changed but to denied and for a revocation that was admitted.
    is_uncaused: bool,
}

/// All ops that were made, and the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct State {
    made: History,
    replicas: [Replica; AUTHORS],
}

impl Replica {
    /// Takes an op in, and all that waited for it, one by one.
    fn receive(&mut self, world: &World, made: &History, op: usize) {
        self.held = self.held.with(op);
        let is_ready = |it: &usize, seen| made.ops()[*it].past.is_within(seen);
        while let Some(next) = self
            .held
            .without(self.seen)
            .iter()
            .find(|it| is_ready(it, self.seen))
        {
            self.see(world, made, next);
        }
    }

    fn see(&mut self, world: &World, made: &History, op: usize) {
        let order: Vec<usize> = self.seen.iter().chain([op]).collect();
        let local = made.listed(&order);
        let mut decided = Decisions::default();
        for (at, op) in self.seen.iter().enumerate() {
            decided[at] = self.decided[op].expect("what is seen is decided");
        }
        let after = Judgement::of(world, &local).catch_up(&decided);
        let is_denial =
            matches!(made.ops()[op].kind, Kind::Revoke(_)) && !after[order.len() - 1].is_refused();
        for (at, &op) in order.iter().enumerate() {
            let is_caused = self.decided[op].is_none_or(|before| {
                before == after[at] || is_denial && !before.is_refused() && after[at].is_denied()
            });
            self.is_uncaused |= !is_caused;
            self.decided[op] = Some(after[at]);
        }
        self.seen = self.seen.with(op);
    }

    /// The ops that it sees, as a history of their own, with what it has decided.
    fn view(&self, made: &History) -> (History, Decisions) {
        let order: Vec<usize> = self.seen.iter().collect();
        let mut decided = Decisions::default();
        for (at, &op) in order.iter().enumerate() {
            decided[at] = self.decided[op].expect("what is seen is decided");
        }
        (made.listed(&order), decided)
    }

    fn listed(&self, order: &[usize]) -> Self {
        let mut place = [0; OPS_MAX];
        let mut decided = [None; OPS_MAX];
        for (at, &op) in order.iter().enumerate() {
            place[op] = at;
            decided[at] = self.decided[op];
        }
        Self {
            held: self.held.map(|op| place[op]),
            seen: self.seen.map(|op| place[op]),
            decided,
            ..*self
        }
    }
}

impl State {
    /// The state of which all listings of the ops and all casts of their parts are one.
    fn representative(&self, world: &World) -> Self {
        let variants = world.symmetries().into_iter().map(|part| {
            let mut replicas = self.replicas;
            (0..AUTHORS).for_each(|it| replicas[usize::from(part[it])] = self.replicas[it]);
            let made = self.made.recast(&part);
            let order = made.usual_order(|op| {
                let holders = replicas.iter().rev();
                holders.fold(0, |bits, it| bits << 1 | u64::from(it.held.contains(op)))
            });
            Self {
                made: made.listed(&order),
                replicas: replicas.map(|it| it.listed(&order)),
            }
        });
        variants.min().expect("authors can stay as they are")
    }

    fn pairs(&self) -> impl Iterator<Item = (&Replica, &Replica)> {
        let [a, b, c] = &self.replicas;
        [(a, b), (a, c), (b, c)].into_iter()
    }
}

impl Model for Network {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        for (to, replica) in state.replicas.iter().enumerate() {
            let missing = state.made.all().without(replica.held);
            actions.extend(missing.iter().map(|op| Step::Deliver { op, to }));
        }
        if state.made.len() < self.ops_max {
            let can_make = |op: &Op| {
                let author = usize::from(op.author);
                let known = state.replicas[author].seen;
                op.past == known || self.liars.contains(author) && op.past.is_within(known)
            };
            let ops = arrivals(&self.world, &state.made).into_iter();
            actions.extend(ops.filter(can_make).map(Step::Make));
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = *state;
        let (op, to) = match step {
            Step::Make(op) => {
                next.made = state.made.with(op);
                (state.made.len(), usize::from(op.author))
            }
            Step::Deliver { op, to } => (op, to),
        };
        let replica = &mut next.replicas[to];
        replica.receive(&self.world, &next.made, op);
        let is_refused = replica.decided[op].is_some_and(Decision::is_refused);
        let is_sent = !is_refused || self.liars.contains(usize::from(next.made.ops()[op].author));
        is_sent.then(|| next.representative(&self.world))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("same set, same decisions", |_, state: &State| {
                let mut pairs = state.pairs();
                pairs.all(|(one, other)| one.seen != other.seen || one.decided == other.decided)
            }),
            Property::always("caused", |_, state: &State| {
                state.replicas.iter().all(|it| !it.is_uncaused)
            }),
            Property::always("incremental = full", |network: &Self, state: &State| {
                state.replicas.iter().all(|replica| {
                    let (history, decided) = replica.view(&state.made);
                    Judgement::of(&network.world, &history).decisions() == decided
                })
            }),
            Property::always("final refusals", |_, state: &State| {
                (0..state.made.len()).all(|op| {
                    let said = state.replicas.iter().filter_map(|it| it.decided[op]);
                    let said: BTreeSet<Decision> = said.collect();
                    said.len() < 2 || !said.into_iter().any(Decision::is_refused)
                })
            }),
            Property::always("policy safety", |network: &Self, state: &State| {
                state.replicas.iter().all(|replica| {
                    let (history, decided) = replica.view(&state.made);
                    let admitted = history.all().filter(|op| !decided[op].is_refused());
                    let promise = Promise {
                        world: &network.world,
                        history: &history,
                        known: admitted,
                    };
                    let applied = admitted.filter(|op| decided[op] == Decision::Applied);
                    applied == admitted.filter(|op| promise.is_backed(op))
                        && promise.revocation_holds(&decided)
                })
            }),
            Property::sometimes(
                "replicas that know different ops disagree",
                |_, state: &State| {
                    let differ = |(one, other): (&Replica, &Replica)| {
                        let both = one.seen.and(other.seen);
                        both.iter().any(|op| one.decided[op] != other.decided[op])
                    };
                    state.pairs().any(differ)
                },
            ),
            Property::sometimes("an op waits for its past", |_, state: &State| {
                state.replicas.iter().any(|it| it.held != it.seen)
            }),
            Property::sometimes(
                "everybody knows of a denial",
                |network: &Self, state: &State| {
                    state.made.len() == network.ops_max
                        && state.replicas.iter().all(|it| it.seen == state.made.all())
                        && state.replicas[0]
                            .decided
                            .into_iter()
                            .flatten()
                            .any(Decision::is_denied)
                },
            ),
        ]
    }
}
