//! Floors: what the same work costs at least, measured in the same run.
//!
//! A floor calls the libraries that any engine needs and nothing of this one, so that it stays where it is when the engine
//! changes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use chacha20::ChaCha20Rng;
use ecac_core::payload::Share;
use ecac_core::{OP_DOMAIN, OpId, VerifiedOp};
use ed25519_zebra::{Signature, VerificationKeyBytes, batch};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable as _, OpModeR, single_shot_open};
use minicbor::{Decoder, Encoder};
use rand_core::SeedableRng as _;

use crate::clock::timed;

/// Signatures of one batch verification.
pub const SIGNATURES: usize = 8_192;

/// Where the body begins in an envelope: after tag, array head, protected header and unprotected header.
const BODY_AT: usize = ecac_core::ENVELOPE_PREFIX.len();

/// `{1: -8}`: alg EdDSA (RFC 9053 section 2.2).
const PROTECTED: [u8; 3] = [0xa1, 0x01, 0x27];

/// Hashes an id by its first bytes, which are random already.
#[derive(Debug, Default)]
struct First(u64);

impl Hasher for First {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Reads ops as nobody can avoid who takes them in: BLAKE3 over the bytes of the body, a walk over its CBOR items, one entry in
/// a hash table by id, and one look-up for each parent.
#[derive(Debug, Default)]
pub struct Reader {
    index: HashMap<u64, u32, BuildHasherDefault<First>>,
    read: u32,
    found: u64,
}

impl Reader {
    /// Reads ops, in order; how long it took.
    pub fn read(&mut self, ops: &[VerifiedOp]) -> u64 {
        timed(|| ops.iter().for_each(|op| self.read_one(op))).0
    }

    /// Parents that were found.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.found
    }

    fn read_one(&mut self, op: &VerifiedOp) {
        let Some(body) = body(op.envelope()) else {
            return;
        };
        let id = id(body);
        if Decoder::new(body).skip().is_err() {
            return;
        }
        let parents = op.body().parents.iter();
        self.found += parents
            .filter(|id| self.index.contains_key(&short(id)))
            .count() as u64;
        self.index.insert(short(&id), self.read);
        self.read += 1;
    }
}

/// The id of the op with this body.
fn id(body: &[u8]) -> OpId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(OP_DOMAIN).update(body);
    OpId::from_bytes(*hasher.finalize().as_bytes())
}

/// The first eight bytes of an id.
fn short(id: &OpId) -> u64 {
    let first = id.as_bytes().first_chunk();
    u64::from_le_bytes(first.copied().unwrap_or_default())
}

/// The body in an envelope.
fn body(envelope: &[u8]) -> Option<&[u8]> {
    Decoder::new(envelope.get(BODY_AT..)?).bytes().ok()
}

/// The Sig_structure that an author signs (RFC 9052 section 4.4).
fn to_be_signed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 40);
    let written = Encoder::new(&mut out)
        .array(4)
        .and_then(|out| out.str("Signature1"))
        .and_then(|out| out.bytes(&PROTECTED))
        .and_then(|out| out.bytes(OP_DOMAIN))
        .and_then(|out| out.bytes(body))
        .is_ok();
    debug_assert!(written, "writing into memory cannot fail");
    out
}

/// A signature that waits for its verification.
struct Signed {
    author: [u8; 32],
    signature: Signature,
    message: Vec<u8>,
}

/// The bare ZIP 215 batch verification of the ops' signatures, [`SIGNATURES`] at a time, each batch sorted by author: how long
/// it took. `None` if one of them is bad.
#[must_use]
pub fn verification(ops: &[VerifiedOp]) -> Option<u64> {
    ops.chunks(SIGNATURES).map(verification_together).sum()
}

/// The same, all of them together.
#[must_use]
pub fn verification_together(ops: &[VerifiedOp]) -> Option<u64> {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let signed = ops.iter().map(|op| {
        let envelope = op.envelope();
        Some(Signed {
            author: *op.body().author.as_bytes(),
            signature: Signature::from(envelope.last_chunk::<64>()?),
            message: to_be_signed(body(envelope)?),
        })
    });
    let mut signed: Vec<Signed> = signed.collect::<Option<_>>()?;
    signed.sort_by_key(|it| it.author);
    let (ns, verdict) = timed(|| {
        let mut verifier = batch::Verifier::new();
        for it in &signed {
            let key = VerificationKeyBytes::from(it.author);
            verifier.queue((key, it.signature, &it.message[..]));
        }
        verifier.verify(&mut rng)
    });
    verdict.ok()?;
    Some(ns)
}

/// What nobody can avoid who is given a content key in one of the ops: BLAKE3 over the bytes of their bodies, the bare batch
/// verification of their signatures, and opening the share by HPKE. `None` if a signature is bad or the share does not open.
#[must_use]
pub fn key_of_share<K: hpke::Kem>(
    ops: &[VerifiedOp],
    secret: &[u8],
    share: &Share,
    info: &[u8],
) -> Option<u64> {
    let (hashing, ()) = timed(|| {
        let bodies = ops.iter().filter_map(|op| body(op.envelope()));
        bodies.for_each(|body| _ = std::hint::black_box(id(body)));
    });
    let verification = verification(ops)?;
    let (opening, opened) = timed(|| {
        let secret = K::PrivateKey::from_bytes(secret).ok()?;
        let enc = K::EncappedKey::from_bytes(&share.enc).ok()?;
        let mode = OpModeR::Base;
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, K>(
            &mode,
            &secret,
            &enc,
            info,
            &share.ciphertext,
            &[],
        )
        .ok()
    });
    opened.map(|_| hashing + verification + opening)
}

/// One look-up by id for each of the ops, in a hash table of all of them.
#[must_use]
pub fn look_up(all: &[VerifiedOp], asked: &[OpId]) -> u64 {
    let index: HashMap<u64, u32, BuildHasherDefault<First>> = (0..)
        .zip(all)
        .map(|(at, op)| (short(&op.id()), at))
        .collect();
    let look_up = || {
        let found = asked.iter().filter_map(|id| index.get(&short(id)));
        found.map(|at| u64::from(*at)).sum::<u64>()
    };
    crate::clock::least(5, look_up)
}

/// Writing the JSON again that the bytes hold, with `serde_json`. `None` if they hold none.
#[must_use]
pub fn write_json(bytes: &[u8]) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    Some(crate::clock::least(3, || serde_json::to_vec(&value).ok()))
}
