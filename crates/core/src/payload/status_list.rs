//! `StatusList`: withdraws credentials by number.

use super::describe::Part;
use super::jwt::{OneJwt, unreadable};
use crate::authority::{Effect, Effects, Entry};
use crate::credential;
use crate::need::{Action, Need};

/// Carries a Bitstring Status List credential (as a JWT) into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    /// Compact JWS, ASCII.
    pub jwt: String,
}

impl OneJwt for StatusList {
    fn of(jwt: String) -> Self {
        Self { jwt }
    }

    fn jwt(&self) -> &str {
        &self.jwt
    }
}

impl StatusList {
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
            Err(error) => unreadable(&error),
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
}
