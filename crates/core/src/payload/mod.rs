//! Payloads: what an op says. Each kind has its family's file, with what it is, how it is written and read, what its
//! author needs, what it does, and how it is described.

mod credential;
mod data;
mod describe;
mod genesis;
mod grant;
mod issuer_key;
mod revoke;
mod schema;
mod status_list;
mod unassigned;
mod upgrade;
pub(crate) mod wire;

pub use credential::Credential;
pub use data::{SetAdd, SetField, SetRemove};
pub use describe::Part;
pub use genesis::Genesis;
pub use grant::Grant;
pub use issuer_key::{IssuerKey, IssuerKeyRevoke};
pub use revoke::Revoke;
pub use schema::Schema;
pub use status_list::StatusList;
pub use unassigned::Unassigned;
pub use upgrade::Upgrade;

use minicbor::Decoder;
use serde_json::Value as Json;

use crate::authority::{Effect, Effects, Entry, Seen};
use crate::feature::Feature;
use crate::name::Name;
use crate::need::Need;
use wire::{CodecError, Out, Written, expect_key, read};

/// Declares the kinds of payload: number on the wire, name, and the feature that has to be in force.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $number:literal, $feature:expr;)*) => {
        /// A kind of payload that this program knows. The numbers are those of `docs/protocol.cddl`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[doc = $doc])* $kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The type of the payload on the wire.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$kind => $number,)* }
            }

            /// The kind of that number, if this program knows one.
            #[must_use]
            pub const fn numbered(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$kind),)* _ => None }
            }

            /// The name in exports and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => stringify!($kind),)* }
            }

            /// The feature without which the kind does not count, if there is one.
            #[must_use]
            pub const fn feature(self) -> Option<Feature> {
                match self { $(Self::$kind => $feature,)* }
            }
        }

        /// What an op says.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Payload {
            $($(#[doc = $doc])* $kind($kind),)*
            /// A payload of a type that this program does not know.
            Unassigned(Unassigned),
        }

        $(impl From<$kind> for Payload {
            fn from(payload: $kind) -> Self {
                Self::$kind(payload)
            }
        })*

        impl Payload {
            /// The kind, if this program knows it.
            #[must_use]
            pub const fn known_kind(&self) -> Option<Kind> {
                match self {
                    $(Self::$kind(_) => Some(Kind::$kind),)*
                    Self::Unassigned(_) => None,
                }
            }

            /// Reads a payload. What the readers let pass all the same shows when the op is encoded again.
            pub(crate) fn read(input: &mut Decoder<'_>) -> Result<Self, CodecError> {
                let start = input.position();
                let Ok(Some(entries @ 1..)) = input.map() else {
                    return Err(CodecError::Malformed("payload"));
                };
                expect_key(input, 0)?;
                match Kind::numbered(read!(input, u16, "payload type")) {
                    $(Some(Kind::$kind) => $kind::read(input, entries).map(Self::$kind),)*
                    None => {
                        input.set_position(start);
                        Unassigned::read(input).map(Self::Unassigned)
                    }
                }
            }

            pub(crate) fn write(&self, out: &mut Out<'_>) -> Written {
                match self {
                    $(Self::$kind(it) => it.write(Kind::$kind.number(), out),)*
                    Self::Unassigned(it) => it.write(out),
                }
            }

            /// Everything that the payload says; keys as `did:key`, values as in the state export.
            #[must_use]
            pub fn members(&self) -> Json {
                match self {
                    $(Self::$kind(it) => it.members(),)*
                    Self::Unassigned(it) => it.members(),
                }
            }
        }
    };
}

kinds! {
    /// Names the project, its root keys, its schema and its features.
    Genesis = 0, None;
    /// Writes a register.
    SetField = 1, None;
    /// Adds an element to a set.
    SetAdd = 2, None;
    /// Removes an element from a set.
    SetRemove = 3, None;
    /// Carries a verifiable credential into the log.
    Credential = 4, None;
    /// Grants to a subject what a credential in the past says.
    Grant = 5, None;
    /// Revokes matching grants of a subject.
    Revoke = 6, None;
    /// Trusts an issuer's key.
    IssuerKey = 7, None;
    /// Revokes every key that is listed under an issuer's key id.
    IssuerKeyRevoke = 8, None;
    /// Carries a Bitstring Status List credential into the log.
    StatusList = 9, None;
    /// Names one more feature.
    Upgrade = 10, None;
    /// Adds rules to the schema map.
    Schema = 11, Some(Feature::Schema);
}

impl Payload {
    /// The name of the kind of payload, in exports and logs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.known_kind() {
            Some(kind) => kind.name(),
            None => "Unassigned",
        }
    }

    /// The object and field that a data payload touches.
    #[must_use]
    pub const fn target(&self) -> Option<(&Name, &Name)> {
        match self {
            Self::SetField(SetField { object, field, .. })
            | Self::SetAdd(SetAdd { object, field, .. })
            | Self::SetRemove(SetRemove { object, field, .. }) => Some((object, field)),
            Self::Genesis(_)
            | Self::Credential(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::IssuerKey(_)
            | Self::IssuerKeyRevoke(_)
            | Self::StatusList(_)
            | Self::Upgrade(_)
            | Self::Schema(_)
            | Self::Unassigned(_) => None,
        }
    }

    /// The element of a set that a data payload touches.
    #[must_use]
    pub const fn element(&self) -> Option<&Name> {
        match self {
            Self::SetAdd(SetAdd { element, .. }) | Self::SetRemove(SetRemove { element, .. }) => {
                Some(element)
            }
            Self::SetField(_)
            | Self::Genesis(_)
            | Self::Credential(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::IssuerKey(_)
            | Self::IssuerKeyRevoke(_)
            | Self::StatusList(_)
            | Self::Upgrade(_)
            | Self::Schema(_)
            | Self::Unassigned(_) => None,
        }
    }

    /// The description in parts, without the kind. `carried` is the JWT of the credential that a `Grant` refers to,
    /// where the reader has it.
    #[must_use]
    pub fn describe(&self, carried: Option<&str>) -> Vec<Part> {
        match self {
            Self::Genesis(it) => it.describe(),
            Self::SetField(it) => it.describe(),
            Self::SetAdd(it) => it.describe(),
            Self::SetRemove(it) => it.describe(),
            Self::Credential(it) => it.describe(),
            Self::Grant(it) => it.describe(carried),
            Self::Revoke(it) => it.describe(),
            Self::IssuerKey(it) => it.describe(),
            Self::IssuerKeyRevoke(it) => it.describe(),
            Self::StatusList(it) => it.describe(),
            Self::Upgrade(it) => it.describe(),
            Self::Schema(it) => it.describe(),
            Self::Unassigned(it) => it.describe(),
        }
    }

    /// The rules of the wire format that the types do not already state.
    pub(crate) fn check(&self) -> Result<(), CodecError> {
        match self {
            Self::Genesis(it) => it.check(),
            Self::SetField(it) => it.check(),
            Self::SetAdd(it) => it.check(),
            Self::Credential(it) => it.check(),
            Self::Revoke(it) => it.check(),
            Self::IssuerKey(it) => it.check(),
            Self::StatusList(it) => it.check(),
            Self::Upgrade(it) => it.check(),
            Self::Schema(it) => it.check(),
            Self::SetRemove(_)
            | Self::Grant(_)
            | Self::IssuerKeyRevoke(_)
            | Self::Unassigned(_) => Ok(()),
        }
    }

    /// What an op with this payload needs of a grant of its author; `None` for what no grant is asked for: genesis, and
    /// what is not judged.
    pub(crate) fn need(&self, seen: &mut Seen<'_>) -> Option<Need> {
        match self {
            Self::SetField(it) => Some(it.need(seen)),
            Self::SetAdd(it) => Some(it.need(seen)),
            Self::SetRemove(it) => Some(it.need(seen)),
            Self::Credential(it) => Some(it.need()),
            Self::Grant(it) => Some(it.need(seen)),
            Self::Revoke(it) => Some(it.need()),
            Self::IssuerKey(it) => Some(it.need()),
            Self::IssuerKeyRevoke(it) => Some(it.need()),
            Self::StatusList(it) => Some(it.need()),
            Self::Upgrade(it) => Some(it.need()),
            Self::Schema(it) => Some(it.need()),
            Self::Genesis(_) | Self::Unassigned(_) => None,
        }
    }

    /// Registers what an admitted op with this payload says about authority.
    pub(crate) fn register(&self, entry: &mut Entry<'_>) {
        match self {
            Self::Genesis(it) => it.register(entry),
            Self::Credential(it) => it.register(entry),
            Self::Grant(it) => it.register(entry),
            Self::Revoke(it) => it.register(entry),
            Self::IssuerKey(it) => it.register(entry),
            Self::IssuerKeyRevoke(it) => it.register(entry),
            Self::StatusList(it) => it.register(entry),
            Self::Upgrade(it) => it.register(entry),
            Self::Schema(it) => it.register(entry),
            Self::SetField(_) | Self::SetAdd(_) | Self::SetRemove(_) | Self::Unassigned(_) => {}
        }
    }

    /// What an admitted op of trust or policy does; data ops have no effect of this sort.
    pub(crate) fn effect(&self, of: &mut Effects<'_>) -> Option<Effect> {
        match self {
            Self::Genesis(it) => Some(it.effect()),
            Self::Credential(it) => Some(it.effect(of)),
            Self::Grant(it) => Some(it.effect(of)),
            Self::Revoke(it) => Some(it.effect(of)),
            Self::IssuerKey(it) => Some(it.effect(of)),
            Self::IssuerKeyRevoke(it) => Some(it.effect(of)),
            Self::StatusList(it) => Some(it.effect(of)),
            Self::Upgrade(it) => Some(it.effect(of)),
            Self::Schema(it) => Some(it.effect(of)),
            Self::SetField(_) | Self::SetAdd(_) | Self::SetRemove(_) | Self::Unassigned(_) => None,
        }
    }
}
