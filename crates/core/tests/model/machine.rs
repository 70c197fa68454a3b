//! The state machine of one replica: whatever anybody made arrives, in every order.

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use stateright::{Model, Property};

use crate::history::{History, Op};
use crate::laws::{Findings, Law, Sight, arrivals};
use crate::rule::{Decisions, Judgement, World};

/// A replica in a world. Its states are sets of up to `ops_max - 1` ops; the laws look one op ahead.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) world: World,
    /// What is there from the start, all of it admitted and applied.
    pub(crate) begins_with: History,
    pub(crate) ops_max: usize,
    /// Whether refused ops stay in the set; otherwise each is looked at once, as the last op of a history.
    pub(crate) keeps_refused: bool,
}

/// A set of ops, in a listing that depends on the set alone, and what the replica that went along with their
/// arrival decided.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) history: History,
    pub(crate) decided: Decisions,
    findings: OnceLock<Findings>,
}

impl State {
    /// The state of which all listings of the set and all casts of its parts are one.
    fn new(world: &World, history: &History, decided: &Decisions) -> Self {
        let variants = world.symmetries().into_iter().map(|part| {
            let recast = history.recast(&part);
            let order = recast.usual_order(|_| 0);
            let mut listed = Decisions::default();
            let places = order.iter().enumerate();
            places.for_each(|(at, &op)| listed[at] = decided[op]);
            (recast.listed(&order), listed)
        });
        let (history, decided) = variants.min().expect("authors can stay as they are");
        Self {
            history,
            decided,
            findings: OnceLock::new(),
        }
    }

    fn findings(&self, world: &World) -> &Findings {
        self.findings
            .get_or_init(|| Findings::of(world, &self.history, &self.decided))
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        (self.history, self.decided) == (other.history, other.decided)
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.history, self.decided).hash(hasher);
    }
}

impl Model for Machine {
    type State = State;
    type Action = Op;

    fn init_states(&self) -> Vec<State> {
        let decided = Judgement::of(&self.world, &self.begins_with).decisions();
        vec![State::new(&self.world, &self.begins_with, &decided)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Op>) {
        if state.history.len() + 1 < self.ops_max {
            actions.extend(arrivals(&self.world, &state.history));
        }
    }

    fn next_state(&self, state: &State, op: Op) -> Option<State> {
        let history = state.history.with(op);
        let judgement = Judgement::of(&self.world, &history);
        let decided = judgement.catch_up(&state.decided);
        let stays = self.keeps_refused || !decided[state.history.len()].is_refused();
        stays.then(|| State::new(&self.world, &history, &decided))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! always {
            ($name:literal, $law:ident) => {
                Property::always($name, |machine: &Self, state: &State| {
                    state.findings(&machine.world).obeys(Law::$law)
                })
            };
        }
        macro_rules! sometimes {
            ($name:literal, $sight:ident) => {
                Property::sometimes($name, |machine: &Self, state: &State| {
                    state.findings(&machine.world).has_met(Sight::$sight)
                })
            };
        }
        vec![
            always!("order-free", OrderFree),
            always!("caused", Caused),
            always!("incremental = full", IncrementalIsFull),
            always!("final refusals", FinalRefusals),
            always!("policy safety", PolicySafety),
            always!("revocation holds", RevocationHolds),
            always!("nothing else is lost", NothingElseIsLost),
            sometimes!("an edit is rolled back", EditRolledBack),
            sometimes!("an edit is denied on arrival", EditDeniedOnArrival),
            sometimes!("an edit that the denier had seen stays", SeenEditStays),
            sometimes!("a grant after the denial restores", RegrantRestores),
            sometimes!("an edit after the denial is refused", EditRefusedAsRevoked),
            sometimes!("who revoke each other both lose", AdministratorsBothLose),
            sometimes!(
                "an edit after both halves of an equivocation is refused",
                EquivocatorFrozen
            ),
            sometimes!("a grant after both halves thaws", GrantThaws),
            sometimes!("both halves of an equivocation stand", HalvesStand),
            sometimes!("a grantee falls with the granter", GranteeDenied),
            sometimes!("the reason of a denial changes", ReasonChanges),
        ]
    }
}
