//! `Revoke`: takes authority away.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, Effects, Entry};
use crate::credential::Role;
use crate::id::PublicKey;
use crate::limits::TAGS_MAX;
use crate::name::Tags;
use crate::need::{Action, Need, Reach, is_administrator};
use crate::wire::{CodecError, Out, Written, count, read, read_public_key, read_tags, write_tags};

/// Revokes matching grants of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoke {
    /// Who loses authority.
    pub subject: PublicKey,
    /// Only grants of this role, if named.
    pub role: Option<Role>,
    /// Only grants whose scope meets this one, if named.
    pub scope: Option<Tags>,
}

impl Revoke {
    /// Revokes every grant to the subject that its author has authority over.
    #[must_use]
    pub const fn of(subject: PublicKey) -> Self {
        Self {
            subject,
            role: None,
            scope: None,
        }
    }

    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(2 + u64::from(self.role.is_some()) + u64::from(self.scope.is_some()))?;
        out.u8(0)?.u16(kind)?;
        out.u8(1)?.bytes(self.subject.as_bytes())?;
        if let Some(role) = self.role {
            out.u8(2)?.str(role.name())?;
        }
        if let Some(scope) = &self.scope {
            out.u8(3)?;
            write_tags(out, scope)?;
        }
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        let subject = read_public_key(input, 1, "subject")?;
        let (mut role, mut scope) = (None, None);
        for _ in 2..entries {
            match read!(input, u8, "key") {
                2 if role.is_none() && scope.is_none() => {
                    let text = read!(input, str, "role");
                    role = Some(
                        text.parse::<Role>()
                            .map_err(|_| CodecError::Malformed("role"))?,
                    );
                }
                3 if scope.is_none() => scope = Some(read_tags(input)?),
                _ => return Err(CodecError::Order("payload keys")),
            }
        }
        Ok(Self {
            subject,
            role,
            scope,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        self.scope
            .as_ref()
            .map_or(Ok(()), |scope| count("tags", scope.len(), TAGS_MAX))
    }

    pub(super) fn need(&self) -> Need {
        let action = if self.role.is_some_and(is_administrator) {
            Action::RevokeAdministrator
        } else {
            Action::RevokeUser
        };
        Need {
            reach: self.scope.clone().map_or(Reach::Any, Reach::Meets),
            ..Need::any(action)
        }
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.revoke(self.subject, self.role, self.scope.clone());
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.revoke(&self.subject)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            Part::Key(self.subject),
            Part::Word(self.role.map_or("every role", Role::name)),
            self.scope
                .as_ref()
                .map_or(Part::Word("everywhere"), Part::names),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "subject": self.subject, "role": self.role, "scope": self.scope })
    }
}
