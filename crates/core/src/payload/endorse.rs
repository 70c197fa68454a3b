//! `Endorse`: honest work given back.

use std::collections::BTreeSet;

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, Effects, Entry, Seen};
use crate::id::OpId;
use crate::limits::ENDORSED_MAX;
use crate::need::{Action, Need, Reach};
use crate::wire::{
    CodecError, Out, Written, ascending, count, expect_entries, expect_key, read_array, read_fixed,
};

/// Reinstates data ops under the author's own authority. Belongs to the feature `endorse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endorse {
    /// The data ops, 1 to [`ENDORSED_MAX`], all in the past.
    pub ops: BTreeSet<OpId>,
}

impl Endorse {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(2)?.u8(0)?.u16(kind)?.u8(1)?;
        out.array(self.ops.len() as u64)?;
        for op in &self.ops {
            out.bytes(op.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 2)?;
        expect_key(input, 1)?;
        let ops = read_array(input, "endorsed ops", ENDORSED_MAX, |input| {
            read_fixed(input, "endorsed op").map(OpId::from_bytes)
        })?;
        Ok(Self {
            ops: ascending(ops, "endorsed ops")?,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        count("endorsed ops", self.ops.len(), ENDORSED_MAX)
    }

    pub(super) fn bad_target(&self, seen: &mut Seen<'_>) -> Option<OpId> {
        let mut ops = self.ops.iter();
        ops.find(|op| seen.data_op(op).is_none()).copied()
    }

    /// What each op would need if the endorser wrote it, all from one grant.
    pub(super) fn need(&self, seen: &mut Seen<'_>) -> Need {
        let mut fields = BTreeSet::new();
        for op in &self.ops {
            if let Some((object, field)) = seen.data_op(op) {
                fields.insert(seen.tags(&object, &field));
            }
        }
        Need {
            reach: Reach::MeetsEach(fields),
            ..Need::any(Action::Edit)
        }
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.endorse(&self.ops);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.endorse(&self.ops)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        let mut parts = vec![Part::Count(self.ops.len(), "op")];
        parts.extend(self.ops.iter().take(OPS_SHOWN).map(|op| Part::Op(*op)));
        if self.ops.len() > OPS_SHOWN {
            parts.push(Part::Word("and more"));
        }
        parts
    }

    pub(super) fn members(&self) -> Json {
        json!({ "ops": self.ops })
    }
}

/// Ops that a description shows.
const OPS_SHOWN: usize = 3;
