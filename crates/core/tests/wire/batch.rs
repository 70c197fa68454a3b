//! Many ops are judged as each by itself: whatever their mates, however many threads.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::{EdwardsPoint, Scalar};
use ecac_core::payload;
use ecac_core::{Body, Costs, Payload, PublicKey, Refusal, Rejected, Value, VerifiedOp};
use proptest::prelude::*;
use sha2::{Digest as _, Sha512};

use crate::raw::{self, Frame, PROTECTED};
use crate::sample;
use crate::zip215::{NO_POINT, every_case, small_order, with_zero_scalar};

/// Judged together, on several numbers of threads, and each by itself; panics where verdicts or costs differ.
fn check(envelopes: &[Vec<u8>]) -> Vec<Result<VerifiedOp, Rejected>> {
    let mut costs = Costs::default();
    let each = envelopes
        .iter()
        .map(|envelope| VerifiedOp::read(envelope, &mut costs));
    let each: Vec<_> = each.collect();
    for threads in [0, 1, 2, 5] {
        let mut counted = Costs::default();
        let found = VerifiedOp::read_batch(envelopes, threads, &mut counted);
        assert_eq!(found, each, "{threads} threads");
        assert_eq!(counted, costs, "{threads} threads");
    }
    each
}

/// The body of an op that differs from all others, of the author.
fn body(author: [u8; 32], number: usize) -> Body {
    let payload = Payload::SetField(payload::SetField {
        object: sample::name("doc/1"),
        field: sample::name("title"),
        value: Value::Int(i64::try_from(number).expect("few")),
    });
    Body {
        author: PublicKey::from_bytes(author),
        ..sample::body(payload)
    }
}

/// The envelope of the body under whatever signature.
fn under(body: &Body, signature: [u8; 64]) -> Vec<u8> {
    let bytes = body.encode().expect("within the limits");
    let mut frame = Frame::signed(&bytes, &PROTECTED, &sample::author());
    frame.signature = signature.to_vec();
    frame.encode()
}

/// A good op of one of a few authors.
fn good(number: usize) -> Vec<u8> {
    let key = sample::key(u8::try_from(number % 7 + 1).expect("few"));
    let op = VerifiedOp::sign(body(key.verification_key().into(), number), &key);
    op.expect("within the limits").envelope().to_vec()
}

/// What may be wrong with an op.
#[derive(Debug, Clone, Copy)]
enum Spoilt {
    NonceOtherPoint,
    ScalarOff,
    ScalarNotCanonical,
    OtherAuthor,
    /// The key begins as that of an author does.
    AuthorAlike,
    KeyNoPoint,
    NonceNoPoint,
    BytesMissing,
    Empty,
}

const SPOILT: [Spoilt; 9] = [
    Spoilt::NonceOtherPoint,
    Spoilt::ScalarOff,
    Spoilt::ScalarNotCanonical,
    Spoilt::OtherAuthor,
    Spoilt::AuthorAlike,
    Spoilt::KeyNoPoint,
    Spoilt::NonceNoPoint,
    Spoilt::BytesMissing,
    Spoilt::Empty,
];

fn spoil(envelope: &mut Vec<u8>, how: Spoilt, number: usize) {
    let at = envelope.len() - 64;
    match how {
        Spoilt::NonceOtherPoint => {
            let other = good(number + 1);
            envelope[at..at + 32].copy_from_slice(&other[other.len() - 64..other.len() - 32]);
        }
        Spoilt::ScalarOff => envelope[at + 32] ^= 1,
        Spoilt::ScalarNotCanonical => {
            let signature = envelope.last_chunk().expect("a signature");
            let signature = raw::malleated(*signature);
            envelope[at..].copy_from_slice(&signature);
        }
        Spoilt::OtherAuthor => {
            let author = sample::key(99).verification_key().into();
            let signature = envelope.last_chunk().expect("a signature");
            *envelope = under(&body(author, number), *signature);
        }
        Spoilt::AuthorAlike => {
            let key = sample::key(u8::try_from(number % 7 + 1).expect("few"));
            let mut author: [u8; 32] = key.verification_key().into();
            author[31] ^= u8::try_from(number % 64 + 1).expect("few");
            let signature = envelope.last_chunk().expect("a signature");
            *envelope = under(&body(author, number), *signature);
        }
        Spoilt::KeyNoPoint => {
            let signature = envelope.last_chunk().expect("a signature");
            *envelope = under(&body(NO_POINT, number), *signature);
        }
        Spoilt::NonceNoPoint => envelope[at..at + 32].copy_from_slice(&NO_POINT),
        Spoilt::BytesMissing => envelope.truncate(at),
        Spoilt::Empty => envelope.clear(),
    }
}

#[test]
fn nothing_is_judged_for_nothing() {
    assert_eq!(check(&[]), []);
}

#[test]
fn each_way_to_be_bad_is_found_alone_and_among_good_ones() {
    for (number, how) in SPOILT.into_iter().enumerate() {
        let mut bad = good(number);
        spoil(&mut bad, how, number);
        let verdict = check(&[bad.clone()]).remove(0).unwrap_err();
        let is_op = !matches!(how, Spoilt::BytesMissing | Spoilt::Empty);
        let want = if is_op {
            Refusal::BadSignature
        } else {
            Refusal::NonCanonical
        };
        assert_eq!(verdict.reason, want, "{how:?}");
        assert_eq!(verdict.claimed.is_some(), is_op, "{how:?}");
        let mut all: Vec<_> = (0..100).map(good).collect();
        all.insert(number * 12, bad);
        let refused: Vec<_> = check(&all)
            .into_iter()
            .map(|verdict| verdict.is_err())
            .collect();
        let want: Vec<_> = (0..all.len()).map(|at| at == number * 12).collect();
        assert_eq!(refused, want, "{how:?}");
    }
}

#[test]
fn one_op_many_times_is_judged_each_time() {
    let (first, mut bad) = (good(0), good(0));
    spoil(&mut bad, Spoilt::ScalarOff, 0);
    let mut all = vec![first; 40];
    all[7] = bad.clone();
    all[23] = bad;
    let refused: Vec<_> = check(&all).iter().map(Result::is_err).collect();
    let want: Vec<_> = (0..40).map(|at| at == 7 || at == 23).collect();
    assert_eq!(refused, want);
}

/// Ops under keys and signatures of the published edge cases. What they sign is another message than the published
/// one, so the verdicts are those on one by one; with a scalar of zero they are valid all the same.
fn edges() -> Vec<Vec<u8>> {
    let published = every_case()
        .into_iter()
        .map(|case| (case.key, case.signature));
    let honest: [u8; 32] = sample::author().verification_key().into();
    let zero = small_order()
        .into_iter()
        .map(|r| (honest, with_zero_scalar(r)));
    let pairs = published.chain(zero).chain([(NO_POINT, [0; 64])]);
    pairs
        .enumerate()
        .map(|(number, (key, signature))| under(&body(key, number), signature))
        .collect()
}

#[test]
fn published_edge_cases_are_judged_alike_with_each_other_and_with_good_mates() {
    let edges = edges();
    let verdicts = check(&edges);
    let valid = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    assert!(
        valid >= 14 * 14 && valid < edges.len(),
        "{valid} of {}",
        edges.len()
    );
    let is_valid = verdicts.iter().map(Result::is_ok);
    let all_valid: Vec<_> = edges
        .iter()
        .zip(is_valid)
        .filter(|(_, valid)| *valid)
        .map(|(edge, _)| edge.clone())
        .collect();
    assert!(
        check(&all_valid).iter().all(Result::is_ok),
        "one batch holds"
    );
    for edge in &edges {
        check(&[edge.clone(), good(0), good(1)]);
    }
    let mut mixed: Vec<_> = (0..edges.len()).map(good).collect();
    mixed.extend(edges);
    mixed.reverse();
    check(&mixed);
}

/// An op of a key and under a nonce that each have a part of small order, and whether S is one off. It solves the
/// equation with the cofactor, and the one without only where the two parts cancel.
fn of_mixed_order(number: usize, key_part: usize, nonce_part: usize, off: bool) -> Vec<u8> {
    let scalar = |what: &str| {
        let seed = format!("{what} {number} {key_part} {nonce_part}");
        Scalar::from_bytes_mod_order_wide(&Sha512::digest(seed).into())
    };
    let (secret, nonce) = (scalar("key"), scalar("nonce"));
    let point = |scalar: &Scalar, part: usize| {
        let point = EdwardsPoint::mul_base(scalar) + EIGHT_TORSION[part];
        point.compress().to_bytes()
    };
    let (key, r) = (point(&secret, key_part), point(&nonce, nonce_part));
    let body = body(key, number);
    let message = raw::cbor(|out| {
        out.array(4)?
            .str("Signature1")?
            .bytes(&PROTECTED)?
            .bytes(b"ECAC_OP_V1")?
            .bytes(&body.encode().expect("within the limits"))
    });
    let hash = Sha512::digest([&r[..], &key, &message].concat());
    let k = Scalar::from_bytes_mod_order_wide(&hash.into());
    let s = nonce + k * secret + if off { Scalar::ONE } else { Scalar::ZERO };
    let mut signature = with_zero_scalar(r);
    signature[32..].copy_from_slice(&s.to_bytes());
    under(&body, signature)
}

#[test]
fn parts_of_small_order_neither_cancel_nor_count() {
    let pairs = || (0..8).flat_map(|key| (0..8).map(move |nonce| (key, nonce)));
    let ops = |off: fn(usize) -> bool| {
        let each = pairs().enumerate();
        let each = each.map(|(at, (key, nonce))| of_mixed_order(at, key, nonce, off(at)));
        each.collect::<Vec<_>>()
    };
    assert!(check(&ops(|_| false)).iter().all(Result::is_ok));
    assert!(check(&ops(|_| true)).iter().all(Result::is_err));
    let some = check(&ops(|at| at % 11 == 5));
    for (at, verdict) in some.iter().enumerate() {
        assert_eq!(verdict.is_err(), at % 11 == 5, "{at}");
    }
    let mut mixed: Vec<_> = (0..64).map(good).collect();
    mixed.extend(ops(|at| at == 30));
    mixed.rotate_left(37);
    let refused = check(&mixed)
        .iter()
        .filter(|verdict| verdict.is_err())
        .count();
    assert_eq!(refused, 1);
}

/// Good ops, enough for several batches; each comes twice.
fn mates() -> Vec<Vec<u8>> {
    let mates: Vec<_> = (0..4200).map(good).collect();
    [mates.clone(), mates].concat()
}

#[test]
fn several_batches_are_judged_in_the_order_given() {
    let mut all = mates();
    let places = [0, 1, 255, 256, 4199, 4200, 6000, 8399];
    for (at, how) in places.into_iter().zip(SPOILT) {
        spoil(&mut all[at], how, at);
    }
    let found = check(&all);
    for (at, verdict) in found.iter().enumerate() {
        assert_eq!(verdict.is_err(), places.contains(&at), "{at}");
        if let Ok(op) = verdict {
            assert_eq!(op.envelope(), all[at]);
        }
    }
}

thread_local! {
    static MATES: Vec<Vec<u8>> = (0..600).map(good).collect();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn any_batch_is_judged_as_its_ops_one_by_one(
        count in prop_oneof![0..20_usize, 0..600_usize],
        bad in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&SPOILT[..])), 0..12),
        dense in prop::option::weighted(0.2, 1..5_usize),
        edge in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(edges())), 0..12),
    ) {
        let mut all = MATES.with(|mates| mates[..count].to_vec());
        for (at, how) in bad.iter().filter(|_| count > 0) {
            let at = at.index(count);
            all[at] = good(at);
            spoil(&mut all[at], *how, at);
        }
        if let Some(step) = dense {
            all.iter_mut().step_by(step).filter(|it| !it.is_empty()).for_each(|it| {
                let last = it.len() - 33;
                it[last] ^= 1;
            });
        }
        for (at, edge) in edge {
            all.insert(at.index(all.len() + 1), edge);
        }
        check(&all);
    }
}
