//! Replicated state: multi-value registers and observed-remove sets over the applied ops (`docs/protocol.md`, Files and
//! exports).

use core::hint::black_box;
use std::collections::BTreeMap;

use minicbor::Decoder;
use minicbor::decode::Error;

use crate::columns::{self, Form};
use crate::dag::{Index, narrow};
use crate::log::{GROUP, Log};
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
    /// By op.
    standings: Vec<Standing>,
    /// By op of a set that has any: those above it by which a remove takes it away.
    removed: BTreeMap<u32, u32>,
    /// By place: the live writes, or the live adds.
    live: Vec<Live>,
}

/// Whether an op is applied, in the lowest bit, and above it the number of those ops by which a write or an add dominates it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

    const fn turn(&mut self, applied: bool) {
        self.0 = self.0 & !1 | applied as u32;
    }

    const fn written_over(self) -> u32 {
        self.0 >> 1
    }

    const fn write_over(&mut self, more: bool) {
        self.0 = if more { self.0 + 2 } else { self.0 - 2 };
    }
}

/// The live ops of a place, in order of admission; most places have one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Live {
    #[default]
    None,
    One(u32),
    #[expect(
        clippy::box_collection,
        reason = "a list by itself is wider than an op"
    )]
    Several(Box<Vec<u32>>),
}

impl Live {
    fn ops(&self) -> &[u32] {
        match self {
            Self::None => &[],
            Self::One(op) => core::slice::from_ref(op),
            Self::Several(ops) => ops,
        }
    }

    /// Lists the op, if it is not listed.
    fn list(&mut self, op: u32) {
        match self {
            Self::None => *self = Self::One(op),
            Self::One(only) if *only == op => {}
            Self::One(only) => {
                let ops = [op.min(*only), op.max(*only)];
                *self = Self::Several(Box::new(ops.to_vec()));
            }
            Self::Several(ops) => {
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
            Self::One(only) if *only == op => *self = Self::None,
            Self::None | Self::One(_) => {}
            Self::Several(ops) => {
                if let Ok(at) = ops.binary_search(&op) {
                    ops.remove(at);
                }
                if let [only] = ops[..] {
                    *self = Self::One(only);
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
        tight::lengthen(&mut self.standings, ops, Standing::default);
        tight::lengthen(&mut self.live, log.places.len(), Live::default);
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
                    black_box((self.standings[below], log.places.touched(below)));
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
        self.standings[op].turn(applied);
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

    fn is_applied(&self, op: Index) -> bool {
        self.standings[op].is_applied()
    }

    fn count(&self, op: Index, cover: Cover) -> u32 {
        match cover {
            Cover::Written => self.standings[op].written_over(),
            Cover::Removed => self.removed.get(&narrow(op)).copied().unwrap_or(0),
        }
    }

    /// Covers the op once more, or once less; returns how often it is covered.
    fn cover(&mut self, op: Index, cover: Cover, more: bool) -> u32 {
        match cover {
            Cover::Written => {
                let standing = &mut self.standings[op];
                standing.write_over(more);
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
        let standing = self.standings[op];
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
        self.standings[op].written_over() == 0
    }

    pub(crate) fn save(&self, out: &mut Out<'_>) -> Written {
        let written_over = self.standings.iter().map(|it| it.written_over());
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
        let standings: Option<Vec<Standing>> = standings.collect();
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
                state.standings[op].turn(applied(op));
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
