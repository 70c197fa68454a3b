//! Work does not grow with history: counted, never timed.

use ecac_core::Costs;
use ecac_perf::engine::Engine;
use ecac_perf::workload::{Late, Sealed, Shape, Turn, Workload, sealed};

/// Ops that a replica takes in at a time.
const BATCH: usize = 512;
/// A short history and a long one.
const LENGTHS: [usize; 2] = [1_000, 8_000];

/// The work of so many ops after the setup.
fn work(mut workload: Workload, count: usize) -> Costs {
    let mut engine = Engine::new(workload.project);
    engine.take(core::mem::take(&mut workload.setup));
    let before = engine.costs();
    for batch in workload.next_ops(count).chunks(BATCH) {
        assert_eq!(engine.take(batch.to_vec()).refused, 0);
    }
    engine.costs().since(&before)
}

/// What an op may ask at any length: the first ops at a place have nobody to ask about, so that counting begins at none.
const FEW_AN_OP: u64 = 8;

/// The work of one op in thousandths, at eight times the length at most half as much again, or little.
#[track_caller]
fn stays_flat(shape: Shape, what: &str, count: fn(&Costs) -> u64) {
    let [short, long] =
        LENGTHS.map(|ops| count(&work(Workload::new(shape, 5), ops)) * 1_000 / ops as u64);
    assert!(
        long <= (short * 3 / 2).max(FEW_AN_OP * 1_000),
        "{}: {what} of 1000 ops grow from {short} to {long}",
        shape.name()
    );
}

/// Questions about ancestors, and decisions.
const fn questions(costs: &Costs) -> u64 {
    costs.ancestor_queries
}

const fn decisions(costs: &Costs) -> u64 {
    costs.ops_evaluated
}

macro_rules! flat {
    ($($questions:ident, $decisions:ident: $shape:expr;)*) => {
        $(
            #[test]
            fn $questions() {
                stays_flat($shape, "questions about ancestors", questions);
            }

            #[test]
            fn $decisions() {
                stays_flat($shape, "decisions", decisions);
            }
        )*
    };
}

flat! {
    questions_of_a_chain_stay_flat, decisions_of_a_chain_stay_flat: Shape::Chain;
    questions_of_a_race_stay_flat, decisions_of_a_race_stay_flat: Shape::Race(64);
    questions_of_branches_stay_flat, decisions_of_branches_stay_flat: Shape::Branches;
    questions_of_policy_stay_flat, decisions_of_policy_stay_flat: Shape::Policy;
}

/// Whether a key is fresh does not turn on what has been written under it.
#[test]
fn a_sealed_write_asks_no_more_late_than_early() {
    const SHORT: [usize; 2] = [400, 3_200];
    for count in [questions, decisions] {
        let [short, long] = SHORT.map(|ops| {
            let work = work(sealed(5, 8), ops);
            count(&work) * 1_000 / ops as u64
        });
        let most = (short * 3 / 2).max(FEW_AN_OP * 1_000);
        assert!(long <= most, "1000 sealed writes: from {short} to {long}");
    }
}

/// Of holders whom no denial touches nobody is asked.
#[test]
fn a_sealed_write_asks_no_more_for_many_holders_than_for_one() {
    for count in [questions, decisions] {
        let [few, many] = [1, 64].map(|holders| count(&work(sealed(5, holders), 200)));
        assert_eq!(few, many);
    }
}

/// Of whom no denial touches an op asks the same whether or not anything is sealed.
#[test]
fn an_op_asks_no_more_where_the_root_seals() {
    const OPS: usize = 2_000;
    const EVERY: usize = 100;
    for count in [questions, decisions] {
        let [without, with] =
            [0, EVERY].map(|every| count(&work(Sealed::workload(5, 8, every), OPS)));
        let seals = (OPS / EVERY) as u64;
        assert!(
            with <= without + seals * FEW_AN_OP,
            "{seals} seals among {OPS} ops: from {without} to {with}"
        );
    }
}

/// Decisions that a late revocation makes are at most 1.2 times those that turn, and a few: the revocation's own, and what
/// its author wrote.
#[track_caller]
fn late_is_local(writers: usize) {
    const FEW: u64 = 16;
    let mut history = Late::new(5, writers, 400);
    let mut engine = Engine::new(history.project());
    engine.take(history.take_setup());
    for batch in history.next_ops(4_000).chunks(BATCH) {
        assert_eq!(engine.take(batch.to_vec()).refused, 0);
    }
    let before = engine.costs();
    let changed = engine.take(vec![history.turn(4_000)]).changed as u64;
    let evaluated = engine.costs().since(&before).ops_evaluated;
    assert!(changed > 0, "the revocation turns something");
    assert!(
        evaluated <= changed * 6 / 5 + FEW,
        "{evaluated} decisions for {changed} that turn"
    );
}

#[test]
fn a_late_revocation_of_a_sole_editor_judges_what_it_turns() {
    late_is_local(1);
}

#[test]
fn a_late_revocation_among_racing_editors_judges_what_it_turns() {
    late_is_local(64);
}

/// A revocation that arrives after the seals of what it would turn turns nothing of it; how many decisions it makes.
#[track_caller]
fn late_spares_what_is_sealed(writers: usize) -> u64 {
    let mut history = Late::sealed(5, writers, 400);
    let mut engine = Engine::new(history.project());
    engine.take(history.take_setup());
    for batch in history.next_ops(4_000).chunks(BATCH) {
        assert_eq!(engine.take(batch.to_vec()).refused, 0);
    }
    let seals = history.seal_all();
    let late = history.turn(4_000);
    let mut unsealed = Engine::new(history.project());
    unsealed.take(Late::sealed(5, writers, 400).take_setup());
    unsealed.take(Late::sealed(5, writers, 400).next_ops(4_000));
    assert!(unsealed.take(vec![late.clone()]).changed > 0);
    assert_eq!(engine.take(seals).refused, 0);
    let before = engine.costs();
    let changed = engine.take(vec![late]).changed;
    let evaluated = engine.costs().since(&before).ops_evaluated;
    assert_eq!(changed, 0);
    evaluated
}

#[test]
fn a_late_revocation_turns_nothing_sealed() {
    late_spares_what_is_sealed(64);
}

#[test]
fn a_late_revocation_judges_nothing_sealed() {
    const FEW: u64 = 16;
    for writers in [1, 64] {
        let evaluated = late_spares_what_is_sealed(writers);
        assert!(
            evaluated <= FEW,
            "{writers}: {evaluated} decisions on sealed work"
        );
    }
}

/// A bit of a status list judges the work under one grant, whatever else names the list.
#[test]
fn a_status_bit_judges_what_it_turns() {
    const FEW: u64 = 16;
    let mut history = ecac_perf::workload::StatusGrants::new(5, 200);
    let mut engine = Engine::new(history.project());
    engine.take(history.take_setup());
    engine.take(history.next_ops(1_000));
    let before = engine.costs();
    let changed = engine.take(vec![history.turn(1_000)]).changed as u64;
    let evaluated = engine.costs().since(&before).ops_evaluated;
    assert!(
        changed == 5 && evaluated <= changed * 6 / 5 + FEW,
        "{evaluated} decisions for {changed} that turn"
    );
}
