//! Bytes that are an op, and bytes that are none, for each rule of the codec.

use ecac_core::CodecError;

use crate::book::{Bytes, Vectors};
use crate::hostile::{self, Hostile};
use crate::raw::{self, Frame, PROTECTED, cbor};
use crate::{frames, sample};

/// What the faults are called, in the order of [`CodecError`].
pub(crate) const FAULTS: [&str; 12] = [
    "malformed",
    "version",
    "payload_type",
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
        CodecError::PayloadType(_) => 2,
        CodecError::Limit { .. } => 3,
        CodecError::Range(_) => 4,
        CodecError::Order(_) => 5,
        CodecError::Name { .. } => 6,
        CodecError::NotNfc => 7,
        CodecError::JwtNotAscii => 8,
        CodecError::Parentless => 9,
        CodecError::NotCanonical { .. } => 10,
        CodecError::Envelope => 11,
    }]
}

const ACCEPTED: &str = "accepted";
const NON_CANONICAL: &str = "refused non_canonical";
const BAD_SIGNATURE: &str = "refused bad_signature";

const OPS: &str = "docs/protocol.md#ops";
const SIGNATURE: &str = "docs/protocol.md#id-and-signature";
const FRAME: &str = "docs/protocol.cddl#op = #6.18";
const ONE_ENCODING: &str = "docs/protocol.cddl#Rule (one encoding)";

/// A longer body than this is not shown beside its envelope.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// Which bodies a file takes.
enum Which {
    /// Those that are called so.
    Named(&'static [&'static str]),
    /// Those whose name, without the type, begins so.
    Begins(&'static str),
    /// Those whose name ends so.
    Ends(&'static [&'static str]),
}

impl Which {
    fn takes(&self, what: &str) -> bool {
        let bare = what.split_once(": ").map_or(what, |(_, bare)| bare);
        match self {
            Self::Named(names) => names.contains(&what),
            Self::Begins(start) => bare.starts_with(start),
            Self::Ends(ends) => ends.iter().any(|end| what.ends_with(end)),
        }
    }
}

use Which::{Begins, Ends, Named};

/// The files of hostile bodies: name, what the rule is, where it stands, and the bodies.
const BODIES: &[(&str, &str, &str, Which)] = &[
    (
        "version",
        "The version is 1.",
        "docs/protocol.cddl#version = 1",
        Begins("version "),
    ),
    (
        "payload-type",
        "The payload is a map whose key 0 is a type from 0 to 9.",
        "docs/protocol.cddl#payload = ",
        Named(&[
            "payload type 10",
            "payload type 23",
            "payload type 24",
            "payload type 255",
            "payload type 257",
            "payload as array",
            "empty payload",
        ]),
    ),
    (
        "seq",
        "seq is an integer from 0 to 2^53 - 1.",
        "docs/protocol.cddl#counter = ",
        Named(&[
            "seq 2^53",
            "seq 2^64 - 1",
            "negative seq",
            "seq 1.0",
            "seq as bignum",
            "null seq",
        ]),
    ),
    (
        "stamp",
        "A stamp is milliseconds below 2^53 and two numbers below 2^32.",
        "docs/protocol.cddl#hlc = ",
        Begins("stamp "),
    ),
    (
        "map-order",
        "Map keys ascend.",
        ONE_ENCODING,
        Ends(&["exchanged"]),
    ),
    (
        "map-duplicates",
        "No map key occurs twice.",
        ONE_ENCODING,
        Ends(&[
            "payload key twice",
            "body key 4 twice",
            "body key 1 in the place of 2",
            "role twice",
            "scope twice",
        ]),
    ),
    (
        "members",
        "A body and each payload have exactly their members.",
        OPS,
        Ends(&[
            "missing",
            "extra body key",
            "extra payload key",
            "negative body key",
            "no body",
            "body as array",
        ]),
    ),
    (
        "trailing-bytes",
        "Nothing follows the body.",
        ONE_ENCODING,
        Named(&["a byte after the body"]),
    ),
    (
        "parents-order",
        "Parents are strictly ascending.",
        "docs/protocol.cddl#Rule (parents)",
        Named(&["unsorted parents", "duplicate parents"]),
    ),
    (
        "parents-limit",
        "There are at most 16 parents, and a length is judged before it is believed.",
        "docs/protocol.cddl#parents = [1*16 op-id]",
        Named(&["17 parents", "2^64 - 1 parents"]),
    ),
    (
        "parents-shape",
        "Parents are an array of byte strings of 32 bytes.",
        "docs/protocol.cddl#op-id = bytes .size 32",
        Named(&[
            "short parent",
            "long parent",
            "parent as text",
            "one parent alone",
        ]),
    ),
    (
        "parentless",
        "Exactly the genesis has no parents.",
        "docs/protocol.cddl#Exactly the genesis has no parents",
        Named(&["no parents", "genesis with a parent"]),
    ),
    (
        "name-empty",
        "A name has at least 1 byte.",
        "docs/protocol.cddl#Rule (names)",
        Ends(&[" empty"]),
    ),
    (
        "name-too-long",
        "A name has at most 256 bytes of UTF-8, however many characters.",
        "docs/protocol.cddl#Rule (names)",
        Ends(&[" 257 bytes", "object 258 bytes in 129 characters"]),
    ),
    (
        "name-not-nfc",
        "A name is in Normalization Form C.",
        "docs/protocol.cddl#Rule (names)",
        Ends(&[
            " decomposed",
            "object of a singleton",
            "object of marks in another order",
            "object of a composition exclusion",
        ]),
    ),
    (
        "name-not-text",
        "A name is text in UTF-8.",
        "docs/protocol.cddl#name = text",
        Ends(&["object as bytes", "of no UTF-8", "of a surrogate"]),
    ),
    (
        "tags-order",
        "Tags are strictly ascending as the bytes of their UTF-8.",
        "docs/protocol.cddl#Rule (tags)",
        Ends(&["unsorted tags", "tags by length", "a tag twice"]),
    ),
    (
        "tags-count",
        "There are 1 to 64 tags, in an array of text.",
        "docs/protocol.cddl#tags = [1*64 name]",
        Ends(&[
            "no tags",
            " 65 tags",
            "2^64 - 1 tags",
            "one tag alone",
            "tags as bytes",
        ]),
    ),
    (
        "roots-order",
        "Roots are strictly ascending.",
        "docs/protocol.cddl#Rule (roots)",
        Ends(&["unsorted roots", "a root twice"]),
    ),
    (
        "roots-count",
        "There are 1 to 64 roots of 32 bytes each.",
        "docs/protocol.cddl#roots = [1*64 public-key]",
        Ends(&["no roots", "65 roots", "short root"]),
    ),
    (
        "schema-order",
        "Schema rules are strictly ascending by object, field and tags; a prefix comes first.",
        "docs/protocol.cddl#Rule (schema)",
        Ends(&[
            "a rule twice",
            "objects unsorted",
            "fields unsorted",
            "tags unsorted",
            "prefix last",
        ]),
    ),
    (
        "schema-count",
        "There are at most 256 schema rules, of three parts each.",
        "docs/protocol.cddl#schema = [0*256 schema-rule]",
        Ends(&["257 rules", "rule of two", "rule of four"]),
    ),
    (
        "role",
        "A role is one of the six.",
        "docs/protocol.cddl#role = ",
        Begins("role \""),
    ),
    (
        "integer-range",
        "An integer has a magnitude of at most 2^53 - 1.",
        "docs/protocol.cddl#safe-integer = ",
        Named(&[
            "type 1: 2^53",
            "type 1: -2^53",
            "type 1: 2^63",
            "type 1: -2^64",
        ]),
    ),
    (
        "value-types",
        "A value is null, a truth value, an integer, text or bytes.",
        "docs/protocol.cddl#Rule (no other types)",
        Named(&[
            "type 1: bignum 1",
            "type 1: bignum -2",
            "type 1: half float",
            "type 1: half NaN",
            "type 1: single float",
            "type 1: double float",
            "type 1: undefined",
            "type 1: simple value 0",
            "type 1: simple value 32",
            "type 1: array",
            "type 1: map",
            "type 1: tagged integer",
        ]),
    ),
    (
        "text-not-nfc",
        "Text that is a value is in Normalization Form C.",
        "docs/protocol.cddl#Rule (text values)",
        Ends(&["decomposed text"]),
    ),
    (
        "not-well-formed",
        "What is no well-formed and valid CBOR is no op.",
        "RFC 8949 section 5.3.1",
        Named(&[
            "type 1: wide true",
            "type 1: text of no UTF-8",
            "type 1: break",
            "type 1: reserved head",
            "type 1: string beyond the end",
            "type 1: string of 2^64 - 1 bytes",
        ]),
    ),
    (
        "payload-limit",
        "An encoded payload has at most 65,536 bytes.",
        "docs/protocol.cddl#Rule (size): an encoded payload",
        Named(&["type 1: payload of 65,537 bytes"]),
    ),
    (
        "jwt-characters",
        "A JWT is printable ASCII without spaces, and not empty.",
        "docs/protocol.cddl#jwt = ",
        Ends(&["\"", "JWT as bytes"]),
    ),
    (
        "fixed-sizes",
        "Keys and ids have 32 bytes, a nonce 16.",
        "docs/protocol.cddl#public-key = bytes .size 32",
        Ends(&["of another size"]),
    ),
    (
        "key-window",
        "The window of an issuer key is not empty, and ends below 2^53 ms.",
        "docs/protocol.cddl#Rule (window)",
        Ends(&[
            "empty window",
            "inverted window",
            "valid_until 2^53",
            "valid_from 2^53",
        ]),
    ),
];

/// The names of the payload types, in their order.
const KINDS: [&str; 10] = [
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
];

/// Every vector of the codec.
pub(crate) fn add(v: &mut Vectors) {
    accepted(v);
    bodies(v);
    heads(v);
    envelopes(v);
    signatures(v);
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
