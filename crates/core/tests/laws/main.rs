//! The laws of the engine: what ENGINE section 3 promises, checked on random adversarial histories against an
//! oracle that is written straight from the definitions, and on small histories written by hand.
//!
//! A failing history is shrunk, printed, and its seed is kept in `tests/laws/regressions.txt`, which is run
//! first from then on. `PROPTEST_CASES` sets the number of histories per law.

mod cases;
mod dump;
mod history;
mod oracle;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{
    Costs, Decision, Denial, Log, OpId, Outcome, Refusal, Replay, VerifiedOp, export_trust,
};
use history::{History, OPS_MAX, histories};
use oracle::Oracle;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{FileFailurePersistence, TestRunner};

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/laws/regressions.txt",
        ))),
        ..ProptestConfig::default()
    }
}

/// All that a replica says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    decisions: BTreeMap<OpId, Decision>,
    state: String,
    trust: String,
}

fn said(log: &Log, replay: &Replay) -> Said {
    let costs = &mut Costs::default();
    let text = |json| String::from_utf8(json).expect("JSON is text");
    Said {
        decisions: replay.decisions(log),
        state: text(replay.state().export(log, costs)),
        trust: text(export_trust(log, costs)),
    }
}

fn log_of<'a>(project: OpId, ops: impl IntoIterator<Item = &'a VerifiedOp>) -> Log {
    let mut log = Log::new(project);
    for op in ops {
        log.ingest(op.clone(), &mut Costs::default());
    }
    log
}

/// What a replica says that takes in the ops in this order and then replays them at once.
fn full<'a>(project: OpId, ops: impl IntoIterator<Item = &'a VerifiedOp>) -> Said {
    let log = log_of(project, ops);
    said(&log, &Replay::of(&log, &mut Costs::default()))
}

/// The ops in an order that the keys give; where keys are equal, as they were made.
fn shuffled<'a>(history: &'a History, keys: &[u16]) -> Vec<&'a VerifiedOp> {
    let mut ops: Vec<(u16, &VerifiedOp)> = history
        .ops
        .iter()
        .enumerate()
        .map(|(at, op)| (keys[at % keys.len()], op))
        .collect();
    ops.sort_by_key(|(key, _)| *key);
    ops.into_iter().map(|(_, op)| op).collect()
}

/// An arrival order: any permutation, some of them close to the order in which ops were made.
fn orders() -> impl Strategy<Value = Vec<u16>> {
    prop_oneof![
        prop::collection::vec(any::<u16>(), OPS_MAX),
        prop::collection::vec(0..2_u16, OPS_MAX)
    ]
}

/// How far a verdict has come; it never goes back.
fn rank(decision: &Decision) -> u8 {
    match decision {
        Decision::Pending { .. } => 0,
        Decision::Applied { .. } => 1,
        Decision::Denied { .. } => 2,
        Decision::Refused { .. } => 3,
    }
}

proptest! {
    #![proptest_config(config())]

    /// The engine says what the definitions say, also of a set of ops from which some are missing.
    #[test]
    fn the_oracle_agrees(history in histories(), missing in prop::option::weighted(0.2, any::<Index>())) {
        let missing = missing.map(|index| index.index(history.ops.len()));
        let held: Vec<&VerifiedOp> =
            history.ops.iter().enumerate().filter(|(at, _)| Some(*at) != missing).map(|(_, op)| op).collect();
        let engine = full(history.project, held.iter().copied());
        let oracle = Oracle::of(history.project, held.iter().map(|op| (op.id(), op.body())));
        for (op, decision) in oracle.decisions() {
            prop_assert_eq!(engine.decisions.get(&op), Some(&decision), "oracle on the right, {}", op);
        }
        prop_assert_eq!(engine.decisions.len(), held.len());
        prop_assert_eq!(engine.state.parse::<serde_json::Value>().expect("JSON"), oracle.state());
        prop_assert_eq!(engine.trust.parse::<serde_json::Value>().expect("JSON"), oracle.trust());
    }

    /// Decisions, state and trust are functions of the set of ops: no arrival order moves a byte.
    #[test]
    fn order_free(history in histories(), keys in orders()) {
        let ordered = full(history.project, &history.ops);
        prop_assert_eq!(&ordered, &full(history.project, shuffled(&history, &keys)));
        prop_assert_eq!(&ordered, &full(history.project, history.ops.iter().rev()));
    }

    /// Whatever arrives in whatever order: a verdict changes at most once from applied to denied, a refusal
    /// never, and what an advance reports is what changed.
    #[test]
    fn monotone_and_refusals_are_final(history in histories(), keys in orders()) {
        let costs = &mut Costs::default();
        let mut log = Log::new(history.project);
        let mut replay = Replay::new();
        let mut before: BTreeMap<OpId, Decision> = BTreeMap::new();
        let mut refusals: BTreeMap<OpId, Decision> = BTreeMap::new();
        for op in shuffled(&history, &keys) {
            log.ingest(op.clone(), costs);
            let changes = replay.advance(&log, costs);
            let after = replay.decisions(&log);
            let mut changed = BTreeSet::new();
            for (op, decision) in &after {
                let earlier = before.get(op);
                let earlier_rank = earlier.map_or(0, rank);
                prop_assert!(earlier_rank <= rank(decision), "{op}: {earlier:?}, then {decision:?}");
                let admitted = matches!(decision, Decision::Applied { .. } | Decision::Denied { .. });
                if admitted && earlier_rank != rank(decision) {
                    changed.insert((*op, earlier_rank == 1));
                }
                match (refusals.get(op), decision) {
                    (Some(earlier), decision) => prop_assert_eq!(earlier, decision, "{}", op),
                    (None, Decision::Refused { .. }) => {
                        prop_assert_eq!(earlier_rank, 0, "{} was {:?}", op, earlier);
                        refusals.insert(*op, decision.clone());
                    }
                    _ => {}
                }
            }
            let reported: BTreeSet<(OpId, bool)> =
                changes.iter().map(|change| (change.op, change.was_applied)).collect();
            prop_assert_eq!(reported.len(), changes.len(), "an op is reported once");
            prop_assert_eq!(reported, changed);
            for change in &changes {
                prop_assert_eq!(&after[&change.op], &change.decision);
            }
            before = after;
        }
        prop_assert_eq!(before, full(history.project, &history.ops).decisions);
    }

    /// An advance after any part of any arrival order comes to what a replay of the whole log comes to.
    #[test]
    fn incremental_equals_full(
        history in histories(),
        keys in orders(),
        cuts in prop::collection::vec(prop::bool::weighted(0.3), OPS_MAX),
    ) {
        let costs = &mut Costs::default();
        let mut log = Log::new(history.project);
        let mut replay = Replay::new();
        for (op, cut) in shuffled(&history, &keys).into_iter().zip(cuts) {
            log.ingest(op.clone(), costs);
            if cut {
                replay.advance(&log, costs);
                prop_assert_eq!(said(&log, &replay), said(&log, &Replay::of(&log, costs)));
            }
        }
        replay.advance(&log, costs);
        prop_assert_eq!(said(&log, &replay), said(&log, &Replay::of(&log, costs)));
    }

    /// An op that comes again changes nothing; neither do bytes that only look like one.
    #[test]
    fn duplicates_are_harmless(history in histories(), keys in orders(), again in any::<Index>()) {
        let costs = &mut Costs::default();
        let mut log = Log::new(history.project);
        let mut replay = Replay::new();
        let order = shuffled(&history, &keys);
        let forge = again.index(order.len());
        for (at, op) in order.iter().enumerate() {
            if at == forge {
                let mut forged = op.envelope().to_vec();
                *forged.last_mut().expect("an envelope ends with a signature") ^= 1;
                let rejected = log.receive(&forged, costs).expect_err("the signature is another's");
                prop_assert_eq!((rejected.reason, rejected.claimed), (Refusal::BadSignature, Some(op.id())));
                forged.push(0);
                let rejected = log.receive(&forged, costs).expect_err("there is a byte too many");
                prop_assert_eq!((rejected.reason, rejected.claimed), (Refusal::NonCanonical, None));
                prop_assert!(!log.holds(&op.id()));
            }
            log.ingest((*op).clone(), costs);
            replay.advance(&log, costs);
            let earlier = order[again.index(at + 1)];
            let arrivals = log.ingest(earlier.clone(), costs);
            prop_assert_eq!(arrivals.len(), 1);
            prop_assert_eq!(arrivals[0].outcome, Outcome::Duplicate);
            prop_assert_eq!(replay.advance(&log, costs), Vec::new());
        }
        prop_assert_eq!(said(&log, &replay), full(history.project, &history.ops));
    }
}

/// The generator is worth something only if it gets everywhere: every reason occurs, and most often something
/// is applied.
#[test]
fn random_histories_meet_every_reason() {
    let mut runner = TestRunner::deterministic();
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..300 {
        let history = histories()
            .new_tree(&mut runner)
            .expect("no history is rejected")
            .current();
        for decision in Oracle::of(history.project, history.bodies())
            .decisions()
            .values()
        {
            let reason = decision.reason().unwrap_or_default();
            *met.entry(format!("{} {reason}", decision.verdict()))
                .or_default() += 1;
        }
    }
    let refusals = Refusal::ALL
        .iter()
        .map(|reason| format!("refused {reason}"))
        .skip(2);
    let denials = Denial::ALL.iter().map(|reason| format!("denied {reason}"));
    let never: Vec<String> = refusals
        .chain(denials)
        .filter(|it| !met.contains_key(it))
        .collect();
    assert!(never.is_empty(), "never met: {never:?} in {met:#?}");
    assert!(met["applied "] > 300, "{met:#?}");
}
