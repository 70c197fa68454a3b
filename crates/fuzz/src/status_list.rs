//! A status list: a JWT as it is, a payload that the target signs, a gzip member that it puts into a list, and a
//! bitstring that it packs.
//!
//! - What is read has 16 KiB to 1 MiB of bits, each of which can be asked for, and none beyond.
//! - Of a bitstring that the target packs, exactly those bits come back.
//! - Reading is a function of the text; only the signer's key verifies it.
//!
//! The input is a gzip member if it begins as one, and a bitstring if it begins with `b`.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecac_core::credential::StatusList;
use ecac_core::limits::{JWT_BYTES_MAX, STATUS_LIST_BYTES_MAX, STATUS_LIST_BYTES_MIN};
use ecac_oracle::world::person;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::credential::{check_name, check_url};
use crate::jws::{self, Jws, SIGNER};
use crate::reading::Reading;

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    if data.starts_with(&[0x1f, 0x8b]) {
        return packed(data);
    }
    if let Some(bits) = data.strip_prefix(b"b") {
        return bitstring(bits);
    }
    let readings = jws::of(data).into_iter().map(|jws| match check(&jws) {
        Some(_) => Reading::Accepted,
        None => Reading::Refused,
    });
    readings.min().unwrap_or(Reading::Refused)
}

/// Puts a gzip member into a list.
fn packed(gzip: &[u8]) -> Reading {
    let Some(list) = check(&list_of(gzip)) else {
        return Reading::Refused;
    };
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(gzip).read_to_end(&mut unpacked);
    assert!(read.is_ok(), "what is accepted is sound");
    assert_eq!(list.bytes(), unpacked);
    Reading::Accepted
}

/// Packs a bitstring, repeated as often as the first two bytes say.
fn bitstring(data: &[u8]) -> Reading {
    let Some(([high, low], pattern)) = data.split_first_chunk() else {
        return Reading::Refused;
    };
    let times = usize::from(u16::from_be_bytes([*high, *low]));
    if pattern.len() * times > STATUS_LIST_BYTES_MAX + pattern.len() {
        return Reading::Refused;
    }
    let bits = pattern.repeat(times);
    let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
    let gzip = packing.write_all(&bits).and_then(|()| packing.finish());
    let jws = list_of(&gzip.expect("a vector takes every write"));
    let list = check(&jws);
    let fits = (STATUS_LIST_BYTES_MIN..=STATUS_LIST_BYTES_MAX).contains(&bits.len());
    let fits_jwt = jws.text.len() <= JWT_BYTES_MAX;
    assert_eq!(list.is_some(), fits && fits_jwt);
    Reading::of(list.is_some_and(|list| {
        assert_eq!(list.bytes(), bits);
        true
    }))
}

fn list_of(gzip: &[u8]) -> Jws {
    jws::sign_document(&json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "credentialSubject": {
            "encodedList": format!("u{}", URL_SAFE_NO_PAD.encode(gzip)),
            "id": "https://s.example/1#list",
            "statusPurpose": "revocation",
            "type": "BitstringStatusList",
        },
        "id": "https://s.example/1",
        "issuer": "https://i.example",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "validFrom": "2026-01-01T00:00:00Z",
    }))
}

fn check(jws: &Jws) -> Option<StatusList> {
    let parsed = StatusList::parse(&jws.text);
    assert_eq!(parsed, StatusList::parse(&jws.text));
    let list = match parsed {
        Ok(list) => list,
        Err(error) => {
            let _ = error.to_string();
            return None;
        }
    };
    check_url(&list.issuer);
    check_name(&list.kid);
    check_url(&list.id);
    let bytes = list.bytes();
    assert!((STATUS_LIST_BYTES_MIN..=STATUS_LIST_BYTES_MAX).contains(&bytes.len()));
    let bit_count = list.bit_count();
    assert_eq!(bit_count, bytes.len() as u64 * 8);
    for index in (0..bit_count).step_by(997).chain([bit_count - 1]) {
        let byte = usize::try_from(index / 8).expect("within memory");
        let bit = 7 - index % 8;
        assert_eq!(list.get(index), Some((bytes[byte] >> bit) & 1 == 1));
    }
    assert_eq!(list.get(bit_count), None);
    assert_eq!(list.get(u64::MAX), None);
    if jws.payload.is_some() {
        assert!(list.verifies_with(&person(SIGNER).public));
        assert!(!list.verifies_with(&person(0).public));
    }
    Some(list)
}
