//! `Cosign`: one more signature under what takes several.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, Effects, Entry, Seen};
use crate::id::OpId;
use crate::need::{Action, Need};
use crate::wire::{CodecError, Out, Written, expect_entries, read_op_id};

/// Signs, with other roots, an op in the past. Belongs to the feature `quorum`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosign {
    /// The quorum op.
    pub op: OpId,
}

impl Cosign {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(2)?.u8(0)?.u16(kind)?;
        out.u8(1)?.bytes(self.op.as_bytes())?;
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 2)?;
        Ok(Self {
            op: read_op_id(input, 1, "op")?,
        })
    }

    pub(super) fn bad_target(&self, seen: &mut Seen<'_>) -> Option<OpId> {
        (!seen.is_quorum_op(&self.op)).then_some(self.op)
    }

    pub(super) const fn need(&self) -> Need {
        Need::any(Action::Found)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.cosign(&self.op);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.cosign(&self.op)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![Part::Word("of"), Part::Op(self.op)]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "op": self.op })
    }
}
