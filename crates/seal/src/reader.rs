//! Readers' private keys, and what opens shares with them.

use core::fmt;
use std::sync::OnceLock;

use ecac_core::Kem;
use ecac_core::payload::{ReaderKey, Share};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable as _, Kem as _, OpModeR, Serializable as _, single_shot_open};
use zeroize::{Zeroize as _, Zeroizing};

use crate::content_key::ContentKey;
use crate::opened::Opened;
use crate::unopened::Unopened;

/// Opens what is sealed to one reader key: a [`ReaderSecret`], or whatever asks one that lives in hardware or in another
/// process.
pub trait Opener {
    /// The public half, as a `ReaderKey` publishes it.
    fn reader_key(&self) -> ReaderKey;

    /// The content key that a share gives, for this `info` ([`crate::info`]).
    ///
    /// # Errors
    /// [`Unopened`] if the share is not one for this key and `info`.
    fn open_share(&self, share: &Share, info: &[u8]) -> Result<ContentKey, Unopened>;
}

/// The bytes are no private key of the KEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a private key of {}", kem.name())]
pub struct BadReaderKey {
    /// The KEM.
    pub kem: Kem,
}

/// A private key in memory, with its public key and the content keys that it gave last. Private key and content keys are wiped
/// when it is dropped.
#[derive(Clone)]
pub struct ReaderSecret {
    kem: Kem,
    secret: Zeroizing<[u8; 32]>,
    public: OnceLock<Vec<u8>>,
    opened: Opened,
}

impl ReaderSecret {
    /// The key that follows from 32 random bytes (`DeriveKeyPair` of RFC 9180 section 7.1.3, and of X-Wing).
    #[must_use]
    pub fn derive(kem: Kem, mut random: [u8; 32]) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        match kem {
            Kem::X25519 => {
                let (private, _) = X25519HkdfSha256::derive_keypair(&random);
                private.write_exact(&mut *secret);
            }
            Kem::XWing => {
                let (private, _) = XWing::derive_keypair(&random);
                private.write_exact(&mut *secret);
            }
        }
        random.zeroize();
        Self::of(kem, secret)
    }

    /// The key of these bytes, as [`ReaderSecret::as_bytes`] gave them.
    ///
    /// # Errors
    /// [`BadReaderKey`] if they are none.
    pub fn from_bytes(kem: Kem, mut bytes: [u8; 32]) -> Result<Self, BadReaderKey> {
        let is_key = match kem {
            Kem::X25519 => private::<X25519HkdfSha256>(&bytes).is_some(),
            Kem::XWing => private::<XWing>(&bytes).is_some(),
        };
        let secret = Zeroizing::new(bytes);
        bytes.zeroize();
        if is_key {
            Ok(Self::of(kem, secret))
        } else {
            Err(BadReaderKey { kem })
        }
    }

    fn of(kem: Kem, secret: Zeroizing<[u8; 32]>) -> Self {
        Self {
            kem,
            secret,
            public: OnceLock::new(),
            opened: Opened::default(),
        }
    }

    fn open(&self, share: &Share, info: &[u8]) -> Result<ContentKey, Unopened> {
        let opened = match self.kem {
            Kem::X25519 => open::<X25519HkdfSha256>(self.as_bytes(), share, info),
            Kem::XWing => open::<XWing>(self.as_bytes(), share, info),
        };
        let bytes = opened.and_then(|bytes| bytes.as_slice().try_into().ok());
        bytes.map(ContentKey::from_bytes).ok_or(Unopened)
    }

    /// The KEM.
    #[must_use]
    pub const fn kem(&self) -> Kem {
        self.kem
    }

    /// The 32 bytes, for a key file that nobody else reads.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.secret
    }
}

impl Opener for ReaderSecret {
    fn reader_key(&self) -> ReaderKey {
        let public = self.public.get_or_init(|| {
            let public = match self.kem {
                Kem::X25519 => public::<X25519HkdfSha256>(self.as_bytes()),
                Kem::XWing => public::<XWing>(self.as_bytes()),
            };
            public.expect("a secret is made of bytes that are one")
        });
        ReaderKey {
            kem: self.kem,
            public: public.clone(),
        }
    }

    fn open_share(&self, share: &Share, info: &[u8]) -> Result<ContentKey, Unopened> {
        self.opened.or_open(share, info, || self.open(share, info))
    }
}

/// Shows of which KEM it is, and no more.
impl fmt::Debug for ReaderSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReaderSecret({}, …)", self.kem.name())
    }
}

fn private<K: hpke::Kem>(bytes: &[u8]) -> Option<K::PrivateKey> {
    K::PrivateKey::from_bytes(bytes).ok()
}

fn public<K: hpke::Kem>(bytes: &[u8]) -> Option<Vec<u8>> {
    let private = private::<K>(bytes)?;
    Some(K::sk_to_pk(&private).to_bytes().to_vec())
}

fn open<K: hpke::Kem>(bytes: &[u8], share: &Share, info: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let private = private::<K>(bytes)?;
    let enc = K::EncappedKey::from_bytes(&share.enc).ok()?;
    let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeR::Base,
        &private,
        &enc,
        info,
        &share.ciphertext,
        &[],
    );
    opened.ok().map(Zeroizing::new)
}
