//! Histories as files, for oracles in other languages (`docs/vectors/oracle/README.md`).

use std::collections::BTreeMap;

use ecac_core::{Costs, Decision, Effect, Log, OpId, Payload, Replay, snapshot};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::history::{History, OPS_MAX, histories, shuffled};
use crate::laws::Said;

/// A history as an op log, in any order, with damaged copies of ops in it and at times one missing, and what the
/// engine says of it.
#[derive(Debug, Clone)]
pub struct Export {
    /// File ending and content: the op log (`cborseq`), its project (`project`), the documents that `ecac decisions`,
    /// `dump-state-json` and `trust-dump` print (`decisions`, `state`, `trust`), and what each seal should name (`seals`).
    pub files: [(&'static str, Vec<u8>); 6],
}

/// How the items of a file differ from the ops of the history.
#[derive(Debug)]
struct Mess {
    order: Vec<u16>,
    missing: Option<Index>,
    /// Copies with a byte changed: which op, which byte, and how.
    damaged: Vec<(Index, Index, u8)>,
}

/// Random histories as files.
pub(crate) fn exports() -> impl Strategy<Value = Export> {
    let order = prop::collection::vec(any::<u16>(), OPS_MAX);
    let missing = prop::option::weighted(0.2, any::<Index>());
    let damaged = prop::collection::vec((any::<Index>(), any::<Index>(), 1..=u8::MAX), 0..6);
    let messes = (order, missing, damaged).prop_map(|(order, missing, damaged)| Mess {
        order,
        missing,
        damaged,
    });
    (histories(), messes).prop_map(|(history, mess)| Export::of(&history, &mess))
}

impl Export {
    fn of(history: &History, mess: &Mess) -> Self {
        let items = items(history, mess);
        let mut log = Log::new(history.project);
        for item in &items {
            // Damaged copies are no ops; that they leave no trace is what the files show.
            let _ = log.receive(item, &mut Costs::default());
        }
        let said = Said::of(&log, &Replay::of(&log, &mut Costs::default()));
        let decisions = said.replayed.decisions.iter();
        let lines =
            decisions.map(|(op, decision)| line(op, decision, said.replayed.effects.get(op)));
        let decisions: String = lines.collect();
        Self {
            files: [
                ("cborseq", items.concat()),
                ("project", history.project.to_string().into_bytes()),
                ("decisions", decisions.into_bytes()),
                ("state", said.replayed.state),
                ("trust", said.trust),
                ("seals", seals(&log, &said.replayed.decisions).into_bytes()),
            ],
        }
    }
}

/// A line for each admitted seal, by op id: the digest of the snapshot of its past, whatever the seal itself says.
fn seals(log: &Log, decisions: &BTreeMap<OpId, Decision>) -> String {
    let lines = decisions.iter().filter_map(|(id, decision)| {
        let op = log.get(id)?;
        let is_sealing = matches!(decision, Decision::Applied { .. } | Decision::Denied { .. })
            && matches!(op.body().payload, Payload::Seal(_));
        let past = is_sealing.then(|| snapshot(log, &op.body().parents, &mut Costs::default()))?;
        let digest = hex::encode(Sha256::digest(past?));
        Some(format!(r#"{{"op":{},"sha256":"{digest}"}}"#, json!(id)) + "\n")
    });
    lines.collect()
}

/// A line of the decisions: members in one order, and null for what there is not.
fn line(op: &OpId, decision: &Decision, effect: Option<&Effect>) -> String {
    let missing = if let Decision::Pending { missing } = decision {
        json!(missing)
    } else {
        json!(null)
    };
    let (verdict, reason) = (json!(decision.verdict()), json!(decision.reason()));
    let (op, witness) = (json!(op), json!(decision.witness()));
    let effect = effect.map_or_else(
        || "null".to_owned(),
        |effect| {
            let (code, counts) = (json!(effect.code), json!(effect.code.counts()));
            let on = json!(effect.on);
            format!(r#"{{"code":{code},"counts":{counts},"on":{on}}}"#)
        },
    );
    format!(
        r#"{{"op":{op},"verdict":{verdict},"reason":{reason},"witness":{witness},"missing":{missing},"effect":{effect}}}"#
    ) + "\n"
}

/// The items of the file.
fn items(history: &History, mess: &Mess) -> Vec<Vec<u8>> {
    let items = history.ops.iter().map(|op| op.envelope().to_vec());
    let mut items = shuffled(items.collect(), &mess.order);
    for (which, byte, change) in &mess.damaged {
        let mut item = items[which.index(items.len())].clone();
        // Of the frame only what leaves one whole item: the body's bytes and the signature's.
        let within = 10..item.len() - 66;
        let at = match byte.index(2) {
            0 => within.start + byte.index(within.len()),
            _ => item.len() - 1 - byte.index(64),
        };
        item[at] ^= change;
        items.insert(which.index(items.len() + 1), item);
    }
    if let Some(missing) = mess.missing {
        items.remove(missing.index(items.len()));
    }
    items
}
