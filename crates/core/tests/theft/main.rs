//! A formal model of quorum, seals and devices among thieves, checked in every state up to a bound.
//!
//! The model is written from `docs/policy-model.md` (*Precisely*, *Quorum*, *Seals*, *Devices*) and uses nothing of the
//! engine: no encodings, signatures, clocks or credentials. An op is `{author, kind, past}`.
//!
//! | Part | What it is |
//! |---|---|
//! | `history` | who signs what, sets of ops, and one listing for all that are the same set |
//! | `rule` | admission and decision by titles; full, bites, stale, dropped, sealed; two ways to break it |
//! | `laws` | the laws, and the sights that show that the model is not vacuous |
//! | `machine` | what arrives, in every order, and which of it makes a new state |
//!
//! # The set-up
//!
//! Two of three roots sign together. Ann and Ben are honest, Cat's key is stolen. Petra, whose key is stolen, is a
//! `policy_admin` by a grant of Ann's and one of Ben's, of which the model makes one that falls with both. Petra
//! granted Alice the role of editor, and Alice linked a laptop, which she has, and a phone, which is stolen. All this
//! is in every past, and every op needs its author's title as everywhere. A history is what comes after it.
//!
//! Roots grant Alice the role again, revoke Petra, Alice and roots, seal, and sign what another root proposes. Petra
//! grants and revokes Alice. Alice and her devices edit; she and the laptop end the link of the phone, the phone that of
//! the laptop. There is at most one seal, so what is not stale since another seal binds it is in the rule, but not met.
//! Nobody endorses.
//!
//! # Why fewer states are enough
//!
//! - **Honest people merge everything.** The past of what they sign is all that there is. What they had not heard of
//!   is what arrives later, and that is what thieves sign, on any closed past that has what the same key signed before:
//!   so a thief withholds as long as it likes. No key signs two ops apart, so nobody is frozen.
//! - **Honest roots end no honest root**, and do not sign such an end. Whatever else a thief proposes they may sign, a
//!   seal that leaves out all that was done against it included.
//! - **Listings.** States that differ in how they are listed are one; *order-free* decides a second listing of each.
//! - **Ann and Ben** can change parts: the rule compares keys, and the set-up treats both alike.
//! - **The last op.** The laws look at every op that can arrive in a state, so histories of `n` ops are checked in
//!   states of `n - 1`. One that is refused is looked at there and then left out: it is in no past that is not refused.
//! - **Cosigns** are of what one root cannot do, and by those who have not signed it: others are full of nothing.
//!
//! *Incremental = full* holds by construction, since each state is judged as a whole.
//!
//! # What is checked
//!
//! The ordinary tests check all histories of up to 4 ops, the tests that take longer those of up to 6. Of those of
//! 7 ops there are too many: random ones are checked, and all frugal ones, each with every op at all as the last.
//! `is_frugal` in `machine` says which these are.
//!
//! ```text
//! cargo test --release -p ecac-core --test theft -- --ignored --nocapture
//! ```

mod history;
mod laws;
mod machine;
mod rule;

use history::{Author, History, Kind, Op};
use machine::Machine;
use rule::Fault;
use stateright::{Checker, Expectation, Model, UniformChooser};

const fn machine(ops_max: usize) -> Machine {
    assert!(ops_max <= history::OPS_MAX, "a history holds no more ops");
    Machine {
        fault: None,
        begins_with: History::EMPTY,
        ops_max,
        is_frugal: false,
    }
}

/// Visits every state.
fn explore(machine: Machine) -> impl Checker<Machine> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    machine.checker().threads(threads).spawn_dfs().join()
}

/// Checks that what must hold always holds in every state, that what must be met is met, and that there are as
/// many states as there were: a model that has become smaller by mistake proves less.
#[track_caller]
fn check(machine: Machine, states: usize) {
    let checker = explore(machine);
    for property in checker.model().properties() {
        match property.expectation {
            Expectation::Sometimes => {
                checker.assert_any_discovery(property.name);
            }
            Expectation::Always | Expectation::Eventually => {
                checker.assert_no_discovery(property.name);
            }
        }
    }
    assert_eq!(checker.unique_state_count(), states, "the number of states");
}

/// Goes random ways to histories of 7 ops, of which no reduction but those of the set-up leaves any out, until so many
/// states are met.
#[track_caller]
fn check_at_random(seed: u64, states: usize) {
    let checker = machine(history::OPS_MAX).checker();
    let checker = checker.target_state_count(states);
    let checker = checker.spawn_simulation(seed, UniformChooser).join();
    for property in checker.model().properties() {
        if matches!(property.expectation, Expectation::Always) {
            checker.assert_no_discovery(property.name);
        }
    }
    assert!(checker.state_count() >= states);
}

/// The laws that the machine breaks.
fn broken_laws(machine: Machine) -> Vec<&'static str> {
    let checker = explore(machine);
    let mut properties = checker.model().properties();
    properties.retain(|it| matches!(it.expectation, Expectation::Always));
    let names = properties.into_iter().map(|it| it.name);
    names
        .filter(|name| checker.discovery(name).is_some())
        .collect()
}

/// What two honest roots and the laptop do about a stolen phone: its link is ended, that is sealed, work goes on.
fn lost_phone() -> History {
    let acts = [
        (Author::Laptop, Kind::DeviceRevoke(Author::Phone)),
        (Author::Ann, Kind::Seal),
        (Author::Ben, Kind::Cosign(1)),
        (Author::Laptop, Kind::Edit),
    ];
    acts.into_iter()
        .fold(History::EMPTY, |history, (author, kind)| {
            let past = history.all();
            history.with(Op { author, kind, past })
        })
}

#[test]
fn every_history_of_4_ops_obeys_the_laws() {
    check(machine(4), 14_984);
}

#[test]
fn a_seal_that_counts_without_its_cosign_breaks_a_law() {
    let machine = Machine {
        fault: Some(Fault::SealsNeedNoCosign),
        ..machine(2)
    };
    assert_eq!(broken_laws(machine), ["no seal by one root"]);
}

#[test]
fn a_stale_denial_that_bites_breaks_a_law() {
    let machine = Machine {
        fault: Some(Fault::StaleDenialsBite),
        begins_with: lost_phone(),
        ..machine(5)
    };
    assert_eq!(broken_laws(machine), ["ended thieves turn nothing"]);
}

#[test]
fn random_histories_of_7_ops_obey_the_laws() {
    check_at_random(0, 600);
}

#[test]
#[ignore = "minutes in release"]
fn many_random_histories_of_7_ops_obey_the_laws() {
    check_at_random(1, 1_000_000);
}

#[test]
#[ignore = "minutes in release"]
fn every_history_of_5_ops_obeys_the_laws() {
    check(machine(5), 529_761);
}

/// Many millions of states, which nobody has counted.
#[test]
#[ignore = "many minutes in release"]
fn every_history_of_6_ops_obeys_the_laws() {
    explore(machine(6)).assert_properties();
}

#[test]
#[ignore = "minutes in release"]
fn every_frugal_history_of_7_ops_obeys_the_laws() {
    let frugal = Machine {
        is_frugal: true,
        ..machine(history::OPS_MAX)
    };
    check(frugal, 841_064);
}
