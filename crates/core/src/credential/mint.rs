//! Issuing credentials and status lists: the same inputs give the same bytes.
//!
//! This is the issuer's side, for the scenario engine, the command line and tests. What it is given is written
//! down as it is; [`super::Credential::parse`] is what judges it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_zebra::SigningKey;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

use super::claims::{CONTEXT_V2, TYPE_CREDENTIAL};
use super::jwt::sign_compact;
use super::role::Role;
use super::status::{StatusPurpose, StatusRef};
use super::status_list::{TYPE_LIST, TYPE_LIST_CREDENTIAL};
use super::time::Timestamp;
use crate::id::PublicKey;
use crate::limits::{STATUS_INDEX_MAX, STATUS_LIST_BYTES_MIN};

/// Gives `role` and `scope`, which no W3C context defines, a meaning for readers of JSON-LD (VC Data Model 2.0
/// section 5.2).
const CONTEXT_UNDEFINED_TERMS: &str = "https://www.w3.org/ns/credentials/undefined-terms/v2";
/// Compression of bitstrings; another level changes the bytes of every list.
const GZIP_LEVEL: u32 = 6;
/// Operating system in a gzip header: unknown (RFC 1952 section 2.3.1).
const GZIP_OS_UNKNOWN: u8 = 255;

/// What a credential is to say; see [`super::Credential`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialClaims {
    /// Who issues it: a URL.
    pub issuer: String,
    /// Which of the issuer's keys signs it.
    pub kid: String,
    /// The document's own `id`: a URL, or none.
    pub id: Option<String>,
    /// Whom it is about.
    pub subject: PublicKey,
    /// What the subject may do.
    pub role: Role,
    /// Tags of the resources on which.
    pub scope: BTreeSet<String>,
    /// First millisecond of its validity, since 1970; at most [`Timestamp::MAX`].
    pub valid_from_ms: u64,
    /// First millisecond after its validity, since 1970; at most [`Timestamp::MAX`].
    pub valid_until_ms: u64,
    /// The bits that withdraw it.
    pub status: Vec<StatusRef>,
}

/// A credential that says `claims`, signed with `key`: a compact JWS.
#[must_use]
pub fn mint_credential(key: &SigningKey, claims: &CredentialClaims) -> String {
    let mut document = json!({
        "@context": [CONTEXT_V2, CONTEXT_UNDEFINED_TERMS],
        "credentialSubject": {
            "id": claims.subject,
            "role": claims.role,
            "scope": claims.scope,
        },
        "issuer": claims.issuer,
        "type": [TYPE_CREDENTIAL],
        "validFrom": Timestamp::from_ms(claims.valid_from_ms),
        "validUntil": Timestamp::from_ms(claims.valid_until_ms),
    });
    if let Some(id) = &claims.id {
        document["id"] = json!(id);
    }
    let mut entries: Vec<Value> = claims.status.iter().map(status_entry).collect();
    match entries.len() {
        0 => {}
        1 => document["credentialStatus"] = entries.remove(0),
        _ => document["credentialStatus"] = Value::Array(entries),
    }
    mint_document(key, &claims.kid, &document)
}

fn status_entry(status: &StatusRef) -> Value {
    json!({
        "statusListCredential": status.list,
        "statusListIndex": status.index.to_string(),
        "statusPurpose": status.purpose,
        "type": "BitstringStatusListEntry",
    })
}

/// A status list in which `set_bits` are set, signed with `key`: a compact JWS.
///
/// The list has `bit_count` bits, rounded up to whole bytes and to the smallest list that is read, and is long
/// enough for every set bit. It ends at [`STATUS_INDEX_MAX`], which no credential can point beyond. A long list
/// with many bits set can exceed [`crate::limits::JWT_BYTES_MAX`]; then nobody reads it.
#[must_use]
#[expect(
    clippy::too_many_arguments,
    reason = "each argument is one member of the document, and a struct would be built at each call only"
)]
pub fn mint_status_list(
    key: &SigningKey,
    issuer: &str,
    kid: &str,
    list_id: &str,
    purpose: StatusPurpose,
    valid_from_ms: u64,
    bit_count: u64,
    set_bits: &BTreeSet<u64>,
) -> String {
    let document = json!({
        "@context": [CONTEXT_V2],
        "credentialSubject": {
            "encodedList": format!("u{}", URL_SAFE_NO_PAD.encode(gzip(&bitstring(bit_count, set_bits)))),
            "id": format!("{list_id}#list"),
            "statusPurpose": purpose,
            "type": TYPE_LIST,
        },
        "id": list_id,
        "issuer": issuer,
        "type": [TYPE_CREDENTIAL, TYPE_LIST_CREDENTIAL],
        "validFrom": Timestamp::from_ms(valid_from_ms),
    });
    mint_document(key, kid, &document)
}

/// Bytes of at least `bit_count` bits, of which the first is the most significant.
fn bitstring(bit_count: u64, set_bits: &BTreeSet<u64>) -> Vec<u8> {
    let mut bytes: BTreeMap<usize, u8> = BTreeMap::new();
    for bit in set_bits.range(..=STATUS_INDEX_MAX) {
        if let Ok(at) = usize::try_from(bit / 8) {
            *bytes.entry(at).or_default() |= 0x80 >> (bit % 8);
        }
    }
    let declared = usize::try_from(bit_count.min(STATUS_INDEX_MAX + 1).div_ceil(8)).unwrap_or(0);
    let used = bytes.last_key_value().map_or(0, |(at, _)| at + 1);
    let mut bits = vec![0; declared.max(used).max(STATUS_LIST_BYTES_MIN)];
    for (at, byte) in bytes {
        bits[at] = byte;
    }
    bits
}

/// One gzip member that depends on `bytes` alone: no time, no name, no operating system.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packing = GzBuilder::new()
        .mtime(0)
        .operating_system(GZIP_OS_UNKNOWN)
        .write(Vec::new(), Compression::new(GZIP_LEVEL));
    packing
        .write_all(bytes)
        .and_then(|()| packing.finish())
        .expect("a vector takes every write")
}

/// The JWT of any document, which is written down as it is, signed with `key`: a compact JWS whose JSON is canonical
/// (RFC 8785). Whoever needs a document that nobody else here writes makes it with this.
///
/// # Panics
///
/// Panics if a number of the document is not finite as an IEEE 754 double.
#[must_use]
pub fn mint_document(key: &SigningKey, kid: &str, document: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "kid": kid, "typ": "vc+jwt" });
    sign_compact(key, &canonical(&header), &canonical(document))
}

fn canonical(value: &Value) -> String {
    serde_json_canonicalizer::to_string(value).expect("strings and arrays have a canonical form")
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn a_bitstring_is_packed_into_the_same_bytes_everywhere() {
        // Another digest means that another deflate library, or another version of it, has come into the build:
        // then every minted status list, and with it every artifact, has other bytes.
        let packed = gzip(&bitstring(131_072, &(0..131_072).step_by(37).collect()));
        assert_eq!(packed[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        assert_eq!(
            hex::encode(Sha256::digest(&packed)),
            "820ea385002575d514c8c70aa6f007fb8f0ef7f12ecc476f4feb7c5a70106c7c"
        );
    }
}
