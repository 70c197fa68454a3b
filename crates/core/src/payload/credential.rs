//! `Credential`: carries a verifiable credential into the log.

use super::describe::Part;
use super::jwt::{OneJwt, unreadable};
use crate::authority::{Effect, Effects, Entry};
use crate::credential;
use crate::need::{Action, Need};

/// Carries a verifiable credential (VC Data Model 2.0 as a JWT) into the log; grants refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Compact JWS, ASCII.
    pub jwt: String,
}

impl OneJwt for Credential {
    fn of(jwt: String) -> Self {
        Self { jwt }
    }

    fn jwt(&self) -> &str {
        &self.jwt
    }
}

impl Credential {
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
            Err(error) => unreadable(&error),
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
}
