//! Edits: the ops of one author on 10,000 objects, taken in by a replica that has nothing of them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use automerge::transaction::Transactable as _;
use automerge::{AutoCommit, Automerge, Change, ObjId, ObjType, ROOT, ReadDoc as _};
use ecac_core::{Payload, VerifiedOp};
use ecac_perf::engine::Engine;
use ecac_perf::workload::{Shape, Workload};

use crate::{Pair, came_to, cost};

/// Ops that the engine takes in together.
const TOGETHER: usize = 512;

pub(crate) fn measure(seed: u64, count: usize) -> Result<Pair> {
    let mut workload = Workload::new(Shape::Chain, seed);
    let setup = core::mem::take(&mut workload.setup);
    let ops = workload.next_ops(count);
    let begun = || {
        let mut engine = Engine::new(workload.project);
        engine.take(setup.clone());
        let batches: Vec<Vec<VerifiedOp>> = ops.chunks(TOGETHER).map(<[_]>::to_vec).collect();
        (engine, batches)
    };
    let take = |(mut engine, batches): (Engine, Vec<_>)| {
        for batch in batches {
            engine.take(batch);
        }
        Ok(engine)
    };
    let (engine_ns, applied) = cost(begun, take, Engine::applied)?;
    came_to("ops applied", applied, setup.len() + count)?;
    let (changes, objects) = changes(&ops)?;
    let merge = |changes: Vec<Change>| {
        let mut doc = Automerge::new();
        doc.apply_changes(changes)?;
        Ok(doc)
    };
    let (peer_ns, merged) = cost(|| changes.clone(), merge, |doc| doc.length(ROOT))?;
    came_to("objects merged", merged, objects)?;
    Ok(Pair {
        work: "edits",
        count,
        peer: "automerge",
        engine_ns,
        peer_ns,
    })
}

/// The same edits as changes of automerge, one each, and how many objects they touch.
fn changes(ops: &[VerifiedOp]) -> Result<(Vec<Change>, usize)> {
    let mut doc = AutoCommit::new();
    let mut maps: BTreeMap<String, ObjId> = BTreeMap::new();
    for op in ops {
        let (object, field) = op.body().payload.target().context("an edit has a target")?;
        let object = object.as_str();
        if !maps.contains_key(object) {
            let map = doc.put_object(ROOT, object, ObjType::Map)?;
            maps.insert(object.to_owned(), map);
        }
        let map = &maps[object];
        match &op.body().payload {
            Payload::SetField(it) => {
                doc.put(map, field.as_str(), it.value.to_json().to_string())?
            }
            Payload::SetAdd(it) => {
                let key = format!("{} {}", field.as_str(), it.element.as_str());
                doc.put(map, key, it.value.to_json().to_string())?;
            }
            Payload::SetRemove(it) => {
                let key = format!("{} {}", field.as_str(), it.element.as_str());
                // Who removes what is not there says so with a change as well.
                doc.put(map, key, ())?;
            }
            _ => anyhow::bail!("an op of the workload is no edit"),
        }
        doc.commit();
    }
    Ok((doc.get_changes(&[]), maps.len()))
}
