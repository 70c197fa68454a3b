//! Replicated state: multi-value registers and observed-remove sets over the applied ops (ENGINE section 4).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::costs::Costs;
use crate::dag::{Dag, Index};
use crate::json;
use crate::log::Log;
use crate::op::{Payload, Value};

/// What one data op touches: object, field, and the element of a set.
type Place = (String, String, Option<String>);

/// The values of all registers and sets.
///
/// Applied ops are folded in one by one; when ops are rolled back, exactly the places that they touched are
/// folded again from what is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    places: BTreeMap<Place, Cell>,
}

/// An object in the export.
#[derive(Default, Serialize)]
struct Object<'a> {
    fields: Map<String, Json>,
    sets: BTreeMap<&'a str, Map<String, Json>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Cell {
    /// Every applied op that touched the place, in order of admission.
    ops: Vec<Index>,
    content: Content,
}

/// Live writes by chain, each chain's in ascending order of position.
///
/// An op supersedes a prefix of each chain, because its past holds a prefix of each chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Content {
    live: BTreeMap<u32, Vec<(u32, Index)>>,
}

impl Content {
    /// Drops the writes in the past of the op, which overwrites or removes what it has seen.
    fn supersede(&mut self, dag: &Dag, op: Index, costs: &mut Costs) {
        self.live.retain(|&chain, writes| {
            costs.ancestor_queries += 1;
            let seen = dag.past(op).count(chain);
            writes.drain(..writes.partition_point(|&(position, _)| position < seen));
            !writes.is_empty()
        });
    }

    fn insert(&mut self, dag: &Dag, op: Index) {
        let (chain, position) = dag.place(op);
        self.live.entry(chain).or_default().push((position, op));
    }

    fn fold(&mut self, dag: &Dag, op: Index, costs: &mut Costs) {
        match dag.op(op).body().payload {
            Payload::SetRemove { .. } => self.supersede(dag, op, costs),
            Payload::SetAdd { .. } => self.insert(dag, op),
            _ => {
                self.supersede(dag, op, costs);
                self.insert(dag, op);
            }
        }
    }

    fn ops(&self) -> impl Iterator<Item = Index> {
        self.live.values().flatten().map(|&(_, op)| op)
    }
}

fn place(payload: &Payload) -> Option<Place> {
    let (object, field) = payload.target()?;
    let element = match payload {
        Payload::SetAdd { element, .. } | Payload::SetRemove { element, .. } => {
            Some(element.to_string())
        }
        _ => None,
    };
    Some((object.to_string(), field.to_string(), element))
}

fn value(dag: &Dag, op: Index) -> &Value {
    match &dag.op(op).body().payload {
        Payload::SetField { value, .. } | Payload::SetAdd { value, .. } => value,
        _ => &Value::Null,
    }
}

impl State {
    /// Folds in an op that is applied; ops come in order of admission.
    pub(crate) fn apply(&mut self, dag: &Dag, op: Index, costs: &mut Costs) {
        let Some(place) = place(&dag.op(op).body().payload) else {
            return;
        };
        let cell = self.places.entry(place).or_default();
        cell.ops.push(op);
        cell.content.fold(dag, op, costs);
    }

    /// Takes out ops that are rolled back, re-exposing what they had dominated.
    pub(crate) fn roll_back(&mut self, dag: &Dag, ops: &BTreeSet<Index>, costs: &mut Costs) {
        let touched: BTreeSet<Place> = ops
            .iter()
            .filter_map(|&op| place(&dag.op(op).body().payload))
            .collect();
        for place in touched {
            let Some(cell) = self.places.get_mut(&place) else {
                continue;
            };
            cell.ops.retain(|op| !ops.contains(op));
            cell.content = Content::default();
            for &op in &cell.ops {
                cell.content.fold(dag, op, costs);
            }
            if cell.ops.is_empty() {
                self.places.remove(&place);
            }
        }
    }

    /// How many registers and elements have more than one concurrent winner.
    #[must_use]
    pub fn conflicts(&self, log: &Log, costs: &mut Costs) -> usize {
        let conflicting = |cell: &&Cell| {
            let live: Vec<Index> = cell.content.ops().collect();
            undominated(&log.dag, &live, costs).len() > 1
        };
        self.places.values().filter(conflicting).count()
    }

    /// The state as RFC 8785 canonical JSON; its SHA-256 is the state digest.
    ///
    /// `objects.<object>.fields.<field>` has the concurrent winners by op id and, as `value`, the winner with
    /// the least BLAKE3 of its value; `objects.<object>.sets.<field>.<element>` has the same for an element
    /// that is present, with the tags of the adds that keep it there.
    #[must_use]
    pub fn export(&self, log: &Log, costs: &mut Costs) -> Vec<u8> {
        let dag = &log.dag;
        let mut objects: BTreeMap<&str, Object<'_>> = BTreeMap::new();
        for ((object, field, element), cell) in &self.places {
            let live: Vec<Index> = cell.content.ops().collect();
            if live.is_empty() {
                continue;
            }
            let exported = objects.entry(object).or_default();
            let winners = undominated(dag, &live, costs);
            let mut entry = Map::new();
            entry.insert("value".into(), projection(dag, &winners).to_json());
            entry.insert(
                "winners".into(),
                winners.iter().map(|&op| winner(dag, op)).collect(),
            );
            match element {
                None => exported.fields.insert(field.clone(), entry.into()),
                Some(element) => {
                    let tags: BTreeSet<_> = live.iter().map(|&op| dag.id(op)).collect();
                    entry.insert("tags".into(), json!(tags));
                    exported
                        .sets
                        .entry(field)
                        .or_default()
                        .insert(element.clone(), entry.into())
                }
            };
        }
        json::canonical(&json!({
            "format": "ecac-state-v1",
            "project": log.project(),
            "objects": objects,
        }))
    }
}

/// The writes that no other of them has seen, by op id.
///
/// Per chain only the last can be one; the others lie in its past.
fn undominated(dag: &Dag, live: &[Index], costs: &mut Costs) -> Vec<Index> {
    let mut last: BTreeMap<u32, (u32, Index)> = BTreeMap::new();
    for &op in live {
        let (chain, position) = dag.place(op);
        let entry = last.entry(chain).or_insert((position, op));
        *entry = (*entry).max((position, op));
    }
    let candidates: Vec<Index> = last.values().map(|&(_, op)| op).collect();
    let dominated =
        |op: Index, costs: &mut Costs| candidates.iter().any(|&other| dag.before(op, other, costs));
    let mut winners: Vec<Index> = candidates
        .iter()
        .copied()
        .filter(|&op| !dominated(op, costs))
        .collect();
    winners.sort_by_key(|&op| dag.id(op));
    winners
}

/// The displayed value among concurrent winners: the one with the least BLAKE3 of its canonical CBOR.
fn projection<'a>(dag: &'a Dag, winners: &[Index]) -> &'a Value {
    let values = winners.iter().map(|&op| value(dag, op));
    values
        .min_by_key(|value| *blake3::hash(&value.encode()).as_bytes())
        .unwrap_or(&Value::Null)
}

fn winner(dag: &Dag, op: Index) -> Json {
    json!({
        "op": dag.id(op),
        "author": dag.op(op).body().author,
        "value": value(dag, op).to_json(),
    })
}
