//! Compact JWS with an Ed25519 signature (RFC 7515, RFC 8037), and the header of a VC JWT (VC-JOSE-COSE).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_zebra::{Signature, SigningKey};

use super::error::{CredentialError, Part};
use super::json::{Object, malformed};
use crate::id::PublicKey;
use crate::limits::JWT_BYTES_MAX;
use crate::signature::zip215_verifies;

/// The bytes of an Ed25519 signature and the ASCII text that it signs.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) signing_input: String,
    pub(crate) signature: [u8; Signature::BYTE_SIZE],
    /// A key, and whether the signature is known to be one of it.
    pub(crate) known: Option<(PublicKey, bool)>,
}

/// What is known of a signature is no part of it.
impl PartialEq for Signed {
    fn eq(&self, other: &Self) -> bool {
        (&self.signing_input, &self.signature) == (&other.signing_input, &other.signature)
    }
}

impl Eq for Signed {}

impl Signed {
    /// Whether the signature is one of `key` under ZIP 215.
    pub(crate) fn verifies_with(&self, key: &PublicKey) -> bool {
        match self.known {
            Some((known, verdict)) if known == *key => verdict,
            Some(_) | None => zip215_verifies(key, &self.signature, self.signing_input.as_bytes()),
        }
    }
}

/// The three parts of a compact JWS.
#[derive(Debug)]
pub(crate) struct Compact {
    pub(super) header: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(crate) signed: Signed,
}

impl Compact {
    /// Splits and decodes `text`; no byte of it is left out of the signature's judgement.
    pub(crate) fn split(text: &str) -> Result<Self, CredentialError> {
        if text.len() > JWT_BYTES_MAX {
            return Err(CredentialError::TooLong { bytes: text.len() });
        }
        let (signing_input, signature) = text
            .rsplit_once('.')
            .ok_or(CredentialError::NotThreeParts)?;
        let (header, payload) = signing_input
            .split_once('.')
            .filter(|(_, payload)| !payload.contains('.'))
            .ok_or(CredentialError::NotThreeParts)?;
        let header = decode(header, Part::Header)?;
        let payload = decode(payload, Part::Payload)?;
        let signature = decode(signature, Part::Signature)?;
        let signature = signature
            .try_into()
            .map_err(|bytes: Vec<u8>| CredentialError::SignatureLength { bytes: bytes.len() })?;
        Ok(Self {
            header,
            payload,
            signed: Signed {
                signing_input: signing_input.to_owned(),
                signature,
                known: None,
            },
        })
    }
}

/// The bytes of one part; the engine refuses padding and bits behind the last byte.
fn decode(part: &str, which: Part) -> Result<Vec<u8>, CredentialError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| CredentialError::NotBase64url { part: which })
}

/// The compact JWS of a header and a payload as they are (RFC 7515 section 7.1).
pub(crate) fn sign_compact(key: &SigningKey, header: &str, payload: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(header);
    let payload = URL_SAFE_NO_PAD.encode(payload);
    let signing_input = format!("{header}.{payload}");
    let signature = key.sign(signing_input.as_bytes()).to_bytes();
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A VC JWT: the key id of its header, and its claims.
#[derive(Debug)]
pub(super) struct Jwt {
    pub(super) kid: String,
    pub(super) claims: Object,
    pub(super) signed: Signed,
}

impl Jwt {
    /// Reads a compact JWS whose header is that of an EdDSA-signed VC.
    pub(super) fn parse(text: &str) -> Result<Self, CredentialError> {
        let compact = Compact::split(text)?;
        let header = Object::parse(&compact.header, Part::Header)?;
        header.absent("crit")?;
        if header.text("alg")? != "EdDSA" {
            return Err(malformed("alg", "`EdDSA`"));
        }
        if header.text("typ")? != "vc+jwt" {
            return Err(malformed("typ", "`vc+jwt`"));
        }
        let kid = header.name("kid")?.to_owned();
        let claims = Object::parse(&compact.payload, Part::Payload)?;
        Ok(Self {
            kid,
            claims,
            signed: compact.signed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037 appendix A.4: the compact JWS.
    const RFC8037_JWS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    fn key(base64url: &str) -> [u8; 32] {
        let bytes = URL_SAFE_NO_PAD.decode(base64url).unwrap();
        bytes.try_into().unwrap()
    }

    #[test]
    fn the_example_of_rfc_8037_splits_and_verifies() {
        let public = PublicKey::from_bytes(key("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
        let compact = Compact::split(RFC8037_JWS).unwrap();
        assert_eq!(compact.header, br#"{"alg":"EdDSA"}"#);
        assert_eq!(compact.payload, b"Example of Ed25519 signing");
        assert!(compact.signed.verifies_with(&public));

        let other = PublicKey::from_bytes([7; 32]);
        assert!(!compact.signed.verifies_with(&other));
        let mut tampered = compact.signed;
        tampered.signing_input.push('A');
        assert!(!tampered.verifies_with(&public));
    }

    #[test]
    fn the_example_of_rfc_8037_is_signed_again() {
        let secret = SigningKey::from(key("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
        let jws = sign_compact(&secret, r#"{"alg":"EdDSA"}"#, "Example of Ed25519 signing");
        assert_eq!(jws, RFC8037_JWS);
    }

    #[test]
    fn texts_of_another_shape_are_refused() {
        let check = |text: &str, expect: CredentialError| {
            assert_eq!(Compact::split(text).err(), Some(expect), "{text}");
        };
        for text in ["", "e30", "e30.e30", "e30.e30.e30.e30", "e30.e30.AA.AA.AA"] {
            check(text, CredentialError::NotThreeParts);
        }
        for (text, part) in [
            ("e30=.e30.AA", Part::Header),
            ("e31.e30.AA", Part::Header),
            ("e3.e30.AA", Part::Header),
            ("e 0.e30.AA", Part::Header),
            ("e30.e+0.AA", Part::Payload),
            ("e30.e30\n.AA", Part::Payload),
            ("e30.e30.AA==", Part::Signature),
            ("e30.e30.AB", Part::Signature),
            ("e30.e30.é", Part::Signature),
        ] {
            check(text, CredentialError::NotBase64url { part });
        }
        for (signature, bytes) in [("", 0), ("AA", 1), (&"A".repeat(87), 65)] {
            check(
                &format!("e30.e30.{signature}"),
                CredentialError::SignatureLength { bytes },
            );
        }
        let bytes = JWT_BYTES_MAX + 1;
        check(&"A".repeat(bytes), CredentialError::TooLong { bytes });
    }
}
