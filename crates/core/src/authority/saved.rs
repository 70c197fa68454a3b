//! Authority in a local snapshot: the sets of titles, under which of them each op was admitted, and what became of each
//! signature. The rest is registered again from the ops of trust and policy.

use minicbor::Decoder;
use minicbor::decode::Error;

use super::entry::Entry;
use super::leave::Leave;
use super::register::Authority;
use super::title::Title;
use crate::columns::{self, Form, damaged};
use crate::costs::Costs;
use crate::dag::{Dag, Index, narrow};
use crate::wire::{Out, Written};

/// Stands for no link.
const NO_LINK: u32 = u32::MAX;

impl Authority {
    pub(crate) fn save(&self, out: &mut Out<'_>) -> Written {
        out.array(self.warrants.len() as u64)?;
        for set in &self.warrants {
            let mut numbers = Vec::with_capacity(set.titles.len() * 2);
            for title in &set.titles {
                numbers.extend([narrow(title.grant), title.link.map_or(NO_LINK, narrow)]);
            }
            columns::write(out, numbers.into_iter())?;
        }
        columns::write_short(out, self.warrant_of.iter())?;
        let verdicts = &self.verdicts.borrow().told;
        let verdicts: Vec<u8> = verdicts.iter().map(|&it| it.into()).collect();
        out.bytes(&verdicts)?;
        Ok(())
    }

    /// Takes in what the snapshot says of the ops of the DAG; `register` registers an op of trust and policy.
    pub(crate) fn restore(
        &mut self,
        dag: &Dag,
        input: &mut Decoder<'_>,
        form: Form,
        mut register: impl FnMut(Index, &mut Entry<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let count = input
            .array()?
            .ok_or_else(|| damaged("the sets of titles"))?;
        let mut sets: Vec<Vec<u32>> = Vec::new();
        for _ in 0..count {
            sets.push(columns::read(input)?);
        }
        let warrant_of = columns::read_in(input, form)?;
        if warrant_of.len() != dag.len() {
            return Err(damaged("under what ops were admitted"));
        }
        let verdicts = input.bytes()?.iter().map(|&it| it != 0);
        self.verdicts.get_mut().recalled = verdicts.rev().collect();
        self.warrant_of.reserve(warrant_of.len());
        for (at, set) in warrant_of.into_iter().enumerate() {
            if set as usize == self.warrants.len() {
                let numbers = sets.get(set as usize);
                let numbers = numbers.ok_or_else(|| damaged("a set of titles"))?;
                let titles = self.titles_in(numbers);
                let titles = titles.ok_or_else(|| damaged("a title"))?;
                if self.intern(titles.into_boxed_slice(), dag, at) != set {
                    return Err(damaged("a set of titles twice"));
                }
            } else if set as usize > self.warrants.len() {
                return Err(damaged("a set of titles that comes later"));
            }
            let leave = Leave::Known(set);
            register(
                at,
                &mut Entry::new(self, dag, at, leave, &mut Costs::default()),
            )?;
        }
        if self.verdicts.get_mut().recalled.is_empty() {
            Ok(())
        } else {
            Err(damaged("signatures of no op"))
        }
    }

    /// The titles, of grants and links that are registered.
    fn titles_in(&self, numbers: &[u32]) -> Option<Vec<Title>> {
        let (pairs, rest) = numbers.as_chunks::<2>();
        let title = |&[grant, link]: &[u32; 2]| {
            let grant = grant as usize;
            let link = Some(link)
                .filter(|&link| link != NO_LINK)
                .map(|it| it as usize);
            let known = grant < self.grants.len() && link.is_none_or(|it| it < self.links.len());
            known.then_some(Title { grant, link })
        };
        pairs
            .iter()
            .map(title)
            .collect::<Option<_>>()
            .filter(|_| rest.is_empty())
    }
}
