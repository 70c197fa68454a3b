//! `StatusList`: withdraws credentials by number.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use super::wire::{CodecError, Out, Written, check_jwt, read_jwt, write_jwt};
use crate::authority::{Effect, Effects, Entry};
use crate::credential;
use crate::need::{Action, Need};

/// Carries a Bitstring Status List credential (as a JWT) into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    /// Compact JWS, ASCII.
    pub jwt: String,
}

impl StatusList {
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
        Need::any(Action::Trust)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.add_list(&self.jwt);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.status_list()
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        match credential::StatusList::parse(&self.jwt) {
            Err(error) => vec![Part::Word("unreadable:"), Part::Escaped(error.to_string())],
            Ok(list) => vec![
                Part::Word(list.purpose.name()),
                Part::Name(list.id.clone()),
                Part::Word("by"),
                Part::Name(list.issuer.clone()),
                Part::Name(list.kid.clone()),
                Part::Word("with"),
                Part::Number(list.bits_set()),
                Part::Word("of"),
                Part::Number(list.bit_count()),
                Part::Word("bits set"),
            ],
        }
    }

    pub(super) fn members(&self) -> Json {
        json!({ "jwt": self.jwt })
    }
}
