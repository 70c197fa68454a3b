//! The state machine: what honest people and thieves sign arrives, at somebody who gets all of it.

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use stateright::{Model, Property};

use crate::history::{Author, History, Kind, Op, Set};
use crate::laws::{Findings, Law, Sight};
use crate::rule::{Fault, Judgement};

/// Its states are sets of up to `ops_max - 1` ops; the laws look one op ahead.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) fault: Option<Fault>,
    /// What is there from the start.
    pub(crate) begins_with: History,
    pub(crate) ops_max: usize,
}

/// A set of ops, in a listing that depends on the set alone.
#[derive(Debug, Clone)]
pub(crate) struct State {
    history: History,
    findings: OnceLock<Findings>,
}

impl State {
    fn new(history: &History) -> Self {
        Self {
            history: one_for_all(history),
            findings: OnceLock::new(),
        }
    }

    pub(crate) const fn history(&self) -> &History {
        &self.history
    }
}

/// Of all listings of the set, whichever of Ann and Ben is which, one.
pub(crate) fn one_for_all(history: &History) -> History {
    let recast = history.recast().canonical();
    history.canonical().min(recast)
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.history == other.history
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.history.hash(hasher);
    }
}

impl Machine {
    fn findings<'a>(&self, state: &'a State) -> &'a Findings {
        state
            .findings
            .get_or_init(|| Findings::of(self.fault, &state.history))
    }
}

impl Model for Machine {
    type State = State;
    type Action = Op;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(&self.begins_with)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Op>) {
        if state.history.len() + 1 < self.ops_max {
            actions.extend(arrivals(&state.history));
        }
    }

    fn next_state(&self, state: &State, op: Op) -> Option<State> {
        let new = state.history.len();
        let judgement = Judgement::of(self.fault, &state.history).with(op);
        (!judgement.is_refused(new)).then(|| State::new(&state.history.with(op)))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! always {
            ($name:literal, $law:ident) => {
                Property::always($name, |machine: &Self, state: &State| {
                    machine.findings(state).obeys(Law::$law)
                })
            };
        }
        macro_rules! sometimes {
            ($name:literal, $sight:ident) => {
                Property::sometimes($name, |machine: &Self, state: &State| {
                    machine.findings(state).has_met(Sight::$sight)
                })
            };
        }
        vec![
            always!("order-free", OrderFree),
            always!("caused", Caused),
            always!("sealed stands", SealedStands),
            always!("no seal by one root", NoSealByOne),
            always!("honest roots stand", HonestRootsStand),
            always!("ended thieves turn nothing", EndedThievesTurnNothing),
            sometimes!("a denial is stale", StaleDenial),
            sometimes!("a denial is dropped", DroppedDenial),
            sometimes!("a sealed edit outlives a late denial", SealedEditStays),
            sometimes!("a cosign of a seal gives an edit back", SealReinstates),
            sometimes!("an edit is lost with its device alone", DeviceLost),
            sometimes!("a cosigned revocation ends a root", RootEnded),
            sometimes!("an edit is rolled back by a stolen key", EditRolledBack),
        ]
    }
}

/// The ops that can arrive next.
pub(crate) fn arrivals(history: &History) -> Vec<Op> {
    let mut arrivals = Vec::new();
    for author in Author::ALL {
        for past in pasts(history, author) {
            let kinds = kinds(history, author, past).into_iter();
            arrivals.extend(kinds.map(|kind| Op { author, kind, past }));
        }
    }
    arrivals
}

/// What the author can have seen: honest people all there is, thieves anything that has what they signed before.
fn pasts(history: &History, author: Author) -> Vec<Set> {
    if !author.is_thief() {
        return vec![history.all()];
    }
    let own = history
        .all()
        .filter(|it| history.ops()[it].author == author);
    let sets = Set::all_below(history.len());
    sets.filter(|it| own.is_within(*it) && history.is_closed(*it))
        .collect()
}

/// What the author can want to do.
fn kinds(history: &History, author: Author, past: Set) -> Vec<Kind> {
    let mut kinds = deeds(author).to_vec();
    if author.is_root() {
        kinds.extend(seals(history));
        kinds.extend(cosigns(history, author, past));
    }
    kinds
}

/// What the author can want to do whatever is there.
pub(crate) const fn deeds(author: Author) -> &'static [Kind] {
    match author {
        Author::Ann | Author::Ben => &[
            Kind::Grant,
            Kind::Revoke(Author::Petra),
            Kind::Revoke(Author::Alice),
            Kind::Revoke(Author::Cat),
        ],
        Author::Cat => &[
            Kind::Grant,
            Kind::Revoke(Author::Ann),
            Kind::Revoke(Author::Ben),
            Kind::Revoke(Author::Cat),
            Kind::Revoke(Author::Petra),
            Kind::Revoke(Author::Alice),
        ],
        Author::Petra => &[Kind::Grant, Kind::Revoke(Author::Alice)],
        Author::Alice | Author::Laptop => &[Kind::Edit, Kind::DeviceRevoke(Author::Phone)],
        Author::Phone => &[Kind::Edit, Kind::DeviceRevoke(Author::Laptop)],
    }
}

/// There is at most one seal.
fn seals(history: &History) -> Option<Kind> {
    let is_new = history.ops().iter().all(|it| it.kind != Kind::Seal);
    is_new.then_some(Kind::Seal)
}

/// What in the past the root has not signed and can want to sign, of what one root cannot do: a seal, the end of a
/// root. An honest root does not sign the end of another one.
fn cosigns(history: &History, author: Author, past: Set) -> impl Iterator<Item = Kind> {
    let ops = history.ops();
    let is_wanted = move |target: &usize| match ops[*target].kind {
        Kind::Seal => true,
        Kind::Revoke(subject) => subject.is_root() && (author.is_thief() || subject == Author::Cat),
        Kind::Edit | Kind::Grant | Kind::DeviceRevoke(_) | Kind::Cosign(_) => false,
    };
    let is_signed = move |target: usize| {
        let cosigned =
            |it: usize| ops[it].author == author && ops[it].kind == Kind::Cosign(target as u8);
        ops[target].author == author || past.iter().any(cosigned)
    };
    let wanted = past.iter().filter(is_wanted);
    wanted
        .filter(move |it| !is_signed(*it))
        .map(|it| Kind::Cosign(it as u8))
}
