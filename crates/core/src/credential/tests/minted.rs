//! What is minted is read, and nothing else is.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization as _;

use super::{public, secret};
use crate::credential::jwt::sign_compact;
use crate::credential::mint::{CredentialClaims, mint_credential, mint_status_list};
use crate::credential::status_list::unpack;
use crate::credential::{Credential, Role, StatusList, StatusPurpose, StatusRef, Timestamp};
use crate::id::PublicKey;
use crate::limits::{NAME_BYTES_MAX, STATUS_INDEX_MAX};

fn example() -> CredentialClaims {
    CredentialClaims {
        issuer: "https://issuer.example".to_owned(),
        kid: "key-1".to_owned(),
        id: None,
        subject: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
            .parse()
            .unwrap(),
        role: Role::Editor,
        scope: ["hr".to_owned()].into(),
        valid_from_ms: 1_769_846_400_000,
        valid_until_ms: 1_769_846_400_500,
        status: vec![StatusRef {
            list: "https://issuer.example/status/1".to_owned(),
            index: 7,
            purpose: StatusPurpose::Revocation,
        }],
    }
}

fn example_list(set_bits: &[u64], bit_count: u64) -> String {
    let set_bits = set_bits.iter().copied().collect();
    let id = "https://issuer.example/status/1";
    let purpose = StatusPurpose::Suspension;
    let issuer = "https://issuer.example";
    mint_status_list(
        &secret(1),
        issuer,
        "key-1",
        id,
        purpose,
        0,
        bit_count,
        &set_bits,
    )
}

#[test]
fn a_credential_is_written_as_documented() {
    let jwt = mint_credential(&secret(1), &example());
    let parts: Vec<_> = jwt.split('.').collect();
    let text = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(
        text(parts[0]),
        r#"{"alg":"EdDSA","kid":"key-1","typ":"vc+jwt"}"#
    );
    assert_eq!(
        text(parts[1]),
        concat!(
            r#"{"@context":["https://www.w3.org/ns/credentials/v2","#,
            r#""https://www.w3.org/ns/credentials/undefined-terms/v2"],"#,
            r#""credentialStatus":{"statusListCredential":"https://issuer.example/status/1","#,
            r#""statusListIndex":"7","statusPurpose":"revocation","type":"BitstringStatusListEntry"},"#,
            r#""credentialSubject":{"id":"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK","#,
            r#""role":"editor","scope":["hr"]},"#,
            r#""issuer":"https://issuer.example","type":["VerifiableCredential"],"#,
            r#""validFrom":"2026-01-31T08:00:00Z","validUntil":"2026-01-31T08:00:00.5Z"}"#,
        )
    );
    assert!(
        Credential::parse(&jwt)
            .unwrap()
            .verifies_with(&public(&secret(1)))
    );
}

#[test]
fn bit_0_is_the_most_significant_bit_of_byte_0() {
    let list = StatusList::parse(&example_list(&[0, 7, 8, 131_071], 131_072)).unwrap();
    let mut expect = vec![0; 16_384];
    expect[0] = 0b1000_0001;
    expect[1] = 0b1000_0000;
    expect[16_383] = 0b0000_0001;
    assert_eq!(list.bytes(), expect);
    assert_eq!(list.purpose, StatusPurpose::Suspension);
    for (index, bit) in [
        (0, Some(true)),
        (1, Some(false)),
        (7, Some(true)),
        (8, Some(true)),
        (9, Some(false)),
        (131_071, Some(true)),
        (131_072, None),
    ] {
        assert_eq!(list.get(index), bit, "{index}");
    }
}

#[test]
fn a_list_is_as_long_as_it_must_be() {
    for (bit_count, set_bits, expect) in [
        (0, &[][..], 131_072),
        (131_073, &[][..], 131_080),
        (0, &[200_000][..], 200_008),
        (u64::MAX, &[][..], 8_388_608),
        (0, &[STATUS_INDEX_MAX, u64::MAX][..], 8_388_608),
    ] {
        let list = StatusList::parse(&example_list(set_bits, bit_count)).unwrap();
        assert_eq!(list.bit_count(), expect, "{bit_count}");
        for bit in set_bits.iter().filter(|bit| **bit <= STATUS_INDEX_MAX) {
            assert_eq!(list.get(*bit), Some(true));
        }
    }
}

#[test]
fn a_changed_byte_anywhere_is_noticed() {
    let key = public(&secret(1));
    let genuine = |jwt: &str| {
        Credential::parse(jwt).is_ok_and(|read| read.verifies_with(&key))
            || StatusList::parse(jwt).is_ok_and(|read| read.verifies_with(&key))
    };
    for jwt in [
        mint_credential(&secret(1), &example()),
        example_list(&[5, 77], 131_072),
    ] {
        assert!(genuine(&jwt));
        for at in 0..jwt.len() {
            for flipped in [0x01, 0x02, 0x04, 0x08, 0x20] {
                let mut bytes = jwt.clone().into_bytes();
                bytes[at] ^= flipped;
                let changed = String::from_utf8(bytes).unwrap();
                assert!(!genuine(&changed), "byte {at} xor {flipped}: {changed}");
            }
            let (before, after) = jwt.split_at(at);
            assert!(
                !genuine(before) && !genuine(&format!("{before}A{after}")),
                "byte {at}"
            );
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    "\\PC{1,40}|[a-z\"\\\\]{1,9}"
        .prop_map(|text| text.nfc().collect())
        .prop_filter("a name fits", |text: &String| text.len() <= NAME_BYTES_MAX)
}

/// A URL that is as odd as a name can be.
fn url() -> impl Strategy<Value = String> {
    name()
        .prop_map(|name| {
            let odd = |c: char| c.is_whitespace() || c.is_control();
            let path: String = format!("urn:{name}").replace(odd, "-").nfc().collect();
            path
        })
        .prop_filter("a URL fits", |url: &String| url.len() <= NAME_BYTES_MAX)
}

fn claims() -> impl Strategy<Value = CredentialClaims> {
    let status = ("[a-z]:[a-z#/]{1,9}", 0..=STATUS_INDEX_MAX, any::<bool>()).prop_map(
        |(list, index, revocation)| StatusRef {
            list,
            index,
            purpose: StatusPurpose::ALL[usize::from(revocation)],
        },
    );
    (
        (url(), name(), proptest::option::of(url())),
        any::<[u8; 32]>(),
        proptest::sample::select(Role::ALL),
        proptest::collection::btree_set(name(), 0..5),
        (0..253_402_300_799_999_u64, 1..1_000_000_u64),
        proptest::collection::vec(status, 0..=4),
    )
        .prop_map(
            |((issuer, kid, id), subject, role, scope, (from, length), status)| CredentialClaims {
                issuer,
                kid,
                id,
                subject: PublicKey::from_bytes(subject),
                role,
                scope,
                valid_from_ms: from,
                valid_until_ms: from + length,
                status,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_minted_is_read(claims in claims(), seed: u8) {
        let jwt = mint_credential(&secret(seed), &claims);
        prop_assert_eq!(&jwt, &mint_credential(&secret(seed), &claims));
        let read = Credential::parse(&jwt).unwrap();
        prop_assert!(read.verifies_with(&public(&secret(seed))));
        prop_assert!(!read.verifies_with(&public(&secret(seed.wrapping_add(1)))));
        prop_assert_eq!(read.valid_from, Timestamp::from_ms(claims.valid_from_ms));
        prop_assert_eq!(read.valid_until, Timestamp::from_ms(claims.valid_until_ms));
        let again = CredentialClaims {
            issuer: read.issuer,
            kid: read.kid,
            id: read.id,
            subject: read.subject,
            role: read.role,
            scope: read.scope,
            status: read.status,
            ..claims.clone()
        };
        prop_assert_eq!(again, claims);
    }

    #[test]
    fn a_list_is_read_bit_by_bit(
        set_bits in proptest::collection::btree_set(0..300_000_u64, 0..50),
    ) {
        let all: Vec<u64> = set_bits.iter().copied().collect();
        let list = StatusList::parse(&example_list(&all, 131_072)).unwrap();
        prop_assert!(list.verifies_with(&public(&secret(1))));
        let read = (0..list.bit_count()).filter(|bit| list.get(*bit) == Some(true));
        prop_assert_eq!(read.collect::<BTreeSet<_>>(), set_bits);
    }

    #[test]
    fn no_text_panics(
        text in "\\PC{0,60}|[A-Za-z0-9_.-]{0,200}",
        header in "\\PC{0,40}",
        payload in "\\PC{0,60}|[\\[\\]{}\":,a0-9-]{0,60}",
    ) {
        let sound = r#"{"alg":"EdDSA","kid":"k","typ":"vc+jwt"}"#;
        let key = secret(1);
        for text in [text, sign_compact(&key, &header, &payload), sign_compact(&key, sound, &payload)] {
            prop_assert!(Credential::parse(&text).is_err());
            prop_assert!(StatusList::parse(&text).is_err());
        }
    }

    #[test]
    fn no_bitstring_panics(packed in proptest::collection::vec(any::<u8>(), 0..100)) {
        // A sound gzip header (RFC 1952 section 2.3) lets the rest reach the unpacking.
        let mut framed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        framed.extend(&packed);
        for bytes in [packed, framed] {
            let encoded = format!("u{}", URL_SAFE_NO_PAD.encode(bytes));
            let _ = unpack(&encoded);
        }
    }
}
