//! Signatures are judged by ZIP 215, where single and batch verification agree for every input.

use chacha20::ChaCha20Rng;
use ecac_core::payload;
use ecac_core::{Body, Costs, Op, Payload, PublicKey, Value, VerifiedOp, zip215_verifies};
use ed25519_zebra::batch::{Item, Verifier};
use ed25519_zebra::{Signature, VerificationKeyBytes};
use proptest::prelude::*;
use rand_core::SeedableRng as _;
use serde::Deserialize;

use crate::raw::{self, Frame, PROTECTED};
use crate::sample;

/// y = 2, which no point of the curve has.
pub(crate) const NO_POINT: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 2;
    bytes
};

/// `docs/vectors/ed25519-edge.json`.
#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Published>,
    small_order: Vec<String>,
}

/// A published edge case and its published verdict.
#[derive(Deserialize)]
struct Published {
    number: usize,
    message: String,
    public_key: String,
    signature: String,
    zip215: bool,
}

/// A signature and its verdict under ZIP 215.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    message: Vec<u8>,
    pub(crate) key: [u8; 32],
    pub(crate) signature: [u8; 64],
    valid: bool,
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).expect("hexadecimal of this length");
    bytes
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../docs/vectors/ed25519-edge.json")).expect("JSON")
}

fn published() -> Vec<Case> {
    let cases = vectors().cases;
    assert!(
        cases.iter().map(|case| case.number).eq(0..12),
        "the twelve of the paper"
    );
    let read = |case: Published| Case {
        message: hex::<32>(&case.message).to_vec(),
        key: hex(&case.public_key),
        signature: hex(&case.signature),
        valid: case.zip215,
    };
    cases.into_iter().map(read).collect()
}

/// Every encoding of a point of small order.
pub(crate) fn small_order() -> Vec<[u8; 32]> {
    vectors()
        .small_order
        .iter()
        .map(|point| hex(point))
        .collect()
}

/// `R` and a scalar of zero.
pub(crate) fn with_zero_scalar(r: [u8; 32]) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature
}

/// Each point of small order as `R` under each as key: 8R + 8kA = 0 = 8SB, so all are valid.
fn small_order_pairs() -> Vec<Case> {
    let points = small_order();
    let signed = |key: [u8; 32], r: [u8; 32]| Case {
        message: b"Zcash".to_vec(),
        key,
        signature: with_zero_scalar(r),
        valid: true,
    };
    points
        .iter()
        .flat_map(|key| points.iter().map(|r| signed(*key, *r)))
        .collect()
}

/// Ordinary signatures, good and bad.
fn ordinary() -> Vec<Case> {
    let signed = |seed: u8| {
        let (key, message) = (sample::key(seed), vec![seed; 40]);
        let signature = <[u8; 64]>::from(key.sign(&message));
        Case {
            message,
            key: key.verification_key().into(),
            signature,
            valid: true,
        }
    };
    let good: Vec<_> = (1..5).map(signed).collect();
    let no_point = Case {
        key: NO_POINT,
        valid: false,
        ..good[0].clone()
    };
    let flipped = |mut case: Case, at: usize| {
        case.signature[at] ^= 1;
        Case {
            valid: false,
            ..case
        }
    };
    let other_message = Case {
        message: Vec::new(),
        valid: false,
        ..good[0].clone()
    };
    let malleated = Case {
        signature: raw::malleated(good[1].signature),
        valid: false,
        ..good[1].clone()
    };
    let bad = [
        no_point,
        flipped(good[0].clone(), 0),
        flipped(good[0].clone(), 32),
        other_message,
        malleated,
    ];
    [good, bad.to_vec()].concat()
}

pub(crate) fn every_case() -> Vec<Case> {
    [published(), small_order_pairs(), ordinary()].concat()
}

fn single(case: &Case) -> bool {
    zip215_verifies(
        &PublicKey::from_bytes(case.key),
        &case.signature,
        &case.message,
    )
}

fn batch<'a>(cases: impl IntoIterator<Item = &'a Case>, seed: u64) -> bool {
    let mut batch = Verifier::new();
    for case in cases {
        let key = VerificationKeyBytes::from(case.key);
        batch.queue(Item::from((
            key,
            Signature::from(case.signature),
            &case.message,
        )));
    }
    batch.verify(ChaCha20Rng::seed_from_u64(seed)).is_ok()
}

#[test]
fn the_published_verdicts_are_ours() {
    for (number, case) in published().iter().enumerate() {
        assert_eq!(single(case), case.valid, "vector {number}");
    }
}

#[test]
fn every_small_order_pair_is_valid() {
    assert_eq!(small_order_pairs().len(), 14 * 14);
    for case in small_order_pairs() {
        assert!(single(&case), "{case:02x?}");
    }
}

#[test]
fn ordinary_signatures_are_judged_as_ever() {
    for case in ordinary() {
        assert_eq!(single(&case), case.valid, "{case:02x?}");
    }
}

#[test]
fn a_batch_of_one_agrees() {
    for (seed, case) in (0..).zip(every_case()) {
        assert_eq!(batch([&case], seed), case.valid, "{case:02x?}");
    }
}

#[test]
fn every_mix_of_the_published_vectors_agrees() {
    let cases = published();
    for mix in 0_u64..1 << cases.len() {
        let chosen = || {
            (0..)
                .zip(&cases)
                .filter(|(at, _)| mix >> at & 1 == 1)
                .map(|(_, case)| case)
        };
        assert_eq!(
            batch(chosen(), mix),
            chosen().all(|case| case.valid),
            "mix {mix:012b}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn any_mix_agrees(
        mut chosen in prop::collection::vec(prop::sample::select(every_case()), 0..40),
        only_valid: bool,
        seed: u64,
    ) {
        if only_valid {
            chosen.retain(|case| case.valid);
        }
        prop_assert_eq!(batch(&chosen, seed), chosen.iter().all(|case| case.valid));
    }

    #[test]
    fn any_bytes_agree(key: [u8; 32], r: [u8; 32], s: [u8; 32], low: bool, message: [u8; 8], seed: u64) {
        let mut signature = with_zero_scalar(r);
        if !low {
            signature[32..].copy_from_slice(&s);
        }
        let case = Case { message: message.to_vec(), key, signature, valid: false };
        prop_assert_eq!(batch([&case], seed), single(&case));
    }
}

/// The verdict on an op of the author with the signature.
fn op_verdict(author: [u8; 32], signature: [u8; 64], text: &str) -> bool {
    let value = Value::Text(text.to_owned());
    let payload = Payload::SetField(payload::SetField {
        object: sample::name("doc/1"),
        field: sample::name("title"),
        value,
    });
    let body = Body {
        author: PublicKey::from_bytes(author),
        ..sample::body(payload)
    };
    let body = body.encode().expect("within the limits");
    let mut frame = Frame::signed(&body, &PROTECTED, &sample::author());
    frame.signature = signature.to_vec();
    let op = Op::decode(&frame.encode(), &mut Costs::default()).expect("canonical");
    VerifiedOp::verify(op, &mut Costs::default()).is_ok()
}

#[test]
fn a_key_of_small_order_signs_anything_so_trust_must_never_name_one() {
    for author in small_order() {
        for r in small_order() {
            assert!(op_verdict(author, with_zero_scalar(r), "one"));
            assert!(op_verdict(author, with_zero_scalar(r), "another"));
        }
    }
    let honest = sample::author().verification_key().into();
    assert!(!op_verdict(honest, with_zero_scalar([0; 32]), "one"));
    assert!(!op_verdict(NO_POINT, with_zero_scalar([0; 32]), "one"));
}
