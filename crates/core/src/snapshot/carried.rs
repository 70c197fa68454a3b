//! The carried form: a past whose digest a final seal names, for who has nothing of it (`docs/pruning.md`, Starting from a
//! sealed snapshot). What is read may come from anybody.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::data::Type;
use minicbor::decode::Error as Malformed;
use minicbor::{Decoder, Encoder};

use super::SealedPast;
use super::skeleton::{Skeletons, encoded};
use crate::costs::Costs;
use crate::dag::{Index, Node};
use crate::hlc::Hlc;
use crate::id::{OpId, ProjectId, PublicKey};
use crate::limits::PARENTS_MAX;
use crate::log::{Log, Told};
use crate::name::Name;
use crate::op::{Body, VerifiedOp};
use crate::place::{Spot, Touch};
use crate::store::StoreError;
use crate::wire::Out;

/// What every carried snapshot begins with.
const FORMAT: &str = "ecac-carried-v1";
/// An op takes more bytes.
const OP_BYTES_MIN: usize = 40;
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

/// Some ops of a carried snapshot, in order: of each whether its envelope was dropped.
#[derive(Default)]
pub(crate) struct Part<'a> {
    pub(crate) is_dropped: Vec<bool>,
    pub(crate) envelopes: Vec<&'a [u8]>,
    pub(crate) dropped: Vec<Dropped>,
}

/// What is told of an op whose envelope was dropped: nobody has verified it.
pub(crate) struct Dropped {
    pub(crate) id: OpId,
    /// Number of the author.
    author: u32,
    seq: u64,
    /// How far back its parents lie, ascending, and how many there are.
    links: [u32; PARENTS_MAX],
    count: usize,
    hlc: Hlc,
    touch: u8,
    /// Number of the place.
    place: u32,
}

/// A place of dropped ops.
struct Place {
    names: (Name, Name, Option<Name>),
    /// Where that is in the log, once an op there has been admitted.
    spot: Option<Spot>,
    /// By what is done there: what an op says that does it, encoded.
    blanks: [Option<Vec<u8>>; 3],
}

/// Reads a carried snapshot op by op. What is told of dropped ops is not verified.
pub(crate) struct Reader<'a> {
    input: Decoder<'a>,
    pub(crate) project: ProjectId,
    pub(crate) seal: OpId,
    authors: Vec<PublicKey>,
    places: Vec<Place>,
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
            places.push(Place {
                names: (object, field, element),
                spot: None,
                blanks: [None, None, None],
            });
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

    /// How many ops there are to come, or fewer than are said if there are not so many bytes.
    pub(crate) fn ops_at_most(&self) -> usize {
        let bytes = self.input.input().len() - self.input.position();
        let said = usize::try_from(self.rest).unwrap_or(usize::MAX);
        said.min(bytes / OP_BYTES_MIN)
    }

    /// The next ops, so many at most; none behind the last one, where nothing may follow.
    pub(crate) fn part(&mut self, most: usize) -> Result<Part<'a>, Malformed> {
        let mut part = Part::default();
        while part.is_dropped.len() < most && self.rest > 0 {
            self.rest -= 1;
            let is_dropped = self.input.datatype()? != Type::Bytes;
            part.is_dropped.push(is_dropped);
            if is_dropped {
                part.dropped.push(self.dropped()?);
            } else {
                part.envelopes.push(self.input.bytes()?);
            }
        }
        if self.rest == 0 && self.input.position() != self.input.input().len() {
            return Err(Malformed::message("something follows the end"));
        }
        Ok(part)
    }

    fn dropped(&mut self) -> Result<Dropped, Malformed> {
        let input = &mut self.input;
        if input.array()? != Some(DROPPED_MEMBERS) {
            return Err(Malformed::message("a dropped op"));
        }
        let id = op_id(input)?;
        let (author, seq) = (input.u32()?, input.u64()?);
        let count = usize::try_from(count(input, "the links of an op")?).ok();
        let count = count.filter(|it| (1..=PARENTS_MAX).contains(it));
        let count = count.ok_or_else(|| Malformed::message("the number of links of an op"))?;
        let mut links = [0; PARENTS_MAX];
        for link in &mut links[..count] {
            *link = input.u32()?;
        }
        if !links[..count].is_sorted_by(|a, b| a < b) {
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
            count,
            hlc,
            touch: input.u8()?,
            place: input.u32()?,
        })
    }

    /// Admits the dropped op, which comes next in the log, and gathers its skeleton; `None` if there is no such author, place or
    /// link, or if it is not admitted.
    ///
    /// # Errors
    /// [`StoreError`] of the log.
    pub(crate) fn admit(
        &mut self,
        dropped: &Dropped,
        log: &mut Log,
        skeletons: &mut Skeletons,
        costs: &mut Costs,
    ) -> Result<Option<()>, StoreError> {
        let at = log.dag.len();
        let mut parents = [0; PARENTS_MAX];
        let links = dropped.links[..dropped.count].iter().rev();
        for (parent, &back) in parents.iter_mut().zip(links) {
            let to = at.checked_sub(back as Index).filter(|&to| to < at);
            let Some(to) = to else {
                return Ok(None);
            };
            *parent = to;
        }
        let parents = &parents[..dropped.count];
        let author = self.authors.get(dropped.author as usize);
        let place = self.places.get_mut(dropped.place as usize);
        let touch = Touch::numbered(dropped.touch);
        let (Some(&author), Some(place), Some(touch)) = (author, place, touch) else {
            return Ok(None);
        };
        let (object, field, element) = &place.names;
        if touch.needs_element() != element.is_some() {
            return Ok(None);
        }
        let blank = || touch.blank(object.clone(), field.clone(), element.clone());
        let bytes = &mut place.blanks[usize::from(dropped.touch)];
        if bytes.is_none() {
            *bytes = blank().and_then(|it| encoded(&it).ok());
        }
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let node = Node {
            id: dropped.id,
            author,
            seq: dropped.seq,
            hlc: dropped.hlc,
        };
        if let Some(spot) = place.spot {
            let told = Told {
                node,
                parents,
                touch,
                spot,
            };
            if let Some(ends) = log.admit_told(&told, costs)? {
                return Ok(skeletons.push_told(&log.dag, &ends, bytes).ok());
            }
        }
        let mut named: Vec<OpId> = parents.iter().map(|&it| log.dag.id(it)).collect();
        named.sort_unstable();
        let Some(payload) = blank() else {
            return Ok(None);
        };
        let body = Body {
            author,
            seq: node.seq,
            parents: named,
            hlc: node.hlc,
            payload,
        };
        log.ingest(VerifiedOp::hollow(node.id, body.clone()), costs);
        if log.dag.len() != at + 1 {
            return Ok(None);
        }
        place.spot = log.places.spot(&body.payload);
        Ok(skeletons.push(&log.dag, &body).ok())
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
