//! Messages: what frames carry (`docs/sync.md`, Messages).

use core::ops::Range as Bytes;

use ecac_core::{ChainHead, OpId, ProjectId, PublicKey, Tip};
use minicbor::Decoder;
use minicbor::data::Type;

use crate::close::CloseReason;
use crate::codec::{
    Malformed, Out, Written, array, array_of, ascending, author, bytes, encoded, encoded_within,
    fixed, op_id,
};
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_OPS_MAX, DISPUTES_MAX, GONE_IDS_MAX, HEADS_PER_MESSAGE, OLDER_IDS_MAX,
    RANGE_IDS_MAX, RANGES_MAX,
};
use crate::range::{Bound, Claim, Range};

/// Bytes before an envelope at most, and before the first one.
const HEAD_BYTES_MAX: usize = 9;

/// What is reconciled by ranges, op by op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The ops of these authors, who are in ascending order.
    Authors(Vec<PublicKey>),
    /// Everything.
    All,
}

/// What a side would send and does not, because it has dropped envelopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// How many ops it has dropped that the other side lacks.
    pub dropped: u64,
    /// How many ops it has and keeps back, because they build on those: without their parents they are of no use.
    pub held_back: u64,
    /// The first [`GONE_IDS_MAX`] of the dropped ops, in ascending order.
    pub ids: Vec<OpId>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Who wants to sync what: the first message of each side.
    Hello {
        /// Versions that the side speaks, the least and the greatest.
        versions: (u16, u16),
        /// The project.
        project: ProjectId,
    },
    /// What the side has, by author.
    Heads {
        /// Whether no more heads follow.
        last: bool,
        /// The heads, by author; `None` if there are too many to tell.
        heads: Option<Vec<ChainHead>>,
    },
    /// What the heads leave open.
    Disputes(Scope),
    /// Claims on ranges of the ops in dispute.
    Ranges(Vec<Range>),
    /// Envelopes, parents first.
    Ops(Vec<Vec<u8>>),
    /// The side has sent all that it knows the other one to lack.
    Done,
    /// The side breaks off.
    Close(CloseReason),
    /// The other side lacks ops that the side has dropped; from version 2 on.
    Gone(Gone),
    /// The side is without the envelopes of these ops, which it has admitted, and asks for them; from version 3 on.
    Older(Vec<OpId>),
    /// What the side has of what it was asked for; from version 3 on.
    Again {
        /// Whether the ask is answered with it.
        last: bool,
        /// Envelopes, in the order of the ask.
        envelopes: Vec<Vec<u8>>,
    },
}

impl Message {
    /// The bytes of the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encoded(|out| self.write(out))
    }

    fn write(&self, out: &mut Out<'_>) -> Written {
        match self {
            Self::Hello { versions, project } => {
                out.array(4)?.u8(0)?.u16(versions.0)?.u16(versions.1)?;
                out.bytes(project.as_bytes())?;
            }
            Self::Heads { last, heads } => {
                out.array(3)?.u8(1)?.bool(*last)?;
                match heads {
                    None => {
                        out.null()?;
                    }
                    Some(heads) => {
                        out.array(heads.len() as u64)?;
                        for head in heads {
                            write_head(out, head)?;
                        }
                    }
                }
            }
            Self::Disputes(scope) => {
                out.array(2)?.u8(2)?;
                match scope {
                    Scope::All => {
                        out.null()?;
                    }
                    Scope::Authors(authors) => {
                        out.array(authors.len() as u64)?;
                        for author in authors {
                            out.bytes(author.as_bytes())?;
                        }
                    }
                }
            }
            Self::Ranges(ranges) => {
                out.array(2)?.u8(3)?.array(ranges.len() as u64)?;
                for range in ranges {
                    write_range(out, range)?;
                }
            }
            Self::Ops(ops) => write_ops(out, ops)?,
            Self::Done => {
                out.array(1)?.u8(5)?;
            }
            Self::Close(reason) => {
                out.array(2)?.u8(6)?.u8(reason.code())?;
            }
            Self::Gone(gone) => {
                out.array(4)?
                    .u8(7)?
                    .u64(gone.dropped)?
                    .u64(gone.held_back)?;
                write_ids(out, &gone.ids)?;
            }
            Self::Older(ids) => {
                out.array(2)?.u8(8)?;
                write_ids(out, ids)?;
            }
            Self::Again { last, envelopes } => {
                out.array(3)?.u8(9)?.bool(*last)?;
                write_envelopes(out, envelopes)?;
            }
        }
        Ok(())
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`Malformed`] for anything but the one encoding of a message within the limits.
    pub fn decode(input: &[u8]) -> Result<Self, Malformed> {
        Ok(match Taken::of(input)? {
            Taken::Ops(ops) => Self::Ops(ops.into_iter().map(|it| input[it].to_vec()).collect()),
            Taken::Other(message) => message,
        })
    }
}

/// A message as it is taken in.
#[derive(Debug)]
pub(crate) enum Taken {
    /// [`Message::Ops`]: where in its bytes the envelopes lie.
    Ops(Vec<Bytes<usize>>),
    /// Any other.
    Other(Message),
}

impl Taken {
    /// Reads a message.
    ///
    /// # Errors
    /// As [`Message::decode`].
    pub(crate) fn of(input: &[u8]) -> Result<Self, Malformed> {
        let decoder = &mut Decoder::new(input);
        let fields = array(decoder, 4)?;
        let message = match (decoder.u8()?, fields) {
            (0, 4) => Message::Hello {
                versions: (decoder.u16()?, decoder.u16()?),
                project: op_id(decoder)?,
            },
            (1, 3) => Message::Heads {
                last: decoder.bool()?,
                heads: read_heads(decoder)?,
            },
            (2, 2) => Message::Disputes(read_scope(decoder)?),
            (3, 2) => Message::Ranges(read_ranges(decoder)?),
            (4, 2) => return Ok(Self::Ops(read_ops(decoder)?)),
            (5, 1) => Message::Done,
            (6, 2) => Message::Close(CloseReason::of_code(decoder.u8()?).ok_or(Malformed::Shape)?),
            (7, 4) => Message::Gone(Gone {
                dropped: decoder.u64()?,
                held_back: decoder.u64()?,
                ids: read_ids(decoder, &mut { GONE_IDS_MAX })?,
            }),
            (8, 2) => match read_ids(decoder, &mut { OLDER_IDS_MAX })? {
                ids if ids.is_empty() => return Err(Malformed::Shape),
                ids => Message::Older(ids),
            },
            (9, 3) => Message::Again {
                last: decoder.bool()?,
                envelopes: read_envelopes(decoder)?,
            },
            (_, _) => return Err(Malformed::Shape),
        };
        if message.encode() == input {
            Ok(Self::Other(message))
        } else {
            Err(Malformed::NotDeterministic)
        }
    }
}

/// The bytes of [`Message::Ops`] with these envelopes.
pub(crate) fn encode_ops<B: AsRef<[u8]>>(ops: &[B]) -> Vec<u8> {
    let length = |op: &B| HEAD_BYTES_MAX + op.as_ref().len();
    let length = HEAD_BYTES_MAX + ops.iter().map(length).sum::<usize>();
    encoded_within(length, |out| write_ops(out, ops))
}

fn write_ops<B: AsRef<[u8]>>(out: &mut Out<'_>, ops: &[B]) -> Written {
    out.array(2)?.u8(4)?;
    write_envelopes(out, ops)
}

fn write_envelopes<B: AsRef<[u8]>>(out: &mut Out<'_>, envelopes: &[B]) -> Written {
    out.array(envelopes.len() as u64)?;
    for envelope in envelopes {
        out.bytes(envelope.as_ref())?;
    }
    Ok(())
}

fn read_envelopes(input: &mut Decoder<'_>) -> Result<Vec<Vec<u8>>, Malformed> {
    let count = array(input, BATCH_OPS_MAX)?;
    let mut left = BATCH_BYTES_MAX;
    let mut envelopes = Vec::with_capacity(count);
    for _ in 0..count {
        let envelope = bytes(input, left)?;
        left -= envelope.len();
        envelopes.push(envelope.to_vec());
    }
    Ok(envelopes)
}

fn write_head(out: &mut Out<'_>, head: &ChainHead) -> Written {
    match head.tip {
        Tip::Linear { seq, op } => {
            out.array(3)?.bytes(head.author.as_bytes())?;
            out.u64(seq)?.bytes(op.as_bytes())?;
        }
        Tip::Set { digest } => {
            out.array(2)?.bytes(head.author.as_bytes())?;
            out.bytes(&digest)?;
        }
    }
    Ok(())
}

fn read_heads(input: &mut Decoder<'_>) -> Result<Option<Vec<ChainHead>>, Malformed> {
    if input.datatype()? == Type::Null {
        input.null()?;
        return Ok(None);
    }
    let count = array(input, HEADS_PER_MESSAGE)?;
    let mut heads: Vec<ChainHead> = Vec::with_capacity(count);
    for _ in 0..count {
        let fields = array(input, 3)?;
        let author = author(input)?;
        let tip = match fields {
            3 => Tip::Linear {
                seq: input.u64()?,
                op: op_id(input)?,
            },
            2 => Tip::Set {
                digest: fixed(input)?,
            },
            _ => return Err(Malformed::Shape),
        };
        if heads.last().is_some_and(|last| last.author >= author) {
            return Err(Malformed::Order);
        }
        heads.push(ChainHead { author, tip });
    }
    Ok(Some(heads))
}

fn read_scope(input: &mut Decoder<'_>) -> Result<Scope, Malformed> {
    if input.datatype()? == Type::Null {
        input.null()?;
        return Ok(Scope::All);
    }
    let count = array(input, DISPUTES_MAX)?;
    let mut authors = Vec::with_capacity(count);
    for _ in 0..count {
        authors.push(author(input)?);
    }
    ascending(&authors)?;
    Ok(Scope::Authors(authors))
}

fn write_ids(out: &mut Out<'_>, ids: &[OpId]) -> Written {
    out.array(ids.len() as u64)?;
    for id in ids {
        out.bytes(id.as_bytes())?;
    }
    Ok(())
}

fn write_range(out: &mut Out<'_>, range: &Range) -> Written {
    out.array(4)?.u64(range.end.ms)?.bytes(&range.end.prefix)?;
    match &range.claim {
        Claim::Settled => {
            out.u8(0)?.null()?;
        }
        Claim::Digest(digest) => {
            out.u8(1)?.bytes(digest)?;
        }
        Claim::Ids(ids) => {
            out.u8(2)?;
            write_ids(out, ids)?;
        }
        Claim::Want(ids) => {
            out.u8(3)?;
            write_ids(out, ids)?;
        }
    }
    Ok(())
}

fn read_ranges(input: &mut Decoder<'_>) -> Result<Vec<Range>, Malformed> {
    let count = array(input, RANGES_MAX)?;
    let mut ranges: Vec<Range> = Vec::with_capacity(count);
    let mut ids_left = RANGE_IDS_MAX;
    for _ in 0..count {
        array_of(input, 4)?;
        let end = Bound {
            ms: input.u64()?,
            prefix: bytes(input, 32)?.to_vec(),
        };
        let claim = match input.u8()? {
            0 => {
                input.null()?;
                Claim::Settled
            }
            1 => Claim::Digest(fixed(input)?),
            2 => Claim::Ids(read_ids(input, &mut ids_left)?),
            3 => Claim::Want(read_ids(input, &mut ids_left)?),
            _ => return Err(Malformed::Shape),
        };
        if ranges.last().is_some_and(|last| last.end >= end) {
            return Err(Malformed::Order);
        }
        ranges.push(Range { end, claim });
    }
    Ok(ranges)
}

fn read_ids(input: &mut Decoder<'_>, left: &mut usize) -> Result<Vec<OpId>, Malformed> {
    let count = array(input, *left)?;
    *left -= count;
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        ids.push(op_id(input)?);
    }
    ascending(&ids)?;
    Ok(ids)
}

/// Reads all that follows the type of [`Message::Ops`]. What is read is held to the deterministic encoding head by head: the
/// length of a head says how it was written, and nothing is copied to compare it.
fn read_ops(input: &mut Decoder<'_>) -> Result<Vec<Bytes<usize>>, Malformed> {
    let mut end = head_bytes(2) + head_bytes(4);
    let is_short = input.position() == end;
    let count = array(input, BATCH_OPS_MAX)?;
    end += head_bytes(count);
    let mut is_short = is_short && input.position() == end;
    let mut left = BATCH_BYTES_MAX;
    let mut ops = Vec::with_capacity(count);
    for _ in 0..count {
        let length = bytes(input, left)?.len();
        left -= length;
        let start = end + head_bytes(length);
        end = start + length;
        is_short &= input.position() == end;
        ops.push(start..end);
    }
    if is_short && end == input.input().len() {
        Ok(ops)
    } else {
        Err(Malformed::NotDeterministic)
    }
}

/// Bytes of the shortest head of this number, which fits in 32 bits.
const fn head_bytes(number: usize) -> usize {
    match number {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_lie_where_they_were_written() {
        let lengths = [0, 1, 23, 24, 255, 256, 300, 65_535];
        for count in [0, 1, 23, 24, 255, 256] {
            let ops: Vec<Vec<u8>> = (0..count).map(|at| vec![at as u8; at.min(100)]).collect();
            let message = Message::Ops(ops);
            assert_eq!(Message::decode(&message.encode()), Ok(message));
        }
        for length in lengths {
            let message = Message::Ops(vec![vec![7; length], vec![8]]);
            assert_eq!(Message::decode(&message.encode()), Ok(message));
        }
        let many = Message::Ops(vec![Vec::new(); BATCH_OPS_MAX + 1]);
        let long = Message::Ops(vec![vec![0; BATCH_BYTES_MAX], vec![0]]);
        for message in [many, long] {
            assert_eq!(Message::decode(&message.encode()), Err(Malformed::Limit));
        }
    }

    #[test]
    fn ops_are_written_in_one_way_only() {
        let good = hex::decode("82048241014107").unwrap();
        let ops = Message::Ops(vec![vec![1], vec![7]]);
        assert_eq!(Message::decode(&good), Ok(ops));
        for bad in [
            "9802048241014107",       // a wide head of the message
            "8218048241014107",       // of its type
            "8204980241014107",       // of the envelopes
            "820499000241014107",     // a wider one
            "8204825801014107",       // of an envelope
            "820482410159000107",     // of the last one
            "82049f41014107ff",       // envelopes without a length
            "820482410141075f4107ff", // bytes that follow
            "8204824101410700",       // one that follows
        ] {
            let bytes = hex::decode(bad).unwrap();
            assert_eq!(
                Message::decode(&bytes),
                Err(Malformed::NotDeterministic),
                "{bad}"
            );
        }
    }
}
