//! Places in a local snapshot.

use minicbor::Decoder;
use minicbor::decode::Error;

use super::names::{Digest, NameTable};
use super::{Cell, Field, NOTHING, Object, Places, Seen};
use crate::columns::{self, damaged};
use crate::dag::{Dag, Index, narrow};
use crate::place_id::{FieldId, PlaceId};
use crate::wire::{Out, Written};

impl Places {
    pub(crate) fn save(&self, out: &mut Out<'_>) -> Written {
        out.array(self.objects.len() as u64)?;
        for (object, fields) in &self.objects {
            out.str(object)?.array(fields.0.len() as u64)?;
            for (name, field) in fields.fields() {
                out.str(name)?.u32(field.id)?;
                out.u32(field.register.unwrap_or(NOTHING))?;
                out.array(field.elements.len() as u64)?;
                for (element, &place) in &field.elements {
                    out.str(element)?.u32(place)?;
                }
            }
        }
        columns::write(out, self.ops.iter().map(|seen| seen.touch))?;
        columns::write(out, self.ops.iter().map(|seen| seen.edges_end))?;
        columns::write(out, self.edges.iter().copied())
    }

    pub(crate) fn restore(input: &mut Decoder<'_>, dag: &Dag) -> Result<Self, Error> {
        let mut places = Self::default();
        places.restore_names(input, dag.len())?;
        let touches = columns::read(input)?;
        let ends = columns::read(input)?;
        places.edges = columns::read(input)?;
        if touches.len() != dag.len() || ends.len() != dag.len() {
            return Err(damaged("what ops touch"));
        }
        places.ops.reserve_exact(dag.len());
        let mut start = 0;
        for (at, (touch, edges_end)) in (0..).zip(touches.into_iter().zip(ends)) {
            places.restore_op(dag, at, touch, (start, edges_end))?;
            start = edges_end;
        }
        if start as usize != places.edges.len() {
            return Err(damaged("edges of no op"));
        }
        for at in 0..places.ops.len() {
            if let Some((place, _)) = places.touched(at).filter(|_| places.is_tip(at)) {
                let op = u32::try_from(at).map_err(|_| damaged("too many ops"))?;
                places.cells[place as usize].tips.push(op);
            }
        }
        Ok(places)
    }

    /// The objects, fields and elements, each in the order of their names, with their numbers, which leave no gaps.
    fn restore_names(&mut self, input: &mut Decoder<'_>, most: usize) -> Result<(), Error> {
        let mut named = Named {
            most,
            fields: Vec::new(),
            places: Vec::new(),
            by_name: NameTable::default(),
        };
        let count = array(input)?;
        self.objects = ordered(count, input, |input, object| {
            let count = array(input)?;
            let fields = ordered(count, input, |input, name| named.field(input, object, name))?;
            Ok(Object(fields))
        })?
        .into_iter()
        .collect();
        if named.fields.contains(&false) || named.places.contains(&NOTHING) {
            return Err(damaged("the numbers of fields or places"));
        }
        self.fields = narrow(named.fields.len());
        self.by_name = named.by_name;
        let cells = named.places.into_iter().map(|field| Cell {
            field,
            ..Cell::default()
        });
        self.cells = cells.collect();
        Ok(())
    }

    fn is_tip(&self, at: Index) -> bool {
        self.ops[at].seen_by == NOTHING
    }

    fn restore_op(
        &mut self,
        dag: &Dag,
        op: u32,
        touch: u32,
        (start, edges_end): (u32, u32),
    ) -> Result<(), Error> {
        let mut seen = Seen {
            touch,
            edges_end,
            seen_by: NOTHING,
            before: op,
            jump: op,
        };
        let edges = self.edges.get(start as usize..edges_end as usize);
        let edges = edges.ok_or_else(|| damaged("the edges of an op"))?;
        let place = touch >> 2;
        if touch == NOTHING {
            if start != edges_end {
                return Err(damaged("edges of an op that is no data"));
            }
        } else if touch & 3 == 3 || place as usize >= self.cells.len() {
            return Err(damaged("the place of an op"));
        } else {
            for &earlier in edges {
                let known = self.ops.get_mut(earlier as Index);
                let here =
                    known.filter(|known| known.touch != NOTHING && known.touch >> 2 == place);
                let Some(known) = here else {
                    return Err(damaged("an edge to another place"));
                };
                known.seen_by = known.seen_by.min(op);
            }
            let (chain, _) = dag.position(op as Index);
            seen.before = self.cells[place as usize].follow(chain, op);
            seen.jump = self.jump_from(seen.before, op);
        }
        self.ops.push(seen);
        Ok(())
    }
}

fn array(input: &mut Decoder<'_>) -> Result<u64, Error> {
    input
        .array()?
        .ok_or_else(|| damaged("a list without an end"))
}

/// So many named entries, in the order of their names.
fn ordered<'a, T>(
    count: u64,
    input: &mut Decoder<'a>,
    mut read: impl FnMut(&mut Decoder<'a>, &'a str) -> Result<T, Error>,
) -> Result<Vec<(Box<str>, T)>, Error> {
    let mut entries: Vec<(Box<str>, T)> = Vec::new();
    for _ in 0..count {
        let name = input.str()?;
        if entries.last().is_some_and(|(last, _)| &**last >= name) {
            return Err(damaged("the order of names"));
        }
        let entry = read(input, name)?;
        entries.push((name.into(), entry));
    }
    Ok(entries)
}

/// Which numbers have been named.
struct Named {
    /// There are no more fields and no more places than ops.
    most: usize,
    /// By field.
    fields: Vec<bool>,
    /// The field of each place, or [`NOTHING`].
    places: Vec<FieldId>,
    by_name: NameTable,
}

impl Named {
    fn field(&mut self, input: &mut Decoder<'_>, object: &str, name: &str) -> Result<Field, Error> {
        let id = input.u32()?;
        let register = Some(input.u32()?).filter(|&it| it != NOTHING);
        self.name_field(id)?;
        if let Some(place) = register {
            self.name_place(place, id, Digest::of(object, name, None))?;
        }
        let count = array(input)?;
        let elements = ordered(count, input, |input, element| {
            let place = input.u32()?;
            self.name_place(place, id, Digest::of(object, name, Some(element)))?;
            Ok(place)
        })?;
        Ok(Field {
            id,
            register,
            elements: elements.into_iter().collect(),
        })
    }

    fn name_field(&mut self, id: FieldId) -> Result<(), Error> {
        let at = id as usize;
        if at >= self.most {
            return Err(damaged("the number of a field"));
        }
        if self.fields.len() <= at {
            self.fields.resize(at + 1, false);
        }
        if core::mem::replace(&mut self.fields[at], true) {
            return Err(damaged("a field twice"));
        }
        Ok(())
    }

    fn name_place(&mut self, place: PlaceId, field: FieldId, digest: Digest) -> Result<(), Error> {
        let at = place as usize;
        if at >= self.most {
            return Err(damaged("the number of a place"));
        }
        if self.places.len() <= at {
            self.places.resize(at + 1, NOTHING);
        }
        if core::mem::replace(&mut self.places[at], field) != NOTHING {
            return Err(damaged("a place twice"));
        }
        self.by_name.push(digest, place);
        Ok(())
    }
}
