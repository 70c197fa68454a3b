//! The DAG in a local snapshot.

use minicbor::Decoder;
use minicbor::decode::Error;

use super::ids::Ids;
use super::{AuthorOps, Dag, Index, Past, Placed, narrow};
use crate::columns::{self, Form, Short, damaged};
use crate::hlc::Hlc;
use crate::id::{OpId, PublicKey};
use crate::tight;
use crate::wire::{Out, Written};

/// In the form of fixed width: id, physical time, counter, node tag and chain of an op.
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
        out.bytes_len((self.nodes.len() * 32) as u64)?;
        for node in self.nodes.iter() {
            out.writer_mut().extend_from_slice(node.id.as_bytes());
        }
        self.ids.save(out)?;
        out.u64(self.parents.len() as u64)?
            .bytes(&self.short_rows())?;
        let pasts: Vec<(u32, &Past)> = self.clocks.each().collect();
        out.array(pasts.len() as u64)?;
        for (op, past) in pasts {
            past.save(out.u32(op)?)?;
        }
        Ok(())
    }

    /// Of each op: the physical time after that of the op before, counter, chain, node tag, number of parents, and how far back
    /// each of them is.
    fn short_rows(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (mut physical_ms, mut start) = (0, 0);
        let mut tags: Vec<u32> = Vec::with_capacity(self.chains.len());
        for (at, node) in (0_u32..).zip(self.nodes.iter()) {
            let Hlc { logical, .. } = node.hlc;
            let later = node.hlc.physical_ms.wrapping_sub(physical_ms);
            physical_ms = node.hlc.physical_ms;
            columns::put(&mut bytes, later << 1 ^ 0_u64.wrapping_sub(later >> 63));
            columns::put(&mut bytes, logical);
            columns::put(&mut bytes, node.chain);
            let tag = u64::from(node.hlc.node) + 1;
            let tag = match tags.get_mut(node.chain as usize) {
                Some(last) if *last == node.hlc.node => SAME_TAG,
                Some(last) => {
                    *last = node.hlc.node;
                    tag
                }
                None => {
                    tags.push(node.hlc.node);
                    tag
                }
            };
            columns::put(&mut bytes, tag);
            let parents = &self.parents[start as usize..node.parents_end as usize];
            columns::put(&mut bytes, node.parents_end - start);
            for &parent in parents {
                columns::put(&mut bytes, at.wrapping_sub(parent));
            }
            start = node.parents_end;
        }
        bytes
    }

    pub(crate) fn restore(input: &mut Decoder<'_>, form: Form) -> Result<Self, Error> {
        let mut dag = Self::default();
        for key in columns::rows::<32>(input)? {
            let key = PublicKey::from_bytes(*key);
            if dag.author_number(&key).is_some() {
                return Err(damaged("an author twice"));
            }
            dag.author_id(key);
        }
        let chains = columns::rows::<CHAIN_ROW>(input)?;
        let (mut rows, count) = match form {
            Form::Fixed => {
                let rows = columns::rows::<ROW>(input)?;
                dag.ids = Ids::restore(input, rows.len())?;
                let ends = columns::rows::<4>(input)?;
                dag.parents = columns::read(input)?;
                if ends.len() != rows.len() {
                    return Err(damaged("the ends of parents"));
                }
                (Rows::Fixed { rows, ends }, rows.len())
            }
            Form::Short => {
                let ids = columns::rows::<32>(input)?;
                dag.ids = Ids::restore(input, ids.len())?;
                let parents = input.u64()?;
                let rows = ShortRows::of(ids, Short::of(input)?, parents)?;
                dag.parents.reserve_exact(rows.parents);
                (Rows::Short(rows), ids.len())
            }
        };
        if u32::try_from(count).is_err() {
            return Err(damaged("the number of ops"));
        }
        dag.has_child.reserve_exact(count);
        let mut start = 0;
        for at in 0..count {
            let row = rows.next(at, &mut dag.parents);
            let row = row.ok_or_else(|| damaged("a row"))?;
            dag.restore_op(at, &row, start, chains)?;
            start = row.parents_end;
        }
        if let Rows::Short(rest) = &rows
            && (rest.numbers.len() > 0 || rest.parents != dag.parents.len())
        {
            return Err(damaged("rows of no op"));
        }
        if dag.chains.len() != chains.len() || start as usize != dag.parents.len() {
            return Err(damaged("chains or parents without ops"));
        }
        dag.frontier = (0..narrow(count))
            .filter(|&op| !dag.has_child[op as Index])
            .collect();
        dag.restore_pasts(input)?;
        Ok(dag)
    }

    fn restore_op(
        &mut self,
        at: Index,
        row: &Row,
        start: u32,
        chains: &[[u8; CHAIN_ROW]],
    ) -> Result<(), Error> {
        let &Row {
            id,
            hlc,
            chain,
            parents_end,
        } = row;
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
            id,
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

/// Stands for the node tag of the op before in the chain; others are one more.
const SAME_TAG: u64 = 0;

/// What the snapshot says of an op.
struct Row {
    id: OpId,
    hlc: Hlc,
    chain: u32,
    parents_end: u32,
}

/// What it says of the ops that are left.
enum Rows<'a> {
    Fixed {
        rows: &'a [[u8; ROW]],
        ends: &'a [[u8; 4]],
    },
    Short(ShortRows<'a>),
}

impl Rows<'_> {
    /// The row of the op at that position; its parents are there, or are appended.
    #[inline]
    fn next(&mut self, at: Index, parents: &mut Vec<u32>) -> Option<Row> {
        match self {
            Self::Fixed { rows, ends } => fixed_row(rows.get(at)?, *ends.get(at)?),
            Self::Short(rows) => rows.next(at, parents),
        }
    }
}

fn fixed_row(row: &[u8; ROW], parents_end: [u8; 4]) -> Option<Row> {
    let (id, rest) = row.split_first_chunk::<32>()?;
    let (physical, rest) = rest.split_first_chunk()?;
    let (words, _) = rest.as_chunks::<4>();
    let [logical, node, chain] = words else {
        return None;
    };
    let [logical, node, chain] = [logical, node, chain].map(|it| u32::from_le_bytes(*it));
    Some(Row {
        id: OpId::from_bytes(*id),
        hlc: Hlc {
            physical_ms: u64::from_le_bytes(*physical),
            logical,
            node,
        },
        chain,
        parents_end: u32::from_le_bytes(parents_end),
    })
}

struct ShortRows<'a> {
    ids: &'a [[u8; 32]],
    numbers: Short<'a>,
    /// How many parents there are in all.
    parents: usize,
    /// The physical time of the op before.
    physical_ms: u64,
    /// The last node tag of each chain.
    tags: Vec<u32>,
}

impl<'a> ShortRows<'a> {
    fn of(ids: &'a [[u8; 32]], numbers: Short<'a>, parents: u64) -> Result<Self, Error> {
        let parents = usize::try_from(parents).ok();
        // Each has a byte.
        let parents = parents.filter(|&it| it <= numbers.len());
        Ok(Self {
            ids,
            numbers,
            parents: parents.ok_or_else(|| damaged("the number of parents"))?,
            physical_ms: 0,
            tags: Vec::new(),
        })
    }

    #[inline]
    fn next(&mut self, at: Index, parents: &mut Vec<u32>) -> Option<Row> {
        let id = OpId::from_bytes(*self.ids.get(at)?);
        let later = self.numbers.long()?;
        let later = later >> 1 ^ 0_u64.wrapping_sub(later & 1);
        self.physical_ms = self.physical_ms.wrapping_add(later);
        let logical = self.numbers.number()?;
        let chain = self.numbers.number()?;
        let tag = self.numbers.long()?;
        let node = match (self.tags.get_mut(chain as usize), tag) {
            (Some(last), SAME_TAG) => *last,
            (Some(last), _) => {
                *last = u32::try_from(tag - 1).ok()?;
                *last
            }
            (None, SAME_TAG) => return None,
            (None, _) => {
                let node = u32::try_from(tag - 1).ok()?;
                self.tags.push(node);
                node
            }
        };
        let count = self.numbers.number()? as usize;
        if count > self.parents - parents.len() {
            return None;
        }
        let op = narrow(at);
        for _ in 0..count {
            parents.push(op.checked_sub(self.numbers.number()?)?);
        }
        Some(Row {
            id,
            hlc: Hlc {
                physical_ms: self.physical_ms,
                logical,
                node,
            },
            chain,
            parents_end: u32::try_from(parents.len()).ok()?,
        })
    }
}

impl AuthorOps {
    /// Whether the author can have an op of this number: the next one, or one that is there.
    fn takes(&self, seq: u64) -> bool {
        self.chains.all().len() == 1 || seq <= self.by_seq.len() as u64
    }
}
