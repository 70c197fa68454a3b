//! Status lists: bitstrings that withdraw credentials (Bitstring Status List v1.0 section 2.2).

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::bufread::GzDecoder;

use super::claims::{Audience, Claims, has_type};
use super::error::CredentialError;
use super::json::malformed;
use super::jwt::Signed;
use super::status::StatusPurpose;
use super::time::Timestamp;
use crate::id::{ProjectId, PublicKey};
use crate::limits::{STATUS_LIST_BYTES_MAX, STATUS_LIST_BYTES_MIN};

/// The type of a status list credential, next to that of every credential.
pub(super) const TYPE_LIST_CREDENTIAL: &str = "BitstringStatusListCredential";
/// The type of the subject of a status list credential.
pub(super) const TYPE_LIST: &str = "BitstringStatusList";

/// A well-formed status list; whether it is genuine is for the caller to judge.
///
/// `validUntil` and `exp` do not matter: a bit once set denies for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    /// Who issued it, a URL: `issuer`, or its `id` where that is an object.
    pub issuer: String,
    /// Which of the issuer's keys signed it: `kid` of the JOSE header.
    pub kid: String,
    /// The URL by which credentials refer to it: the document's `id`.
    pub id: String,
    /// What a set bit means: `credentialSubject.statusPurpose`.
    pub purpose: StatusPurpose,
    /// First instant of its validity: the later of `validFrom` and `nbf`.
    pub valid_from: Timestamp,
    bits: Vec<u8>,
    audience: Audience,
    signed: Signed,
}

impl StatusList {
    /// Reads a compact JWS and unpacks its bitstring, of which at most [`STATUS_LIST_BYTES_MAX`] are allocated.
    /// The signature is not judged: see [`StatusList::verifies_with`].
    ///
    /// # Errors
    ///
    /// The first rule that `jwt` breaks.
    pub fn parse(jwt: &str) -> Result<Self, CredentialError> {
        let claims = Claims::parse(jwt)?;
        if !has_type(&claims.document, TYPE_LIST_CREDENTIAL)? {
            let expected = "an array with `BitstringStatusListCredential`";
            return Err(malformed("type", expected));
        }
        let subject = claims.subject()?;
        let member = "credentialSubject.type";
        if subject.text(member)? != TYPE_LIST {
            return Err(malformed(member, "`BitstringStatusList`"));
        }
        let id = claims.document.url("id")?.to_owned();
        let valid_from = claims.valid_from()?;
        let purpose = StatusPurpose::of(subject, "credentialSubject.statusPurpose")?;
        let bits = unpack(subject.text("credentialSubject.encodedList")?)?;
        Ok(Self {
            issuer: claims.issuer,
            kid: claims.kid,
            id,
            purpose,
            valid_from,
            bits,
            audience: claims.audience,
            signed: claims.signed,
        })
    }

    /// Whether it is for the project: it has no `aud`, or one that names the project's id in hexadecimal.
    #[must_use]
    pub fn is_for(&self, project: &ProjectId) -> bool {
        self.audience.includes(project)
    }

    /// Whether `key` signed it, under ZIP 215. One signature verification.
    #[must_use]
    pub fn verifies_with(&self, key: &PublicKey) -> bool {
        self.signed.verifies_with(key)
    }

    /// What it is signed with.
    pub(crate) const fn signed(&mut self) -> &mut Signed {
        &mut self.signed
    }

    /// Whether the bit at `index` is set; none where the list is shorter. Bit 0 is the most significant bit of
    /// byte 0.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<bool> {
        let byte = self.bits.get(usize::try_from(index / 8).ok()?)?;
        Some(byte & (0x80 >> (index % 8)) != 0)
    }

    /// How many bits are set.
    #[must_use]
    pub fn bits_set(&self) -> u64 {
        self.bits
            .iter()
            .map(|byte| u64::from(byte.count_ones()))
            .sum()
    }

    /// How many bits the list has.
    #[must_use]
    pub const fn bit_count(&self) -> u64 {
        self.bits.len() as u64 * 8
    }

    /// The unpacked bitstring, [`STATUS_LIST_BYTES_MIN`] to [`STATUS_LIST_BYTES_MAX`] bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bits
    }
}

/// The bitstring in `encoded`: multibase `u`, then base64url without padding, of one gzip member.
pub(super) fn unpack(encoded: &str) -> Result<Vec<u8>, CredentialError> {
    let member = "credentialSubject.encodedList";
    let expected = "`u` and canonical base64url without padding";
    let packed = encoded
        .strip_prefix('u')
        .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok())
        .ok_or(malformed(member, expected))?;
    let limit = STATUS_LIST_BYTES_MAX as u64 + 1;
    let mut unpacking = GzDecoder::new(packed.as_slice()).take(limit);
    let mut bits = Vec::with_capacity(STATUS_LIST_BYTES_MIN + 1);
    unpacking
        .read_to_end(&mut bits)
        .map_err(|_| CredentialError::NotGzip)?;
    if bits.len() > STATUS_LIST_BYTES_MAX {
        return Err(CredentialError::ListTooLong);
    }
    let rest = unpacking.into_inner().into_inner();
    if !rest.is_empty() {
        return Err(CredentialError::TrailingBytes { bytes: rest.len() });
    }
    if bits.len() < STATUS_LIST_BYTES_MIN {
        return Err(CredentialError::ListTooShort { bytes: bits.len() });
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, GzBuilder};

    use super::*;

    fn gzip(chunk: &[u8], times: usize) -> Vec<u8> {
        let mut packing = GzBuilder::new().write(Vec::new(), Compression::best());
        for _ in 0..times {
            packing.write_all(chunk).unwrap();
        }
        packing.finish().unwrap()
    }

    fn check(packed: &[u8], expect: Result<usize, CredentialError>) {
        let unpacked = unpack(&format!("u{}", URL_SAFE_NO_PAD.encode(packed)));
        assert_eq!(unpacked.map(|bits| bits.len()), expect);
    }

    #[test]
    fn the_example_of_the_specification_is_unpacked() {
        // Bitstring Status List v1.0, section 2.2, example 3: the smallest list, with no bit set.
        let example = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA";
        assert_eq!(unpack(example), Ok(vec![0; STATUS_LIST_BYTES_MIN]));
    }

    #[test]
    fn a_bomb_is_refused_after_a_bounded_part_of_it() {
        let mebibyte = vec![0; STATUS_LIST_BYTES_MAX];
        check(&gzip(&mebibyte, 1), Ok(STATUS_LIST_BYTES_MAX));
        check(&gzip(&mebibyte, 64), Err(CredentialError::ListTooLong));
        let mut one_more = vec![0; STATUS_LIST_BYTES_MAX];
        one_more.push(0);
        check(&gzip(&one_more, 1), Err(CredentialError::ListTooLong));
    }

    #[test]
    fn a_list_that_hides_nobody_is_refused() {
        for bytes in [0, 1, STATUS_LIST_BYTES_MIN - 1] {
            let packed = gzip(&vec![0; bytes], 1);
            check(&packed, Err(CredentialError::ListTooShort { bytes }));
        }
    }

    #[test]
    fn nothing_may_follow_the_one_member() {
        let packed = gzip(&[0; STATUS_LIST_BYTES_MIN], 1);
        let mut with_zero = packed.clone();
        with_zero.push(0);
        check(&with_zero, Err(CredentialError::TrailingBytes { bytes: 1 }));
        let bytes = packed.len();
        check(
            &packed.repeat(2),
            Err(CredentialError::TrailingBytes { bytes }),
        );
    }

    #[test]
    fn a_damaged_member_is_refused() {
        let packed = gzip(&[0; STATUS_LIST_BYTES_MIN], 1);
        for length in 0..packed.len() {
            check(&packed[..length], Err(CredentialError::NotGzip));
        }
        // The checksum and the length that end the member (RFC 1952 section 2.3.1), and its magic number.
        for at in (packed.len() - 8..packed.len()).chain(0..3) {
            let mut damaged = packed.clone();
            damaged[at] ^= 1;
            check(&damaged, Err(CredentialError::NotGzip));
        }
        // A reserved flag.
        let mut damaged = packed;
        damaged[3] = 0x80;
        check(&damaged, Err(CredentialError::NotGzip));
    }

    #[test]
    fn other_encodings_are_refused() {
        let encoded = URL_SAFE_NO_PAD.encode(gzip(&[0; STATUS_LIST_BYTES_MIN], 1));
        for text in [
            "",
            "u*",
            "uAB",
            &encoded,
            &format!("z{encoded}"),
            &format!("u{encoded}="),
        ] {
            assert_eq!(
                unpack(text),
                Err(malformed(
                    "credentialSubject.encodedList",
                    "`u` and canonical base64url without padding"
                ))
            );
        }
    }
}
