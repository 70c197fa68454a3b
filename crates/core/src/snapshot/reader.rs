//! The carried form as it is read: what is read may come from anybody.

use core::hint::black_box;

use minicbor::Decoder;
use minicbor::decode::Error as Malformed;

use super::carried::{DROPPED_MEMBERS, FORMAT, MEMBERS};
use super::skeleton::{Skeletons, encoded};
use crate::costs::Costs;
use crate::dag::{Index, Node, TellMemory};
use crate::head::{ARRAY, BYTES, UINT, take_head};
use crate::hlc::Hlc;
use crate::id::{OpId, ProjectId, PublicKey};
use crate::limits::PARENTS_MAX;
use crate::log::{Known, Log, Site, Told};
use crate::name::{Name, fault};
use crate::op::{Body, VerifiedOp};
use crate::payload::Payload;
use crate::place::{Names, Sight, Touch};
use crate::store::StoreError;

/// An op takes more bytes.
const OP_BYTES_MIN: usize = 40;

/// What is told of an op whose envelope was dropped: nobody has verified it.
pub(crate) struct Dropped<'a> {
    pub(crate) id: OpId,
    /// Number of the author.
    author: u32,
    /// How many parents it has, and how far back they lie.
    count: u32,
    links: Ops<'a>,
    seq: u64,
    hlc: Hlc,
    touch: u8,
    /// Number of the place.
    place: u32,
}

/// An author of dropped ops.
struct Author {
    key: PublicKey,
    /// The only chain of the author, once one is known.
    chain: Option<u32>,
}

/// A place of dropped ops.
#[derive(Clone, Copy, Default)]
struct Place {
    /// Where that is in the log, once an op there has been admitted.
    known: Option<Known>,
    /// By what is done there: where what an op says that does it, encoded, begins among all that is said, and how long it is; 0
    /// where that is not known yet.
    said: [(u32, u32); 3],
}

/// Reads a carried snapshot op by op. What is told of dropped ops is not verified.
pub(crate) struct Reader<'a> {
    ops: Ops<'a>,
    pub(crate) project: ProjectId,
    pub(crate) seal: OpId,
    authors: Vec<Author>,
    /// By number of the place: its names, and what comes to be known of it.
    names: Vec<Names<'a>>,
    places: Vec<Place>,
    /// What ops say, encoded.
    said: Vec<u8>,
    rest: u64,
}

/// An op of a carried snapshot.
pub(crate) enum CarriedOp<'a> {
    /// With its envelope.
    Envelope(&'a [u8]),
    /// Without.
    Dropped(Dropped<'a>),
}

impl<'a> CarriedOp<'a> {
    /// The envelope, if it goes with it.
    pub(crate) const fn envelope(&self) -> Option<&'a [u8]> {
        match self {
            Self::Envelope(envelope) => Some(envelope),
            Self::Dropped(_) => None,
        }
    }
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
            authors.push(Author {
                key: PublicKey::from_bytes(author),
                chain: None,
            });
        }
        let mut names = Vec::new();
        for _ in 0..count(&mut input, "the places")? {
            let members = count(&mut input, "a place")?;
            let (object, field) = (name(&mut input)?, name(&mut input)?);
            let element = match members {
                2 => None,
                3 => Some(name(&mut input)?),
                _ => return Err(Malformed::message("a place")),
            };
            names.push((object, field, element));
        }
        let rest = count(&mut input, "the ops")?;
        let ops = Ops(input.input().get(input.position()..).unwrap_or_default());
        Ok(Self {
            ops,
            project,
            seal,
            authors,
            places: vec![Place::default(); names.len()],
            names,
            said: Vec::new(),
            rest,
        })
    }

    /// How many ops there are to come, or fewer than are said if there are not so many bytes.
    pub(crate) fn ops_at_most(&self) -> usize {
        let said = usize::try_from(self.rest).unwrap_or(usize::MAX);
        said.min(self.ops.0.len() / OP_BYTES_MIN)
    }

    /// How many places of dropped ops there are, or fewer than are named if there are not so many ops.
    pub(crate) fn places_at_most(&self) -> usize {
        self.places.len().min(self.ops_at_most())
    }

    /// The next ops, as many as `ops` has room for; none at the end.
    pub(crate) fn next(&mut self, ops: &mut Vec<CarriedOp<'a>>) -> Result<(), Malformed> {
        ops.clear();
        while self.rest > 0 && ops.len() < ops.capacity() {
            self.rest -= 1;
            ops.push(if self.ops.has_envelope() {
                CarriedOp::Envelope(self.ops.envelope().ok_or_else(malformed)?)
            } else {
                CarriedOp::Dropped(self.ops.dropped().ok_or_else(malformed)?)
            });
        }
        if ops.is_empty() && !self.ops.0.is_empty() {
            return Err(Malformed::message("something follows the end"));
        }
        Ok(())
    }

    /// Reads what admitting those of these ops will read that have no envelope, all at once where admitting them would wait for
    /// each.
    pub(crate) fn approach(&self, ops: &[CarriedOp<'_>], log: &Log) {
        let dropped = || {
            ops.iter().filter_map(|it| match it {
                CarriedOp::Dropped(it) => Some(it),
                CarriedOp::Envelope(_) => None,
            })
        };
        let place = |it: &Dropped<'_>| self.places.get(it.place as usize);
        let known = |it: &Dropped<'_>| place(it)?.known.map(|known| known.place);
        log.dag.approach(dropped().map(|it| it.id));
        for it in dropped() {
            black_box(known(it));
        }
        log.places.approach(dropped().filter_map(known));
        for it in dropped() {
            let said = place(it).and_then(|place| place.said.get(usize::from(it.touch)));
            black_box(said.and_then(|&(first, _)| self.said.get(first as usize).copied()));
        }
        let chain = |it: &Dropped<'_>| self.authors.get(it.author as usize)?.chain;
        let at = |it: &Dropped<'_>| Some((known(it)?, chain(it)?));
        log.places.approach_chains(dropped().filter_map(at));
    }

    /// Admits the dropped op, which comes next in the log, and gathers its skeleton; `None` if there is no such author, place or
    /// link, or if it is not admitted.
    ///
    /// # Errors
    /// [`StoreError`] of the log.
    pub(crate) fn admit(
        &mut self,
        dropped: &Dropped<'_>,
        log: &mut Log,
        skeletons: &mut Skeletons,
        memory: &mut TellMemory,
        costs: &mut Costs,
    ) -> Result<Option<()>, StoreError> {
        let at = log.dag.len();
        let mut ends = [0; PARENTS_MAX];
        let Some(ends) = dropped.ends(at, &mut ends) else {
            return Ok(None);
        };
        let author = self.authors.get_mut(dropped.author as usize);
        let at_place = dropped.place as usize;
        let names = || self.names.get(at_place).copied();
        let place = self.places.get_mut(at_place);
        let touch = Touch::numbered(dropped.touch);
        let (Some(author), Some(place), Some(touch)) = (author, place, touch) else {
            return Ok(None);
        };
        let node = Node {
            id: dropped.id,
            author: author.key,
            seq: dropped.seq,
            hlc: dropped.hlc,
        };
        if author.chain.is_none() {
            author.chain = log.dag.only_chain(&author.key);
        }
        let mut found = None;
        if let Some(chain) = author.chain {
            let site = match place.known {
                Some(known) => Site::Known(known),
                None => {
                    let Some(names) = names() else {
                        return Ok(None);
                    };
                    Site::Named(names, Sight::of_names(names))
                }
            };
            let told = Told {
                node,
                chain,
                parents: ends,
                in_order: ends,
                touch,
                site,
                envelope: &[],
            };
            found = log.admit_told(&told, memory, costs)?;
        }
        if found.is_none() {
            let mut named: Vec<OpId> = ends.iter().map(|&it| log.dag.id(it)).collect();
            named.sort_unstable();
            let Some(payload) = names().and_then(|names| blank(names, touch)) else {
                return Ok(None);
            };
            let body = Body {
                author: node.author,
                seq: node.seq,
                parents: named,
                hlc: node.hlc,
                payload,
            };
            log.ingest(VerifiedOp::hollow(node.id, body), costs);
            if log.dag.len() != at + 1 {
                return Ok(None);
            }
            found = log.known_place(at);
        }
        place.known = found;
        let Some(said) = place.says(touch, names, &mut self.said) else {
            return Ok(None);
        };
        // The links are told as a skeleton has them: others would show in the digest.
        Ok(skeletons.push_told(&log.dag, ends, said).ok())
    }
}

impl Dropped<'_> {
    /// The parents of the op at the position, ascending; `None` if one of them is no op.
    fn ends<'m>(&self, at: Index, ends: &'m mut [Index; PARENTS_MAX]) -> Option<&'m [Index]> {
        let mut links = self.links;
        let ends = ends.get_mut(..self.count as usize)?;
        for end in ends.iter_mut().rev() {
            *end = at.checked_sub(links.short()? as Index)?;
        }
        Some(ends)
    }
}

impl Place {
    /// What an op says that does so here, at the place with these names, encoded, among all that is `said`; `None` if this is done
    /// at no such place.
    fn says<'s, 'n>(
        &mut self,
        touch: Touch,
        names: impl FnOnce() -> Option<Names<'n>>,
        said: &'s mut Vec<u8>,
    ) -> Option<&'s [u8]> {
        let known = self.said.get_mut(usize::from(touch.number()))?;
        if known.1 == 0 {
            let more = encoded(&blank(names()?, touch)?).ok()?;
            *known = (said.len().try_into().ok()?, more.len().try_into().ok()?);
            said.extend_from_slice(&more);
        }
        said.get(known.0 as usize..)?.get(..known.1 as usize)
    }
}

/// What an op says that does so at the place, without a value; `None` if this is done at no such place.
fn blank((object, field, element): Names<'_>, touch: Touch) -> Option<Payload> {
    let element = element.map(Name::new).transpose().ok()?;
    touch.blank(Name::new(object).ok()?, Name::new(field).ok()?, element)
}

/// The ops of a carried snapshot, as bytes: each integer and each length in as few of them as it takes.
#[derive(Clone, Copy)]
pub(crate) struct Ops<'a>(&'a [u8]);

impl<'a> Ops<'a> {
    /// Whether an envelope comes next.
    fn has_envelope(&self) -> bool {
        self.0.first().is_some_and(|first| first & 0xe0 == BYTES)
    }

    fn envelope(&mut self) -> Option<&'a [u8]> {
        let length = self.number(BYTES)?;
        self.take(usize::try_from(length).ok()?)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// The number of the head of an item of that major type.
    fn number(&mut self, major: u8) -> Option<u64> {
        take_head(&mut self.0, major)
    }

    fn short(&mut self) -> Option<u32> {
        self.number(UINT)?.try_into().ok()
    }

    fn id(&mut self) -> Option<OpId> {
        let (id, rest) = self.0.split_first_chunk::<34>()?;
        let (head, id) = id.split_first_chunk::<2>()?;
        if *head != [BYTES | 24, 32] {
            return None;
        }
        self.0 = rest;
        Some(OpId::from_bytes(id.try_into().ok()?))
    }

    fn dropped(&mut self) -> Option<Dropped<'a>> {
        self.number(ARRAY).filter(|&it| it == DROPPED_MEMBERS)?;
        let id = self.id()?;
        let (author, seq) = (self.short()?, self.number(UINT)?);
        let count = u32::try_from(self.number(ARRAY)?).ok()?;
        if !(1..=PARENTS_MAX).contains(&(count as usize)) {
            return None;
        }
        let (links, mut before) = (*self, 0);
        for _ in 0..count {
            before = self.short().filter(|&back| back > before)?;
        }
        let hlc = Hlc {
            physical_ms: self.number(UINT)?,
            logical: self.short()?,
            node: self.short()?,
        };
        Some(Dropped {
            id,
            author,
            count,
            links,
            seq,
            hlc,
            touch: self.short()?.try_into().ok()?,
            place: self.short()?,
        })
    }
}

fn malformed() -> Malformed {
    Malformed::message("an op")
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

fn name<'a>(input: &mut Decoder<'a>) -> Result<&'a str, Malformed> {
    let name = input.str()?;
    match fault(name) {
        None => Ok(name),
        Some(_) => Err(Malformed::message("a name")),
    }
}
