//! Good ops: every kind of payload with its variations.

use ecac_core::credential::Role;
use std::collections::BTreeMap;

use ecac_core::limits::{
    ENDORSED_MAX, FEATURE_PARAMETERS_BYTES_MAX, FEATURES_MAX, INTEGER_MAX, NAME_BYTES_MAX,
    PARENTS_MAX, PAYLOAD_BYTES_MAX, RECIPIENTS_MAX, ROOTS_MAX, SCHEMA_RULES_MAX, SEALED_BYTES_MIN,
    TAGS_MAX, UNASSIGNED_LEVELS_MAX,
};
use ecac_core::payload;
use ecac_core::{
    Body, Genesis, Hlc, Kem, Name, OpId, Payload, PublicKey, SchemaRule, Sealed, SigningKey, Tags,
    Value, VerifiedOp, public_key,
};

/// Longest JWT that fits: the payload's limit less map head, key 0, type, key 1 and the head of the text.
pub(crate) const JWT_BYTES_MAX: usize = PAYLOAD_BYTES_MAX - 7;

/// A key from a seed of one repeated byte.
pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from([seed; 32])
}

/// The key that signs every sample.
pub(crate) fn author() -> SigningKey {
    key(1)
}

pub(crate) fn name(text: &str) -> Name {
    text.try_into().expect("samples use valid names")
}

/// `count` names of three digits, ascending.
pub(crate) fn names(count: usize) -> Tags {
    (0..count).map(|at| name(&format!("{at:03}"))).collect()
}

/// `count` keys, ascending.
pub(crate) fn recipients(count: usize) -> Vec<[u8; 32]> {
    let numbered = |number: usize| {
        let mut key = [0x5e; 32];
        key[..8].copy_from_slice(&(number as u64).to_be_bytes());
        key
    };
    (1..=count).map(numbered).collect()
}

/// `count` byte strings, ascending.
pub(crate) fn ids(count: usize) -> Vec<[u8; 32]> {
    (1..=count)
        .map(|at| [u8::try_from(at).expect("few"); 32])
        .collect()
}

/// The body of a child of one op, or of a genesis.
pub(crate) fn body(payload: Payload) -> Body {
    let parents = if matches!(payload, Payload::Genesis(_)) {
        Vec::new()
    } else {
        vec![OpId::from_bytes([0xaa; 32])]
    };
    Body {
        author: public_key(&author()),
        seq: 7,
        parents,
        hlc: Hlc {
            physical_ms: 1_767_225_600_000,
            logical: 300,
            node: 70_000,
        },
        payload,
    }
}

pub(crate) fn sign(body: Body) -> VerifiedOp {
    VerifiedOp::sign(body, &author()).expect("samples are within the limits")
}

fn set_field(value: Value) -> Payload {
    Payload::SetField(payload::SetField {
        object: name("doc/1"),
        field: name("title"),
        value,
    })
}

fn set_add(value: Value) -> Payload {
    Payload::SetAdd(payload::SetAdd {
        object: name("doc/1"),
        field: name("labels"),
        element: name("red"),
        value,
    })
}

fn revoke(role: Option<Role>, scope: Option<Tags>) -> Payload {
    Payload::Revoke(payload::Revoke {
        subject: public_key(&key(2)),
        role,
        scope,
    })
}

fn genesis(name_: &str, roots: usize, schema: Vec<SchemaRule>) -> Payload {
    Payload::Genesis(founded(name_, roots, schema))
}

fn founded(name_: &str, roots: usize, schema: Vec<SchemaRule>) -> Genesis {
    Genesis {
        name: name(name_),
        nonce: [5; 16],
        roots: ids(roots).into_iter().map(PublicKey::from_bytes).collect(),
        schema: schema.into_iter().collect(),
        features: BTreeMap::new(),
    }
}

/// A genesis with these features, each with so many bytes of parameters.
fn using(features: impl IntoIterator<Item = (Name, usize)>) -> Payload {
    let features = features.into_iter();
    Payload::Genesis(Genesis {
        features: features.map(|(name, size)| (name, vec![7; size])).collect(),
        ..founded("project", 1, vec![])
    })
}

fn upgrade(feature: &str, parameters: usize) -> Payload {
    Payload::Upgrade(payload::Upgrade {
        feature: name(feature),
        parameters: vec![7; parameters],
    })
}

fn schema(rules: impl IntoIterator<Item = SchemaRule>) -> Payload {
    Payload::Schema(payload::Schema {
        rules: rules.into_iter().collect(),
    })
}

fn endorse(count: usize) -> Payload {
    Payload::Endorse(payload::Endorse {
        ops: ids(count).into_iter().map(OpId::from_bytes).collect(),
    })
}

fn reader_key(kem: Kem) -> Payload {
    Payload::ReaderKey(payload::ReaderKey {
        kem,
        public: vec![0x5e; kem.public_key_bytes()],
    })
}

fn key_rotate(count: usize) -> Payload {
    Payload::KeyRotate(payload::KeyRotate { tags: names(count) })
}

fn key_grant(count: usize, kem: Kem) -> Payload {
    let share = |recipient: [u8; 32]| {
        let share = payload::Share {
            enc: vec![0xec; kem.enc_bytes()],
            ciphertext: [0xc1; 48],
        };
        (PublicKey::from_bytes(recipient), share)
    };
    Payload::KeyGrant(payload::KeyGrant {
        key: OpId::from_bytes([0x4e; 32]),
        shares: recipients(count).into_iter().map(share).collect(),
    })
}

fn sealed(length: usize) -> Sealed {
    Sealed {
        key: OpId::from_bytes([0x4e; 32]),
        nonce: [0x24; 24],
        ciphertext: vec![0xc1; length],
    }
}

fn set_field_sealed(length: usize) -> Payload {
    Payload::SetFieldSealed(payload::SetFieldSealed {
        object: name("doc/1"),
        field: name("title"),
        value: sealed(length),
    })
}

fn set_add_sealed() -> Payload {
    Payload::SetAddSealed(payload::SetAddSealed {
        object: name("doc/1"),
        field: name("labels"),
        element: name("red"),
        value: sealed(SEALED_BYTES_MIN),
    })
}

/// A payload of a type that is not assigned, in hexadecimal.
fn unassigned(bytes: &str) -> Payload {
    let bytes = hex::decode(bytes.replace(' ', "")).expect("hexadecimal");
    Payload::Unassigned(payload::Unassigned::new(&bytes).expect("of the one form"))
}

fn rule(object: &str, field: &str, tags: Tags) -> SchemaRule {
    SchemaRule {
        object: name(object),
        field: name(field),
        tags,
    }
}

fn issuer_key(valid_from_ms: u64, valid_until_ms: u64) -> Payload {
    Payload::IssuerKey(payload::IssuerKey {
        issuer: name("https://issuer.example"),
        kid: name("key-1"),
        public_key: public_key(&key(3)),
        valid_from_ms,
        valid_until_ms,
    })
}

/// Every kind of payload with its optional parts present and absent, every kind of value, and the limits.
pub(crate) fn bodies() -> Vec<(&'static str, Body)> {
    let integer_max = i64::try_from(INTEGER_MAX).expect("53 bits");
    let long = "x".repeat(NAME_BYTES_MAX);
    let long_rules: Vec<SchemaRule> = (0..SCHEMA_RULES_MAX)
        .map(|at| rule(&format!("{at:03}"), "*", names(1)))
        .collect();
    let mut samples = vec![
        (
            "genesis",
            genesis("project", 3, vec![rule("doc/*", "title", names(2))]),
        ),
        ("genesis without schema", genesis("project", 1, vec![])),
        (
            "genesis with most roots",
            genesis(&long, ROOTS_MAX, vec![rule("*", "*", names(TAGS_MAX))]),
        ),
        (
            "genesis with most rules",
            genesis("\u{e9}", 1, long_rules.clone()),
        ),
        (
            "genesis with rules that differ in tags only",
            genesis(
                "p",
                1,
                vec![rule("o", "f", names(1)), rule("o", "f", names(2))],
            ),
        ),
        ("field null", set_field(Value::Null)),
        ("field false", set_field(Value::Bool(false))),
        ("field true", set_field(Value::Bool(true))),
        ("field empty text", set_field(Value::Text(String::new()))),
        (
            "field text",
            set_field(Value::Text(
                "Gr\u{fc}\u{df}e, \u{4e16}\u{754c} \u{1f30d}".into(),
            )),
        ),
        ("field empty bytes", set_field(Value::Bytes(Vec::new()))),
        ("field bytes", set_field(Value::Bytes(vec![0xff; 300]))),
        ("add null", set_add(Value::Null)),
        ("add integer", set_add(Value::Int(-1))),
        ("add text", set_add(Value::Text("x".repeat(1000)))),
        (
            "remove",
            Payload::SetRemove(payload::SetRemove {
                object: name(&long),
                field: name(&long),
                element: name(&long),
            }),
        ),
        (
            "credential",
            Payload::Credential(payload::Credential {
                jwt: "e30.e30.AA".into(),
            }),
        ),
        (
            "longest credential",
            Payload::Credential(payload::Credential {
                jwt: "~".repeat(JWT_BYTES_MAX),
            }),
        ),
        (
            "status list",
            Payload::StatusList(payload::StatusList { jwt: "!".into() }),
        ),
        (
            "grant",
            Payload::Grant(payload::Grant {
                subject: public_key(&key(2)),
                credential: OpId::from_bytes([9; 32]),
            }),
        ),
        ("revoke", revoke(None, None)),
        ("revoke scope", revoke(None, Some(names(TAGS_MAX)))),
        (
            "revoke role and scope",
            revoke(Some(Role::Editor), Some(names(1))),
        ),
        ("issuer key", issuer_key(0, 1)),
        (
            "issuer key for ever",
            issuer_key(INTEGER_MAX - 1, INTEGER_MAX),
        ),
        ("genesis with a feature", using([(name("schema"), 0)])),
        (
            "genesis with most features",
            using(names(FEATURES_MAX).into_iter().map(|name| (name, 0))),
        ),
        (
            "genesis with most parameters",
            using([(name("a"), FEATURE_PARAMETERS_BYTES_MAX), (name("b"), 1)]),
        ),
        ("upgrade", upgrade("schema", 0)),
        (
            "upgrade with most parameters",
            upgrade(&long, FEATURE_PARAMETERS_BYTES_MAX),
        ),
        ("schema", schema([rule("doc/*", "title", names(2))])),
        ("schema with most rules", schema(long_rules)),
        ("seal", Payload::Seal(payload::Seal { digest: [0xd1; 32] })),
        (
            "cosign",
            Payload::Cosign(payload::Cosign {
                op: OpId::from_bytes([0xc0; 32]),
            }),
        ),
        ("endorse", endorse(1)),
        ("endorse most", endorse(ENDORSED_MAX)),
        (
            "device",
            Payload::Device(payload::Device {
                person: public_key(&key(2)),
                key: public_key(&key(3)),
                proof: [0xab; 64],
            }),
        ),
        (
            "device revoke",
            Payload::DeviceRevoke(payload::DeviceRevoke {
                person: public_key(&key(2)),
                key: public_key(&key(3)),
            }),
        ),
        ("reader key", reader_key(Kem::X25519)),
        ("long reader key", reader_key(Kem::XWing)),
        ("key rotate", key_rotate(1)),
        ("key rotate of most tags", key_rotate(TAGS_MAX)),
        ("key grant", key_grant(1, Kem::X25519)),
        ("key grant to most", key_grant(RECIPIENTS_MAX, Kem::X25519)),
        ("key grant by the other KEM", key_grant(2, Kem::XWing)),
        ("field sealed", set_field_sealed(SEALED_BYTES_MIN)),
        ("field sealed with a long value", set_field_sealed(60_000)),
        ("add sealed", set_add_sealed()),
        ("unassigned", unassigned("a1 00 16")),
        ("last unassigned", unassigned("a1 00 19ffff")),
        (
            "unassigned with every item",
            unassigned(
                "aa 00 16 01 1bffffffffffffffff 02 3bffffffffffffffff 03 f4 04 f5 05 f6 18 18 42ff00 \
                 19 0100 62c3a9 1a 00010000 83 18ff 80 a0 1bffffffffffffffff a3 20 00 61 61 01 81 00 02",
            ),
        ),
        (
            "unassigned of most levels",
            unassigned(&format!(
                "a2 00 16 01 {}00",
                "81".repeat(UNASSIGNED_LEVELS_MAX - 1)
            )),
        ),
        (
            "field text of what names have not",
            set_field(Value::Text("a\n\u{7f}\u{85}\u{202e}\u{2069}".into())),
        ),
        (
            "field name of what shows as it is",
            Payload::SetField(payload::SetField {
                object: name("a = \"b\" \u{a0}\u{200d}\u{5d0}\u{2065}"),
                field: name("\u{202f}"),
                value: Value::Null,
            }),
        ),
        (
            "issuer key revoke",
            Payload::IssuerKeyRevoke(payload::IssuerKeyRevoke {
                issuer: name("https://issuer.example"),
                kid: name("key-1"),
                reason: name("lost"),
            }),
        ),
    ];
    for role in Role::ALL {
        samples.push((role.name(), revoke(Some(*role), None)));
    }
    for edge in [
        0,
        23,
        24,
        255,
        256,
        65_535,
        65_536,
        4_294_967_295,
        4_294_967_296,
        integer_max,
    ] {
        samples.push(("positive integer", set_field(Value::Int(edge))));
        samples.push(("negative integer", set_field(Value::Int(-edge))));
    }
    let mut bodies: Vec<_> = samples
        .into_iter()
        .map(|(what, payload)| (what, body(payload)))
        .collect();
    let mut widest = body(issuer_key(0, INTEGER_MAX));
    widest.seq = INTEGER_MAX;
    widest.hlc = Hlc {
        physical_ms: INTEGER_MAX,
        logical: u32::MAX,
        node: u32::MAX,
    };
    widest.parents = ids(PARENTS_MAX).into_iter().map(OpId::from_bytes).collect();
    bodies.push(("longest head", widest.clone()));
    // The map's head, four keys, the type, two names of five bytes with heads, the head of the value.
    let around = 1 + 4 + 1 + 2 * 6 + 3;
    widest.payload = set_field(Value::Bytes(vec![1; PAYLOAD_BYTES_MAX - around]));
    bodies.push(("longest op", widest));
    let mut least = body(set_field(Value::Null));
    least.seq = 0;
    least.hlc = Hlc {
        physical_ms: 0,
        logical: 0,
        node: 0,
    };
    bodies.push(("shortest head", least));
    bodies
}
