//! The carried form: a past whose digest a final seal names, for who has nothing of it (`docs/pruning.md`, Starting from a
//! sealed snapshot), as it is written.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::Encoder;

use super::SealedPast;
use super::skeleton::ends;
use crate::dag::Index;
use crate::id::{OpId, PublicKey};
use crate::op::VerifiedOp;
use crate::place::Names;
use crate::wire::Out;

/// What every carried snapshot begins with.
pub(super) const FORMAT: &str = "ecac-carried-v1";
/// Members of the whole, and of what is kept of a dropped op.
pub(super) const MEMBERS: u64 = 6;
pub(super) const DROPPED_MEMBERS: u64 = 9;

/// Writing into memory does not fail.
type Unwritten = minicbor::encode::Error<core::convert::Infallible>;

/// Writes the past of the seal, of which the ops that `drops` names go without their envelopes, and then these ops, which begin
/// with the seal. Writing into memory does not fail; `None` if an envelope that is needed is not here.
pub(crate) fn write(
    past: &SealedPast,
    drops: impl Fn(Index) -> bool,
    after: &[VerifiedOp],
) -> Option<Vec<u8>> {
    let seal = after.first()?.id();
    let dropped: Vec<Index> = (0..past.log.dag.len()).filter(|&op| drops(op)).collect();
    let names = past.log.places.names_by_number();
    let mut carried = Carried {
        past,
        authors: BTreeMap::new(),
        places: BTreeMap::new(),
        names: &names,
    };
    carried.number(&dropped);
    let mut bytes = Vec::new();
    let is_written = carried.write(&mut Encoder::new(&mut bytes), seal, drops, after);
    is_written.ok().flatten().map(|()| bytes)
}

/// What is being written.
struct Carried<'a> {
    past: &'a SealedPast,
    /// The numbers of the authors and the places of the dropped ops.
    authors: BTreeMap<PublicKey, u64>,
    places: BTreeMap<Names<'a>, u64>,
    /// The names of all places.
    names: &'a [Names<'a>],
}

impl<'a> Carried<'a> {
    fn number(&mut self, dropped: &[Index]) {
        let log = &self.past.log;
        let authors: BTreeSet<PublicKey> =
            dropped.iter().map(|&op| log.dag.node(op).author).collect();
        let places: BTreeSet<Names<'a>> = dropped.iter().filter_map(|&op| self.at(op)).collect();
        self.authors = authors.into_iter().zip(0..).collect();
        self.places = places.into_iter().zip(0..).collect();
    }

    /// The place of the op.
    fn at(&self, op: Index) -> Option<Names<'a>> {
        let (place, _) = self.past.log.places.touched(op)?;
        self.names.get(place as usize).copied()
    }

    fn write(
        &self,
        out: &mut Out<'_>,
        seal: OpId,
        drops: impl Fn(Index) -> bool,
        after: &[VerifiedOp],
    ) -> Result<Option<()>, Unwritten> {
        let log = &self.past.log;
        out.array(MEMBERS)?.str(FORMAT)?;
        out.bytes(log.project().as_bytes())?;
        out.bytes(seal.as_bytes())?;
        out.array(self.authors.len() as u64)?;
        for author in self.authors.keys() {
            out.bytes(author.as_bytes())?;
        }
        out.array(self.places.len() as u64)?;
        for (object, field, element) in self.places.keys() {
            out.array(2 + u64::from(element.is_some()))?;
            out.str(object)?.str(field)?;
            if let Some(element) = element {
                out.str(element)?;
            }
        }
        let order = log.dag.total_order();
        out.array((order.len() + after.len()) as u64)?;
        let mut positions = vec![0; order.len()];
        for (position, op) in order.into_iter().enumerate() {
            positions[op] = position;
            if drops(op) {
                if self.dropped(out, op, &positions)?.is_none() {
                    return Ok(None);
                }
            } else if let Some(op) = log.op(op) {
                out.bytes(op.envelope())?;
            } else {
                return Ok(None);
            }
        }
        for op in after {
            out.bytes(op.envelope())?;
        }
        Ok(Some(()))
    }

    /// What is kept of a dropped op: links are told by how far back they lead.
    fn dropped(
        &self,
        out: &mut Out<'_>,
        op: Index,
        positions: &[usize],
    ) -> Result<Option<()>, Unwritten> {
        let log = &self.past.log;
        let node = log.dag.node(op);
        let place = self.at(op).and_then(|names| self.places.get(&names));
        let (Some(place), Some((_, touch)), Some(author)) = (
            place,
            log.places.touched(op),
            self.authors.get(&node.author),
        ) else {
            return Ok(None);
        };
        let back = |parent: Index| positions[op] - positions[parent];
        let mut links: Vec<usize> = ends(&log.dag, op).into_iter().map(back).collect();
        links.sort_unstable();
        out.array(DROPPED_MEMBERS)?.bytes(node.id.as_bytes())?;
        out.u64(*author)?.u64(node.seq)?;
        out.array(links.len() as u64)?;
        for link in links {
            out.u64(link as u64)?;
        }
        out.u64(node.hlc.physical_ms)?;
        out.u32(node.hlc.logical)?.u32(node.hlc.node)?;
        out.u8(touch.number())?.u64(*place)?;
        Ok(Some(()))
    }
}
