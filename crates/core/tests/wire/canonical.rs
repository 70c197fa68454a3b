//! Only the one canonical encoding is an op.

use std::collections::BTreeSet;

use ecac_core::limits::{ENVELOPE_BYTES_MAX, PAYLOAD_BYTES_MAX};
use ecac_core::{Body, CodecError, Costs, Kind, Op, VerifiedOp};

use crate::frames;
use crate::hostile;
use crate::raw::{self, MAJOR_SIMPLE, MAJOR_TAG};
use crate::sample;

fn decode(envelope: &[u8]) -> Result<Op, CodecError> {
    Op::decode(envelope, &mut Costs::default())
}

/// The id of an op that decodes and whose signature is good.
fn accepted(envelope: &[u8]) -> Result<VerifiedOp, String> {
    let op = decode(envelope).map_err(|error| error.to_string())?;
    VerifiedOp::verify(op, &mut Costs::default()).map_err(|error| error.to_string())
}

#[test]
fn every_kind_is_sampled() {
    let bodies = sample::bodies();
    let kinds = bodies.iter().map(|(_, body)| body.payload.known_kind());
    let sampled: BTreeSet<Option<Kind>> = kinds.collect();
    let known = Kind::ALL.iter().copied().map(Some);
    assert_eq!(sampled, known.chain([None]).collect());
    let by_hand = hostile::payloads().into_iter().enumerate();
    let by_hand = by_hand.map(|(number, payload)| {
        let bytes = hostile::body_of(number, &payload).encode();
        Body::decode(&bytes).unwrap().payload.known_kind()
    });
    let known = Kind::ALL.iter().copied().map(Some);
    assert_eq!(by_hand.collect::<Vec<_>>(), Vec::from_iter(known));
}

#[test]
fn what_is_encoded_is_decoded() {
    for (what, body) in sample::bodies() {
        let op = sample::sign(body.clone());
        assert_eq!(Body::decode(&body.encode().unwrap()), Ok(body), "{what}");
        assert_eq!(accepted(op.envelope()), Ok(op), "{what}");
    }
}

#[test]
fn encodings_by_hand_are_those_of_the_codec() {
    for (kind, payload) in hostile::payloads().iter().enumerate() {
        let by_hand = hostile::body_of(kind, payload).encode();
        let body = Body::decode(&by_hand).unwrap();
        assert_eq!(body.encode().unwrap(), by_hand, "type {kind}");
        assert_eq!(
            raw::envelope(&by_hand),
            sample::sign(body).envelope(),
            "type {kind}"
        );
    }
}

#[test]
fn each_hostile_body_is_refused_for_its_reason() {
    for hostile in hostile::bodies() {
        let refusal = decode(&raw::envelope(&hostile.body));
        assert_eq!(
            refusal.err().as_ref(),
            Some(&hostile.error),
            "{}",
            hostile.what
        );
        assert_eq!(
            Body::decode(&hostile.body).err().as_ref(),
            Some(&hostile.error),
            "{}",
            hostile.what
        );
    }
}

#[test]
fn no_head_of_a_body_may_be_wide_or_indefinite() {
    for (what, body) in sample::bodies() {
        let good = body.encode().unwrap();
        let heads = raw::heads(&good);
        // Of the heads of a long list some are enough.
        let step = 1 + heads.len() / 100;
        for head in heads.into_iter().step_by(step) {
            for bad in raw::widened(&good, head) {
                let error = Body::decode(&bad).unwrap_err();
                if good[head.at] >> 5 == MAJOR_SIMPLE {
                    let place = if what.contains("unassigned") {
                        hostile::payload::UNASSIGNED_PLACE
                    } else {
                        "value"
                    };
                    assert_eq!(error, CodecError::Malformed(place), "{what}, {head:?}");
                } else {
                    let offset = head.at;
                    assert_eq!(
                        error,
                        CodecError::NotCanonical { offset },
                        "{what}, {head:?}"
                    );
                }
            }
            if let Some(bad) = raw::indefinite(&good, head) {
                let error = Body::decode(&bad).unwrap_err();
                let malformed = matches!(error, CodecError::Malformed(_));
                assert!(malformed, "{what}, {head:?}: {error}");
            }
        }
    }
}

#[test]
fn no_head_of_an_envelope_may_be_wide_or_indefinite() {
    let good = raw::envelope(&hostile::body_of(1, &hostile::payloads()[1]).encode());
    let heads = raw::heads(&good);
    assert_eq!(heads.len(), 6, "tag, array, header, map, body, signature");
    for head in heads {
        for bad in raw::widened(&good, head) {
            let offset = head.at;
            assert_eq!(
                decode(&bad).err(),
                Some(CodecError::NotCanonical { offset }),
                "{head:?}"
            );
        }
        let indefinite = raw::indefinite(&good, head);
        assert_eq!(
            indefinite.is_none(),
            good[head.at] >> 5 == MAJOR_TAG,
            "{head:?}"
        );
        if let Some(bad) = indefinite {
            assert_eq!(decode(&bad).err(), Some(CodecError::Envelope), "{head:?}");
        }
    }
}

#[test]
fn only_the_fixed_frame_is_an_envelope() {
    let body = hostile::body_of(1, &hostile::payloads()[1]).encode();
    assert!(accepted(&raw::envelope(&body)).is_ok());
    for (what, bad) in frames::frames() {
        assert_eq!(decode(&bad).err(), Some(CodecError::Envelope), "{what}");
    }
}

#[test]
fn nothing_may_follow_an_envelope() {
    let good = raw::envelope(&hostile::body_of(1, &hostile::payloads()[1]).encode());
    let offset = good.len();
    for tail in [&[0x00][..], &[0xf6], &[0xff], &good] {
        let bad = [&good, tail].concat();
        assert_eq!(
            decode(&bad).err(),
            Some(CodecError::NotCanonical { offset })
        );
    }
}

#[test]
fn an_oversized_envelope_is_not_even_read() {
    let check = |length: usize, error: CodecError| {
        assert_eq!(decode(&vec![0xff; length]).err(), Some(error), "{length}");
    };
    check(ENVELOPE_BYTES_MAX, CodecError::Envelope);
    let limit = ENVELOPE_BYTES_MAX;
    check(
        ENVELOPE_BYTES_MAX + 1,
        CodecError::Limit {
            what: "envelope",
            limit,
        },
    );
}

#[test]
fn an_op_of_every_limit_at_once_fits_into_an_envelope() {
    let longest = sample::bodies()
        .into_iter()
        .map(|(_, body)| sample::sign(body).envelope().len())
        .max();
    let longest = longest.unwrap();
    assert!(
        (PAYLOAD_BYTES_MAX..=ENVELOPE_BYTES_MAX).contains(&longest),
        "{longest}"
    );
}

#[test]
fn normalisation_is_that_of_the_unicode_version_in_the_specification() {
    let (major, minor, patch) = unicode_normalization::UNICODE_VERSION;
    let version = format!("Unicode {major}.{minor}.{patch}");
    let specification = include_str!("../../../../docs/protocol.cddl");
    assert!(
        specification.contains(&version),
        "the tables are those of {version}"
    );
}
