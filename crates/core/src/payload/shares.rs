//! What the recipients of a content key are given, in the bytes in which it is written.
//!
//! A `KeyGrant` of 512 shares is taken in by every replica, and each recipient looks at one of them. So the shares stay as they came,
//! and only who receives one is read.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use minicbor::{Decoder, Encoder};

use crate::confidential::Kem;
use crate::id::PublicKey;
use crate::limits::RECIPIENTS_MAX;
use crate::wire::{CodecError, Out, Written, expect_array, limit, read, read_array, read_fixed};

/// The CBOR heads of a share and its recipient, and of the sealed key with its tag.
const HEAD: [u8; 3] = [0x83, 0x58, 32];
const CIPHERTEXT_HEAD: [u8; 2] = [0x58, 48];

/// A content key that is sealed to one recipient (HPKE, RFC 9180).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The encapsulated key, [`Kem::enc_bytes`] of some KEM long.
    pub enc: Vec<u8>,
    /// The sealed key with its tag.
    pub ciphertext: [u8; 48],
}

/// Shares by their recipients, in ascending order, each in its canonical encoding.
///
/// ```
/// use ecac_core::PublicKey;
/// use ecac_core::payload::{Share, Shares};
///
/// let share = Share { enc: vec![1; 32], ciphertext: [2; 48] };
/// let [one, other] = [[3; 32], [4; 32]].map(PublicKey::from_bytes);
/// let shares: Shares = [(other, share.clone()), (one, share.clone())].into();
/// assert_eq!(shares.recipients(), [one, other]);
/// assert_eq!(shares.get(&one), Some(share));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Shares {
    recipients: Arc<Vec<PublicKey>>,
    /// One share after the other, without the head of their array.
    bytes: Vec<u8>,
    /// Whether an encapsulated key is not as long as those of some KEM are.
    misfit: bool,
}

impl Shares {
    /// Who is given a share, in ascending order.
    #[must_use]
    pub fn recipients(&self) -> &[PublicKey] {
        &self.recipients
    }

    /// The same, to be kept.
    pub(crate) fn shared_recipients(&self) -> Arc<Vec<PublicKey>> {
        Arc::clone(&self.recipients)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.recipients.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.recipients.is_empty()
    }

    /// What the recipient is given.
    #[must_use]
    pub fn get(&self, recipient: &PublicKey) -> Option<Share> {
        let theirs = Items(&self.bytes).find(|item| item.recipient == recipient.as_bytes());
        theirs.map(|item| item.share())
    }

    /// The shares with their recipients, in ascending order of these.
    pub fn iter(&self) -> impl Iterator<Item = (&PublicKey, Share)> {
        let shares = Items(&self.bytes).map(|item| item.share());
        self.recipients.iter().zip(shares)
    }

    /// Whether each encapsulated key is as long as those of some KEM are.
    pub(super) const fn fit(&self) -> bool {
        !self.misfit
    }

    pub(super) fn write(&self, out: &mut Out<'_>) -> Written {
        out.array(self.len() as u64)?;
        out.writer_mut().extend_from_slice(&self.bytes);
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let start = input.position();
        let Ok(Some(declared)) = input.array() else {
            return Err(CodecError::Malformed("shares"));
        };
        let count = usize::try_from(declared).unwrap_or(usize::MAX);
        limit("shares", count, RECIPIENTS_MAX)?;
        let first = input.position();
        if let Some(shares) = Self::as_written(&input.input()[first..], count) {
            input.set_position(first + shares.bytes.len());
            return Ok(shares);
        }
        input.set_position(start);
        Self::read_one_by_one(input)
    }

    /// So many shares at the start of these bytes, if they are what [`Shares::write`] writes to the last bit: they are written
    /// again as they are, so that comparing the two would show nothing.
    fn as_written(bytes: &[u8], count: usize) -> Option<Self> {
        let mut recipients: Vec<PublicKey> = Vec::with_capacity(count);
        let mut items = Items(bytes);
        let mut misfit = false;
        for _ in 0..count {
            let item = items.next()?;
            misfit |= !fits(item.enc);
            let recipient = PublicKey::from_bytes(*item.recipient);
            if recipients.last().is_some_and(|last| *last >= recipient) {
                return None;
            }
            recipients.push(recipient);
        }
        let length = bytes.len() - items.0.len();
        Some(Self {
            recipients: Arc::new(recipients),
            bytes: bytes[..length].to_vec(),
            misfit,
        })
    }

    /// Reads shares that are not in their canonical encoding, and says what is wrong with them if that is more.
    fn read_one_by_one(input: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let shares = read_array(input, "shares", RECIPIENTS_MAX, |input| {
            expect_array(input, 3, "share")?;
            let recipient = read_fixed(input, "recipient").map(PublicKey::from_bytes)?;
            let enc = read!(input, bytes, "enc").to_owned();
            let ciphertext = read_fixed(input, "share")?;
            Ok((recipient, Share { enc, ciphertext }))
        })?;
        if shares.is_sorted_by(|one, other| one.0 < other.0) {
            Ok(shares.into_iter().collect())
        } else {
            Err(CodecError::Order("shares"))
        }
    }
}

/// Of several shares of one recipient the last.
impl FromIterator<(PublicKey, Share)> for Shares {
    fn from_iter<I: IntoIterator<Item = (PublicKey, Share)>>(shares: I) -> Self {
        let shares: BTreeMap<PublicKey, Share> = shares.into_iter().collect();
        let mut bytes = Vec::new();
        for (recipient, share) in &shares {
            // Writing into a vector cannot fail.
            let written = share.write(recipient, &mut Encoder::new(&mut bytes));
            debug_assert!(written.is_ok());
        }
        Self {
            misfit: !shares.values().all(|it| fits(&it.enc)),
            recipients: Arc::new(shares.into_keys().collect()),
            bytes,
        }
    }
}

impl<const N: usize> From<[(PublicKey, Share); N]> for Shares {
    fn from(shares: [(PublicKey, Share); N]) -> Self {
        shares.into_iter().collect()
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Whether encapsulated keys of some KEM are that long.
fn fits(enc: &[u8]) -> bool {
    Kem::ALL.iter().any(|it| it.enc_bytes() == enc.len())
}

impl Share {
    fn write(&self, recipient: &PublicKey, out: &mut Out<'_>) -> Written {
        out.array(3)?.bytes(recipient.as_bytes())?;
        out.bytes(&self.enc)?.bytes(&self.ciphertext)?;
        Ok(())
    }
}

/// A share as it is written.
struct Item<'a> {
    recipient: &'a [u8; 32],
    enc: &'a [u8],
    ciphertext: &'a [u8; 48],
}

impl Item<'_> {
    fn share(&self) -> Share {
        Share {
            enc: self.enc.to_owned(),
            ciphertext: *self.ciphertext,
        }
    }
}

/// The shares at the start of these bytes, up to where they are not in their canonical encoding; then what comes after them.
struct Items<'a>(&'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let rest = self.0.strip_prefix(&HEAD)?;
        let (recipient, rest) = rest.split_first_chunk()?;
        let (enc, rest) = split_bytes(rest)?;
        let rest = rest.strip_prefix(&CIPHERTEXT_HEAD)?;
        let (ciphertext, rest) = rest.split_first_chunk()?;
        self.0 = rest;
        Some(Item {
            recipient,
            enc,
            ciphertext,
        })
    }
}

/// A byte string with its shortest head, and what comes after it.
fn split_bytes(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&head, rest) = input.split_first()?;
    let (length, least, rest) = match head {
        0x40..=0x57 => (u32::from(head - 0x40), 0, rest),
        0x58 => {
            let (length, rest) = rest.split_first()?;
            (u32::from(*length), 24, rest)
        }
        0x59 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u32::from(u16::from_be_bytes(*length)), 1 << 8, rest)
        }
        0x5a => {
            let (length, rest) = rest.split_first_chunk()?;
            (u32::from_be_bytes(*length), 1 << 16, rest)
        }
        _ => return None,
    };
    let length = (length >= least).then_some(length)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// Reads what the recipient is given from a `KeyGrant` that was decoded before; the shares of others are not built.
pub(crate) fn read_share_alone(input: &mut Decoder<'_>, recipient: &PublicKey) -> Option<Share> {
    input.map().ok()?;
    // The kind, and the content key.
    for _ in 0..2 {
        input.u8().ok()?;
        input.skip().ok()?;
    }
    input.u8().ok()?;
    let count = usize::try_from(input.array().ok()??).ok()?;
    let shares = &input.input()[input.position()..];
    let mut shares = Items(shares).take(count);
    let theirs = shares.find(|item| item.recipient == recipient.as_bytes());
    theirs.map(|item| item.share())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(enc_bytes: usize) -> Share {
        Share {
            enc: (0..enc_bytes).map(|at| at.to_le_bytes()[0]).collect(),
            ciphertext: [9; 48],
        }
    }

    fn written(shares: &Shares) -> Vec<u8> {
        let mut bytes = Vec::new();
        shares.write(&mut Encoder::new(&mut bytes)).unwrap();
        bytes
    }

    #[test]
    fn shares_of_every_length_are_found_again_as_they_were_written() {
        let lengths = [0, 23, 24, 32, 255, 256, 1_120, 65_535, 65_536];
        let key = |number: usize| PublicKey::from_bytes([number.to_le_bytes()[0]; 32]);
        let of = |numbers: &[usize]| -> Shares {
            let shares = numbers.iter().map(|&it| (key(it), share(lengths[it])));
            shares.collect()
        };
        let all: Vec<usize> = (0..lengths.len()).rev().collect();
        let shares = of(&all);
        let mut bytes = written(&shares);
        bytes.push(0xf6);
        let mut input = Decoder::new(&bytes);
        assert_eq!(Shares::read(&mut input), Ok(shares.clone()));
        assert_eq!(input.position(), bytes.len() - 1);
        let again = Shares::read_one_by_one(&mut Decoder::new(&bytes));
        assert_eq!(again, Ok(shares.clone()));
        for (number, &length) in lengths.iter().enumerate() {
            assert_eq!(shares.get(&key(number)), Some(share(length)));
            assert_eq!(of(&[number]).fit(), [32, 1_120].contains(&length));
        }
        assert_eq!((shares.get(&key(100)), shares.fit()), (None, false));
        let listed: Vec<(PublicKey, Share)> = shares.iter().map(|(to, it)| (*to, it)).collect();
        assert_eq!(listed.into_iter().collect::<Shares>(), shares);
        assert!(of(&[3, 6]).fit());
    }

    #[test]
    fn another_encoding_of_the_same_shares_is_written_in_the_canonical_one() {
        let shares: Shares = [(PublicKey::from_bytes([1; 32]), share(32))].into();
        let bytes = written(&shares);
        // The heads of array, share, recipient, enc and ciphertext, and the same in more bytes.
        let wider: [(usize, usize, &[u8]); 7] = [
            (0, 1, &[0x98, 1]),
            (1, 1, &[0x98, 3]),
            (2, 2, &[0x59, 0, 32]),
            (36, 2, &[0x59, 0, 32]),
            (36, 2, &[0x5a, 0, 0, 0, 32]),
            (36, 2, &[0x5b, 0, 0, 0, 0, 0, 0, 0, 32]),
            (70, 2, &[0x59, 0, 48]),
        ];
        for (at, length, head) in wider {
            let wide = [&bytes[..at], head, &bytes[at + length..]].concat();
            let read = Shares::read(&mut Decoder::new(&wide));
            assert_eq!(read, Ok(shares.clone()), "{at}");
            assert_ne!(written(&shares), wide);
        }
    }
}
