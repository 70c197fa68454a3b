//! The rules of the codec, each with the hostile bodies that break it.

pub(crate) const OPS: &str = "docs/protocol.md#ops";
pub(crate) const ONE_ENCODING: &str = "docs/protocol.cddl#Rule (one encoding)";

/// Which bodies a file takes.
pub(crate) enum Which {
    /// Those that are called so.
    Named(&'static [&'static str]),
    /// Those whose name, without the type, begins so.
    Begins(&'static str),
    /// Those whose name ends so.
    Ends(&'static [&'static str]),
}

impl Which {
    /// Whether the body of this name is one of them.
    pub(crate) fn takes(&self, what: &str) -> bool {
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
pub(crate) const BODIES: &[(&str, &str, &str, Which)] = &[
    (
        "version",
        "The version is 1.",
        "docs/protocol.cddl#version = 1",
        Begins("version "),
    ),
    (
        "payload-type",
        "The payload is a map whose key 0 is a type below 65,536 with the members of that type.",
        "docs/protocol.cddl#payload = ",
        Named(&[
            "payload type 10",
            "payload type 11",
            "payload type 65536",
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
        "signed-fields",
        "Digests, ids and keys have 32 bytes, the proof of a device 64.",
        "docs/protocol.cddl#device = ",
        Ends(&[
            "digest of 31 bytes",
            "digest of 33 bytes",
            "digest as text",
            "type 13: op of 31 bytes",
            "type 13: op of 33 bytes",
            "type 13: op as text",
            "person of 31 bytes",
            "person of 33 bytes",
            "person as text",
            "device of 31 bytes",
            "device of 33 bytes",
            "device as text",
            "proof of 63 bytes",
            "proof of 65 bytes",
            "proof as text",
        ]),
    ),
    (
        "endorsed",
        "An Endorse names 1 to 64 ops, strictly ascending.",
        "docs/protocol.cddl#Rule (endorsed)",
        Ends(&[
            "no endorsed ops",
            "65 endorsed ops",
            "2^64 - 1 endorsed ops",
            "unsorted endorsed ops",
            "an endorsed op twice",
            "short endorsed op",
            "endorsed ops without an array",
        ]),
    ),
    (
        "reader-key",
        "A ReaderKey is of one of two KEMs, with a public key of its length.",
        "docs/protocol.cddl#Rule (kem)",
        Ends(&[
            "KEM 0",
            "KEM 3",
            "KEM as text",
            "reader key of 31 bytes",
            "reader key of 33 bytes",
            "reader key of the other KEM",
            "reader key as text",
        ]),
    ),
    (
        "shares",
        "A KeyGrant has 1 to 512 shares, strictly ascending by recipient, of the lengths of a KEM.",
        "docs/protocol.cddl#Rule (shares)",
        Ends(&[
            "no shares",
            "513 shares",
            "2^64 - 1 shares",
            "unsorted shares",
            "a recipient twice",
            "share of two",
            "share of four",
            "shares without an array",
            "short recipient",
            "enc of 33 bytes",
            "enc as text",
            "share of 47 bytes",
            "share of 49 bytes",
        ]),
    ),
    (
        "sealed-values",
        "A sealed value is a key, a nonce of 24 bytes and a ciphertext of 17 or more.",
        "docs/protocol.cddl#sealed = [",
        Ends(&[
            "sealed value of two",
            "sealed value of four",
            "plain value",
            "sealed key of 31 bytes",
            "nonce of 12 bytes",
            "ciphertext of 16 bytes",
            "ciphertext as text",
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
