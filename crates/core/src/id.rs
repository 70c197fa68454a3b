//! Identifiers: op ids and public keys.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use thiserror::Error;

/// Domain string of op ids and external AAD of op signatures (`docs/protocol.md`, Id and signature).
pub const OP_DOMAIN: &[u8] = b"ECAC_OP_V1";

/// A body that has no more bytes than this with the domain string is copied behind that to be hashed.
const SHORT_BYTES: usize = 512;

/// BLAKE3-256 over the domain string `ECAC_OP_V1` and the body bytes of an op; never over the signature.
///
/// Displayed and parsed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpId([u8; 32]);

/// The id of a project is the [`OpId`] of its genesis.
pub type ProjectId = OpId;

/// The order of the bytes, eight at a time; the first eight of two digests or keys differ nearly always.
fn order(one: &[u8; 32], other: &[u8; 32]) -> Ordering {
    let (one, _) = one.as_chunks();
    let (other, _) = other.as_chunks();
    let number = |it: &[u8; 8]| u64::from_be_bytes(*it);
    one.iter().map(number).cmp(other.iter().map(number))
}

impl OpId {
    /// The id of the op whose body is `body`.
    #[must_use]
    pub fn of_body(body: &[u8]) -> Self {
        // What is short is hashed faster in one piece.
        let mut bytes = [0; SHORT_BYTES];
        if let Some(bytes) = bytes.get_mut(..OP_DOMAIN.len() + body.len()) {
            let (domain, rest) = bytes.split_at_mut(OP_DOMAIN.len());
            domain.copy_from_slice(OP_DOMAIN);
            rest.copy_from_slice(body);
            return Self::of_domain_and_body(bytes);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(OP_DOMAIN);
        hasher.update(body);
        Self(hasher.finalize().into())
    }

    /// The same, of the domain string with the body behind it.
    pub(crate) fn of_domain_and_body(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).into())
    }

    /// An id from its 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Ord for OpId {
    fn cmp(&self, other: &Self) -> Ordering {
        order(&self.0, &other.0)
    }
}

impl PartialOrd for OpId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpId({self})")
    }
}

impl serde::Serialize for OpId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for OpId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseIdError {
    /// Not 64 lower-case hexadecimal digits.
    #[error("an op id is 64 lower-case hexadecimal digits")]
    OpId,
    /// Not `did:key:z` with the base58btc form of an Ed25519 key.
    #[error("a key is `did:key:z6Mk…`, the did:key form of an Ed25519 public key")]
    DidKey,
}

impl FromStr for OpId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ParseIdError::OpId);
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseIdError::OpId)?;
        Ok(Self(bytes))
    }
}

/// An Ed25519 public key as 32 bytes: the identity of a person, a node or an issuer.
///
/// Any 32 bytes are allowed here; whether they are a usable key shows when a signature is verified (ZIP 215).
/// Displayed and parsed as `did:key` (did:key method, multicodec `ed25519-pub` 0xed01, multibase base58btc).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// Multicodec prefix `ed25519-pub`, as an unsigned varint.
const MULTICODEC_ED25519_PUB: [u8; 2] = [0xed, 0x01];

impl PublicKey {
    /// A key from its 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        order(&self.0, &other.0)
    }
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 34];
        bytes[..2].copy_from_slice(&MULTICODEC_ED25519_PUB);
        bytes[2..].copy_from_slice(&self.0);
        write!(f, "did:key:z{}", bs58::encode(bytes).into_string())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for PublicKey {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let encoded = text.strip_prefix("did:key:z").ok_or(ParseIdError::DidKey)?;
        let mut bytes = [0; 34];
        let length = bs58::decode(encoded)
            .onto(&mut bytes)
            .map_err(|_| ParseIdError::DidKey)?;
        match bytes.split_first_chunk() {
            Some((prefix, key)) if length == 34 && *prefix == MULTICODEC_ED25519_PUB => {
                key.try_into().map(Self).map_err(|_| ParseIdError::DidKey)
            }
            _ => Err(ParseIdError::DidKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn did_key_matches_the_example_of_the_did_key_method() {
        // did:key method specification, section "Ed25519 X25519": key z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK.
        let text = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
        let key: PublicKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        assert_eq!(
            hex::encode(key.as_bytes()),
            "2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6"
        );
    }

    #[test]
    fn foreign_texts_are_not_keys() {
        for text in [
            "",
            "did:key:",
            "did:key:z",
            "did:key:z6Mk",
            "did:web:example.org",
            "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        ] {
            assert_eq!(
                text.parse::<PublicKey>(),
                Err(ParseIdError::DidKey),
                "{text}"
            );
        }
    }

    #[test]
    fn ids_and_keys_are_in_the_order_of_their_bytes() {
        let mut many = vec![[0; 32], [1; 32], [0x80; 32], [0xff; 32]];
        for at in 0..32 {
            for byte in [1, 0x80] {
                let mut bytes = [0x7f; 32];
                bytes[at] = byte;
                many.push(bytes);
            }
        }
        for one in &many {
            for other in &many {
                let ids = [one, other].map(|it| OpId::from_bytes(*it));
                let keys = [one, other].map(|it| PublicKey::from_bytes(*it));
                assert_eq!(ids[0].cmp(&ids[1]), one.cmp(other));
                assert_eq!(keys[0].cmp(&keys[1]), one.cmp(other));
            }
        }
    }

    #[test]
    fn op_ids_are_lower_case_hex_only() {
        let id = OpId::from_bytes([0xab; 32]);
        assert_eq!(id.to_string().parse::<OpId>(), Ok(id));
        for text in [
            "",
            "ab",
            &"AB".repeat(32),
            &"ab".repeat(33),
            &"zz".repeat(32),
        ] {
            assert_eq!(text.parse::<OpId>(), Err(ParseIdError::OpId), "{text}");
        }
    }
}
