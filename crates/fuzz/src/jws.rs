//! Compact JWSs with a good signature around any header and payload.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecac_oracle::world::person;

use crate::people;

/// Who signs.
pub(crate) const SIGNER: u8 = people::ISSUER_KEYS;

/// The header of a VC JWT.
const HEADER: &[u8] = br#"{"alg":"EdDSA","kid":"k0","typ":"vc+jwt"}"#;

/// The JWTs that an input stands for, each with its payload if it is one of ours.
///
/// An input that begins with `{` is a payload, or a header and a payload with a line feed between them; it is
/// signed. Any other input is a JWT as it is, and if it has three parts, one with the same header and payload
/// that is signed.
pub(crate) fn of(data: &[u8]) -> Vec<Jws> {
    if data.starts_with(b"{") {
        let mut halves = data.splitn(2, |byte| *byte == b'\n');
        return match (halves.next(), halves.next()) {
            (Some(header), Some(payload)) => vec![sign(header, payload)],
            _ => vec![sign(HEADER, data)],
        };
    }
    let Ok(text) = str::from_utf8(data) else {
        return Vec::new();
    };
    let text = text.trim_end_matches('\n');
    let mut all = vec![Jws {
        text: text.to_owned(),
        payload: None,
    }];
    let mut parts = text.split('.').map(|part| URL_SAFE_NO_PAD.decode(part));
    if let (Some(Ok(header)), Some(Ok(payload))) = (parts.next(), parts.next()) {
        all.push(sign(&header, &payload));
    }
    all
}

/// A compact JWS.
pub(crate) struct Jws {
    /// The JWS.
    pub(crate) text: String,
    /// What was signed by [`SIGNER`].
    pub(crate) payload: Option<Vec<u8>>,
}

/// Signs with the key of [`SIGNER`].
pub(crate) fn sign(header: &[u8], payload: &[u8]) -> Jws {
    let signing_input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = person(SIGNER).secret.sign(signing_input.as_bytes());
    Jws {
        text: format!(
            "{signing_input}.{}",
            URL_SAFE_NO_PAD.encode(signature.to_bytes())
        ),
        payload: Some(payload.to_vec()),
    }
}

/// Signs a document as a VC JWT.
pub(crate) fn sign_document(document: &serde_json::Value) -> Jws {
    sign(HEADER, document.to_string().as_bytes())
}
