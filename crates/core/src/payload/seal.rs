//! `Seal`: up to here it stands.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, Effects, Entry};
use crate::need::{Action, Need};
use crate::wire::{CodecError, Out, Written, expect_entries, expect_key, read_fixed};

/// Says that its past stands, once enough roots have signed it. Belongs to the feature `seal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// SHA-256 of the snapshot of its past ([`snapshot`](crate::snapshot())); admission does not judge it.
    pub digest: [u8; 32],
}

impl Seal {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(2)?.u8(0)?.u16(kind)?.u8(1)?.bytes(&self.digest)?;
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 2)?;
        expect_key(input, 1)?;
        Ok(Self {
            digest: read_fixed(input, "digest")?,
        })
    }

    pub(super) const fn need(&self) -> Need {
        Need::any(Action::Found)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.seal();
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.seal()
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            Part::Word("of the snapshot"),
            Part::Name(hex::encode(self.digest)),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "digest": hex::encode(self.digest) })
    }
}
