//! The primitives are those of the RFCs: what others published opens, and is sealed alike.

use core::convert::Infallible;
use std::collections::BTreeMap;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ecac_core::Kem;
use ecac_seal::{Opener as _, ReaderSecret};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, single_shot_open,
    single_shot_seal_with_rng,
};
use rand_core::{TryCryptoRng, TryRng};

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal.replace([' ', '\n'], "")).expect("hexadecimal")
}

/// A stream that says what the vector says was random.
struct Told(Vec<u8>);

impl TryRng for Told {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Told {}

/// RFC 9180, A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode, sequence number 0.
#[test]
fn hpke_with_x25519_is_that_of_the_rfc() {
    let info = bytes("4f6465206f6e2061204772656369616e2055726e");
    let ikm_e = bytes("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b");
    let ikm_r = bytes("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df");
    let secret = bytes("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
    let public = bytes("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
    let enc = bytes("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
    let aad = bytes("436f756e742d30");
    let plain = bytes("4265617574792069732074727574682c20747275746820626561757479");
    let ciphertext = bytes(
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
    );
    let reader = ReaderSecret::derive(Kem::X25519, ikm_r.try_into().unwrap());
    assert_eq!(reader.as_bytes().as_slice(), secret);
    assert_eq!(reader.reader_key().public, public);

    type K = X25519HkdfSha256;
    let to = <K as hpke::Kem>::PublicKey::from_bytes(&public).unwrap();
    let (sealed_enc, sealed) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeS::Base,
        &to,
        &info,
        &plain,
        &aad,
        &mut Told(ikm_e),
    )
    .unwrap();
    assert_eq!(sealed_enc.to_bytes().to_vec(), enc);
    assert_eq!(sealed, ciphertext);
    let private = <K as hpke::Kem>::PrivateKey::from_bytes(&secret).unwrap();
    let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeR::Base,
        &private,
        &sealed_enc,
        &info,
        &ciphertext,
        &aad,
    );
    assert_eq!(opened.unwrap(), plain);
}

/// draft-ietf-hpke-pq, test vectors: X-Wing, HKDF-SHA256, ChaCha20Poly1305, base mode, sequence number 0.
#[test]
fn hpke_with_x_wing_is_that_of_the_draft() {
    let vector: BTreeMap<&str, Vec<u8>> = include_str!("x-wing.txt")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, value)| (name, bytes(value)))
        .collect();
    let secret = vector["skRm"].as_slice().try_into().unwrap();
    let reader = ReaderSecret::from_bytes(Kem::XWing, secret).unwrap();
    assert_eq!(reader.reader_key().public, vector["pkRm"]);
    let private = <XWing as hpke::Kem>::PrivateKey::from_bytes(&vector["skRm"]).unwrap();
    assert_eq!(
        XWing::sk_to_pk(&private).to_bytes().to_vec(),
        vector["pkRm"]
    );
    let enc = <XWing as hpke::Kem>::EncappedKey::from_bytes(&vector["enc"]).unwrap();
    let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &private,
        &enc,
        &vector["info"],
        &vector["ct"],
        &vector["aad"],
    );
    assert_eq!(opened.unwrap(), vector["pt"]);
}

/// draft-irtf-cfrg-xchacha-03, A.3.1.
#[test]
fn xchacha_is_that_of_the_draft() {
    let key: Vec<u8> = (0x80..=0x9f).collect();
    let nonce: [u8; 24] = core::array::from_fn(|at| 0x40 + u8::try_from(at).unwrap());
    let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                  sunscreen would be it.";
    let ciphertext = bytes(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb
         731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452
         2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
         21f9664c97637da9768812f615c68b13b52e
         c0875924c1c7987947deafd8780acf49",
    );
    let payload = Payload {
        msg: plain.as_slice(),
        aad: &bytes("50515253c0c1c2c3c4c5c6c7"),
    };
    let key: [u8; 32] = key.try_into().unwrap();
    let sealed = XChaCha20Poly1305::new(&key.into()).encrypt(&XNonce::from(nonce), payload);
    assert_eq!(hex::encode(sealed.unwrap()), hex::encode(ciphertext));
}
