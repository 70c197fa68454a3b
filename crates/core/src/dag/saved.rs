//! The DAG in a local snapshot.

use minicbor::Decoder;
use minicbor::decode::Error;

use super::ids::Ids;
use super::{AuthorOps, Dag, Index, Past, Placed, narrow};
use crate::columns::{self, damaged};
use crate::hlc::Hlc;
use crate::id::{OpId, PublicKey};
use crate::tight;
use crate::wire::{Out, Written};

/// Id, physical time, counter, node tag and chain of an op.
const ROW: usize = 32 + 8 + 4 + 4 + 4;
/// Author, by number, and first sequence number of a chain.
const CHAIN_ROW: usize = 4 + 8;

impl Dag {
    pub(crate) fn save(&self, out: &mut Out<'_>) -> Written {
        out.bytes_len((self.authors.len() * 32) as u64)?;
        for author in &self.authors {
            out.writer_mut().extend_from_slice(author.key.as_bytes());
        }
        out.bytes_len((self.chains.len() * CHAIN_ROW) as u64)?;
        for chain in &self.chains {
            let bytes = out.writer_mut();
            bytes.extend_from_slice(&chain.author.to_le_bytes());
            bytes.extend_from_slice(&chain.first_seq.to_le_bytes());
        }
        out.bytes_len((self.nodes.len() * ROW) as u64)?;
        for node in &self.nodes {
            let bytes = out.writer_mut();
            bytes.extend_from_slice(node.id.as_bytes());
            bytes.extend_from_slice(&node.hlc.physical_ms.to_le_bytes());
            bytes.extend_from_slice(&node.hlc.logical.to_le_bytes());
            bytes.extend_from_slice(&node.hlc.node.to_le_bytes());
            bytes.extend_from_slice(&node.chain.to_le_bytes());
        }
        self.ids.save(out)?;
        columns::write(out, self.nodes.iter().map(|node| node.parents_end))?;
        columns::write(out, self.parents.iter().copied())?;
        let pasts: Vec<(u32, &Past)> = self.clocks.each().collect();
        out.array(pasts.len() as u64)?;
        for (op, past) in pasts {
            past.save(out.u32(op)?)?;
        }
        Ok(())
    }

    pub(crate) fn restore(input: &mut Decoder<'_>) -> Result<Self, Error> {
        let mut dag = Self::default();
        for key in columns::rows::<32>(input)? {
            let key = PublicKey::from_bytes(*key);
            if dag.author_ids.contains_key(&key) {
                return Err(damaged("an author twice"));
            }
            dag.author_id(key);
        }
        let chains = columns::rows::<CHAIN_ROW>(input)?;
        let nodes = columns::rows::<ROW>(input)?;
        dag.ids = Ids::restore(input, nodes.len())?;
        let ends = columns::rows::<4>(input)?;
        dag.parents = columns::read(input)?;
        if ends.len() != nodes.len() || u32::try_from(nodes.len()).is_err() {
            return Err(damaged("the ends of parents"));
        }
        dag.nodes.reserve_exact(nodes.len());
        dag.has_child.reserve_exact(nodes.len());
        let mut start = 0;
        for (at, (row, end)) in nodes.iter().zip(ends).enumerate() {
            let others = (start, u32::from_le_bytes(*end));
            dag.restore_op(at, row, others, chains)?;
            (_, start) = others;
        }
        if dag.chains.len() != chains.len() || start as usize != dag.parents.len() {
            return Err(damaged("chains or parents without ops"));
        }
        dag.frontier = (0..narrow(nodes.len()))
            .filter(|&op| !dag.has_child[op as Index])
            .collect();
        dag.restore_pasts(input)?;
        Ok(dag)
    }

    fn restore_op(
        &mut self,
        at: Index,
        row: &[u8; ROW],
        (start, parents_end): (u32, u32),
        chains: &[[u8; CHAIN_ROW]],
    ) -> Result<(), Error> {
        let (id, rest) = row
            .split_first_chunk::<32>()
            .ok_or_else(|| damaged("a row"))?;
        let (physical, rest) = rest.split_first_chunk().ok_or_else(|| damaged("a row"))?;
        let (words, _) = rest.as_chunks::<4>();
        let [logical, node, chain] = words else {
            return Err(damaged("a row"));
        };
        let [logical, node, chain] = [logical, node, chain].map(|it| u32::from_le_bytes(*it));
        let hlc = Hlc {
            physical_ms: u64::from_le_bytes(*physical),
            logical,
            node,
        };
        if chain as usize == self.chains.len() {
            let row = chains.get(chain as usize);
            let row = row.ok_or_else(|| damaged("a chain that is not there"))?;
            let (author, seq) = row.split_at(4);
            let author = author.try_into().map(u32::from_le_bytes);
            let seq = seq.try_into().map(u64::from_le_bytes);
            let (Ok(author), Ok(seq)) = (author, seq) else {
                return Err(damaged("a chain"));
            };
            if author as usize >= self.authors.len() {
                return Err(damaged("a chain of nobody"));
            }
            self.begin_chain(author, seq);
        }
        let others = self.parents.get(start as usize..parents_end as usize);
        let others = others.ok_or_else(|| damaged("the parents of an op"))?;
        let Some(known) = self.chains.get_mut(chain as usize) else {
            return Err(damaged("the chain of an op"));
        };
        if others.iter().any(|&parent| parent as Index >= at) {
            return Err(damaged("a parent that comes later"));
        }
        let before = known.ops.last().copied();
        let position = narrow(known.ops.len());
        let (author, seq) = (known.author, known.first_seq + u64::from(position));
        tight::push(&mut known.ops, narrow(at));
        if !self.authors[author as usize].takes(seq) {
            return Err(damaged("a gap in sequence numbers"));
        }
        for &parent in others.iter().chain(&before) {
            self.has_child[parent as Index] = true;
        }
        self.has_child.push(false);
        let base = match before.filter(|_| others.is_empty()) {
            Some(before) => self.nodes[before as Index].base,
            None => narrow(at),
        };
        self.nodes.push(Placed {
            id: OpId::from_bytes(*id),
            hlc,
            chain,
            position,
            base,
            parents_end,
        });
        self.count_number(author, seq, at);
        Ok(())
    }

    fn restore_pasts(&mut self, input: &mut Decoder<'_>) -> Result<(), Error> {
        let count = input.array()?.ok_or_else(|| damaged("the clocks"))?;
        let lengths: Vec<u32> = self
            .chains
            .iter()
            .map(|chain| narrow(chain.ops.len()))
            .collect();
        let mut pasts = Vec::new();
        for _ in 0..count {
            let op = input.u32()?;
            if op as Index >= self.nodes.len() {
                return Err(damaged("the op of a clock"));
            }
            pasts.push((op, Past::restore(input, &lengths)?));
        }
        self.clocks.put(pasts);
        self.clocks.begin(narrow(self.nodes.len()));
        Ok(())
    }
}

impl AuthorOps {
    /// Whether the author can have an op of this number: the next one, or one that is there.
    fn takes(&self, seq: u64) -> bool {
        self.chains.len() == 1 || seq <= self.by_seq.len() as u64
    }
}
