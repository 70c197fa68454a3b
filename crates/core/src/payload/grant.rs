//! `Grant`: hands on what a credential says.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, Effects, Entry, Seen};
use crate::credential;
use crate::id::{OpId, PublicKey};
use crate::need::{Action, Need, Reach, is_administrator};
use crate::wire::{CodecError, Out, Written, expect_entries, read_op_id, read_public_key};

/// Grants to a subject what a credential in the past says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who gains authority.
    pub subject: PublicKey,
    /// The `Credential` op.
    pub credential: OpId,
}

impl Grant {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(3)?.u8(0)?.u16(kind)?;
        out.u8(1)?.bytes(self.subject.as_bytes())?;
        out.u8(2)?.bytes(self.credential.as_bytes())?;
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 3)?;
        Ok(Self {
            subject: read_public_key(input, 1, "subject")?,
            credential: read_op_id(input, 2, "credential")?,
        })
    }

    /// Handing on needs a scope that contains the credential's; of what cannot be read, the right to grant users.
    pub(super) fn need(&self, seen: &mut Seen<'_>) -> Need {
        match seen.credential(&self.credential) {
            None => Need::any(Action::GrantUser),
            Some(it) if is_administrator(it.role) => Need::any(Action::GrantAdministrator),
            Some(it) => Need {
                reach: Reach::Contains(it.scope.clone()),
                ..Need::any(Action::GrantUser)
            },
        }
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.grant(self.subject, &self.credential);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.grant()
    }

    pub(super) fn describe(&self, carried: Option<&str>) -> Vec<Part> {
        let right = carried.and_then(|jwt| credential::Credential::parse(jwt).ok());
        let mut parts = vec![Part::Key(self.subject)];
        match right {
            None => parts.push(Part::Word("unreadable")),
            Some(it) => parts.extend([
                Part::Word(it.role.name()),
                Part::Names(it.scope.into_iter().collect()),
            ]),
        }
        parts.extend([Part::Word("by credential"), Part::Op(self.credential)]);
        parts
    }

    pub(super) fn members(&self) -> Json {
        json!({ "subject": self.subject, "credential": self.credential })
    }
}
