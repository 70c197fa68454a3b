//! `Device` and `DeviceRevoke`: several keys for one person.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, Effects, Entry};
use crate::id::{ProjectId, PublicKey};
use crate::need::{Action, Need};
use crate::signature::zip215_verifies;
use crate::wire::{
    CodecError, Out, Written, expect_entries, expect_key, read_fixed, read_public_key,
};

/// Domain string of the proofs of devices (`docs/protocol.md`, Devices).
pub const DEVICE_DOMAIN: &[u8] = b"ECAC_DEVICE_V1";

/// Links a device's key to a person. Belongs to the feature `device`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The key that grants name.
    pub person: PublicKey,
    /// The key that signs for the person.
    pub key: PublicKey,
    /// The device's signature over [`Device::proof_of`].
    pub proof: [u8; 64],
}

/// Ends the links of a device's key to a person. Belongs to the feature `device`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRevoke {
    /// The key that grants name.
    pub person: PublicKey,
    /// The key that signed for the person.
    pub key: PublicKey,
}

impl Device {
    /// What a device signs to become the person's: domain, project and person.
    #[must_use]
    pub fn proof_of(project: &ProjectId, person: &PublicKey) -> Vec<u8> {
        [
            DEVICE_DOMAIN,
            project.as_bytes().as_slice(),
            person.as_bytes().as_slice(),
        ]
        .concat()
    }

    /// Whether the proof is the device's for the person in the project, under ZIP 215.
    #[must_use]
    pub fn is_proven(&self, project: &ProjectId) -> bool {
        let message = Self::proof_of(project, &self.person);
        zip215_verifies(&self.key, &self.proof, &message)
    }

    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(4)?.u8(0)?.u16(kind)?;
        out.u8(1)?.bytes(self.person.as_bytes())?;
        out.u8(2)?.bytes(self.key.as_bytes())?;
        out.u8(3)?.bytes(&self.proof)?;
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 4)?;
        let person = read_public_key(input, 1, "person")?;
        let key = read_public_key(input, 2, "device")?;
        expect_key(input, 3)?;
        Ok(Self {
            person,
            key,
            proof: read_fixed(input, "proof")?,
        })
    }

    pub(super) const fn need(&self) -> Need {
        Need::for_person(Action::Link, self.person)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        let project = entry.project();
        entry.link(self.person, self.key, || self.is_proven(&project));
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.device()
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            Part::Key(self.key),
            Part::Word("of person"),
            Part::Key(self.person),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "person": self.person, "key": self.key, "proof": hex::encode(self.proof) })
    }
}

impl DeviceRevoke {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(3)?.u8(0)?.u16(kind)?;
        out.u8(1)?.bytes(self.person.as_bytes())?;
        out.u8(2)?.bytes(self.key.as_bytes())?;
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 3)?;
        Ok(Self {
            person: read_public_key(input, 1, "person")?,
            key: read_public_key(input, 2, "device")?,
        })
    }

    pub(super) const fn need(&self) -> Need {
        Need::for_person(Action::Link, self.person)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.unlink(self.person, self.key);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        of.device_revoke(&self.person, &self.key)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            Part::Key(self.key),
            Part::Word("of person"),
            Part::Key(self.person),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "person": self.person, "key": self.key })
    }
}
