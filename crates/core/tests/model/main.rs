//! A formal model of causal deny-wins, checked in every state up to a bound, and the engine compared with it.
//!
//! The model is written from `docs/policy-model.md` and shares no code with the engine: no encodings, signatures,
//! clocks or credentials. An op is `{author, past, kind}`, where the kind is `Edit`, `Grant(subject, role)` or
//! `Revoke(subject)`, and the past is any set that is closed under happens-before. Genesis lies in every past and is
//! not counted among the ops. An author who builds on less than the author has made equivocates, and is frozen in
//! what has both halves in its past; nobody is assumed to be honest.
//!
//! | Part | What it is |
//! |---|---|
//! | `history` | ops, sets of them, and one listing for all that are the same set |
//! | `rule` | the rule, its causes and its incremental evaluation; eleven ways to break it |
//! | `safety` | what users are promised, said without the rule |
//! | `laws` | the laws, and the sights that show that the model is not vacuous |
//! | `machine` | one replica: all that anybody can make arrives, in every order |
//! | `replicas` | three replicas that make ops and deliver them in any order, parents first or not |
//! | `engine` | the same histories as real ops, judged by `ecac_core` |
//!
//! # Why the states of one replica suffice
//!
//! What a replica sees is a closed set of ops, and it grows by one op that nobody has built on yet. So every
//! step of every replica in every network is a step of `machine`, whose actions add any op at all on top of any
//! closed set. A law of single steps that holds of all its steps holds of all replicas; that two replicas with
//! one set agree follows from *incremental = full*. `replicas` checks that reasoning for what it is worth, up
//! to a smaller bound.
//!
//! # Why fewer states are enough
//!
//! - **Listings.** A state is a set, so states that differ in how they are listed are one. The law *order-free*
//!   checks in every state and for every listing that the rule knows no difference.
//! - **Casts.** States are one if they differ in who plays which part, as long as the roots stay the roots: the
//!   rule compares authors with each other and with genesis, and does nothing else with them.
//! - **The last op.** The laws look at every op that can arrive in a state, so histories of `n` ops are checked
//!   in states of `n - 1`.
//! - **Refused ops.** Except where a test says otherwise a refused op is looked at when it arrives, by *final
//!   refusals* (it must change nothing), and then left out: it is in no past that is not refused, too.
//!
//! The checker remembers states by 64-bit fingerprints. For the largest number of states here, ten million, the
//! chance that any two of them share one is below one in a hundred thousand.
//!
//! # What is checked
//!
//! Authors: three. The ordinary tests check all histories of up to 4 ops after genesis, and of up to 5 that begin with
//! an equivocation; those that take minutes check all of up to 6:
//!
//! ```text
//! cargo test --release -p ecac-core --test model -- --ignored
//! ```
//!
//! An author is frozen by 2 ops, thawed by a third and edits again by a fourth, so the ordinary tests see every way in
//! which that can go, and what one more op does to it.
//!
//! Not modelled: scopes, the roles between editor and root, validity windows, issuer keys, status lists and features.
//! The engine is compared with an oracle on these (`crates/oracle`).

mod engine;
mod history;
mod laws;
mod machine;
mod replicas;
mod rule;
mod safety;

use std::fmt::Debug;
use std::hash::Hash;

use engine::Comparison;
use history::{History, Kind, Op, Role, Set};
use machine::Machine;
use replicas::Network;
use rule::{Fault, World};
use stateright::{Checker, Expectation, Model, UniformChooser};

/// Two roots, who grant the role of editor.
const OFFICE: World = world(0b011, &[Role::Editor]);
/// One root, who can hand on the whole authority.
const DYNASTY: World = world(0b001, &[Role::Root]);
/// Three roots, who can give each other back the whole authority.
const COUNCIL: World = world(0b111, &[Role::Root]);
/// One root, who can hand on the whole authority or a part of it.
const COURT: World = world(0b001, &[Role::Editor, Role::Root]);

const NOBODY: Set = Set::EMPTY;
const EVERYBODY: Set = Set::below(history::AUTHORS);

const fn world(roots: u8, roles: &'static [Role]) -> World {
    World {
        roots: Set(roots),
        roles,
        fault: None,
    }
}

/// The machine of one replica which looks at every history of up to `ops_max` ops.
const fn machine(world: World, ops_max: usize) -> Machine {
    assert!(ops_max <= history::OPS_MAX, "a history holds no more ops");
    Machine {
        world,
        begins_with: History::EMPTY,
        ops_max,
        keeps_refused: false,
    }
}

/// The machine which looks at every history of up to `ops_max` ops that begins with two edits of one number by a root.
fn forked(world: World, ops_max: usize) -> Machine {
    let edit = Op {
        author: 0,
        kind: Kind::Edit,
        past: Set::EMPTY,
    };
    let begins_with = History::EMPTY.with(edit).with(edit);
    Machine {
        begins_with,
        ..machine(world, ops_max)
    }
}

/// Visits every state.
fn explore<M>(model: M) -> impl Checker<M>
where
    M: Model + Send + Sync + 'static,
    M::State: Debug + Clone + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Debug + Clone + PartialEq,
{
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    model.checker().threads(threads).spawn_dfs().join()
}

/// Checks that what must hold always holds in every state, that what must be met is met, and that there are as
/// many states as there were: a model that has become smaller by mistake proves less.
#[track_caller]
fn check<M>(model: M, states: usize)
where
    M: Model + Send + Sync + 'static,
    M::State: Debug + Clone + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Debug + Clone + PartialEq,
{
    check_within(model, states, &[]);
}

/// The same, where these of what must be met lie beyond the bound.
#[track_caller]
fn check_within<M>(model: M, states: usize, beyond: &[&str])
where
    M: Model + Send + Sync + 'static,
    M::State: Debug + Clone + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Debug + Clone + PartialEq,
{
    let checker = explore(model);
    for property in checker.model().properties() {
        match property.expectation {
            Expectation::Sometimes if !beyond.contains(&property.name) => {
                checker.assert_any_discovery(property.name);
            }
            Expectation::Sometimes | Expectation::Always | Expectation::Eventually => {
                checker.assert_no_discovery(property.name);
            }
        }
    }
    assert_eq!(checker.unique_state_count(), states, "the number of states");
}

/// What takes five ops where everybody is a root, and more than three beside an equivocation.
const LATE: &[&str] = &["the reason of a denial changes"];

/// Checks the laws alone in every state: nothing that must be met lies within the bound.
#[track_caller]
fn check_laws(machine: Machine, states: usize) {
    let checker = explore(machine);
    assert_eq!(broken_laws(&checker), [""; 0]);
    assert_eq!(checker.unique_state_count(), states, "the number of states");
}

/// The laws that the machine breaks.
fn broken_laws(checker: &impl Checker<Machine>) -> Vec<&'static str> {
    let mut properties = checker.model().properties();
    properties.retain(|it| matches!(it.expectation, Expectation::Always));
    let names = properties.into_iter().map(|it| it.name);
    names
        .filter(|name| checker.discovery(name).is_some())
        .collect()
}

#[test]
fn every_history_of_4_ops_obeys_the_laws() {
    check(machine(OFFICE, 4), 3_585);
    check(machine(DYNASTY, 4), 800);
    check_within(machine(COUNCIL, 4), 3_973, LATE);
    check(machine(COURT, 4), 2_123);
}

#[test]
fn every_history_of_5_ops_that_begins_with_an_equivocation_obeys_the_laws() {
    for (world, states) in [
        (OFFICE, 1_434),
        (DYNASTY, 172),
        (COUNCIL, 1_852),
        (COURT, 325),
    ] {
        check_within(forked(world, 5), states, LATE);
    }
}

/// Burnside's lemma counts the sets of up to two ops, refused or not, of 21 kinds: (694 + 28) / 2 = 361 where two
/// authors can change parts, (694 + 3 * 28 + 2) / 6 = 130 where all three can, (1396 + 44) / 2 = 720 for 30 kinds.
#[test]
fn refused_ops_change_nothing() {
    for (world, states) in [(OFFICE, 361), (DYNASTY, 361), (COUNCIL, 130), (COURT, 720)] {
        let keeper = Machine {
            keeps_refused: true,
            ..machine(world, 3)
        };
        check_laws(keeper, states);
    }
}

#[test]
fn replicas_agree() {
    let network = |ops_max, liars| Network {
        world: OFFICE,
        ops_max,
        liars,
    };
    check(network(3, NOBODY), 68_189);
    check(network(2, EVERYBODY), 4_231);
}

/// Every law is there for a reason: some rule that is almost the right one breaks it.
#[test]
fn a_broken_rule_breaks_a_law() {
    let breaks = |fault, laws: &[&str]| {
        let world = World {
            fault: Some(fault),
            ..OFFICE
        };
        assert_eq!(broken_laws(&explore(machine(world, 3))), laws, "{fault:?}");
    };
    breaks(
        Fault::ConcurrentGrantsSurvive,
        &["policy safety", "revocation holds"],
    );
    breaks(Fault::RegrantsDie, &["nothing else is lost"]);
    breaks(
        Fault::NothingIsSpared,
        &["caused", "incremental = full", "nothing else is lost"],
    );
    breaks(
        Fault::DeniedDenialsLapse,
        &[
            "caused",
            "incremental = full",
            "policy safety",
            "revocation holds",
        ],
    );
    breaks(Fault::GranteesStay, &["policy safety"]);
    breaks(
        Fault::ForksDeny,
        &["caused", "incremental = full", "nothing else is lost"],
    );
    breaks(Fault::NobodyFreezes, &["policy safety", "revocation holds"]);
    breaks(
        Fault::RefusalsLookAround,
        &[
            "order-free",
            "caused",
            "incremental = full",
            "final refusals",
            "nothing else is lost",
        ],
    );
    breaks(Fault::NoRollBack, &["incremental = full"]);
}

/// The same for what thaws, which takes an equivocation, a grant and an edit.
#[test]
fn a_broken_thaw_breaks_a_law() {
    let breaks = |fault, laws: &[&str]| {
        let world = World {
            fault: Some(fault),
            ..OFFICE
        };
        assert_eq!(broken_laws(&explore(forked(world, 4))), laws, "{fault:?}");
    };
    breaks(Fault::OneHalfThaws, &["policy safety", "revocation holds"]);
    breaks(Fault::NothingThaws, &["nothing else is lost"]);
}

fn assert_agreement(checker: &impl Checker<Comparison>) {
    let differences = checker.model().differences();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[track_caller]
fn compare(comparison: Comparison, states: usize) {
    let checker = explore(comparison);
    assert_agreement(&checker);
    assert_eq!(checker.unique_state_count(), states, "the number of states");
}

/// Compares along random paths to histories of 6 ops.
fn compare_at_random(world: World, states: usize) {
    let checker = Comparison::new(machine(world, history::OPS_MAX)).checker();
    let checker = checker.target_state_count(states);
    let checker = checker.spawn_simulation(0, UniformChooser).join();
    assert_agreement(&checker);
    assert!(checker.state_count() >= states);
}

#[test]
fn the_engine_agrees_on_every_history_of_3_ops() {
    compare(Comparison::new(machine(OFFICE, 3)), 3_585);
    compare(Comparison::new(machine(DYNASTY, 3)), 800);
    for (world, states) in [(OFFICE, 361), (COUNCIL, 130), (COURT, 720)] {
        let keeper = Machine {
            keeps_refused: true,
            ..machine(world, 2)
        };
        compare(Comparison::new(keeper), states);
    }
}

#[test]
fn the_engine_agrees_on_every_history_of_4_ops_that_begins_with_an_equivocation() {
    for (world, states) in [(OFFICE, 1_434), (DYNASTY, 172), (COURT, 325)] {
        compare(Comparison::new(forked(world, 4)), states);
    }
}

#[test]
fn the_engine_agrees_on_random_histories_of_6_ops() {
    for world in [OFFICE, DYNASTY, COUNCIL, COURT] {
        compare_at_random(world, 600);
    }
}

/// Some millions of states, which nobody has counted.
#[test]
#[ignore = "many minutes in release"]
fn every_history_of_6_ops_obeys_the_laws_in_the_office() {
    explore(machine(OFFICE, 6)).assert_properties();
}

#[test]
#[ignore = "minutes in release"]
fn every_history_of_6_ops_obeys_the_laws_in_the_dynasty() {
    check(machine(DYNASTY, 6), 570_808);
}

/// Some ten million states, which nobody has counted.
#[test]
#[ignore = "hours in release"]
fn every_history_of_6_ops_obeys_the_laws_in_the_council() {
    explore(machine(COUNCIL, 6)).assert_properties();
}

/// Some millions of states, which nobody has counted.
#[test]
#[ignore = "many minutes in release"]
fn every_history_of_6_ops_obeys_the_laws_at_the_court() {
    explore(machine(COURT, 6)).assert_properties();
}

#[test]
#[ignore = "minutes in release"]
fn refused_ops_change_nothing_among_5_ops() {
    let keeper = Machine {
        keeps_refused: true,
        ..machine(OFFICE, 5)
    };
    check(keeper, 926_198);
}

#[test]
#[ignore = "minutes in release"]
fn replicas_agree_on_more_ops() {
    let network = |world| Network {
        world,
        ops_max: 3,
        liars: EVERYBODY,
    };
    check(network(OFFICE), 502_918);
    check(network(COUNCIL), 168_108);
}

#[test]
#[ignore = "minutes in release"]
fn the_engine_agrees_on_every_history_of_4_ops() {
    compare(Comparison::new(machine(OFFICE, 4)), 110_704);
    compare(Comparison::new(machine(DYNASTY, 4)), 17_990);
    compare(Comparison::new(forked(COUNCIL, 4)), 1_852);
    compare(Comparison::new(machine(COUNCIL, 4)), 183_960);
    compare(Comparison::new(machine(COURT, 4)), 65_802);
    for world in [OFFICE, DYNASTY, COUNCIL, COURT] {
        compare_at_random(world, 100_000);
    }
}
