//! Replicated state: multi-value registers and observed-remove sets over the applied ops (`docs/protocol.md`, Files and
//! exports).

use core::ops::Bound;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::costs::Costs;
use crate::dag::{Dag, Index};
use crate::json;
use crate::log::Log;
use crate::payload::Payload;
use crate::value::Value;

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
    /// Drops the writes in the past of the op, which overwrites or removes what it has seen. Looks at the chains of the
    /// past or at those with live writes, whichever are fewer.
    fn supersede(&mut self, dag: &Dag, op: Index, costs: &mut Costs) {
        let past = dag.past(op);
        let drop_seen = |writes: &mut Vec<(u32, Index)>, seen| {
            writes.drain(..writes.partition_point(|&(position, _)| position < seen));
            !writes.is_empty()
        };
        if past.chains() < self.live.len() {
            for (chain, seen) in past.iter() {
                costs.ancestor_queries += 1;
                if let Entry::Occupied(mut writes) = self.live.entry(chain)
                    && !drop_seen(writes.get_mut(), seen)
                {
                    writes.remove();
                }
            }
        } else {
            self.live.retain(|&chain, writes| {
                costs.ancestor_queries += 1;
                drop_seen(writes, past.count(chain))
            });
        }
    }

    fn insert(&mut self, dag: &Dag, op: Index) {
        let (chain, position) = dag.position(op);
        self.live.entry(chain).or_default().push((position, op));
    }

    fn fold(&mut self, log: &Log, op: Index, costs: &mut Costs) {
        match log.op(op).body().payload {
            Payload::SetRemove(_) => self.supersede(&log.dag, op, costs),
            Payload::SetAdd(_) => self.insert(&log.dag, op),
            Payload::SetField(_) => {
                self.supersede(&log.dag, op, costs);
                self.insert(&log.dag, op);
            }
            Payload::Genesis(_)
            | Payload::Credential(_)
            | Payload::Grant(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::Cosign(_)
            | Payload::Endorse(_)
            | Payload::Device(_)
            | Payload::DeviceRevoke(_)
            | Payload::Unassigned(_) => unreachable!("only data ops touch a place"),
        }
    }

    fn ops(&self) -> impl Iterator<Item = Index> {
        self.live.values().flatten().map(|&(_, op)| op)
    }
}

fn place(payload: &Payload) -> Option<Place> {
    let (object, field) = payload.target()?;
    let element = payload.element().map(ToString::to_string);
    Some((object.to_string(), field.to_string(), element))
}

fn value(log: &Log, op: Index) -> &Value {
    let payload = &log.op(op).body().payload;
    payload.value().unwrap_or(&Value::Null)
}

impl State {
    /// Folds in an op that is applied; ops come in order of admission.
    pub(crate) fn apply(&mut self, log: &Log, op: Index, costs: &mut Costs) {
        let Some(place) = place(&log.op(op).body().payload) else {
            return;
        };
        let cell = self.places.entry(place).or_default();
        cell.ops.push(op);
        cell.content.fold(log, op, costs);
    }

    /// Takes out ops that are rolled back, re-exposing what they had dominated.
    pub(crate) fn roll_back(&mut self, log: &Log, ops: &BTreeSet<Index>, costs: &mut Costs) {
        let touched: BTreeSet<Place> = ops
            .iter()
            .filter_map(|&op| place(&log.op(op).body().payload))
            .collect();
        for place in touched {
            let Some(cell) = self.places.get_mut(&place) else {
                continue;
            };
            cell.ops.retain(|op| !ops.contains(op));
            cell.content = Content::default();
            for &op in &cell.ops {
                cell.content.fold(log, op, costs);
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
            entry.insert("value".into(), projection(log, &winners).to_json());
            entry.insert(
                "winners".into(),
                winners.iter().map(|&op| winner(log, op)).collect(),
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
        let mut document = json!({
            "format": "ecac-state-v1",
            "project": log.project(),
            "objects": objects,
        });
        json::tell_behind(&mut document, log.behind().as_ref());
        json::canonical(&document)
    }

    /// The live writes of the register, or adds of the element, in no order.
    pub(crate) fn live_at(&self, object: &str, field: &str, element: Option<&str>) -> Vec<Index> {
        let place = (object.into(), field.into(), element.map(Into::into));
        let cell = self.places.get(&place);
        cell.into_iter()
            .flat_map(|cell| cell.content.ops())
            .collect()
    }

    /// The elements of the set that are present, in their order, each with its live adds.
    pub(crate) fn elements(
        &self,
        object: &str,
        field: &str,
    ) -> impl Iterator<Item = (&str, Vec<Index>)> {
        let first = (object.to_owned(), field.to_owned(), None);
        let here = first.clone();
        let cells = self
            .places
            .range((Bound::Excluded(first), Bound::Unbounded));
        cells
            .take_while(move |((object, field, _), _)| *object == here.0 && *field == here.1)
            .filter_map(|((_, _, element), cell)| {
                let live: Vec<Index> = cell.content.ops().collect();
                (!live.is_empty()).then_some((element.as_deref()?, live))
            })
    }

    /// The objects whose names begin so and that have a register or an element, in their order. The cost is that of one
    /// look-up an object, and of the places of those that have had something and have nothing left.
    pub(crate) fn objects<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let mut next = Some(prefix.to_owned());
        core::iter::from_fn(move || {
            let first = (next.take()?, String::new(), None);
            let cells = self.places.range(first..);
            let mut cells = cells.take_while(|((object, ..), _)| object.starts_with(prefix));
            let has_content = |(_, cell): &(&Place, &Cell)| cell.content.ops().next().is_some();
            let ((object, ..), _) = cells.find(has_content)?;
            // The least text after the object's: no name has a control character.
            next = Some(format!("{object}\0"));
            Some(object.as_str())
        })
    }

    /// The live writes or adds at the place that the payload touches, without those that others of them had seen.
    pub(crate) fn live_ends(&self, log: &Log, payload: &Payload) -> Vec<Index> {
        let cell = place(payload).and_then(|place| self.places.get(&place));
        let live: Vec<Index> = cell
            .into_iter()
            .flat_map(|cell| cell.content.ops())
            .collect();
        log.dag.ends(&live)
    }
}

/// The writes that no other of them has seen, by op id.
///
/// Per chain only the last can be one; the others lie in its past.
fn undominated(dag: &Dag, live: &[Index], costs: &mut Costs) -> Vec<Index> {
    let mut last: BTreeMap<u32, (u32, Index)> = BTreeMap::new();
    for &op in live {
        let (chain, position) = dag.position(op);
        let entry = last.entry(chain).or_insert((position, op));
        *entry = (*entry).max((position, op));
    }
    let candidates: Vec<Index> = last.values().map(|&(_, op)| op).collect();
    costs.ancestor_queries += candidates.len() as u64;
    let mut winners = dag.ends(&candidates);
    winners.sort_by_key(|&op| dag.id(op));
    winners
}

/// The displayed value among concurrent winners: the one with the least BLAKE3 of its canonical CBOR.
pub(crate) fn projection<'a>(log: &'a Log, winners: &[Index]) -> &'a Value {
    let values = winners.iter().map(|&op| value(log, op));
    values
        .min_by_key(|value| *blake3::hash(&value.encode()).as_bytes())
        .unwrap_or(&Value::Null)
}

fn winner(log: &Log, op: Index) -> Json {
    json!({
        "op": log.dag.id(op),
        "author": log.dag.node(op).author,
        "value": value(log, op).to_json(),
    })
}
