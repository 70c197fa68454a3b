//! Encodings by hand, good or bad, signed so that nothing but the encoding is at stake.

use core::convert::Infallible;

use ecac_core::SigningKey;
use minicbor::data::Tag;
use minicbor::encode::Error;
use minicbor::{Decoder, Encoder};

use crate::sample;

pub(crate) type Out = Encoder<Vec<u8>>;
pub(crate) type Written<'a> = Result<&'a mut Out, Error<Infallible>>;

/// What the closure writes.
pub(crate) fn cbor(write: impl FnOnce(&mut Out) -> Written<'_>) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    write(&mut out).expect("memory takes everything");
    out.into_writer()
}

pub(crate) fn uint(value: u64) -> Vec<u8> {
    cbor(|out| out.u64(value))
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    cbor(|out| out.str(text))
}

pub(crate) fn bytes(bytes: &[u8]) -> Vec<u8> {
    cbor(|out| out.bytes(bytes))
}

/// An array of items that are encoded already.
pub(crate) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [cbor(|out| out.array(items.len() as u64)), items.concat()].concat()
}

pub(crate) fn texts<T: AsRef<str>>(items: &[T]) -> Vec<u8> {
    array(
        &items
            .iter()
            .map(|item| text(item.as_ref()))
            .collect::<Vec<_>>(),
    )
}

pub(crate) fn byte_strings<T: AsRef<[u8]>>(items: &[T]) -> Vec<u8> {
    array(
        &items
            .iter()
            .map(|item| bytes(item.as_ref()))
            .collect::<Vec<_>>(),
    )
}

/// A map with small integer keys, whose entries are encoded already and come in the order given.
#[derive(Clone)]
pub(crate) struct Fields(pub(crate) Vec<(u8, Vec<u8>)>);

impl Fields {
    /// With another value under a key that is there.
    pub(crate) fn with(&self, key: u8, value: Vec<u8>) -> Self {
        let mut fields = self.clone();
        let entry = fields
            .0
            .iter_mut()
            .find(|(found, _)| *found == key)
            .expect("the key is there");
        entry.1 = value;
        fields
    }

    /// With one more entry at the end.
    pub(crate) fn and(&self, key: u8, value: Vec<u8>) -> Self {
        let mut fields = self.clone();
        fields.0.push((key, value));
        fields
    }

    pub(crate) fn without(&self, key: u8) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(found, _)| *found != key)
                .cloned()
                .collect(),
        )
    }

    /// With two neighbours in exchanged places.
    pub(crate) fn swapped(&self, at: usize) -> Self {
        let mut fields = self.clone();
        fields.0.swap(at, at + 1);
        fields
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let head = cbor(|out| out.map(self.0.len() as u64));
        let entries = self
            .0
            .iter()
            .flat_map(|(key, value)| [uint((*key).into()), value.clone()]);
        [head, entries.collect::<Vec<_>>().concat()].concat()
    }
}

/// The fields of a good body around the payload, like those of [`sample::body`].
pub(crate) fn body(payload: &Fields) -> Fields {
    let author = <[u8; 32]>::from(sample::author().verification_key());
    let hlc = array(&[uint(1_767_225_600_000), uint(300), uint(70_000)]);
    Fields(vec![
        (0, uint(1)),
        (1, bytes(&author)),
        (2, uint(7)),
        (3, byte_strings(&[[0xaa; 32]])),
        (4, hlc),
        (5, payload.encode()),
    ])
}

/// The parts of an envelope.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) tag: Option<u64>,
    pub(crate) protected: Vec<u8>,
    pub(crate) unprotected: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Frame {
    /// A frame around a body whose signature is none.
    pub(crate) fn unsigned(body: &[u8]) -> Self {
        Self {
            tag: Some(18),
            protected: PROTECTED.into(),
            unprotected: cbor(|out| out.map(0)),
            body: body.into(),
            signature: vec![0; 64],
        }
    }

    /// A good frame around a body, signed over the protected header that is given.
    pub(crate) fn signed(body: &[u8], protected: &[u8], key: &SigningKey) -> Self {
        let message = cbor(|out| {
            out.array(4)?
                .str("Signature1")?
                .bytes(protected)?
                .bytes(b"ECAC_OP_V1")?
                .bytes(body)
        });
        let signature = <[u8; 64]>::from(key.sign(&message)).to_vec();
        Self {
            protected: protected.into(),
            signature,
            ..Self::unsigned(body)
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let tag = self
            .tag
            .map(|tag| cbor(|out| out.tag(Tag::new(tag))))
            .unwrap_or_default();
        let items = [
            bytes(&self.protected),
            self.unprotected.clone(),
            bytes(&self.body),
            bytes(&self.signature),
        ];
        [tag, array(&items)].concat()
    }
}

/// The protected header of every op.
pub(crate) const PROTECTED: [u8; 3] = [0xa1, 0x01, 0x27];

/// The envelope of a body, whatever it says, with a good signature of [`sample::author`].
pub(crate) fn envelope(body: &[u8]) -> Vec<u8> {
    Frame::signed(body, &PROTECTED, &sample::author()).encode()
}

/// The signature with S + L in the place of S: it solves the same equation, but its scalar is not canonical.
pub(crate) fn malleated(mut signature: [u8; 64]) -> [u8; 64] {
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let order = hex::decode(order).expect("hexadecimal");
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0, "S + L fits into 32 bytes");
    signature
}

/// The head of an item: where it begins, where its content begins, where the item ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) at: usize,
    pub(crate) content: usize,
    pub(crate) end: usize,
}

/// Major types of RFC 8949 section 3.1.
pub(crate) const MAJOR_BYTES: u8 = 2;
pub(crate) const MAJOR_TEXT: u8 = 3;
pub(crate) const MAJOR_ARRAY: u8 = 4;
pub(crate) const MAJOR_MAP: u8 = 5;
pub(crate) const MAJOR_TAG: u8 = 6;
pub(crate) const MAJOR_SIMPLE: u8 = 7;

/// Every head in the encoding, in the order in which they stand.
pub(crate) fn heads(encoding: &[u8]) -> Vec<Head> {
    let mut heads = Vec::new();
    let mut at = 0;
    while at < encoding.len() {
        let argument_bytes = match encoding[at] & 0x1f {
            0..24 => 0,
            info => 1 << (info - 24),
        };
        let content = at + 1 + argument_bytes;
        let mut item = Decoder::new(&encoding[at..]);
        item.skip().expect("well-formed");
        let end = at + item.position();
        heads.push(Head { at, content, end });
        at = match encoding[at] >> 5 {
            MAJOR_BYTES | MAJOR_TEXT => end,
            _ => content,
        };
    }
    heads
}

/// The encodings that write the head's argument in more bytes than it needs.
pub(crate) fn widened(encoding: &[u8], head: Head) -> Vec<Vec<u8>> {
    let major = encoding[head.at] & 0xe0;
    let narrow = &encoding[head.at + 1..head.content];
    let value = match narrow {
        [] => u64::from(encoding[head.at] & 0x1f),
        _ => narrow
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)),
    };
    let wider = (0..4).filter(|power| 1 << power > narrow.len());
    let widen = |power: u8| {
        let argument = &value.to_be_bytes()[8 - (1 << power)..];
        [
            &encoding[..head.at],
            &[major | (24 + power)],
            argument,
            &encoding[head.content..],
        ]
        .concat()
    };
    wider.map(widen).collect()
}

/// The encoding with this item in indefinite length, if its type has one.
pub(crate) fn indefinite(encoding: &[u8], head: Head) -> Option<Vec<u8>> {
    let major = encoding[head.at] >> 5;
    let opening = [major << 5 | 31];
    let content = match major {
        MAJOR_BYTES | MAJOR_TEXT => &encoding[head.at..head.end],
        MAJOR_ARRAY | MAJOR_MAP => &encoding[head.content..head.end],
        _ => return None,
    };
    let after = &encoding[head.end..];
    Some([&encoding[..head.at], &opening, content, &[0xff], after].concat())
}
