//! The key that signs a node's audit log.

use core::fmt;

use ecac_core::{PublicKey, SigningKey, public_key};

/// A node's Ed25519 key, which belongs to the machine and not to any user.
///
/// Signing is deterministic (RFC 8032): one seed and one text give one signature. The seed is never printed.
#[derive(Clone)]
pub struct NodeKey {
    key: SigningKey,
    public: PublicKey,
}

impl NodeKey {
    /// The key of a 32-byte RFC 8032 seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let key = SigningKey::from(seed);
        let public = public_key(&key);
        Self { key, public }
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).into()
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecac_core::zip215_verifies;

    #[test]
    fn signatures_are_those_of_rfc_8032() {
        // RFC 8032 section 7.1, TEST 2.
        let seed: [u8; 32] =
            hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
                .unwrap()
                .try_into()
                .unwrap();
        let key = NodeKey::from_seed(seed);
        assert_eq!(
            hex::encode(key.public().as_bytes()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        let signature = key.sign(&[0x72]);
        assert_eq!(
            hex::encode(signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert!(zip215_verifies(&key.public(), &signature, &[0x72]));
        assert!(!zip215_verifies(&key.public(), &signature, &[0x73]));
        assert!(!format!("{key:?}").contains("4ccd"));
    }
}
