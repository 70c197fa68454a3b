//! An op log: a file as it is, the same with its signatures mended, or a history that bytes spell.
//!
//! - The items of a file are the file, one after the other.
//! - However the ops arrive, once or twice, in whatever order, the decisions, the state and the trust view are
//!   those of one replay of the whole.
//! - A decision changes at most once, from applied to denied, and every op can be explained.
//!
//! The input is a file if it begins with the tag of an envelope.

use std::collections::BTreeMap;

use ecac_core::limits::ENVELOPE_BYTES_MAX;
use ecac_core::{
    Costs, Decision, ENVELOPE_PREFIX, Log, OpId, Outcome, Payload, ProjectId, Replay, VerifiedOp,
    explain, export_trust, project_of, split_op_log,
};

use crate::{Reading, difference, history};

/// Most ops that are replayed.
const OPS_MAX: usize = 64;

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    if data.first() != Some(&ENVELOPE_PREFIX[0]) {
        let ops = history::of(data);
        check_laws(&ops);
        let file: Vec<u8> = ops.iter().flat_map(VerifiedOp::envelope).copied().collect();
        let items = split_op_log(&file).expect("envelopes make an op log");
        let envelopes: Vec<_> = ops.iter().map(VerifiedOp::envelope).collect();
        assert_eq!(items, envelopes);
        return Reading::Accepted;
    }
    difference::check("a.cborseq", data, &data[..data.len() / 2]);
    let items = match split_op_log(data) {
        Ok(items) => items,
        Err(error) => {
            let _ = error.to_string();
            return Reading::Refused;
        }
    };
    assert_eq!(items.concat(), data);
    for item in &items {
        assert!(item.len() <= ENVELOPE_BYTES_MAX);
    }
    let mut backwards = items.clone();
    backwards.reverse();
    assert_eq!(project_of(&items), project_of(&backwards));
    let items = &items[..items.len().min(OPS_MAX)];
    receive(items);
    let ops = history::mend(items);
    check_laws(&ops);
    Reading::of(!ops.is_empty())
}

/// Receives the envelopes as they came.
fn receive(items: &[&[u8]]) {
    let mut costs = Costs::default();
    let project = project_of(items).unwrap_or(OpId::from_bytes([0; 32]));
    let mut log = Log::new(project);
    let mut good = Vec::new();
    for item in items {
        if let Ok(arrivals) = log.receive(item, &mut costs) {
            let id = arrivals.first().expect("an op arrived").op;
            good.extend(log.get(&id).cloned());
        }
    }
    for op in &good {
        assert!(
            items.contains(&op.envelope()),
            "bytes are kept as they came"
        );
    }
    let replay = Replay::of(&log, &mut costs);
    assert_eq!(
        replay.decisions(&log).len(),
        log.admitted_count() + log.refused_count() + log.pending_count()
    );
}

/// Everything that follows from a set of ops.
#[derive(Debug, PartialEq, Eq)]
struct Outcomes {
    decisions: BTreeMap<OpId, Decision>,
    state: Vec<u8>,
    trust: Vec<u8>,
    total_order: Vec<OpId>,
    heads: Vec<OpId>,
}

fn outcomes(log: &Log, replay: &Replay) -> Outcomes {
    let mut costs = Costs::default();
    Outcomes {
        decisions: replay.decisions(log),
        state: replay.state().export(log, &mut costs),
        trust: if log.admitted_count() > 0 {
            export_trust(log, &mut costs)
        } else {
            Vec::new()
        },
        total_order: log.total_order().iter().map(|op| op.id()).collect(),
        heads: log.heads(),
    }
}

fn check_laws(ops: &[VerifiedOp]) {
    let is_genesis = |op: &&VerifiedOp| matches!(op.body().payload, Payload::Genesis(_));
    let Some(genesis) = ops.iter().find(is_genesis) else {
        return;
    };
    let project = genesis.id();
    let full = replay_whole(project, ops);
    check_order(&full, ops);
    assert_eq!(full, replay_stepwise(project, ops), "incremental is full");
    let mut reversed = ops.to_vec();
    reversed.reverse();
    assert_eq!(full, replay_stepwise(project, &reversed), "the last first");
    let mut sorted = ops.to_vec();
    sorted.sort_by_key(VerifiedOp::id);
    sorted.extend_from_slice(&sorted.clone()[..ops.len() / 2]);
    assert_eq!(full, replay_whole(project, &sorted), "sorted, some twice");
}

/// What is admitted follows its parents, in the order and in time, and nobody's parent is a head.
fn check_order(full: &Outcomes, ops: &[VerifiedOp]) {
    let places: BTreeMap<OpId, usize> = (0..)
        .zip(&full.total_order)
        .map(|(at, id)| (*id, at))
        .collect();
    for op in ops {
        let Some(place) = places.get(&op.id()) else {
            continue;
        };
        for parent in &op.body().parents {
            assert!(places[parent] < *place, "parents come first");
            assert!(!full.heads.contains(parent));
            let parent = ops.iter().find(|op| op.id() == *parent);
            assert!(parent.is_some_and(|parent| parent.body().hlc < op.body().hlc));
        }
    }
}

fn replay_whole(project: ProjectId, ops: &[VerifiedOp]) -> Outcomes {
    let mut costs = Costs::default();
    let mut log = Log::new(project);
    for op in ops {
        let held = log.holds(&op.id());
        let arrivals = log.ingest(op.clone(), &mut costs);
        assert_eq!(held, arrivals[0].outcome == Outcome::Duplicate);
        assert!(log.holds(&op.id()));
    }
    let replay = Replay::of(&log, &mut costs);
    for op in ops {
        let explanation = explain(&log, &replay, &op.id());
        assert!(explanation.is_some_and(|it| it.op == op.id()));
    }
    outcomes(&log, &replay)
}

fn replay_stepwise(project: ProjectId, ops: &[VerifiedOp]) -> Outcomes {
    let mut costs = Costs::default();
    let mut log = Log::new(project);
    let mut replay = Replay::new();
    let mut last: BTreeMap<OpId, Decision> = BTreeMap::new();
    for op in ops {
        log.ingest(op.clone(), &mut costs);
        for change in replay.advance(&log, &mut costs) {
            let before = last.insert(change.op, change.decision.clone());
            let was_applied = matches!(before, Some(Decision::Applied { .. }));
            assert_eq!(change.was_applied, was_applied);
            match before {
                None => {}
                Some(Decision::Applied { .. }) => {
                    assert!(matches!(change.decision, Decision::Denied { .. }));
                }
                Some(before) => panic!("{before:?} changes to {:?}", change.decision),
            }
        }
    }
    outcomes(&log, &replay)
}
