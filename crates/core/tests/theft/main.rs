//! A formal model of quorum, seals and devices among thieves, checked in every state up to a bound.
//!
//! The model is written from `docs/policy-model.md` (*Precisely*, *Quorum*, *Seals*, *Devices*) and uses nothing of the
//! engine: no encodings, signatures, clocks or credentials. An op is `{author, kind, past}`.
//!
//! | Part | What it is |
//! |---|---|
//! | `history` | who signs what, sets of ops, and one listing for all that are the same set |
//! | `rule` | admission and decision by titles; full, bites, stale, dropped, sealed; three ways to break it |
//! | `laws` | the laws, and the sights that show that the model is not vacuous |
//! | `machine` | what arrives, in every order, for the checker of stateright |
//! | `fast` | rule and laws once more, on bits, and a walk to every history that remembers none |
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
//! *Incremental = full* holds by construction, since each state is judged as a whole. The walk judges the next op from
//! what is decided without it, and each state that it goes on to as a whole, which has to be the same.
//!
//! # What is checked
//!
//! The checker goes to all histories of up to 4 ops in the ordinary tests, of up to 5 in those that take longer, and to
//! random ones of 7. The walk goes to all of up to 4 ops, of up to 6, and of up to 7. It shares with the checker who
//! there is and what each of them always wants to do, and nothing else of the rule, the laws and what arrives. That both
//! come to the same is checked: the walk goes to the states of the checker, to each once, and in each of them it finds
//! broken and meets what the checker does. The ordinary tests compare all histories of up to 3 ops and random ones of 7,
//! the others all of up to 5, with rules that are broken, too. Both find what is wrong with a broken rule.
//!
//! The walk checks *order-free* by a balance of all ways to each history (see `fast::walk`), of up to 7 ops; of
//! histories of up to 5 ops it decides a second listing, too.
//!
//! ```text
//! cargo test --release -p ecac-core --test theft -- --ignored --nocapture
//! ```

mod fast;
mod history;
mod laws;
mod machine;
mod rule;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use fast::print::mix;
use fast::walk::{Report, Walk};
use history::{Author, History, Kind, Op};
use laws::{Findings, Law};
use machine::{Machine, State, one_for_all};
use rule::Fault;
use stateright::{Checker, Expectation, Model, StateRecorder, UniformChooser};

const fn machine(ops_max: usize) -> Machine {
    assert!(ops_max <= history::OPS_MAX, "a history holds no more ops");
    Machine {
        fault: None,
        begins_with: History::EMPTY,
        ops_max,
    }
}

/// How many histories there are, by the number of their ops; of two that differ in which of Ann and Ben is which, one.
/// The checker counts the same up to 4 ops.
const HISTORIES: [u64; 8] = [
    1,
    19,
    474,
    14_490,
    514_777,
    20_499_619,
    894_282_150,
    42_107_209_646,
];

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Visits every state.
fn explore(machine: Machine) -> impl Checker<Machine> {
    machine.checker().threads(threads()).spawn_dfs().join()
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

/// Checks that no law is broken, that all is met, that no way to a history leads to other decisions, and that there are
/// as many histories as there were, by the number of their ops.
#[track_caller]
fn check_walk(report: &Report, histories: &[u64]) {
    assert_eq!(report.culprit, None, "{:?}", report.findings);
    assert!(report.findings.is_innocent());
    assert!(report.findings.has_met_all(), "{:?}", report.findings);
    assert_eq!(report.balance, [0; _], "the same history is decided alike");
    let counted = &report.histories[..histories.len()];
    assert_eq!(counted, histories, "the number of histories");
}

/// Walks in parts, which the threads take as they come: what is added up is the same in any order.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a walk of an hour takes all processors, and says how far it is"
)]
fn walk_in_parts(ops_max: usize) -> Report {
    const SAID_OFTEN: usize = 100;
    let known = Walk::new(None, &History::EMPTY, 4).go().findings;
    let (begun, parts) = Walk::new(None, &History::EMPTY, ops_max).split(3);
    let (report, next) = (Mutex::new(begun), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = part.clone().go_knowing(known);
                    let mut report = report.lock().expect("no part fails");
                    report.add(&found);
                    let begun = next.load(Ordering::Relaxed).min(parts.len());
                    if begun.is_multiple_of(SAID_OFTEN) {
                        let histories = report.histories;
                        eprintln!("{begun} of {} parts begun: {histories:?}", parts.len());
                    }
                }
            });
        }
    });
    let report = report.into_inner().expect("no part fails");
    eprintln!("{report:?}");
    report
}

/// Checks that the walk goes to the states of the checker, to each once, and that of each of them, and of every op
/// that can come next, rule and laws on bits say what the others say.
#[track_caller]
fn compare(machine: &Machine) {
    let (recorder, states) = StateRecorder::new_with_accessor();
    (machine.clone().checker().visitor(recorder).spawn_dfs()).join();
    let states: Vec<State> = states();
    let begins_with = &machine.begins_with;
    let mut walked = BTreeSet::new();
    for ops in begins_with.len()..machine.ops_max {
        let (_, histories) = Walk::new(machine.fault, begins_with, machine.ops_max).split(ops);
        for walk in histories {
            assert!(
                walked.insert(one_for_all(walk.history())),
                "{:?} again",
                walk.history()
            );
        }
    }
    let visited = states.iter().map(|it| *it.history());
    assert_eq!(walked, visited.collect());
    for state in &states {
        assert_alike(machine.fault, state.history());
    }
}

#[track_caller]
fn assert_alike(fault: Option<Fault>, history: &History) {
    let walk = Walk::new(fault, history, history.len() + 1);
    let alike = Findings::of(fault, history);
    assert_eq!(walk.go().findings, alike, "{history:?}");
}

/// Goes random ways to histories of 7 ops, of which no reduction but those of the set-up leaves any out, until so many
/// states are met; and to so many others, in each of which it compares rule and laws on bits with the others.
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
    compare_at_random(seed, states);
}

#[track_caller]
fn compare_at_random(seed: u64, states: usize) {
    let machine = machine(history::OPS_MAX);
    let mut ways = Vec::new();
    let [begin]: [State; 1] = machine.init_states().try_into().expect("one state");
    let mut state = begin.clone();
    for number in 0..states as u64 {
        assert_alike(None, state.history());
        ways.clear();
        machine.actions(&state, &mut ways);
        ways.retain(|op| machine.next_state(&state, *op).is_some());
        let drawn = mix(seed << 32 | number) as usize;
        let way = drawn.checked_rem(ways.len()).map(|it| ways[it]);
        let next = way.and_then(|op| machine.next_state(&state, op));
        state = next.unwrap_or_else(|| begin.clone());
    }
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

/// Checks that checker and walk find that the machine breaks the law, and no other.
#[track_caller]
fn check_broken(machine: Machine, law: Law, name: &str) -> Report {
    let report = Walk::new(machine.fault, &machine.begins_with, machine.ops_max).go();
    assert!(report.culprit.is_some());
    assert_eq!(report.findings.broken_laws(), [law]);
    assert_eq!(broken_laws(machine), [name]);
    report
}

#[test]
fn every_history_of_4_ops_obeys_the_laws() {
    check(machine(4), 14_984);
    assert_eq!(HISTORIES[..=3].iter().sum::<u64>(), 14_984);
}

#[test]
fn the_walk_ends_on_every_history_of_4_ops() {
    let report = Walk::new(None, &History::EMPTY, 4).go();
    check_walk(&report, &HISTORIES[..=4]);
}

#[test]
fn the_walk_sees_in_every_history_of_3_ops_what_the_checker_sees() {
    compare(&machine(3));
}

#[test]
fn a_seal_that_counts_without_its_cosign_breaks_a_law() {
    let machine = Machine {
        fault: Some(Fault::SealsNeedNoCosign),
        ..machine(2)
    };
    check_broken(machine, Law::NoSealByOne, "no seal by one root");
}

#[test]
fn a_stale_denial_that_bites_breaks_a_law() {
    let machine = Machine {
        fault: Some(Fault::StaleDenialsBite),
        begins_with: lost_phone(),
        ..machine(5)
    };
    check_broken(
        machine,
        Law::EndedThievesTurnNothing,
        "ended thieves turn nothing",
    );
}

#[test]
fn a_denial_that_spares_what_is_listed_before_it_breaks_a_law() {
    let machine = Machine {
        fault: Some(Fault::DenialsSpareWhatIsListed),
        ..machine(3)
    };
    let report = check_broken(machine, Law::OrderFree, "order-free");
    assert_ne!(report.balance[3], 0, "two ways to a history differ");
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
    assert_eq!(HISTORIES[..=4].iter().sum::<u64>(), 529_761);
}

#[test]
#[ignore = "minutes in release"]
fn the_walk_sees_in_every_history_of_5_ops_what_the_checker_sees() {
    for fault in [
        None,
        Some(Fault::SealsNeedNoCosign),
        Some(Fault::StaleDenialsBite),
    ] {
        compare(&Machine {
            fault,
            ..machine(5)
        });
    }
}

#[test]
#[ignore = "a minute in release"]
fn the_walk_ends_on_every_history_of_6_ops() {
    let report = walk_in_parts(6);
    check_walk(&report, &HISTORIES[..=6]);
}

#[test]
#[ignore = "half an hour in release"]
fn the_walk_ends_on_every_history_of_7_ops() {
    let report = walk_in_parts(history::OPS_MAX);
    check_walk(&report, &HISTORIES);
}
