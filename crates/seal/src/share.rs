//! Shares: a content key under seal for one recipient.

use chacha20::ChaCha20Rng;
use ecac_core::payload::{ReaderKey, Share};
use ecac_core::{Kem, OpId, ProjectId, PublicKey};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable as _, OpModeS, Serializable as _, single_shot_seal_with_rng};
use rand_core::SeedableRng as _;
use zeroize::Zeroize as _;

use crate::content_key::ContentKey;
use crate::reader::BadReaderKey;

/// Domain string of shares (`docs/protocol.md`, Sealed values and keys).
const DOMAIN: &[u8] = b"ECAC_KEY_V1";

/// What a share is bound to: domain, project, the id of the `KeyRotate` and with it its tags, and the recipient.
#[must_use]
pub fn info(project: &ProjectId, key: &OpId, recipient: &PublicKey) -> Vec<u8> {
    [
        DOMAIN,
        project.as_bytes().as_slice(),
        key.as_bytes().as_slice(),
        recipient.as_bytes().as_slice(),
    ]
    .concat()
}

/// The content key under seal for the owner of a reader key. `random` are 32 random bytes that nothing else uses.
///
/// # Errors
/// [`BadReaderKey`] if what is published is no key of its KEM.
pub fn seal_share(
    key: &ContentKey,
    to: &ReaderKey,
    info: &[u8],
    mut random: [u8; 32],
) -> Result<Share, BadReaderKey> {
    let sealed = match to.kem {
        Kem::X25519 => seal::<X25519HkdfSha256>(key, &to.public, info, random),
        Kem::XWing => seal::<XWing>(key, &to.public, info, random),
    };
    random.zeroize();
    sealed.ok_or(BadReaderKey { kem: to.kem })
}

fn seal<K: hpke::Kem>(
    key: &ContentKey,
    public: &[u8],
    info: &[u8],
    random: [u8; 32],
) -> Option<Share> {
    let public = K::PublicKey::from_bytes(public).ok()?;
    let (enc, ciphertext) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeS::Base,
        &public,
        info,
        key.as_bytes(),
        &[],
        &mut ChaCha20Rng::from_seed(random),
    )
    .ok()?;
    Some(Share {
        enc: enc.to_bytes().to_vec(),
        ciphertext: ciphertext.try_into().ok()?,
    })
}
