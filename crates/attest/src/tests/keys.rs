//! Key files of openssl and cosign, and signatures against published ones.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{key, other_key};
use crate::{KeyError, PrivateKey, PublicKey, SaltAndIv, Signature, SignatureError};

/// The key of RFC 6979 in every form, written by `tests/keys/make.py`.
const KEYS: &str = include_str!("../../tests/keys/keys.json");

#[derive(Deserialize)]
struct Keys {
    password: String,
    hint: String,
    public: BTreeMap<String, Block>,
    good: BTreeMap<String, Block>,
    bad: BTreeMap<String, Block>,
}

#[derive(Clone, Deserialize)]
struct Block {
    label: String,
    base64: String,
}

impl Block {
    fn pem(&self) -> String {
        let Self { label, base64 } = self;
        let lines: Vec<_> = base64
            .as_bytes()
            .chunks(64)
            .map(|line| str::from_utf8(line).unwrap())
            .collect();
        let lines = lines.join("\n");
        format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
    }

    fn bytes(&self) -> Vec<u8> {
        crate::base64::decode(&self.base64).unwrap()
    }

    fn with_bytes(&self, bytes: &[u8]) -> Self {
        Self {
            base64: crate::base64::encode(bytes),
            ..self.clone()
        }
    }
}

impl Keys {
    fn read() -> Self {
        serde_json::from_str(KEYS).unwrap()
    }

    /// Requires the refusal of a private key to begin so.
    #[track_caller]
    fn refuses(&self, block: &Block, says: &str) {
        let password = Some(self.password.as_bytes());
        let error = PrivateKey::from_pem(block.pem().as_bytes(), password).unwrap_err();
        assert!(error.to_string().starts_with(says), "{error}");
    }
}

#[test]
fn every_form_of_the_key_is_read() {
    let keys = Keys::read();
    for (name, block) in &keys.good {
        let password = Some(keys.password.as_bytes());
        let read = PrivateKey::from_pem(block.pem().as_bytes(), password).expect(name);
        assert_eq!(read.public(), key().public(), "{name}");
    }
    for (name, block) in &keys.public {
        let read = PublicKey::from_pem(block.pem().as_bytes()).expect(name);
        assert_eq!(read, key().public(), "{name}");
        assert_eq!(read.hint(), keys.hint);
    }
}

#[test]
fn what_is_written_is_what_openssl_writes() {
    let keys = Keys::read();
    assert_eq!(*key().to_pem(), keys.good["pkcs8"].pem());
    assert_eq!(key().public().to_pem(), keys.public["openssl"].pem());
}

#[test]
fn an_encrypted_key_opens_with_its_password_only() {
    let keys = Keys::read();
    let open = |block: &Block, password: Option<&[u8]>| {
        PrivateKey::from_pem(block.pem().as_bytes(), password).map(|_| ())
    };
    for (name, block) in keys.good.iter().filter(|(name, _)| *name != "pkcs8") {
        let error = open(block, None);
        assert!(matches!(error, Err(KeyError::PasswordNeeded)), "{name}");
        // The padding of CBC alone lets one wrong password in 256 pass.
        let wrong = if name == "pbes2-default" { 400 } else { 1 };
        for number in 0..wrong {
            let error = open(block, Some(format!("battery staple {number}").as_bytes()));
            assert!(matches!(error, Err(KeyError::PasswordWrong)), "{name}");
        }
    }
    assert!(open(&keys.good["pkcs8"], None).is_ok());
}

#[test]
fn an_encrypted_key_that_is_written_is_read() {
    let random = SaltAndIv {
        salt: [1; 16],
        iv: [2; 16],
    };
    let pem = key().to_encrypted_pem(b"correct horse", &random);
    let read = PrivateKey::from_pem(pem.as_bytes(), Some(b"correct horse")).unwrap();
    assert_eq!(read.public(), key().public());
    assert_eq!(*pem, *key().to_encrypted_pem(b"correct horse", &random));
}

#[test]
fn other_files_are_refused_and_named() {
    let keys = Keys::read();
    let expected = [
        (
            "cosign-costly",
            "the private key asks for scrypt with N=524288, r=8, p=1",
        ),
        ("ed25519", "the private key is not one of P-256"),
        ("p384", "the private key is not one of P-256"),
        (
            "pbes1",
            "the private key is encrypted in a way that is not read: not PBES2",
        ),
        (
            "pbes2-costly",
            "the private key asks for 10000001 iterations of PBKDF2",
        ),
        ("sec1", "the key file holds a `EC PRIVATE KEY`"),
    ];
    let names: Vec<_> = keys.bad.keys().map(String::as_str).collect();
    assert_eq!(names, expected.map(|(name, _)| name));
    for (name, says) in expected {
        keys.refuses(&keys.bad[name], says);
    }
    let public = &keys.public["openssl"];
    keys.refuses(public, "the key file holds a `PUBLIC KEY`");
    let private = keys.good["pkcs8"].pem();
    let error = PublicKey::from_pem(private.as_bytes()).unwrap_err();
    assert!(
        error.to_string().contains("expected a PUBLIC KEY"),
        "{error}"
    );

    for not_pem in [
        String::new(),
        "ecac".to_owned(),
        private.replace("-----END", "----END"),
        private.repeat(2),
    ] {
        let error = PrivateKey::from_pem(not_pem.as_bytes(), None).unwrap_err();
        assert!(matches!(error, KeyError::Pem(_)), "{error}");
    }
    let large = private + &"\n".repeat(20_000);
    let error = PrivateKey::from_pem(large.as_bytes(), None).unwrap_err();
    assert!(matches!(error, KeyError::TooLarge { .. }), "{error}");
    let error = PublicKey::from_pem(large.as_bytes()).unwrap_err();
    assert!(matches!(error, KeyError::TooLarge { .. }), "{error}");
}

#[test]
fn a_key_of_pbes2_cannot_ask_for_any_amount_of_scrypt() {
    let keys = Keys::read();
    let block = &keys.good["pbes2-scrypt"];
    let bytes = block.bytes();
    // INTEGER 16384, INTEGER 8, INTEGER 1, of which the last becomes 127.
    let parameters = [2, 2, 0x40, 0, 2, 1, 8, 2, 1, 1];
    let at = bytes.windows(10).position(|window| window == parameters);
    let mut costly = bytes.clone();
    costly[at.unwrap() + 9] = 127;
    keys.refuses(
        &block.with_bytes(&costly),
        "the private key asks for scrypt with N=16384, r=8, p=127",
    );
}

#[test]
fn a_key_of_cosign_is_read_strictly() {
    let keys = Keys::read();
    let block = &keys.good["cosign"];
    let text = String::from_utf8(block.bytes()).unwrap();
    for (from, to, says) in [
        (
            "{\"kdf\"",
            "{\"kdf\":0,\"kdf\"",
            "the encrypted key of cosign is malformed: duplicate",
        ),
        (
            "{\"kdf\"",
            "{\"id\":0,\"kdf\"",
            "the encrypted key of cosign is malformed: unknown",
        ),
        (
            "\"kdf\"",
            "\"kdg\"",
            "the encrypted key of cosign is malformed: unknown",
        ),
        (
            "scrypt",
            "argon2",
            "the private key is encrypted in a way that is not read: argon2 with",
        ),
        (
            "secretbox",
            "box",
            "the private key is encrypted in a way that is not read: scrypt with nacl/box",
        ),
        (
            "65536",
            "65535",
            "the private key is encrypted in a way that is not read: scrypt with N=65535",
        ),
        (
            "65536",
            "0",
            "the private key is encrypted in a way that is not read: scrypt with N=0",
        ),
        (
            "\"r\":8",
            "\"r\":0",
            "the private key is encrypted in a way that is not read",
        ),
        (
            "\"p\":1",
            "\"p\":4294967295",
            "the private key asks for scrypt",
        ),
        (
            "65536",
            "18446744073709551615",
            "the private key asks for scrypt",
        ),
        (
            "65536",
            "-1",
            "the encrypted key of cosign is malformed: invalid value",
        ),
        (
            "\"nonce\":\"",
            "\"nonce\":\"AAAA",
            "the private key is encrypted in a way that is not read: a nonce",
        ),
        (
            "\"nonce\":\"",
            "\"nonce\":\"=",
            "the encrypted key of cosign is malformed: not base64",
        ),
        (
            "\"ciphertext\":\"",
            "\"ciphertext\":\"AAAA",
            "the password does not open",
        ),
        (
            "\"salt\":\"",
            "\"salt\":\"AAAA",
            "the password does not open",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replacen(from, to, 1);
        keys.refuses(&block.with_bytes(changed.as_bytes()), says);
    }
    let (start, _) = text.split_once("\"ciphertext\":\"").unwrap();
    for short in ["", "AAAA"] {
        let changed = format!("{start}\"ciphertext\":\"{short}\"}}");
        keys.refuses(
            &block.with_bytes(changed.as_bytes()),
            "the password does not open",
        );
    }
}

#[test]
fn no_damaged_key_panics_or_becomes_another() {
    let keys = Keys::read();
    let block = &keys.good["pkcs8"];
    for bytes in super::flipped(&block.bytes()) {
        let pem = block.with_bytes(&bytes).pem();
        if let Ok(read) = PrivateKey::from_pem(pem.as_bytes(), None) {
            assert_eq!(read.public(), key().public());
        }
    }
}

#[test]
fn signatures_are_those_of_rfc_6979() {
    for (message, r, s) in [
        (
            "sample",
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            "test",
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
            "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
        ),
    ] {
        let signature = key().sign(message.as_bytes());
        let bytes = signature.0.to_bytes();
        assert_eq!(hex::encode(bytes), format!("{r}{s}"));
        let public = key().public();
        assert_eq!(public.verify(message.as_bytes(), &signature), Ok(()));
        let mismatch = Err(SignatureError::Mismatch);
        assert_eq!(public.verify(b"Sample", &signature), mismatch);
        let other = other_key().public();
        assert_eq!(other.verify(message.as_bytes(), &signature), mismatch);
    }
}

#[test]
fn a_signature_file_has_one_form_but_for_its_newline() {
    let signature = key().sign(b"sample");
    let file = signature.to_file();
    assert_eq!(Signature::from_file(&file).as_ref(), Ok(&signature));
    let bare = file.strip_suffix(b"\n").unwrap();
    assert_eq!(Signature::from_file(bare), Ok(signature));
    let spaced = [&file[..], b"\n"].concat();
    for (bytes, error) in [
        (&b""[..], SignatureError::Der),
        (b"!", SignatureError::Base64),
        (b"\xff", SignatureError::Base64),
        (b"AAAA", SignatureError::Der),
        (&spaced, SignatureError::Base64),
        (&file.repeat(2), SignatureError::Base64),
        (&[b'A'; 1000], SignatureError::Base64),
    ] {
        assert_eq!(Signature::from_file(bytes), Err(error), "{bytes:?}");
    }
}

#[test]
fn no_flipped_signature_verifies() {
    let public = key().public();
    for bytes in super::flipped(&key().sign(b"sample").to_file()) {
        let verdict =
            Signature::from_file(&bytes).and_then(|signature| public.verify(b"sample", &signature));
        assert!(verdict.is_err(), "{:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn a_private_key_does_not_show_itself() {
    let text = format!("{:?}", key());
    assert_eq!(
        text,
        format!("PrivateKey of PublicKey({})", Keys::read().hint)
    );
}

#[test]
fn not_every_random_string_is_a_key() {
    assert!(PrivateKey::from_random(&[0; 32]).is_none());
    assert!(PrivateKey::from_random(&[0xff; 32]).is_none());
}
