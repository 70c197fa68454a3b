//! `IssuerKey`, `IssuerKeyRevoke`: whose credentials count.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, Effects, Entry};
use crate::credential::Timestamp;
use crate::id::PublicKey;
use crate::name::Name;
use crate::need::{Action, Need};
use crate::wire::{
    CodecError, Out, Written, expect_entries, expect_key, range, read, read_name, read_public_key,
};

/// Trusts an issuer's key for credentials whose `validFrom` lies in the window and whose grant is stamped in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerKey {
    /// Issuer, as credentials name it.
    pub issuer: Name,
    /// Key id, as JWT headers name it.
    pub kid: Name,
    /// Ed25519 key.
    pub public_key: PublicKey,
    /// Start of the window, ms since the Unix epoch, inclusive.
    pub valid_from_ms: u64,
    /// End of the window, ms since the Unix epoch, exclusive.
    pub valid_until_ms: u64,
}

/// Revokes every key that is listed under an issuer's key id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerKeyRevoke {
    /// Issuer.
    pub issuer: Name,
    /// Key id.
    pub kid: Name,
    /// Why, for people.
    pub reason: Name,
}

impl IssuerKey {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(6)?.u8(0)?.u16(kind)?;
        out.u8(1)?.str(&self.issuer)?;
        out.u8(2)?.str(&self.kid)?;
        out.u8(3)?.bytes(self.public_key.as_bytes())?;
        out.u8(4)?.u64(self.valid_from_ms)?;
        out.u8(5)?.u64(self.valid_until_ms)?;
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 6)?;
        let issuer = read_name(input, 1, "issuer")?;
        let kid = read_name(input, 2, "kid")?;
        let public_key = read_public_key(input, 3, "public key")?;
        expect_key(input, 4)?;
        let valid_from_ms = read!(input, u64, "valid_from");
        expect_key(input, 5)?;
        let valid_until_ms = read!(input, u64, "valid_until");
        Ok(Self {
            issuer,
            kid,
            public_key,
            valid_from_ms,
            valid_until_ms,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        range("valid_until", self.valid_until_ms)?;
        if self.valid_from_ms < self.valid_until_ms {
            Ok(())
        } else {
            Err(CodecError::Range("key window"))
        }
    }

    pub(super) const fn need(&self) -> Need {
        Need::any(Action::Trust)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        let window = (self.valid_from_ms, self.valid_until_ms);
        entry.list_key(&self.issuer, &self.kid, self.public_key, window);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.issuer_key()
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            Part::name(&self.issuer),
            Part::name(&self.kid),
            Part::Word("="),
            Part::Key(self.public_key),
            Part::Word("from"),
            Part::Instant(Timestamp::from_ms(self.valid_from_ms)),
            Part::Word("until"),
            Part::Instant(Timestamp::from_ms(self.valid_until_ms)),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({
            "issuer": self.issuer,
            "kid": self.kid,
            "public_key": self.public_key,
            "valid_from_ms": self.valid_from_ms,
            "valid_until_ms": self.valid_until_ms,
        })
    }
}

impl IssuerKeyRevoke {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(4)?.u8(0)?.u16(kind)?;
        out.u8(1)?.str(&self.issuer)?;
        out.u8(2)?.str(&self.kid)?;
        out.u8(3)?.str(&self.reason)?;
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 4)?;
        Ok(Self {
            issuer: read_name(input, 1, "issuer")?,
            kid: read_name(input, 2, "kid")?,
            reason: read_name(input, 3, "reason")?,
        })
    }

    pub(super) const fn need(&self) -> Need {
        Need::any(Action::Trust)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.revoke_key(&self.issuer, &self.kid);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.issuer_key_revoke(&self.issuer, &self.kid)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            Part::name(&self.issuer),
            Part::name(&self.kid),
            Part::Word("because"),
            Part::name(&self.reason),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "issuer": self.issuer, "kid": self.kid, "reason": self.reason })
    }
}
