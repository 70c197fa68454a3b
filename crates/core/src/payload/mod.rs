//! Payloads: what an op says. Each kind has its family's file, with what it is, how it is written and read, what its
//! author needs, what it does, and how it is described.

mod content_key;
mod cosign;
mod credential;
mod data;
mod describe;
mod device;
mod endorse;
mod genesis;
mod grant;
mod issuer_key;
mod jwt;
mod kind;
mod reader_key;
mod revoke;
mod schema;
mod seal;
mod sealed;
mod shares;
mod status_list;
mod unassigned;
mod upgrade;

pub use content_key::{KeyGrant, KeyRotate};
pub use cosign::Cosign;
pub use credential::Credential;
pub(crate) use data::read_value_alone;
pub use data::{SetAdd, SetField, SetRemove};
pub use describe::Part;
pub use device::{DEVICE_DOMAIN, Device, DeviceRevoke};
pub use endorse::Endorse;
pub use genesis::Genesis;
pub use grant::Grant;
pub use issuer_key::{IssuerKey, IssuerKeyRevoke};
pub use kind::Kind;
pub use reader_key::ReaderKey;
pub use revoke::Revoke;
pub use schema::Schema;
pub use seal::Seal;
pub use sealed::{SetAddSealed, SetFieldSealed};
pub(crate) use shares::read_share_alone;
pub use shares::{Share, Shares};
pub use status_list::StatusList;
pub use unassigned::Unassigned;
pub use upgrade::Upgrade;

use minicbor::Decoder;
use serde_json::Value as Json;

use crate::authority::{Effect, Effects, Entry, Seen, Unauthorised};
use crate::id::OpId;
use crate::name::Name;
use crate::need::Need;
use crate::sealed::Sealed;
use crate::value::Value;
use crate::wire::{CodecError, Out, Written, expect_key, read};
use jwt::OneJwt;

/// Declares the payload of each kind; a kind that is left out does not build.
macro_rules! payloads {
    ($($kind:ident,)*) => {
        /// What an op says.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Payload {
            $(#[doc = concat!("[`Kind::", stringify!($kind), "`]")] $kind($kind),)*
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

payloads! {
    Genesis,
    SetField,
    SetAdd,
    SetRemove,
    Credential,
    Grant,
    Revoke,
    IssuerKey,
    IssuerKeyRevoke,
    StatusList,
    Upgrade,
    Schema,
    Seal,
    Cosign,
    Endorse,
    Device,
    DeviceRevoke,
    ReaderKey,
    KeyRotate,
    KeyGrant,
    SetFieldSealed,
    SetAddSealed,
}

impl Payload {
    /// The name of the kind of payload, in exports and logs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.known_kind() {
            Some(kind) => kind.name(),
            None => "Unassigned",
        }
    }

    /// The genesis, if it is one.
    #[must_use]
    pub const fn genesis(&self) -> Option<&Genesis> {
        if let Self::Genesis(genesis) = self {
            Some(genesis)
        } else {
            None
        }
    }

    /// The JWT of a `Credential`, if it is one.
    #[must_use]
    pub fn credential(&self) -> Option<&str> {
        if let Self::Credential(Credential { jwt }) = self {
            Some(jwt)
        } else {
            None
        }
    }

    /// Whether it names features that the project uses.
    #[must_use]
    pub fn names_features(&self) -> bool {
        match self {
            Self::Genesis(genesis) => !genesis.features.is_empty(),
            Self::Upgrade(_) => true,
            Self::SetField(_)
            | Self::SetAdd(_)
            | Self::SetRemove(_)
            | Self::Credential(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::IssuerKey(_)
            | Self::IssuerKeyRevoke(_)
            | Self::StatusList(_)
            | Self::Schema(_)
            | Self::Seal(_)
            | Self::Cosign(_)
            | Self::Endorse(_)
            | Self::Device(_)
            | Self::DeviceRevoke(_)
            | Self::ReaderKey(_)
            | Self::KeyRotate(_)
            | Self::KeyGrant(_)
            | Self::SetFieldSealed(_)
            | Self::SetAddSealed(_)
            | Self::Unassigned(_) => false,
        }
    }

    /// The value that a data payload writes.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::SetField(SetField { value, .. }) | Self::SetAdd(SetAdd { value, .. }) => {
                Some(value.clone())
            }
            Self::SetFieldSealed(SetFieldSealed { value, .. })
            | Self::SetAddSealed(SetAddSealed { value, .. }) => Some(Value::Sealed(value.clone())),
            Self::SetRemove(_)
            | Self::Genesis(_)
            | Self::Credential(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::IssuerKey(_)
            | Self::IssuerKeyRevoke(_)
            | Self::StatusList(_)
            | Self::Upgrade(_)
            | Self::Schema(_)
            | Self::Seal(_)
            | Self::Cosign(_)
            | Self::Endorse(_)
            | Self::Device(_)
            | Self::DeviceRevoke(_)
            | Self::ReaderKey(_)
            | Self::KeyRotate(_)
            | Self::KeyGrant(_)
            | Self::Unassigned(_) => None,
        }
    }

    /// Puts another value in the place of the sealed one, under the same key; whether there is one.
    pub(crate) fn put_sealed(&mut self, sealed: Sealed) -> bool {
        let value = if let Self::SetFieldSealed(write) = self {
            &mut write.value
        } else if let Self::SetAddSealed(write) = self {
            &mut write.value
        } else {
            return false;
        };
        let is_same_key = value.key == sealed.key;
        if is_same_key {
            *value = sealed;
        }
        is_same_key
    }

    /// The object and field that a data payload touches.
    #[must_use]
    pub const fn target(&self) -> Option<(&Name, &Name)> {
        match self {
            Self::SetField(SetField { object, field, .. })
            | Self::SetAdd(SetAdd { object, field, .. })
            | Self::SetRemove(SetRemove { object, field, .. })
            | Self::SetFieldSealed(SetFieldSealed { object, field, .. })
            | Self::SetAddSealed(SetAddSealed { object, field, .. }) => Some((object, field)),
            Self::Genesis(_)
            | Self::Credential(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::IssuerKey(_)
            | Self::IssuerKeyRevoke(_)
            | Self::StatusList(_)
            | Self::Upgrade(_)
            | Self::Schema(_)
            | Self::Seal(_)
            | Self::Cosign(_)
            | Self::Endorse(_)
            | Self::Device(_)
            | Self::DeviceRevoke(_)
            | Self::ReaderKey(_)
            | Self::KeyRotate(_)
            | Self::KeyGrant(_)
            | Self::Unassigned(_) => None,
        }
    }

    /// The element of a set that a data payload touches.
    #[must_use]
    pub const fn element(&self) -> Option<&Name> {
        match self {
            Self::SetAdd(SetAdd { element, .. })
            | Self::SetRemove(SetRemove { element, .. })
            | Self::SetAddSealed(SetAddSealed { element, .. }) => Some(element),
            Self::SetField(_)
            | Self::SetFieldSealed(_)
            | Self::Genesis(_)
            | Self::Credential(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::IssuerKey(_)
            | Self::IssuerKeyRevoke(_)
            | Self::StatusList(_)
            | Self::Upgrade(_)
            | Self::Schema(_)
            | Self::Seal(_)
            | Self::Cosign(_)
            | Self::Endorse(_)
            | Self::Device(_)
            | Self::DeviceRevoke(_)
            | Self::ReaderKey(_)
            | Self::KeyRotate(_)
            | Self::KeyGrant(_)
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
            Self::Seal(it) => it.describe(),
            Self::Cosign(it) => it.describe(),
            Self::Endorse(it) => it.describe(),
            Self::Device(it) => it.describe(),
            Self::DeviceRevoke(it) => it.describe(),
            Self::ReaderKey(it) => it.describe(),
            Self::KeyRotate(it) => it.describe(),
            Self::KeyGrant(it) => it.describe(),
            Self::SetFieldSealed(it) => it.describe(),
            Self::SetAddSealed(it) => it.describe(),
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
            Self::Endorse(it) => it.check(),
            Self::ReaderKey(it) => it.check(),
            Self::KeyRotate(it) => it.check(),
            Self::KeyGrant(it) => it.check(),
            Self::SetFieldSealed(it) => it.check(),
            Self::SetAddSealed(it) => it.check(),
            Self::SetRemove(_)
            | Self::Grant(_)
            | Self::IssuerKeyRevoke(_)
            | Self::Seal(_)
            | Self::Cosign(_)
            | Self::Device(_)
            | Self::DeviceRevoke(_)
            | Self::Unassigned(_) => Ok(()),
        }
    }

    /// The op with the least id, of those that the payload names, that it cannot name; `None` where all is well.
    pub(crate) fn bad_target(&self, seen: &mut Seen<'_>) -> Option<OpId> {
        match self {
            Self::Cosign(it) => it.bad_target(seen),
            Self::Endorse(it) => it.bad_target(seen),
            Self::KeyGrant(it) => it.bad_target(seen),
            Self::Genesis(_)
            | Self::SetField(_)
            | Self::SetAdd(_)
            | Self::SetRemove(_)
            | Self::Credential(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::IssuerKey(_)
            | Self::IssuerKeyRevoke(_)
            | Self::StatusList(_)
            | Self::Upgrade(_)
            | Self::Schema(_)
            | Self::Seal(_)
            | Self::Device(_)
            | Self::DeviceRevoke(_)
            | Self::ReaderKey(_)
            | Self::KeyRotate(_)
            | Self::SetFieldSealed(_)
            | Self::SetAddSealed(_)
            | Self::Unassigned(_) => None,
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
            Self::Seal(it) => Some(it.need()),
            Self::Cosign(it) => Some(it.need()),
            Self::Endorse(it) => Some(it.need(seen)),
            Self::Device(it) => Some(it.need()),
            Self::DeviceRevoke(it) => Some(it.need()),
            Self::ReaderKey(it) => Some(it.need()),
            Self::KeyRotate(it) => Some(it.need()),
            Self::KeyGrant(it) => Some(it.need(seen)),
            Self::SetFieldSealed(it) => Some(it.need(seen)),
            Self::SetAddSealed(it) => Some(it.need(seen)),
            Self::Genesis(_) | Self::Unassigned(_) => None,
        }
    }

    /// Errs if an authorised op with this payload and this physical time would show a value, or give a key, to somebody who
    /// may not read it.
    pub(crate) fn keeps_secrets(
        &self,
        seen: &mut Seen<'_>,
        now_ms: u64,
    ) -> Result<(), Unauthorised> {
        match self {
            Self::SetField(it) => it.keeps_secrets(seen),
            Self::SetAdd(it) => it.keeps_secrets(seen),
            Self::KeyGrant(it) => it.keeps_secrets(seen, now_ms),
            Self::SetFieldSealed(it) => it.keeps_secrets(seen, now_ms),
            Self::SetAddSealed(it) => it.keeps_secrets(seen, now_ms),
            Self::Genesis(_)
            | Self::SetRemove(_)
            | Self::Credential(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::IssuerKey(_)
            | Self::IssuerKeyRevoke(_)
            | Self::StatusList(_)
            | Self::Upgrade(_)
            | Self::Schema(_)
            | Self::Seal(_)
            | Self::Cosign(_)
            | Self::Endorse(_)
            | Self::Device(_)
            | Self::DeviceRevoke(_)
            | Self::ReaderKey(_)
            | Self::KeyRotate(_)
            | Self::Unassigned(_) => Ok(()),
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
            Self::Seal(it) => it.register(entry),
            Self::Cosign(it) => it.register(entry),
            Self::Endorse(it) => it.register(entry),
            Self::Device(it) => it.register(entry),
            Self::DeviceRevoke(it) => it.register(entry),
            Self::ReaderKey(it) => it.register(entry),
            Self::KeyRotate(it) => it.register(entry),
            Self::KeyGrant(it) => it.register(entry),
            Self::SetField(_)
            | Self::SetAdd(_)
            | Self::SetRemove(_)
            | Self::SetFieldSealed(_)
            | Self::SetAddSealed(_)
            | Self::Unassigned(_) => {}
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
            Self::Seal(it) => Some(it.effect(of)),
            Self::Cosign(it) => Some(it.effect(of)),
            Self::Endorse(it) => Some(it.effect(of)),
            Self::Device(it) => Some(it.effect(of)),
            Self::DeviceRevoke(it) => Some(it.effect(of)),
            Self::ReaderKey(it) => Some(it.effect(of)),
            Self::KeyRotate(it) => Some(it.effect(of)),
            Self::KeyGrant(it) => Some(it.effect(of)),
            Self::SetField(_)
            | Self::SetAdd(_)
            | Self::SetRemove(_)
            | Self::SetFieldSealed(_)
            | Self::SetAddSealed(_)
            | Self::Unassigned(_) => None,
        }
    }
}
