//! A formal model of quorum, seals and devices.

mod history;
mod laws;
mod machine;
mod rule;

use history::{Author, History, Kind, Op};
use machine::Machine;
use rule::Fault;
use stateright::{Checker, Expectation, Model};

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
    check(machine(4), 0);
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
#[ignore = "minutes in release"]
fn every_frugal_history_of_7_ops_obeys_the_laws() {
    let ops_max = std::env::var("N")
        .ok()
        .and_then(|it| it.parse().ok())
        .unwrap_or(7);
    let frugal = Machine {
        is_frugal: true,
        ..machine(ops_max)
    };
    let start = std::time::Instant::now();
    let c = explore(frugal);
    c.assert_properties();
    eprintln!("{} states {:?}", c.unique_state_count(), start.elapsed());
}
