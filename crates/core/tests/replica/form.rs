//! The form of a sealed snapshot that is carried, read and written by nobody who has to trust it (`docs/protocol.cddl`).

use ecac_core::{Costs, Hlc, OpId, Replica, StartError, VerifiedOp};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

/// A carried snapshot, read by nobody who has to trust it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Carried {
    pub(crate) project: OpId,
    pub(crate) seal: OpId,
    pub(crate) authors: Vec<[u8; 32]>,
    pub(crate) places: Vec<Vec<String>>,
    pub(crate) ops: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Envelope(Vec<u8>),
    Dropped(Dropped),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dropped {
    pub(crate) id: [u8; 32],
    pub(crate) author: u64,
    pub(crate) seq: u64,
    pub(crate) links: Vec<u64>,
    pub(crate) hlc: Hlc,
    pub(crate) touch: u8,
    pub(crate) place: u64,
}

type Unread = minicbor::decode::Error;
type Unwritten = minicbor::encode::Error<core::convert::Infallible>;

fn bytes32(input: &mut Decoder<'_>) -> Result<[u8; 32], Unread> {
    let bytes = input.bytes()?.try_into();
    bytes.map_err(|_| Unread::message("32 bytes"))
}

fn list<T>(
    input: &mut Decoder<'_>,
    read: fn(&mut Decoder<'_>) -> Result<T, Unread>,
) -> Result<Vec<T>, Unread> {
    let count = input.array()?.ok_or_else(|| Unread::message("a list"))?;
    (0..count).map(|_| read(input)).collect()
}

impl Carried {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        Self::read_from(&mut Decoder::new(bytes)).expect("what the page says")
    }

    fn read_from(input: &mut Decoder<'_>) -> Result<Self, Unread> {
        assert_eq!(input.array()?, Some(6));
        assert_eq!(input.str()?, "ecac-carried-v1");
        let (project, seal) = (bytes32(input)?, bytes32(input)?);
        let place = |input: &mut Decoder<'_>| list(input, |it| it.str().map(str::to_owned));
        Ok(Self {
            project: OpId::from_bytes(project),
            seal: OpId::from_bytes(seal),
            authors: list(input, bytes32)?,
            places: list(input, place)?,
            ops: list(input, Item::read)?,
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let written = self.write_to(&mut Encoder::new(&mut bytes));
        written.expect("writing into memory does not fail");
        bytes
    }

    fn write_to(&self, out: &mut Encoder<&mut Vec<u8>>) -> Result<(), Unwritten> {
        out.array(6)?.str("ecac-carried-v1")?;
        out.bytes(self.project.as_bytes())?;
        out.bytes(self.seal.as_bytes())?;
        out.array(self.authors.len() as u64)?;
        for author in &self.authors {
            out.bytes(author)?;
        }
        out.array(self.places.len() as u64)?;
        for place in &self.places {
            out.array(place.len() as u64)?;
            for name in place {
                out.str(name)?;
            }
        }
        out.array(self.ops.len() as u64)?;
        for op in &self.ops {
            match op {
                Item::Envelope(envelope) => {
                    out.bytes(envelope)?;
                }
                Item::Dropped(it) => {
                    out.array(9)?.bytes(&it.id)?.u64(it.author)?.u64(it.seq)?;
                    out.array(it.links.len() as u64)?;
                    for link in &it.links {
                        out.u64(*link)?;
                    }
                    out.u64(it.hlc.physical_ms)?;
                    out.u32(it.hlc.logical)?.u32(it.hlc.node)?;
                    out.u8(it.touch)?.u64(it.place)?;
                }
            }
        }
        Ok(())
    }

    /// Where the op stands.
    pub(crate) fn position(&self, id: &OpId) -> usize {
        let is_it = |op: &Item| match op {
            Item::Envelope(envelope) => id_of(envelope) == *id,
            Item::Dropped(it) => OpId::from_bytes(it.id) == *id,
        };
        self.ops.iter().position(is_it).expect("it is carried")
    }

    pub(crate) fn dropped(&mut self, id: &OpId) -> &mut Dropped {
        let position = self.position(id);
        match &mut self.ops[position] {
            Item::Dropped(it) => it,
            Item::Envelope(_) => panic!("{id} goes with its envelope"),
        }
    }

    /// Starts from it, on one thread and on more: nothing may tell which.
    pub(crate) fn start(&self) -> Result<Replica, StartError> {
        let carried = self.write();
        let start = |threads: usize| {
            let builder = Replica::builder().threads(threads);
            builder.start_from(self.project, &carried)
        };
        let shown = |started: &Result<Replica, StartError>| match started {
            Ok(replica) => Ok((replica.state_digest(), replica.trust_digest())),
            Err(error) => Err(error.clone()),
        };
        let started = start(1);
        for threads in [2, 3] {
            assert_eq!(shown(&start(threads)), shown(&started), "{threads} threads");
        }
        started
    }
}

impl Item {
    fn read(input: &mut Decoder<'_>) -> Result<Self, Unread> {
        if input.datatype()? == Type::Bytes {
            return Ok(Self::Envelope(input.bytes()?.to_vec()));
        }
        assert_eq!(input.array()?, Some(9));
        Ok(Self::Dropped(Dropped {
            id: bytes32(input)?,
            author: input.u64()?,
            seq: input.u64()?,
            links: list(input, |it| it.u64())?,
            hlc: Hlc {
                physical_ms: input.u64()?,
                logical: input.u32()?,
                node: input.u32()?,
            },
            touch: input.u8()?,
            place: input.u64()?,
        }))
    }
}

fn id_of(envelope: &[u8]) -> OpId {
    VerifiedOp::read(envelope, &mut Costs::default())
        .expect("an op")
        .id()
}
