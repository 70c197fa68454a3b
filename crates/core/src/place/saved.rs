//! Places in a local snapshot.

use minicbor::Decoder;
use minicbor::decode::Error;

use super::{NOTHING, Places, Seen};
use crate::columns::{self, damaged};
use crate::dag::{Dag, Index};
use crate::payload::wire::{Out, Written};

impl Places {
    pub(crate) fn save(&self, out: &mut Out<'_>) -> Written {
        out.array(self.cells.len() as u64)?;
        for (object, field, element) in self.names() {
            out.array(3)?.str(object)?.str(field)?;
            match element {
                Some(element) => out.str(element)?,
                None => out.null()?,
            };
        }
        columns::write(out, self.ops.iter().map(|seen| seen.touch))?;
        columns::write(out, self.ops.iter().map(|seen| seen.edges_end))?;
        columns::write(out, self.edges.iter().copied())
    }

    /// The names of the places, in the order of their numbers.
    fn names(&self) -> Vec<(&str, &str, Option<&str>)> {
        let mut names = vec![("", "", None); self.cells.len()];
        for (object, fields) in &self.objects {
            for (field, it) in fields.fields() {
                if let Some(place) = it.register {
                    names[place as usize] = (&**object, field, None);
                }
                for (element, &place) in &it.elements {
                    names[place as usize] = (&**object, field, Some(&**element));
                }
            }
        }
        names
    }

    pub(crate) fn restore(input: &mut Decoder<'_>, dag: &Dag) -> Result<Self, Error> {
        let mut places = Self::default();
        let count = input.array()?.ok_or_else(|| damaged("the places"))?;
        for _ in 0..count {
            if input.array()? != Some(3) {
                return Err(damaged("the name of a place"));
            }
            let (object, field) = (input.str()?, input.str()?);
            let element = match input.datatype()? {
                minicbor::data::Type::Null => input.null().map(|()| None)?,
                _ => Some(input.str()?),
            };
            if places.at(object, field, element).is_some() {
                return Err(damaged("a place twice"));
            }
            places.name(object, field, element);
        }
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
