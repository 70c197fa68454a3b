//! Places: what data ops touch, and which of them had seen which.
//!
//! A place is a register (object, field) or an element of a set (object, field, element). Each data op gets, when it
//! arrives, edges to the latest ops at its place that it had seen; every op at the place that it had seen can be reached
//! by such edges. So what dominates what is known without clocks, and taking an op back is local.

mod cell;
mod elements;
mod field_name;
mod names;
mod saved;
mod sight;

use core::ops::Bound;
use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::costs::Costs;
use crate::dag::{Dag, Index, Past};
use crate::name::Name;
use crate::payload::{Payload, SetAdd, SetField, SetRemove};
use crate::place_id::{FieldId, PlaceId};
use crate::segments::Segments;
use crate::tight;
use crate::value::Value;
use cell::{Cell, Tip};
use elements::Elements;
use field_name::{FieldName, FieldNames};
use names::{Digest, NameTable};
pub(crate) use sight::Sight;

/// What a data op does at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Writes a register.
    Write,
    /// Adds an element to a set.
    Add,
    /// Removes an element from a set.
    Remove,
}

impl Touch {
    /// What the payload does, if it is data.
    pub(crate) const fn of(payload: &Payload) -> Option<Self> {
        match payload {
            Payload::SetField(_) | Payload::SetFieldSealed(_) => Some(Self::Write),
            Payload::SetAdd(_) | Payload::SetAddSealed(_) => Some(Self::Add),
            Payload::SetRemove(_) => Some(Self::Remove),
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
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::KeyGrant(_)
            | Payload::Unassigned(_) => None,
        }
    }

    /// What an op says that does so, without a value; `None` if this is done at no such place.
    pub(crate) fn blank(self, object: Name, field: Name, element: Option<Name>) -> Option<Payload> {
        let value = Value::Null;
        Some(match (self, element) {
            (Self::Write, None) => SetField {
                object,
                field,
                value,
            }
            .into(),
            (Self::Add, Some(element)) => SetAdd {
                object,
                field,
                element,
                value,
            }
            .into(),
            (Self::Remove, Some(element)) => SetRemove {
                object,
                field,
                element,
            }
            .into(),
            (Self::Write, Some(_)) | (Self::Add | Self::Remove, None) => return None,
        })
    }

    /// The number that it has where it is kept.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Write => 0,
            Self::Add => 1,
            Self::Remove => 2,
        }
    }

    /// What has that number.
    pub(crate) const fn numbered(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Write),
            1 => Some(Self::Add),
            2 => Some(Self::Remove),
            _ => None,
        }
    }
}

/// A field of an object: its number, its register, and the elements of its set, as far as ops touch them.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) id: FieldId,
    /// [`NOTHING`] where there is none.
    register: PlaceId,
    pub(crate) elements: Elements,
}

impl Field {
    const fn new(id: FieldId, register: Option<PlaceId>, elements: Elements) -> Self {
        let register = match register {
            Some(place) => place,
            None => NOTHING,
        };
        Self {
            id,
            register,
            elements,
        }
    }

    /// The place of the register.
    pub(crate) fn register(&self) -> Option<PlaceId> {
        Some(self.register).filter(|&place| place != NOTHING)
    }

    /// The places of the field.
    pub(crate) fn places(&self) -> impl Iterator<Item = PlaceId> {
        let elements = self.elements.iter().map(|(_, &place)| place);
        self.register().into_iter().chain(elements)
    }
}

/// Names of an object, a field, and an element of a set.
pub(crate) type Names<'a> = (&'a str, &'a str, Option<&'a str>);

/// Where a data op belongs, as far as that is known before it is admitted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) field: FieldId,
    pub(crate) place: Option<PlaceId>,
}

/// The fields of an object, by their names; most objects have few.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object(Vec<(FieldName, Field)>);

impl Object {
    /// The fields with their names, in the order of the names' bytes.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.0.iter().map(|(name, field)| (name.as_str(), field))
    }

    /// The places of the object.
    pub(crate) fn places(&self) -> impl Iterator<Item = PlaceId> {
        self.fields().flat_map(|(_, field)| field.places())
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
    }
}

/// What is known of an op, in as few bytes as it takes.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The place and what the op does there; [`NOTHING`] for what is no data.
    touch: u32,
    /// The end of the op's edges in the list of all.
    edges_end: u32,
    /// The first op that had seen this one at its place, or [`NOTHING`].
    seen_by: u32,
    /// The op before it in its chain at the place, and an earlier one, or itself where there is none.
    before: u32,
    jump: u32,
}

const NOTHING: u32 = u32::MAX;
/// Ops that are looked at one by one before the search goes by chains.
const STEPS: usize = 8;

/// The places, and what each admitted op does at one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    objects: BTreeMap<SmolStr, Object>,
    field_names: FieldNames,
    fields: u32,
    by_name: NameTable,
    cells: Segments<Cell>,
    ops: Segments<Seen>,
    edges: Vec<u32>,
    /// Memory for the edges of the next op.
    seen: Vec<u32>,
}

impl Places {
    /// The objects by their names.
    pub(crate) const fn objects(&self) -> &BTreeMap<SmolStr, Object> {
        &self.objects
    }

    /// The field, if an admitted op has touched it.
    pub(crate) fn field(&self, object: &str, field: &str) -> Option<&Field> {
        let object = self.objects.get(object)?;
        Some(&object.0[object.find(field).ok()?].1)
    }

    /// The place, if an admitted op has touched it.
    pub(crate) fn at(&self, object: &str, field: &str, element: Option<&str>) -> Option<PlaceId> {
        let known = self.at_digest(&Digest::of(object, field, element));
        known.or_else(|| self.beside_table(object, field, element))
    }

    /// The place with such names, if it is in the table.
    fn at_digest(&self, digest: &Digest) -> Option<PlaceId> {
        let digest_at = |place: PlaceId| self.cells[place as usize].digest;
        self.by_name.find(digest, digest_at)
    }

    /// The place, which is not in the table.
    fn beside_table(&self, object: &str, field: &str, element: Option<&str>) -> Option<PlaceId> {
        if self.by_name.is_whole() {
            return None;
        }
        let field = self.field(object, field)?;
        match element {
            None => field.register(),
            Some(element) => field.elements.get(element),
        }
    }

    /// The objects whose names begin so, in the order of their bytes.
    pub(crate) fn beginning<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Object)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let objects = self.objects.range::<str, _>(from);
        objects
            .map(|(name, object)| (&**name, object))
            .take_while(move |(name, _)| name.starts_with(prefix))
    }

    /// The place that the payload touches, if an admitted op has.
    pub(crate) fn find(&self, payload: &Payload) -> Option<PlaceId> {
        self.spot(payload)?.place
    }

    /// The objects and names of the fields, in the order of their numbers.
    pub(crate) fn fields_by_number(&self) -> Vec<(&str, &str)> {
        let mut names = vec![("", ""); self.fields()];
        for (object, fields) in &self.objects {
            for (name, field) in fields.fields() {
                names[field.id as usize] = (&**object, name);
            }
        }
        names
    }

    /// The names of the object, the field and the element of a place. The cost is that of a walk over the fields.
    pub(crate) fn names(&self, place: PlaceId) -> Option<(&str, &str, Option<&str>)> {
        let wanted = self.cells.get(place as usize)?.field;
        let objects = self.objects.iter();
        let mut fields = objects.flat_map(|(object, fields)| {
            let fields = fields.fields();
            fields.map(move |(name, field)| (&**object, name, field))
        });
        let (object, name, field) = fields.find(|(.., field)| field.id == wanted)?;
        if field.register() == Some(place) {
            return Some((object, name, None));
        }
        let mut elements = field.elements.iter();
        let (element, _) = elements.find(|(_, it)| **it == place)?;
        Some((object, name, Some(element)))
    }

    /// The names of every place, by number: those of the object, the field and the element.
    pub(crate) fn names_by_number(&self) -> Vec<(&str, &str, Option<&str>)> {
        let mut names = vec![("", "", None); self.cells.len()];
        for (object, fields) in &self.objects {
            for (name, field) in fields.fields() {
                if let Some(place) = field.register() {
                    names[place as usize] = (&**object, name, None);
                }
                for (element, &place) in field.elements.iter() {
                    names[place as usize] = (&**object, name, Some(element));
                }
            }
        }
        names
    }

    /// How many fields there are.
    pub(crate) const fn fields(&self) -> usize {
        self.fields as usize
    }

    /// How many places there are.
    pub(crate) const fn len(&self) -> usize {
        self.cells.len()
    }

    /// The place that the op touches and what it does there, if it is data.
    pub(crate) fn touched(&self, op: Index) -> Option<(PlaceId, Touch)> {
        let touch = self.ops[op].touch;
        let does = Touch::numbered((touch & 3) as u8)?;
        Some((touch >> 2, does))
    }

    /// The field of the place.
    pub(crate) fn field_of(&self, place: PlaceId) -> FieldId {
        self.cells[place as usize].field
    }

    /// The latest ops at its place that the op had seen.
    pub(crate) fn edges(&self, op: Index) -> &[u32] {
        let start = op.checked_sub(1).map_or(0, |it| self.ops[it].edges_end);
        &self.edges[start as usize..self.ops[op].edges_end as usize]
    }

    /// Makes room for so many ops at so many places, where there are none yet.
    pub(crate) fn reserve(&mut self, ops: usize, places: usize) {
        self.edges.reserve_exact(ops);
        self.by_name.reserve(places);
    }

    /// Takes in the op that was admitted last, with the sight of its payload, whose place was looked up, and with its past.
    pub(crate) fn push(
        &mut self,
        dag: &Dag,
        payload: &Payload,
        sight: Option<Sight>,
        past: &Past,
        costs: &mut Costs,
    ) {
        let op = u32::try_from(self.ops.len()).expect("fewer than 2^32 ops fit in memory");
        let place = sight.and_then(|sight| {
            let (object, field) = payload.target()?;
            let element = payload.element().map(|it| it.as_str());
            let names = (object.as_str(), field.as_str(), element);
            Some(sight.place().unwrap_or_else(|| self.begin(names, &sight)))
        });
        let (Some(touch), Some(place)) = (Touch::of(payload), place) else {
            let nothing = Seen {
                touch: NOTHING,
                edges_end: self.edges_end(),
                seen_by: NOTHING,
                before: op,
                jump: op,
            };
            self.ops.push(nothing);
            return;
        };
        self.push_at(dag, place, touch, past, costs);
    }

    /// Takes in the op that was admitted last, which does so at the place.
    pub(crate) fn push_at(
        &mut self,
        dag: &Dag,
        place: PlaceId,
        touch: Touch,
        past: &Past,
        costs: &mut Costs,
    ) {
        let at = self.ops.len();
        let op = u32::try_from(at).expect("fewer than 2^32 ops fit in memory");
        let (chain, position) = dag.position(at);
        let memory = core::mem::take(&mut self.seen);
        let cell = &self.cells[place as usize];
        let mut seen = self.latest_seen(dag, cell, past, memory, costs);
        let cell = &mut self.cells[place as usize];
        for &earlier in &seen {
            cell.drop_tip(earlier);
        }
        cell.add_tip(Tip {
            op,
            chain,
            position,
        });
        let before = cell.follow(chain, op);
        for &earlier in &seen {
            let seen_by = &mut self.ops[earlier as usize].seen_by;
            *seen_by = (*seen_by).min(op);
        }
        tight::room_for(&mut self.edges, seen.len());
        self.edges.append(&mut seen);
        self.seen = seen;
        let jump = self.jump_from(before, op);
        let seen = Seen {
            touch: place << 2 | u32::from(touch.number()),
            edges_end: self.edges_end(),
            seen_by: NOTHING,
            before,
            jump,
        };
        self.ops.push(seen);
    }

    fn edges_end(&self) -> u32 {
        u32::try_from(self.edges.len()).expect("fewer than 2^32 edges fit in memory")
    }

    /// Where the op after `before` in its chain jumps to: as far as the one before it jumped twice, if these were of one
    /// length, else to the one before (Myers, "An applicative random-access stack", 1983, with op numbers for depths).
    fn jump_from(&self, before: u32, op: u32) -> u32 {
        if before == op {
            return op;
        }
        let first = self.ops[before as usize].jump;
        let second = self.ops[first as usize].jump;
        if before - first <= first - second && first != second {
            second
        } else {
            before
        }
    }

    /// A number for a place that no op has touched.
    fn name(&mut self, (object, name, element): Names<'_>, digest: Digest) -> PlaceId {
        let fields = match self.objects.get_mut(object) {
            Some(fields) => fields,
            None => self.objects.entry(object.into()).or_default(),
        };
        let at = match fields.find(name) {
            Ok(at) => at,
            Err(at) => {
                let field = Field::new(self.fields, None, Elements::default());
                self.fields += 1;
                tight::room_for(&mut fields.0, 1);
                fields.0.insert(at, (self.field_names.name(name), field));
                at
            }
        };
        let field = &mut fields.0[at].1;
        let id = field.id;
        let place = u32::try_from(self.cells.len())
            .ok()
            .filter(|&place| place < NOTHING >> 2)
            .expect("fewer than 2^30 places fit in memory");
        match element {
            None => field.register = place,
            Some(element) => field.elements.insert(element, place),
        }
        let cells = &self.cells;
        let digest_at = |place: PlaceId| cells[place as usize].digest;
        self.by_name.push(&digest, place, digest_at);
        self.cells.push(Cell::new(digest, id));
        place
    }

    /// Ops at the place in the past, from which all others there can be reached, in the memory that is given, where that is of use.
    fn latest_seen(
        &self,
        dag: &Dag,
        cell: &Cell,
        past: &Past,
        memory: Vec<u32>,
        costs: &mut Costs,
    ) -> Vec<u32> {
        let tips = cell.tips();
        if tips.len() > STEPS {
            return self.latest_by_chain(dag, cell, past, costs);
        }
        let (mut seen, mut todo) = (memory, Vec::new());
        for tip in tips {
            costs.ancestor_queries += 1;
            let is_seen = past.count(tip.chain) > tip.position;
            let list = if is_seen { &mut seen } else { &mut todo };
            list.push(tip.op);
        }
        let seen_tips = seen.len();
        if !todo.is_empty() && cell.lasts().len().min(past.width()) <= STEPS {
            return self.latest_by_chain(dag, cell, past, costs);
        }
        let mut looked = 0;
        while let Some(&op) = todo.get(looked) {
            looked += 1;
            if looked > STEPS {
                return self.latest_by_chain(dag, cell, past, costs);
            }
            for &earlier in self.edges(op as Index) {
                if todo.contains(&earlier) || seen.contains(&earlier) {
                    continue;
                }
                if dag.contains(past, earlier as Index, costs) {
                    seen.push(earlier);
                } else {
                    todo.push(earlier);
                }
            }
        }
        if seen.len() == seen_tips {
            // No tip had seen another.
            seen.sort_unstable_by(|a, b| b.cmp(a));
            return seen;
        }
        self.latest_of(dag, seen)
    }

    /// The same, chain by chain: the chains of the past or those at the place, whichever are fewer.
    fn latest_by_chain(&self, dag: &Dag, cell: &Cell, past: &Past, costs: &mut Costs) -> Vec<u32> {
        let mut seen = Vec::new();
        let mut look = |last: u32, count: u32| {
            costs.ancestor_queries += 1;
            let Some(op) = self.last_before(dag, last, count) else {
                return;
            };
            let seen_by = self.ops[op as usize].seen_by;
            let is_covered = seen_by != NOTHING && {
                let (chain, position) = dag.position(seen_by as Index);
                past.count(chain) > position
            };
            if !is_covered {
                seen.push(op);
            }
        };
        let lasts = cell.lasts();
        if past.width() < lasts.len() {
            past.each(|chain, count| {
                if let Some(last) = cell.last_of(chain) {
                    look(last, count);
                }
            });
        } else {
            for &(chain, last) in lasts {
                look(last, past.count(chain));
            }
        }
        self.latest_of(dag, seen)
    }

    /// The last op of the chain at the place, from `op` back, that is one of the chain's first `count`.
    fn last_before(&self, dag: &Dag, mut op: u32, count: u32) -> Option<u32> {
        let position = |op: u32| dag.position(op as Index).1;
        while position(op) >= count {
            let Seen { before, jump, .. } = self.ops[op as usize];
            if before == op {
                return None;
            }
            op = if position(jump) >= count {
                jump
            } else {
                before
            };
        }
        Some(op)
    }

    /// Leaves out ops that another of them had seen, as far as that is known cheaply; those that are left out in vain cost
    /// an edge each and change nothing.
    fn latest_of(&self, dag: &Dag, mut ops: Vec<u32>) -> Vec<u32> {
        if ops.len() < 2 {
            return ops;
        }
        ops.sort_unstable_by(|a, b| b.cmp(a));
        let mut pasts: Vec<Past> = Vec::new();
        ops.retain(|&op| {
            let (chain, position) = dag.position(op as Index);
            if pasts.iter().any(|past| past.count(chain) > position) {
                return false;
            }
            if pasts.len() < STEPS {
                pasts.extend(dag.past_at_hand(op as Index));
            }
            true
        });
        ops
    }
}
