//! An op log: a file as it is, the same with its signatures mended, or a history that bytes spell.
//!
//! - The items of a file are the file, one after the other.
//! - The laws of the engine hold, but for oracle equality, which takes too long for a fuzzer.
//! - Parents come first in the total order, and every op can be explained.
//!
//! The input is a file if it begins with the tag of an envelope.

use std::collections::BTreeMap;

use ecac_core::limits::ENVELOPE_BYTES_MAX;
use ecac_core::{
    Costs, ENVELOPE_PREFIX, Log, OpId, Payload, Replay, VerifiedOp, explain, project_of,
    split_op_log,
};
use ecac_oracle::History;
use ecac_oracle::laws::{self, Trial};

use crate::reading::Reading;
use crate::{difference, history};

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
            good.extend(log.get(&id));
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
        log.admitted_count()
            + log.refused_count()
            + log.pending_count()
            + log.holdings().unsupported_ops
    );
}

fn check_laws(ops: &[VerifiedOp]) {
    let is_genesis = |op: &&VerifiedOp| matches!(op.body().payload, Payload::Genesis(_));
    let Some(genesis) = ops.iter().find(is_genesis) else {
        return;
    };
    let history = History::of(genesis.id(), ops.to_vec());
    let log = history.log();
    check_order(&log, ops);
    let replay = Replay::of(&log, &mut Costs::default());
    for op in ops {
        let explanation = explain(&log, &replay, &op.id());
        assert!(explanation.is_some_and(|it| it.op == op.id()));
    }
    for trial in [Trial::told(history.clone()), Trial::reversed(history)] {
        if let Err(breach) = laws::consistent(&trial) {
            panic!("{breach}");
        }
    }
}

/// What is admitted follows its parents, in the order and in time, and nobody's parent is a head.
fn check_order(log: &Log, ops: &[VerifiedOp]) {
    let order: Vec<VerifiedOp> = log.total_order().collect();
    let places: BTreeMap<OpId, usize> = (0..).zip(&order).map(|(at, op)| (op.id(), at)).collect();
    let heads = log.heads();
    for op in ops {
        let Some(place) = places.get(&op.id()) else {
            continue;
        };
        for parent in &op.body().parents {
            assert!(places[parent] < *place, "parents come first");
            assert!(!heads.contains(parent));
            let parent = ops.iter().find(|op| op.id() == *parent);
            assert!(parent.is_some_and(|parent| parent.body().hlc < op.body().hlc));
        }
    }
}
