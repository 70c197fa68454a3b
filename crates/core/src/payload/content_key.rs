//! `KeyRotate` and `KeyGrant`: the keys of confidential tags, and who is given them.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use super::shares::{Share, Shares};
use crate::authority::{Effect, Effects, Entry, Seen, Unauthorised};
use crate::id::{OpId, PublicKey};
use crate::limits::{RECIPIENTS_MAX, TAGS_MAX};
use crate::name::Tags;
use crate::need::{Action, Need, Reach};
use crate::wire::{
    CodecError, Out, Written, count, expect_entries, expect_key, read_op_id, read_tags, write_tags,
};

/// Makes a content key, which is named by the id of the op. Belongs to the feature `confidential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRotate {
    /// The secret tags of the fields that it is for, 1 to [`TAGS_MAX`].
    pub tags: Tags,
}

/// Gives a content key to recipients. Belongs to the feature `confidential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant {
    /// The `KeyRotate`.
    pub key: OpId,
    /// What each recipient, a person or a device, is given; 1 to [`RECIPIENTS_MAX`].
    pub shares: Shares,
}

/// A content key is used in fields with one of its tags, so it concerns whom one of them concerns.
fn need(tags: Tags) -> Need {
    Need {
        reach: Reach::Meets(tags),
        ..Need::any(Action::ManageKeys)
    }
}

impl KeyRotate {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(2)?.u8(0)?.u16(kind)?.u8(1)?;
        write_tags(out, &self.tags)
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 2)?;
        expect_key(input, 1)?;
        Ok(Self {
            tags: read_tags(input)?,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        count("tags", self.tags.len(), TAGS_MAX)
    }

    pub(super) fn need(&self) -> Need {
        need(self.tags.clone())
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.rotate(&self.tags);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.key_rotate(&self.tags)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![Part::Word("for"), Part::names(&self.tags)]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "tags": self.tags })
    }
}

impl KeyGrant {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(3)?.u8(0)?.u16(kind)?;
        out.u8(1)?.bytes(self.key.as_bytes())?;
        out.u8(2)?;
        self.shares.write(out)
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 3)?;
        let key = read_op_id(input, 1, "key")?;
        expect_key(input, 2)?;
        let shares = Shares::read(input)?;
        Ok(Self { key, shares })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        count("shares", self.shares.len(), RECIPIENTS_MAX)?;
        if self.shares.fit() {
            Ok(())
        } else {
            Err(CodecError::Malformed("enc"))
        }
    }

    pub(super) fn bad_target(&self, seen: &mut Seen<'_>) -> Option<OpId> {
        seen.key_tags(&self.key).is_none().then_some(self.key)
    }

    pub(super) fn need(&self, seen: &mut Seen<'_>) -> Need {
        need(seen.key_tags(&self.key).cloned().unwrap_or_default())
    }

    pub(super) fn keeps_secrets(
        &self,
        seen: &mut Seen<'_>,
        now_ms: u64,
    ) -> Result<(), Unauthorised> {
        seen.hands_on(&self.key, self.shares.recipients(), now_ms)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.share(&self.key, self.shares.shared_recipients());
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.key_grant(&self.key)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            Part::Word("of"),
            Part::Op(self.key),
            Part::Word("to"),
            Part::Count(self.shares.len(), "recipient"),
        ]
    }

    pub(super) fn members(&self) -> Json {
        let share = |(recipient, share): (&PublicKey, Share)| {
            json!({
                "recipient": recipient,
                "enc": hex::encode(share.enc),
                "ciphertext": hex::encode(share.ciphertext),
            })
        };
        json!({ "key": self.key, "shares": self.shares.iter().map(share).collect::<Vec<_>>() })
    }
}
