//! The one canonical encoding of an op body: deterministic CBOR (RFC 8949 section 4.2.1).
//!
//! `docs/protocol.cddl` describes the bytes. Decoding reads every map in its one order and then compares the
//! input with its own re-encoding, so that a wide integer, a foreign order or an indefinite length cannot pass:
//! two different byte strings never decode to the same op.

use minicbor::{Decoder, Encoder};

use crate::head::{ARRAY, UINT, push_head};
use crate::hlc::Hlc;
use crate::id::{OpId, PublicKey};
use crate::limits::{PARENTS_MAX, PAYLOAD_BYTES_MAX};
use crate::payload::{Payload, Share, read_share_alone, read_value_alone};
use crate::value::Value;
use crate::wire::{
    CodecError, expect_array, expect_key, expect_map, limit, range, read, read_array, read_fixed,
    read_public_key,
};

/// Version of the op format.
const VERSION: u8 = 1;
/// What comes before the author: the head of the map, the version, the key of the author and the head of its bytes.
const AUTHOR_HEAD: [u8; 6] = [0xa6, 0, VERSION, 1, BYTES_HEAD[0], BYTES_HEAD[1]];
/// The encoding of a parent: the CBOR head of 32 bytes, and these.
const PARENT_BYTES: usize = BYTES_HEAD.len() + 32;
/// The CBOR head of 32 bytes.
const BYTES_HEAD: [u8; 2] = [0x58, 32];
/// The key of the stamp, and an array of three.
const STAMP_HEAD: [u8; 2] = [4, 0x83];
/// A body up to its payload, without its parents, is no longer.
const HEAD_BYTES_MAX: usize = AUTHOR_HEAD.len() + 32 + 5 * 10 + STAMP_HEAD.len();

/// The signed body of an op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Who signs.
    pub author: PublicKey,
    /// Position in the author's chain, from 0.
    pub seq: u64,
    /// Ops seen, strictly ascending; empty for genesis only; at most [`PARENTS_MAX`].
    pub parents: Vec<OpId>,
    /// Stamp.
    pub hlc: Hlc,
    /// What the op says.
    pub payload: Payload,
}

impl Body {
    /// The canonical encoding.
    ///
    /// # Errors
    /// [`CodecError`] for a body that breaks a limit or an order: what is encoded can always be decoded.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        let mut bytes = Vec::with_capacity(256);
        self.encode_to(&mut bytes)?;
        Ok(bytes)
    }

    /// Appends the canonical encoding to memory that has nothing yet.
    fn encode_to(&self, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        self.check()?;
        write_head(bytes, &self.author, self.seq, &self.parents, self.hlc);
        let out = &mut Encoder::new(bytes);
        let start = out.writer().len();
        self.payload.write(out)?;
        limit("payload", out.writer().len() - start, PAYLOAD_BYTES_MAX)
    }

    /// The body that `bytes` encode.
    ///
    /// # Errors
    /// [`CodecError`] for anything but the one canonical encoding of a body within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::decode_beside(bytes, &mut Vec::new())
    }

    /// The same; `again` is memory for the encoding of what was decoded.
    pub(super) fn decode_beside(bytes: &[u8], again: &mut Vec<u8>) -> Result<Self, CodecError> {
        let body = Self::read(&mut Decoder::new(bytes))?;
        again.clear();
        again.reserve(bytes.len());
        body.encode_to(again)?;
        if again == bytes {
            return Ok(body);
        }
        let common = again.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        Err(CodecError::NotCanonical { offset: common })
    }

    /// The same for bytes that were decoded before.
    pub(super) fn decode_known(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::read(&mut Decoder::new(bytes))
    }

    /// What the payload writes after so many names, for bytes that were decoded before.
    pub(super) fn value_alone(bytes: &[u8], names: usize) -> Option<Value> {
        read_value_alone(&mut Self::at_payload(bytes)?, names)
    }

    /// What the `KeyGrant` gives the recipient, likewise.
    pub(super) fn share_alone(bytes: &[u8], recipient: &PublicKey) -> Option<Share> {
        read_share_alone(&mut Self::at_payload(bytes)?, recipient)
    }

    /// The author, for any bytes; `None` if these are certainly no canonical body.
    pub(super) fn author_alone(bytes: &[u8]) -> Option<PublicKey> {
        let (author, _) = bytes.strip_prefix(&AUTHOR_HEAD)?.split_first_chunk()?;
        Some(PublicKey::from_bytes(*author))
    }

    /// The parents.
    fn at_parents(bytes: &[u8]) -> Option<Decoder<'_>> {
        let mut input = Decoder::new(bytes);
        input.map().ok()?;
        // Version, author and number.
        for _ in 0..3 {
            input.u8().ok()?;
            input.skip().ok()?;
        }
        input.u8().ok()?;
        Some(input)
    }

    /// The payload, for bytes that were decoded before.
    fn at_payload(bytes: &[u8]) -> Option<Decoder<'_>> {
        let mut input = Self::at_parents(bytes)?;
        let parents = usize::try_from(input.array().ok()??).ok()?;
        input.set_position(input.position() + parents.checked_mul(PARENT_BYTES)?);
        // The stamp.
        input.u8().ok()?;
        input.skip().ok()?;
        input.u8().ok()?;
        Some(input)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, CodecError> {
        expect_map(input, 6, "body")?;
        expect_key(input, 0)?;
        let version = read!(input, u8, "version");
        if version != VERSION {
            return Err(CodecError::Version(version));
        }
        let author = read_public_key(input, 1, "author")?;
        expect_key(input, 2)?;
        let seq = read!(input, u64, "seq");
        expect_key(input, 3)?;
        let parents = Self::read_parents(input)?;
        expect_key(input, 4)?;
        expect_array(input, 3, "hlc")?;
        let hlc = Hlc {
            physical_ms: read!(input, u64, "hlc"),
            logical: read!(input, u32, "hlc"),
            node: read!(input, u32, "hlc"),
        };
        expect_key(input, 5)?;
        Ok(Self {
            author,
            seq,
            parents,
            hlc,
            payload: Payload::read(input)?,
        })
    }

    fn read_parents(input: &mut Decoder<'_>) -> Result<Vec<OpId>, CodecError> {
        let start = input.position();
        if let Some(parents) = Self::usual_parents(input) {
            return Ok(parents);
        }
        input.set_position(start);
        read_array(input, "parents", PARENTS_MAX, |input| {
            read_fixed(input, "parent").map(OpId::from_bytes)
        })
    }

    /// The parents, if they are written as they should be: then each is as long as any other.
    fn usual_parents(input: &mut Decoder<'_>) -> Option<Vec<OpId>> {
        let count = usize::try_from(input.array().ok()??).ok()?;
        let rows = input.input().get(input.position()..)?;
        let (rows, _) = rows.as_chunks::<PARENT_BYTES>();
        let rows = rows.get(..count).filter(|_| count <= PARENTS_MAX)?;
        let id = |row: &[u8; PARENT_BYTES]| {
            let id = row.strip_prefix(&BYTES_HEAD)?.first_chunk()?;
            Some(OpId::from_bytes(*id))
        };
        let mut parents = Vec::with_capacity(count);
        for row in rows {
            parents.push(id(row)?);
        }
        input.set_position(input.position() + count * PARENT_BYTES);
        Some(parents)
    }

    /// Whether number and stamp are in their ranges.
    pub(crate) fn check_numbers(seq: u64, hlc: Hlc) -> Result<(), CodecError> {
        range("seq", seq)?;
        range("hlc", hlc.physical_ms)
    }

    /// The rules that the types do not already state.
    fn check(&self) -> Result<(), CodecError> {
        limit("parents", self.parents.len(), PARENTS_MAX)?;
        if !self.parents.is_sorted_by(|a, b| a < b) {
            return Err(CodecError::Order("parents"));
        }
        if self.payload.genesis().is_some() != self.parents.is_empty() {
            return Err(CodecError::Parentless);
        }
        Self::check_numbers(self.seq, self.hlc)?;
        self.payload.check()
    }
}

/// Writes a body up to its payload: what an encoder writes with a call for every member.
pub(crate) fn write_head(
    bytes: &mut Vec<u8>,
    author: &PublicKey,
    seq: u64,
    parents: &[OpId],
    hlc: Hlc,
) {
    bytes.reserve(HEAD_BYTES_MAX + parents.len() * PARENT_BYTES);
    bytes.extend_from_slice(&AUTHOR_HEAD);
    bytes.extend_from_slice(author.as_bytes());
    bytes.push(2);
    push_head(bytes, UINT, seq);
    bytes.push(3);
    push_head(bytes, ARRAY, parents.len() as u64);
    for parent in parents {
        bytes.extend_from_slice(&BYTES_HEAD);
        bytes.extend_from_slice(parent.as_bytes());
    }
    bytes.extend_from_slice(&STAMP_HEAD);
    push_head(bytes, UINT, hlc.physical_ms);
    push_head(bytes, UINT, hlc.logical.into());
    push_head(bytes, UINT, hlc.node.into());
    bytes.push(5);
}
