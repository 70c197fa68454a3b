//! The payloads of read control that histories are made of.

use ecac_core::payload;
use ecac_core::{Kem, OpId, Payload, Sealed};

use crate::world::{name, person, tags};

/// Publishes a key of the first KEM, or of the second.
#[must_use]
pub fn reader_key(second: bool) -> Payload {
    let kem = Kem::ALL[usize::from(second)];
    Payload::ReaderKey(payload::ReaderKey {
        kem,
        public: vec![0x5e; kem.public_key_bytes()],
    })
}

/// Makes a content key for tags, as bits for [`crate::world::scope`]; no bits stand for tag a.
#[must_use]
pub fn key_rotate(bits: u8) -> Payload {
    Payload::KeyRotate(payload::KeyRotate {
        tags: tags(bits.max(1)),
    })
}

/// Gives a content key to people, with shares that nobody can open.
#[must_use]
pub fn key_grant(key: OpId, recipients: &[u8]) -> Payload {
    let share = |number: &u8| {
        let share = payload::Share {
            enc: vec![*number; 32],
            ciphertext: [*number; 48],
        };
        (person(*number).public, share)
    };
    Payload::KeyGrant(payload::KeyGrant {
        key,
        shares: recipients.iter().map(share).collect(),
    })
}

/// Writes a register, or adds the element of this number, with a value that nobody can open.
pub fn hidden(object: &str, field: &str, element: Option<&u8>, key: OpId) -> Payload {
    let value = Sealed {
        key,
        nonce: [0x24; 24],
        ciphertext: vec![0xc1; 17],
    };
    match element {
        None => Payload::SetFieldSealed(payload::SetFieldSealed {
            object: name(object),
            field: name(field),
            value,
        }),
        Some(element) => Payload::SetAddSealed(payload::SetAddSealed {
            object: name(object),
            field: name(field),
            element: name(&element.to_string()),
            value,
        }),
    }
}
