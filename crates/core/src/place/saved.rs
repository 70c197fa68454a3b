//! Places in a local snapshot.

use core::ops::Deref;

use minicbor::Decoder;
use minicbor::decode::Error;

use super::cell::{Cell, Tip};
use super::names::{Digest, NameTable};
use super::{Field, NOTHING, Object, Places, Seen};
use crate::columns::{self, Form, Short, damaged};
use crate::dag::{Dag, Index, narrow};
use crate::place_id::{FieldId, PlaceId};
use crate::segments::Segments;
use crate::wire::{Out, Written};

impl Places {
    pub(crate) fn save(&self, out: &mut Out<'_>) -> Written {
        out.array(self.objects.len() as u64)?;
        for (object, fields) in &self.objects {
            out.str(object)?.array(fields.0.len() as u64)?;
            for (name, field) in fields.fields() {
                out.str(name)?.u32(field.id)?;
                out.u32(field.register().unwrap_or(NOTHING))?;
                out.array(field.elements.len() as u64)?;
                for (element, &place) in field.elements.iter() {
                    out.str(element)?.u32(place)?;
                }
            }
        }
        out.u64(self.edges.len() as u64)?
            .bytes(&self.short_rows())?;
        columns::write_short(
            out,
            self.cells.iter().map(|cell| narrow(cell.lasts().len())),
        )?;
        let lasts = self.cells.iter().flat_map(Cell::lasts);
        columns::write_short(out, lasts.flat_map(|&(chain, op)| [chain, op]))
    }

    /// Of each op: what it touches, number of edges, how far back each goes, how much later it is seen, how far back in its chain
    /// the op before it at the place is, and how far back from that one the jump goes.
    fn short_rows(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut start = 0;
        for (op, it) in (0_u32..).zip(self.ops.iter()) {
            columns::put(&mut bytes, it.touch.wrapping_add(1));
            columns::put(&mut bytes, it.edges_end - start);
            for &earlier in &self.edges[start as usize..it.edges_end as usize] {
                columns::put(&mut bytes, op.wrapping_sub(earlier));
            }
            start = it.edges_end;
            let later = it.seen_by.wrapping_sub(op);
            columns::put(&mut bytes, if it.seen_by == NOTHING { 0 } else { later });
            columns::put(&mut bytes, op.wrapping_sub(it.before));
            columns::put(&mut bytes, it.before.wrapping_sub(it.jump));
        }
        bytes
    }

    pub(crate) fn restore(input: &mut Decoder<'_>, dag: &Dag, form: Form) -> Result<Self, Error> {
        let mut places = Self::default();
        places.restore_names(input, dag.len())?;
        places.restore_ops(input, dag, form)?;
        places.restore_lasts(input, dag, form)?;
        Ok(places)
    }

    /// The objects, fields and elements, each in the order of their names, with their numbers, which leave no gaps.
    fn restore_names(&mut self, input: &mut Decoder<'_>, most: usize) -> Result<(), Error> {
        let mut named = Named {
            most,
            fields: Vec::new(),
            cells: Vec::new(),
        };
        let count = array(input)?;
        let field_names = &mut self.field_names;
        self.objects = ordered(count, input, |input, object| {
            let count = array(input)?;
            let fields = ordered::<&str, _>(count, input, |input, name| {
                let field = named.field(input, object, name)?;
                Ok((field_names.name(name), field))
            })?;
            let mut own = Vec::with_capacity(fields.len());
            own.extend(fields.into_iter().map(|(_, field)| field));
            Ok(Object(own))
        })?
        .into_iter()
        .collect();
        let cells: Option<Segments<Cell>> = named.cells.into_iter().collect();
        let cells = cells.filter(|_| !named.fields.contains(&false));
        self.cells = cells.ok_or_else(|| damaged("the numbers of fields or places"))?;
        self.fields = narrow(named.fields.len());
        let cells = &self.cells;
        let digest_at = |place: PlaceId| cells[place as usize].digest;
        self.by_name = NameTable::of(narrow(cells.len()), digest_at);
        Ok(())
    }

    fn restore_ops(&mut self, input: &mut Decoder<'_>, dag: &Dag, form: Form) -> Result<(), Error> {
        let mut rows = match form {
            Form::Fixed => {
                let rows = columns::number_rows(input)?;
                self.edges = columns::read(input)?;
                if rows.len() != dag.len() {
                    return Err(damaged("what ops touch"));
                }
                Rows::Fixed(rows)
            }
            Form::Short => {
                let edges = usize::try_from(input.u64()?).ok();
                let rows = Short::of(input)?;
                // Each has a byte.
                let edges = edges.filter(|&it| it <= rows.len());
                let edges = edges.ok_or_else(|| damaged("the number of edges"))?;
                self.edges.reserve_exact(edges);
                Rows::Short(rows, edges)
            }
        };
        let mut start = 0;
        for op in 0..narrow(dag.len()) {
            let seen = rows.next(op, &mut self.edges);
            let seen = seen.ok_or_else(|| damaged("what an op touches"))?;
            let Seen {
                touch,
                edges_end,
                seen_by,
                before,
                jump,
            } = seen;
            let edges = self.edges.get(start as usize..edges_end as usize);
            let edges = edges.ok_or_else(|| damaged("the edges of an op"))?;
            start = edges_end;
            // Whoever goes back from an op comes to an end.
            if before > op || jump > before || edges.iter().any(|&earlier| earlier >= op) {
                return Err(damaged("an op at its place that comes later"));
            }
            let sees = op + 1..narrow(dag.len());
            if seen_by != NOTHING && !sees.contains(&seen_by) {
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
                    let (chain, position) = dag.position(op as Index);
                    cell.add_tip(Tip {
                        op,
                        chain,
                        position,
                    });
                }
            }
            self.ops.push(seen);
        }
        if start as usize != self.edges.len() || !rows.is_done(self.edges.len()) {
            return Err(damaged("edges of no op"));
        }
        Ok(())
    }

    fn restore_lasts(
        &mut self,
        input: &mut Decoder<'_>,
        dag: &Dag,
        form: Form,
    ) -> Result<(), Error> {
        let lengths = columns::read_in(input, form)?;
        let lasts = columns::pairs_in(input, form)?;
        let mut rest = &*lasts;
        if lengths.len() != self.cells.len() {
            return Err(damaged("the chains at places"));
        }
        for (cell, length) in self.cells.iter_mut().zip(lengths) {
            let split = rest.split_at_checked(length as usize);
            let (lasts, others) = split.ok_or_else(|| damaged("the chains at a place"))?;
            rest = others;
            let lasts: Box<[_]> = lasts.iter().map(|&[chain, op]| (chain, op)).collect();
            let is_sorted = lasts.is_sorted_by(|a: &(u32, u32), b| a.0 < b.0);
            let is_here = |&(chain, op): &(u32, u32)| {
                (chain as usize) < dag.chain_count() && (op as Index) < dag.len()
            };
            if !is_sorted || !lasts.iter().all(is_here) {
                return Err(damaged("the last op of a chain at a place"));
            }
            cell.set_lasts(lasts);
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(damaged("chains at no place"))
        }
    }
}

/// What the snapshot says of the ops that are left.
enum Rows<'a> {
    Fixed(&'a [[[u8; 4]; 5]]),
    /// With how many edges there are in all.
    Short(Short<'a>, usize),
}

impl Rows<'_> {
    /// What is known of the op; its edges are there, or are appended.
    #[inline]
    fn next(&mut self, op: u32, edges: &mut Vec<u32>) -> Option<Seen> {
        match self {
            Self::Fixed(rows) => {
                let row = rows.get(op as usize)?;
                let [touch, edges_end, seen_by, before, jump] = columns::numbers(row);
                Some(Seen {
                    touch,
                    edges_end,
                    seen_by,
                    before,
                    jump,
                })
            }
            Self::Short(numbers, most) => {
                let touch = numbers.number()?.wrapping_sub(1);
                let count = numbers.number()? as usize;
                if count > *most - edges.len() {
                    return None;
                }
                for _ in 0..count {
                    edges.push(op.checked_sub(numbers.number()?)?);
                }
                let seen_by = match numbers.number()? {
                    0 => NOTHING,
                    later => op.checked_add(later)?,
                };
                let before = op.checked_sub(numbers.number()?)?;
                Some(Seen {
                    touch,
                    edges_end: u32::try_from(edges.len()).ok()?,
                    seen_by,
                    before,
                    jump: before.checked_sub(numbers.number()?)?,
                })
            }
        }
    }

    /// Whether nothing is left when there are so many edges.
    const fn is_done(&self, edges: usize) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::Short(numbers, most) => numbers.len() == 0 && edges == *most,
        }
    }
}

fn array(input: &mut Decoder<'_>) -> Result<u64, Error> {
    input
        .array()?
        .ok_or_else(|| damaged("a list without an end"))
}

/// So many named entries, in the order of their names.
fn ordered<'a, N: From<&'a str> + Deref<Target = str>, T>(
    count: u64,
    input: &mut Decoder<'a>,
    mut read: impl FnMut(&mut Decoder<'a>, &'a str) -> Result<T, Error>,
) -> Result<Vec<(N, T)>, Error> {
    let mut entries: Vec<(N, T)> = Vec::new();
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
    /// By place.
    cells: Vec<Option<Cell>>,
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
        let elements = elements.into_iter().collect();
        Ok(Field::new(id, register, elements))
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
        if self.cells.len() <= at {
            self.cells.resize(at + 1, None);
        }
        let cell = Cell::new(digest, field);
        if self.cells[at].replace(cell).is_some() {
            return Err(damaged("a place twice"));
        }
        Ok(())
    }
}
