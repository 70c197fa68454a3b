//! Properties over random ops, random bytes and damaged envelopes.

use std::collections::BTreeMap;
use std::ops::Range;

use ecac_core::credential::Role;
use ecac_core::limits::{
    INTEGER_MAX, NAME_BYTES_MAX, PAYLOAD_TYPE_MAX, SEALED_BYTES_MIN, UNASSIGNED_LEVELS_MAX,
};
use ecac_core::payload;
use ecac_core::{
    Body, Costs, Genesis, Hlc, Kem, Kind, Name, Op, OpId, Payload, PublicKey, SchemaRule, Sealed,
    Tags, Value, VerifiedOp, public_key,
};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization as _;

use crate::agreement::validate;
use crate::raw::{self, Frame, cbor};
use crate::sample;

fn arb_text() -> BoxedStrategy<String> {
    prop_oneof!["[a-z0-9/*]{0,20}", "\\PC{0,40}", any::<String>()]
        .prop_map(|text| text.nfc().collect())
        .boxed()
}

fn arb_name() -> BoxedStrategy<Name> {
    arb_text()
        .prop_map(|mut text| {
            while text.len() > NAME_BYTES_MAX {
                text.pop();
            }
            Name::new(text).unwrap_or_else(|_| sample::name("x"))
        })
        .boxed()
}

fn arb_key() -> BoxedStrategy<PublicKey> {
    any::<[u8; 32]>().prop_map(PublicKey::from_bytes).boxed()
}

fn arb_id() -> BoxedStrategy<OpId> {
    any::<[u8; 32]>().prop_map(OpId::from_bytes).boxed()
}

fn arb_tags() -> BoxedStrategy<Tags> {
    prop::collection::btree_set(arb_name(), 1..6).boxed()
}

fn arb_counter() -> BoxedStrategy<u64> {
    prop_oneof![0..300_u64, 0..=INTEGER_MAX, Just(INTEGER_MAX)].boxed()
}

fn arb_value() -> BoxedStrategy<Value> {
    let max = i64::try_from(INTEGER_MAX).expect("53 bits");
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-300..300_i64).prop_map(Value::Int),
        (-max..=max).prop_map(Value::Int),
        arb_text().prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
    ]
    .boxed()
}

fn arb_rule() -> BoxedStrategy<SchemaRule> {
    (arb_name(), arb_name(), arb_tags())
        .prop_map(|(object, field, tags)| SchemaRule {
            object,
            field,
            tags,
        })
        .boxed()
}

fn arb_parameters() -> BoxedStrategy<Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40).boxed()
}

fn arb_genesis() -> BoxedStrategy<Payload> {
    let roots = prop::collection::btree_set(arb_key(), 1..5);
    let schema = prop::collection::btree_set(arb_rule(), 0..5);
    let features = prop::collection::btree_map(arb_name(), arb_parameters(), 0..4);
    (arb_name(), any::<[u8; 16]>(), roots, schema, features)
        .prop_map(|(name, nonce, roots, schema, features)| {
            Payload::Genesis(Genesis {
                name,
                nonce,
                roots,
                schema,
                features,
            })
        })
        .boxed()
}

/// An item that a payload of a type that is not assigned can hold, in its one encoding.
fn arb_item() -> BoxedStrategy<Vec<u8>> {
    let leaf = prop_oneof![
        any::<u64>().prop_map(raw::uint),
        (0..300_u64).prop_map(raw::uint),
        any::<u64>()
            .prop_map(|it| [vec![raw::uint(it)[0] | 0x20], raw::uint(it)[1..].to_vec()].concat()),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|it| raw::bytes(&it)),
        any::<String>().prop_map(|it| raw::text(&it)),
        any::<bool>().prop_map(|it| cbor(|out| out.bool(it))),
        Just(cbor(|out| out.null())),
    ];
    let levels = u32::try_from(UNASSIGNED_LEVELS_MAX).expect("few") - 1;
    leaf.prop_recursive(levels, 24, 4, |item| {
        let items = prop::collection::vec(item.clone(), 0..4);
        let entries = prop::collection::btree_map(item.clone(), item, 0..4);
        prop_oneof![
            items.prop_map(|items| raw::array(&items)),
            entries.prop_map(map),
        ]
    })
    .boxed()
}

/// A map whose keys and values are encoded already; keys ascend as bytes.
fn map(entries: BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let head = cbor(|out| out.map(entries.len() as u64));
    let entries = entries.into_iter().flat_map(|(key, value)| [key, value]);
    [head, entries.collect::<Vec<_>>().concat()].concat()
}

fn arb_unassigned() -> BoxedStrategy<Payload> {
    let first = u16::try_from(Kind::ALL.len()).expect("few");
    let members = prop::collection::btree_map(1..u64::MAX, arb_item(), 0..4);
    (first..=PAYLOAD_TYPE_MAX, members)
        .prop_map(|(kind, members)| {
            let members = members
                .into_iter()
                .map(|(key, item)| (raw::uint(key), item));
            let kind = (raw::uint(0), raw::uint(kind.into()));
            let bytes = map(members.chain([kind]).collect());
            let payload = payload::Unassigned::new(&bytes);
            Payload::Unassigned(payload.expect("of the one form"))
        })
        .boxed()
}

fn arb_share() -> BoxedStrategy<payload::Share> {
    (prop::sample::select(Kem::ALL), any::<u8>(), any::<u8>())
        .prop_map(|(kem, enc, byte)| payload::Share {
            enc: vec![enc; kem.enc_bytes()],
            ciphertext: [byte; 48],
        })
        .boxed()
}

fn arb_sealed() -> BoxedStrategy<Sealed> {
    let ciphertext = prop::collection::vec(any::<u8>(), SEALED_BYTES_MIN..300);
    (arb_id(), any::<[u8; 24]>(), ciphertext)
        .prop_map(|(key, nonce, ciphertext)| Sealed {
            key,
            nonce,
            ciphertext,
        })
        .boxed()
}

fn arb_child() -> BoxedStrategy<Payload> {
    let role = prop::option::of(prop::sample::select(Role::ALL));
    prop_oneof![
        (arb_name(), arb_name(), arb_value()).prop_map(|(object, field, value)| {
            Payload::SetField(payload::SetField {
                object,
                field,
                value,
            })
        }),
        (arb_name(), arb_name(), arb_name(), arb_value()).prop_map(
            |(object, field, element, value)| Payload::SetAdd(payload::SetAdd {
                object,
                field,
                element,
                value
            })
        ),
        (arb_name(), arb_name(), arb_name()).prop_map(|(object, field, element)| {
            Payload::SetRemove(payload::SetRemove {
                object,
                field,
                element,
            })
        }),
        "[!-~]{1,300}".prop_map(|jwt| Payload::Credential(payload::Credential { jwt })),
        "[!-~]{1,300}".prop_map(|jwt| Payload::StatusList(payload::StatusList { jwt })),
        (arb_key(), arb_id()).prop_map(|(subject, credential)| Payload::Grant(payload::Grant {
            subject,
            credential
        })),
        (arb_key(), role, prop::option::of(arb_tags())).prop_map(|(subject, role, scope)| {
            Payload::Revoke(payload::Revoke {
                subject,
                role,
                scope,
            })
        }),
        (
            arb_name(),
            arb_name(),
            arb_key(),
            arb_counter(),
            arb_counter()
        )
            .prop_map(|(issuer, kid, public_key, a, b)| {
                let valid_from_ms = a.min(b).min(INTEGER_MAX - 1);
                let valid_until_ms = a.max(b).max(valid_from_ms + 1);
                Payload::IssuerKey(payload::IssuerKey {
                    issuer,
                    kid,
                    public_key,
                    valid_from_ms,
                    valid_until_ms,
                })
            }),
        (arb_name(), arb_name(), arb_name()).prop_map(|(issuer, kid, reason)| {
            Payload::IssuerKeyRevoke(payload::IssuerKeyRevoke {
                issuer,
                kid,
                reason,
            })
        }),
        (arb_name(), arb_parameters()).prop_map(|(feature, parameters)| {
            Payload::Upgrade(payload::Upgrade {
                feature,
                parameters,
            })
        }),
        prop::collection::btree_set(arb_rule(), 1..5)
            .prop_map(|rules| Payload::Schema(payload::Schema { rules })),
        prop::array::uniform32(any::<u8>())
            .prop_map(|digest| Payload::Seal(payload::Seal { digest })),
        arb_id().prop_map(|op| Payload::Cosign(payload::Cosign { op })),
        prop::collection::btree_set(arb_id(), 1..5)
            .prop_map(|ops| Payload::Endorse(payload::Endorse { ops })),
        (
            arb_key(),
            arb_key(),
            prop::array::uniform32(any::<[u8; 2]>())
        )
            .prop_map(|(person, key, proof)| {
                let proof = proof.concat().try_into().expect("64 bytes");
                Payload::Device(payload::Device { person, key, proof })
            }),
        (arb_key(), arb_key()).prop_map(|(person, key)| {
            Payload::DeviceRevoke(payload::DeviceRevoke { person, key })
        }),
        (prop::sample::select(Kem::ALL), any::<u8>()).prop_map(|(kem, byte)| {
            Payload::ReaderKey(payload::ReaderKey {
                kem,
                public: vec![byte; kem.public_key_bytes()],
            })
        }),
        arb_tags().prop_map(|tags| Payload::KeyRotate(payload::KeyRotate { tags })),
        (
            arb_id(),
            prop::collection::btree_map(arb_key(), arb_share(), 1..5)
        )
            .prop_map(|(key, shares)| {
                let shares = shares.into_iter().collect();
                Payload::KeyGrant(payload::KeyGrant { key, shares })
            }),
        (arb_name(), arb_name(), arb_sealed()).prop_map(|(object, field, value)| {
            Payload::SetFieldSealed(payload::SetFieldSealed {
                object,
                field,
                value,
            })
        }),
        (arb_name(), arb_name(), arb_name(), arb_sealed()).prop_map(
            |(object, field, element, value)| Payload::SetAddSealed(payload::SetAddSealed {
                object,
                field,
                element,
                value
            })
        ),
        arb_unassigned(),
    ]
    .boxed()
}

/// A body within the limits, of the author of the samples.
fn arb_body() -> BoxedStrategy<Body> {
    let parents = prop::collection::btree_set(arb_id(), 1..17);
    let hlc = (arb_counter(), any::<u32>(), any::<u32>());
    let child = (arb_child(), parents).prop_map(|(payload, ids)| (payload, Vec::from_iter(ids)));
    let genesis = arb_genesis().prop_map(|payload| (payload, Vec::new()));
    (prop_oneof![9 => child, 1 => genesis], arb_counter(), hlc)
        .prop_map(
            |((payload, parents), seq, (physical_ms, logical, node))| Body {
                author: public_key(&sample::author()),
                seq,
                parents,
                hlc: Hlc {
                    physical_ms,
                    logical,
                    node,
                },
                payload,
            },
        )
        .boxed()
}

fn decode(envelope: &[u8]) -> Option<Op> {
    Op::decode(envelope, &mut Costs::default()).ok()
}

/// What a changed envelope may still be: nothing, another op, or the same body under a bad signature. In no
/// case does anything but the original carry the author's signature.
fn check_damaged(original: &VerifiedOp, damaged: &[u8]) {
    assert_ne!(damaged, original.envelope());
    let Some(op) = decode(damaged) else { return };
    let again = Frame::unsigned(&op.body().encode().expect("decoded"));
    assert_eq!(again.encode().len(), damaged.len());
    let body = original.envelope().len() - 64;
    if op.id() == original.id() {
        assert_eq!(op.body(), original.body());
        assert_eq!(damaged.len(), original.envelope().len());
        assert_eq!(
            damaged[..body],
            original.envelope()[..body],
            "one id, two encodings"
        );
    } else {
        assert_ne!(op.body(), original.body(), "one body, two ids");
    }
    assert!(
        VerifiedOp::verify(op, &mut Costs::default()).is_err(),
        "forged: {damaged:02x?}"
    );
}

#[test]
fn every_truncation_is_refused() {
    for (what, body) in sample::bodies() {
        let op = sample::sign(body);
        let length = op.envelope().len();
        for end in (0..length.min(1000)).chain(length.saturating_sub(100)..length) {
            assert_eq!(decode(&op.envelope()[..end]), None, "{what}, {end} bytes");
        }
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    for (_, body) in sample::bodies()
        .iter()
        .filter(|(what, _)| *what == "revoke role and scope")
    {
        let op = sample::sign(body.clone());
        for at in 0..op.envelope().len() {
            // Each byte in fifty ways, the next in others.
            for change in (1..=255).skip(at % 5).step_by(5) {
                let mut damaged = op.envelope().to_vec();
                damaged[at] ^= change;
                check_damaged(&op, &damaged);
            }
        }
    }
}

/// Damages each envelope at each place: removes the byte, inserts some, flips some of its bits.
fn damage(bits: impl Fn(usize) -> Range<u32>, inserted: impl Fn(usize) -> Range<usize>) {
    const BYTES: [u8; 7] = [0x00, 0x40, 0x60, 0x80, 0xa0, 0xf6, 0xff];
    for (_, body) in sample::bodies() {
        let op = sample::sign(body);
        let good = op.envelope();
        if good.len() > 400 {
            continue;
        }
        for at in 0..good.len() {
            for bit in bits(at) {
                let mut damaged = good.to_vec();
                damaged[at] ^= 1 << bit;
                check_damaged(&op, &damaged);
            }
            for byte in &BYTES[inserted(at)] {
                check_damaged(&op, &[&good[..at], &[*byte], &good[at..]].concat());
            }
            check_damaged(&op, &[&good[..at], &good[at + 1..]].concat());
        }
    }
}

#[test]
fn a_flipped_bit_and_an_inserted_or_removed_byte_is_noticed_anywhere() {
    let bit = |at: usize| at as u32 % 8;
    damage(|at| bit(at)..bit(at) + 1, |at| at % 7..at % 7 + 1);
}

#[test]
#[ignore = "a minute; each week"]
fn every_flipped_bit_and_inserted_or_removed_byte_is_noticed() {
    damage(|_| 0..8, |_| 0..7);
}

/// No file of failures: the smallest failing input is printed whole.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn encoding_and_decoding_are_inverse(body in arb_body()) {
        let bytes = body.encode().expect("within the limits");
        prop_assert_eq!(Body::decode(&bytes), Ok(body.clone()));
        let op = sample::sign(body);
        prop_assert_eq!(op.envelope(), raw::envelope(&bytes));
        let read = decode(op.envelope()).expect("canonical");
        prop_assert_eq!(VerifiedOp::verify(read, &mut Costs::default()), Ok(op));
    }

    #[test]
    fn no_head_may_be_wide_or_indefinite(body in arb_body()) {
        let good = body.encode().expect("within the limits");
        for head in raw::heads(&good) {
            for bad in raw::widened(&good, head).into_iter().chain(raw::indefinite(&good, head)) {
                prop_assert!(Body::decode(&bad).is_err(), "{:?}", head);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_op(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(decode(&bytes), None);
        prop_assert!(Body::decode(&bytes).is_err());
        let framed = raw::envelope(&bytes);
        prop_assert_eq!(decode(&framed), None);
    }

    #[test]
    fn what_decodes_is_what_it_encodes_to(
        body in arb_body(),
        patches in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let good = body.encode().expect("within the limits");
        let mut bytes = good.clone();
        for (at, byte) in patches {
            bytes[at.index(good.len())] = byte;
        }
        if let Ok(read) = Body::decode(&bytes) {
            prop_assert_eq!(read.encode().expect("decoded"), bytes.clone());
            prop_assert_eq!(read == body, bytes == good);
        }
    }

    #[test]
    fn damage_is_noticed(
        body in arb_body(),
        at in any::<prop::sample::Index>(),
        removed in 0..4_usize,
        inserted in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let op = sample::sign(body);
        let at = at.index(op.envelope().len());
        let mut damaged = op.envelope().to_vec();
        damaged.splice(at..(at + removed).min(op.envelope().len()), inserted);
        if damaged != op.envelope() {
            check_damaged(&op, &damaged);
        }
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn every_encoding_is_of_the_specified_shape(body in arb_body()) {
        prop_assert_eq!(validate("op", sample::sign(body).envelope()), Ok(()));
    }
}
