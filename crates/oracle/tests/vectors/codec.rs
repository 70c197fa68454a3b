//! Bytes that are an op, and bytes that are none, for each rule of the codec.

use curve25519_dalek::{EdwardsPoint, Scalar};
use ecac_core::CodecError;
use ecac_core::limits::ENVELOPE_BYTES_MAX;
use sha2::{Digest as _, Sha512};

use crate::book::{Bytes, Vectors};
use crate::hostile::{self, Hostile};
use crate::raw::{self, Frame, PROTECTED, cbor};
use crate::rules::{BODIES, ONE_ENCODING, OPS};
use crate::{frames, sample};

/// What the faults are called, in the order of [`CodecError`].
pub(crate) const FAULTS: [&str; 11] = [
    "malformed",
    "version",
    "limit",
    "range",
    "order",
    "name",
    "not_nfc",
    "jwt_not_ascii",
    "parentless",
    "not_canonical",
    "envelope",
];

/// What a fault is called.
pub(crate) const fn fault(error: &CodecError) -> &'static str {
    FAULTS[match error {
        CodecError::Malformed(_) => 0,
        CodecError::Version(_) => 1,
        CodecError::Limit { .. } => 2,
        CodecError::Range(_) => 3,
        CodecError::Order(_) => 4,
        CodecError::Name { .. } => 5,
        CodecError::NotNfc => 6,
        CodecError::JwtNotAscii => 7,
        CodecError::Parentless => 8,
        CodecError::NotCanonical { .. } => 9,
        CodecError::Envelope => 10,
    }]
}

const ACCEPTED: &str = "accepted";
const NON_CANONICAL: &str = "refused non_canonical";
const BAD_SIGNATURE: &str = "refused bad_signature";

const SIGNATURE: &str = "docs/protocol.md#id-and-signature";
const FRAME: &str = "docs/protocol.cddl#op = #6.18";

/// A longer body than this is not shown beside its envelope.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// The names of the payload types, in their order.
const KINDS: [&str; 22] = [
    "genesis",
    "set-field",
    "set-add",
    "set-remove",
    "credential",
    "grant",
    "revoke",
    "issuer-key",
    "issuer-key-revoke",
    "status-list",
    "upgrade",
    "schema",
    "seal",
    "cosign",
    "endorse",
    "device",
    "device-revoke",
    "reader-key",
    "key-rotate",
    "key-grant",
    "set-field-sealed",
    "set-add-sealed",
];

/// Every vector of the codec.
pub(crate) fn add(v: &mut Vectors) {
    accepted(v);
    bodies(v);
    heads(v);
    envelopes(v);
    signatures(v);
    second_signature(v);
    lengths(v);
}

/// A body in its envelope.
fn sealed(what: &str, body: Vec<u8>) -> Bytes {
    let envelope = raw::envelope(&body);
    Bytes {
        what: what.to_owned(),
        body: (body.len() <= BODY_BYTES_MAX).then_some(body),
        envelope,
    }
}

fn framed(what: &str, envelope: Vec<u8>) -> Bytes {
    Bytes {
        what: what.to_owned(),
        body: None,
        envelope,
    }
}

/// A body of a good `SetField`.
fn good_body() -> Vec<u8> {
    hostile::body_of(1, &hostile::payloads()[1]).encode()
}

fn accepted(v: &mut Vectors) {
    assert_eq!(KINDS.len(), hostile::payloads().len());
    for ((kind, payload), name) in hostile::payloads().iter().enumerate().zip(KINDS) {
        let body = hostile::body_of(kind, payload).encode();
        let about = format!("Payload type {kind}.");
        let all = vec![sealed(name, body)];
        v.codec(&format!("accepted-{name}"), ACCEPTED, &about, OPS, all);
    }
    let mut values = Vec::new();
    let mut limits = Vec::new();
    let mut others = Vec::new();
    for (what, body) in sample::bodies() {
        let body = body.encode().expect("samples are within the limits");
        // The longest op stands for all that reach the limit of a payload.
        if what == "longest credential" {
            continue;
        }
        let all = match what {
            _ if what.contains("long") || what.contains("short") || what.contains("most") => {
                &mut limits
            }
            _ if what.starts_with("field") || what.ends_with("integer") => &mut values,
            _ => &mut others,
        };
        all.push(sealed(what, body));
    }
    for (name, about, rule, all) in [
        (
            "accepted-values",
            "Values of every type, integers at each width of their head.",
            "docs/protocol.cddl#value = ",
            values,
        ),
        (
            "accepted-limits",
            "Ops at the limits.",
            "docs/protocol.md#limits",
            limits,
        ),
        (
            "accepted-variants",
            "Payloads with their optional members present and absent.",
            OPS,
            others,
        ),
    ] {
        v.codec(name, ACCEPTED, about, rule, all);
    }
}

fn bodies(v: &mut Vectors) {
    let all = hostile::bodies();
    for (name, about, rule, which) in BODIES {
        let chosen = all.iter().filter(|it| which.takes(&it.what));
        let chosen = chosen.map(|Hostile { what, body, .. }| sealed(what, body.clone()));
        v.codec(name, NON_CANONICAL, about, rule, chosen.collect());
    }
}

/// Heads that are longer than they need, and lengths that are not stated.
fn heads(v: &mut Vectors) {
    let good = good_body();
    let envelope = raw::envelope(&good);
    let mut of_body = [Vec::new(), Vec::new()];
    for head in raw::heads(&good) {
        let what = format!("byte {} of the body", head.at);
        for bad in raw::widened(&good, head) {
            of_body[0].push(sealed(&what, bad));
        }
        of_body[1].extend(raw::indefinite(&good, head).map(|bad| sealed(&what, bad)));
    }
    let mut of_frame = [Vec::new(), Vec::new()];
    for head in raw::heads(&envelope) {
        let what = format!("byte {} of the envelope", head.at);
        for bad in raw::widened(&envelope, head) {
            of_frame[0].push(framed(&what, bad));
        }
        of_frame[1].extend(raw::indefinite(&envelope, head).map(|bad| framed(&what, bad)));
    }
    let [wide, indefinite] = of_body;
    let [wide_frame, indefinite_frame] = of_frame;
    for (name, about, all) in [
        ("wide-heads", "Heads are as short as they can be.", wide),
        ("indefinite-lengths", "Lengths are definite.", indefinite),
        (
            "envelope-wide-heads",
            "Heads of the envelope are as short as they can be.",
            wide_frame,
        ),
        (
            "envelope-indefinite-lengths",
            "Lengths in the envelope are definite.",
            indefinite_frame,
        ),
    ] {
        v.codec(name, NON_CANONICAL, about, ONE_ENCODING, all);
    }
}

fn envelopes(v: &mut Vectors) {
    let all = frames::frames();
    let all = all.into_iter().map(|(what, bytes)| framed(&what, bytes));
    v.codec(
        "envelope-frame",
        NON_CANONICAL,
        "Only the one frame is an envelope.",
        FRAME,
        all.collect(),
    );
    let good = raw::envelope(&good_body());
    let mut all = Vec::new();
    for tail in [&[0x00][..], &[0xf6], &[0xff], &good] {
        let what = format!("{} bytes more", tail.len());
        all.push(framed(&what, [&good, tail].concat()));
    }
    for missing in [1, 64, 65, good.len() - 1] {
        let what = format!("{missing} bytes less");
        all.push(framed(&what, good[..good.len() - missing].to_vec()));
    }
    v.codec(
        "envelope-length",
        NON_CANONICAL,
        "Nothing follows an envelope, and nothing of it is missing.",
        ONE_ENCODING,
        all,
    );
}

fn signatures(v: &mut Vectors) {
    let body = good_body();
    let good = Frame::signed(&body, &PROTECTED, &sample::author());
    let with = |what: &str, body: &[u8], signature: &[u8]| {
        let frame = Frame {
            body: body.to_vec(),
            signature: signature.to_vec(),
            ..good.clone()
        };
        Bytes {
            what: what.to_owned(),
            body: Some(body.to_vec()),
            envelope: frame.encode(),
        }
    };
    let signed = |what: &str, message: &[u8]| {
        let signature = <[u8; 64]>::from(sample::author().sign(message));
        with(what, &body, &signature)
    };
    let structure = |context: &str, aad: &[u8]| {
        cbor(|out| {
            out.array(4)?
                .str(context)?
                .bytes(&PROTECTED)?
                .bytes(aad)?
                .bytes(&body)
        })
    };
    let by = |author: [u8; 32]| {
        let fields = raw::body(&hostile::payloads()[1]);
        fields.with(1, raw::bytes(&author)).encode()
    };
    let other = Frame::signed(&body, &PROTECTED, &sample::key(2)).signature;
    let flipped = |at: usize| {
        let mut signature = good.signature.clone();
        signature[at] ^= 1;
        signature
    };
    let malleated = good.signature.as_slice().try_into().expect("64 bytes");
    let malleated = raw::malleated(malleated);
    let mut no_point = [0; 32];
    no_point[0] = 2;
    v.codec(
        "bad-signature",
        BAD_SIGNATURE,
        "The author signs the Sig_structure with the domain as external AAD.",
        SIGNATURE,
        vec![
            with("another key", &body, &other),
            with("a bit of R", &body, &flipped(0)),
            with("a bit of S", &body, &flipped(32)),
            with("S + L", &body, &malleated),
            with("zeros", &body, &[0; 64]),
            signed("no domain", &structure("Signature1", b"")),
            signed("another domain", &structure("Signature1", b"ECAC_OP_V2")),
            signed("another context", &structure("Signature", b"ECAC_OP_V1")),
            signed("the bare body", &body),
            with("an author that is no point", &by(no_point), &good.signature),
        ],
    );

    // The neutral element, the point of order 2, and the neutral element as y = p + 1, which is not canonical.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut order_2 = [0xff; 32];
    (order_2[0], order_2[31]) = (0xec, 0x7f);
    let mut odd = order_2;
    odd[0] = 0xee;
    let mut all = Vec::new();
    for (whose, author) in [("neutral", neutral), ("order 2", order_2), ("odd", odd)] {
        for (what, r) in [("neutral", neutral), ("order 2", order_2), ("odd", odd)] {
            let signature = [r, [0; 32]].concat();
            all.push(with(
                &format!("{what} R, {whose} author"),
                &by(author),
                &signature,
            ));
        }
    }
    v.codec(
        "accepted-zip215",
        ACCEPTED,
        "Under ZIP 215 points of small order sign anything, in encodings that are not canonical, too.",
        SIGNATURE,
        all,
    );
}

/// One body in two envelopes: an author can sign it again with another nonce, and both signatures are good.
fn second_signature(v: &mut Vectors) {
    let body = good_body();
    let author = sample::author();
    let good = Frame::signed(&body, &PROTECTED, &author);
    let message = cbor(|out| {
        out.array(4)?
            .str("Signature1")?
            .bytes(&PROTECTED)?
            .bytes(b"ECAC_OP_V1")?
            .bytes(&body)
    });
    let key = <[u8; 32]>::from(author.verification_key());
    let hashed = |parts: &[&[u8]]| {
        let bytes: [u8; 64] = Sha512::digest(parts.concat()).into();
        Scalar::from_bytes_mod_order_wide(&bytes)
    };
    // RFC 8032 section 5.1.6, with a nonce that is not the one which the RFC derives.
    let mut secret: [u8; 64] = Sha512::digest(author.as_ref()).into();
    secret[0] &= 0xf8;
    secret[31] = secret[31] & 0x7f | 0x40;
    let secret: [u8; 32] = secret[..32].try_into().expect("half of 64 bytes");
    let secret = Scalar::from_bytes_mod_order(secret);
    let nonce = hashed(&[b"another nonce"]);
    let r = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
    let s = nonce + hashed(&[&r, &key, &message]) * secret;
    let again = Frame {
        signature: [r, s.to_bytes()].concat(),
        ..good.clone()
    };
    assert_ne!(good.signature, again.signature);
    let all = vec![
        framed("signed once", good.encode()),
        framed("signed again", again.encode()),
    ];
    v.codec(
        "accepted-second-signature",
        ACCEPTED,
        "An author can sign one body in several ways; the id is over the body, so it is one op.",
        "docs/protocol.md#id-and-signature",
        all,
    );
}

/// The longest JWT, one byte more, and the longest envelope with one byte more.
fn lengths(v: &mut Vectors) {
    let jwt = |length: usize| {
        let jwt = "x".repeat(length);
        let payload = cbor(|out| out.map(2)?.u8(0)?.u8(4)?.u8(1)?.str(&jwt));
        let fields = raw::body(&hostile::payloads()[1]).with(5, payload);
        let what = format!("a JWT of {length} bytes");
        sealed(&what, fields.encode())
    };
    let limits = "docs/protocol.md#limits";
    v.codec(
        "accepted-longest-jwt",
        ACCEPTED,
        "A JWT has at most 65,529 bytes, so that its payload keeps the limit.",
        limits,
        vec![jwt(65_529)],
    );
    v.codec(
        "jwt-limit",
        NON_CANONICAL,
        "A JWT that is longer makes its payload too long.",
        limits,
        vec![jwt(65_530)],
    );
    let mut long = raw::envelope(&good_body());
    long.resize(ENVELOPE_BYTES_MAX + 1, 0);
    v.codec(
        "envelope-limit",
        NON_CANONICAL,
        "An envelope beyond 66,560 bytes is not even read.",
        limits,
        vec![framed("66,561 bytes", long)],
    );
}
