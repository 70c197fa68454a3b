//! The carried form: a past whose digest a final seal names, for who has nothing of it (`docs/pruning.md`, Starting from a
//! sealed snapshot). What is read may come from anybody.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::data::Type;
use minicbor::decode::Error as Malformed;
use minicbor::{Decoder, Encoder};

use super::SealedPast;
use crate::dag::Index;
use crate::hlc::Hlc;
use crate::id::{OpId, ProjectId, PublicKey};
use crate::limits::PARENTS_MAX;
use crate::name::Name;
use crate::op::{Body, VerifiedOp};
use crate::place::Touch;
use crate::wire::Out;

/// What every carried snapshot begins with.
const FORMAT: &str = "ecac-carried-v1";
/// Members of the whole, and of what is kept of a dropped op.
const MEMBERS: u64 = 6;
const DROPPED_MEMBERS: u64 = 9;

/// Writing into memory does not fail.
type Unwritten = minicbor::encode::Error<core::convert::Infallible>;

/// Names of an object, a field, and an element of a set.
type Names<'a> = (&'a str, &'a str, Option<&'a str>);

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
        let skeletons = self.past.skeletons.as_ref();
        let place = self.at(op).and_then(|names| self.places.get(&names));
        let (Some(skeletons), Some(place), Some((_, touch)), Some(author)) = (
            skeletons,
            place,
            log.places.touched(op),
            self.authors.get(&node.author),
        ) else {
            return Ok(None);
        };
        let back = |&parent: &u32| positions[op] - positions[parent as Index];
        let mut links: Vec<usize> = skeletons.parents(op).iter().map(back).collect();
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

/// An op of a carried snapshot.
pub(crate) enum Item<'a> {
    Envelope(&'a [u8]),
    Dropped(Dropped),
}

/// What is told of an op whose envelope was dropped: nobody has verified it.
pub(crate) struct Dropped {
    id: OpId,
    /// Number of the author.
    author: u64,
    seq: u64,
    /// How far back its parents lie, ascending.
    links: Vec<u64>,
    hlc: Hlc,
    touch: u8,
    /// Number of the place.
    place: u64,
}

/// Reads a carried snapshot op by op. What is told of dropped ops is not verified.
pub(crate) struct Reader<'a> {
    input: Decoder<'a>,
    pub(crate) project: ProjectId,
    pub(crate) seal: OpId,
    authors: Vec<PublicKey>,
    places: Vec<(Name, Name, Option<Name>)>,
    rest: u64,
}

impl<'a> Reader<'a> {
    /// Begins with bytes that anybody may have made; `None` if they are no carried snapshot of this version.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Result<Self, Malformed>> {
        let mut input = Decoder::new(bytes);
        let begins = input.array().ok().flatten() == Some(MEMBERS);
        let is_known = begins && input.str().ok() == Some(FORMAT);
        is_known.then(|| Self::read_head(input))
    }

    fn read_head(mut input: Decoder<'a>) -> Result<Self, Malformed> {
        let (project, seal) = (op_id(&mut input)?, op_id(&mut input)?);
        let mut authors = Vec::new();
        for _ in 0..count(&mut input, "the authors")? {
            let author: [u8; 32] = fixed(&mut input, "an author")?;
            authors.push(PublicKey::from_bytes(author));
        }
        let mut places = Vec::new();
        for _ in 0..count(&mut input, "the places")? {
            let names = count(&mut input, "a place")?;
            let (object, field) = (name(&mut input)?, name(&mut input)?);
            let element = match names {
                2 => None,
                3 => Some(name(&mut input)?),
                _ => return Err(Malformed::message("a place")),
            };
            places.push((object, field, element));
        }
        let rest = count(&mut input, "the ops")?;
        Ok(Self {
            input,
            project,
            seal,
            authors,
            places,
            rest,
        })
    }

    /// The next op; `None` behind the last one, where nothing may follow.
    pub(crate) fn next(&mut self) -> Result<Option<Item<'a>>, Malformed> {
        let Some(rest) = self.rest.checked_sub(1) else {
            return if self.input.position() == self.input.input().len() {
                Ok(None)
            } else {
                Err(Malformed::message("something follows the end"))
            };
        };
        self.rest = rest;
        Ok(Some(match self.input.datatype()? {
            Type::Bytes => Item::Envelope(self.input.bytes()?),
            _ => Item::Dropped(self.dropped()?),
        }))
    }

    fn dropped(&mut self) -> Result<Dropped, Malformed> {
        let input = &mut self.input;
        if input.array()? != Some(DROPPED_MEMBERS) {
            return Err(Malformed::message("a dropped op"));
        }
        let id = op_id(input)?;
        let (author, seq) = (input.u64()?, input.u64()?);
        let count = count(input, "the links of an op")?;
        if count == 0 || count > PARENTS_MAX as u64 {
            return Err(Malformed::message("the number of links of an op"));
        }
        let mut links = Vec::new();
        for _ in 0..count {
            links.push(input.u64()?);
        }
        if !links.is_sorted_by(|a, b| a < b) {
            return Err(Malformed::message("the order of the links of an op"));
        }
        let hlc = Hlc {
            physical_ms: input.u64()?,
            logical: input.u32()?,
            node: input.u32()?,
        };
        Ok(Dropped {
            id,
            author,
            seq,
            links,
            hlc,
            touch: input.u8()?,
            place: input.u64()?,
        })
    }

    /// The dropped op, which comes after those with these ids; `None` if there is no such author, place or link.
    pub(crate) fn op(&self, dropped: &Dropped, ids: &[OpId]) -> Option<VerifiedOp> {
        let at = |number: u64| usize::try_from(number).ok();
        let mut parents = Vec::with_capacity(dropped.links.len());
        for &back in &dropped.links {
            parents.push(*ids.get(ids.len().checked_sub(at(back)?)?)?);
        }
        parents.sort_unstable();
        let (object, field, element) = self.places.get(at(dropped.place)?)?.clone();
        let body = Body {
            author: *self.authors.get(at(dropped.author)?)?,
            seq: dropped.seq,
            parents,
            hlc: dropped.hlc,
            payload: Touch::numbered(dropped.touch)?.blank(object, field, element)?,
        };
        Some(VerifiedOp::hollow(dropped.id, body))
    }
}

fn count(input: &mut Decoder<'_>, what: &'static str) -> Result<u64, Malformed> {
    input.array()?.ok_or_else(|| Malformed::message(what))
}

fn fixed<const N: usize>(
    input: &mut Decoder<'_>,
    what: &'static str,
) -> Result<[u8; N], Malformed> {
    let bytes = input.bytes()?.try_into();
    bytes.map_err(|_| Malformed::message(what))
}

fn op_id(input: &mut Decoder<'_>) -> Result<OpId, Malformed> {
    fixed(input, "an op id").map(OpId::from_bytes)
}

fn name(input: &mut Decoder<'_>) -> Result<Name, Malformed> {
    Name::new(input.str()?).map_err(|_| Malformed::message("a name"))
}
