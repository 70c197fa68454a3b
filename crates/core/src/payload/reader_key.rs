//! `ReaderKey`: to which key content keys are sealed for somebody.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, Effects, Entry};
use crate::confidential::Kem;
use crate::need::{Action, Need};
use crate::wire::{CodecError, Out, Written, expect_entries, expect_key, read};

/// Publishes a key to which content keys can be sealed for the author. Belongs to the feature `confidential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderKey {
    /// The KEM of the key.
    pub kem: Kem,
    /// The public key, [`Kem::public_key_bytes`] long.
    pub public: Vec<u8>,
}

impl ReaderKey {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(3)?.u8(0)?.u16(kind)?;
        out.u8(1)?.u8(self.kem.number())?;
        out.u8(2)?.bytes(&self.public)?;
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 3)?;
        expect_key(input, 1)?;
        let kem = Kem::numbered(read!(input, u8, "kem")).ok_or(CodecError::Malformed("kem"))?;
        expect_key(input, 2)?;
        Ok(Self {
            kem,
            public: read!(input, bytes, "reader key").to_owned(),
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        if self.public.len() == self.kem.public_key_bytes() {
            Ok(())
        } else {
            Err(CodecError::Malformed("reader key"))
        }
    }

    /// Whoever may read something, whatever it is.
    pub(super) const fn need(&self) -> Need {
        Need::any(Action::Read)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.publish(self.kem);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.reader_key(self.kem)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            Part::Word("of"),
            Part::Word(self.kem.name()),
            Part::Name(hex::encode(
                &self.public[..self.public.len().min(BYTES_SHOWN)],
            )),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "kem": self.kem.name(), "public": hex::encode(&self.public) })
    }
}

/// Bytes of a public key that a description shows.
const BYTES_SHOWN: usize = 8;
