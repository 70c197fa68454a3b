//! Replicated state: multi-value registers and observed-remove sets over the applied ops (`docs/protocol.md`, Files and
//! exports).

use std::collections::BTreeMap;

use minicbor::Decoder;
use minicbor::decode::Error;

use crate::columns::{self, Form};
use crate::dag::{Index, narrow};
use crate::log::Log;
use crate::place::Touch;
use crate::place_id::PlaceId;
use crate::tight;
use crate::value::Value;
use crate::wire::{Out, Written};

/// The values of all registers and sets.
///
/// Per op it is counted how many of the ops that had seen it, directly at its place, are applied or have been seen by one
/// that is. When an op is applied or taken back only these counts change, downwards along the edges of its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// By op: those above it by which a write or an add dominates it.
    written_over: Vec<u32>,
    /// By op of a set that has any: those above it by which a remove takes it away.
    removed: BTreeMap<u32, u32>,
    applied: Vec<bool>,
    /// By place: the live writes, or the live adds, in order of admission.
    live: Vec<Vec<u32>>,
}

/// By what an op is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    /// A write or an add.
    Written,
    /// A remove.
    Removed,
}

impl Cover {
    /// How the op covers what it has seen.
    const fn by(touch: Touch) -> Self {
        match touch {
            Touch::Write | Touch::Add => Self::Written,
            Touch::Remove => Self::Removed,
        }
    }
}

impl State {
    /// Makes room for the ops and places of the log.
    pub(crate) fn reach(&mut self, log: &Log) {
        let ops = log.dag.len();
        tight::lengthen(&mut self.written_over, ops, || 0);
        tight::lengthen(&mut self.applied, ops, || false);
        tight::lengthen(&mut self.live, log.places.len(), Vec::new);
    }

    /// Takes in the op, for which there is room: it is applied, or it is no longer.
    pub(crate) fn turn(&mut self, log: &Log, op: Index, applied: bool) {
        let Some((place, touch)) = log.places.touched(op) else {
            return;
        };
        if self.applied[op] == applied {
            return;
        }
        self.applied[op] = applied;
        self.settle(op, place, touch);
        let cover = Cover::by(touch);
        if self.count(op, cover) > 0 {
            return;
        }
        let mut turned = vec![op];
        while let Some(op) = turned.pop() {
            for &below in log.places.edges(op) {
                let below = below as Index;
                if self.cover(below, cover, applied) != u32::from(applied) {
                    continue;
                }
                let Some((_, touch)) = log.places.touched(below) else {
                    continue;
                };
                self.settle(below, place, touch);
                if !(self.applied[below] && Cover::by(touch) == cover) {
                    turned.push(below);
                }
            }
        }
    }

    fn count(&self, op: Index, cover: Cover) -> u32 {
        match cover {
            Cover::Written => self.written_over[op],
            Cover::Removed => self.removed.get(&narrow(op)).copied().unwrap_or(0),
        }
    }

    /// Covers the op once more, or once less; returns how often it is covered.
    fn cover(&mut self, op: Index, cover: Cover, more: bool) -> u32 {
        let step = |count: u32| if more { count + 1 } else { count - 1 };
        match cover {
            Cover::Written => {
                self.written_over[op] = step(self.written_over[op]);
                self.written_over[op]
            }
            Cover::Removed => {
                let count = step(self.count(op, cover));
                if count == 0 {
                    self.removed.remove(&narrow(op));
                } else {
                    self.removed.insert(narrow(op), count);
                }
                count
            }
        }
    }

    /// Whether the op is a live write or a live add.
    fn is_live(&self, op: Index, touch: Touch) -> bool {
        self.applied[op]
            && match touch {
                Touch::Write => self.written_over[op] == 0,
                Touch::Add => self.count(op, Cover::Removed) == 0,
                Touch::Remove => false,
            }
    }

    /// Whether the op is applied and has no value that shows, because another op at its place covers it.
    pub(crate) fn is_covered(&self, op: Index) -> bool {
        self.applied[op]
            && (self.count(op, Cover::Written) > 0 || self.count(op, Cover::Removed) > 0)
    }

    /// Whether the op is one of the winners at its place: its value shows.
    pub(crate) fn shows(&self, log: &Log, op: Index) -> bool {
        let touched = log.places.touched(op);
        touched.is_some_and(|(_, touch)| self.is_live(op, touch) && self.written_over[op] == 0)
    }

    /// Lists the op at its place, or takes it out.
    fn settle(&mut self, op: Index, place: PlaceId, touch: Touch) {
        let is_live = self.is_live(op, touch);
        let live = &mut self.live[place as usize];
        match (live.binary_search(&narrow(op)), is_live) {
            (Err(at), true) => {
                tight::room_for(live, 1);
                live.insert(at, narrow(op));
            }
            (Ok(at), false) => {
                live.remove(at);
            }
            (Ok(_), true) | (Err(_), false) => {}
        }
    }

    pub(crate) fn save(&self, out: &mut Out<'_>) -> Written {
        columns::write_short(out, self.written_over.iter().copied())?;
        let removed = self.removed.iter();
        columns::write_short(out, removed.flat_map(|(&op, &count)| [op, count]))
    }

    /// The state over the ops that are applied, by what the snapshot says of it.
    pub(crate) fn restore(
        input: &mut Decoder<'_>,
        form: Form,
        log: &Log,
        applied: impl Fn(Index) -> bool,
    ) -> Result<Self, Error> {
        let written_over = columns::read_in(input, form)?;
        let removed = columns::pairs_in(input, form)?.into_iter();
        let mut state = Self {
            written_over,
            removed: removed.map(|[op, count]| (op, count)).collect(),
            ..Self::default()
        };
        if state.written_over.len() != log.dag.len() {
            return Err(columns::damaged("the state"));
        }
        state.reach(log);
        for op in 0..log.dag.len() {
            if let Some((place, touch)) = log.places.touched(op) {
                state.applied[op] = applied(op);
                if state.is_live(op, touch) {
                    tight::push(&mut state.live[place as usize], narrow(op));
                }
            }
        }
        Ok(state)
    }

    /// The live writes of the register, or the live adds of the element, in order of admission.
    pub(crate) fn live(&self, place: PlaceId) -> impl Iterator<Item = Index> {
        let live = self.live.get(place as usize).into_iter().flatten();
        live.map(|&op| op as Index)
    }

    /// Those of them that none of the others had seen, by op id: an add that another add had seen gives its tag, not
    /// its value.
    pub(crate) fn winners(&self, log: &Log, place: PlaceId) -> Vec<Index> {
        let live = self.live(place);
        let mut winners: Vec<Index> = live.filter(|&op| self.written_over[op] == 0).collect();
        winners.sort_unstable_by_key(|&op| log.dag.id(op));
        winners
    }

    /// How many registers and elements have more than one concurrent winner.
    #[must_use]
    pub fn conflicts(&self) -> usize {
        let winners = |live: &Vec<u32>| {
            let live = live.iter();
            live.filter(|&&op| self.written_over[op as Index] == 0)
                .count()
        };
        self.live.iter().filter(|live| winners(live) > 1).count()
    }

    /// Whether nothing is live at the place.
    pub(crate) fn is_bare(&self, place: PlaceId) -> bool {
        self.live.get(place as usize).is_none_or(Vec::is_empty)
    }
}

/// What the op writes.
pub(crate) fn value(log: &Log, op: Index) -> Value {
    let names = match log.places.touched(op) {
        Some((_, Touch::Write)) => 2,
        Some((_, Touch::Add)) => 3,
        Some((_, Touch::Remove)) | None => return Value::Null,
    };
    log.value(op, names).unwrap_or(Value::Null)
}

/// The displayed value among concurrent winners: the one with the least BLAKE3 of its canonical CBOR.
pub(crate) fn projection(values: &[Value]) -> &Value {
    if let [only] = values {
        return only;
    }
    let least = values
        .iter()
        .min_by_key(|value| *blake3::hash(&value.encode()).as_bytes());
    least.unwrap_or(&Value::Null)
}
