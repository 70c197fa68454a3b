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
        let seen = self.ops.iter().map(|it| {
            let (touch, edges_end) = (it.touch, it.edges_end);
            [touch, edges_end, it.seen_by, it.before, it.jump]
        });
        columns::write_rows(out, seen)?;
        columns::write(out, self.edges.iter().copied())?;
        columns::write(out, self.cells.iter().map(|cell| narrow(cell.lasts.len())))?;
        let lasts = self.cells.iter().flat_map(|cell| &cell.lasts);
        let lasts: Vec<[u32; 2]> = lasts.map(|&(chain, op)| [chain, op]).collect();
        columns::write_rows(out, lasts.into_iter())
    }

    pub(crate) fn restore(input: &mut Decoder<'_>, dag: &Dag) -> Result<Self, Error> {
        let mut places = Self::default();
        places.restore_names(input, dag.len())?;
        places.restore_ops(input, dag)?;
        places.restore_lasts(input, dag)?;
        Ok(places)
    }

    /// The objects, fields and elements, each in the order of their names, with their numbers, which leave no gaps.
    fn restore_names(&mut self, input: &mut Decoder<'_>, most: usize) -> Result<(), Error> {
        let mut named = Named {
            most,
            fields: Vec::new(),
            places: Vec::new(),
            by_name: Vec::new(),
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
        self.by_name = NameTable::of(named.by_name);
        let cells = named.places.into_iter().map(|field| Cell {
            field,
            ..Cell::default()
        });
        self.cells = cells.collect();
        Ok(())
    }

    fn restore_ops(&mut self, input: &mut Decoder<'_>, dag: &Dag) -> Result<(), Error> {
        let rows = columns::number_rows(input)?;
        self.edges = columns::read(input)?;
        if rows.len() != dag.len() {
            return Err(damaged("what ops touch"));
        }
        self.ops.reserve_exact(rows.len());
        let mut start = 0;
        for (op, row) in (0..).zip(rows) {
            let [touch, edges_end, seen_by, before, jump] = columns::numbers(row);
            let seen = Seen {
                touch,
                edges_end,
                seen_by,
                before,
                jump,
            };
            let edges = self.edges.get(start as usize..edges_end as usize);
            let edges = edges.ok_or_else(|| damaged("the edges of an op"))?;
            start = edges_end;
            // Whoever goes back from an op comes to an end.
            if before > op || jump > before || edges.iter().any(|&earlier| earlier >= op) {
                return Err(damaged("an op at its place that comes later"));
            }
            if seen_by != NOTHING && seen_by as Index >= dag.len() {
                return Err(damaged("an op that is seen by none"));
            }
            if touch == NOTHING {
                if !edges.is_empty() {
                    return Err(damaged("edges of an op that is no data"));
                }
            } else {
                let cell = self.cells.get_mut((touch >> 2) as usize);
                let cell = cell.filter(|_| touch & 3 != 3);
                let cell = cell.ok_or_else(|| damaged("the place of an op"))?;
                if seen_by == NOTHING {
                    cell.tips.push(op);
                }
            }
            self.ops.push(seen);
        }
        if start as usize != self.edges.len() {
            return Err(damaged("edges of no op"));
        }
        Ok(())
    }

    fn restore_lasts(&mut self, input: &mut Decoder<'_>, dag: &Dag) -> Result<(), Error> {
        let lengths = columns::rows::<4>(input)?;
        let mut rest = columns::number_rows(input)?;
        if lengths.len() != self.cells.len() {
            return Err(damaged("the chains at places"));
        }
        for (cell, length) in self.cells.iter_mut().zip(lengths) {
            let split = rest.split_at_checked(u32::from_le_bytes(*length) as usize);
            let (lasts, others) = split.ok_or_else(|| damaged("the chains at a place"))?;
            rest = others;
            let lasts = lasts.iter().map(|row| {
                let [chain, op] = columns::numbers(row);
                (chain, op)
            });
            cell.lasts = lasts.collect();
            let is_sorted = cell.lasts.is_sorted_by(|a, b| a.0 < b.0);
            if !is_sorted || cell.lasts.iter().any(|&(_, op)| op as Index >= dag.len()) {
                return Err(damaged("the last op of a chain at a place"));
            }
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(damaged("chains at no place"))
        }
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
    by_name: Vec<(Digest, PlaceId)>,
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
        self.by_name.push((digest, place));
        Ok(())
    }
}
