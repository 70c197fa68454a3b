//! `KeyRotate` and `KeyGrant`: the keys of confidential tags, and who is given them.

use std::collections::BTreeMap;

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, Effects, Entry, Seen, Unauthorised};
use crate::confidential::Kem;
use crate::id::{OpId, PublicKey};
use crate::limits::{RECIPIENTS_MAX, TAGS_MAX};
use crate::name::Tags;
use crate::need::{Action, Need, Reach};
use crate::wire::{
    CodecError, Out, Written, count, expect_array, expect_entries, expect_key, read, read_array,
    read_fixed, read_op_id, read_tags, write_tags,
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
    pub shares: BTreeMap<PublicKey, Share>,
}

/// A content key that is sealed to one recipient (HPKE, RFC 9180).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The encapsulated key, [`Kem::enc_bytes`] of some KEM long.
    pub enc: Vec<u8>,
    /// The sealed key with its tag.
    pub ciphertext: [u8; 48],
}

/// Reads a share as far as its recipient.
fn read_recipient(input: &mut Decoder<'_>) -> Result<PublicKey, CodecError> {
    expect_array(input, 3, "share")?;
    read_fixed(input, "recipient").map(PublicKey::from_bytes)
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
    for _ in 0..input.array().ok()?? {
        let is_theirs = read_recipient(input).ok()? == *recipient;
        let (enc, ciphertext) = (input.bytes().ok()?, input.bytes().ok()?);
        if is_theirs {
            return Some(Share {
                enc: enc.to_owned(),
                ciphertext: ciphertext.try_into().ok()?,
            });
        }
    }
    None
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
        out.u8(2)?.array(self.shares.len() as u64)?;
        for (recipient, Share { enc, ciphertext }) in &self.shares {
            out.array(3)?.bytes(recipient.as_bytes())?;
            out.bytes(enc)?.bytes(ciphertext)?;
        }
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 3)?;
        let key = read_op_id(input, 1, "key")?;
        expect_key(input, 2)?;
        let shares = read_array(input, "shares", RECIPIENTS_MAX, |input| {
            let recipient = read_recipient(input)?;
            let enc = read!(input, bytes, "enc").to_owned();
            let ciphertext = read_fixed(input, "share")?;
            Ok((recipient, Share { enc, ciphertext }))
        })?;
        if !shares.is_sorted_by(|one, other| one.0 < other.0) {
            return Err(CodecError::Order("shares"));
        }
        Ok(Self {
            key,
            shares: shares.into_iter().collect(),
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        count("shares", self.shares.len(), RECIPIENTS_MAX)?;
        let fits = |share: &Share| {
            let length = share.enc.len();
            Kem::ALL.iter().any(|kem| kem.enc_bytes() == length)
        };
        if self.shares.values().all(fits) {
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
        seen.hands_on(&self.key, self.shares.keys(), now_ms)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.share(&self.key, self.shares.keys());
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
        let share = |(recipient, share): (&PublicKey, &Share)| {
            json!({
                "recipient": recipient,
                "enc": hex::encode(&share.enc),
                "ciphertext": hex::encode(share.ciphertext),
            })
        };
        json!({ "key": self.key, "shares": self.shares.iter().map(share).collect::<Vec<_>>() })
    }
}
