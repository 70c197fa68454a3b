//! Replicated state: multi-value registers and observed-remove sets over the applied ops (`docs/protocol.md`, Files and
//! exports).

use core::hint::black_box;
use std::collections::BTreeMap;

use minicbor::Decoder;
use minicbor::decode::Error;

use crate::columns::{self, Form};
use crate::dag::{Index, narrow};
use crate::log::{GROUP, Log};
use crate::numbers::Numbers;
use crate::place::{Sight, Touch};
use crate::place_id::PlaceId;
use crate::segments::Segments;
use crate::tight;
use crate::value::Value;
use crate::wire::{Out, Written};

/// The values of all registers and sets.
///
/// Per op it is counted how many of the ops that had seen it, directly at its place, are applied or have been seen by one
/// that is. When an op is applied or taken back only these counts change, downwards along the edges of its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// By op, the number of its [`Standing`].
    standings: Numbers,
    /// By op of a set that has any: those above it by which a remove takes it away.
    removed: BTreeMap<u32, u32>,
    /// By place: the live writes, or the live adds.
    live: Segments<Live>,
}

/// Whether an op is applied, in the lowest bit, and above it the number of those ops by which a write or an add dominates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing(u32);

impl Standing {
    /// That of an op of which no more is known than how many dominate it.
    const fn restored(written_over: u32) -> Option<Self> {
        if written_over >> 31 == 0 {
            Some(Self(written_over << 1))
        } else {
            None
        }
    }

    const fn is_applied(self) -> bool {
        self.0 & 1 == 1
    }

    const fn turned(self, applied: bool) -> Self {
        Self(self.0 & !1 | applied as u32)
    }

    const fn written_over(self) -> u32 {
        self.0 >> 1
    }

    const fn covered(self, more: bool) -> Self {
        Self(if more { self.0 + 2 } else { self.0 - 2 })
    }
}

/// The live ops of a place, in order of admission; most places have few.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Live {
    /// As many as fit, then [`NO_OP`].
    Few([u32; FEW]),
    /// More than fit.
    #[expect(
        clippy::box_collection,
        reason = "a list by itself is wider than a few ops"
    )]
    Many(Box<Vec<u32>>),
}

/// Ops that take no more room than a list elsewhere.
const FEW: usize = 3;
/// Stands for no op, after all ops.
const NO_OP: u32 = u32::MAX;

impl Default for Live {
    fn default() -> Self {
        Self::Few([NO_OP; FEW])
    }
}

impl Live {
    fn ops(&self) -> &[u32] {
        match self {
            Self::Few(few) => {
                let count = few.iter().filter(|&&op| op != NO_OP).count();
                &few[..count]
            }
            Self::Many(ops) => ops,
        }
    }

    /// Lists the op, if it is not listed.
    fn list(&mut self, op: u32) {
        match self {
            Self::Few(few) => {
                if few.contains(&op) {
                    return;
                }
                let [.., last] = few;
                if *last == NO_OP {
                    *last = op;
                    few.sort_unstable();
                } else {
                    let mut ops = few.to_vec();
                    ops.push(op);
                    ops.sort_unstable();
                    *self = Self::Many(Box::new(ops));
                }
            }
            Self::Many(ops) => {
                if let Err(at) = ops.binary_search(&op) {
                    tight::room_for(ops, 1);
                    ops.insert(at, op);
                }
            }
        }
    }

    /// Takes the op out, if it is listed.
    fn unlist(&mut self, op: u32) {
        match self {
            Self::Few(few) => {
                if let Some(at) = few.iter().position(|&it| it == op) {
                    few[at] = NO_OP;
                    few.sort_unstable();
                }
            }
            Self::Many(ops) => {
                if let Ok(at) = ops.binary_search(&op) {
                    ops.remove(at);
                }
                if let &[a, b, c] = &ops[..] {
                    *self = Self::Few([a, b, c]);
                }
            }
        }
    }
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
        self.standings.lengthen(ops);
        self.live.lengthen(log.places.len(), Live::default);
    }

    /// Reads what taking in an op at the place of the sight will read.
    pub(crate) fn approach(&self, log: &Log, sight: &Sight) {
        if let Some((place, tips)) = log.places.tips_in_sight(sight) {
            let live = self.live.get(place as usize);
            black_box(live.map(|live| live.ops().first().copied()));
            for tip in tips {
                black_box(self.standings.get(tip));
            }
        }
    }

    /// Takes in that these ops, for which there is room, are applied. What is read of them lies far apart, so it is read for
    /// several of them together before the first is taken in.
    pub(crate) fn apply_all(&mut self, log: &Log, applied: &[Index]) {
        for group in applied.chunks(GROUP) {
            for &op in group {
                let place = log.places.touched(op).map(|(place, _)| place);
                black_box(place.map(|place| self.live[place as usize].ops().first().copied()));
                for &below in log.places.edges(op) {
                    let below = below as Index;
                    black_box((self.standing(below), log.places.touched(below)));
                }
            }
            for &op in group {
                self.turn(log, op, true);
            }
        }
    }

    /// Takes in the op, for which there is room: it is applied, or it is no longer.
    pub(crate) fn turn(&mut self, log: &Log, op: Index, applied: bool) {
        let Some((place, touch)) = log.places.touched(op) else {
            return;
        };
        if self.is_applied(op) == applied {
            return;
        }
        self.put(op, self.standing(op).turned(applied));
        self.settle(op, place, touch);
        let cover = Cover::by(touch);
        if self.count(op, cover) > 0 {
            return;
        }
        let mut turned = Vec::new();
        let mut next = Some(op);
        while let Some(op) = next {
            for &below in log.places.edges(op) {
                let below = below as Index;
                if self.cover(below, cover, applied) != u32::from(applied) {
                    continue;
                }
                let Some((_, touch)) = log.places.touched(below) else {
                    continue;
                };
                self.settle(below, place, touch);
                if !(self.is_applied(below) && Cover::by(touch) == cover) {
                    turned.push(below);
                }
            }
            next = turned.pop();
        }
    }

    fn standing(&self, op: Index) -> Standing {
        Standing(self.standings.at(op))
    }

    fn put(&mut self, op: Index, standing: Standing) {
        self.standings.put(op, standing.0);
    }

    fn is_applied(&self, op: Index) -> bool {
        self.standing(op).is_applied()
    }

    fn count(&self, op: Index, cover: Cover) -> u32 {
        match cover {
            Cover::Written => self.standing(op).written_over(),
            Cover::Removed => self.removed.get(&narrow(op)).copied().unwrap_or(0),
        }
    }

    /// Covers the op once more, or once less; returns how often it is covered.
    fn cover(&mut self, op: Index, cover: Cover, more: bool) -> u32 {
        match cover {
            Cover::Written => {
                let standing = self.standing(op).covered(more);
                self.put(op, standing);
                standing.written_over()
            }
            Cover::Removed => {
                let count = self.count(op, cover);
                let count = if more { count + 1 } else { count - 1 };
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
        let standing = self.standing(op);
        standing.is_applied()
            && match touch {
                Touch::Write => standing.written_over() == 0,
                Touch::Add => self.count(op, Cover::Removed) == 0,
                Touch::Remove => false,
            }
    }

    /// Whether the op is applied and has no value that shows, because another op at its place covers it.
    pub(crate) fn is_covered(&self, op: Index) -> bool {
        self.is_applied(op)
            && (self.count(op, Cover::Written) > 0 || self.count(op, Cover::Removed) > 0)
    }

    /// Whether the op is one of the winners at its place: its value shows.
    pub(crate) fn shows(&self, log: &Log, op: Index) -> bool {
        let touched = log.places.touched(op);
        touched.is_some_and(|(_, touch)| self.is_live(op, touch) && self.is_uncovered(op))
    }

    /// Lists the op at its place, or takes it out.
    fn settle(&mut self, op: Index, place: PlaceId, touch: Touch) {
        let is_live = self.is_live(op, touch);
        let live = &mut self.live[place as usize];
        if is_live {
            live.list(narrow(op));
        } else {
            live.unlist(narrow(op));
        }
    }

    /// Whether no write or add dominates the op.
    fn is_uncovered(&self, op: Index) -> bool {
        self.standing(op).written_over() == 0
    }

    pub(crate) fn save(&self, out: &mut Out<'_>) -> Written {
        let written_over = self.standings.iter().map(|it| Standing(it).written_over());
        columns::write_short(out, written_over)?;
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
        let written_over = columns::read_in(input, form)?.into_iter();
        let standings = written_over.map(Standing::restored);
        let standings = standings.map(|it| it.map(|Standing(number)| number));
        let standings: Option<Numbers> = standings.collect();
        let standings = standings.filter(|it| it.len() == log.dag.len());
        let removed = columns::pairs_in(input, form)?.into_iter();
        let mut state = Self {
            standings: standings.ok_or_else(|| columns::damaged("the state"))?,
            removed: removed.map(|[op, count]| (op, count)).collect(),
            ..Self::default()
        };
        state.reach(log);
        for op in 0..log.dag.len() {
            if let Some((place, touch)) = log.places.touched(op) {
                state.put(op, state.standing(op).turned(applied(op)));
                if state.is_live(op, touch) {
                    state.live[place as usize].list(narrow(op));
                }
            }
        }
        Ok(state)
    }

    /// The live writes of the register, or the live adds of the element, in order of admission.
    pub(crate) fn live(&self, place: PlaceId) -> impl Iterator<Item = Index> {
        let live = self.live.get(place as usize).map_or(&[][..], Live::ops);
        live.iter().map(|&op| op as Index)
    }

    /// Those of them that none of the others had seen, by op id: an add that another add had seen gives its tag, not
    /// its value.
    pub(crate) fn winners(&self, log: &Log, place: PlaceId) -> Vec<Index> {
        let live = self.live(place);
        let mut winners: Vec<Index> = live.filter(|&op| self.is_uncovered(op)).collect();
        winners.sort_unstable_by_key(|&op| log.dag.id(op));
        winners
    }

    /// How many registers and elements have more than one concurrent winner.
    #[must_use]
    pub fn conflicts(&self) -> usize {
        let uncovered = |live: &Live| {
            let ops = live.ops().iter();
            ops.filter(|&&op| self.is_uncovered(op as Index)).count()
        };
        self.live.iter().filter(|live| uncovered(live) > 1).count()
    }

    /// Whether nothing is live at the place.
    pub(crate) fn is_bare(&self, place: PlaceId) -> bool {
        self.live(place).next().is_none()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_ops_stand_in_order_however_many_there_are() {
        let mut live = Live::default();
        let mut want: Vec<u32> = Vec::new();
        for op in (0..10).map(|it| it * 7 % 10) {
            for _ in 0..2 {
                live.list(op);
            }
            want.push(op);
            want.sort_unstable();
            assert_eq!(live.ops(), want);
        }
        for op in (0..10).map(|it| it * 3 % 10) {
            for _ in 0..2 {
                live.unlist(op);
            }
            want.retain(|&it| it != op);
            assert_eq!(live.ops(), want);
            let mut same = Live::default();
            want.iter().for_each(|&op| same.list(op));
            assert_eq!(live, same);
        }
    }
}
