//! `Credential`: carries a verifiable credential into the log.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use super::wire::{CodecError, Out, Written, check_jwt, read_jwt, write_jwt};
use crate::authority::{Effect, Effects, Entry};
use crate::credential;
use crate::need::{Action, Need};

/// Carries a verifiable credential (VC Data Model 2.0 as a JWT) into the log; grants refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Compact JWS, ASCII.
    pub jwt: String,
}

impl Credential {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        write_jwt(out, kind, &self.jwt)
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        Ok(Self {
            jwt: read_jwt(input, entries)?,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        check_jwt(&self.jwt)
    }

    pub(super) const fn need(&self) -> Need {
        Need::any(Action::Present)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.carry(&self.jwt);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.credential()
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        match credential::Credential::parse(&self.jwt) {
            Err(error) => vec![Part::Word("unreadable:"), Part::Escaped(error.to_string())],
            Ok(it) => vec![
                Part::Key(it.subject),
                Part::Word(it.role.name()),
                Part::Names(it.scope.into_iter().collect()),
                Part::Word("by"),
                Part::Name(it.issuer),
                Part::Name(it.kid),
                Part::Word("from"),
                Part::Instant(it.valid_from),
                Part::Word("until"),
                Part::Instant(it.valid_until),
            ],
        }
    }

    pub(super) fn members(&self) -> Json {
        json!({ "jwt": self.jwt })
    }
}
